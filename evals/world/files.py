"""Files that a world begins with: on the person's desk, and in a folder of their own (STUDIO_OWN)."""

from __future__ import annotations

import shutil
import wave
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

if TYPE_CHECKING:
    from tools.artifact import Artifact

__all__ = ["OWN_MARK", "FileMade", "OwnPath", "lay_out", "lay_out_own"]

OWN_MARK = "$OWN"
"""In a text of the folder: stands for its absolute path."""
OwnPath = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,60}(/[A-Za-z0-9_][A-Za-z0-9_.-]{0,60}){0,2}$")]


class FileMade(BaseModel):
    """A file.

    Attributes:
        text: its content; or `picture`: [width, height, colour]; or `tone`: seconds of a sound (WAV); or `face`: a
            picture of the only kind of face that the tiny `arcface` finds, by the number of its pattern; or `portrait`:
            a character of the cast, close, as the embedded engine draws it; or `tiny`: a tiny LoRA for SDXL with random
            weights, in diffusers' or in kohya's names.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str | None = None
    picture: tuple[int, int, str] | None = None
    tone: float | None = Field(None, gt=0.0, le=10.0)
    face: int | None = Field(None, ge=0)
    portrait: str | None = Field(None, pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")
    tiny: Literal["lora", "kohya_lora"] | None = None

    @model_validator(mode="before")
    @classmethod
    def _plain_text(cls, data: object) -> object:
        return {"text": data} if isinstance(data, str) else data

    @model_validator(mode="after")
    def _one_content(self) -> FileMade:
        if len(self.model_fields_set) != 1 or None in (getattr(self, name) for name in self.model_fields_set):
            raise ValueError(f"say one of: {', '.join(type(self).model_fields)}")
        return self


def lay_out(folder: Path, files: Mapping[str, FileMade]) -> None:
    """Write the files that are not there yet.

    Raises:
        MissingPrerequisite: what makes a tiny checkpoint is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, made in files.items():
        path = folder / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, made)


def lay_out_own(folder: Path, files: Mapping[str, FileMade]) -> None:
    """The same for a folder of one's own, whose texts may name it."""
    named = {
        name: made if made.text is None else FileMade(text=made.text.replace(OWN_MARK, str(folder.absolute())))
        for name, made in files.items()
    }
    # Who is portrayed may stand in a sheet of the folder.
    lay_out(folder, dict(sorted(named.items(), key=lambda one: one[1].portrait is not None)))


def _write(path: Path, made: FileMade) -> None:
    if made.text is not None:
        path.write_text(made.text, encoding="utf-8")
    elif made.picture is not None:
        _draw(path, *made.picture)
    elif made.tone is not None:
        _sound(path, made.tone)
    elif made.face is not None:
        _face(path, made.face)
    elif made.portrait is not None:
        _portray(path, made.portrait)
    elif made.tiny is not None:
        from evals.world.weights import tiny_checkpoint

        shutil.copyfile(tiny_checkpoint(made.tiny), path)


def _draw(path: Path, width: int, height: int, colour: str) -> None:
    import skia

    surface = skia.Surface(width, height)
    red, green, blue = (int(colour.lstrip("#")[at : at + 2], 16) for at in (0, 2, 4))
    with surface as canvas:
        canvas.clear(skia.Color(red, green, blue))
        canvas.drawCircle(width / 2, height / 2, min(width, height) / 4, skia.Paint(Color=skia.ColorWHITE))
    surface.makeImageSnapshot().save(str(path), skia.kPNG)


def _face(path: Path, pattern: int) -> None:
    import numpy as np

    from evals.checkpoints.faces import painted_face
    from tools.layout.png import write_png

    picture = np.full((640, 640, 3), 127, dtype=np.uint8)
    painted_face(picture, (336, 336), pattern)
    write_png(path, picture)


def _portray(path: Path, character: str) -> None:
    from tempfile import TemporaryDirectory

    from configs.characters import load_characters
    from tools.base import EngineContext
    from tools.image.draft import DraftImage
    from tools.image.tool import GenerateImage

    member = {"id": character, "name": load_characters()[character].name, "known": True}
    placed = [{"character": character, "x": 0.5, "depth": 0.0}]
    shot = {"id": "portrait", "framing": "close", "placements": placed}
    args = GenerateImage.Input.model_validate({"shot": shot, "cast": [member], "width": 640, "height": 640, "maps": []})
    with TemporaryDirectory() as out:
        made = DraftImage().run(args, EngineContext(Path(out), seed=1, open_artifact=_nothing_stored))
        shutil.copyfile(Path(out) / made.image, path)


def _nothing_stored(key: str) -> Artifact:
    raise KeyError(key)


def _sound(path: Path, seconds: float) -> None:
    import numpy as np

    times = np.arange(int(seconds * 22_050)) / 22_050
    samples = (0.3 * np.sin(2 * np.pi * 440.0 * times) * 32767).astype("<i2")
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(22_050)
        sound.writeframes(samples.tobytes())
