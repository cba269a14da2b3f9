"""A real process for the tests to kill: `python -m tests.tools.runtime.job ROOT [--twin NAME]`.

It makes a production of about thirty small calls, exports one file, writes the manifest and prints its digests. The
twins are deliberately broken in one way each; the tests must find them out.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.tools.runtime.conftest import ALLOW, ENGINES, tiny
from tools.artifact import RECORD_NAME, Artifact
from tools.base import Call
from tools.errors import ToolError
from tools.registry import Registry
from tools.runtime.executor import Executor
from tools.runtime.storage.disk import storage_errors
from tools.runtime.storage.locks import FileLock
from tools.runtime.storage.manifest import AttemptRecord
from tools.runtime.storage.production import Production
from tools.runtime.storage.store import ArtifactStore, Provenance, content_digest
from tools.runtime.storage.store import _seal as seal
from tools.runtime.workers.pool import WorkerPool


def graph(log: Path, count: int = 30, seed: int = 5) -> list[Call]:
    """A scene-like graph: lines and stills first, shots upon them, one film at the end."""
    rng = random.Random(seed)
    calls = []
    for index in range(count - 1):
        needs = {f"c{rng.randrange(index)}" for _ in range(rng.randrange(3))} if index > 4 else set()
        calls.append(tiny(f"c{index}", *sorted(needs), log=str(log), seconds=0.004, trim=200))
    calls.append(tiny("film", *[f"c{index}" for index in range(count - 8, count - 1)], log=str(log), trim=500))
    return calls


class NaiveStore(ArtifactStore):
    """Twin: works in the final folder, writes the record first, syncs nothing."""

    def begin(self, key: str) -> Path:
        path = self.path(key)
        with storage_errors("cannot write"):
            path.mkdir(parents=True, exist_ok=True)
        return path

    def commit(self, temp: Path, made: Provenance, output: dict[str, Any], seconds: float) -> Artifact:
        with storage_errors("cannot write"):
            record, _ = seal(temp, made, output, seconds)
        return Artifact(temp, record)


class NoSyncStore(ArtifactStore):
    """Twin: the rename is there, but nothing is made durable before it."""

    def commit(self, temp: Path, made: Provenance, output: dict[str, Any], seconds: float) -> Artifact:
        from tools.artifact import ArtifactRecord, FileRecord, hash_file

        files = {}
        for file in sorted(path for path in temp.rglob("*") if path.is_file()):
            files[file.relative_to(temp).as_posix()] = FileRecord(size=file.stat().st_size, sha256=hash_file(file))
        record = ArtifactRecord(
            key=made.key, tool=made.tool, engine=made.engine, version=made.version, args=made.args, seed=made.seed,
            files=files, output=output, digest=content_digest(files, output), seconds=seconds,
        )  # fmt: skip
        with storage_errors("cannot write"):
            (temp / RECORD_NAME).write_text(record.model_dump_json())
            path = self.path(made.key)
            path.parent.mkdir(parents=True, exist_ok=True)
            temp.rename(path)
        return Artifact(path, record)


class NoParentSyncStore(ArtifactStore):
    """Twin: the content is durable, the rename is not when the call is told as done."""

    def _sync(self, paths: list[Path]) -> None:
        if any(path.name == RECORD_NAME for path in paths):
            super()._sync(paths)


class TornStore(ArtifactStore):
    """Twin: renames first and writes the record afterwards."""

    def _place(self, temp: Path, path: Path, record: Any) -> Artifact:
        text = (temp / RECORD_NAME).read_bytes()
        (temp / RECORD_NAME).unlink()
        artifact = super()._place(temp, path, record)
        with (path / RECORD_NAME).open("wb") as stream:
            stream.write(text)
        return artifact


class OpenLock(FileLock):
    """Twin: a lock that lets everybody in."""

    def try_acquire(self) -> bool:
        return True


class NoLockStore(ArtifactStore):
    """Twin: nobody waits for anybody."""

    def lock(self, key: str) -> FileLock:
        return OpenLock(super().lock(key).path)


class ForgetfulStore(ArtifactStore):
    """Twin: keeps its results to itself until the end, as a checkpoint written after the whole step would."""

    def _place(self, temp: Path, path: Path, record: Any) -> Artifact:
        waiting = self.root.parent / "waiting" / path.name
        waiting.parent.mkdir(exist_ok=True)
        if waiting.exists():
            shutil.rmtree(waiting)
        temp.rename(waiting)
        return Artifact(waiting, record)


TWINS = {
    "sound": ArtifactStore,
    "naive": NaiveStore,
    "no-sync": NoSyncStore,
    "torn": TornStore,
    "no-lock": NoLockStore,
    "forgetful": ForgetfulStore,
}


def run(production: Production, calls: Sequence[Call], pool: WorkerPool, registry: Registry) -> dict[str, str]:
    """Run the graph, keep the manifest; returns digests by call."""
    done = 0

    def hear(event: Any) -> None:
        nonlocal done
        if event.status in ("done", "cached"):
            done += 1
            print(f"{event.status} {event.call_id}", flush=True)

    results = Executor(registry, production.store, pool, hear).run(calls)
    manifest = production.manifest()
    for name, result in results.items():
        if isinstance(result, ToolError):
            raise result
        manifest.record(AttemptRecord.of(name, result))
    film = results["film"]
    assert isinstance(film, Artifact)
    production.export(film, "text.txt", "film.txt")
    production.export(film, "text.txt", "stills/s1.txt")
    production.save_manifest(manifest)
    return {name: result.digest for name, result in results.items() if isinstance(result, Artifact)}


def wait_for_the_other(root: Path) -> None:
    """Two processes that share a production begin at the same moment, however slowly Python started."""
    (root / f"ready.{os.getpid()}").touch()
    deadline = time.monotonic() + 20.0
    while len(list(root.glob("ready.*"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.002)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path)
    parser.add_argument("--twin", default="sound")
    parser.add_argument("--shared", action="store_true", help="do not take the production's lock")
    parser.add_argument("--count", type=int, default=30)
    parser.add_argument("--deed", default="", help="instead: one call that does this")
    options = parser.parse_args()
    registry = Registry.load(ENGINES, allow=ALLOW)
    with WorkerPool(2, allow=ALLOW) as pool:
        pool.start()
        production = Production.claim(options.root, "beach", "request")
        production.store = TWINS[options.twin](production.path / "artifacts")
        if options.deed:
            call = tiny("x", deed=options.deed, scratch=str(options.root / "pids"))
            Executor(registry, production.store, pool).run([call])
            return
        calls = graph(options.root / "log", options.count)
        if options.shared:
            wait_for_the_other(options.root)
        try:
            if options.shared:
                digests = run(production, calls, pool, registry)
            else:
                with production.lock():
                    digests = run(production, calls, pool, registry)
        except ToolError as error:
            print(f"{type(error).__name__}: {error}")
            sys.exit(3)
    print("digests " + json.dumps(digests))


if __name__ == "__main__":
    main()
