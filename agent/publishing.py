"""Which files of a production a person came for, under which names, and the record of how they were made."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from agent.script import script_markdown
from agent.state import AgentState, Attempt
from tools.artifact import Artifact, write_atomic
from tools.runtime.storage.disk import storage_errors
from tools.storyboard import Storyboard, save_storyboard

if TYPE_CHECKING:
    from tools.registry import Registry
    from tools.runtime.storage.manifest import AttemptRecord, Manifest
    from tools.runtime.storage.production import Production

__all__ = ["call_of", "exports", "keep_storyboard", "kind_of", "publish"]

_VERSION = re.compile(r"^(v\d+)[./](.+)$")


def exports(call_id: str, artifact: Artifact) -> Iterator[tuple[str, str, str]]:
    """The files of one call that are published: (label, name of the file in the artifact, path in the production)."""
    version = _VERSION.match(call_id)
    folder, name = (f"{version[1]}/", version[2]) if version else ("", call_id)
    output = artifact.output
    match artifact.record.tool:
        case "generate_image":
            shot = name.removesuffix(".still")
            yield f"{folder}stills/{shot}", output["image"], f"{folder}stills/{shot}.png"
        case "synthesize_speech":
            yield f"{folder}voices/{name}", output["file"], f"{folder}voices/{name}.wav"
        case "compose_music":
            yield f"{folder}music/{name}", output["file"], f"{folder}music/{name}.wav"
        case "write_subtitles":
            yield f"{folder}subtitles", output["srt"], f"{folder}film.srt"
            yield f"{folder}subtitles.vtt", output["vtt"], f"{folder}film.vtt"
        case "edit_video":
            yield f"{folder}film", output["file"], f"{folder}film.mp4"


def call_of(label: str) -> str:
    """The call whose score a published file has."""
    version = _VERSION.match(label)
    prefix, name = (f"{version[1]}.", version[2]) if version else ("", label)
    kind, _, rest = name.partition("/")
    call = {"stills": f"{rest}.still", "voices": rest, "music": rest}.get(kind, name) if rest else name
    return prefix + call.removesuffix(".vtt")


def kind_of(label: str) -> str:
    """Which output a published file is: `image` for `stills/s1`; empty for a part of another."""
    version = _VERSION.match(label)
    name = version[2] if version else label
    kinds = {"stills": "image", "voices": "voice", "music": "music", "film": "video", "script": "script"}
    return kinds.get(name.partition("/")[0], "subtitles" if name == "subtitles" else "")


def keep_storyboard(production: Production, board: Storyboard) -> None:
    """Write storyboard.yaml; one that is there and says something else is moved to history/, never lost."""
    path = production.storyboard_path
    if path.exists():
        with storage_errors(f"cannot read {path}"):
            old = path.read_bytes()
        save_storyboard(board, path)
        if old != path.read_bytes():
            name = f"storyboard-{hashlib.sha256(old).hexdigest()[:12]}.yaml"
            write_atomic(production.path / "history" / name, old)
    else:
        save_storyboard(board, path)


def publish(production: Production, state: AgentState, registry: Registry) -> tuple[dict[str, str], list[str]]:
    """Put every file in place, write script.md and manifest.json.

    Returns:
        label -> path, the film first; and what the engines say they made otherwise than asked.
    """
    board, work = state.get("storyboard"), state["work"]
    assert board is not None
    manifest = production.manifest()
    placed: dict[str, str] = {}
    present: set[str] = set()
    notes: list[str] = []
    for call_id, key in work.results.items():
        artifact = production.store.get(key)
        if artifact is None:
            continue
        for label, name, path in exports(call_id, artifact):
            placed[label] = str(production.export(artifact, name, path))
            manifest.exports[path] = (key, name)
            present.add(path)
        notes += artifact.output.get("notes", [])
    _take_down(production, manifest, present)
    for attempt in work.attempts:
        record = _record(production, attempt, registry)
        if record is not None:
            manifest.record(record)
    manifest.forget_others([attempt.call for attempt in work.attempts])
    if {"script", "video"} & set(state["outputs"]):
        script = production.path / "script.md"
        write_atomic(script, script_markdown(board).encode())
        placed["script"] = str(script)
    manifest.title = board.title
    request = state.get("request", "")
    if request and request not in manifest.request:
        manifest.request.append(request)
    manifest.assumptions = state["assumptions"]
    notes = list(dict.fromkeys(notes))
    manifest.degraded = [*(f"{call}: {why}" for call, why in work.failures.items()), *notes, *state.get("remarks", [])]
    production.save_manifest(manifest)
    order = sorted(placed, key=lambda label: (not label.endswith("film"), not label.endswith("subtitles"), label))
    return {label: placed[label] for label in order}, notes


def _take_down(production: Production, manifest: Manifest, present: set[str]) -> None:
    """Remove the pictures and voices of shots and lines that are no more; the store keeps what they were."""
    renewed = {path.rpartition("/")[0] for path in present} - {""}
    for path in [path for path in manifest.exports if path not in present]:
        if path.rpartition("/")[0] in renewed:
            key, name = manifest.exports.pop(path)
            production.take_down(production.store.get(key), name, path)


def _record(production: Production, attempt: Attempt, registry: Registry) -> AttemptRecord | None:
    from tools.runtime.storage.manifest import AttemptRecord, library_versions

    artifact = production.store.get(attempt.key)
    if artifact is None:
        return None
    engine = registry.pick(artifact.record.tool, artifact.record.engine)
    record = AttemptRecord.of(attempt.call, artifact, attempt.number, library_versions(engine.libraries))
    record.score, record.passed, record.best = attempt.score, attempt.passed, attempt.best
    record.error = "" if attempt.passed else attempt.reason
    review = production.store.get(attempt.review) if attempt.review else None
    if review is not None:
        from tools.review.tool import ReviewArtifact

        found = ReviewArtifact.Output.model_validate(review.output)
        record.checks = [check.model_dump(mode="json") for check in found.checks]
    return record
