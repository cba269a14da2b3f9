"""Scorers of what was made: published files, decoded whole; what lies on disk."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from evals.expect.matching import matches
from evals.expect.measuring import measure_file, people_seen
from evals.expect.model import Artifact
from evals.expect.seen import Seen
from evals.result import Check
from evals.run.folder import OURS

__all__ = ["SCORERS"]

_DECODED = ("kind", "pixels", "seconds", "fps", "loudness", "luma", "streams", "decodes")


def _artifacts(wanted: tuple[Artifact, ...], seen: Seen) -> Iterator[Check]:
    for one in wanted:
        yield from _artifact(one, seen)


def _artifact(wanted: Artifact, seen: Seen) -> Iterator[Check]:
    path = seen.production / wanted.file
    there = path.is_file()
    name = f"artifacts[{wanted.file}]"
    yield Check(
        name=f"{name}.exists", turn=seen.number, passed=there is wanted.exists, expected=wanted.exists, found=there
    )
    asked = {key: getattr(wanted, key) for key in wanted.model_fields_set - {"file", "exists"}}
    if not there:
        for key, value in asked.items():
            yield Check(
                name=f"{name}.{key}", turn=seen.number, passed=False, expected=value, note="there is no such file"
            )
        return
    found: dict[str, Any] = {"bytes": path.stat().st_size}
    if any(key in asked for key in _DECODED):
        found |= measure_file(path)
    if "text" in asked:
        found["text"] = path.read_text(encoding="utf-8", errors="replace")
    if "on_stage" in asked:
        found["on_stage"] = people_seen(seen, wanted.file)
    for key, value in asked.items():
        expected = _plain(value)
        passed = sorted(found[key]) == sorted(expected) if key == "on_stage" else matches(found.get(key), expected)
        yield Check(name=f"{name}.{key}", turn=seen.number, passed=passed, expected=expected, found=found.get(key))


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _stored(wanted: Mapping[str, Any], seen: Seen) -> Iterator[Check]:
    for pattern, value in wanted.items():
        files = [path for path in seen.folder.glob(pattern) if path.is_file()]
        if isinstance(value, bool):
            passed, found = bool(files) is value, [str(path.relative_to(seen.folder)) for path in files][:20]
            yield Check(name=f"stored.{pattern}", turn=seen.number, passed=passed, expected=value, found=found)
            continue
        texts = [path.read_text(encoding="utf-8", errors="replace") for path in files]
        passed = bool(texts) and all(matches(text, value) for text in texts)
        note = "" if texts else "there is no such file"
        shown = [text[:400] for text in texts[:3]]
        yield Check(name=f"stored.{pattern}", turn=seen.number, passed=passed, expected=value, found=shown, note=note)


def _intact(wanted: bool, seen: Seen) -> Iterator[Check]:
    """Every stored result hashed again; nothing half-written beside them."""
    from tools.errors import CorruptArtifact
    from tools.runtime.storage.store import ArtifactStore

    torn: list[str] = []
    stores = sorted((seen.folder / "productions").glob("*/artifacts"))
    for folder in stores:
        store = ArtifactStore(folder)
        for key in store:
            try:
                store.verify(key)
            except CorruptArtifact as error:
                torn.append(str(error))
        torn += [str(path.relative_to(seen.folder)) for path in (folder / ".tmp").glob("*") if path.is_dir()]
    torn += [
        str(path.relative_to(seen.folder)) for path in (seen.folder / "productions").rglob("*.tmp") if path.is_file()
    ]
    passed = (bool(stores) and not torn) is wanted
    note = "" if stores else "nothing is stored"
    yield Check(name="intact", turn=seen.number, passed=passed, expected=wanted, found=torn[:20], note=note)


def _secrets_absent(wanted: tuple[str, ...], seen: Seen) -> Iterator[Check]:
    """In all that the studio wrote or told; not in what the harness itself keeps of the world."""
    files = [
        path for path in sorted(seen.folder.rglob("*"))
        if path.is_file() and not any(fnmatchcase(path.relative_to(seen.folder).parts[0], one) for one in OURS)
    ]  # fmt: skip
    told = {
        f"turn {turn.number}: {name}": json.dumps(getattr(turn, name), ensure_ascii=False, default=str)
        for turn in seen.turns
        for name in ("message", "error", "output", "stderr", "meanwhile", "data", "progress")
        if getattr(turn, name)
    }
    for secret in wanted:
        found = [str(path.relative_to(seen.folder)) for path in files if secret.encode() in path.read_bytes()]
        found += [where for where, text in told.items() if json.dumps(secret, ensure_ascii=False)[1:-1] in text]
        passed = bool(files) and not found
        yield Check(name="secrets_absent", turn=seen.number, passed=passed, expected="nowhere", found=found[:20])


SCORERS = {"artifacts": _artifacts, "stored": _stored, "intact": _intact, "secrets_absent": _secrets_absent}
