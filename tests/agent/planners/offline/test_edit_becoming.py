"""One of the scene becomes another: nobody comes in besides, and the shots stay as they are."""

from __future__ import annotations

from typing import Any

import pytest

from tests.agent.planners.offline.test_followups import told

SCENE = "Leo and an old fisherman talk at the harbour"


@pytest.mark.parametrize(
    ("scene", "ask", "who", "name", "look"),
    [
        (SCENE, "let Leo be a girl", "leo", "Leo", {"gender": "girl", "species": "human"}),
        (SCENE, "make Leo a girl", "leo", "Leo", {"gender": "girl", "species": "human"}),
        (SCENE, "turn Leo into a robot", "leo", "Leo", {"species": "robot"}),
        (SCENE, "make the fisherman a woman", "old_fisherman", "Woman", {"gender": "girl", "accessories": ["cap"]}),
        ("Luca e una volpe nel bosco", "trasforma la volpe in un gatto", "volpe", "Gatto", {"species": "cat"}),
    ],
)
def test_one_becomes_another(scene: str, ask: str, who: str, name: str, look: dict[str, Any]) -> None:
    before, after, _ = told(scene, ask)
    member = next(m for m in after.cast if m.id == who)
    assert member.name == name
    assert member.look is not None
    assert {field: getattr(member.look, field) for field in look} == look
    assert len(after.cast) == len(before.cast)
    assert [(len(s.placements), s.framing) for s in after.shots] == [
        (len(s.placements), s.framing) for s in before.shots
    ]


def test_a_newcomer_beside_somebody_is_still_a_newcomer() -> None:
    before, after, _ = told(SCENE, "add a robot beside Leo")
    assert len(after.cast) == len(before.cast) + 1
