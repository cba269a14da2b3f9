"""What the doctor says of machines that are not here: hardware is told by a fake driver."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agent.doctor import examine, show_doctor
from configs.models import ModelEntry, ModelsFile
from configs.settings import Settings
from evals.checkpoints.common import safetensors_bytes
from tests.agent.test_cli import studio
from tests.tools.runtime.device.test_hardware import CARD
from tools.errors import InvalidInput, MissingPrerequisite
from tools.image.draft import DraftImage
from tools.models.shelf import Shelf
from tools.registry import Registry
from tools.runtime.residency.sizes import MeasuredSizes, machine_name

WEIGHTS = "tests.tools.runtime.tiny_models:TinyWeights"
MODELS = {
    "sdxl": ModelEntry(about="pictures", weights=WEIGHTS, weights_gb={"fp16": 6.5, "bf16": 6.5}, working_gb=4.0),
    "mind": ModelEntry(about="words", weights=WEIGHTS, weights_gb={"fp16": 28, "int8": 14, "int4": 7}, working_gb=1.0),
    "film": ModelEntry(about="motion", weights=WEIGHTS, weights_gb={"bf16": 24}, working_gb=4.0),
}


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> None:
    """An RTX 5080, as the driver tells of it."""
    answer = json.dumps({"driver": "570.1", "gpus": [CARD]})
    monkeypatch.setattr("tools.runtime.device.hardware._NVML", ["sh", "-c", f"echo '{answer}'"])
    monkeypatch.setattr("tools.runtime.device.hardware._DRIVER_SIGNS", ("/",))


@pytest.fixture
def nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.runtime.device.hardware._DRIVER_SIGNS", ("/no/such/device",))


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> None:
    load = Registry.load

    def with_models(*args: Any, **options: Any) -> Registry:
        registry = load(*args, **options)
        registry.models = ModelsFile(models=MODELS)
        return registry

    monkeypatch.setattr(Registry, "load", with_models)


def report(tmp_path: Path, **more: Any) -> dict[str, Any]:
    said = bool(more.pop("said", False))
    return examine(Settings(productions=tmp_path, **more), said=said)


@pytest.mark.usefixtures("card", "models")
def test_a_card_of_16_gb(tmp_path: Path) -> None:
    found = report(tmp_path)
    assert found["devices"] == {
        "cuda:1": "NVIDIA RTX 5080, 15.9 GiB, 15 GiB free, driver 570.1, compute capability 12.0"
    }
    assert found["profile"]["name"].startswith("16gb: ")
    assert found["profile"]["because"] == "the largest whose 16 GiB the NVIDIA RTX 5080 has"
    assert found["profile"]["budget"].startswith("15.4 GiB of cuda:1")
    assert found["profile"]["margin"].startswith("0.5 GiB ")
    assert found["profile"]["free"] == "no: other programs use 0.9 GiB of cuda:1; 15 GiB are free"
    assert found["models"]["sdxl"] == "fits cuda:1 in fp16: 6.5 GiB and 4.0 GiB to work, predicted"
    assert found["models"]["mind"].startswith("fits cuda:1 in int8: 14.0 GiB")
    assert found["models"]["film"] == "no: it comes in bf16, and cuda:1 wants fp16, int8, int4"


@pytest.mark.usefixtures("card", "models")
def test_what_was_measured_here_is_told_as_such(tmp_path: Path) -> None:
    settings = Settings(productions=tmp_path)
    sizes = MeasuredSizes(settings.state_dir, machine_name("NVIDIA RTX 5080", "570.1"))
    sizes.record("sdxl@fp16", weights=7 * 2**30)
    sizes.save()
    assert report(tmp_path)["models"]["sdxl"] == "fits cuda:1 in fp16: 7.0 GiB and 4.0 GiB to work, measured here"


@pytest.mark.usefixtures("card", "models")
def test_another_profile_fits_other_widths(tmp_path: Path) -> None:
    found = report(tmp_path, profile="8gb", said=True)
    assert found["profile"]["because"] == "named by --profile"
    assert found["profile"]["budget"].startswith("7.2 GiB")
    assert found["models"]["mind"].startswith("fits cuda:1 streamed by group")
    assert report(tmp_path, profile="8gb")["profile"]["because"].startswith("set by STUDIO_PROFILE")


@pytest.mark.usefixtures("nothing", "models")
def test_without_a_gpu(tmp_path: Path) -> None:
    found = report(tmp_path)
    assert found["ok"]
    assert found["profile"]["because"] == "no GPU was found"
    assert list(found["devices"]) == ["cpu"]
    assert found["models"]["film"].startswith("no: ")
    assert report(tmp_path, profile="16gb")["profile"]["budget"].startswith("no: it reckons with a GPU of 16 GiB")


@pytest.mark.usefixtures("card", "models")
def test_what_lies_on_this_machine_is_told_and_what_is_gone_from_where_it_lay(tmp_path: Path) -> None:
    settings = Settings(productions=tmp_path)
    assert report(tmp_path)["models on this machine"] == {"not here": "sdxl, mind, film (studio models)"}
    shelf = Shelf(settings.models_home, ModelsFile(models=MODELS))
    file = tmp_path / "sdxl.safetensors"
    file.write_bytes(safetensors_bytes({"lora_unet_x_attn2_to_k.lora_down.weight": (4, 2048)}))
    shelf.register("sdxl", file)
    found = report(tmp_path)["models on this machine"]
    assert found["sdxl"].endswith(f"registered by path: {file}")
    assert found["not here"] == "mind, film (studio models)"
    file.unlink()
    gone = report(tmp_path)["models on this machine"]["sdxl"]
    assert gone == f"lacks: {file} is gone. To mend it: studio models path sdxl PATH"


@pytest.mark.usefixtures("nothing")
def test_what_mends_an_engine_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(_self: DraftImage) -> None:
        raise MissingPrerequisite("skia is not installed.", command="pip install skia-python")

    monkeypatch.setattr(DraftImage, "check", lacking)
    found = report(tmp_path)
    assert not found["ok"]
    assert found["engines"]["generate_image/draft"] == (
        "lacks: skia is not installed. To mend it: pip install skia-python"
    )
    assert found["engines"]["compose_music/score"] == "ready"


@pytest.mark.usefixtures("card", "models")
def test_it_is_printed_and_says_whether_all_is_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STUDIO_PRODUCTIONS", str(tmp_path))
    assert show_doctor(as_json=False) == 0
    told = capsys.readouterr().out
    for heading in ("machine", "devices", "profile", "models", "engines", "libraries"):
        assert f"{heading}\n" in told
    with pytest.raises(InvalidInput, match="no profile 'huge'"):
        show_doctor(as_json=True, profile="huge")


def test_a_profile_may_be_named_on_the_command_line(tmp_path: Path) -> None:
    done = studio(tmp_path, "doctor", "--profile", "24gb", "--json")
    assert json.loads(done.stdout)["machine"]["profile"] == "24gb"
    done = studio(tmp_path, "doctor", "--profile", "quantum")
    assert done.returncode == 1
    assert "no profile 'quantum'" in done.stderr
    done = studio(tmp_path, "make", "a beach with Luca", "--profile", "quantum")
    assert done.returncode == 1
    assert "no profile 'quantum'" in done.stderr


def test_long_names_do_not_push_their_line_out_of_its_column(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUDIO_PRODUCTIONS", str(tmp_path))
    show_doctor(as_json=False)
    lines = capsys.readouterr().out.splitlines()
    engines = lines[lines.index("engines") + 1 : lines.index("eyes")]
    columns = {len(line) - len(line[2:].partition(" ")[2].lstrip()) for line in engines if line.startswith("  ")}
    assert len(columns) == 1, engines
