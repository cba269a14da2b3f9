"""Faults of servers, gateways and networks: status, delay, cut, bodies of other shapes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from email.utils import formatdate
from typing import Any

from evals.peer.faulty import Case
from evals.peer.refused import Refused, overflow
from evals.peer.replies import Reply, chunks, completion

__all__ = ["KINDS"]

HTML = b"<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>"


def _error(status: int, message: str, kind: str, code: Any = None, **headers: str) -> Reply:
    body = json.dumps({"error": {"message": message, "type": kind, "param": None, "code": code}}).encode()
    return Reply(status=status, body=body, headers={name.replace("_", "-"): value for name, value in headers.items()})


def rate_limited(case: Case, *, seconds: float | str | None = None) -> Reply:
    """429. `seconds`: what Retry-After says: a number, a date, nothing at all ("") or nonsense; drawn if not given."""
    said: float | str = case.rng.choice((0, 1, "", "soon", "-5", "86400", "date")) if seconds is None else seconds
    headers = {"Retry_After": formatdate(0, usegmt=True) if said == "date" else str(said)} if said != "" else {}
    return _error(
        429, "Rate limit reached for requests. Please try again later.", "requests", "rate_limit_exceeded", **headers
    )


def out_of_quota(_: Case) -> Reply:
    """429 that no waiting helps."""
    return _error(
        429, "You exceeded your current quota, please check your plan and billing details.",
        "insufficient_quota", "insufficient_quota",
    )  # fmt: skip


def server_error(case: Case, *, status: int | None = None) -> Reply:
    """500, 502, 503, 504, 529: as JSON, as a page of the proxy, or with nothing in it."""
    number = status or case.rng.choice((500, 502, 503, 504, 529))
    form = case.rng.choice(("json", "page", "empty"))
    if form == "json":
        return _error(
            number, "The server had an error while processing your request. Sorry about that!", "server_error"
        )
    return Reply(status=number, body=HTML if form == "page" else b"", content_type="text/html")


def not_allowed(case: Case, *, status: int | None = None) -> Reply:
    """401, 403, 404, 405, 413, 422."""
    number = status or case.rng.choice((401, 403, 404, 405, 413, 422))
    return _error(number, "You have no access to this.", "invalid_request_error")


def context_overflow(case: Case, *, dialect: str | None = None) -> Reply:
    """400: the prompt does not fit, in the words of OpenAI, vLLM or llama.cpp."""
    whose = dialect or case.rng.choice(("openai", "vllm", "llama.cpp"))
    refused: Refused = overflow(whose, case.context + case.rng.randint(1, 9_999), case.context, 256)
    return Reply(status=refused.status, body=json.dumps({"error": refused.error}).encode())


def delayed(case: Case, *, seconds: float = 0.05) -> Reply:
    """Right, but late."""
    return case.right.but(delay=seconds)


def slow_drip(case: Case, *, seconds: float = 0.002) -> Reply:
    """Right, but some letters at a time, with so many seconds between."""
    return case.right.but(drip=seconds)


def cut_body(case: Case, *, share: float | None = None, stream: bool | None = None) -> Reply:
    """The connection ends in the middle, of a body or of a stream."""
    return case.right.but(cut=case.rng.uniform(0.0, 0.95) if share is None else share, stream=stream)


def hung_up(case: Case) -> Reply:
    """The connection ends right after the headers."""
    return case.right.but(cut=0.0)


def stream_without_end(case: Case) -> Reply:
    """A stream that stops without [DONE]; without one, a body that stops without its end."""
    return case.right.but(done=False) if case.seen.body.get("stream") else case.right.but(cut=0.9)


def malformed_body(case: Case) -> Reply:
    """200 with what is no JSON."""
    whole = json.dumps(_whole(case))
    broken = (
        whole[: case.rng.randrange(len(whole))], whole.replace('"', "'"), whole + whole, "", "null", "[]", "OK", "{}",
        "\x00\x01\x02", whole.replace(":", " ", 1), "data: " + whole,
    )  # fmt: skip
    return Reply(body=case.rng.choice(broken).encode())


def bytes_not_text(_: Case) -> Reply:
    """200, JSON by its header, but no UTF-8."""
    return Reply(body=b'{"choices": [{"message": {"content": "\xff\xfe\x80"}}]}')


def wrong_content_type(case: Case) -> Reply:
    """A page where JSON was expected, or JSON under the name of a page."""
    if case.rng.random() < 0.5:
        return Reply(body=HTML, content_type="text/html; charset=utf-8")
    kind = case.rng.choice(("text/plain", "application/octet-stream", "text/html", "image/png"))
    return case.right.but(content_type=kind)


def error_with_200(case: Case) -> Reply:
    """An error in the body under 200, as gateways answer."""
    said: dict[str, Any] = case.rng.choice(
        (
            {"error": {"message": "Provider returned error", "code": 502}},
            {"error": "no model loaded"},
            {"detail": "Not Found"},
            {"object": "error", "message": "boom", "code": 500},
        )
    )
    return Reply(body=json.dumps(said).encode())


def _whole(case: Case) -> dict[str, Any]:
    seen = case.seen
    return completion(case.right, number=seen.number, model=seen.model, prompt=seen.prompt_tokens)


def wrong_shape(case: Case) -> Reply:
    """Valid JSON that lacks or doubles what a completion has, or has other types there."""
    whole = _whole(case)
    first = whole["choices"][0]
    bent: list[dict[str, Any]] = [
        {**whole, "choices": []},
        {**whole, "choices": None},
        {name: value for name, value in whole.items() if name != "choices"},
        {**whole, "choices": [{**first, "message": None}]},
        {**whole, "choices": [{**first, "message": {}}]},
        {**whole, "choices": [{**first, "message": {"role": "assistant", "content": ["a", {"b": 1}]}}]},
        {**whole, "choices": [{**first, "message": {"role": "assistant", "content": 42}}]},
        {**whole, "choices": [{**first, "message": {"role": "user", "content": "I am the user."}}]},
        {**whole, "choices": [{**first, "message": {"role": "assistant", "tool_calls": [{}]}}]},
        {**whole, "choices": [{**first, "message": {"role": "assistant", "tool_calls": "search()"}}]},
        {**whole, "choices": [first, first]},
        {**whole, "choices": "none"},
        {**whole, "usage": None},
        {**whole, "usage": {"prompt_tokens": -1, "completion_tokens": "many", "total_tokens": None}},
        {**whole, "choices": [{**first, "finish_reason": None}]},
        {**whole, "choices": [{**first, "finish_reason": "who knows"}]},
        {**whole, "id": None, "model": None, "created": "yesterday"},
    ]
    return Reply(body=json.dumps(case.rng.choice(bent)).encode())


def not_a_number_body(case: Case) -> Reply:
    """NaN and Infinity in the body itself, as careless writers of JSON write them."""
    whole = {**_whole(case), "usage": {"prompt_tokens": float("nan"), "total_tokens": float("inf")}}
    return Reply(body=json.dumps(whole).encode())


def stream_unasked(case: Case) -> Reply:
    """A stream where none was asked for, and none where one was."""
    return case.right.but(stream=not case.seen.body.get("stream"))


def broken_stream(case: Case) -> Reply:
    """Events that are no JSON, an error among them, empty ones, comments."""
    seen = case.seen
    made = chunks(case.right, number=seen.number, model=seen.model, prompt=seen.prompt_tokens, usage=False)
    lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in made]
    odd = (
        "data: {\n\n", "data:\n\n", 'data: {"error": {"message": "stream failed", "code": 500}}\n\n',
        ": keep-alive\n\n", "event: ping\ndata: {}\n\n", "data: null\n\n", "garbage\n\n", 'data: {"choices": []}\n\n',
    )  # fmt: skip
    lines.insert(case.rng.randrange(len(lines) + 1), case.rng.choice(odd))
    return Reply(body="".join([*lines, "data: [DONE]\n\n"]).encode(), content_type="text/event-stream")


def huge_body(case: Case, *, size: int = 10_000_000) -> Reply:
    """Right, with so many bytes of something unknown beside it."""
    return Reply(body=json.dumps({**_whole(case), "debug": "x" * size}).encode())


def deep_body(_: Case, *, levels: int = 100_000) -> Reply:
    """A body of so many brackets."""
    return Reply(body=b'{"choices": ' + b"[" * levels + b"]" * levels + b"}")


def far_redirect(case: Case) -> Reply:
    """Sends the client (and its key) elsewhere: to a port of this machine where nobody listens."""
    status = case.rng.choice((301, 302, 307, 308))
    return Reply(status=status, body=b"", headers={"Location": "http://127.0.0.1:9/v1/chat/completions"})


KINDS: Mapping[str, Callable[..., Reply]] = {
    made.__name__: made
    for made in (
        rate_limited, out_of_quota, server_error, not_allowed, context_overflow, delayed, slow_drip, cut_body, hung_up,
        stream_without_end, malformed_body, bytes_not_text, wrong_content_type, error_with_200, wrong_shape,
        not_a_number_body, stream_unasked, broken_stream, huge_body, deep_body, far_redirect,
    )
}  # fmt: skip
