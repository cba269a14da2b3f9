"""One sentence on a 16 GB card with every model present: the real engines, planned together; on paper, no torch.

What each engine then does is proven where it lives, on tiny checkpoints; here the whole film is compiled, its calls are
validated against their tools, and the planner accepts them within the budget.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from agent.context import RunOptions
from agent.lineup import Lineup
from agent.planned import planned_calls
from agent.replies import Replies
from agent.state import Work
from agent.telling_engines import tell_lineup
from agent.toolbox import Toolbox
from agent.wiring import create_agent, create_context
from configs.settings import Settings
from tools.models.shelf import KnownFile, ModelRecord, Shelf
from tools.runtime.device.device_queue import DeviceQueue
from tools.runtime.device.hardware import Gpu, Hardware
from tools.runtime.graph import CallGraph
from tools.storyboard import Storyboard

SENTENCE = 'make a beach scene with Luca and Alberto. Luca says "We can do this!"'
IMAGES = ("sdxl_base", "controlnet_openpose", "controlnet_depth")
ALL = (*IMAGES, "musicgen_small", "ltx_video_distilled", "ltx_text_encoder")


class Workplace(Toolbox):
    """The toolbox of a machine with a card of 16 GB."""

    _hardware = Hardware("Linux", "3.11", 8, 64.0, (Gpu("card", 16.0, "570", uuid="GPU-test-2", free_gb=16.0),))


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function: a studio with these models."""
    card = Workplace._hardware
    monkeypatch.setattr("tools.runtime.device.hardware.detect", lambda: card)

    def make(*models: str, sovits: bool = False) -> Toolbox:
        settings = Settings(productions=tmp_path / "productions", profile="16gb")
        toolbox = Toolbox(settings)
        shelf = Shelf(settings.models_home, toolbox.registry.models)
        for name in models:
            record = ModelRecord(kind="path", path=str(tmp_path), files={".": KnownFile(bytes=1, sha256="0" * 64)})
            shelf.keep(name, record)
        if sovits:
            monkeypatch.setattr("tools.readiness.answers", lambda _url: True)
            monkeypatch.setattr("tools.voice.shelf.PermittedVoices.get", lambda _self, _who, kind: kind)
        return toolbox

    return make


def plan(toolbox: Toolbox) -> dict[str, Any]:
    context = create_context(toolbox.settings, options=RunOptions(plan_only=True))
    object.__setattr__(context, "toolbox", toolbox)
    agent = create_agent(context=context, checkpointer=False)
    return dict(agent.invoke({"messages": [HumanMessage(SENTENCE)]}))


def engines(state: dict[str, Any], toolbox: Toolbox) -> dict[str, str]:
    calls = planned_calls({**state, "work": Work()}, create_context(toolbox.settings))  # type: ignore[typeddict-item]
    return {call.id: call.engine for call in calls}


def test_the_same_sentence_drives_the_real_engines_where_their_models_are(studio: Any) -> None:
    toolbox = studio(*ALL, sovits=True)
    state = plan(toolbox)
    found = engines(state, toolbox)
    assert {found[name] for name in found if name.endswith(".still")} == {"sdxl"}
    assert {found[name] for name in found if ".line" in name} == {"gpt_sovits"}
    assert {found[name] for name in found if name.startswith("music")} == {"musicgen"}
    assert {found[name] for name in found if name.endswith(".motion")} == {"ltx_distilled"}
    said = state["messages"][-1].text
    assert "Engines: pictures by sdxl; voices by gpt_sovits; music by musicgen; motion by ltx_distilled." in said
    assert "Not for commercial use: musicgen_small: CC-BY-NC-4.0." in said


def test_the_whole_film_is_planned_within_sixteen_gigabytes(studio: Any) -> None:
    toolbox = studio(*ALL, sovits=True)
    state = plan(toolbox)
    lane = toolbox.lane
    assert lane is not None
    calls = planned_calls({**state, "work": Work()}, create_context(toolbox.settings))  # type: ignore[typeddict-item]
    graph = CallGraph.build(calls, (), toolbox.registry, None, lane.here)
    told: list[Any] = []
    queue = DeviceQueue(graph, lane, 2, told.append)
    ready = [node for node in graph.nodes.values() if node.engine.models and not node.call.needs]
    assert {node.engine.name for node in ready} == {"sdxl", "gpt_sovits", "musicgen"}
    for node in ready:
        queue.add(node, None)  # type: ignore[arg-type]
    assert queue.take((), others_work=False) is not None
    figures = told[0].plan
    assert figures.peak_bytes <= figures.budget_bytes <= 15.5 * 2**30
    assert figures.proven
    stills = [node for node in graph.nodes.values() if node.engine.name == "sdxl"]
    assert all({"controlnet_openpose", "controlnet_depth"} <= set(node.engine.models) for node in stills)


def test_with_some_models_it_is_a_mix_and_both_halves_are_said(studio: Any) -> None:
    toolbox = studio(*IMAGES)
    state = plan(toolbox)
    found = engines(state, toolbox)
    assert found["s1.still"] == "sdxl"
    assert found["s1.motion"] == "parallax", "the painted pictures are what the film shows"
    said = state["messages"][-1].text
    assert "pictures by sdxl" in said
    assert (
        "Not musicgen for music: the model musicgen_small is not here (2.4 GB). To have it: studio models pull" in said
    )
    assert "Not gpt_sovits for voices (Luca): no server answers at" in said
    assert "Not ltx_distilled for motion: the model ltx_video_distilled is not here" in said
    assert "Not svd" not in said, "the first that can be had is enough"


def test_with_no_models_everything_is_made_all_the_same_and_what_would_be_better_is_named(studio: Any) -> None:
    toolbox = studio()
    state = plan(toolbox)
    assert set(engines(state, toolbox).values()) <= {"draft", "espeak", "score", "animatic", ""}
    board, lineup = state["storyboard"], state["lineup"]
    assert isinstance(board, Storyboard)
    assert isinstance(lineup, Lineup)
    assert any("studio models pull sdxl_base" in line for line in tell_lineup(lineup, board, Replies("en")))
