"""Opens files as the product does, or as its twin without limits would, and says what came of each.

`python -m tests.hostile.opening WAY FILE...` prints a JSON line per file: what came of it, seconds of work and on the
clock, and the most memory that any process took; the last line is `alive`.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.memory import peak_kb
from tools.errors import ToolError

__all__ = ["WAYS", "Opened", "opened"]

ROOT = Path(__file__).parents[2]


def reference(path: Path) -> str:
    """As a reference picture of a shot."""
    from tools.image.references import check_pictures
    from tools.storyboard import ControlImage, Shot

    check_pictures(Shot(id="s1", control=[ControlImage(kind="depth", image=str(path))]))
    return "whole"


def photo(path: Path) -> str:
    """As a pose, a face, or a picture to begin from."""
    from tools.image.reference.photo import read_photo

    return str(read_photo(path).shape)


def look(path: Path) -> str:
    """By `studio look`."""
    from tools.seeing.pictures import read_picture

    return str(read_picture(path).shape)


def served(path: Path) -> str:
    """As `studio mcp` shows a picture."""
    from agent.mcp.resources import bounded_picture

    return str(len(bounded_picture(path)[0]))


def recording(path: Path) -> str:
    """By `studio transcribe`."""
    from tools.transcription.recordings import read_recording

    return str(len(read_recording(path)))


def sample(path: Path) -> str:
    """By `studio voice add`."""
    from tools.voice.references import hear

    return f"{hear(path).seconds:.1f} s"


def naive_picture(path: Path) -> str:
    """The twin: any format, in this process, no limits."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
    with Image.open(path) as opened:
        return str(opened.convert("RGB").size)


def naive_film(path: Path) -> str:
    """The twin: any format, in this process, no limits."""
    import av

    with av.open(str(path)) as media:
        return str(sum(1 for _ in media.decode()))


def crash_apart(path: Path) -> str:
    """By a decoder with a hole, in the process of its own."""
    from tools.decoding.limited import Limits, decoded_one

    return str(decoded_one("tests.hostile.media:crashing", path, str(path), Limits(allow=("tests.",))))


def crash_here(path: Path) -> str:
    """The twin: the same decoder in this process."""
    from tests.hostile.media import crashing

    return str(list(crashing(path)))


WAYS: dict[str, Callable[[Path], str]] = {
    one.__name__: one
    for one in (
        *(reference, photo, look, served, recording, sample),
        *(naive_picture, naive_film, crash_apart, crash_here),
    )
}


@dataclass(frozen=True)
class Opened:
    """What came of a file: `read` or `refused`, why, CPU seconds, seconds on the clock, peak kB of any process."""

    file: str
    outcome: str
    told: str
    cpu_s: float
    wall_s: float
    peak_kb: int


def opened(way: str, files: list[Path]) -> tuple[list[Opened], bool]:
    """Open files in a process; returns what it said of each, and whether it lived to the end."""
    command = [sys.executable, "-m", "tests.hostile.opening", way, *map(str, files)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1800, check=False)
    lines = done.stdout.splitlines()
    alive = bool(lines) and lines[-1] == "alive" and done.returncode == 0
    return [Opened(**json.loads(line)) for line in lines if line.startswith("{")], alive


def _worked() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def main() -> None:
    way, *files = sys.argv[1:]
    for file in files:
        start, worked = time.monotonic(), _worked()
        try:
            outcome, told = "read", WAYS[way](Path(file))
        except ToolError as error:
            outcome, told = "refused", str(error)
        except Exception as error:
            outcome, told = "unhandled", f"{type(error).__name__}: {error}"
        peak = max(peak_kb(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
        spent = round(_worked() - worked, 2), round(time.monotonic() - start, 2)
        print(json.dumps(vars(Opened(Path(file).name, outcome, told[:300], *spent, peak))), flush=True)
    print("alive")


if __name__ == "__main__":
    main()
