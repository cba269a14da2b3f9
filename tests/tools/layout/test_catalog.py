"""What can be drawn by name, and the sentence about what cannot."""

from __future__ import annotations

from tools.layout.catalog import check_storyboard, expressions, nearest, places, poses
from tools.storyboard import CastMember, Placement, Shot, Storyboard


def test_the_places_the_poses_and_the_expressions_that_were_promised() -> None:
    assert {"beach", "harbour", "town_square", "kitchen", "forest", "underwater"} <= set(places())
    assert len(poses()) >= 10
    assert "stand" in poses()
    assert len(expressions()) >= 8
    assert "neutral" in expressions()


def test_nearest_names() -> None:
    assert nearest("townsquare", ["beach", "town_square"]) == "town_square"
    assert nearest("kitchn", ["beach", "kitchen"]) == "kitchen"
    assert nearest("zzzz", ["beach", "kitchen"]) is None


def board(location: str, pose: str) -> Storyboard:
    placement = Placement(character="luca", pose=pose)
    shot = Shot(id="s1", location=location, placements=[placement])
    return Storyboard(title="t", duration_s=4, cast=[CastMember(id="luca", name="Luca", known=True)], shots=[shot])


def test_a_storyboard_is_checked_by_name() -> None:
    assert check_storyboard(board("beach", "stand")) == []
    told = check_storyboard(board("harbor", "standing_still"))
    assert len(told) == 2
    assert "'harbor'" in told[0]
    assert "'harbour'" in told[0]
    assert "'stand'" in told[1]
