"""The graph's own behaviour: order, retries, bounds, approval, failure, stop. The hands are fakes."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langgraph.types import Command

from agent.context import AgentContext, RunOptions
from agent.intent import Intent
from agent.lineup import Lineup, Part
from agent.nodes.think import FULL_FILM
from agent.strategies.goals import MOST_GOALS
from agent.toolbox import Toolbox
from agent.wiring import create_agent, create_context
from configs.settings import Settings
from tests.agent.boards import beach, line, shot
from tests.agent.fakes import FakeToolbox
from tools.artifact import Artifact, ArtifactRecord
from tools.errors import Cancelled, InvalidInput
from tools.storyboard import Storyboard

CONFIG: Any = {"configurable": {"thread_id": "t"}}
BOARD = beach(shot("s1", "luca", dialogue=[line("luca", "Hi.")]), shot("s2", "alberto"))


def context(tmp_path: Path, given: Storyboard | None = BOARD, **fake: Any) -> AgentContext:
    settings = Settings(productions=tmp_path)
    made = create_context(settings, options=RunOptions(given=given))
    return replace(made, toolbox=FakeToolbox(settings, **fake))


def invoke(ctx: AgentContext, text: Any = "go", agent: Any = None) -> dict[str, Any]:
    agent = agent or create_agent(context=ctx)
    payload = text if isinstance(text, Command) else {"messages": text}
    return agent.invoke(payload, CONFIG, context=ctx)  # type: ignore[no-any-return]


def test_the_nodes_run_in_the_order_of_the_drawing(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    steps = [name for chunk in create_agent(context=ctx).stream({"messages": "go"}, CONFIG) for name in chunk]
    assert steps == ["think", "retrieve", "reason", "act", "judge", "reason", "act", "judge", "reason", "respond"]


def test_everything_is_made_once_when_it_is_good(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    state = invoke(ctx)
    made = [call.id for call in ctx.toolbox.made]  # type: ignore[attr-defined]
    assert len(made) == len(set(made))
    assert {"s1.still", "s2.motion", "film"} <= set(made)
    assert state["made"]
    assert state["files"] == {"film": "fake/film.mp4"}
    assert "2 shots" in state["messages"][-1].text


def test_what_falls_short_is_made_again_with_what_the_check_points_at(tmp_path: Path) -> None:
    ctx = context(tmp_path, scores={"s1.still": [0.3, 0.9]})
    state = invoke(ctx)
    tries = [call for call in ctx.toolbox.made if call.id == "s1.still"]  # type: ignore[attr-defined]
    assert len(tries) == 2
    assert tries[0].args.get("adjust") != tries[1].args["adjust"]
    motion = next(call for call in ctx.toolbox.made if call.id == "s1.motion")  # type: ignore[attr-defined]
    assert motion.args["adjust"] == tries[1].args["adjust"], "the moving shot is staged as the still that passed"
    assert state["scores"]["s1.still"] == 0.9
    assert len([call for call in ctx.toolbox.made if call.id == "s2.still"]) == 1  # type: ignore[attr-defined]


def test_what_never_passes_stops_at_three_attempts_and_the_best_is_kept(tmp_path: Path) -> None:
    ctx = context(tmp_path, scores={"s1.still": [0.3, 0.6, 0.5]})
    state = invoke(ctx)
    tries = [a for a in state["work"].attempts if a.call == "s1.still"]
    assert [a.score for a in tries] == [0.3, 0.6, 0.5]
    assert [a.best for a in tries] == [False, True, False]
    assert state["work"].results["s1.still"] == tries[1].key
    told = state["messages"][-1].text
    assert "  picture of s1: Luca: face cut off (3 attempts: a wider or closer view)" in told
    assert "try 2" not in told, "the numbers are for `studio show --checks`"
    assert told.endswith("studio show fake --checks")
    assert state["made"], "a weak still does not stop the film"


def test_an_attempt_that_cannot_turn_out_otherwise_is_not_made_again(tmp_path: Path) -> None:
    """A word that no voice of this engine can say: another seed is tried once, other arguments are not there."""
    ctx = context(tmp_path, scores={"s1.line1": [0.5]}, levers={"s1.line1": {"seed": 1}, "s2.still": {}})
    state = invoke(ctx)
    assert [a.override.seed_step for a in state["work"].attempts if a.call == "s1.line1"] == [0, 1]
    ctx = context(tmp_path / "other", scores={"s2.still": [0.5]}, levers={"s2.still": {}})
    state = invoke(ctx)
    assert len([a for a in state["work"].attempts if a.call == "s2.still"]) == 1
    assert "nothing I can change would mend it" in state["messages"][-1].text


def test_a_failed_call_takes_with_it_only_what_needs_it_and_is_told(tmp_path: Path) -> None:
    ctx = context(tmp_path, failing={"s1.motion"})
    state = invoke(ctx)
    failures = state["work"].failures
    assert failures["s1.motion"] == "broke"
    assert "s1.motion" in failures["film"]
    assert "s2.motion" in state["work"].results
    assert "Could not be made" in state["messages"][-1].text


def test_a_lost_voice_is_an_error_not_a_silent_film(tmp_path: Path) -> None:
    state = invoke(context(tmp_path, failing={"s1.line1"}))
    assert "film" in state["work"].failures
    assert "s1.line1" in state["work"].failures["s1.motion"]


def test_a_film_goes_on_without_its_music_and_says_so(tmp_path: Path) -> None:
    state = invoke(context(tmp_path, failing={"music1"}))
    assert "film" in state["work"].results
    assert state["work"].failures == {"music1": "broke"}
    assert "Could not be made: music 1: broke" in state["messages"][-1].text


def test_plan_only_makes_nothing(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    ctx = replace(ctx, options=replace(ctx.options, plan_only=True))
    state = invoke(ctx)
    assert state["storyboard"] == BOARD
    assert ctx.toolbox.made == []  # type: ignore[attr-defined]
    assert not state["made"]


def test_a_set_cancel_stops_the_run_with_a_typed_error(tmp_path: Path) -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        invoke(replace(context(tmp_path), cancel=cancel))


def approving(tmp_path: Path) -> AgentContext:
    ctx = context(tmp_path)
    return replace(ctx, options=replace(ctx.options, approve=True))


def test_approval_shows_stills_and_time_before_the_long_work(tmp_path: Path) -> None:
    ctx = approving(tmp_path)
    agent = create_agent(context=ctx)
    state = invoke(ctx, agent=agent)
    asked = state["__interrupt__"][0].value
    assert asked["stills"] == ["s1.still", "s2.still"]
    assert asked["seconds"] > 0
    assert asked["storyboard"]["title"] == BOARD.title
    assert not [call for call in ctx.toolbox.made if call.tool == "animate_shot"]  # type: ignore[attr-defined]
    done = invoke(ctx, Command(resume={"approve": True}), agent)
    assert done["made"]
    stills = [call for call in ctx.toolbox.made if call.id == "s1.still"]  # type: ignore[attr-defined]
    assert len(stills) == 1, "what was shown is not made again"


def test_a_no_keeps_the_pieces_and_makes_no_film(tmp_path: Path) -> None:
    ctx = approving(tmp_path)
    agent = create_agent(context=ctx)
    invoke(ctx, agent=agent)
    done = invoke(ctx, Command(resume={"approve": False}), agent)
    assert "film" not in done["work"].results
    assert "Stopped before the film" in done["messages"][-1].text


def test_an_edited_storyboard_is_made_instead(tmp_path: Path) -> None:
    ctx = approving(tmp_path)
    agent = create_agent(context=ctx)
    invoke(ctx, agent=agent)
    other = BOARD.model_copy(update={"title": "Another"})
    done = invoke(ctx, Command(resume={"storyboard": other.model_dump(mode="json")}), agent)
    assert done["storyboard"].title == "Another"
    assert done["made"]


def test_the_state_survives_a_new_process_by_its_checkpoint_alone(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    invoke(ctx)
    again = create_agent(context=context(tmp_path))
    values = again.get_state(CONFIG).values
    assert values["storyboard"] == BOARD, "typed state is rebuilt under the strict serializer"
    assert values["work"].results["film"]


async def _ainvoke(ctx: AgentContext) -> dict[str, Any]:
    return await create_agent(context=ctx).ainvoke({"messages": "go"}, CONFIG)  # type: ignore[return-value]


def test_async_callers_get_the_same(tmp_path: Path) -> None:
    import asyncio

    state = asyncio.run(_ainvoke(context(tmp_path)))
    assert state["files"] == {"film": "fake/film.mp4"}


def test_each_step_is_on_disk_before_the_next(tmp_path: Path) -> None:
    agent = create_agent(context=context(tmp_path))
    resolved = agent._defaults(
        agent.config or {},
        stream_mode="values",
        print_mode=(),
        output_keys=None,
        interrupt_before=None,
        interrupt_after=None,
    )
    assert "sync" in [value for value in resolved if isinstance(value, str)]
    assert agent.config is not None
    assert agent.config["recursion_limit"] == 40 * MOST_GOALS


def test_the_context_of_a_run_is_plain_options(tmp_path: Path) -> None:
    """LangGraph's own tools send `context` as JSON, often empty."""
    ctx = context(tmp_path)
    agent: Any = create_agent(context=replace(ctx, options=RunOptions()))
    assert agent.invoke({"messages": "hi!"}, CONFIG, context={})["intent"].kind == "smalltalk"
    planned = agent.invoke({"messages": "make a beach scene with Luca"}, CONFIG, context={"plan_only": True})
    assert planned["storyboard"] is not None
    assert ctx.toolbox.made == []  # type: ignore[attr-defined]


def test_without_checkpoints_it_runs_too(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    state = create_agent(context=ctx, checkpointer=False).invoke({"messages": "go"}, context=ctx)
    assert state["made"]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("messages", ["", "\x00", [], [AIMessage("hi")]])
def test_an_empty_request_is_refused_and_the_thread_goes_on(tmp_path: Path, messages: Any) -> None:
    agent = create_agent(context=context(tmp_path, given=None))
    with pytest.raises(InvalidInput, match="empty"):
        agent.invoke({"messages": messages}, CONFIG)
    with pytest.raises(InvalidInput, match="characters"):
        agent.invoke({"messages": "beach " * 100_000}, CONFIG)
    assert agent.invoke({"messages": "a beach"}, CONFIG)["made"]


def test_a_run_without_a_thread_is_told_what_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="thread_id"):
        create_agent(context=context(tmp_path)).invoke({"messages": "go"})


def test_threads_of_one_process_share_the_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []

    class Pool:
        def __init__(self, *_: Any, **__: Any) -> None:
            time.sleep(0.02)
            started.append(self)

        def start(self) -> None:
            """Nothing to start."""

        def close(self) -> None:
            """Nothing to end."""

    monkeypatch.setattr("tools.runtime.workers.pool.WorkerPool", Pool)
    toolbox = Toolbox(Settings(productions=tmp_path))
    threads = [threading.Thread(target=lambda: toolbox.pool) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(started) == 1


def test_undo_goes_back_to_the_folder_and_the_request_of_the_earlier_scene(tmp_path: Path) -> None:
    class Folders(FakeToolbox):
        def open_production(self, state: Any, options: RunOptions) -> str:
            return state.get("production") or f"folder of: {state['request']}"

    ctx = context(tmp_path, given=None)
    ctx = replace(ctx, toolbox=Folders(ctx.settings))
    agent = create_agent(context=ctx)
    beach_scene, forest = "make a beach scene with Luca", "a forest scene with Giulia"
    for text, request in (
        (beach_scene, beach_scene),
        (forest, forest),
        ("undo", beach_scene),
        ("redo", forest),
        ("undo", beach_scene),
        ("make it night", beach_scene),
    ):
        state = agent.invoke({"messages": text}, CONFIG)
        assert (state["request"], state["production"]) == (request, f"folder of: {request}"), text
    assert state["storyboard"].shots[0].location == "beach"


def test_a_change_at_the_approval_changes_the_storyboard_that_was_given(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    ctx = replace(ctx, options=replace(ctx.options, approve=True))
    agent = create_agent(context=ctx)
    asked = invoke(ctx, agent=agent)["__interrupt__"][0].value
    assert {shot["time_of_day"] for shot in asked["storyboard"]["shots"]} == {"day"}
    asked = invoke(ctx, Command(resume={"change": "make it night"}), agent)["__interrupt__"][0].value
    assert {shot["time_of_day"] for shot in asked["storyboard"]["shots"]} == {"night"}
    state = invoke(ctx, Command(resume={"approve": True}), agent)
    assert state["made"]


def test_a_change_at_the_approval_of_one_step_leaves_the_steps_after_it(tmp_path: Path) -> None:
    ctx = context(tmp_path, given=None)
    ctx = replace(ctx, options=replace(ctx.options, approve=True))
    agent = create_agent(context=ctx)
    invoke(ctx, "make a beach scene with Luca, then make a harbour scene with Alberto", agent)
    asked = invoke(ctx, Command(resume={"change": "make it night"}), agent)["__interrupt__"][0].value
    assert {(shot["location"], shot["time_of_day"]) for shot in asked["storyboard"]["shots"]} == {("beach", "night")}
    asked = invoke(ctx, Command(resume={"approve": True}), agent)["__interrupt__"][0].value
    assert {shot["location"] for shot in asked["storyboard"]["shots"]} == {"harbour"}
    told = invoke(ctx, Command(resume={"approve": True}), agent)["messages"][-1].text
    assert "Step 1:" in told
    assert "Step 2:" in told


def test_who_asked_for_a_picture_gets_the_changed_picture_and_no_film(tmp_path: Path) -> None:
    agent = create_agent(context=context(tmp_path, given=None))
    pictures, film = ["image"], FULL_FILM
    for text, outputs in (
        ("a beach scene with Luca, only the picture", pictures),
        ("make it night", pictures),
        ("now animate it", film),
        ("make it day", film),
    ):
        state = agent.invoke({"messages": text}, CONFIG, context={"plan_only": True})
        assert set(state["outputs"]) & {"image", "video"} == set(outputs) & {"image", "video"}, text


class Puzzled:
    """A planner that reads every message as a change it does not understand."""

    def understand(self, request: Any) -> Intent:
        return Intent(kind="edit", questions=["I do not know how to make it funnier."])


def test_a_change_that_is_not_understood_changes_and_makes_nothing(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    agent = create_agent(context=ctx)
    invoke(ctx, agent=agent)
    before = len(ctx.toolbox.made)  # type: ignore[attr-defined]
    puzzled: Any = replace(ctx, planner=Puzzled(), options=RunOptions())  # type: ignore[arg-type]
    state = invoke(puzzled, "make it funnier", agent)
    assert state["messages"][-1].text.startswith("I changed nothing.\n")
    assert "funnier" in state["messages"][-1].text
    assert state["storyboard"] == BOARD
    assert len(ctx.toolbox.made) == before  # type: ignore[attr-defined]
    assert not state["made"]


def test_follow_ups_change_the_scene_and_start_over_brings_the_first_one_back(tmp_path: Path) -> None:
    ctx = context(tmp_path, given=None)
    agent = create_agent(context=ctx)
    first = invoke(ctx, "Giulia and a robot in the kitchen", agent)["storyboard"]
    renamed = invoke(ctx, "rename the robot to Bolt", agent)["storyboard"]
    assert [member.name for member in renamed.cast] == ["Giulia Marcovaldo", "Bolt"]
    assert [shot.placements for shot in renamed.shots] == [shot.placements for shot in first.shots]
    asked = invoke(ctx, "let Bolt juggle the quux", agent)
    assert asked["storyboard"] == renamed
    assert {shot.time_of_day for shot in invoke(ctx, "rifallo di notte", agent)["storyboard"].shots} == {"night"}
    assert invoke(ctx, "start over", agent)["storyboard"] == first


def test_start_over_goes_back_to_this_scene_not_to_the_one_before_it(tmp_path: Path) -> None:
    ctx = context(tmp_path, given=None)
    agent = create_agent(context=ctx)
    invoke(ctx, "Luca alone in the forest", agent)
    second = invoke(ctx, "a new scene: Alberto at the harbour", agent)["storyboard"]
    invoke(ctx, "make it night", agent)
    assert invoke(ctx, "go back to the first version", agent)["storyboard"] == second


@pytest.mark.parametrize(("scores", "films"), [([0.3, 0.9], 2), ([0.6, 0.5, 0.5], 4), ([0.9], 1)])
def test_what_was_built_of_something_made_again_is_built_anew(tmp_path: Path, scores: list[float], films: int) -> None:
    """Also where the best take is not the last: the film then shows another than it was made of."""
    ctx = context(tmp_path, scores={"s1.motion": scores})
    state = invoke(ctx)
    made = [call.id for call in ctx.toolbox.made]  # type: ignore[attr-defined]
    assert made.count("s1.motion") == len(scores)
    assert made.count("film") == films
    assert made.count("s2.motion") == 1
    assert [a.number for a in state["work"].attempts if a.call == "film"] == [1], "the others do not count"
    assert "film" in state["work"].results


def test_where_a_model_that_measures_fails_the_result_is_reviewed_without_it(tmp_path: Path) -> None:
    ready = Lineup(parts=[Part(tool="transcribe", engine="whisper")])
    ctx = context(tmp_path, failing={"s1.line1.heard"})
    ctx.toolbox.draw_up = lambda *_: ready  # type: ignore[method-assign]
    state = invoke(ctx)
    assert state["scores"]["s1.line1"] == 1.0
    assert "s1.line1.heard" not in state["work"].failures
    ctx = context(tmp_path / "other")
    ctx.toolbox.draw_up = lambda *_: ready  # type: ignore[method-assign]
    invoke(ctx)
    assert "s1.line1.heard" in [call.id for call in ctx.toolbox.made]  # type: ignore[attr-defined]


def test_a_recording_is_transcribed_where_an_engine_is_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = tmp_path / "talk.wav"
    sound.write_bytes(b"RIFF")
    heard = {
        "file": "transcript.txt", "text": "We can do this!", "language": "en", "language_probability": 1.0,
        "duration_s": 2.0, "segments": [{"text": "We can do this!", "start": 0.5, "end": 1.5, "words": []}],
    }  # fmt: skip
    record = ArtifactRecord(
        key="k", tool="transcribe", engine="faster_whisper_small", version="1", args={}, seed=0,
        files={}, output=heard, digest="k", seconds=0.0,
    )  # fmt: skip
    monkeypatch.setattr("agent.nodes.respond.hear", lambda *_: Artifact(tmp_path, record))
    context = create_context(Settings(productions=tmp_path / "p"))
    agent = create_agent(context=context, checkpointer=False)
    state = agent.invoke({"messages": f"transcribe {sound} with subtitles"})
    said = state["messages"][-1].text
    assert "talk.wav, heard by faster_whisper_small: We can do this!" in said
    assert {"talk.txt", "talk.srt"} <= set(state["files"])
    assert Path(state["files"]["talk.txt"]).read_text().strip() == "We can do this!"
    assert "00:00:00,500 --> " in Path(state["files"]["talk.srt"]).read_text()
    assert state["made"]


def test_what_keeps_a_recording_from_being_transcribed_is_said_with_what_mends_it(tmp_path: Path) -> None:
    sound = tmp_path / "talk.wav"
    sound.write_bytes(b"RIFF")
    context = create_context(Settings(productions=tmp_path / "p", models_folder=tmp_path / "models"))
    agent = create_agent(context=context, checkpointer=False)
    state = agent.invoke({"messages": f"transcribe {sound} and nowhere.mp3"})
    said = state["messages"][-1].text
    assert "studio models pull whisper_small" in said
    assert "There is no file nowhere.mp3." in said
    assert not state["made"]
