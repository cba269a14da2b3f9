"""Functions that look things up: documents, the web, the cast, the places, the scenes and why they look as they do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from agent.functions.desk import Desk, Scene
from agent.functions.telling import board_data, board_text
from knowledge.passage import Passage
from tools.functions import Answer, MadeFile, function

__all__ = [
    "KNOWING",
    "SceneName",
    "list_cast",
    "list_places",
    "list_scenes",
    "search_knowledge",
    "search_web",
    "show_storyboard",
    "why",
]

SceneName = Annotated[str, Field(max_length=80, description="name of a scene; empty is the present one")]
Query = Annotated[str, Field(min_length=1, max_length=500, description="what to look for, in a few words")]
_LONGEST_PASSAGE = 900


@function()
def search_knowledge(
    desk: Desk,
    query: Query,
    about: Annotated[list[str], Field(max_length=8, description="ids of characters or places it is about")] = [],  # noqa: B006
    limit: Annotated[int, Field(ge=1, le=8, description="how many passages")] = 4,
) -> Answer:
    """Search the studio's documents: characters, places, styles, film craft, and what was made before."""
    passages = desk.context.retriever.retrieve(query, names=about, limit=limit)
    if not passages:
        return Answer("Nothing was found.", {"passages": []})
    desk.note([passage.text for passage in passages])
    return _passages(passages)


@function(effect="network")
def search_web(desk: Desk, query: Query) -> Answer:
    """Search the web for what the studio's documents do not hold; the answer lists its sources."""
    found = desk.context.search.search(query, limit=desk.context.settings.search_results)
    if found.passages:
        desk.note([passage.text for passage in found.passages])
        return _passages(found.passages, status=found.status)
    offline = "STUDIO_NETWORK=true allows it; only the person can set that."
    # `refused` and `failed` tell themselves what happened: the web was asked then.
    also = {"offline": offline, "empty": "Nothing was found.", "found": "Nothing was found."}.get(found.status, "")
    return Answer(f"{found.reason} {also}".strip(), {"status": found.status, "passages": []})


def _passages(passages: list[Passage], **more: Any) -> Answer:
    lines = []
    for number, one in enumerate(passages, 1):
        title = f"{one.title} ({one.source})" if one.title else one.source
        text = one.text if len(one.text) <= _LONGEST_PASSAGE else one.text[:_LONGEST_PASSAGE] + " […]"
        lines.append(f"[{number}] {title}\n{text}")
    data = [
        {"title": one.title, "source": one.source, "text": one.text, "score": round(one.score, 4)} for one in passages
    ]
    return Answer("\n\n".join(lines), {**more, "passages": data}, foreign=True)


@function(scene=True)
def list_cast(desk: Desk) -> Answer:
    """List the characters that the studio knows, with ids, looks and voices."""
    from configs.characters import load_characters

    rows = [{"id": one.id, "name": one.name, "about": one.description} for one in load_characters().values()]
    known = {row["id"] for row in rows}
    scene = desk.present
    for member in scene.board.cast if scene else ():
        if member.id not in known:
            rows.append({"id": member.id, "name": member.name, "about": member.look.description if member.look else ""})
    lines = [f"{row['id']}: {row['name']}, {row['about']}".rstrip(", ") for row in rows]
    return Answer("\n".join([*lines, "Anyone else may be described in words."]), {"cast": rows})


@function()
def list_places(desk: Desk) -> Answer:  # noqa: ARG001
    """List the places, poses and expressions that can be drawn by name."""
    from tools.layout.catalog import expressions, places, poses

    data = {"places": places(), "poses": poses(), "expressions": expressions()}
    return Answer("\n".join(f"{name}: {', '.join(values)}" for name, values in data.items()), data)


@function(scene=True)
def list_scenes(desk: Desk) -> Answer:
    """List the scenes of this conversation and the productions made before."""
    planned = [one.name for one in reversed(desk.scenes.values())]
    made = [path.name for path in desk.folders()]
    present = desk.present.name if desk.present else ""
    lines = [f"In this conversation: {', '.join(planned) or 'none'}.", f"Productions: {', '.join(made) or 'none'}."]
    return Answer("\n".join(lines), {"present": present, "scenes": planned, "productions": made})


@function(scene=True)
def show_storyboard(desk: Desk, scene: SceneName = "") -> Answer:
    """Show a scene's storyboard: its shots, who is in them, what is said."""
    found = desk.scene(scene)
    return Answer(f"{found.name}: {board_text(found.board)}", board_data(found))


@function(scene=True)
def why(desk: Desk, scene: SceneName = "") -> Answer:
    """Tell why a scene looks as it does: what was assumed, which engine made each part, what was scored and retried."""
    found = desk.scene(scene)
    lines = [f"Asked for: {found.request}"] if found.request else []
    lines += [f"Assumed: {one}" for one in found.assumptions]
    lines += [f"Problem: {one}" for one in found.problems]
    data: dict[str, Any] = {"scene": found.name, "assumptions": list(found.assumptions), "attempts": []}
    files: tuple[MadeFile, ...] = ()
    if found.production:
        told, data["attempts"], files = _made(found)
        lines += told
    return Answer("\n".join(lines) or "Nothing was assumed, and nothing was made yet.", data, files)


def _made(scene: Scene) -> tuple[list[str], list[dict[str, Any]], tuple[MadeFile, ...]]:
    """What the manifest tells: lines, the attempts as data, the files."""
    from tools.runtime.storage.production import Production

    manifest = Production.found(Path(scene.production)).manifest()
    lines = [f"Asked for: {one}" for one in manifest.request if one != scene.request]
    lines += [f"Assumed: {one}" for one in manifest.assumptions if one not in scene.assumptions]
    lines += [f"Otherwise than asked: {one}" for one in manifest.degraded]
    rows = []
    for one in manifest.attempts:
        score = "not scored" if one.score is None else f"{one.score:.2f}"
        fell = f"; {one.error}" if one.error else ""
        again = f", attempt {one.attempt}" if one.attempt > 1 or len(manifest.of_call(one.call)) > 1 else ""
        lines.append(f"{one.call}: {one.engine}, seed {one.seed}{again}, {score}{fell}")
        rows.append(
            {"call": one.call, "attempt": one.attempt, "engine": one.engine, "score": one.score, "reason": one.error}
        )
    return lines, rows, tuple(MadeFile(path, str(Path(scene.production) / path)) for path in manifest.exports)


KNOWING = (search_knowledge, search_web, list_cast, list_places, list_scenes, show_storyboard, why)
"""Every function of this module."""
