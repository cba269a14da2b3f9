"""The plan changes where what came of it asks for that, and never in silence. The hands are fakes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from agent.context import AgentContext, RunOptions
from agent.lineup import Lineup, Part
from agent.strategies.replanning import replan
from agent.strategies.staging import fix_for, restaged
from agent.wiring import create_agent, create_context
from configs.settings import Settings
from tests.agent.boards import beach, shot
from tests.agent.fakes import FakeToolbox
from tools.storyboard import Storyboard

CONFIG: Any = {"configurable": {"thread_id": "t"}}
REQUEST = "make a beach scene with Luca and Alberto"


def context(tmp_path: Path, **fake: Any) -> AgentContext:
    settings = Settings(productions=tmp_path)
    made = create_context(settings, options=RunOptions())
    return replace(made, toolbox=FakeToolbox(settings, **fake))


def run(ctx: AgentContext, text: str = REQUEST) -> dict[str, Any]:
    return create_agent(context=ctx).invoke({"messages": text}, CONFIG)  # type: ignore[no-any-return]


def test_a_picture_that_never_passes_is_staged_in_another_way(tmp_path: Path) -> None:
    ctx = context(tmp_path, scores={"s2.still": [0.3, 0.4, 0.5, 0.9]})
    state = run(ctx)
    before = run(context(tmp_path / "plain"))["storyboard"].shots[1]
    after = state["storyboard"].shots[1]
    assert (before.framing, after.framing) == ("medium", "full"), "a face that is cut off wants a wider frame"
    assert state["scores"]["s2.still"] == 0.9
    assert [one.best for one in state["work"].attempts if one.call == "s2.still"] == [False, False, False, True]
    assert "never passed its checks, so I staged it wider" in state["messages"][-1].text
    kinds = [(one.kind, one.label) for one in ctx.turn(state).thoughts]
    assert ("plan", "s2") in kinds


def test_a_staging_that_is_no_better_is_taken_back(tmp_path: Path) -> None:
    ctx = context(tmp_path, scores={"s2.still": [0.3, 0.6, 0.5, 0.2]})
    state = run(ctx)
    plain = run(context(tmp_path / "plain"))["storyboard"]
    assert state["storyboard"] == plain
    assert state["scores"]["s2.still"] == 0.6
    assert "no better staged wider" in state["messages"][-1].text
    motion = next(call for call in ctx.toolbox.made if call.id == "s2.motion")  # type: ignore[attr-defined]
    assert motion.args["shot"]["framing"] == plain.shots[1].framing


def test_what_the_user_fixed_is_not_staged_anew(tmp_path: Path) -> None:
    ctx = context(tmp_path, scores={"s1.still": [0.3, 0.4, 0.5, 0.9]})
    state = run(ctx, "a close-up of Luca on the beach")
    assert state["storyboard"].shots[0].framing == "close"
    assert "staged" not in state["messages"][-1].text
    given = beach(shot("s1", "luca", framing="close"))
    ctx = context(tmp_path / "given", scores={"s1.still": [0.3, 0.4, 0.5, 0.9]})
    state = run(replace(ctx, options=RunOptions(given=given)))
    assert state["storyboard"] == given


def test_a_new_staging_that_cannot_be_made_leaves_the_picture_there_was(tmp_path: Path) -> None:
    class Breaking(FakeToolbox):
        def _make(self, call: Any) -> Any:
            if call.id == "s2.still" and call.args["shot"]["framing"] == "full":
                self.failing.add("s2.still")
            return super()._make(call)

    ctx = context(tmp_path)
    ctx = replace(ctx, toolbox=Breaking(ctx.settings, scores={"s2.still": [0.3, 0.4, 0.5]}))
    state = run(ctx)
    assert state["scores"]["s2.still"] == 0.5
    assert not state["work"].failures
    assert "film" in state["work"].results


def failed_state(board: Storyboard, ctx: AgentContext, part: Part, call: str) -> Any:
    state = run(ctx)
    failures = {call: "out of memory", "film": f"it needs {call}"}
    work = state["work"].model_copy(update={"failures": failures, "stage": 1})
    return {**state, "storyboard": board, "work": work, "lineup": Lineup(parts=[part]), "problems": []}


def test_movement_falls_back_to_the_embedded_engine_and_says_so(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    state = failed_state(beach(), ctx, Part(tool="animate_shot", engine="ltx", from_still=True), "s1.motion")
    delta = replan(state, ctx)
    part = delta["lineup"].part("animate_shot")
    assert part.embedded
    assert part.engine != "ltx"
    assert delta["work"].failures == {}
    assert "ltx failed for s1 (out of memory)" in delta["problems"][0]


def test_an_engine_that_a_person_named_is_not_replaced(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    state = failed_state(beach(), ctx, Part(tool="animate_shot", engine="ltx"), "s1.motion")
    named = replace(ctx, options=RunOptions(engines=("animate_shot=ltx",)))
    assert replan(state, named) == {}


def test_pictures_are_never_mixed_from_two_engines(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    state = failed_state(beach(), ctx, Part(tool="generate_image", engine="sdxl"), "s1.still")
    assert replan(state, ctx) == {}


def test_lips_are_left_out_and_it_is_told(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    state = failed_state(beach(), ctx, Part(tool="lip_sync", engine="wav2lip"), "s1.lips")
    delta = replan(state, ctx)
    assert delta["lineup"].engine("lip_sync") == ""
    assert "wav2lip failed" in delta["problems"][0]


def test_stagings_are_valid_and_different() -> None:
    one = shot("s1", "luca", "alberto", framing="full")
    one.placements[1].x = 0.35
    assert fix_for(["meaning", "not_hidden.luca"]) == "apart"
    assert fix_for(["sharpness"]) is None
    apart = restaged(one, "apart")
    assert apart is not None
    assert [p.x for p in apart.placements] == [0.16, 0.84]
    assert restaged(shot("s1", "luca", "alberto", framing="medium"), "closer") is not None
    assert restaged(shot("s1", "luca", "alberto", "giulia", framing="medium"), "closer") is None
    assert restaged(shot("s1", "luca", framing="wide"), "wider") is None
