"""The picture as a picture: its size, its light, its sharpness, and the control maps that came with it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tools.artifact import Artifact
from tools.errors import BadOutput
from tools.image.tool import ControlMap, GenerateImage
from tools.review.identity import check_identity
from tools.review.limits import ImageLimits, Limits
from tools.review.meaning import check_meaning
from tools.review.picture_contrast import check_faces
from tools.review.pixels import luma, png_size, read_gray, read_rgb
from tools.review.stage import Person, check_stage
from tools.review.tool import Check, ReviewArtifact
from tools.review.verdict import above, as_sized, between, holds, share
from tools.storyboard import TimeOfDay, Weather

__all__ = [
    "check_clipping",
    "check_exposure",
    "check_maps",
    "check_not_blank",
    "check_sharpness",
    "laplacian_variance",
    "review_image",
]

REFERENCE_LINES = 720
"""Sharpness is measured on pictures of about this height, or it would fall with every pixel added."""
BLACK, WHITE = 4, 251
"""Luma levels below and above which nothing can be seen any more."""
ALWAYS_DRAWN = frozenset({"depth", "line", "canny", "segmentation"})
"""Maps that show something whatever the picture is of; an OpenPose map of an empty beach is black."""

Gray = NDArray[np.uint8]


def check_not_blank(rgb: NDArray[np.uint8], gray: Gray, limits: ImageLimits) -> Check:
    """The picture shows something: its light varies, and it has more than a handful of colours."""
    deviation = float(gray[::2, ::2].std())
    coarse = (rgb[::4, ::4] >> 3).astype(np.uint16)
    colours = int(np.unique((coarse[..., 0] << 10) | (coarse[..., 1] << 5) | coarse[..., 2]).size)
    told = f"luma deviates by {deviation:.1f} (at least {limits.min_deviation:g}), {colours} colours (at least"
    score = min(deviation / limits.min_deviation, colours / limits.min_colours)
    return holds("not_blank", score >= 1.0, f"{told} {limits.min_colours})", score=score, fix={"seed": 1})


def check_exposure(gray: Gray, time: TimeOfDay, weather: Weather, limits: ImageLimits) -> Check:
    """Neither too dark to read nor burnt out, for the time of day and the weather."""
    mean = float(gray[::2, ::2].mean())
    low, high = limits.mean_luma[time].low, limits.mean_luma[time].high
    if weather in ("fog", "snow"):
        high = min(250.0, high + limits.haze_lift)
    # Aim a little inside: what lands exactly on the limit fails again with the next wave of the sea.
    target = low * 1.25 if mean < low else high * 0.9
    word = "too dark: " if mean < low else "too bright: " if mean > high else ""
    return between(
        "exposure",
        mean,
        low,
        high,
        f"{word}mean luma {mean:.0f}, for {time} and {weather} between {low:g} and {high:g}",
        fix={"exposure": round(float(np.clip(target / max(mean, 1.0), 0.5, 2.0)), 3)},
    )


def check_clipping(gray: Gray, time: TimeOfDay, limits: ImageLimits) -> Check:
    """Not too much of the picture is pure black or pure white."""
    sample = gray[::2, ::2]
    black, white = float((sample < BLACK).mean()), float((sample > WHITE).mean())
    most_black = limits.max_black_share_night if time == "night" else limits.max_black_share
    told = f"pure black {share(black)} (at most {share(most_black)}), pure white {share(white)} (at most"
    score = min(most_black / max(black, 1e-9), limits.max_white_share / max(white, 1e-9))
    fix = 1.3 if black / most_black > white / limits.max_white_share else 0.8
    return holds(
        "clipping", score >= 1.0, f"{told} {share(limits.max_white_share)})", score=score, fix={"exposure": fix}
    )


def laplacian_variance(gray: Gray, mask: NDArray[np.bool_] | None = None) -> float:
    """Variance of the 4-neighbour Laplacian, inside `mask` where one is given (same size as `gray`)."""
    step = max(1, round(gray.shape[0] / REFERENCE_LINES))
    if step > 1:
        height, width = gray.shape[0] // step * step, gray.shape[1] // step * step
        blocks = gray[:height, :width].reshape(height // step, step, width // step, step)
        gray = blocks.mean(axis=(1, 3)).astype(np.uint8)
        mask = mask[:height:step, :width:step] if mask is not None else None
    if mask is not None:
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if rows.size < 3 or columns.size < 3:
            mask = None
        else:
            window = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            gray, mask = gray[window], mask[window]
    wide = gray.astype(np.int16)
    edges = 4 * wide[1:-1, 1:-1] - wide[:-2, 1:-1] - wide[2:, 1:-1] - wide[1:-1, :-2] - wide[1:-1, 2:]
    values = edges[mask[1:-1, 1:-1]] if mask is not None else edges
    return float(values.var()) if values.size else 0.0


def check_sharpness(gray: Gray, subject: NDArray[np.bool_] | None, limits: ImageLimits) -> Check:
    """The subject (all characters; the whole picture where nobody is in it) is in focus."""
    found = laplacian_variance(gray, subject)
    where = "the characters" if subject is not None else "the picture"
    limit = limits.min_sharpness if subject is not None else limits.min_sharpness_empty
    told = f"{where}: variance of the Laplacian {found:.0f}, at least {limit:g}"
    return above("sharpness", found, limit, told, fix={"seed": 1})


def check_maps(
    wanted: list[str], found: Mapping[str, Gray | str], size: tuple[int, int], masks: Mapping[str, Gray], people: bool
) -> Check:
    """Every control map asked for is there, has the picture's size and shows something; masks share no pixel.

    Args:
        wanted: kinds of maps.
        found: by kind, the map as gray, or a sentence that says why it could not be read.
        size: width and height of the picture.
        masks: by character; they have the picture's size.
        people: whether anyone is to be seen.
    """
    wrong = [f"{kind} is missing" for kind in wanted if kind not in found]
    for kind, pixels in found.items():
        if isinstance(pixels, str):
            wrong.append(pixels)
        elif (pixels.shape[1], pixels.shape[0]) != size:
            wrong.append(f"{kind} is {pixels.shape[1]}x{pixels.shape[0]}, the picture {size[0]}x{size[1]}")
        elif (kind in ALWAYS_DRAWN or people) and np.ptp(pixels[::2, ::2]) == 0 and np.ptp(pixels) == 0:
            wrong.append(f"{kind} is blank")
    if len(masks) > 1:
        claims = np.sum([mask[::2, ::2] > 127 for mask in masks.values()], axis=0)
        twice = float((claims > 1).sum() / max(1, (claims > 0).sum()))
        if twice > 0.01:
            wrong.append(f"{share(twice)} of the masks belong to two characters")
    parts = max(1, len(wanted) + 1)
    detail = "; ".join(wrong) or f"{len(found)} maps of the picture's size"
    return holds("maps", not wrong, detail, score=1 - len(wrong) / parts, fix={"seed": 1})


def review_image(
    args: ReviewArtifact.Input,
    subject: Artifact,
    limits: Limits,
    faces: Artifact | None = None,
    seen: Artifact | None = None,
) -> list[Check]:
    """Every check of a `generate_image` result.

    Args:
        faces: result of `compare_faces` about it; None: it was not run.
        seen: result of `see_picture` about it; None: it was not run.
    """
    made = GenerateImage.Output.model_validate(subject.output)
    try:
        path = subject.file(made.image)
        size = png_size(path)
        rgb = read_rgb(path)
    except BadOutput as error:
        return [holds("readable", False, error.message, fix={"seed": 1})]
    gray = luma(rgb)
    masks, unreadable = _read_masks(subject, made, size)
    people = _people(args, made, masks)
    shown = [mask > 127 for mask in masks.values()]
    crowd = np.logical_or.reduce(shown) if shown else None
    time = args.shot.time_of_day if args.shot else "day"
    weather = args.shot.weather if args.shot else "clear"
    checks = [
        holds("readable", True, f"{made.image} decodes"),
        as_sized(size, args.expect_size or (made.width, made.height)),
        check_not_blank(rgb, gray, limits.image),
        check_exposure(gray, time, weather, limits.image),
        check_clipping(gray, time, limits.image),
        check_sharpness(gray, crowd if crowd is not None and crowd.any() else None, limits.image),
        check_maps(_wanted_maps(subject), _read_maps(subject, made) | unreadable, size, masks, bool(shown)),
    ]
    checks += check_stage(people, args.shot.framing if args.shot else "wide", size, limits.stage)
    checks += check_faces(rgb, people, limits.image)
    checks += check_identity(people, subject, faces)
    return [*checks, *check_meaning(subject, seen, limits.meaning)]


def _wanted_maps(subject: Artifact) -> list[str]:
    asked = subject.record.args.get("maps")
    return list(ControlMap.__args__) if asked is None else [str(kind) for kind in asked]  # type: ignore[attr-defined]


def _read_or_say(subject: Artifact, name: str) -> Gray | str:
    try:
        path: Path = subject.file(name)
        return read_gray(path)
    except BadOutput as error:
        return error.message


def _read_maps(subject: Artifact, made: GenerateImage.Output) -> dict[str, Gray | str]:
    return {kind: _read_or_say(subject, name) for kind, name in made.maps.items()}


def _read_masks(
    subject: Artifact, made: GenerateImage.Output, size: tuple[int, int]
) -> tuple[dict[str, Gray], dict[str, Gray | str]]:
    """The masks that have the picture's size, and what is wrong with the others."""
    masks: dict[str, Gray] = {}
    wrong: dict[str, Gray | str] = {}
    for name, file in made.masks.items():
        found = _read_or_say(subject, file)
        if isinstance(found, str):
            wrong[f"mask of {name}"] = found
        elif (found.shape[1], found.shape[0]) != size:
            wrong[f"mask of {name}"] = f"the mask of {name} is {found.shape[1]}x{found.shape[0]}"
        else:
            masks[name] = found
    return masks, wrong


def _people(args: ReviewArtifact.Input, made: GenerateImage.Output, masks: Mapping[str, Gray]) -> list[Person]:
    cast = {member.id: member for member in args.cast}
    people = []
    for placement in args.shot.placements if args.shot else []:
        member = cast.get(placement.character)
        people.append(
            Person(
                id=placement.character,
                name=member.name if member else placement.character,
                placement=placement,
                height=member.look.height if member and member.look else 1.0,
                seen=made.on_stage.get(placement.character),
                mask=masks.get(placement.character),
            )
        )
    return people
