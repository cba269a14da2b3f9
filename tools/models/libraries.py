"""The libraries that read models: whether they are installed, and the command that installs them. Imports none."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from tools.errors import MissingPrerequisite

__all__ = ["install_command", "is_installed", "lacking_libraries", "require_libraries"]

_PACKAGES = {"PIL": "pillow", "cv2": "opencv-python-headless", "faster_whisper": "faster-whisper"}
"""By module what pip calls the package, where that is another name."""


def is_installed(distribution: str) -> bool:
    """Whether pip has installed a package of this name here."""
    try:
        version(distribution)
    except PackageNotFoundError:
        return False
    return True


def lacking_libraries(modules: Iterable[str]) -> list[str]:
    """Those of some modules that are not installed here, as pip calls them."""
    return [_PACKAGES.get(module, module) for module in modules if find_spec(module) is None]


def install_command() -> str:
    """What installs every library of models into this interpreter."""
    root = Path(__file__).parents[2]
    what = f"-e '{root}[models]'" if (root / "pyproject.toml").is_file() else "'animation-studio[models]'"
    return f"{sys.executable} -m pip install {what}"


def require_libraries(needing: str, modules: Iterable[str], command: str = "") -> None:
    """See that libraries are installed.

    Args:
        needing: the beginning of the sentence that names what is lacking: "MusicGen needs".
        modules: as Python imports them.
        command: what installs them; empty where it is the extra `models`.

    Raises:
        MissingPrerequisite: names those that are not, and the command.
    """
    if lacking := lacking_libraries(modules):
        raise MissingPrerequisite(f"{needing} {', '.join(lacking)}.", command=command or install_command())
