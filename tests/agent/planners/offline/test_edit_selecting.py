"""Shots named by what they show: what is asked happens to them alone, and what describes them is asked of nobody."""

from __future__ import annotations

import pytest

from agent.planners.base import PlanRequest
from tests.agent.planners.offline.test_followups import planner
from tools.storyboard import Storyboard

SCENE = (
    "Shot 1: wide, Luca on the beach at day. Shot 2: close-up of Luca in the kitchen at night. "
    "Shot 3: Giulia waves at the harbour at night. Shot 4: Luca and Giulia dance at the harbour by day."
)
SCENA = "Luca sul molo all'alba. Poi Luca in cucina di notte con Giulia."


def changed(scene: str, ask: str) -> tuple[Storyboard, Storyboard, set[str], list[str]]:
    """(before, after, ids of the shots that changed or went, what the reader asked)."""
    first = PlanRequest(scene, (), None)
    before = planner().compose(planner().understand(first), first).storyboard
    request = PlanRequest(ask, (("user", scene), ("assistant", "Done.")), before)
    intent = planner().understand(request)
    assert intent.kind == "edit"
    after = planner().revise(before, intent, request).storyboard if intent.edits else before
    kept = {shot.id: shot for shot in after.shots}
    return before, after, {shot.id for shot in before.shots if kept.get(shot.id) != shot}, list(intent.questions)


@pytest.mark.parametrize(
    ("scene", "ask", "shots"),
    [
        (SCENE, "make the harbour scene longer", {"s3", "s4"}),
        (SCENE, "make the night shots longer", {"s2", "s3"}),
        (SCENE, "make the close-up longer", {"s2"}),
        (SCENE, "make the shot with Giulia rainy", {"s3", "s4"}),
        (SCENE, "remove the kitchen shot", {"s2"}),
        (SCENE, "delete the shot with Luca and Giulia", {"s4"}),
        (SCENE, "add fog to the harbour scenes", {"s3", "s4"}),
        (SCENE, "add fog to the first harbour shot", {"s3"}),
        (SCENE, "in the kitchen Luca should be sad", {"s2"}),
        (SCENE, "let it snow in the scene at the beach", {"s1"}),
        (SCENE, "make the night shots longer and rainy", {"s2", "s3"}),
        (SCENE, 'in the kitchen scene Luca says "Hello"', {"s2"}),
        (SCENA, "accorcia la scena in cucina", {"s2"}),
        (SCENA, "rendi più triste la musica della scena al molo", {"s1"}),
        (SCENA, "togli la scena in cucina", {"s2"}),
    ],
)
def test_a_shot_named_by_what_it_shows_is_changed_alone(scene: str, ask: str, shots: set[str]) -> None:
    before, after, touched, asked = changed(scene, ask)
    assert touched == shots
    assert not asked
    kept = {shot.id for shot in after.shots}
    assert [s.location for s in after.shots] == [s.location for s in before.shots if s.id in kept]
    assert [m.id for m in after.cast] == [m.id for m in before.cast]


@pytest.mark.parametrize("ask", ["make the forest scene longer", "remove the underwater shot"])
def test_a_shot_that_is_not_there_is_told_and_nothing_changes(ask: str) -> None:
    _, _, touched, asked = changed(SCENE, ask)
    assert not touched
    assert any("scene" in sentence or "shot" in sentence for sentence in asked)


@pytest.mark.parametrize(
    ("ask", "place"),
    [
        ("set the scene in the kitchen", "kitchen"),
        ("move the scene to the forest", "forest"),
        ("make the scene at the beach", "beach"),
        ("put it all in the kitchen", "kitchen"),
    ],
)
def test_where_the_scene_is_to_be_is_still_a_change_of_place(ask: str, place: str) -> None:
    _, after, _, _ = changed(SCENE, ask)
    assert {shot.location for shot in after.shots} == {place}
