"""A workflow draws a shot: every input reaches its node, errors are told by node, a stop reaches the server."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml

from tests.tools.image.comfyui.double import ComfyDouble, comfy
from tools.base import EngineContext
from tools.errors import (
    BadOutput,
    Cancelled,
    EngineCrashed,
    EngineFailed,
    EngineHung,
    InvalidInput,
    MissingPrerequisite,
    OutOfMemory,
)
from tools.image.comfyui.engine import ComfyImage, ComfyRemoteImage, drawn_size
from tools.image.tool import GenerateImage
from tools.layout.png import read_png, write_png
from tools.runtime.services.http import ServerHttp

CAST = [{"id": "luca", "name": "Luca", "known": True}, {"id": "alberto", "name": "Alberto", "known": True}]
TWO = [{"character": "alberto", "x": 0.7, "depth": 0.0}, {"character": "luca", "x": 0.3, "depth": 0.0}]


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs, "_meta": {"title": kind}}


def a_workflow() -> dict[str, Any]:
    return {
        "3": node("KSampler", seed=1, steps=20, cfg=7.0, denoise=1.0, model=["4", 0], positive=["6", 0]),
        "4": node("CheckpointLoaderSimple", ckpt_name="sdxl.safetensors"),
        "5": node("EmptyLatentImage", width=1024, height=1024, batch_size=1),
        "6": node("CLIPTextEncode", text="a cat", clip=["4", 1]),
        "7": node("CLIPTextEncode", text="bad", clip=["4", 1]),
        "8": node("VAEDecode", samples=["3", 0], vae=["4", 2]),
        "9": node("SaveImage", filename_prefix="ComfyUI", images=["8", 0]),
        "12": node("LoadImage", image="example.png"),
        "20": node("CLIPTextEncode", text="", clip=["4", 1]),
        "21": node("LoadImageMask", image="example.png", channel="red"),
        "30": node("CLIPTextEncode", text="", clip=["4", 1]),
        "31": node("LoadImageMask", image="example.png", channel="red"),
    }


INPUTS = {
    "prompt": "6.text", "negative": "7.text", "seed": "3.seed", "steps": "3.steps", "guidance": "3.cfg",
    "width": "5.width", "height": "5.height", "strength": "3.denoise", "controls": {"openpose": "12.image"},
    "people": [{"prompt": "20.text", "mask": "21.image"}, {"prompt": "30.text", "mask": "31.image"}],
}  # fmt: skip


class Desk:
    """An engine, its configuration in a folder of its own, and the server it speaks to."""

    def __init__(self, folder: Path, server: ComfyDouble) -> None:
        self.folder, self.server, self.calls = folder, server, 0
        self.workflow, self.inputs = a_workflow(), dict(INPUTS)
        self.more: dict[str, Any] = {}
        self.http = ServerHttp("comfyui", server.url)
        self.notes: list[str] = []

    def engine(self, kind: type[ComfyImage] = ComfyImage) -> ComfyImage:
        file = self.folder / "flow.json"
        if isinstance(self.workflow, dict):
            file.write_text(json.dumps(self.workflow))
        flow = {"about": "tests", "file": "flow.json", "megapixels": 0.06, **self.inputs}
        config = {"default": "mine", "workflows": {"mine": flow}, **self.more}
        (self.folder / "comfyui.yaml").write_text(yaml.safe_dump(config))
        return type(
            "Engine", (kind,),
            {"comfyui": self.folder / "comfyui.yaml", "services": self.folder / "services.yaml", "polls": (0.01, 0.02)},
        )()  # fmt: skip

    def draw(self, seed: int = 7, engine: ComfyImage | None = None, **given: Any) -> np.ndarray:
        self.calls += 1
        out = self.folder / f"out{self.calls}"
        out.mkdir()
        context = {key: given.pop(key) for key in ("is_cancelled", "report", "open_artifact") if key in given}
        ctx = EngineContext(
            out=out, seed=seed, models={"comfyui": SimpleNamespace(http=self.http)},
            **{"open_artifact": lambda key: pytest.fail(key), **context},
        )  # fmt: skip
        output = (engine or self.engine()).run(asked(**given), ctx)
        self.out, self.notes = out, output.notes
        assert output.image == "still.png"
        assert set(output.masks) == {"luca", "alberto"}
        return read_png(out / "still.png").astype(int)

    @property
    def sent(self) -> dict[str, Any]:
        """The inputs by node of the workflow that was sent last."""
        return {number: one["inputs"] for number, one in self.server.prompts[-1].items()}

    def uploaded(self, name: str) -> np.ndarray:
        file = self.folder / "uploaded.png"
        file.write_bytes(self.server.inputs[name])
        return read_png(file)


def asked(rendering: dict[str, Any] | None = None, **shot: Any) -> GenerateImage.Input:
    return GenerateImage.Input.model_validate(
        {
            "shot": {"id": "s1", "framing": "full", "placements": TWO, **shot},
            "cast": CAST,
            "width": 192,
            "height": 108,
            "maps": ["depth"],
            "rendering": rendering,
        }
    )


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with comfy() as server:
        yield Desk(tmp_path, server)


def test_every_input_reaches_its_node(desk: Desk) -> None:
    rendering = {"steps": 12, "guidance": 5.5, "prompt": "(golden light)1.3", "negative": "rain"}
    picture = desk.draw(seed=41, rendering=rendering)
    assert picture.shape == (108, 192, 3)
    sent = desk.sent
    assert (sent["3"]["seed"], sent["3"]["steps"], sent["3"]["cfg"]) == (41, 12, 5.5)
    assert (sent["5"]["width"], sent["5"]["height"]) == drawn_size(192, 108, desk.engine()._known().workflows["mine"])
    assert "(golden light:1.3)" in sent["6"]["text"]
    assert "rain" in sent["7"]["text"]
    assert "boy" in sent["20"]["text"]
    assert sent["20"]["text"] != sent["30"]["text"]
    assert sent["4"] == {"ckpt_name": "sdxl.safetensors"}, "the rest is as the workflow has it"
    assert sent["3"]["positive"] == ["6", 0]
    size = (sent["5"]["height"], sent["5"]["width"])
    pose, left, right = (desk.uploaded(sent[number]["image"]) for number in ("12", "21", "31"))
    assert pose.shape[:2] == left.shape[:2] == size
    assert pose.max() == 255
    columns = [np.flatnonzero((mask[..., 0] > 127).any(axis=0)).mean() for mask in (left, right)]
    assert columns[0] < size[1] / 2 < columns[1], "the leftmost person is in the first slot"
    assert (desk.out / "layout.png").is_file()
    assert (desk.out / "depth.png").is_file()


def test_each_input_changes_the_picture_and_the_same_gives_the_same(desk: Desk) -> None:
    first = desk.draw()
    assert np.array_equal(desk.draw(), first)
    for change in ({"seed": 8}, {"rendering": {"steps": 9}}, {"rendering": {"prompt": "snow"}}, {"framing": "medium"}):
        assert np.abs(desk.draw(**change) - first).mean() > 1.0, change


def test_a_persons_own_pictures_go_before_the_layouts(desk: Desk, tmp_path: Path) -> None:
    own = tmp_path / "pose.png"
    write_png(own, np.full((90, 160, 3), 77, np.uint8))
    desk.workflow["40"] = node("LoadImage", image="example.png")
    desk.inputs = {**INPUTS, "reference": "40.image", "start": "40.image"}
    del desk.inputs["start"]
    control = [{"kind": "openpose", "image": str(own)}, {"kind": "reference", "image": str(own)}]
    desk.draw(control=[*control, {"kind": "canny", "image": str(own)}])
    assert desk.uploaded(desk.sent["12"]["image"]).max() == 77
    assert desk.uploaded(desk.sent["40"]["image"]).shape[:2] == (90, 160)
    assert any("canny" in note for note in desk.notes)


def test_a_picture_to_begin_from(desk: Desk, tmp_path: Path) -> None:
    own = tmp_path / "start.png"
    write_png(own, np.full((108, 192, 3), 50, np.uint8))
    with pytest.raises(InvalidInput, match="begin from"):
        desk.draw(rendering={"start_image": str(own)})
    desk.workflow["40"] = node("LoadImage", image="example.png")
    desk.inputs = {**INPUTS, "start": "40.image"}
    desk.draw(rendering={"start_image": str(own), "strength": 0.4})
    assert desk.sent["3"]["denoise"] == 0.4
    assert desk.uploaded(desk.sent["40"]["image"]).max() == 50


def test_what_the_workflow_does_not_take_is_said(desk: Desk) -> None:
    desk.inputs = {"prompt": "6.text", "people": [{"prompt": "20.text", "mask": "21.image"}]}
    desk.workflow = {key: value for key, value in a_workflow().items() if key not in ("12", "31")}
    desk.draw(rendering={"steps": 9, "loras": [{"name": "portorosso"}]})
    assert any("no input for steps" in note for note in desk.notes)
    assert any("decides about loras" in note for note in desk.notes)
    assert any("slots for 1 people" in note for note in desk.notes)
    assert desk.sent["3"]["steps"] == 20


@pytest.mark.parametrize(
    ("fail", "error", "told"),
    [
        ("oom", OutOfMemory, r"node 3 \(KSampler\).*Allocation on device"),
        ("node", EngineFailed, r"node 3 \(KSampler\).*shapes cannot be multiplied"),
        ("interrupted", EngineFailed, "somebody interrupted"),
        ("black", BadOutput, "blank"),
        ("garbage", BadOutput, "cannot be read as a picture"),
        ("nothing", BadOutput, "no node gave a picture"),
        ("skewed", BadOutput, "where .* was asked for"),
        ("forget", EngineFailed, "does not know the workflow any more"),
        ("die", EngineCrashed, "hung up"),
    ],
)
def test_what_goes_wrong_there_is_a_typed_error_here(desk: Desk, fail: str, error: type[Exception], told: str) -> None:
    desk.server.fail = fail
    with pytest.raises(error, match=told):
        desk.draw()
    assert not (desk.folder / "out1" / "still.png").exists()
    desk.server.fail = ""
    desk.draw()


def test_a_workflow_that_the_server_refuses_names_the_node(desk: Desk) -> None:
    desk.workflow["50"] = node("FancyCustomNode")
    with pytest.raises(InvalidInput, match="FancyCustomNode does not exist"):
        desk.draw()
    del desk.workflow["50"]
    desk.workflow["60"] = node("LoadImage", image="mine.png")
    with pytest.raises(InvalidInput, match=r"node 60 \(LoadImage\).*mine.png"):
        desk.draw()
    del desk.workflow["60"], desk.workflow["9"]
    with pytest.raises(InvalidInput, match="no outputs"):
        desk.draw()


def test_a_slow_queue_is_waited_for_and_told(desk: Desk) -> None:
    desk.server.seconds, desk.server.ahead = 0.15, 2
    told: list[str] = []
    desk.draw(report=lambda _fraction, text: told.append(text))
    assert any("before it" in text for text in told)
    assert any("ComfyUI works" in text for text in told)


def test_its_time_is_bounded_and_the_server_is_stopped(desk: Desk) -> None:
    desk.server.seconds = 5.0
    desk.more = {"limit_s": 0.2}
    with pytest.raises(EngineHung, match=r"0\.2 s"):
        desk.draw()
    assert len(desk.server.interrupted) == 1
    desk.server.seconds, desk.server.ahead, desk.more = 0.4, 2, {"queue_s": 0.1}
    with pytest.raises(EngineHung, match="did not begin"):
        desk.draw()
    assert len(desk.server.interrupted) == 1, "others' work is left alone"
    assert all(item[1].startswith("other") for item in desk.server.pending)


def test_a_stop_interrupts_it_at_once(desk: Desk) -> None:
    desk.server.seconds = 10.0
    stop = threading.Event()

    def report(_fraction: float, text: str) -> None:
        if text.startswith("ComfyUI works"):
            stop.set()

    began = time.monotonic()
    with pytest.raises(Cancelled):
        desk.draw(is_cancelled=stop.is_set, report=report)
    assert time.monotonic() - began < 5.0
    assert len(desk.server.interrupted) == 1
    desk.server.seconds = 0.0
    desk.draw()


def test_a_stop_while_it_waits_takes_it_out_of_the_queue_alone(desk: Desk) -> None:
    desk.server.seconds, desk.server.ahead = 1.0, 2
    stop = threading.Event()
    with pytest.raises(Cancelled):
        desk.draw(is_cancelled=stop.is_set, report=lambda _f, text: stop.set() if "before it" in text else None)
    assert desk.server.interrupted == []
    assert all(item[1].startswith("other") for item in desk.server.pending)


BROKEN_FILES = {
    "gone": None, "empty": "", "no json": "{", "a list": "[]", "a picture": "\x89PNG",
    "as the page saves it": json.dumps({"nodes": [], "links": [], "version": 0.4}),
    "no nodes": json.dumps({"3": {"inputs": {}}}), "deep": "[" * 100_000,
}  # fmt: skip


@pytest.mark.parametrize("how", BROKEN_FILES)
def test_a_file_that_is_no_workflow_is_named(desk: Desk, how: str) -> None:
    desk.workflow = None  # type: ignore[assignment]
    content = BROKEN_FILES[how]
    if content is not None:
        (desk.folder / "flow.json").write_text(content, encoding="latin-1")
    with pytest.raises((InvalidInput, MissingPrerequisite), match=r"flow\.json"):
        desk.engine().check()


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ({"prompt": "99.text"}, "no node '99'"),
        ({"prompt": "6.words"}, "no input 'words'"),
        ({"prompt": "6.clip"}, "comes from node 4"),
        ({"prompt": "6.text", "output": "77"}, "no node '77'"),
        ({"prompt": "6.text", "width": "5.width"}, "both width and height"),
        ({"prompt": "text"}, "prompt"),
    ],
)
def test_a_wrong_input_is_told_before_anything_runs(desk: Desk, inputs: dict[str, Any], told: str) -> None:
    desk.inputs = inputs
    with pytest.raises(InvalidInput, match=told):
        desk.engine().check()
    assert desk.server.seen == []


def test_without_a_workflow_the_way_to_one_is_named(desk: Desk) -> None:
    desk.engine()
    (desk.folder / "comfyui.yaml").write_text("workflows: {}\n")
    engine = type("Engine", (ComfyImage,), {"comfyui": desk.folder / "comfyui.yaml"})()
    with pytest.raises(MissingPrerequisite, match="Export"):
        engine.check()


def test_an_address_of_another_machine_needs_its_own_word(desk: Desk) -> None:
    services = desk.folder / "services.yaml"
    desk.more = {"remote": "far"}
    engine = desk.engine(ComfyRemoteImage)
    services.write_text("services: {}\n")
    with pytest.raises(MissingPrerequisite, match="remote: true"):
        engine.check()
    entry = "services:\n  far: {about: x, kind: comfyui, size_gb: 1, url: 'http://192.0.2.7:8188'%s}\n"
    services.write_text(entry % "")
    with pytest.raises(InvalidInput, match=r"192\.0\.2\.7 is not this machine"):
        engine.check()
    services.write_text(entry % ", remote: true")
    engine.check()
    services.write_text((entry % "").replace("http://192.0.2.7:8188", desk.server.url))
    assert np.array_equal(desk.draw(engine=engine), desk.draw())


def test_the_fingerprint_follows_workflow_inputs_and_words(desk: Desk) -> None:
    found = {desk.engine().fingerprint(asked())}
    assert desk.engine().fingerprint(asked()) in found
    desk.workflow["4"]["inputs"]["ckpt_name"] = "other.safetensors"
    found.add(desk.engine().fingerprint(asked()))
    desk.inputs = {**desk.inputs, "megapixels": 0.07}
    found.add(desk.engine().fingerprint(asked()))
    found.add(desk.engine().fingerprint(asked(rendering={"prompt": "snow"})))
    assert len(found) == 4
