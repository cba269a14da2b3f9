"""What people write and what it must be understood to mean: the tables of `requests/*.yaml`."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.intent import Beat, Intent
from agent.planners.base import PlanRequest
from agent.planners.offline.planner import OfflinePlanner
from tools.storyboard import CastMember, Line, Look, Placement, Shot, Storyboard

TABLES = Path(__file__).parent / "requests"


@cache
def planner() -> OfflinePlanner:
    return OfflinePlanner()


def board() -> Storyboard:
    """A present storyboard of three shots: Luca and Alberto on the beach by day, and a robot in the last."""
    both = [Placement(character="luca", x=0.3), Placement(character="alberto", x=0.7)]
    return Storyboard(
        title="At the beach",
        duration_s=12,
        cast=[
            CastMember(id="luca", name="Luca Paguro", known=True),
            CastMember(id="alberto", name="Alberto Scorfano", known=True),
            CastMember(id="robot", name="Robot", known=False, look=Look(species="robot", description="a robot")),
        ],
        shots=[
            Shot(id="s1", placements=both, dialogue=[Line(character="luca", text="We can do this!")]),
            Shot(
                id="s2", placements=both, dialogue=[Line(character="alberto", text="Silenzio, Bruno!", language="it")]
            ),
            Shot(id="s3", placements=[Placement(character="robot")]),
        ],
    )


def rows() -> list[Any]:
    found = []
    for path in sorted(TABLES.glob("*.yaml")):
        for number, row in enumerate(yaml.safe_load(path.read_text(encoding="utf-8"))):
            found.append(pytest.param(row, id=f"{path.stem}-{number}-{row['ask'][:48]!r}"))
    return found


def understood(row: dict[str, Any]) -> Intent:
    history = tuple(("user", text) for text in row.get("after", []))
    return planner().understand(PlanRequest(row["ask"], history, board() if row.get("board") else None))


def beats_of(intent: Intent) -> list[Beat]:
    return intent.brief.beats if intent.brief else []


def acted(intent: Intent, field: str) -> dict[str, Any]:
    return {p.character: getattr(p, field) for b in beats_of(intent) for p in b.performances if getattr(p, field)}


def facts(intent: Intent) -> dict[str, Any]:
    """Everything a row may speak of, by the names the tables use."""
    brief, beats = intent.brief, beats_of(intent)
    return {
        **intent.model_dump(include={"kind", "characters", "outputs", "language", "files", "variations", "topic"}),
        "unknown": intent.unknown_names,
        "burn": intent.burn_subtitles,
        "search": intent.needs_search,
        "places": [b.location for b in beats],
        "place_words": [b.location_words for b in beats if b.location_words],
        "times": [b.time_of_day for b in beats],
        "weathers": [b.weather for b in beats],
        "framings": [b.framing for b in beats],
        "cameras": [b.camera for b in beats],
        "moods": [b.mood for b in beats],
        "overlays": [b.text_overlay for b in beats if b.text_overlay],
        "lengths": [b.duration_s for b in beats],
        "shots": len(beats),
        "explicit": brief.explicit_shots if brief else None,
        "duration": brief.duration_s if brief else None,
        "aspect": brief.aspect if brief else None,
        "fps": brief.fps if brief else None,
        "style": brief.style if brief else None,
        "title": brief.title if brief else None,
        "poses": acted(intent, "pose"),
        "feels": acted(intent, "expression"),
        "facing": acted(intent, "facing"),
        "lines": [[line.character, line.text] for b in beats for line in b.dialogue],
        "tones": [line.emotion for b in beats for line in b.dialogue],
        "voices": [line.delivery for b in beats for line in b.dialogue],
        "tongues": [line.language for b in beats for line in b.dialogue],
    }


@pytest.mark.parametrize("row", rows())
def test_request(row: dict[str, Any]) -> None:
    intent = understood(row)
    told = f"{intent.model_dump(exclude_defaults=True)}"
    found = facts(intent)
    for name, expected in row.items():
        if name in ("ask", "board", "after", "edits", "says", "asks", "looks", "sure", "unsure", "cut_to"):
            continue
        assert found[name] == expected, f"{name}: {found[name]!r}, not {expected!r}; {told}"
    for words in row.get("says", []):
        assert any(words.lower() in text.lower() for text in intent.assumptions), f"not assumed: {words!r}; {told}"
    for words in row.get("asks", []):
        assert any(words.lower() in text.lower() for text in intent.questions), f"not asked: {words!r}; {told}"
    if "sure" in row:
        assert intent.confidence >= row["sure"], told
    if "unsure" in row:
        assert intent.confidence <= row["unsure"], told
    members = {m.id: m for m in intent.brief.cast} if intent.brief else {}
    for id_, look in row.get("looks", {}).items():
        drawn = members[id_].look
        assert drawn is not None, told
        for field, value in look.items():
            assert getattr(drawn, field) == value, f"{id_}.{field}: {getattr(drawn, field)!r}; {told}"
    if "edits" in row:
        made = [edit.model_dump(exclude_defaults=True) for edit in intent.edits]
        assert len(made) == len(row["edits"]), told
        for got, wanted in zip(made, row["edits"], strict=True):
            assert contains(got, wanted), f"{got}, not {wanted}; {told}"


def contains(got: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(got, dict) and all(name in got and contains(got[name], wanted[name]) for name in wanted)
    return bool(got == wanted)


def test_there_are_enough_requests() -> None:
    assert len(rows()) >= 170
