"""What to change about how an image model paints: from the levers of failed checks to `rendering` arguments.

Words are the storyboard's own, made plain; strengths are bounded here. Nothing that a model wrote gets in. An engine is
only asked for what it has (`levers` of engines.yaml).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from configs.characters import load_characters
from tools.image.rendering import Rendering
from tools.image.sdxl.words import plain
from tools.image.tool import GenerateImage
from tools.review.tool import Check

__all__ = ["FAULTS", "WISHES", "painted"]

FAULTS = "extra limbs, missing limbs, fused fingers, merged faces, duplicate person, text, watermark"
"""What is avoided besides the usual, where a picture has faults."""
LOUDEST = 1.5
"""Weight of words above which SDXL's pictures burn."""
MOST_WORDS = 1_500
STRICTEST, LOOSEST = 1.6, 0.4
"""Times a ControlNet's own strength."""


def painted(
    args: dict[str, Any],
    failed: list[Check],
    strength: float,
    levers: Collection[str],
    picture: str,
    *,
    moved: bool = False,
) -> tuple[dict[str, Any], list[str]]:
    """The arguments with the wish of the failed checks in `rendering`, and what was changed, in words.

    Args:
        failed: the most severe first; the first that wishes anything decides: a model proposes one change.
        strength: how strongly, 1 at the first attempt.
        levers: that the engine has.
        picture: id of the result that fell short; empty where none can be referred to.
        moved: the layout is changed as well: then no part of the old picture fits.
    """
    wish = next(((name, check) for check in failed for name in PAINTED if name in check.fix), None)
    if wish is None:
        return args, []
    name, check = wish
    if WISHES[name] not in levers:
        return args, []
    before = Rendering.model_validate(args.get("rendering") or {})
    # What an earlier attempt redrew is not begun from again.
    base = before.model_copy(update={"repair": "", "start": None, "start_image": ""}) if before.repair else before
    about, amount = str(check.fix[name]), float(check.fix.get("amount", 1.0)) * strength
    after, said = base, ""
    if name == "emphasise":
        after, said = _louder(base, args, about, amount)
    elif name == "avoid_artefacts":
        after, said = base.model_copy(update={"negative": _joined(base.negative, FAULTS)}), "faults avoided"
    elif name == "redraw" and picture and not moved:
        update = {
            "repair": about,
            "start": {"call": picture, "key": ""},
            "strength": _within(0.5 + 0.1 * amount, 0.4, 0.85),
        }
        after = Rendering.model_validate({**base.model_dump(mode="json"), **update})
        said = f"{about} drawn anew within its mask"
    elif name in ("follow_layout_more", "follow_layout_less"):
        factor = 1 + (0.12 if name == "follow_layout_more" else -0.12) * amount
        scale = _within(base.control_scale * factor, LOOSEST, STRICTEST)
        after, said = base.model_copy(update={"control_scale": scale}), f"ControlNets times {scale:g}"
    elif name == "more_alike":
        scale = _within(base.likeness_scale * (1 + 0.1 * amount), 0.5, 1.5)
        louder, _ = _louder(base, args, f"who.{about}", amount)
        after, said = louder.model_copy(update={"likeness_scale": scale}), f"LoRA and reference times {scale:g}"
    if after == before or not said:
        return args, []
    return {**args, "rendering": after.model_dump(mode="json")}, [said]


WISHES = {
    "take": "take",
    "emphasise": "prompt",
    "avoid_artefacts": "prompt",
    "redraw": "repair",
    "follow_layout_more": "controls",
    "follow_layout_less": "controls",
    "more_alike": "likeness",
}
"""By wish the lever that an engine must have for it; other wishes are of the layout, or go to every engine."""
PAINTED = tuple(name for name in WISHES if name != "take")


def _louder(base: Rendering, args: dict[str, Any], about: str, amount: float) -> tuple[Rendering, str]:
    """With the words of a criterion in the prompt, heavier than before."""
    words = _words_of(GenerateImage.Input.model_validate({**args, "rendering": None}), about)
    if not words:
        return base, ""
    weight = _within(1.1 + 0.1 * amount, 1.0, LOUDEST)
    kept = [part for part in base.prompt.split(", ") if part and not part.startswith(f"({words})")]
    prompt = ", ".join([*kept, f"({words}){weight:g}"])
    if len(prompt) > MOST_WORDS:
        return base, ""
    return base.model_copy(update={"prompt": prompt}), f"({words}){weight:g} in the prompt"


def _words_of(asked: GenerateImage.Input, criterion: str) -> str:
    """What a criterion is about, in a few plain words of the storyboard and the cast."""
    kind, _, whom = criterion.partition(".")
    shot = asked.shot
    placement = next((one for one in shot.placements if one.character == whom), None)
    if kind in ("who", "emotion") and placement is None:
        return ""
    if kind == "who":
        sheet = load_characters().get(whom)
        member = next((one for one in asked.cast if one.id == whom), None)
        own = member.look.description if member and member.look else ""
        text = sheet.description if sheet else own or (member.name if member else whom)
    elif kind == "emotion" and placement is not None:
        text = f"{placement.expression} expression"
    else:
        light = f"{shot.time_of_day} {'' if shot.weather == 'clear' else shot.weather}"
        scene = {
            "where": shot.location.replace("_", " "),
            "what": shot.action,
            "light": light,
            "style": asked.style.replace("_", " "),
        }
        text = scene.get(kind, "")
    # A comma would part it from its weight.
    return plain(text).replace(",", " and")[:200].strip()


def _joined(words: str, more: str) -> str:
    have = [part.strip() for part in words.split(",") if part.strip()]
    return ", ".join([*have, *(part for part in more.split(", ") if part not in have)])


def _within(value: float, low: float, high: float) -> float:
    return round(min(high, max(low, value)), 3)
