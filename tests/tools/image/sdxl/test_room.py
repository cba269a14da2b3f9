"""SDXL, its refiner and its companions side by side on the cards of the profiles; on paper, no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from configs.models import ModelsFile, load_models
from configs.profiles import load_profiles
from tests.tools.image.sdxl.conftest import asked
from tools.base import Call
from tools.errors import InvalidInput
from tools.registry import Registry
from tools.runtime.device.device_queue import DeviceQueue
from tools.runtime.device.hardware import Gpu, Hardware
from tools.runtime.device.lane import Lane
from tools.runtime.device.opening import open_lane
from tools.runtime.graph import CallGraph

CARDS = {"8gb": 8.0, "16gb": 16.0, "24gb": 24.0, "48gb": 48.0}
OWN = ("sdxl_base", "sdxl_refiner")
NETS = ("controlnet_openpose", "controlnet_depth")
SEEING = ("ip_adapter_plus", "ip_adapter_encoder")


def lane(profile: str, folder: Path, here: tuple[str, ...]) -> Lane:
    gigabytes = CARDS[profile]
    card = Gpu("card", gigabytes, "570", uuid="GPU-test-1", free_gb=gigabytes, capability="8.9")
    models = load_models()
    placed = {
        name: entry.model_copy(update={"source": "/here" if name in here else ""})
        for name, entry in models.models.items()
    }
    registry = Registry.load()
    opened = open_lane(
        Hardware("Linux", "3.11", 8, 64.0, (card,)), load_profiles().profiles[profile],
        ModelsFile(copy_gb_s=models.copy_gb_s, disk_gb_s=models.disk_gb_s, models=placed), folder,
        registry.used_together(here),
    )  # fmt: skip
    assert opened is not None
    return opened


def planned(opened: Lane, engine: str, **rendering: Any) -> tuple[str, ...]:
    """The models of a call that the plan accepts."""
    args = asked(rendering=rendering).model_dump(mode="json", exclude_none=True)
    call = Call(id="still", tool="generate_image", engine=engine, args=args)
    graph = CallGraph.build([call], (), Registry.load(), None, opened.here)
    queue = DeviceQueue(graph, opened, 1, lambda _event: None)
    queue.add(graph.nodes["still"], None)  # type: ignore[arg-type]
    taken = queue.take((), others_work=False)
    assert taken is not None
    assert set(taken[2].load) == set(graph.nodes["still"].engine.models)
    peak = sum(opened.ledger.model(name).weights for name in taken[2].load)
    peak += max(opened.ledger.model(name).working for name in taken[2].load)
    assert peak <= opened.budget
    return graph.nodes["still"].engine.models


def widths(opened: Lane, *names: str) -> dict[str, str]:
    return {name: opened.base(name).width for name in names}


def test_alone_it_is_as_wide_as_it_comes_on_16_gb(tmp_path: Path) -> None:
    opened = lane("16gb", tmp_path, ("sdxl_base",))
    assert planned(opened, "sdxl") == ("sdxl_base",)
    assert widths(opened, "sdxl_base") == {"sdxl_base": "fp16"}


def test_with_two_controlnets_these_are_narrower_on_16_gb(tmp_path: Path) -> None:
    opened = lane("16gb", tmp_path, ("sdxl_base", *NETS, *SEEING))
    assert planned(opened, "sdxl") == ("sdxl_base", *NETS)
    assert widths(opened, "sdxl_base", *NETS) == {"sdxl_base": "fp16", **dict.fromkeys(NETS, "int8")}


def test_base_and_refiner_fit_16_gb_with_the_refiner_in_8_bits(tmp_path: Path) -> None:
    opened = lane("16gb", tmp_path, OWN)
    assert planned(opened, "sdxl_refined") == OWN
    assert widths(opened, *OWN) == {"sdxl_base": "fp16", "sdxl_refiner": "int8"}


def test_base_refiner_and_two_controlnets_fit_16_gb_in_8_bits(tmp_path: Path) -> None:
    opened = lane("16gb", tmp_path, (*OWN, *NETS))
    assert planned(opened, "sdxl_refined") == (*OWN, *NETS)
    assert set(widths(opened, *OWN, *NETS).values()) == {"int8"}


@pytest.mark.parametrize("profile", ["24gb", "48gb"])
def test_a_larger_card_holds_all_of_them_in_16_bits(tmp_path: Path, profile: str) -> None:
    opened = lane(profile, tmp_path, ("sdxl_base", *NETS))
    assert planned(opened, "sdxl") == ("sdxl_base", *NETS)
    assert set(widths(opened, "sdxl_base", *NETS).values()) == {"bf16"}


def test_on_8_gb_they_are_streamed(tmp_path: Path) -> None:
    opened = lane("8gb", tmp_path, (*OWN, *NETS))
    assert planned(opened, "sdxl_refined") == (*OWN, *NETS)
    assert {opened.base(name).offload for name in OWN} == {"group"}


def test_more_than_fits_is_refused_before_anything_runs(tmp_path: Path) -> None:
    many = (*NETS, "controlnet_canny", "controlnet_union")
    opened = lane("16gb", tmp_path, (*OWN, *many))
    controls = [{"kind": kind} for kind in ("openpose", "depth", "canny", "segmentation")]
    with pytest.raises(InvalidInput, match="the budget is"):
        planned(opened, "sdxl_refined", controls=controls)


def test_a_call_takes_in_what_it_uses_and_is_here(tmp_path: Path) -> None:
    opened = lane("48gb", tmp_path, ("sdxl_base", "controlnet_union", "controlnet_depth", *SEEING))
    union, depth = "controlnet_union", "controlnet_depth"
    assert planned(opened, "sdxl", controls=[]) == ("sdxl_base",)
    assert planned(opened, "sdxl", controls=[{"kind": "canny"}]) == ("sdxl_base", union)
    assert planned(opened, "sdxl", controls=[{"kind": "canny", "strength": 0.0}]) == ("sdxl_base",)
    assert planned(opened, "sdxl", controls=[{"kind": "canny", "model": "/my/own"}]) == ("sdxl_base",)
    assert planned(opened, "sdxl") == ("sdxl_base", depth, union)
    seen = [{"image": "/a.png", "character": "luca"}]
    found = Registry.load()
    call = {"shot": {"id": "s1", "framing": "full"}, "cast": [], "rendering": {"references": seen, "controls": []}}
    spec = found.pick("generate_image", "sdxl")
    given = found.tool("generate_image").tool.Input.model_validate(call)
    assert found.models_of(spec, given, opened.here) == ("sdxl_base", *SEEING)
    given = given.model_copy(update={"rendering": given.rendering.model_copy(update={"identity": 0.0})})  # type: ignore[attr-defined]
    assert found.models_of(spec, given, opened.here) == ("sdxl_base",)
