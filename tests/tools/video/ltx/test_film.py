"""What goes into a film of LTX-Video shows in it; its length is the shot's, to the frame; it stops when told."""

from __future__ import annotations

from typing import Any

import av
import numpy as np
import pytest

from tests.tools.video.filmed import Studio, asked, difference
from tools.errors import BadOutput, Cancelled, InvalidInput, ToolError
from tools.video.encoding import time_scale


def test_the_same_is_the_same_and_each_of_seed_words_and_steps_changes_it(studio: Studio, plain: np.ndarray) -> None:
    assert np.array_equal(studio.film(), plain)
    changed = {
        "seed": studio.film(seed=8),
        "prompt": studio.film(asked(filming={"prompt": "a red balloon flies by"})),
        "negative": studio.film(asked(filming={"negative": "a red balloon flies by"})),
        "guidance": studio.film(asked(filming={"guidance": 6.0})),
        "steps": studio.film(asked(filming={"steps": 3})),
        "action": studio.film(asked(shot={"action": "he jumps into the sea"})),
        "camera": studio.film(asked(shot={"camera": "pan"})),
    }
    assert {name: round(difference(one, plain)) > 0 for name, one in changed.items()} == dict.fromkeys(changed, True)
    assert "words alone" in studio.notes


def test_without_guidance_nothing_is_avoided(studio: Studio) -> None:
    one = studio.film(asked(filming={"guidance": 1.0}))
    assert np.array_equal(studio.film(asked(filming={"guidance": 1.0, "negative": "balloons"})), one)


def test_the_still_changes_the_frames(studio: Studio, plain: np.ndarray) -> None:
    one, other = studio.still("one", 1), studio.still("other", 2)
    film = studio.film(asked(picture=one))
    assert "words alone" not in studio.notes
    assert difference(film, plain) > 5
    assert difference(studio.film(asked(picture=other)), film) > 1
    assert np.array_equal(studio.film(asked(picture=one)), film)


def test_the_picture_that_it_ends_on_changes_the_frames(studio: Studio) -> None:
    one, two, three = (studio.still(f"still{seed}", seed) for seed in (1, 2, 3))
    ends_on_two = studio.film(asked(picture=one, filming={"last": two}))
    assert difference(ends_on_two, studio.film(asked(picture=one))) > 1
    assert difference(ends_on_two, studio.film(asked(picture=one, filming={"last": three}))) > 1
    studio.rules(ltx={"last": 0.3})
    assert difference(ends_on_two, studio.film(asked(picture=one, filming={"last": two}))) > 1
    assert difference(studio.film(asked(filming={"last": two})), studio.film()) > 1, "also without a first"


def test_a_long_shot_is_drawn_in_clips_that_go_on_from_one_another(studio: Studio) -> None:
    one, other = studio.still("one", 1), studio.still("other", 2)
    args = {"shot": {"duration_s": 1.5}}
    film = studio.film(asked(picture=one, **args))
    assert len(film) == 36
    assert "clips of 17 frames" in studio.notes
    again = studio.film(asked(picture=other, **args))
    assert difference(film[20:], again[20:]) > 0.3, "what was at the beginning is still seen in the second clip"
    studio.rules(ltx={"clip": {"overlap": 1}})
    assert difference(studio.film(asked(picture=one, **args)), film) > 0.3
    studio.rules(ltx={"clip": {"frames": 41}})
    studio.film(asked(picture=one, **args))
    assert "clips" not in studio.notes


@pytest.mark.parametrize(
    ("fps", "seconds", "size", "frames"),
    [(24, 0.5, (64, 64), 12), (8, 1.3, (100, 66), 11), (60, 0.51, (66, 100), 31), (25, 0.33, (98, 64), 9),
     (13, 1.0, (64, 64), 13), (30, 1.01, (64, 64), 31)],
)  # fmt: skip
def test_length_rate_and_size_are_the_shots_own(
    studio: Studio, fps: int, seconds: float, size: tuple[int, int], frames: int
) -> None:
    args = asked(fps=fps, shot={"duration_s": max(0.5, seconds)}, width=size[0], height=size[1])
    if seconds < 0.5:
        frames = -(-fps // 2)
    film = studio.film(args)
    assert film.shape == (frames, size[1], size[0], 3)
    output = studio.output
    assert output is not None
    assert (output.frames, output.fps, output.width, output.height) == (frames, fps, *size)
    assert output.duration_s == frames / fps
    with av.open(str(studio.out / output.file)) as container:
        stream = container.streams.video[0]
        packets = [packet for packet in container.demux(stream) if packet.pts is not None]
        assert stream.codec_context.name == "h264"
        assert stream.time_base is not None
        assert stream.time_base.denominator == time_scale(fps)
        assert packets[0].is_keyframe
        assert len(packets) == frames


def test_what_was_asked_of_the_model_is_said(studio: Studio) -> None:
    studio.film(asked(fps=13, width=100, height=66, picture=studio.still("one")))
    assert "multiples of 32" in studio.notes
    assert "Drawn at 26 frames a second and brought to 13." in studio.notes
    studio.film(asked(filming={"prompt": "many words " * 60}))
    assert "too long to be read" in studio.notes


def test_a_titled_still_is_not_begun_from_and_words_are_laid_over(studio: Studio, plain: np.ndarray) -> None:
    shot = {"text_overlay": "BEACH"}
    film = studio.film(asked(picture=studio.still("titled", 1, "BEACH"), shot=shot))
    assert "title drawn into it" in studio.notes
    assert difference(film[6], plain[6]) > 0.5, "the title is over it"
    assert np.abs(film[0] - plain[0]).mean() < 1, "it fades in, over the very frames of the model"


def test_a_titled_still_is_begun_from_where_it_is_kept_without_its_title(studio: Studio) -> None:
    shot = {"text_overlay": "BEACH"}
    film = studio.film(asked(picture=studio.still("titled", 1, "BEACH", plain=True), shot=shot))
    assert "title drawn into it" not in studio.notes
    bare = studio.film(asked(picture=studio.still("bare", 1)))
    assert np.abs(film[0] - bare[0]).mean() < 1, "the same frames, and over them the title fades in"
    assert difference(film[6], bare[6]) > 0.5


def test_a_shot_is_as_long_as_its_speech_and_subtitles_are_the_animatics(studio: Studio) -> None:
    from tools.video.animatic import AnimaticShot

    spoken = {"character": "luca", "text": "We can do this!"}
    args = {"speech": [studio.line("line", spoken["text"], 0.8)], "width": 320, "height": 180,
            "shot": {"dialogue": [spoken], "placements": []}}  # fmt: skip
    bare = studio.film(asked(**args))
    assert len(bare) == 56, "half a second, the speech, one second, to the frame"
    assert "does not move lips" in studio.notes
    burned = studio.film(asked(**args, burn_subtitles=True))
    assert len(burned) == 56
    changed = np.abs(burned - bare).max(axis=3) > 60
    assert changed[5].mean() < 0.002, "before the first word"
    assert changed[20].mean() > 0.005
    assert changed[:, :120].mean() < 0.002, "only at the foot of the frame, but for the coding of noise"
    studio.kind = AnimaticShot
    drawn, drawn_burned = studio.film(asked(**args)), studio.film(asked(**args, burn_subtitles=True))
    white = (burned[20] > 225).all(axis=2) & changed[20]
    animatics = (drawn_burned[20] > 225).all(axis=2) & (np.abs(drawn_burned[20] - drawn[20]).max(axis=2) > 20)
    assert (white & animatics).sum() > 0.6 * animatics.sum() > 0, "letter for letter in the same place"


def test_a_title_card_needs_no_model(studio: Studio) -> None:
    studio.models = {}
    film = studio.film(asked(shot={"placements": [], "text_overlay": "CHIMP BANANA TRAIN", "action": "dark wood"}))
    assert len(film) == 12
    assert film.std() > 5
    assert "no video was made" in studio.notes


def test_it_stops_within_one_step_and_works_again(studio: Studio, plain: np.ndarray) -> None:
    told: list[str] = []
    with pytest.raises(Cancelled):
        studio.film(
            asked(filming={"steps": 50}), report=lambda _f, text: told.append(text),
            is_cancelled=lambda: "step 3 of 50" in told,
        )  # fmt: skip
    assert "step 3 of 50" in told
    assert "step 4 of 50" not in told
    assert not list(studio.out.glob("*.mp4"))
    assert np.array_equal(studio.film(), plain)


def test_progress_rises_and_tells_of_every_step(studio: Studio) -> None:
    told: list[tuple[float, str]] = []
    studio.film(asked(shot={"duration_s": 1.0}), report=lambda fraction, text: told.append((fraction, text)))
    fractions = [fraction for fraction, _ in told]
    assert fractions == sorted(fractions)
    assert {"step 1 of 2 of clip 1 of 2", "step 2 of 2 of clip 2 of 2"} <= {text for _, text in told}


def test_values_that_are_no_numbers_are_no_film(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    vae = studio.models["ltx_video"].vae
    decode = vae.decode
    monkeypatch.setattr(vae, "decode", lambda *args, **more: (decode(*args, **more)[0] * float("nan"),))
    with pytest.raises(BadOutput, match="NaN"):
        studio.film()
    monkeypatch.setattr(vae, "decode", lambda *args, **more: (decode(*args, **more)[0] * 0.0,))
    with pytest.raises(BadOutput, match="one colour"):
        studio.film()
    assert not list(studio.out.glob("*.mp4")) or (studio.out / "shot.mp4").stat().st_size < 2000


def test_a_text_encoder_that_overflows_is_noticed(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = studio.models["ltx_text_encoder"]
    forward = reader.encoder.forward
    monkeypatch.setattr(reader.encoder, "forward", lambda *args, **more: (forward(*args, **more)[0] / 0.0,))
    with pytest.raises(BadOutput, match="text encoder"):
        studio.film(asked(filming={"prompt": "a new prompt"}))


def test_a_clip_that_stands_still_is_said(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    vae = studio.models["ltx_video"].vae
    decode = vae.decode

    def frozen(*args: Any, **more: Any) -> Any:
        shown = decode(*args, **more)[0]
        return (shown[:, :, :1].expand_as(shown),)

    monkeypatch.setattr(vae, "decode", frozen)
    studio.film()
    assert "hardly moves" in studio.notes


def _empty(path: Any) -> None:
    path.write_bytes(b"")


def _cut(path: Any) -> None:
    path.write_bytes(path.read_bytes()[:200])


def _text(path: Any) -> None:
    path.write_text("no picture")


@pytest.mark.parametrize("harm", [_empty, _cut, _text])
def test_a_still_that_cannot_be_read_is_named(studio: Studio, harm: Any) -> None:
    one = studio.still("one")
    harm(studio.folder / "one" / "still.png")
    with pytest.raises(InvalidInput, match=r"still\.png"):
        studio.film(asked(picture=one))


def test_what_is_no_still_is_refused(studio: Studio) -> None:
    one = studio.still("one")
    record = studio.artifacts["one"].record
    studio.artifacts["one"].record = record.model_copy(update={"output": {"file": "still.png"}})
    with pytest.raises(InvalidInput, match="generate_image"):
        studio.film(asked(picture=one))
    with pytest.raises(ToolError, match="even size"):
        studio.film(asked(width=65))


def test_the_fingerprint_follows_words_effort_and_weights(studio: Studio) -> None:
    engine = studio.engine()
    known = engine.fingerprint(asked())
    assert engine.fingerprint(asked()) == known
    others = [asked(filming={"steps": 3}), asked(filming={"prompt": "x"}), asked(shot={"camera": "pan"})]
    assert len({known, *(engine.fingerprint(one) for one in others)}) == 4
    studio.rules(ltx={"decode_noise": 0.5})
    assert studio.engine().fingerprint(asked()) != known
