"""The strict look at `messages`: roles, order of tool messages, content parts, pictures.

Source: https://platform.openai.com/docs/api-reference/chat/create (messages) and the guide to function calling: a tool
message answers a call of the assistant message before it, and each call is answered before anyone else speaks.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
import re
from dataclasses import dataclass
from typing import Any

from evals.peer.refused import Refused

__all__ = ["Limits", "Picture", "check_messages", "text_of"]

ROLES = ("system", "developer", "user", "assistant", "tool")
PARTS = {
    "system": {"text"},
    "developer": {"text"},
    "user": {"text", "image_url"},
    "assistant": {"text", "refusal"},
    "tool": {"text"},
}
DATA_URL = re.compile(r"data:(image/[a-z+.-]+);base64,(.*)", re.DOTALL)
FORMATS = {"image/png": ("png_pipe", b"\x89PNG\r\n\x1a\n"), "image/jpeg": ("jpeg_pipe", b"\xff\xd8\xff")}
ENDS = {"image/png": b"IEND\xaeB`\x82", "image/jpeg": b"\xff\xd9"}


@dataclass(frozen=True)
class Limits:
    """What a server takes. Bytes of one decoded picture, its longer side in pixels, pictures in a request."""

    image_bytes: int = 20_000_000
    image_side: int = 8_000
    images: int = 50


@dataclass(frozen=True)
class Picture:
    """A picture that the model was shown: its type, its bytes, its size in pixels."""

    media_type: str
    data: bytes
    width: int
    height: int


def text_of(content: Any) -> str:
    """All text of a message's content."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    return "\n".join(str(part.get("text") or part.get("refusal") or "") for part in content if isinstance(part, dict))


def check_messages(messages: Any, limits: Limits) -> list[Picture]:
    """The pictures in order, when all is as it should be.

    Raises:
        Refused: with OpenAI's words, for the first thing that is wrong.
    """
    if not isinstance(messages, list):
        raise _type("messages", "an array of objects", messages)
    if not messages:
        raise Refused(
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
            param="messages", code="empty_array",
        )  # fmt: skip
    pictures: list[Picture] = []
    for at, message in enumerate(messages):
        pictures += _check_message(message, f"messages[{at}]", limits)
    if len(pictures) > limits.images:
        raise Refused(f"Too many images in request: {len(pictures)}, at most {limits.images}.", param="messages")
    _check_order(messages)
    return pictures


def _type(param: str, wanted: str, got: Any) -> Refused:
    kinds = {type(None): "null", str: "a string", bool: "a boolean", int: "an integer", float: "a decimal"}
    kind = kinds.get(type(got), "an array" if isinstance(got, list) else "an object")
    return Refused(
        f"Invalid type for '{param}': expected {wanted}, but got {kind} instead.", param=param, code="invalid_type"
    )


def _check_message(message: Any, at: str, limits: Limits) -> list[Picture]:
    if not isinstance(message, dict):
        raise _type(at, "an object", message)
    role = message.get("role")
    if role not in ROLES:
        named = ", ".join(f"'{name}'" for name in ROLES)
        raise Refused(
            f"Invalid value: '{role}'. Supported values are: {named}.", param=f"{at}.role", code="invalid_value"
        )
    known = {"role", "content", "name", "tool_calls", "tool_call_id", "refusal", "audio", "function_call"}
    for key in message.keys() - known:
        raise Refused(f"Unknown parameter: '{at}.{key}'.", param=f"{at}.{key}", code="unknown_parameter")
    if role != "assistant" and "tool_calls" in message:
        raise Refused(f"Unknown parameter: '{at}.tool_calls'.", param=f"{at}.tool_calls", code="unknown_parameter")
    if role == "assistant":
        _check_calls(message, at)
    if role == "tool" and not isinstance(message.get("tool_call_id"), str):
        raise Refused(f"Missing required parameter: '{at}.tool_call_id'.", param=at, code="missing_required_parameter")
    return _check_content(message, at, role, limits)


def _check_content(message: dict[str, Any], at: str, role: str, limits: Limits) -> list[Picture]:
    content = message.get("content")
    if content is None:
        if role == "assistant" and (message.get("tool_calls") or message.get("refusal")):
            return []
        raise Refused("Invalid value for 'content': expected a string, got null.", param=f"{at}.content")
    if isinstance(content, str):
        _check_text(content, f"{at}.content")
        return []
    if not isinstance(content, list):
        raise _type(f"{at}.content", "one of a string or array of objects", content)
    if not content:
        raise Refused(f"Invalid '{at}.content': empty array.", param=f"{at}.content", code="empty_array")
    pictures = []
    for index, part in enumerate(content):
        where = f"{at}.content[{index}]"
        if not isinstance(part, dict):
            raise _type(where, "an object", part)
        kind = part.get("type")
        if kind not in PARTS[role]:
            named = " and ".join(f"'{name}'" for name in sorted(PARTS[role]))
            raise Refused(
                f"Invalid value: '{kind}'. Supported values are: {named}.", param=f"{where}.type", code="invalid_value"
            )
        if kind == "image_url":
            pictures.append(_picture(part.get("image_url"), f"{where}.image_url", limits))
        elif not isinstance(part.get(kind), str):
            raise _type(f"{where}.{kind}", "a string", part.get(kind))
        else:
            _check_text(part[kind], f"{where}.{kind}")
    return pictures


def _check_text(text: str, at: str) -> None:
    # A lone surrogate is no Unicode text; OpenAI says that it could not parse the body.
    if any(0xD800 <= ord(letter) <= 0xDFFF for letter in text):
        raise Refused(f"Invalid '{at}': the text is not valid Unicode.", param=at, code="invalid_value")


def _picture(given: Any, at: str, limits: Limits) -> Picture:
    if not isinstance(given, dict):
        raise _type(at, "an object", given)
    if given.get("detail", "auto") not in ("auto", "low", "high"):
        raise Refused(f"Invalid value: '{given['detail']}'.", param=f"{at}.detail", code="invalid_value")
    found = DATA_URL.fullmatch(str(given.get("url")))
    if not found:
        # A server in a cage fetches nothing: vLLM without allowed media domains, llama.cpp without remote media.
        raise Refused(
            "Invalid image_url: only base64 data: URLs are taken.", param=f"{at}.url", code="invalid_image_url"
        )
    media, coded = found.groups()
    try:
        data = base64.b64decode(coded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused("Invalid base64 image_url.", param=f"{at}.url", code="invalid_base64") from error
    if len(data) > limits.image_bytes:
        raise Refused(
            f"Image size {len(data)} bytes exceeds the limit of {limits.image_bytes}.", param=at, code="image_too_large"
        )
    width, height = _decoded(media, data, at)
    if max(width, height) > limits.image_side:
        raise Refused(f"Image of {width}x{height} is too large.", param=at, code="image_too_large")
    return Picture(media, data, width, height)


def _decoded(media: str, data: bytes, at: str) -> tuple[int, int]:
    import av

    wrong = Refused(
        "You uploaded an unsupported image. Please make sure your image is valid.",
        param=at,
        code="invalid_image_format",
    )
    form, head = FORMATS.get(media, ("", b""))
    if not form or not data.startswith(head) or not data.rstrip(b"\0").endswith(ENDS[media]):
        raise wrong
    try:
        with av.open(io.BytesIO(data), mode="r", format=form) as opened:
            frame = next(opened.decode(video=0))
            return frame.width, frame.height
    except (av.FFmpegError, StopIteration, ValueError, IndexError) as error:
        raise wrong from error


def _check_calls(message: dict[str, Any], at: str) -> None:
    made = message.get("tool_calls")
    if made is None:
        return
    if not isinstance(made, list):
        raise _type(f"{at}.tool_calls", "an array of objects", made)
    if not made:
        raise Refused(f"Invalid '{at}.tool_calls': empty array.", param=f"{at}.tool_calls", code="empty_array")
    seen = set()
    for index, call in enumerate(made):
        where = f"{at}.tool_calls[{index}]"
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(function, dict) or call.get("type") != "function":
            raise Refused(f"Invalid value for '{where}'.", param=where, code="invalid_value")
        if not isinstance(call.get("id"), str) or not call["id"]:
            raise Refused(f"Missing required parameter: '{where}.id'.", param=where, code="missing_required_parameter")
        if call["id"] in seen:
            raise Refused(f"Duplicate value for 'tool_call_id' of '{call['id']}' in '{at}'.", param=where)
        seen.add(call["id"])
        if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", str(function.get("name"))):
            raise Refused(f"Invalid '{where}.function.name': string does not match pattern.", param=where)
        if not isinstance(function.get("arguments"), str):
            raise _type(f"{where}.function.arguments", "a string", function.get("arguments"))
        try:
            # vLLM's chat templates load them: what is not an object there fails with 400.
            arguments = json.loads(function["arguments"] or "{}")
        except (ValueError, RecursionError) as error:
            raise Refused(f"Invalid '{where}.function.arguments': not valid JSON.", param=where) from error
        if not isinstance(arguments, dict):
            raise Refused(f"Invalid '{where}.function.arguments': not an object.", param=where)


def _check_order(messages: list[dict[str, Any]]) -> None:
    waiting: dict[str, int] = {}
    answered: set[str] = set()
    for at, message in enumerate(messages):
        if message["role"] == "tool":
            told = message["tool_call_id"]
            if not waiting and not answered:
                raise Refused(
                    "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with "
                    "'tool_calls'.", param=f"messages.[{at}].role",
                )  # fmt: skip
            if told in answered:
                raise Refused(f"Duplicate tool result for tool_call_id '{told}'.", param=f"messages.[{at}]")
            if told not in waiting:
                raise Refused(f"Invalid parameter: 'tool_call_id' of '{told}' not found in 'tool_calls' of previous "
                              "message.", param=f"messages.[{at}].tool_call_id")  # fmt: skip
            answered.add(told)
            del waiting[told]
            continue
        _none_waits(waiting)
        answered = set()
        waiting = {call["id"]: at for call in message.get("tool_calls") or ()}
    _none_waits(waiting)


def _none_waits(waiting: dict[str, int]) -> None:
    if waiting:
        at = next(iter(waiting.values()))
        raise Refused(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            f"'tool_call_id'. The following tool_call_ids did not have response messages: {', '.join(waiting)}",
            param=f"messages.[{at}].role",
        )
