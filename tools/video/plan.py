"""What a call of a video model asks for, worked out before anything is loaded: words, effort, configuration."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from configs.characters import CHARACTERS_FILE, load_characters
from configs.images import IMAGES_YAML, load_images
from configs.videos import VIDEOS_YAML, VideoPreset, VideosFile, load_videos
from configs.yaml_file import YamlProblem
from tools.errors import InvalidInput
from tools.video.filming import Filming
from tools.video.tool import AnimateShot
from tools.video.words import VideoPrompt, write_video_prompt

__all__ = ["VideoConfig", "chosen_preset", "prompt_of", "read_videos"]


@dataclass(frozen=True)
class VideoConfig:
    """Where the data is read from."""

    videos: Path = VIDEOS_YAML
    images: Path = IMAGES_YAML
    characters: Path = CHARACTERS_FILE


def read_videos(config: VideoConfig) -> VideosFile:
    """videos.yaml.

    Raises:
        InvalidInput: it breaks its schema; names file and line.
    """
    try:
        return load_videos(config.videos)
    except YamlProblem as problem:
        raise InvalidInput(problem.message, where=problem.where) from problem


def chosen_preset(filming: Filming, videos: VideosFile, engine: str) -> tuple[str, VideoPreset]:
    """Name and content of the preset, with what the call changed of it.

    Raises:
        InvalidInput: there is no such preset.
    """
    name = filming.preset or videos.defaults[engine]
    if name not in videos.presets:
        raise InvalidInput(
            f"there is no preset {name!r}", where="filming.preset", hint=f"There are: {', '.join(videos.presets)}."
        )
    said = {"steps": filming.steps, "guidance": filming.guidance}
    changed = {key: value for key, value in said.items() if value is not None}
    return name, videos.presets[name].model_copy(update=changed)


def prompt_of(
    args: AnimateShot.Input, config: VideoConfig, videos: VideosFile, triggers: Iterable[str] = ()
) -> VideoPrompt:
    """The words of a shot.

    Raises:
        InvalidInput: a file of configuration breaks its schema; names file and line.
    """
    filming = args.filming or Filming()
    try:
        images, sheets = load_images(config.images), load_characters(config.characters)
    except YamlProblem as problem:
        raise InvalidInput(problem.message, where=problem.where) from problem
    style = images.styles.get(args.style) or images.styles["other"]
    return write_video_prompt(
        args.shot, args.cast, sheets, videos, style, triggers=triggers, more=filming.prompt, avoid=filming.negative
    )
