"""FaceID, FaceID Plus v2, InstantID: a face acts by its weight, in its own mask, and leaves no trace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evals.checkpoints.build import built
from evals.checkpoints.faces import make_face_pack
from evals.checkpoints.identity import make_faceid, make_instantid
from tests.tools.identity.stills import write_portrait
from tests.tools.image.sdxl.conftest import ONE, TWO, Studio, asked, difference, state_of
from tools.errors import InvalidInput, MissingPrerequisite
from tools.identity.alignment import TEMPLATE
from tools.image.sdxl.face_points import COLOURS, draw_face_points, face_points
from tools.image.sdxl.references import style_of
from tools.image.tool import OnStage

STYLES = ["faceid", "faceid_plus", "instantid"]


@pytest.fixture(params=STYLES)
def style(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def on_shelf(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What is on this machine by name; the code asks for it where it asks the shelf."""
    from evals.checkpoints.sdxl import make_controlnet

    pack = str(built(make_face_pack))
    there = {"arcface": pack, "antelopev2": pack, "instantid_net": str(built(make_controlnet, seed=44))}
    monkeypatch.setattr("tools.identity.face_pack.placed_pack", lambda name="arcface": there.get(name, ""))
    monkeypatch.setattr("tools.image.sdxl.identity.placed", lambda path, name: path or there.get(name, ""))
    monkeypatch.setattr("tools.image.sdxl.plan.placed", lambda path, name: path or there.get(name, ""))
    return there


def adapter_of(style: str) -> Path:
    return built(make_instantid) if style == "instantid" else built(make_faceid, plus=style == "faceid_plus")


def register(studio: Studio, file: Path, scale: float = 0.8) -> None:
    from configs.images import load_images
    from evals.checkpoints.sdxl import make_ip_adapter

    encoder = built(make_ip_adapter).parent / "image_encoder"
    entry = {"about": "tiny", "file": str(file), "image_encoder": str(encoder), "scale": scale}
    studio.config("images", {**load_images().model_dump(mode="json"), "identity": entry})


@pytest.fixture
def portraits(tmp_path: Path) -> list[str]:
    return [str(write_portrait(tmp_path / f"face{pattern}.png", pattern)) for pattern in (1, 2)]


def references(*uses: tuple[str, str], **more: Any) -> dict[str, Any]:
    return {"references": [{"image": image, "character": who} for image, who in uses], **more}


def test_the_files_are_told_apart_by_their_tensors(style: str) -> None:
    assert style_of(adapter_of(style)) == style


@pytest.mark.usefixtures("on_shelf")
def test_a_face_changes_the_picture_by_its_weight_and_leaves_no_trace(
    studio: Studio, style: str, portraits: list[str], plain_picture: np.ndarray
) -> None:
    register(studio, adapter_of(style))
    before = state_of(studio.pipeline)
    one = studio.draw(asked(rendering=references((portraits[0], ""))))
    assert difference(one, plain_picture) > 0.5
    assert np.array_equal(studio.draw(asked(rendering=references((portraits[0], "")))), one)
    assert difference(studio.draw(asked(rendering=references((portraits[1], "")))), one) > 0.05
    assert difference(studio.draw(asked(rendering=references((portraits[0], ""), identity=0.3))), one) > 0.05
    both = studio.draw(asked(rendering=references((portraits[0], ""), (portraits[1], ""))))
    assert difference(both, one) > 0.02
    assert np.array_equal(studio.draw(asked(rendering=references((portraits[0], ""), identity=0.0))), plain_picture)
    assert state_of(studio.pipeline) == before
    assert np.array_equal(studio.draw(asked()), plain_picture)


@pytest.mark.usefixtures("on_shelf")
def test_a_lone_characters_own_reference_acts_as_everybodys(studio: Studio, style: str, portraits: list[str]) -> None:
    register(studio, adapter_of(style))
    all_of_them = studio.draw(asked(ONE, rendering=references((portraits[0], ""))))
    assert np.array_equal(studio.draw(asked(ONE, rendering=references((portraits[0], "luca")))), all_of_them)


@pytest.mark.usefixtures("on_shelf")
def test_a_references_own_weight_counts(studio: Studio, portraits: list[str]) -> None:
    register(studio, adapter_of("faceid"), scale=0.8)
    use = {"image": portraits[0], "character": "luca"}
    half = studio.draw(asked(rendering={"references": [{**use, "weight": 0.5}]}))
    assert np.array_equal(half, studio.draw(asked(rendering={"references": [use], "identity": 0.4})))


def test_two_characters_faces_stay_in_their_masks(
    larger: Studio, style: str, portraits: list[str], on_shelf: dict[str, str]
) -> None:
    from tools.layout.png import read_png

    if style == "instantid":
        # Its ControlNet shows a face's place to the whole picture; the adapter alone is held to the masks.
        on_shelf["instantid_net"] = str(_silent_net())
    register(larger, adapter_of(style), scale=1.0)
    size = {"width": 192, "height": 192}
    drawn = {}
    for who in ("luca", "alberto"):
        other = "alberto" if who == "luca" else "luca"
        kept = (portraits[0], other)
        first, second = (larger.draw(asked(TWO, rendering=references((one, who), kept), **size)) for one in portraits)
        changed = np.abs(first - second)
        assert larger.output is not None
        masks = {name: read_png(larger.out / mask)[..., 0] > 127 for name, mask in larger.output.masks.items()}
        drawn[who] = float(changed[masks[who]].mean() / max(changed[masks[other]].mean(), 1e-6))
    assert drawn["luca"] > 1.5
    assert drawn["alberto"] > 1.5


def _silent_net() -> Path:
    from evals.checkpoints.sdxl import make_controlnet

    folder = built(make_silent_net, net=built(make_controlnet, seed=44))
    return Path(folder)


def make_silent_net(folder: Path, net: Path) -> Path:
    """A ControlNet as untrained ones are: it answers zero."""
    import shutil

    from safetensors.torch import load_file, save_file

    shutil.copytree(net, folder / "net")
    file = folder / "net" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(str(file))
    for name in tensors:
        if name.startswith(("controlnet_down_blocks", "controlnet_mid_block")):
            tensors[name] = tensors[name] * 0.0
    save_file(tensors, str(file), metadata={"format": "pt"})
    return folder / "net"


@pytest.mark.usefixtures("on_shelf")
def test_with_a_lora_both_are_off_afterwards(
    studio: Studio, style: str, portraits: list[str], plain_picture: np.ndarray, make_lora_file: Any
) -> None:
    register(studio, adapter_of(style))
    before = state_of(studio.pipeline)
    lora = {"loras": [{"file": str(make_lora_file()), "weight": 0.7}]}
    both = studio.draw(asked(rendering=references((portraits[0], ""), **lora)))
    face = studio.draw(asked(rendering=references((portraits[0], ""))))
    worn = studio.draw(asked(rendering=lora))
    assert min(difference(both, face), difference(both, worn), difference(face, worn)) > 0.3
    assert state_of(studio.pipeline) == before
    assert np.array_equal(studio.draw(asked()), plain_picture)


def test_instantids_net_reads_the_faces_and_where_they_are(
    studio: Studio, portraits: list[str], on_shelf: dict[str, str]
) -> None:
    register(studio, adapter_of("instantid"))
    here = studio.draw(asked(rendering=references((portraits[0], ""))))
    left = [{**ONE[0], "x": 0.25}]
    assert difference(studio.draw(asked(left, rendering=references((portraits[0], "")))), here) > 0.1
    on_shelf["instantid_net"] = str(_silent_net())
    assert difference(studio.draw(asked(rendering=references((portraits[0], "")))), here) > 0.1
    del on_shelf["instantid_net"]
    with pytest.raises(MissingPrerequisite, match="studio models pull instantid_net"):
        studio.draw(asked(rendering=references((portraits[0], ""))))


def test_a_picture_without_a_face_and_a_missing_pack_are_told(
    studio: Studio,
    style: str,
    tmp_path: Path,
    portraits: list[str],
    plain_picture: np.ndarray,
    on_shelf: dict[str, str],
) -> None:
    register(studio, adapter_of(style))
    nobody = write_portrait(tmp_path / "landscape.png", None)
    before = state_of(studio.pipeline)
    with pytest.raises(InvalidInput, match=r"landscape\.png.*no face"):
        studio.draw(asked(rendering=references((str(nobody), ""))))
    pack = "antelopev2" if style == "instantid" else "arcface"
    del on_shelf[pack]
    with pytest.raises(MissingPrerequisite, match=f"studio models path {pack}"):
        studio.draw(asked(rendering=references((portraits[0], ""))))
    assert state_of(studio.pipeline) == before
    assert np.array_equal(studio.draw(asked()), plain_picture)


@pytest.mark.usefixtures("on_shelf")
def test_a_pickle_is_refused_with_how_to_convert_it(studio: Studio, tmp_path: Path, portraits: list[str]) -> None:
    import torch

    for name in ("ip-adapter-faceid_sdxl.bin", "disguised.safetensors"):
        file = tmp_path / name
        torch.save({"image_proj": {"proj.0.weight": torch.zeros(4, 512)}, "ip_adapter": {}}, file)
        register(studio, file)
        with pytest.raises(InvalidInput, match=rf"{name}.*pickle.*weights_only=True"):
            studio.draw(asked(rendering=references((portraits[0], ""))))


def test_what_the_hint_says_converts(tmp_path: Path) -> None:
    import shlex
    import subprocess
    import sys

    import torch
    from safetensors.torch import load_file

    from tools.image.sdxl.identity import CONVERT

    theirs = load_file(str(built(make_faceid)))
    parts: dict[str, dict[str, Any]] = {"image_proj": {}, "ip_adapter": {}}
    for name, tensor in theirs.items():
        part, _, rest = name.partition(".")
        parts[part][rest] = tensor
    torch.save(parts, tmp_path / "in.bin")
    command = CONVERT[CONVERT.index("python -c") :]
    command = command.replace("IN.bin", str(tmp_path / "in.bin")).replace("OUT.safetensors", str(tmp_path / "out"))
    subprocess.run([sys.executable, *shlex.split(command)[1:]], check=True)
    ours = load_file(str(tmp_path / "out"))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize("how", ["torn", "empty", "another width"])
@pytest.mark.usefixtures("on_shelf")
def test_a_broken_file_is_named_and_nothing_stays(
    studio: Studio, style: str, how: str, tmp_path: Path, portraits: list[str]
) -> None:
    from safetensors.torch import load_file, save_file

    whole = adapter_of(style)
    file = tmp_path / "broken.safetensors"
    if how == "another width":
        tensors = {
            n: t[:, : t.shape[1] // 2].contiguous() if "_ip." in n else t for n, t in load_file(str(whole)).items()
        }
        save_file(tensors, str(file))
    else:
        file.write_bytes(b"" if how == "empty" else whole.read_bytes()[: whole.stat().st_size // 2])
    register(studio, file)
    before = state_of(studio.pipeline)
    with pytest.raises(InvalidInput, match=r"broken\.safetensors"):
        studio.draw(asked(rendering=references((portraits[0], ""))))
    assert state_of(studio.pipeline) == before


def person(face: tuple[float, float, float, float], eyes: bool = True, back: bool = False) -> OnStage:
    keypoints = [(0.0, 0.0, 0.0)] * 18
    if eyes:
        x0, y0, x1, y1 = face
        middle, third = (x0 + x1) / 2, y0 + (y1 - y0) * 0.4
        keypoints[14], keypoints[15] = (middle - 20, third, 1.0), (middle + 20, third, 1.0)
        keypoints[0] = (middle, third + 22, 1.0)
    return OnStage(body=face, face=face, visible=1, in_frame=1, hidden_by={}, keypoints=keypoints, facing_back=back)


def test_face_points_are_the_layouts_and_drawn_as_published() -> None:
    stage = {"luca": person((100, 50, 200, 150)), "alberto": person((300, 50, 400, 150), eyes=False)}
    luca, alberto = face_points(stage, [""])
    # The left point in the picture is the person's right eye.
    assert luca[0] == pytest.approx((130, 90), abs=1.0)
    assert luca[1] == pytest.approx((170, 90), abs=1.0)
    assert luca[3][1] > luca[2][1] > luca[0][1]
    assert all(300 < x < 400 and 50 < y < 150 for x, y in alberto)
    assert face_points(stage, ["luca"]) == [luca]
    assert face_points({"luca": person((0, 0, 9, 9), back=True)}, [""]) == []
    drawn = draw_face_points([luca], (500, 300), (1000, 600))
    for (x, y), colour in zip(luca, COLOURS, strict=True):
        assert tuple(drawn[round(2 * y), round(2 * x)]) == colour
    assert not draw_face_points([], (500, 300), (64, 64)).any()
    assert len(TEMPLATE) == len(COLOURS)
