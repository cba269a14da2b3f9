"""Bad replies of a model, one after the other, through the real agent: each turn ends well, and so does the next."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from agent.context import AgentContext, RunOptions
from agent.functions.table import FunctionTable
from agent.wiring import create_agent, create_context
from configs.settings import Settings
from evals.peer import Peer, Seen, bad_replies
from evals.peer.minds import samples
from knowledge.passage import Passage
from tools.functions import Function

FULL = bool(os.environ.get("STUDIO_FULL"))
COUNT = 1_000 if FULL else 120
PER_TURN = 5
"""Bad replies that stand in a row for one turn: more than the planner asks for, so that none of it is right."""
REQUESTS = (
    "make a beach scene with Luca and Alberto",
    "who is Luca?",
    "surprise me with something at the harbour with Luca",
    "how do I light a night scene?",
    "make a scene with Giulia in the kitchen, she says: Buongiorno!",
)


@dataclass
class Ran:
    """What was run, and what was let through that should not have been."""

    calls: list[tuple[str, str]] = field(default_factory=list)
    invalid: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with Peer(seed=17) as one, pytest.MonkeyPatch.context() as patch:
        patch.setenv("STUDIO_LLM_BASE_URL", one.url)
        # Waits between attempts are the wire's own and are tested there.
        patch.setattr("agent.chat_models.wire.ATTEMPTS", 1)
        yield one


class NoKnowledge:
    """Nothing is found, at once."""

    remarks: tuple[str, ...] = ()

    def retrieve(self, query: str, **_: Any) -> list[Passage]:
        """Nothing."""
        return []


def context(tmp_path: Path, strategy: str = "") -> AgentContext:
    settings = Settings(productions=tmp_path, primary="server/tiny-random", model_timeout_s=1.5, turn_seconds=20.0)
    made = create_context(settings, options=RunOptions(plan_only=True, strategy=strategy))
    return replace(made, retriever=NoKnowledge())


def watch(ran: Ran, patch: pytest.MonkeyPatch) -> None:
    """Write down what is carried out, and whether it was valid and new in its turn."""
    begin, carry = FunctionTable.__init__, FunctionTable._carried_out

    def made(self: Any, *args: Any, **named: Any) -> None:
        begin(self, *args, **named)
        self.seen_by_test = set()

    def carried(self: Any, known: Function[Any], asked: Any, values: dict[str, Any]) -> Any:
        key = (known.name, known.canonical(values), self._epoch if known.scene else 0)
        if known.name not in self.allowed:
            ran.invalid.append(f"not allowed: {known.name}")
        if key in self.seen_by_test:
            ran.invalid.append(f"twice: {key}")
        try:
            known.read(values)
        except Exception as error:
            ran.invalid.append(f"invalid: {known.name} {values}: {error}")
        self.seen_by_test.add(key)
        ran.calls.append(key[:2])
        return carry(self, known, asked, values)

    patch.setattr(FunctionTable, "__init__", made)
    patch.setattr(FunctionTable, "_carried_out", carried)


def turns(count: int, tmp_path: Path, peer: Peer, seed: int = 7) -> tuple[Counter[str], Ran, list[str]]:
    """Bad replies in rows of `PER_TURN`, each row a turn; what ended how, what was run, what went wrong."""
    bad, ended, problems, ran = bad_replies(count, seed=seed), Counter[str](), [], Ran()
    rng = Random(seed)
    with pytest.MonkeyPatch.context() as patch:
        watch(ran, patch)
        for at in range(0, count, PER_TURN):
            peer.reset()
            peer.script(*bad[at : at + PER_TURN])
            number = at // PER_TURN
            ctx = context(tmp_path / str(number), rng.choice(("", "", "react", "tree_of_thoughts")))
            before = len(ran.calls)
            try:
                state = create_agent(context=ctx, checkpointer=False).invoke(
                    {"messages": REQUESTS[number % len(REQUESTS)]}, context=ctx
                )
            except Exception as error:
                problems.append(f"{[one.kind for one in bad[at : at + PER_TURN]]}: {type(error).__name__}: {error}")
                continue
            ended[state["intent"].kind] += 1
            spending = ctx.turn(state).spending
            if not state["messages"][-1].text.strip():
                problems.append(f"nothing was said in turn {number}")
            if state["intent"].kind == "scene" and state.get("storyboard") is None:
                problems.append(f"no storyboard in turn {number}")
            if spending.used_steps > 40 or len(ran.calls) - before > 25:
                problems.append(f"turn {number}: {spending.used_steps} steps, {len(ran.calls) - before} calls")
    return ended, ran, problems


def test_bad_replies_end_no_turn_and_run_no_bad_call(
    peer: Peer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ended, ran, problems = turns(COUNT, tmp_path, peer)
    with capsys.disabled():
        told = {"bad replies": COUNT, "turns": ended.total(), "problems": len(problems)}
        print(f"\n{told}, calls run: {len(ran.calls)}, invalid or twice: {len(ran.invalid)}")
    assert problems == []
    assert ran.invalid == []
    assert ended.total() == COUNT // PER_TURN
    # The next turn, with a model that is well again, works.
    peer.reset()
    ctx = context(tmp_path / "next")
    state = create_agent(context=ctx, checkpointer=False).invoke({"messages": REQUESTS[0]}, context=ctx)
    assert state["storyboard"] is not None
    assert any(one.source.startswith("server/") for one in ctx.turn(state).thoughts)


def test_a_model_that_never_stops_calling_is_ended(peer: Peer, tmp_path: Path) -> None:
    peer.reset()

    def calling(seen: Seen) -> Any:
        if not seen.tools:
            return None
        found = samples(seen, peer.sampler, Random(seen.number))
        from evals.peer import Call

        name = sorted(seen.tools)[seen.number % len(seen.tools)]
        calls = tuple(Call(name, {"query": f"harbour {seen.number} {at}"}, id="same") for at in range(9))
        return found.but(content=None, calls=calls)

    peer.script(calling, times=None)
    ctx = context(tmp_path, "react")
    state = create_agent(context=ctx, checkpointer=False).invoke({"messages": REQUESTS[3]}, context=ctx)
    assert ctx.turn(state).spending.used_steps <= 40
    notes = [one for one in ctx.turn(state).thoughts if one.label == "react"]
    assert notes
    assert notes[-1].data["calls"] <= 25
    assert state["messages"][-1].text.strip()


def test_without_validation_bad_calls_are_run(peer: Peer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: arguments are taken as they come, and nothing is looked up in the record."""
    import json

    def read(_self: Any, raw: Any) -> dict[str, Any]:
        try:
            found = json.loads(raw) if isinstance(raw, str) else raw
        except ValueError:
            found = {"query": str(raw)}
        return found if isinstance(found, dict) else {"query": str(found)}

    def carried(self: Any, known: Any, asked: Any, values: Any) -> Any:
        from agent.functions.observation import Observation

        self.carried.append((known.name, json.dumps(values, sort_keys=True, default=str), good(known, values)))
        return Observation(asked.id, asked.name, True, "Done.", ran=True)

    honest = Function.read

    def good(known: Any, values: Any) -> bool:
        try:
            honest(known, values)
        except Exception:
            return False
        return True

    everything: list[tuple[str, str, bool]] = []
    monkeypatch.setattr(FunctionTable, "carried", everything, raising=False)
    monkeypatch.setattr(FunctionTable, "_carried_out", carried)
    monkeypatch.setattr(FunctionTable, "_recorded", lambda *_: None)
    monkeypatch.setattr(Function, "read", read)
    monkeypatch.setattr("agent.strategies.policy.Policy.guard", lambda _self, _function, values: values)
    bad = [
        one for one in bad_replies(600, seed=3) if "argument" in one.kind or "call" in one.kind or "tool" in one.kind
    ]
    for number in range(12):
        peer.reset()
        peer.script(*bad[number * PER_TURN : (number + 1) * PER_TURN])
        ctx = context(tmp_path / str(number), "react")
        create_agent(context=ctx, checkpointer=False).invoke({"messages": REQUESTS[3]}, context=ctx)
    assert any(not valid for _, _, valid in everything), "calls with wrong arguments are run"
