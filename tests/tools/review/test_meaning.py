"""From what a vision model saw to checks, from its one change to the generator's arguments: all of the list."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest

from tests.agent.boards import beach, shot
from tools.artifact import Artifact, ArtifactRecord
from tools.errors import InvalidInput
from tools.image.rendering import Rendering
from tools.image.tool import GenerateImage
from tools.review.fixes import Fix, propose
from tools.review.limits import default_limits
from tools.review.meaning import check_meaning, levers_of
from tools.review.scoring import review_of, score_checks
from tools.review.tool import Check
from tools.review.verdict import holds
from tools.seeing.rubric import changes_of
from tools.seeing.tool import Change, Score, SeePicture, Suggestion

ALL = ("take", "layout", "prompt", "repair", "controls", "likeness")
LIMITS = default_limits().meaning


def args(**rendering: Any) -> dict[str, Any]:
    """Of a picture at the beach, as the compiler writes them."""
    placed = shot("s1", "luca", "alberto", action="They (wave) at a boat.")
    board = beach(placed)
    cast = [member.model_dump(mode="json") for member in board.cast]
    made = {"shot": board.shots[0].model_dump(mode="json"), "cast": cast, "style": "pixar_3d"}
    return {**made, "width": 1280, "height": 720, **({"rendering": rendering} if rendering else {})}


def artifact(tool: str, key: str, output: dict[str, Any] | None = None) -> Artifact:
    record = ArtifactRecord(
        key=key, tool=tool, engine="e", version="1", args={}, seed=0, files={}, output=output or {}, digest=key,
        seconds=0,
    )  # fmt: skip
    return Artifact(Path("nowhere"), record)


def checks(
    scores: dict[str, float], change: Change = "nothing", about: str = "", amount: int = 1, **more: Any
) -> list[Check]:
    found = SeePicture.Output(
        seen="seen.jpg", model="server/m", askings=1, tokens=1, seconds=1.0, key="k",
        scores=[Score(name=name, score=score, reason="so it is") for name, score in scores.items()],
        overall=sum(scores.values()) / len(scores),
        suggestion=Suggestion(change=change, about=about, amount=amount), **more,
    )  # fmt: skip
    return list(
        check_meaning(artifact("generate_image", "k"), artifact("see_picture", "s", found.model_dump()), LIMITS)
    )


def fix_for(change: Change, about: str = "", amount: int = 1, *, levers: Any = ALL, at: int = 1, **has: Any) -> Fix:
    found = checks({"who.luca": 0.0, "where": 1.0}, change, about, amount)
    fix = propose("image", args(**has), found, at, levers=levers, picture="s1.still.try1")
    assert fix is not None
    return fix


def painted(fix: Fix) -> Rendering:
    """What reaches the generator: valid arguments of the tool."""
    return GenerateImage.Input.model_validate(fix.args).rendering or Rendering()


def test_every_criterion_is_a_check_and_the_change_is_asked_of_the_one_it_is_about() -> None:
    found = {check.name: check for check in checks({"who.luca": 0.25, "where": 0.0, "style": 1.0}, "redraw", "luca", 2)}
    assert set(found) == {"meaning", "meaning_who.luca", "meaning_where", "meaning_style"}
    assert found["meaning_style"].status == "passed"
    assert found["meaning_who.luca"].fix == {"redraw": "luca", "amount": 2.0, "take": 1}
    assert found["meaning_where"].fix == {"take": 1}
    assert "so it is" in found["meaning_who.luca"].detail
    assert "server/m" in found["meaning"].detail


def test_each_kind_has_a_weight_and_eyes_only_ever_lower_a_score() -> None:
    hard = holds("on_stage.luca", False, "missing", score=0.2)
    alone = score_checks([hard])
    assert score_checks([hard, *checks({"who.luca": 1.0})]) == alone, "praise mends nothing"
    assert score_checks([hard, *checks({"who.luca": 0.0})]) < alone
    assert review_of(checks({"who.luca": 0.25, "where": 1.0, "what": 1.0, "light": 1.0})).passed is False


def test_what_was_not_seen_is_not_run_and_what_is_about_another_picture_is_refused() -> None:
    (only,) = check_meaning(artifact("generate_image", "k"), None, LIMITS)
    assert (only.name, only.status) == ("meaning", "not_run")
    assert "STUDIO_VISION" in only.detail
    with pytest.raises(InvalidInput, match="no picture"):
        list(check_meaning(artifact("generate_image", "k"), artifact("compare_faces", "s"), LIMITS))
    seen = {
        "seen": "x",
        "scores": [],
        "overall": 1.0,
        "model": "m",
        "askings": 1,
        "tokens": 1,
        "seconds": 1,
        "key": "z",
    }
    with pytest.raises(InvalidInput, match="another picture"):
        list(check_meaning(artifact("generate_image", "k"), artifact("see_picture", "s", seen), LIMITS))


def test_every_change_of_the_list_is_offered_by_some_lever_and_means_something() -> None:
    assert changes_of(ALL) == list(get_args(Change))
    assert changes_of(()) == ["nothing"]
    assert changes_of(("take",)) == ["nothing", "another_take"]
    assert "redraw" not in changes_of(("layout", "prompt"))
    for change in get_args(Change):
        if change not in ("nothing", "another_take"):
            assert levers_of(Suggestion(change=change, about="luca")), change


@pytest.mark.parametrize(
    ("change", "about", "field", "amounts"),
    [
        ("wider", "", "zoom", (0.9, 0.8, 0.7)),
        ("closer", "", "zoom", (1.12, 1.24, 1.36)),
        ("brighter", "", "exposure", (1.15, 1.3, 1.45)),
        ("darker", "", "exposure", (0.88, 0.76, 0.64)),
        ("move_left", "luca", "dx", (-0.06, -0.12, -0.18)),
        ("move_right", "luca", "dx", (0.06, 0.12, 0.18)),
    ],
)
def test_changes_of_the_layout_reach_every_engine(
    change: Change, about: str, field: str, amounts: tuple[float, ...]
) -> None:
    for amount, wanted in enumerate(amounts, 1):
        fix = fix_for(change, about, amount, levers=("layout",))
        value = fix.args["adjust"][field]
        assert (value[about] if about else value) == pytest.approx(wanted, abs=1e-3)
        assert "rendering" not in fix.args
        GenerateImage.Input.model_validate(fix.args)


def test_what_matters_is_said_louder_in_the_words_of_the_storyboard() -> None:
    assert painted(fix_for("emphasise", "who.luca")).prompt == "(boy and brown hair and green eyes)1.2"
    assert painted(fix_for("emphasise", "where", 3, preset="high")).prompt == "(beach)1.4"
    assert painted(fix_for("emphasise", "what")).prompt == "(They wave at a boat.)1.2", "brackets are no weights"
    again = fix_for("emphasise", "where", 3, at=3, prompt="gulls, (beach)1.2")
    assert painted(again).prompt == "gulls, (beach)1.5", "louder each time, within a bound"
    assert painted(fix_for("emphasise", "where", preset="high")).preset == "high", "what was asked for stays"


def test_faults_are_avoided_in_words_of_our_own() -> None:
    negative = painted(fix_for("avoid_artefacts", negative="rain, text")).negative
    assert negative.startswith("rain, text, extra limbs")
    assert negative.count("text") == 1


def test_one_character_is_drawn_anew_within_its_mask() -> None:
    fix = fix_for("redraw", "luca", 2)
    found = painted(fix)
    assert found.repair == "luca"
    assert found.start is not None
    assert found.start.call == "s1.still.try1"
    assert found.strength == pytest.approx(0.7)
    assert fix.seed_step == 0
    failed = checks({"who.luca": 0.0}, "redraw", "luca")
    moved = [*failed, holds("in_frame.luca", False, "cut off", fix={"zoom": 0.8})]
    both = propose("image", args(), moved, 1, levers=ALL, picture="s1.still.try1")
    assert both is not None
    assert "rendering" not in both.args, "where the layout changes, no part of the old picture fits"


def test_after_a_repair_another_change_begins_from_nothing_again() -> None:
    begun = {"repair": "luca", "start": {"call": "s1.still.try1", "key": ""}, "prompt": "gulls"}
    found = painted(fix_for("avoid_artefacts", **begun))
    assert (found.repair, found.start, found.prompt) == ("", None, "gulls")


@pytest.mark.parametrize(
    ("change", "field", "wanted"),
    [
        ("follow_layout_more", "control_scale", 1.24),
        ("follow_layout_less", "control_scale", 0.76),
        ("more_alike", "likeness_scale", 1.2),
    ],
)
def test_strengths_move_within_bounds(change: Change, field: str, wanted: float) -> None:
    assert getattr(painted(fix_for(change, "luca", 2)), field) == pytest.approx(wanted)
    for has in (0.3, 2.0):
        fix = propose("image", args(**{field: has}), checks({"who.luca": 0.0}, change, "luca", 3), 3, levers=ALL)
        assert fix is not None
        assert 0.4 <= getattr(painted(fix), field) <= 2.0


@pytest.mark.parametrize("change", ["emphasise", "avoid_artefacts", "redraw", "follow_layout_more", "more_alike"])
def test_an_engine_is_asked_for_nothing_that_it_has_not(change: Change) -> None:
    about = "who.luca" if change == "emphasise" else "luca"
    fix = fix_for(change, about, levers=("take", "layout"))
    assert fix.args == args()
    assert fix.seed_step == 1, "another take is what is left"
    found = checks({"who.luca": 0.0, "where": 1.0}, change, about)
    assert propose("image", args(), found, 1, levers=("layout",), picture="s1.still.try1") is None


@pytest.mark.parametrize("change", ["nothing", "another_take", "emphasise", "move_left"])
def test_no_attempt_is_made_of_what_the_engine_cannot_change(change: Change) -> None:
    """Another seed draws another picture where a model paints; the draft draws the same place once more."""
    about = {"emphasise": "where", "move_left": "luca"}.get(change, "")
    found = checks({"who.luca": 1.0, "where": 0.0}, change, about)
    painting = propose("image", args(), found, 1, levers=("take", "layout"), picture="s1.still.try1")
    assert painting is not None
    drawing = propose("image", args(), found, 1, levers=("layout",), picture="s1.still.try1")
    if change == "move_left":
        assert drawing is not None
        assert drawing.seed_step == 0
        assert drawing.reason.startswith("meaning: "), "that of the check whose wish it is"
    else:
        assert drawing is None


@pytest.mark.parametrize("change", [one for one in get_args(Change) if one != "nothing"])
def test_a_change_that_was_tried_is_not_tried_again_alike(change: Change) -> None:
    about = {"emphasise": "who.luca"}.get(change, "luca")
    found = checks({"who.luca": 0.0}, change, about)
    tried: list[dict[str, Any]] = [args()]
    for attempt in range(1, 4):
        fix = propose("image", args(), found, attempt, tried, levers=ALL, picture=f"s1.still.try{attempt}")
        assert fix is not None
        assert fix.seed_step or fix.args not in tried
        tried.append(fix.args)


def test_the_strengths_are_those_that_the_picture_is_drawn_with(tmp_path: Path) -> None:
    pytest.importorskip("diffusers")
    from tools.image.sdxl.lora import Adapter
    from tools.image.sdxl.plan import _scaled, make_plan

    asked = GenerateImage.Input.model_validate(args(prompt="(beach)1.3", negative="text", likeness_scale=1.5))
    plan = make_plan(asked)
    assert "(beach)1.3" in plan.prompts.whole
    assert plan.prompts.negative.endswith("text")
    assert plan.identity_scale == pytest.approx(0.9)
    own, style = Adapter("a", tmp_path, 0.8, "luca"), Adapter("b", tmp_path, 0.8)
    assert _scaled(own, 1.5).weight == pytest.approx(1.2)
    assert _scaled(own, 9.0).weight == 2.0
    assert _scaled(style, 1.5) is style
