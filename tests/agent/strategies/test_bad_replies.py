"""Bad replies of a model through the real agent: each turn ends well, runs no bad call, and so does the next turn."""

from __future__ import annotations

import json
import os
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from agent.context import AgentContext, RunOptions
from agent.functions.observation import Observation
from agent.functions.table import FunctionTable
from agent.strategies.base import STRATEGIES
from agent.wiring import create_agent, create_context
from configs.settings import Settings
from evals.peer import Bad, Call, Peer, Reply, Seen, bad_replies
from evals.peer.faults_calls import KINDS as OF_CALLS
from knowledge.passage import Passage
from tools.functions import Function

FULL = bool(os.environ.get("STUDIO_FULL"))
COUNT = 1_000 if FULL else 120
SEED = int(os.environ.get("STUDIO_SEED", "7"))
STEPS, CALLS = 40, 25
ROW = 12
"""Bad replies in a row at most; a turn that is longer than its row is answered well from then on."""
NEXT = 5 if FULL else 12
"""After every so many turns, the conversation goes on with a model that is well again."""
SCENES = (
    "make a beach scene with Luca and Alberto",
    "surprise me with something at the harbour with Luca",
    "make a scene with Giulia in the kitchen, she says: Buongiorno!",
    "a film about jealousy, 20 seconds, then make a picture of Luca at night",
)
QUESTIONS = ("who is Luca?", "how do I light a night scene?", "come si disegna un porto di notte?")
AFTER = "make a funny scene about a lost umbrella at the harbour with Giulia"
GOALS = "make a beach scene with Luca, and then make a scene at the harbour with Giulia"
HONEST = Function.read


@dataclass
class Ran:
    """What was run, and what was let through that should not have been."""

    calls: list[tuple[str, str]] = field(default_factory=list)
    invalid: list[str] = field(default_factory=list)


@dataclass
class Feed:
    """Gives bad replies to whoever asks, each once: those with calls mostly to who offers functions."""

    bad: list[Bad]
    rng: Random
    row: int = 0
    given: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.calls = deque(one for one in self.bad if one.kind in OF_CALLS)
        self.others = deque(one for one in self.bad if one.kind not in OF_CALLS)

    @property
    def left(self) -> int:
        """How many are not yet given."""
        return len(self.calls) + len(self.others)

    def __call__(self, seen: Seen) -> Bad | None:
        """The next for this request; None where the row is over: then the peer answers well."""
        if self.row <= 0:
            return None
        self.row -= 1
        wanted = (
            (self.calls, self.others) if bool(seen.tools) == (self.rng.random() < 0.8) else (self.others, self.calls)
        )
        for queue in wanted:
            if queue:
                one = queue.popleft()
                self.given[one.kind] += 1
                return one
        return None

    def next_row(self) -> tuple[str, str]:
        """Begin a row; the request and the strategy that suit what is left."""
        self.row = self.rng.choice((1, 2, 4, ROW, ROW))
        if len(self.calls) > len(self.others) or self.rng.random() < 0.4:
            return self.rng.choice(QUESTIONS), self.rng.choice(("", "react"))
        return self.rng.choice(SCENES), self.rng.choice(("", *STRATEGIES, "react"))


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with Peer(seed=17) as one, pytest.MonkeyPatch.context() as patch:
        patch.setenv("STUDIO_LLM_BASE_URL", one.url)
        # Waits between attempts are the wire's own and are tested there.
        patch.setattr("agent.chat_models.wire.ATTEMPTS", 1)
        yield one


class NoKnowledge:
    """Nothing is found, at once."""

    remarks: Sequence[str] = ()

    def retrieve(self, query: str, **_: Any) -> list[Passage]:
        """Nothing."""
        return []


def context(tmp_path: Path, strategy: str = "") -> AgentContext:
    settings = Settings(productions=tmp_path, primary="server/tiny-random", model_timeout_s=2.5, turn_seconds=30.0)
    made = create_context(settings, options=RunOptions(plan_only=True, strategy=strategy))
    return replace(made, retriever=NoKnowledge())


def watch(ran: Ran, patch: pytest.MonkeyPatch, *, run: bool = True) -> None:
    """Write down what is carried out, and whether it was valid and new in its turn."""
    begin, carry = FunctionTable.__init__, FunctionTable._carried_out

    def made(self: Any, *args: Any, **named: Any) -> None:
        begin(self, *args, **named)
        self.seen_by_test = set()

    def carried(self: Any, known: Function[Any], asked: Any, values: dict[str, Any]) -> Any:
        key = (known.name, as_text(known, values), self._epoch if known.scene else 0)
        if known.name not in self.allowed:
            ran.invalid.append(f"not allowed: {known.name}")
        if key in self.seen_by_test:
            ran.invalid.append(f"twice: {key}"[:300])
        try:
            HONEST(known, values)
        except Exception as error:
            ran.invalid.append(f"invalid: {known.name} {values}: {error}"[:300])
        self.seen_by_test.add(key)
        ran.calls.append(key[:2])
        return carry(self, known, asked, values) if run else Observation(asked.id, asked.name, True, "Done.", ran=True)

    patch.setattr(FunctionTable, "__init__", made)
    patch.setattr(FunctionTable, "_carried_out", carried)


def as_text(known: Function[Any], values: dict[str, Any]) -> str:
    try:
        return known.canonical(values)
    except (ValueError, TypeError, RecursionError):
        return repr(values)[:500]


@dataclass
class Told:
    """What came of many turns."""

    ended: Counter[str] = field(default_factory=Counter)
    strategies: Counter[str] = field(default_factory=Counter)
    next_turns: int = 0
    most_steps: int = 0
    most_calls: int = 0
    problems: list[str] = field(default_factory=list)


def turns(feed: Feed, tmp_path: Path, peer: Peer, ran: Ran) -> Told:
    """Turns until every bad reply was given: each is looked at, and now and then the conversation goes on."""
    told, number = Told(), 0
    while feed.left and number < 3 * len(feed.bad):
        number += 1
        asked, strategy = feed.next_row()
        ctx = context(tmp_path / str(number), strategy)
        agent = create_agent(context=ctx, checkpointer=InMemorySaver())
        told.strategies[strategy or "by rules"] += 1
        peer.reset().script(feed, times=None)
        if one_turn(agent, ctx, asked, f"turn {number}", ran, told) is None:
            continue
        if number % NEXT == 0:
            peer.reset()
            told.next_turns += 1
            state = one_turn(agent, ctx, AFTER, f"after turn {number}", ran, told)
            if state is None or not peer.requests or state["intent"].kind != "scene":
                told.problems.append(f"after turn {number}: {len(peer.requests)} requests, {state and state['intent']}")
    return told


def one_turn(agent: Any, ctx: AgentContext, asked: str, name: str, ran: Ran, told: Told) -> Any:
    """A turn, and whether it kept to its bounds; None where something was not handled."""
    before = len(ran.calls)
    try:
        state = agent.invoke({"messages": asked}, {"configurable": {"thread_id": "t"}}, context=ctx)
    except Exception as error:
        told.problems.append(f"{name}, {asked!r}: {type(error).__name__}: {error}")
        return None
    told.ended[state["intent"].kind] += 1
    steps, calls = ctx.turn(state).spending.used_steps, len(ran.calls) - before
    told.most_steps, told.most_calls = max(told.most_steps, steps), max(told.most_calls, calls)
    if steps > STEPS or calls > CALLS:
        told.problems.append(f"{name}: {steps} steps, {calls} calls")
    if not state["messages"][-1].text.strip():
        told.problems.append(f"{name}: nothing was said")
    if state["intent"].kind == "scene" and state.get("storyboard") is None:
        told.problems.append(f"{name}: no storyboard")
    return state


def test_bad_replies_end_no_turn_and_run_no_bad_call(
    peer: Peer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    feed, ran = Feed(bad_replies(COUNT, seed=SEED), Random(SEED)), Ran()
    with pytest.MonkeyPatch.context() as patch:
        watch(ran, patch)
        told = turns(feed, tmp_path, peer, ran)
    with capsys.disabled():
        print(
            f"\nbad replies given: {feed.given.total()} of {len(feed.given)} kinds in {told.ended.total()} turns "
            f"{dict(told.ended)}, strategies {dict(told.strategies)}; problems {len(told.problems)}; calls run "
            f"{len(ran.calls)}, invalid or twice {len(ran.invalid)}; at most {told.most_steps} steps and "
            f"{told.most_calls} calls a turn; next turns {told.next_turns}"
        )
    assert feed.given.total() == COUNT, "every one of them was given"
    assert told.problems == []
    assert ran.invalid == []
    assert told.next_turns > 0
    assert len(ran.calls) > COUNT // 20, "functions are called in between, or nothing would be shown by this"


def test_a_model_that_never_stops_calling_is_ended(peer: Peer, tmp_path: Path) -> None:
    ran = Ran()
    peer.reset().script(endless_calls, times=None)
    for number, (asked, strategy) in enumerate([(QUESTIONS[1], "react"), (SCENES[3], "react")]):
        ctx, told = context(tmp_path / str(number), strategy), Told()
        with pytest.MonkeyPatch.context() as patch:
            watch(ran, patch)
            one_turn(create_agent(context=ctx, checkpointer=InMemorySaver()), ctx, asked, asked, ran, told)
        assert told.problems == []
        assert told.most_calls >= CALLS - 5, "it did call as often as it may"
    assert ran.invalid == []


def test_a_turn_of_several_goals_has_one_limit_of_calls(peer: Peer, tmp_path: Path) -> None:
    """The broken twin: with a limit that begins anew at each goal, a turn runs more."""
    calls = {}
    for kept in (True, False):
        ran, ctx, told = Ran(), context(tmp_path / str(kept), "react"), Told()
        peer.reset().script(endless_calls, times=None)
        with pytest.MonkeyPatch.context() as patch:
            watch(ran, patch)
            if not kept:
                patch.setattr("agent.turns.Spending.used_calls", property(lambda _: 0, lambda *_: None))
            agent = create_agent(context=ctx, checkpointer=InMemorySaver())
            one_turn(agent, ctx, GOALS, "", ran, told)
        calls[kept] = told.most_calls
    assert calls[True] <= CALLS < calls[False]


def endless_calls(seen: Seen) -> Reply | None:
    """Nine different calls in each answer, all with one id in one of three."""
    if not seen.tools:
        return None
    name = "search_knowledge" if "search_knowledge" in seen.tools else sorted(seen.tools)[0]
    ids = ["same"] * 9 if seen.number % 3 == 0 else [f"c{seen.number}_{at}" for at in range(9)]
    made = tuple(Call(name, {"query": f"harbour {seen.number} {at}"}, id=ids[at]) for at in range(9))
    return Reply(calls=made)


def test_without_validation_bad_calls_are_run(peer: Peer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: arguments are taken as they come, nothing is looked up in the record, ids may stand twice."""

    def read(_self: Any, raw: Any) -> dict[str, Any]:
        try:
            found = json.loads(raw) if isinstance(raw, str) else raw
        except (ValueError, RecursionError):
            found = {"query": str(raw)}
        return found if isinstance(found, dict) else {"query": str(found)}

    ran = Ran()
    watch(ran, monkeypatch, run=False)
    monkeypatch.setattr(FunctionTable, "_recorded", lambda *_: None)
    monkeypatch.setattr(FunctionTable, "_twice", FunctionTable._one)
    monkeypatch.setattr(Function, "read", read)
    monkeypatch.setattr(Function, "canonical", lambda _self, values: repr(values)[:500])
    monkeypatch.setattr("agent.strategies.policy.Policy.guard", lambda _self, _function, values: values)
    bad = [one for one in bad_replies(400, seed=3) if one.kind in OF_CALLS]
    feed = Feed(bad[:60], Random(3))
    for number in range(24):
        feed.row = ROW
        peer.reset().script(feed, times=None)
        ctx = context(tmp_path / str(number), "react")
        one_turn(create_agent(context=ctx, checkpointer=False), ctx, QUESTIONS[1], "", ran, Told())
        if any(one.startswith("invalid") for one in ran.invalid) and any(
            one.startswith("twice") for one in ran.invalid
        ):
            return
    pytest.fail(f"calls with wrong arguments, and calls twice, should have been run: {ran.invalid}")
