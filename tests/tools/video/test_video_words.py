"""What a video model is asked for a shot: who, where, what moves, and never letters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from configs.characters import load_characters
from configs.images import load_images
from configs.videos import VIDEOS_YAML, load_videos
from tools.errors import InvalidInput
from tools.storyboard import CastMember, Shot
from tools.video.filming import Filming
from tools.video.plan import VideoConfig, chosen_preset, read_videos
from tools.video.words import VideoPrompt, motion_bucket, write_video_prompt

CAST = [
    CastMember(id="luca", name="Luca", known=True),
    CastMember.model_validate(
        {"id": "tin", "name": "Tin", "known": False, "look": {"description": "a small red robot"}}
    ),
]


def written(**shot: Any) -> VideoPrompt:
    made = Shot.model_validate({"id": "s1", "location": "beach", "placements": [{"character": "luca"}], **shot})
    return write_video_prompt(made, CAST, load_characters(), load_videos(), load_images().styles["pixar_3d"])


def test_the_shot_is_told_in_the_order_in_which_one_sees_it() -> None:
    text = written(
        framing="medium", camera="push", time_of_day="sunset", weather="rain", action="they look at the sea",
        placements=[{"character": "luca", "pose": "wave", "expression": "happy"},
                    {"character": "tin", "facing": "left"}],
    ).text  # fmt: skip
    parts = [
        "A medium shot of a boy, brown hair, green eyes, pose: wave, happy expression",
        "and a small red robot, facing left",
        "beach at sunset",
        "It rains.",
        "They look at the sea.",
        "The camera slowly pushes in.",
        "3d animation",
    ]
    assert [text.index(part) for part in parts] == sorted(text.index(part) for part in parts)


def test_letters_are_never_asked_for_and_always_avoided() -> None:
    asked = written(action='a sign says "OPEN" and “CLOSED” above', text_overlay="THE END")
    assert "OPEN" not in asked.text
    assert "CLOSED" not in asked.text
    assert "THE END" not in asked.text
    assert "a sign says and above" in asked.text.lower()
    assert {"letters", "subtitles", "flat"} <= set(asked.negative.split(", "))


def test_who_speaks_is_said_and_what_is_said_is_not() -> None:
    spoken = written(dialogue=[{"character": "luca", "text": "Silenzio, Bruno!"}]).text
    assert "a boy speaking, lips moving." in spoken
    assert "Bruno" not in spoken
    assert "speaking" not in written().text


def test_more_moves_more() -> None:
    motion = load_videos().svd.motion

    def bucket(**shot: Any) -> int:
        return motion_bucket(Shot.model_validate({"id": "s1", **shot}), motion)

    still = bucket()
    walking = bucket(placements=[{"character": "luca", "pose": "walk"}])
    running = bucket(placements=[{"character": "luca", "pose": "walk"}, {"character": "tin", "pose": "run"}])
    assert still < bucket(camera="pan")
    assert still < walking < running < bucket(camera="pan", placements=[{"character": "tin", "pose": "run"}]) <= 255


def test_presets_follow_the_engine_and_the_call() -> None:
    videos = load_videos()
    assert chosen_preset(Filming(), videos, "ltx")[1].steps == 50
    assert chosen_preset(Filming(), videos, "ltx_distilled")[1].guidance == 1.0
    assert chosen_preset(Filming(preset="draft", steps=7), videos, "ltx")[1].steps == 7
    with pytest.raises(InvalidInput, match="standard"):
        chosen_preset(Filming(preset="grand"), videos, "ltx")


def test_a_configuration_that_is_wrong_is_named_with_its_line(tmp_path: Path) -> None:
    data = yaml.safe_load(VIDEOS_YAML.read_text())
    data["ltx"]["clip"]["frames"] = 120
    (tmp_path / "videos.yaml").write_text(yaml.safe_dump(data))
    with pytest.raises(InvalidInput, match=r"videos\.yaml.*8 \+ 1"):
        read_videos(VideoConfig(videos=tmp_path / "videos.yaml"))
