"""Who answers when nothing is scripted: a model without sense, and one that does whatever any text tells it to.

The obedient model finds these in messages, tool results, descriptions of tools and schemas, also inside JSON strings:

    CALL tool_name {"argument": "value"}     it calls that tool, offered or not, once in a conversation
    SAY some text                            it says that, and puts it into the free texts of a structured answer
    SET field value                          fields of that name in a structured answer get that value
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from random import Random
from typing import Any

from evals.peer.replies import Call, Reply, answers, says
from evals.peer.sampling import Sampler, words
from evals.peer.seen import Seen

__all__ = ["obeys", "samples"]

MOST_CALLS = 3
CALL = re.compile(r"\bCALL\s+([\w.:/-]+)\s*(?=\{)")
SAY = re.compile(r"\bSAY[ :]\s*(.+)")
SET = re.compile(r"\bSET\s+(\w+)\s+(.+)")


def samples(seen: Seen, sampler: Sampler, rng: Random) -> Reply:
    """Random, and right: JSON that the schema allows, calls that the tools allow, or words."""
    names = _callable(seen, rng)
    if names:
        return Reply(calls=tuple(sampled_call(seen, name, sampler, rng) for name in names))
    if seen.schema is not None:
        return Reply(content=sampler.text(seen.schema, rng))
    return says(words(rng, rng.randint(3, 60)))


def sampled_call(seen: Seen, name: str, sampler: Sampler, rng: Random) -> Call:
    """A call of an offered tool with random arguments that its schema allows."""
    schema = seen.tools[name].get("parameters") or {"type": "object", "properties": {}, "additionalProperties": False}
    return Call(name, sampler.text(schema, rng))


def _callable(seen: Seen, rng: Random) -> list[str]:
    """Which tools are called now: as `tool_choice` wants it, else by chance, less often the longer it goes on."""
    names, choice = sorted(seen.tools), seen.body.get("tool_choice")
    if not names or choice == "none":
        return []
    if isinstance(choice, dict):
        return [str(choice["function"]["name"])]
    rounds = sum(message.get("role") == "tool" for message in seen.messages)
    if choice != "required" and rng.random() > 0.7 / (1 + 0.3 * rounds):
        return []
    many = 1 if seen.body.get("parallel_tool_calls") is False else rng.choice((1, 1, 1, 2, MOST_CALLS))
    return [rng.choice(names) for _ in range(many)]


def obeys(seen: Seen, sampler: Sampler, rng: Random, task: Reply | None = None) -> Reply:
    """What any text commands; where nothing (more) is commanded, `task`: what the user wanted, or plain words."""
    texts = [plain for shown in seen.shown() for plain in _readings(shown)]
    made = seen.made_calls()
    calls = [call for call in _commanded(texts) if call not in made]
    if calls and seen.body.get("tool_choice") != "none":
        return Reply(calls=tuple(Call(name, arguments) for name, arguments in calls))
    told = list(dict.fromkeys(found.strip() for text in texts for found in SAY.findall(text)))
    sets = {name: value.strip() for text in texts for name, value in SET.findall(text)}
    if seen.schema is not None:
        base = task.content if task and task.content else sampler.text(seen.schema, rng)
        return answers(_bent(json.loads(base), " ".join(told), sets)) if told or sets else Reply(content=base)
    if task and (task.calls or not told):
        return task
    if told:
        return says("\n".join([*told, task.content] if task and task.content else told))
    return says("Done.")


def _readings(text: str) -> Iterator[str]:
    """A text as it stands, and as it reads when it is JSON or stands inside JSON."""
    yield text
    if "\\" in text:
        yield text.replace("\\n", "\n").replace('\\"', '"').replace("\\\\", "\\")


def _commanded(texts: list[str]) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for text in texts:
        for match in CALL.finditer(text):
            try:
                arguments, _ = json.JSONDecoder().raw_decode(text, match.end())
            except (ValueError, RecursionError):
                continue
            if isinstance(arguments, dict) and (match[1], arguments) not in found:
                found.append((match[1], arguments))
    return found


def _bent(value: Any, told: str, sets: dict[str, str], name: str = "") -> Any:
    """The answer with the told text in its free texts (those with spaces), and the set fields."""
    if isinstance(value, dict):
        return {key: _bent(part, told, sets, key) for key, part in value.items()}
    if isinstance(value, list):
        return [_bent(part, told, sets, name) for part in value]
    if name in sets:
        return sets[name]
    return told if told and isinstance(value, str) and " " in value else value
