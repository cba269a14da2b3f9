"""The small pictures of a turn, drawn when it is over: a later turn draws over what this one has published.

They lie in the run's own folder, so that a report only has to take them in; nothing is decoded for it any more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from evals.result import Picture, TurnRecord

__all__ = ["MOST", "SHOWN", "show_turn"]

SHOWN = "shown"
"""Folder of the small pictures, in that of the run."""
MOST = 8
"""Pictures of one turn; more are counted, not drawn."""
_STILLS, _FILMS = (".png", ".jpg", ".webp"), (".mp4", ".webm", ".mov", ".mkv")
_STILL_WIDTH, _FILM_WIDTH, _FRAMES, _QUALITY = 400, 840, 3, 76
_Wanted = tuple[Path, str, str]


def show_turn(record: TurnRecord, folder: Path) -> list[Picture]:
    """Draw what a turn made: published stills and films, and every attempt where one was made again.

    Args:
        record: of the turn, with its state.
        folder: of the run. The pictures are written to `shown/` in it, as JPEG of some 20 KB each.

    Returns:
        Each picture, what it is of, and a note; `file` is empty where one cannot be drawn, and the note says why.
    """
    wanted = list(_wanted(record, folder))
    shown = [_draw(one, record.number, at, folder) for at, one in enumerate(wanted[:MOST], start=1)]
    if len(wanted) > MOST:
        shown.append(Picture(of=f"{len(wanted) - MOST} more", note="they lie in the folder of the run"))
    return shown


def _wanted(record: TurnRecord, folder: Path) -> Iterator[_Wanted]:
    """Files to draw, what they are, and a note."""
    if not record.production:
        return
    times = Counter(one["call"] for one in record.attempts)
    made_again = {call for call, count in times.items() if count > 1}
    for label, path in record.files.items():
        if path.lower().endswith(_FILMS):
            yield folder / path, label, f"{_FRAMES} moments, from first to last"
        elif path.lower().endswith(_STILLS) and f"{label.rpartition('/')[2]}.still" not in made_again:
            yield folder / path, label, ""
    for one in record.attempts:
        if one["call"] in made_again:
            kept = "kept" if one["best"] else "not kept"
            reason = f": {one['reason']}" if one["reason"] else ""
            note = f"attempt {one['number']}, score {one['score']:.2f}, {kept}{reason}"
            picture = _of_artifact(folder / record.production / "artifacts", one["key"])
            if picture is not None:
                yield picture, one["call"], note


def _of_artifact(store: Path, key: str) -> Path | None:
    """The picture or the film of a result; None where it is neither."""
    from tools.artifact import Artifact
    from tools.errors import ToolError

    try:
        artifact = Artifact.open(store / key[:2] / key)
        name = artifact.output.get("plain") or artifact.output.get("image") or artifact.output.get("file")
        path = artifact.file(name) if isinstance(name, str) else None
    except ToolError:
        return None
    return path if path is not None and path.suffix.lower() in (*_STILLS, *_FILMS) else None


def _draw(wanted: _Wanted, turn: int, at: int, folder: Path) -> Picture:
    from tools.artifact import write_atomic
    from tools.contact_sheet import contact_sheet
    from tools.errors import ToolError

    path, of, note = wanted
    is_film = path.suffix.lower() in _FILMS
    name = f"{SHOWN}/turn{turn}-{at}.jpg"
    try:
        width = _FILM_WIDTH if is_film else _STILL_WIDTH
        data = contact_sheet([path], width=width, columns=_FRAMES if is_film else 1, frames=_FRAMES, quality=_QUALITY)
        write_atomic(folder / name, data)
    except ToolError as error:
        return Picture(of=of, note=f"cannot be shown: {error.message}")
    return Picture(file=name, of=of, note=note)
