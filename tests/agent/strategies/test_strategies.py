"""Each strategy through the real graph: what it asks, what it keeps, what of it can be read, what it learns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.context import AgentContext, RunOptions
from agent.strategies.base import STRATEGIES
from agent.strategies.choosing import choose
from agent.strategies.reflexion import reflections
from agent.turns import Thought, read_thoughts
from agent.wiring import create_agent, create_context
from configs.settings import Settings
from evals.peer.server import Peer
from knowledge.reflections import Reflection
from tests.agent.fakes import FakeToolbox
from tests.agent.planners.chat_model.scripts import JEALOUSY, script_all
from tools.errors import InvalidInput

CONFIG: Any = {"configurable": {"thread_id": "t"}}
CREATIVE = "surprise me with a funny scene at the harbour with Luca and Alberto, 20 seconds"
THOUGHT = {"wants": "Luca wants the boat.", "risks": ["The boat hides Luca."], "decisions": ["Stay close on faces."]}


@pytest.fixture
def peer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Peer]:
    with Peer(seed=3) as up:
        monkeypatch.setenv("STUDIO_LLM_BASE_URL", up.url)
        script_all(up, JEALOUSY)
        yield up


def studio(tmp_path: Path, strategy: str = "", primary: str = "server/tiny-random") -> AgentContext:
    settings = Settings(productions=tmp_path, primary=primary, model_timeout_s=30)
    made = create_context(settings, options=RunOptions(strategy=strategy, plan_only=True))
    return replace(made, toolbox=FakeToolbox(settings))


def said(context: AgentContext, text: str = CREATIVE) -> tuple[dict[str, Any], list[Thought]]:
    """The state after a message, and the thoughts of its turn as they lie on disk."""
    state: Any = create_agent(context=context).invoke({"messages": text}, CONFIG, context=context)  # type: ignore[call-overload]
    path = context.turn(state).path
    assert path is not None
    return state, list(read_thoughts(path))


def of(thoughts: list[Thought], label: str) -> list[Thought]:
    return [one for one in thoughts if one.label == label]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_each_can_be_named_and_is_told(strategy: str, peer: Peer, tmp_path: Path) -> None:  # noqa: ARG001
    state, thoughts = said(studio(tmp_path, strategy))
    assert state["storyboard"].shots
    assert [one.text for one in of(thoughts, "strategy")] == [f"strategy {strategy}: it was named for this run"]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_each_works_without_a_model(strategy: str, tmp_path: Path) -> None:
    state, thoughts = said(studio(tmp_path, strategy, primary=""))
    assert {one.id for one in state["storyboard"].cast} == {"luca", "alberto"}
    assert of(thoughts, "strategy")
    assert all(one.source != "server/tiny-random" for one in thoughts)


def test_a_strategy_that_there_is_not_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="there is no strategy 'zen'"):
        said(studio(tmp_path, "zen", primary=""))


@pytest.mark.parametrize(
    ("facts", "taken"),
    [
        ({"given", "open", "model"}, "plain"),
        ({"edit", "open", "model"}, "plain"),
        ({"question", "model"}, "react"),
        ({"look_up", "open", "model"}, "react"),
        ({"failed_before", "open", "model"}, "reflexion"),
        ({"open", "model"}, "tree_of_thoughts"),
        ({"open"}, "tree_of_thoughts"),
        ({"model"}, "chain_of_thought"),
        (set(), "plain"),
    ],
)
def test_the_rules_choose(facts: set[str], taken: str) -> None:
    assert choose(frozenset(facts)).name == taken
    flagged = choose(frozenset(facts), flag="react").name
    assert flagged == (taken if facts & {"given", "edit"} else "react"), "a flag goes before the rules"


def test_chain_of_thought_thinks_once_and_the_writer_reads_it(peer: Peer, tmp_path: Path) -> None:
    peer.script(THOUGHT, schema="Deliberation")
    _, thoughts = said(studio(tmp_path, "chain_of_thought"))
    assert "Luca wants the boat." in of(thoughts, "considered")[0].text
    outlines = [seen for seen in peer.requests if seen.schema_name == "Outline"]
    assert "Stay close on faces." in str(outlines[0].body["messages"])


def test_tree_of_thoughts_keeps_the_best_and_the_rules_are_among_them(peer: Peer, tmp_path: Path) -> None:
    peer.script({"better": "first", "reason": "it stands first"}, schema="Vote", times=None)
    _, thoughts = said(studio(tmp_path, "tree_of_thoughts"))
    scored = {one.data["candidate"]: one.data["total"] for one in thoughts if "candidate" in one.data}
    assert {"version 1", "version 2", "by rules"} <= set(scored)
    kept = next(one.data["kept"] for one in thoughts if "kept" in one.data)
    assert scored[kept] == max(scored.values()), "a vote for whatever stands first counts for nothing"
    asked = [str(seen.body["messages"]) for seen in peer.requests if seen.schema_name == "Outline"]
    assert len(set(asked)) == len(asked) >= 2, "each version has an angle of its own"


def test_react_gathers_and_an_identical_call_is_answered_from_the_record(peer: Peer, tmp_path: Path) -> None:
    from evals.peer import Call, Reply

    look = Call("search_knowledge", {"query": "Luca"})
    peer.script(Reply(calls=(look,)), Reply(calls=(look,)), "Luca is a boy who loves the sea.", tool="search_knowledge")
    _, thoughts = said(studio(tmp_path, "react"))
    kinds = [one.kind for one in thoughts if one.kind in ("action", "observation")]
    assert kinds == ["action", "observation"] * 2
    told = [one.text for one in thoughts if one.kind == "observation"]
    assert "was not made again" not in told[0]
    assert "was not made again" in told[1]
    assert "answered, 1 calls run, 0 refused" in of(thoughts, "react")[0].text
    outline = next(seen for seen in peer.requests if seen.schema_name == "Outline")
    assert "a boy who loves the sea" in str(outline.body["messages"])


def test_what_the_user_changed_becomes_a_lesson_and_the_next_request_begins_with_it(tmp_path: Path) -> None:
    made = studio(tmp_path, primary="")
    context = replace(made, options=RunOptions())
    said(context, "a scene with Luca and Alberto at the harbour")
    _, thoughts = said(context, "make it night")
    learned = of(thoughts, "learned")
    assert [one.kind for one in learned] == ["lesson"]
    assert "time night" in learned[0].text
    other = replace(made, options=RunOptions(plan_only=True))
    config: Any = {"configurable": {"thread_id": "another"}}
    agent = create_agent(context=other)
    state: Any = agent.invoke({"messages": "a scene with Luca and Alberto at the harbour"}, config, context=other)  # type: ignore[call-overload]
    recalled = other.turn(state).thoughts
    assert [one.data["strategy"] for one in recalled if "strategy" in one.data] == ["reflexion"]
    assert [one.text for one in recalled if one.label == "recalled"] == [learned[0].text]


def test_a_change_that_changes_nothing_teaches_nothing_and_is_told(tmp_path: Path) -> None:
    context = studio(tmp_path, primary="")
    context = replace(context, options=RunOptions())
    said(context, "make a scene at the harbour at night with Luca and Alberto")
    state, _ = said(context, "make it night")
    assert "To know: That is how it was already." in state["messages"][-1].text
    assert reflections(context).all() == []
    said(context, "make it sunset")
    assert len(reflections(context).all()) == 1, "the broken twin: what changes something teaches"


@pytest.mark.parametrize("best", ["by rules", "version 2"])
@pytest.mark.usefixtures("peer")
def test_where_the_rules_did_best_that_is_told(best: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def chosen(_job: Any, candidates: list[Any]) -> Any:
        return next(one for one in candidates if one.name == best)

    monkeypatch.setattr("agent.strategies.tree_of_thoughts._voted", chosen)
    state, thoughts = said(studio(tmp_path, "tree_of_thoughts"))
    assert any(one.text.startswith(f"kept: {best},") for one in thoughts)
    told = "the one by the studio's own rules was kept" in state["messages"][-1].text
    assert told == (best == "by rules")


def test_thoughts_that_cannot_be_written_are_told_once(tmp_path: Path) -> None:
    context = studio(tmp_path, "chain_of_thought", primary="")
    assert context.turns.folder is not None
    context.turns.folder.parent.mkdir(parents=True, exist_ok=True)
    context.turns.folder.write_text("a file where the folder should be")
    state: Any = create_agent(context=context).invoke({"messages": CREATIVE}, CONFIG, context=context)  # type: ignore[call-overload]
    text = state["messages"][-1].text
    assert text.count("could not be written down") == 1
    assert str(tmp_path) not in text.splitlines()[-1]
    whole = studio(tmp_path / "whole", "chain_of_thought", primary="")
    state, _ = said(whole)
    assert "could not be written down" not in state["messages"][-1].text


def test_a_lesson_that_rules_can_apply_changes_the_staging(tmp_path: Path) -> None:
    context = studio(tmp_path, primary="")
    text = "a wide shot of Luca and Alberto at the harbour"
    ask = "a scene with Luca and Alberto at the harbour"
    before, _ = said(context, ask)
    assert "wide" in {shot.framing for shot in before["storyboard"].shots}
    lesson = Reflection(
        request=Reflection.words(ask), about=("luca", "alberto", "harbour"), cause="checks", text=text, fix="closer"
    )
    reflections(context).learn([lesson])
    config: Any = {"configurable": {"thread_id": "after"}}
    after: Any = create_agent(context=context).invoke({"messages": ask}, config, context=context)  # type: ignore[call-overload]
    assert "wide" not in {shot.framing for shot in after["storyboard"].shots}


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_can_be_set_for_all_runs(name: str) -> None:
    assert (
        choose(frozenset({"model", "open"}), setting=Settings.model_validate({"strategy": name}).strategy).name == name
    )
