"""What Wav2Lip hears, sees and draws; its weights; and how a face is followed."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from evals.checkpoints.build import built
from evals.checkpoints.wav2lip import make_wav2lip_pickle, make_wav2lip_weights
from tools.errors import BadOutput, InvalidInput, MissingPrerequisite
from tools.image.tool import OnStage
from tools.model import Placing
from tools.video.lip.convert import convert, main
from tools.video.lip.faces import hidden_because, track_face
from tools.video.lip.mel import RATE, mel_bands, mel_spectrogram, mel_window
from tools.video.lip.mouths import face_cut, lay_mouth, speak
from tools.video.lip.network import build_network
from tools.video.lip.weights import Wav2LipWeights


def test_the_network_has_the_published_shape() -> None:
    """Names, shapes and number of parameters of models/wav2lip.py of github.com/Rudrabha/Wav2Lip."""
    network = build_network(16)
    state = network.state_dict()
    assert sum(parameter.numel() for parameter in network.parameters()) == 36_298_035
    published = {
        "face_encoder_blocks.2.3.conv_block.1.running_var": (64,),
        "face_encoder_blocks.6.1.conv_block.0.weight": (512, 512, 1, 1),
        "audio_encoder.9.conv_block.0.weight": (256, 128, 3, 3),
        "audio_encoder.12.conv_block.0.bias": (512,),
        "face_decoder_blocks.1.0.conv_block.0.weight": (1024, 512, 3, 3),
        "face_decoder_blocks.3.0.conv_block.0.weight": (768, 384, 3, 3),
        "face_decoder_blocks.6.2.conv_block.0.weight": (64, 64, 3, 3),
        "output_block.0.conv_block.0.weight": (32, 80, 3, 3),
        "output_block.1.weight": (3, 32, 1, 1),
    }
    assert {name: tuple(state[name].shape) for name in published} == published
    with torch.inference_mode():
        assert network.eval()(torch.zeros(2, 1, 80, 16), torch.zeros(2, 6, 96, 96)).shape == (2, 3, 96, 96)


def test_the_bands_are_those_of_librosa() -> None:
    from transformers.audio_utils import mel_filter_bank

    theirs = mel_filter_bank(401, 80, 55.0, 7600.0, RATE, norm="slaney", mel_scale="slaney").T
    assert np.abs(mel_bands() - theirs).max() < 1e-6


def test_a_tone_lies_in_its_band_and_silence_at_the_bottom() -> None:
    t = np.arange(RATE) / RATE
    tone = mel_spectrogram(0.5 * np.sin(2 * np.pi * 1000 * t))
    assert tone.shape == (80, 81)
    centres = mel_bands().argmax(axis=1) * RATE / 800
    assert abs(centres[int(tone[:, 40].argmax())] - 1000) < 60
    silence = mel_spectrogram(np.zeros(RATE))
    assert float(silence.max()) == -4.0
    assert np.isfinite(mel_spectrogram(np.zeros(3))).all()


def test_a_window_is_a_fifth_of_a_second_and_never_past_the_end() -> None:
    mel = np.arange(80 * 100, dtype=np.float32).reshape(80, 100)
    assert np.array_equal(mel_window(mel, 0.5), mel[:, 40:56])
    assert np.array_equal(mel_window(mel, -3.0), mel[:, :16])
    assert np.array_equal(mel_window(mel, 99.0), mel[:, 84:])
    assert mel_window(mel[:, :5], 0.0).shape == (80, 16)


def test_the_published_pickle_is_converted_and_read(tmp_path: Path, capsys: Any) -> None:
    pickled = built(make_wav2lip_pickle)
    assert main([str(pickled), str(tmp_path / "w.safetensors")]) == 0
    assert "studio models path wav2lip" in capsys.readouterr().out
    state = load_file(tmp_path / "w.safetensors")
    assert not any(name.startswith("module.") for name in state)
    weights = Wav2LipWeights()
    weights.check(str(tmp_path / "w.safetensors"))
    network = weights.load(str(tmp_path / "w.safetensors"), Placing())
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, state[name])
    assert list(weights.modules()) == ["network"]
    weights.unload()
    assert not weights.modules()


class _Evil:
    def __reduce__(self) -> Any:
        return os.system, ("touch owned",)


def test_a_pickle_with_a_program_in_it_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, data in (("zip.pth", None), ("old.pth", pickle.dumps({"state_dict": _Evil()}, protocol=2))):
        if data is None:
            torch.save({"state_dict": _Evil()}, tmp_path / name)
        else:
            (tmp_path / name).write_bytes(data)
        with pytest.raises(InvalidInput, match=name):
            convert(tmp_path / name, tmp_path / "w.safetensors")
    assert not (tmp_path / "owned").exists()
    assert not (tmp_path / "w.safetensors").exists()
    # The control: read as people read it everywhere, it runs.
    torch.load(tmp_path / "zip.pth", weights_only=False)
    assert (tmp_path / "owned").exists()


def _changed(change: Any) -> Any:
    def spoil(path: Path) -> None:
        state = load_file(path)
        change(state)
        save_file(state, path)

    return spoil


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-500])


def _nan(state: dict[str, torch.Tensor]) -> None:
    state["output_block.1.bias"][0] = float("nan")


def _wider(state: dict[str, torch.Tensor]) -> None:
    state["output_block.1.weight"] = torch.zeros(4, 2, 1, 1)


SPOILT: dict[str, tuple[Any, str]] = {
    "nothing": (lambda path: path.write_bytes(b""), "w.safetensors"),
    "cut off": (_cut, "w.safetensors"),
    "a pickle": (lambda path: path.write_bytes(pickle.dumps({"a": 1})), "pickle"),
    "a layer less": (_changed(lambda state: state.pop("audio_encoder.3.conv_block.0.weight")), "lacks audio_encoder"),
    "a layer more": (_changed(lambda state: state.update(extra=torch.zeros(2))), "holds what Wav2Lip has not: extra"),
    "another network": (_changed(lambda state: state.pop("face_encoder_blocks.0.0.conv_block.0.weight")), "is no chec"),
    "another shape": (_changed(_wider), r"output_block\.1\.weight has the shape"),
    "no numbers": (_changed(_nan), r"output_block\.1\.bias holds values that are no numbers"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_what_is_no_checkpoint_is_refused_by_name(tmp_path: Path, name: str) -> None:
    spoil, told = SPOILT[name]
    path = tmp_path / "w.safetensors"
    path.write_bytes(built(make_wav2lip_weights).read_bytes())
    spoil(path)
    weights = Wav2LipWeights()

    def use() -> None:
        weights.check(str(path))
        weights.load(str(path), Placing())

    with pytest.raises(InvalidInput, match=told):
        use()
    assert not weights.modules()


def test_weights_that_are_not_there_come_with_the_command() -> None:
    for source in ("", "/nowhere/w.safetensors"):
        with pytest.raises(MissingPrerequisite, match=r"tools\.video\.lip\.convert"):
            Wav2LipWeights().check(source)


def faces_to_show(count: int = 3) -> list[np.ndarray]:
    dice = np.random.default_rng(1)
    return [dice.integers(0, 255, (60, 50, 3), dtype=np.uint8) for _ in range(count)]


def test_a_mouth_follows_the_face_and_the_sound() -> None:
    network = Wav2LipWeights().load(str(built(make_wav2lip_weights)), Placing())
    quiet, loud = np.full((80, 16), -4.0, np.float32), np.full((80, 16), 2.0, np.float32)
    faces = faces_to_show()
    silent, speaking, again = (speak(network, faces, [sound] * 3) for sound in (quiet, loud, quiet))
    assert silent[0].shape == (96, 96, 3)
    assert silent[0].dtype == np.uint8
    assert all(np.array_equal(a, b) for a, b in zip(silent, again, strict=True))
    assert np.abs(silent[0].astype(int) - speaking[0]).mean() > 1
    assert np.abs(silent[0].astype(int) - silent[1]).mean() > 1


def test_the_network_is_not_shown_the_mouth_twice() -> None:
    seen: list[torch.Tensor] = []

    class Watching(torch.nn.Module):  # type: ignore[misc, unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def forward(self, sound: torch.Tensor, face: torch.Tensor) -> torch.Tensor:
            seen.append(face)
            assert sound.shape == (3, 1, 80, 16)
            return face[:, 3:]

    speak(Watching(), faces_to_show(), [np.zeros((80, 16), np.float32)] * 3)
    covered, whole = seen[0][:, :3], seen[0][:, 3:]
    assert float(covered[:, :, 48:].abs().max()) == 0
    assert torch.equal(covered[:, :, :48], whole[:, :, :48])
    assert 0.2 < float(whole.mean()) < 0.8


@pytest.mark.parametrize(("value", "told"), [(float("nan"), "no numbers"), (0.5, "of one colour")])
def test_what_is_no_mouth_is_refused(value: float, told: str) -> None:
    class Broken(torch.nn.Module):  # type: ignore[misc, unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def forward(self, _sound: torch.Tensor, face: torch.Tensor) -> torch.Tensor:
            return torch.full_like(face[:, :3], value)

    with pytest.raises(BadOutput, match=told):
        speak(Broken(), faces_to_show(1), [np.zeros((80, 16), np.float32)])


def test_a_mouth_is_laid_on_without_a_seam_and_only_where_it_is() -> None:
    frame = np.full((200, 300, 4), 100, np.uint8)
    cut = face_cut((100.0, 40.0, 180.0, 120.0), (300, 200))
    assert cut == (100, 40, 180, 128)
    lay_mouth(frame, cut, np.full((96, 96, 3), 200, np.uint8), 1.0)
    changed = frame[..., 0] != 100
    rows, columns = np.nonzero(changed.any(axis=1))[0], np.nonzero(changed.any(axis=0))[0]
    assert rows.min() >= 40 + 44
    assert rows.max() < 128
    assert columns.min() >= 100
    assert columns.max() < 180
    assert frame[108, 140, 0] == 200
    assert int(np.abs(np.diff(frame[..., 0].astype(int), axis=0)).max()) < 40, "no edge"
    assert int(np.abs(np.diff(frame[..., 0].astype(int), axis=1)).max()) < 40
    assert (frame[..., 3] == 100).all()
    half = np.full((200, 300, 4), 100, np.uint8)
    lay_mouth(half, cut, np.full((96, 96, 3), 200, np.uint8), 0.5)
    assert half[108, 140, 0] == 150


def test_a_face_at_the_edge_is_cut_within_the_frame() -> None:
    for face in ((-30.0, -20.0, 40.0, 60.0), (280.0, 150.0, 360.0, 260.0), (500.0, 500.0, 520.0, 520.0)):
        x0, y0, x1, y1 = face_cut(face, (300, 200))
        assert 0 <= x0 < x1 <= 300
        assert 0 <= y0 < y1 <= 200


def scene(x: float, y: float, size: float, dice: np.random.Generator, mouth: float = 0.0) -> np.ndarray:
    """A grey picture with something like a face of that size at a place, on ground that is not plain."""
    rows, columns = np.mgrid[0:180, 0:320].astype(np.float32)
    picture = 90 + 20 * np.sin(columns / 37) + 15 * np.cos(rows / 23)
    u, v = (columns - x) / size, (rows - y) / size

    def blob(cx: float, cy: float, rx: float, ry: float) -> np.ndarray:
        return np.asarray(np.clip(1.5 - 1.5 * np.hypot((u - cx) / rx, (v - cy) / ry), 0, 1))

    for cx, cy, rx, ry, value in ((0.5, 0.5, 0.5, 0.6, 190), (0.3, 0.4, 0.1, 0.1, 20), (0.7, 0.4, 0.1, 0.1, 20),
                                  (0.5, 0.57, 0.06, 0.1, 140), (0.5, 0.82, 0.2, 0.03 + mouth, 60)):  # fmt: skip
        part = blob(cx, cy, rx, ry)
        picture = picture * (1 - part) + value * part
    noisy: np.ndarray = np.clip(picture + dice.normal(0, 2, picture.shape), 0, 255).astype(np.uint8)
    return noisy


def test_a_face_is_followed_as_it_moves_grows_and_speaks() -> None:
    dice = np.random.default_rng(3)
    still = scene(120, 60, 60, dice)
    truth = [(130 + 2.0 * n, 66 + 6 * np.sin(n / 5), 63 * 1.006**n) for n in range(30)]
    frames = [scene(x, y, s, dice, mouth=0.08 * (n % 2)) for n, (x, y, s) in enumerate(truth)]
    track = track_face(still, (120.0, 60.0, 180.0, 120.0), frames)
    assert track.found == 1.0
    for (x, y, s), box in zip(truth, track.boxes, strict=True):
        assert abs((box[0] + box[2]) / 2 - (x + s / 2)) < 4.0
        assert abs((box[1] + box[3]) / 2 - (y + s / 2)) < 4.0
        assert abs(box[2] - box[0] - s) < 0.1 * s


def test_where_there_is_no_face_none_is_found() -> None:
    dice = np.random.default_rng(4)
    still = scene(120, 60, 60, dice)
    empty = [scene(900, 900, 60, dice) for _ in range(8)]
    assert track_face(still, (120.0, 60.0, 180.0, 120.0), empty).found == 0.0
    assert track_face(still, (120.0, 60.0, 180.0, 120.0), []).boxes == ()


def stage(**changes: Any) -> OnStage:
    whole = {"body": (100, 100, 200, 700), "face": (120, 110, 220, 220), "visible": 0.9, "in_frame": 1.0,
             "hidden_by": {}, "keypoints": [], **changes}  # fmt: skip
    return OnStage.model_validate(whole)


@pytest.mark.parametrize(
    ("where", "told"),
    [
        (None, "not in the picture"),
        (stage(facing_back=True), "from behind"),
        (stage(face=(-90, 110, 10, 220)), "outside the frame"),
        (stage(visible=0.1), "hidden"),
        (stage(face=(120, 110, 140, 130)), "too far away"),
        (stage(), ""),
        (stage(visible=0.4, in_frame=0.5), ""),
    ],
)
def test_lips_that_cannot_be_seen_are_known(where: OnStage | None, told: str) -> None:
    why = hidden_because(where, (1280, 720))
    assert told in why
    assert bool(why) == bool(told)
