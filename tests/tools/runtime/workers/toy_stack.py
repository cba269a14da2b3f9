"""A stack of the tests: an engine whose library is in no environment but its own, and wheels made on the spot."""

from __future__ import annotations

import base64
import hashlib
import sys
import sysconfig
import zipfile
from pathlib import Path

from tools.base import Engine, EngineContext, Tool, ToolInput, ToolOutput
from tools.runtime.workers.stacks import BASE

__all__ = ["Toy", "ToyEngine", "make_wheel", "make_wheels", "write_engines"]

PATH = "tests.tools.runtime.workers.toy_stack"


class Toy(Tool):
    """Say what the toy library says."""

    name = "toy"

    class Input(ToolInput):
        text: str

    class Output(ToolOutput):
        said: str
        python: str


class ToyEngine(Engine[Toy.Input, Toy.Output]):
    tool, name, version = Toy, "toy", "1"

    def run(self, args: Toy.Input, ctx: EngineContext) -> Toy.Output:
        import toy_library  # type: ignore[import-not-found]

        return Toy.Output(said=toy_library.say(args.text), python=sys.prefix)


def make_wheel(folder: Path, name: str, version: str, files: dict[str, str], needs: tuple[str, ...] = ()) -> Path:
    """A wheel of pure Python, as PEP 427 has it."""
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    needed = "".join(f"Requires-Dist: {need}\n" for need in needs)
    whole = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needed}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    lines = []
    path = folder / f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for file, text in whole.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            lines.append(f"{file},sha256={digest},{len(text.encode())}\n")
            wheel.writestr(file, text)
        wheel.writestr(f"{info}/RECORD", "".join(lines) + f"{info}/RECORD,,\n")
    return path


def make_wheels(folder: Path) -> Path:
    """All that the toy stack needs, with no network: its library, and what the studio needs by name only.

    The studio's own needs are empty wheels; one of them leads to the libraries of the interpreter that runs the tests.
    """
    folder.mkdir(parents=True, exist_ok=True)
    here = sysconfig.get_paths()["purelib"]
    for number, requirement in enumerate(BASE):
        name, version = requirement.split(">=")[0], requirement.split(">=")[1].split(",")[0]
        make_wheel(folder, name, version, {"studio_base.pth": here + "\n"} if number == 0 else {})
    toy = {"toy_library.py": "def say(text):\n    return f'toy says {text}'\n"}
    make_wheel(folder, "toy-library", "1.0", toy)
    make_wheel(folder, "toy-library", "2.0", {"toy_library.py": toy["toy_library.py"].replace("toy", "two")})
    make_wheel(folder, "toy-torch", "3.1", {"toy_torch.py": ""})
    make_wheel(folder, "toy-broken", "1.0", {}, ("no-such-distribution>=7",))
    return folder


def write_engines(path: Path, *requires: str) -> Path:
    """An engines.yaml with the stack `toy`."""
    path.write_text(
        "stacks:\n"
        f"  toy: {{about: of the tests, requires: [{', '.join(requires)}], workers: 1}}\n"
        "  core: {about: the studio's own}\n"
        "tools:\n"
        f"  toy:\n    tool: {PATH}:Toy\n    engines:\n"
        f"      toy: {{engine: '{PATH}:ToyEngine', about: a toy, device: cpu, stack: toy, licence: MIT}}\n"
    )
    return path
