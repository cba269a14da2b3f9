"""Scorers of what was understood and planned: intent, storyboard, shots, lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from evals.expect.matching import matches
from evals.expect.model import LineSaid
from evals.expect.seen import Seen
from evals.result import Check

__all__ = ["SCORERS", "facts_of"]

Board = Mapping[str, Any]


def facts_of(board: Board) -> dict[str, Any]:
    """A storyboard as facts; lists hold each thing once, in the order of the shots."""
    shots = board["shots"]
    lines = [line for shot in shots for line in shot["dialogue"]]
    placed = [one for shot in shots for one in shot["placements"]]
    return {
        "title": board["title"],
        "style": board["style"],
        "aspect": board["aspect"],
        "fps": board["fps"],
        "seconds": round(sum(shot["duration_s"] for shot in shots), 3),
        "shots": len(shots),
        "characters": [member["id"] for member in board["cast"]],
        "names": [member["name"] for member in board["cast"]],
        "species": [(member.get("look") or {}).get("species", "human") for member in board["cast"]],
        "places": _each(shot["location"] for shot in shots),
        "times": _each(shot["time_of_day"] for shot in shots),
        "weathers": _each(shot["weather"] for shot in shots),
        "framings": [shot["framing"] for shot in shots],
        "cameras": [shot["camera"] for shot in shots],
        "moods": _each(shot["music"] for shot in shots),
        "ambiences": _each(shot["ambience"] for shot in shots),
        "languages": _each(line["language"] for line in lines),
        "speakers": _each(line["character"] for line in lines),
        "words": [line["text"] for line in lines],
        "lines": len(lines),
        "expressions": _each(one["expression"] for one in placed),
        "poses": _each(one["pose"] for one in placed),
        "overlays": [shot["text_overlay"] for shot in shots if shot["text_overlay"]],
        "actions": [shot["action"] for shot in shots],
        "prompts": [shot["prompt"] for shot in shots if shot.get("prompt")],
    }


def _each(found: Any) -> list[Any]:
    return list(dict.fromkeys(found))


def _held(name: str, seen: Seen, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[Check]:
    for key, value in wanted.items():
        there = found.get(key)
        yield Check(name=f"{name}.{key}", turn=seen.number, passed=matches(there, value), expected=value, found=there)


def _intent(wanted: Mapping[str, Any], seen: Seen) -> Iterator[Check]:
    if seen.last.intent is None:
        yield Check(name="intent", turn=seen.number, passed=False, expected=dict(wanted), note="there is none")
        return
    yield from _held("intent", seen, wanted, seen.last.intent)


def _storyboard(wanted: Mapping[str, Any], seen: Seen) -> Iterator[Check]:
    if seen.board is None:
        yield Check(name="storyboard", turn=seen.number, passed=False, expected=dict(wanted), note="there is none")
        return
    yield from _held("storyboard", seen, wanted, facts_of(seen.board))


def _no_storyboard(wanted: bool, seen: Seen) -> Iterator[Check]:
    none = seen.board is None
    yield Check(name="no_storyboard", turn=seen.number, passed=none is wanted, expected=wanted, found=none)


def _shots(wanted: Mapping[str, Mapping[str, Any]], seen: Seen) -> Iterator[Check]:
    board = seen.board or {"shots": []}
    shots = {shot["id"]: shot for shot in board["shots"]}
    for name, facts in wanted.items():
        if name not in shots:
            note = f"there is no such shot; there are {', '.join(shots) or 'none'}"
            yield Check(name=f"shots.{name}", turn=seen.number, passed=False, expected=dict(facts), note=note)
            continue
        shot = shots[name]
        found = facts_of({**board, "shots": [shot]})
        found["on_stage"] = found["characters"] = [one["character"] for one in shot["placements"]]
        yield from _held(f"shots.{name}", seen, facts, found)


def _lines(wanted: tuple[LineSaid, ...], seen: Seen) -> Iterator[Check]:
    said = [
        {"who": line["character"], "says": line["text"], "shot": shot["id"],
         **{name: line[name] for name in ("language", "emotion", "delivery")}}
        for shot in (seen.board or {"shots": []})["shots"] for line in shot["dialogue"]
    ]  # fmt: skip
    for line in wanted:
        asked = line.model_dump(exclude_unset=True)
        passed = any(all(matches(one[name], value) for name, value in asked.items()) for one in said)
        yield Check(name="lines", turn=seen.number, passed=passed, expected=asked, found=said)


def _silent(wanted: bool, seen: Seen) -> Iterator[Check]:
    words = facts_of(seen.board)["words"] if seen.board else []
    passed, note = (not words) is wanted and seen.board is not None, "" if seen.board else "there is no storyboard"
    yield Check(name="silent", turn=seen.number, passed=passed, expected=wanted, found=words, note=note)


SCORERS = {
    "intent": _intent,
    "storyboard": _storyboard,
    "no_storyboard": _no_storyboard,
    "shots": _shots,
    "lines": _lines,
    "silent": _silent,
}
