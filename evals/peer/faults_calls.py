"""Faults of models and servers in tool calls."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from evals.peer.faulty import Case
from evals.peer.replies import Call, Reply

__all__ = ["KINDS"]

OTHER = (
    "rm_rf", "shell", "__class__", "os.system", "generate_imagee", "", "a" * 65, "../../etc/passwd", "functions.search",
    "search\n", "Поиск", "multi_tool_use.parallel", "delete production", "\x1b[31m", "null",
)  # fmt: skip
HOSTILE = (
    "../../../etc/passwd", "/etc/shadow", "; rm -rf ~", "$(id)", "\x1b[2J", "file:///etc/passwd", "\x00", "{{7*7}}",
    "http://169.254.169.254/", "C:\\Windows", "-rf", "con", "x" * 50_000,
)  # fmt: skip


def malformed_arguments(case: Case) -> Reply:
    """Arguments that are no JSON object."""
    text = case.calls[0].text
    bent = (
        text[: case.rng.randrange(len(text))], "{", "", "null", "[]", '"text"', "42", text + "}",
        text.replace('"', "'"),
        f"```json\n{text}\n```", "query=harbours", "{'a': 1}", json.dumps(text), "{}{}", "\x00", "NaN",
        text[:-1] + ",}",
    )  # fmt: skip
    return case.first_call(arguments=case.rng.choice(bent))


def wrong_argument_types(case: Case) -> Reply:
    """Each argument of another type than asked for."""
    given = _arguments(case)
    swapped = {name: _other(value) for name, value in given.items()} or {"unasked": 1}
    return case.first_call(arguments=swapped)


def wrong_argument_names(case: Case) -> Reply:
    """Arguments lacking, added, or under other names."""
    given = _arguments(case)
    bent: tuple[dict[str, Any], ...] = (
        {},
        {f"{name}_": value for name, value in given.items()},
        {**given, "unasked": True, "__proto__": {}},
        {"arguments": given},
        {"input": json.dumps(given)},
        dict(list(given.items())[1:]),
    )
    return case.first_call(arguments=case.rng.choice(bent))


def hostile_arguments(case: Case) -> Reply:
    """Texts that would be paths, commands or controls where somebody believed them."""
    odd = case.rng.choice(HOSTILE)
    given = _arguments(case)
    return case.first_call(
        arguments={name: odd if isinstance(value, str) else value for name, value in given.items()} or {"path": odd}
    )


def odd_numbers(case: Case) -> Reply:
    """NaN, Infinity, huge and negative numbers where numbers are."""
    odd = case.rng.choice(("NaN", "Infinity", "-1e308", "1e999", "9" * 400, "-1", "0.1"))
    given = {name: "@odd@" if isinstance(value, int | float) else value for name, value in _arguments(case).items()}
    given = given if "@odd@" in given.values() else {**given, "count": "@odd@"}
    return case.first_call(arguments=json.dumps(given).replace('"@odd@"', odd))


def _arguments(case: Case) -> dict[str, Any]:
    try:
        given = json.loads(case.calls[0].text)
    except ValueError:
        return {}
    return given if isinstance(given, dict) else {}


def _other(value: Any) -> Any:
    if isinstance(value, bool):
        return "perhaps"
    if isinstance(value, str):
        return {"value": value}
    if isinstance(value, int | float):
        return "many"
    return 7


def unknown_tool(case: Case) -> Reply:
    """A tool that was never offered, or a name that no tool may have."""
    return case.first_call(name=case.rng.choice(OTHER))


def duplicate_ids(case: Case) -> Reply:
    """Calls with one id: the same call twice, or two different ones."""
    first = replace(case.calls[0], id="call_1")
    other = Call(first.name, {"query": "something else"}, "call_1") if case.rng.random() < 0.5 else first
    return case.right.but(content=None, calls=(first, other, *case.calls[1:]))


def same_call_twice(case: Case) -> Reply:
    """The same call many times, each with its own id."""
    return case.right.but(content=None, calls=(replace(case.calls[0], id=None),) * case.rng.randint(2, 6))


def old_id(case: Case) -> Reply:
    """An id that an earlier call of the conversation has."""
    used = [call["id"] for message in case.seen.messages for call in message.get("tool_calls") or ()]
    return case.first_call(id=used[-1] if used else "call_00010000")


def odd_ids(case: Case) -> Reply:
    """Ids that are empty, very long, or have controls in them."""
    return case.first_call(id=case.rng.choice(("", " ", "x" * 5_000, "call\n1", "\x1b[31m", "../1", "'; --")))


def no_id(case: Case) -> Reply:
    """Calls without the field."""
    made = case.first_call(id="gone")

    def edit(whole: dict[str, Any]) -> dict[str, Any]:
        for choice in whole["choices"]:
            message = choice.get("message") or choice.get("delta") or {}
            for call in message.get("tool_calls") or ():
                call.pop("id", None)
        return whole

    return made.but(edit=edit)


def arguments_as_object(case: Case) -> Reply:
    """Arguments as an object instead of text, as some servers send them."""
    given = _arguments(case)

    def edit(whole: dict[str, Any]) -> dict[str, Any]:
        for choice in whole["choices"]:
            for call in (choice.get("message") or choice.get("delta") or {}).get("tool_calls") or ():
                call["function"]["arguments"] = given
        return whole

    return case.first_call().but(edit=edit)


def many_calls(case: Case, *, count: int = 200) -> Reply:
    """So many calls at once."""
    return case.right.but(content=None, calls=tuple(replace(case.calls[0], id=None) for _ in range(count)))


def ignores_tool_choice(case: Case) -> Reply:
    """Words where a call was demanded; a call where none was allowed."""
    if case.right.calls:
        return case.says("I would rather talk about it.")
    return case.right.but(content=None, calls=case.calls)


def call_and_words(case: Case) -> Reply:
    """Content beside the calls."""
    return case.right.but(content="Let me see. " + case.content, calls=case.calls)


def call_in_words(case: Case) -> Reply:
    """A call that stands in the text, where it is none."""
    call = case.calls[0]
    form = case.rng.choice(('<tool_call>{{"name": "{0}", "arguments": {1}}}</tool_call>', "{0}({1})",
                            "Action: {0}\nAction Input: {1}", '{{"name": "{0}", "parameters": {1}}}'))  # fmt: skip
    return case.says(form.format(call.name, call.text))


def call_without_reason(case: Case) -> Reply:
    """Calls under another finish_reason."""
    return case.first_call().but(finish=case.rng.choice(("stop", "length", "content_filter", "function_call")))


def truncated_arguments(case: Case) -> Reply:
    """Arguments cut off by max_tokens."""
    text = case.calls[0].text
    return case.first_call(arguments=text[: max(1, len(text) // 2)]).but(finish="length")


def deep_arguments(case: Case, *, levels: int = 20_000) -> Reply:
    """Arguments of so many brackets."""
    return case.first_call(arguments='{"a":' * levels + "1" + "}" * levels)


def huge_arguments(case: Case, *, size: int = 10_000_000) -> Reply:
    """Arguments of so many bytes."""
    return case.first_call(arguments=json.dumps({**_arguments(case), "text": "x" * size}))


KINDS: Mapping[str, Callable[..., Reply]] = {
    made.__name__: made
    for made in (
        malformed_arguments, wrong_argument_types, wrong_argument_names, hostile_arguments, odd_numbers, unknown_tool,
        duplicate_ids, same_call_twice, old_id, odd_ids, no_id, arguments_as_object, many_calls, ignores_tool_choice,
        call_and_words, call_in_words, call_without_reason, truncated_arguments, deep_arguments, huge_arguments,
    )
}  # fmt: skip
