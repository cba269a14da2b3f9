"""The studio's own functions: what a model is shown of them, and that they really plan, change, make and tell."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.functions.desk import MOST_NOTES, Desk, Scene, desk_of
from agent.functions.offer import studio_functions
from agent.functions.table import FunctionTable
from agent.intent import Intent
from agent.wiring import create_context
from configs.settings import Settings
from knowledge.passage import Passage, SearchAnswer
from tests.agent.boards import beach, line, shot
from tests.agent.fakes import FakeToolbox
from tools.errors import Cancelled, InvalidInput
from tools.functions import estimate_tokens
from tools.storyboard import save_storyboard

ROOT = Path(__file__).parents[3]
REQUEST = 'Luca and Alberto on the beach at sunset, 4 seconds. Luca says "We can do this!"'


def desk(tmp_path: Path) -> Desk:
    settings = Settings(productions=tmp_path)
    context = replace(create_context(settings), toolbox=FakeToolbox(settings))
    return Desk(context)


def table(at: Desk, **more: Any) -> FunctionTable[Desk]:
    functions = studio_functions()
    return FunctionTable(functions, at, allowed=frozenset(one.name for one in functions), root=at.productions, **more)


def call(name: str, **arguments: Any) -> dict[str, Any]:
    return {"name": name, "args": arguments, "id": ""}


def fields(schema: dict[str, Any], path: str) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for name, one in schema.get("properties", {}).items():
        found += [
            (f"{path}.{name}", one),
            *fields(one, f"{path}.{name}"),
            *fields(one.get("items", {}), f"{path}.{name}"),
        ]
    return found


@pytest.mark.parametrize("strict", [False, True])
def test_every_function_and_field_that_a_model_sees_is_described(strict: bool) -> None:
    for function in studio_functions():
        schema = function.schema(strict=strict)["function"]
        assert len(schema["description"]) > 10, function.name
        for path, field in fields(schema["parameters"], function.name):
            assert field.get("description"), path
        assert ("strict" in schema) == strict, f"{function.name} can be said in strict mode"


def test_what_all_functions_cost_in_a_prompt_fits_small_models() -> None:
    schemas = [one.schema() for one in studio_functions()]
    text = json.dumps(schemas)
    assert estimate_tokens(schemas) < 2_000
    assert "$ref" not in text
    assert '"title"' not in text


def test_names_are_unique_and_effects_tell_the_worst() -> None:
    functions = {one.name: one.effect for one in studio_functions()}
    assert len(functions) == len(studio_functions())
    assert functions["search_web"] == "network"
    assert functions["plan_scene"] == functions["change_scene"] == "plans"
    assert {name for name, effect in functions.items() if effect == "makes"} == {
        "make_scene", "draw_picture", "speak_line", "make_music", "transcribe_recording",
    }  # fmt: skip


def test_a_scene_is_planned_changed_and_shown(tmp_path: Path) -> None:
    at = desk(tmp_path)
    rows = table(at)
    planned, changed, shown = rows.run(
        [call("plan_scene", request=REQUEST), call("change_scene", request="make it night"), call("show_storyboard")]
    )
    assert planned.ok
    assert "We can do this!" in planned.text
    assert changed.data["storyboard"]["shots"][0]["time_of_day"] == "night"
    assert shown.data == changed.data
    assert at.present is not None
    assert {one.time_of_day for one in at.present.board.shots} == {"night"}
    assert not list(tmp_path.glob("*")), "planning writes no files"


def test_the_planned_scene_is_made_as_it_stands(tmp_path: Path) -> None:
    at = desk(tmp_path)
    told: list[Any] = []
    at = at.serving(told.append, threading.Event())
    rows = table(at)
    rows.run([call("plan_scene", request=REQUEST), call("change_scene", request="make it night")])
    [made] = rows.run([call("make_scene")])
    assert made.ok, made.text
    calls = at.context.toolbox.made  # type: ignore[attr-defined]
    assert {one.args["shot"]["time_of_day"] for one in calls if one.tool == "generate_image"} == {"night"}
    assert made.artifacts[0].label == "film"
    assert any(one.get("node") == "judge" for one in told), "the studio's own graph made it, judge and all"
    [again] = rows.run([call("make_scene")])
    assert again.replayed


def test_making_inside_a_running_graph_leaves_that_one_alone(tmp_path: Path) -> None:
    from langgraph.checkpoint.memory import InMemorySaver
    from langgraph.graph import END, START, StateGraph
    from typing_extensions import TypedDict

    class Outer(TypedDict):
        made: bool

    at = desk(tmp_path)
    scene = Scene("given", beach(), ("image",))

    def node(state: Outer) -> dict[str, Any]:  # noqa: ARG001
        return {"made": bool(at.make(scene)[1]["made"])}

    graph = StateGraph(Outer)
    graph.add_node("node", node)
    graph.add_edge(START, "node")
    graph.add_edge("node", END)
    saver = InMemorySaver()
    config: Any = {"configurable": {"thread_id": "t"}}
    assert graph.compile(checkpointer=saver).invoke({"made": False}, config)["made"]
    spaces = {one.config["configurable"].get("checkpoint_ns", "") for one in saver.list(None)}
    assert spaces == {""}, "the inner run wrote nothing among the outer one's checkpoints"


def test_a_stop_ends_the_making(tmp_path: Path) -> None:
    at = desk(tmp_path)
    at.cancel.set()
    with pytest.raises(Cancelled):
        at.make(Scene("given", beach(), ("image",)))


def test_what_cannot_be_planned_or_found_is_told_with_what_to_do(tmp_path: Path) -> None:
    rows = table(desk(tmp_path))
    calls = [
        call("plan_scene", request="hello"),
        call("show_storyboard"),
        call("change_scene", request="make it night"),
        call("make_scene", request="a beach", scene="x"),
        call("speak_line", character="nobody", text="hi"),
        call("transcribe_recording", file="/etc/passwd"),
        call("why", scene="../../etc"),
    ]
    seen = rows.run(calls)
    assert [one.ok for one in seen] == [False] * len(calls)
    assert all(one.error == "InvalidInput" and "\n" not in one.text for one in seen)
    assert "There are: luca, alberto, giulia" in seen[4].text


def test_only_files_of_productions_and_named_ones_may_be_read(tmp_path: Path) -> None:
    root = tmp_path / "productions"
    (root / "scene").mkdir(parents=True)
    (root / ".studio").mkdir()
    named, other = tmp_path / "mine.wav", tmp_path / "other.wav"
    for path in (root / "scene" / "a.wav", root / ".studio" / "threads.sqlite", named, other):
        path.write_text("x")
    (root / "scene" / "out.wav").symlink_to(other)
    at = replace(desk(root), named=frozenset({named}))
    assert at.file("scene/a.wav").name == "a.wav"
    assert at.file(str(named)) == named
    for name in (
        str(other),
        "scene/out.wav",
        ".studio/threads.sqlite",
        "scene/../../other.wav",
        "\0",
        "x" * 5000,
        "~nobody/x",
    ):
        with pytest.raises(InvalidInput, match="may be read"):
            at.file(name)


def test_scenes_are_found_among_productions_by_name_alone(tmp_path: Path) -> None:
    save_storyboard(beach(), tmp_path / "old_beach" / "storyboard.yaml")
    at = desk(tmp_path)
    assert at.scene("old_beach").board == beach()
    with pytest.raises(InvalidInput, match="Did you mean 'old_beach'"):
        at.scene("old_beech")
    with pytest.raises(InvalidInput):
        at.scene("../old_beach")


def test_what_was_looked_up_is_shown_to_the_planner(tmp_path: Path) -> None:
    class Web:
        def search(self, query: str, *, limit: int = 5) -> SearchAnswer:
            return SearchAnswer(status="found", passages=[Passage(text="The fair is in May.", source="https://x.org")])

    at = desk(tmp_path)
    at.context = replace(at.context, search=Web())
    rows = table(at)
    found, _ = rows.run([call("search_web", query="fair"), call("search_knowledge", query="Luca", about="luca")])
    assert found.text.startswith("<material-")
    assert "\n[1] https://x.org\nThe fair is in May." in found.text
    assert "The fair is in May." in at.notes
    assert any("Luca" in note or "boy" in note for note in at.notes)


def test_what_one_call_looked_up_is_known_to_the_next(tmp_path: Path) -> None:
    at = desk(tmp_path)
    at.serving(lambda _event: None, threading.Event()).note(["The fair is in May."])
    later = at.serving(lambda _event: None, threading.Event())
    assert later.notes == at.notes == ["The fair is in May."]
    later.note([f"note {number}" for number in range(30)])
    assert len(at.notes) == MOST_NOTES


def test_offline_and_nothing_found_are_told_apart(tmp_path: Path) -> None:
    [seen] = table(desk(tmp_path)).run([call("search_web", query="fair")])
    assert seen.data["status"] == "offline"
    assert seen.text.count("not asked") == 1
    assert "STUDIO_NETWORK=true" in seen.text


def test_a_search_that_was_refused_was_asked(tmp_path: Path) -> None:
    class Refusing:
        def search(self, _words: str, limit: int = 5) -> SearchAnswer:
            return SearchAnswer(status="refused", reason="The search service turned us away.")

    at = desk(tmp_path)
    at.context = replace(at.context, search=Refusing())
    [seen] = table(at).run([call("search_web", query="fair")])
    assert seen.text == "The search service turned us away."


def test_a_turn_of_the_graph_lays_its_storyboard_on_the_desk(tmp_path: Path) -> None:
    named = tmp_path / "talk.wav"
    named.write_text("x")
    intent = Intent(kind="question", files=[str(named), "missing.wav"])
    state: Any = {"intent": intent, "storyboard": beach(), "notes": [], "outputs": ["image"], "request": "a beach"}
    at = desk_of(state, desk(tmp_path).context, lambda _event: None)
    assert at.present is not None
    assert (at.present.name, at.present.outputs) == ("test_beach", ("image",))
    assert at.named == frozenset({named})


def test_places_cast_and_reasons_are_told(tmp_path: Path) -> None:
    at = desk(tmp_path)
    at.put(
        Scene(
            "mine", beach(shot("s1", "luca", dialogue=[line("luca", "Hi.")])), ("image",), assumptions=("It is day.",)
        )
    )
    cast, places, reasons, scenes = table(at).run(
        [call("list_cast"), call("list_places"), call("why"), call("list_scenes")]
    )
    assert [row["id"] for row in cast.data["cast"]] == ["luca", "alberto", "giulia"]
    assert "beach" in places.data["places"]
    assert "Assumed: It is day." in reasons.text
    assert scenes.data["present"] == "mine"


@pytest.mark.slow
def test_real_hands_draw_speak_and_compose(tmp_path: Path) -> None:
    at = Desk(create_context(Settings(productions=tmp_path)))
    try:
        seen = table(at).run(
            [
                call("draw_picture", description="Giulia waving at the harbour", framing="close"),
                call("speak_line", character="Luca", text="Ciao!", language="IT"),
                call("make_music", mood="calm", seconds="2"),
            ]
        )
    finally:
        at.context.toolbox.close()
    assert [one.error for one in seen] == ["", "", ""]
    for one in seen:
        assert (tmp_path / one.artifacts[0].path).stat().st_size > 1000
        assert str(tmp_path) not in one.text


def test_the_functions_are_imported_without_anything_heavy() -> None:
    heavy = {"torch", "mcp", "openai", "langchain_openai", "chromadb", "skia", "av"}
    script = "import sys, agent.functions.offer, agent.functions.table; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & heavy
