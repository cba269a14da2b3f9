"""The strict look at a whole chat request: parameters, tools, the form of the answer.

Sources: https://platform.openai.com/docs/api-reference/chat/create, https://docs.vllm.ai/en/latest/serving/
openai_compatible_server/ (extra parameters), https://docs.ollama.com/api/openai-compatibility, and
https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from evals.peer.messages import Limits, Picture, check_messages
from evals.peer.refused import Refused
from evals.peer.strict_schema import complaint

__all__ = ["check_request", "offered_tools"]

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
NUMBERS: dict[str, tuple[float, float]] = {
    "temperature": (0, 2), "top_p": (0, 1), "presence_penalty": (-2, 2), "frequency_penalty": (-2, 2),
}  # fmt: skip
WHOLE: dict[str, tuple[float, float]] = {
    "max_tokens": (1, 1e9), "max_completion_tokens": (1, 1e9), "n": (1, 1), "seed": (-(2**63), 2**63 - 1),
    "top_logprobs": (0, 20),
}  # fmt: skip
BOOLEANS = ("stream", "logprobs", "store", "parallel_tool_calls")
OTHERS = (
    "messages", "model", "tools", "tool_choice", "response_format", "stream_options", "stop", "logit_bias",
    "metadata", "user", "service_tier", "modalities", "prediction", "reasoning_effort", "verbosity",
    "prompt_cache_key", "prompt_cache_retention", "safety_identifier", "audio", "web_search_options",
)  # fmt: skip
KNOWN = {*NUMBERS, *WHOLE, *BOOLEANS, *OTHERS}
EXTRA = (
    "top_k", "min_p", "repetition_penalty", "length_penalty", "stop_token_ids", "include_stop_str_in_output",
    "ignore_eos", "min_tokens", "skip_special_tokens", "structured_outputs", "guided_json", "guided_choice",
    "guided_regex", "guided_grammar", "chat_template_kwargs", "add_generation_prompt", "echo", "best_of",
    "use_beam_search", "mm_processor_kwargs", "cache_prompt", "id_slot", "grammar", "json_schema", "keep_alive",
    "options", "think", "n_predict", "typical_p", "mirostat", "dry_multiplier", "reasoning",
)  # fmt: skip


def check_request(body: Any, dialect: str, limits: Limits, models: tuple[str, ...]) -> list[Picture]:
    """The pictures of a request that a server of this dialect takes.

    Raises:
        Refused: status and error object for the first thing that is wrong.
    """
    if not isinstance(body, dict):
        raise Refused("We could not parse the JSON body of your request: expected an object.")
    for key in body:
        if key not in KNOWN and (dialect == "openai" or key not in EXTRA):
            raise Refused(f"Unrecognized request argument supplied: {key}", param=key, code="unknown_parameter")
    _check_model(body.get("model"), models)
    _check_scalars(body)
    pictures = check_messages(body.get("messages"), limits)
    _check_tools(body, dialect)
    _check_form(body, dialect)
    return pictures


def offered_tools(body: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Names and function objects of the tools in a request that was checked."""
    return {tool["function"]["name"]: tool["function"] for tool in body.get("tools") or ()}


def _check_model(model: Any, models: tuple[str, ...]) -> None:
    if not isinstance(model, str) or not model:
        raise Refused("you must provide a model parameter")
    if models and model not in models:
        raise Refused(
            f"The model `{model}` does not exist or you do not have access to it.", status=404, code="model_not_found"
        )


def _check_scalars(body: dict[str, Any]) -> None:
    for name, (low, high) in (NUMBERS | WHOLE).items():
        value = body.get(name)
        if value is None:
            continue
        wanted = "an integer" if name in WHOLE else "a decimal"
        fits = isinstance(value, int) if name in WHOLE else isinstance(value, int | float)
        if not fits or isinstance(value, bool) or not math.isfinite(value):
            raise Refused(f"Invalid type for '{name}': expected {wanted}.", param=name, code="invalid_type")
        if not low <= value <= high:
            side = "below minimum" if value < low else "above maximum"
            bound = f">= {low}" if value < low else f"<= {high}"
            raise Refused(
                f"Invalid '{name}': value {side} value. Expected a value {bound}, but got {value} instead.", param=name
            )
    for name in BOOLEANS:
        if body.get(name) is not None and not isinstance(body[name], bool):
            raise Refused(f"Invalid type for '{name}': expected a boolean.", param=name, code="invalid_type")
    if "max_tokens" in body and "max_completion_tokens" in body:
        raise Refused("Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.")
    if body.get("stream_options") is not None and not body.get("stream"):
        raise Refused(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.", param="stream_options"
        )
    stop = body.get("stop")
    if stop is not None and not isinstance(stop, str) and not _texts(stop, 4):
        raise Refused("Invalid 'stop': a string or up to four strings.", param="stop")


def _texts(value: Any, most: int) -> bool:
    return isinstance(value, list) and len(value) <= most and all(isinstance(item, str) for item in value)


def _check_name(name: Any, at: str) -> None:
    if not isinstance(name, str):
        raise Refused(f"Missing required parameter: '{at}'.", param=at, code="missing_required_parameter")
    if not NAME.fullmatch(name):
        raise Refused(
            f"Invalid '{at}': string does not match pattern. Expected a string that matches the pattern "
            "'^[a-zA-Z0-9_-]+$' with maximum length 64.", param=at, code="invalid_value",
        )  # fmt: skip


def _check_tools(body: dict[str, Any], dialect: str) -> None:
    tools, choice = body.get("tools"), body.get("tool_choice")
    if tools is None:
        for name in ("tool_choice", "parallel_tool_calls"):
            if body.get(name) is not None and not (name == "tool_choice" and choice == "none" and dialect != "openai"):
                raise Refused(f"'{name}' is only allowed when 'tools' are specified.", param=name)
        return
    if not isinstance(tools, list) or not tools:
        raise Refused("Invalid 'tools': empty array.", param="tools", code="empty_array")
    if len(tools) > 128:
        raise Refused(
            "Invalid 'tools': array too long. Expected at most 128.", param="tools", code="array_above_max_length"
        )
    names = [_check_tool(tool, f"tools[{at}]", dialect) for at, tool in enumerate(tools)]
    if len(set(names)) < len(names):
        raise Refused("Invalid 'tools': tool names must be unique.", param="tools")
    if isinstance(choice, dict):
        named = (choice.get("function") or {}).get("name") if choice.get("type") == "function" else None
        if named not in names:
            raise Refused(f"Tool choice '{named}' not found in 'tools' parameter.", param="tool_choice")
    elif choice not in (None, "auto", "none", "required"):
        raise Refused(f"Invalid value: '{choice}'. Supported values are: 'none', 'auto', and 'required'.",
                      param="tool_choice", code="invalid_value")  # fmt: skip


def _check_tool(tool: Any, at: str, dialect: str) -> str:
    function = tool.get("function") if isinstance(tool, dict) and tool.get("type") == "function" else None
    if not isinstance(function, dict):
        raise Refused(f"Missing required parameter: '{at}.function'.", param=at, code="missing_required_parameter")
    for key in function.keys() - {"name", "description", "parameters", "strict"}:
        raise Refused(f"Unknown parameter: '{at}.function.{key}'.", param=at, code="unknown_parameter")
    name = function.get("name")
    _check_name(name, f"{at}.function.name")
    if not isinstance(function.get("description", ""), str):
        raise Refused(f"Invalid type for '{at}.function.description'.", param=at, code="invalid_type")
    parameters = function.get("parameters")
    if parameters is not None:
        _check_object(parameters, f"function '{name}'", f"{at}.function.parameters")
        if function.get("strict") and dialect == "openai":
            _check_strict(parameters, f"function '{name}'", f"{at}.function.parameters")
    return str(name)


def _check_object(schema: Any, of: str, at: str) -> None:
    if not isinstance(schema, dict) or schema.get("type", "object") != "object":
        raise Refused(f"Invalid schema for {of}: schema must be a JSON Schema of 'type: \"object\"'.",
                      param=at, code="invalid_function_parameters")  # fmt: skip


def _check_strict(schema: Any, of: str, at: str) -> None:
    said = complaint(schema)
    if said:
        raise Refused(f"Invalid schema for {of}: {said}", param=at, code="invalid_json_schema")


def _check_form(body: dict[str, Any], dialect: str) -> None:
    form = body.get("response_format")
    if form is None:
        return
    kind = form.get("type") if isinstance(form, dict) else None
    if kind not in ("text", "json_object", "json_schema"):
        raise Refused(f"Invalid value: '{kind}'. Supported values are: 'json_object', 'json_schema', and 'text'.",
                      param="response_format.type", code="invalid_value")  # fmt: skip
    if kind == "json_object" and dialect == "openai" and "json" not in str(body["messages"]).lower():
        raise Refused("'messages' must contain the word 'json' in some form, to use 'response_format' of type "
                      "'json_object'.", param="messages")  # fmt: skip
    if kind != "json_schema":
        return
    named = form.get("json_schema")
    if not isinstance(named, dict):
        raise Refused("Missing required parameter: 'response_format.json_schema'.",
                      param="response_format.json_schema", code="missing_required_parameter")  # fmt: skip
    _check_name(named.get("name"), "response_format.json_schema.name")
    schema = named.get("schema")
    if not isinstance(schema, dict):
        raise Refused("Missing required parameter: 'response_format.json_schema.schema'.",
                      param="response_format.json_schema.schema", code="missing_required_parameter")  # fmt: skip
    if named.get("strict") and dialect == "openai":
        _check_strict(schema, f"response_format '{named['name']}'", "response_format")
