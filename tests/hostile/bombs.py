"""Small texts and files that open to something enormous, and where the product reads such things.

`python -m tests.hostile.bombs WAY FILE WAY FILE ...` reads each, and prints a JSON line for it: what came of it,
seconds of work and on the clock, the most memory taken so far.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.memory import peak_kb

__all__ = ["BOMBS", "WAYS"]


def laughs() -> str:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    return "\n".join(lines)


def merges() -> str:
    lines = ["a0: &a0 {k0: 1, k1: 2}"]
    lines += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 30)}], x{n}: 1}}" for n in range(1, 12)]
    return "\n".join(lines)


BOMBS: dict[str, Callable[[], bytes]] = {
    "a billion laughs": lambda: laughs().encode(),
    "merged keys": lambda: merges().encode(),
    "deep YAML": lambda: b"a: " + b"[" * 900_000,
    "deep flow mapping": lambda: b"{a: " * 450_000,
    "a scalar of two megabytes": lambda: b"title: " + b"x" * 1_990_000,
    "a hundred thousand keys": lambda: b"".join(b"k%d: 1\n" % n for n in range(101_000)),
    "a number of a million digits": lambda: b"title: " + b"9" * 1_000_000,
    "a sexagesimal": lambda: b"seed: " + b"1:" * 400_000 + b"1",
    "a regular expression's worst": lambda: b"seed: " + b"1_" * 900_000 + b"x",
    "deep JSON": lambda: b"[" * 1_900_000,
    "deep JSON objects": lambda: b'{"a":' * 380_000 + b"1",
    "half of UTF-16": lambda: ("title: x\n" * 100_000).encode("utf-16"),
    "four gigabytes of nothing": lambda: b"",
}
"""By name: what the file holds; the last is a file of holes."""


def storyboard(path: Path) -> object:
    """`studio render FILE`."""
    from tools.storyboard import load_storyboard

    return load_storyboard(path)


def preset(path: Path) -> object:
    """Any YAML of the studio's own that a person edits: services, models, characters, presets."""
    from configs.characters import load_characters

    return load_characters(path)


def services(path: Path) -> object:
    from configs.services import load_services

    return load_services(path)


def document(path: Path) -> object:
    """`studio knowledge add FILE`: front matter is YAML, too."""
    from knowledge.ingest.reading import Limits, read_bytes, read_document_file

    data = read_bytes(path, Limits())
    return read_document_file(path.with_suffix(".md"), b"---\n" + data + b"\n---\n# A title\n\nSome words.\n")


def page(path: Path) -> object:
    """The same as a web page, read in a process of its own."""
    from knowledge.ingest.reading import Limits, read_bytes, read_document_file

    data = read_bytes(path, Limits())
    return read_document_file(path.with_suffix(".html"), b"<html><body>" + data.replace(b"[", b"<div>"))


def job(path: Path) -> object:
    """`studio jobs add FILE.json`."""
    from agent.jobs_cli import _read_calls

    return _read_calls(path)


def manifest(path: Path) -> object:
    """A production from elsewhere."""
    from tools.runtime.storage.manifest import load_manifest
    from tools.runtime.storage.store import ArtifactStore

    return load_manifest(path, ArtifactStore(path.parent / "artifacts"))


def scenario(path: Path) -> object:
    """`studio eval --scenarios FOLDER`."""
    from evals.scenario import load_scenario

    return load_scenario(path)


def workflow(path: Path) -> object:
    """One that somebody shared for ComfyUI."""
    from configs.comfyui import Workflow
    from tools.image.comfyui.workflow import read_graph

    return read_graph(path, Workflow(about="one", file=path.name, prompt="6.text", output="9"))


def lessons(path: Path) -> object:
    """What was learned, and what was made before."""
    from knowledge.generations import Generations
    from knowledge.reflections import Reflections

    folder = path.parent / "known"
    (folder / "generations").mkdir(parents=True, exist_ok=True)
    copy = folder / "generations" / f"{'0' * 24}.json"
    copy.unlink(missing_ok=True)
    copy.hardlink_to(path)
    return [*Reflections(path).all(), *Generations(folder).all()]


def thoughts(path: Path) -> object:
    """`studio trace --thoughts FILE`."""
    from agent.turns import read_thoughts

    return list(read_thoughts(path))


def trace(path: Path) -> object:
    """`studio trace FILE`."""
    from tools.runtime.telemetry.files import read_trace

    return read_trace(path)


def arguments(path: Path) -> object:
    """What a chat model sends as the arguments of a call."""
    from tools.functions.coercion import read_arguments

    with path.open("rb") as file:
        return read_arguments(file.read(4 << 20).decode("utf-8", "replace"))


WAYS: dict[str, Callable[[Path], object]] = {
    one.__name__: one
    for one in (
        *(storyboard, preset, services, document, page, job, manifest, arguments),
        *(scenario, workflow, lessons, thoughts, trace),
    )
}


def main() -> None:
    from configs.yaml_file import YamlProblem
    from knowledge.problems import KnowledgeProblem
    from tools.errors import ToolError
    from tools.functions.coercion import BadArguments

    for way, path in zip(sys.argv[1::2], map(Path, sys.argv[2::2]), strict=True):
        begun, worked = time.monotonic(), _worked()
        try:
            WAYS[way](path)
            told = "read"
        except (ToolError, YamlProblem, KnowledgeProblem, BadArguments) as error:
            told = f"refused: {str(error)[:200]}"
        except Exception as error:
            told = f"unhandled: {type(error).__name__}: {str(error)[:200]}"
        peak = max(peak_kb(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
        found = {"way": way, "file": path.name, "told": told, "cpu_s": round(_worked() - worked, 2),
                 "wall_s": round(time.monotonic() - begun, 2), "peak_kb": peak}  # fmt: skip
        print(json.dumps(found), flush=True)
    print("alive")


def _worked() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


if __name__ == "__main__":
    main()
