"""Weights that lie on a world's machine: tiny random checkpoints of evals/checkpoints, registered as a person does it.

The engines, their workers and the loaders are the studio's own; that the weights are random is all there is to it, so
what they make is noise, and no likeness, word or shape in it means anything. They are made once and kept (see
`evals.checkpoints.build`), in a process of its own: the agent's holds no torch.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.errors import InvalidInput, MissingPrerequisite
from tools.models.libraries import is_installed

if TYPE_CHECKING:
    from tools.models.shelf import Shelf
    from tools.registry import Registry

__all__ = ["TINY", "Tiny", "check_libraries", "place_weights", "tiny_checkpoint"]

_LONGEST_S = 400.0
"""Seconds for making one; several processes may wait for one that makes it. A scenario has a limit of its own."""


@dataclass(frozen=True)
class Tiny:
    """How a tiny checkpoint is made: `module:function` of evals.checkpoints, its arguments, what it imports.

    Attributes:
        taught: its answers mean something: it was trained on a few, or made so that it tells things apart.
    """

    maker: str
    args: Mapping[str, Any] = field(default_factory=dict)
    libraries: tuple[str, ...] = ("torch", "transformers")
    taught: bool = False

    @property
    def make(self) -> Callable[..., Path]:
        """The maker."""
        module, _, name = self.maker.partition(":")
        made: Callable[..., Path] = getattr(importlib.import_module(f"evals.checkpoints.{module}"), name)
        return made


_DIFFUSERS = ("torch", "transformers", "diffusers", "peft")
_HEARING = ("torch", "transformers", "ctranslate2", "faster-whisper")
TINY: Mapping[str, Tiny] = {
    "sdxl_base": Tiny("sdxl:make_base", {"seed": 1}, _DIFFUSERS),
    "sdxl_refiner": Tiny("sdxl:make_refiner", {}, _DIFFUSERS),
    "controlnet_openpose": Tiny("sdxl:make_controlnet", {"seed": 3}, _DIFFUSERS),
    "controlnet_depth": Tiny("sdxl:make_controlnet", {"seed": 4}, _DIFFUSERS),
    "arcface": Tiny("faces:make_face_pack", {}, ("onnx",), taught=True),
    "wav2lip": Tiny("wav2lip:make_wav2lip_weights", {}, ("torch", "safetensors")),
    "svd_xt": Tiny("svd:make_svd", {"seed": 1}, _DIFFUSERS),
    "ltx_video": Tiny("ltx:make_ltx", {"seed": 1}, _DIFFUSERS),
    "ltx_video_distilled": Tiny("ltx:make_single_file", {"seed": 1}, _DIFFUSERS),
    "ltx_text_encoder": Tiny("ltx:make_text_encoder", {"seed": 1}, _DIFFUSERS),
    "musicgen_small": Tiny("musicgen:make_musicgen", {}),
    "whisper_small": Tiny("whisper:make_whisper", {"seed": 1}, _HEARING),
    "whisper_turbo": Tiny(
        "whisper:make_listener", {"seed": 1, "steps": 600, "character": "luca"}, _HEARING, taught=True
    ),
    "qwen_vl_7b": Tiny("qwen_vl:make_qwen_vl", {"seed": 1}),
}
"""By the name of models.yaml. `whisper_turbo` is the one that has learnt something: four short lines by heart,
the English ones in Luca's voice, too."""
FILES: Mapping[str, Tiny] = {
    "lora": Tiny("sdxl:make_lora", {"seed": 4}, _DIFFUSERS),
    "kohya_lora": Tiny("sdxl:make_lora", {"seed": 5, "kohya": True}, _DIFFUSERS),
}
"""Files that no model is: a scenario lays them where it wants."""


def tiny_checkpoint(name: str) -> Path:
    """A tiny checkpoint: folder or file. Made on first use; do not write into it.

    Args:
        name: of `TINY` or `FILES`.

    Raises:
        MissingPrerequisite: what makes it is not installed.
    """
    from evals.checkpoints.build import kept

    tiny = TINY.get(name) or FILES[name]
    if missing := [one for one in tiny.libraries if not is_installed(one)]:
        raise _lacking(f"the tiny checkpoint {name}", missing)
    if found := kept(tiny.make, **tiny.args):
        return found
    done = subprocess.run(
        [sys.executable, "-m", "evals.world.weights", name],
        capture_output=True, text=True, timeout=_LONGEST_S, check=False,
    )  # fmt: skip
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise InvalidInput(f"the tiny checkpoint {name} could not be made: {last[:300]}")
    return Path(json.loads(done.stdout.strip().splitlines()[-1]))


def place_weights(names: Iterable[str], shelf: Shelf) -> None:
    """Put them on the shelf, as `studio models path NAME PATH` does.

    Raises:
        MissingPrerequisite: what makes one is not installed.
    """
    for name in names:
        if shelf.record(name) is None:
            shelf.register(name, tiny_checkpoint(name))


def check_libraries(names: Iterable[str], registry: Registry) -> None:
    """See that for each of these models an engine that uses it can be had, as far as libraries go.

    Raises:
        MissingPrerequisite: the libraries of none of its engines are installed.
    """
    for name in names:
        users = [
            engine
            for tool in registry.tools() for engine in registry.engines(tool.name)
            if name in (*engine.models, *engine.companions, *engine.reads)
        ]  # fmt: skip
        lacks = [[one for one in engine.libraries if not is_installed(one)] for engine in users]
        if lacks and all(lacks):
            raise _lacking(f"what uses {name}", min(lacks, key=len))


def _lacking(what: str, missing: list[str]) -> MissingPrerequisite:
    command = 'pip install "animation-studio[models]"'
    return MissingPrerequisite(f"{what} needs {', '.join(missing)}", command=command)


def main() -> None:
    """Make the checkpoint that the first argument names; its path is printed as JSON."""
    import os

    from evals.checkpoints.build import built

    os.environ.setdefault("OMP_NUM_THREADS", "1")
    tiny = TINY.get(sys.argv[1]) or FILES[sys.argv[1]]
    print(json.dumps(str(built(tiny.make, **tiny.args))))


if __name__ == "__main__":
    main()
