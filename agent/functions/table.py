"""The functions that a model may call in one turn, and the rules they are called by. The rules stand outside the model.

    table = FunctionTable(functions, desk, allowed=frozenset({"search_knowledge", "plan_scene"}))
    step = model.step(messages, table.schemas(), label="react")
    messages += table.answer(step.text, step.calls)

- `allowed` is fixed when the table is made, before any foreign text is read: a call of anything else is refused and
  told, never run, whoever asks for it.
- Every id is answered exactly once. A call without an id gets one; of two calls with one id in the same answer only the
  first is run; an id that comes again in a later answer is renamed. `answer` writes the ids as they were answered.
- A call that is identical to one of this turn (same name, same arguments after coercion) is answered from the record.
  Where the storyboard was changed after it, functions that depend on it are asked again.
- `guard` sees the arguments of every call before it is run: it narrows them or refuses the call. It knows the user's
  own words and no foreign text.
- At most `limit` calls are run in a turn; the calls of one answer are run in order, one after the other.
- What a model sent is coerced by stated rules (`tools.functions.coercion`) or refused in one line that says what to do.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Generic, TypeVar

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage

from agent.functions.observation import LONGEST, Observation, clean_text, observe
from configs.yaml_file import YamlProblem
from tools.errors import Cancelled, ToolError
from tools.functions.function import Function

__all__ = ["CallRecord", "FunctionTable", "asked_calls"]

MOST_IN_ONE_ANSWER = 64
"""Calls of one answer that are looked at; more are dropped from the conversation, and it is said."""
_LONGEST_ID = 64
_ID = re.compile(r"[^A-Za-z0-9_.:|-]+")
_NOT_NAME = re.compile(r"[^a-zA-Z0-9_-]+")

ContextT = TypeVar("ContextT")
Guard = Callable[[Function[Any], dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True)
class CallRecord:
    """One call that was run in this turn.

    Attributes:
        name: of the function.
        arguments: canonical JSON.
        observation: what came of it.
        epoch: how often the storyboard had been changed when it was over.
    """

    name: str
    arguments: str
    observation: Observation
    epoch: int


@dataclass(frozen=True)
class _Asked:
    """A call as a model asked for it, of whatever shape it came in."""

    id: str
    name: str
    raw: Any


class FunctionTable(Generic[ContextT]):
    """Runs what a model asks for in one turn, within the rules of this module.

    Args:
        functions: every function there is; of those not allowed the model only learns that they may not be called.
        context: what they are handed.
        allowed: names that may be called in this turn.
        guard: is handed the function and its arguments; returns those that it is called with, or raises a `ToolError`.
        limit: calls that may be run in this turn.
        root: paths are shown from there.
        longest: characters of an observation.
        tell: hears of each call: `{"node": "function", "name", "status", "text"}`.
    """

    def __init__(
        self,
        functions: Iterable[Function[ContextT]],
        context: ContextT,
        *,
        allowed: frozenset[str],
        guard: Guard | None = None,
        limit: int = 25,
        root: Path | None = None,
        longest: int = LONGEST,
        tell: Callable[[dict[str, Any]], None] = lambda _event: None,
    ) -> None:
        self.functions = {one.name: one for one in functions}
        self.context = context
        self.allowed = frozenset(allowed)
        self.guard = guard
        self.limit = limit
        self.root = root.resolve() if root is not None else None
        self.longest = longest
        self.records: list[CallRecord] = []
        self._tell = tell
        self._used_ids: set[str] = set()
        self._epoch = 0
        self._last: list[tuple[_Asked, Observation]] = []

    @property
    def left(self) -> int:
        """Calls that may still be run in this turn."""
        return max(0, self.limit - len(self.records))

    def schemas(self, *, strict: bool = False) -> list[dict[str, Any]]:
        """The allowed functions in OpenAI's format, in a fixed order; none once the limit is reached."""
        if not self.left:
            return []
        return [one.schema(strict=strict) for name, one in self.functions.items() if name in self.allowed]

    def run(self, calls: Iterable[Any], invalid: Iterable[Any] = ()) -> list[Observation]:
        """Carry out the calls of one answer, in order; one observation a call, also for those that are refused.

        Of more than `MOST_IN_ONE_ANSWER` calls the rest is left out, as if it had not been asked for; the last
        observation says so.

        Args:
            calls: `agent.chat_models.base.ToolCall`, langchain's or OpenAI's dicts.
            invalid: langchain's `invalid_tool_calls`: read once more, or refused with the reason.

        Raises:
            Cancelled: a person stopped the turn.
        """
        asked = asked_calls([*calls, *invalid])
        self._last = []
        answered: set[str] = set()
        for one in asked[:MOST_IN_ONE_ANSWER]:
            twice = bool(one.id) and one.id in answered
            named = replace(one, id=self._own_id(one.id))
            answered.add(one.id)
            observation = self._twice(named) if twice else self._one(named)
            if len(self._last) == MOST_IN_ONE_ANSWER - 1 and len(asked) > MOST_IN_ONE_ANSWER:
                told = f"{observation.text}\n{len(asked) - MOST_IN_ONE_ANSWER} more calls were not looked at."
                observation = replace(observation, text=told)
            self._last.append((named, observation))
            status = "done" if observation.ok else "refused" if not observation.ran else "failed"
            self._tell({"node": "function", "name": named.name, "status": status, "text": observation.text[:300]})
        return [observation for _, observation in self._last]

    def messages(self) -> list[ToolMessage]:
        """The observations of the last `run` as messages: each id exactly once, in the order of the calls."""
        return [
            ToolMessage(
                content=_told(observation),
                tool_call_id=observation.call_id,
                name=_api_name(observation.name),
                status="success" if observation.ok else "error",
            )
            for _, observation in self._last
        ]

    def answer(self, text: str, calls: Iterable[Any], invalid: Iterable[Any] = ()) -> list[BaseMessage]:
        """Run the calls of one answer; what belongs into the conversation: the answer with settled ids, then results.

        Raises:
            Cancelled: as `run`.
        """
        self.run(calls, invalid)
        settled = [
            {"name": _api_name(asked.name), "args": _history_arguments(asked.raw), "id": asked.id, "type": "tool_call"}
            for asked, _ in self._last
        ]
        words = clean_text(text, self.longest * 2)
        return [AIMessage(content=words, tool_calls=settled), *self.messages()]

    # -- one call ---------------------------------------------------------------------------------------------------

    def _own_id(self, given: str) -> str:
        """An id that no call of this turn has."""
        base = _ID.sub("_", given)[:_LONGEST_ID] or f"call_{len(self._used_ids) + 1}"
        found, number = base, 1
        while found in self._used_ids:
            number += 1
            found = f"{base[: _LONGEST_ID - 5]}_{number}"
        self._used_ids.add(found)
        return found

    def _one(self, asked: _Asked) -> Observation:
        known = self.functions.get(asked.name)
        if known is None:
            return self._refused(asked, "UnknownFunction", self._nearest(asked.name))
        if asked.name not in self.allowed:
            told = f"{asked.name} may not be called in this turn. {self._there_are()}"
            return self._refused(asked, "NotAllowed", told)
        try:
            values = known.read(asked.raw)
            if self.guard is not None:
                values = self.guard(known, values)
            arguments = known.canonical(values)
        except ToolError as error:
            told = f"{asked.name} was not called: {str(error).rstrip('.')}. Send the call again with that put right."
            return self._refused(asked, type(error).__name__, told)
        before = self._recorded(known, arguments)
        if before is not None:
            told = f"This call was made before in this turn and was not made again; it gave:\n{before.text}"
            return replace(before, call_id=asked.id, text=clean_text(told, self.longest), replayed=True, ran=False)
        if not self.left:
            told = f"The {self.limit} calls of this turn are used up. Answer with what you have."
            return self._refused(asked, "LimitReached", told)
        observation = self._carried_out(known, asked, values)
        self.records.append(CallRecord(asked.name, arguments, observation, self._epoch))
        return observation

    def _carried_out(self, known: Function[ContextT], asked: _Asked, values: dict[str, Any]) -> Observation:
        self._tell({"node": "function", "name": asked.name, "status": "running", "text": ""})
        try:
            answer = known.call(self.context, values)
        except Cancelled:
            raise
        except ToolError as error:
            kind, retryable, told = type(error).__name__, error.retryable, str(error)
        except YamlProblem as error:
            kind, retryable, told = "InvalidInput", False, str(error)
        else:
            self._epoch += answer.changed
            answer = replace(answer, text=self._nearer(answer.text))
            return observe(asked.id, asked.name, answer, root=self.root, longest=self.longest)
        again = " The same call may work later." if retryable else ""
        text = clean_text(f"{asked.name} failed: {self._nearer(told)}{again}", self.longest)
        return Observation(asked.id, asked.name, False, text, error=kind, retryable=retryable, ran=True)

    def _recorded(self, known: Function[ContextT], arguments: str) -> Observation | None:
        for record in reversed(self.records):
            if record.name == known.name and record.arguments == arguments:
                return None if known.scene and record.epoch != self._epoch else record.observation
        return None

    # -- refusals ---------------------------------------------------------------------------------------------------

    def _refused(self, asked: _Asked, kind: str, told: str) -> Observation:
        return Observation(asked.id, asked.name, False, clean_text(self._nearer(told), self.longest), error=kind)

    def _twice(self, asked: _Asked) -> Observation:
        told = (
            "Another call of the same answer has the same id; this one was not made. Give each call an id of its own."
        )
        return self._refused(asked, "DuplicateId", told)

    def _nearest(self, name: str) -> str:
        may = [one for one in self.functions if one in self.allowed]
        close = get_close_matches(name[:100], may, n=1, cutoff=0.5)
        meant = f" Did you mean {close[0]!r}?" if close else ""
        return f"There is no function {clean_text(name, 80)!r}.{meant} {self._there_are()}"

    def _there_are(self) -> str:
        may = [one for one in self.functions if one in self.allowed]
        return f"You may call: {', '.join(may) or 'nothing'}."

    def _nearer(self, text: str) -> str:
        """Without the way to our folders."""
        return text.replace(f"{self.root}{os.sep}", "") if self.root is not None else text


def asked_calls(calls: Sequence[Any]) -> list[_Asked]:
    """Calls of any of the shapes they come in; what is no call at all is a call of nothing, and so refused."""
    return [_asked(one) for one in calls]


def _asked(call: Any) -> _Asked:
    if isinstance(call, dict):
        inner = call.get("function")
        source: dict[str, Any] = inner if isinstance(inner, dict) else call
        raw = source.get("args", source.get("arguments"))
        found, name = call.get("id"), source.get("name")
    else:
        raw = getattr(call, "arguments", None)
        found, name = getattr(call, "id", None), getattr(call, "name", None)
    return _Asked(found if isinstance(found, str) else "", name if isinstance(name, str) else "", raw)


def _told(observation: Observation) -> str:
    files = [f"{one.label}: {one.path}" + (f" (key {one.key})" if one.key else "") for one in observation.artifacts]
    return "\n".join([observation.text, *(["Files:", *files[:40]] if files else [])]) or "Done."


def _api_name(name: str) -> str:
    """A name that servers take in a conversation; an unknown one is shown as near to what was sent as they allow."""
    return _NOT_NAME.sub("_", name).strip("_")[:64] or "unknown"


def _history_arguments(raw: Any) -> dict[str, Any]:
    """The arguments as they stand in the conversation: servers choke on those that are no JSON."""
    from tools.functions.coercion import read_arguments

    try:
        found = read_arguments(raw)
        json.dumps(found, allow_nan=False)
    except (ToolError, ValueError, TypeError, RecursionError):
        return {"unreadable": clean_text(raw if isinstance(raw, str) else type(raw).__name__, 300)}
    return found if len(str(found)) <= 20_000 else {"unreadable": "too long to be kept"}
