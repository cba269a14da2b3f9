"""Every place, drawn: the interface, the seams, determinism, what the stage and the maps rely on."""

from __future__ import annotations

import functools
import itertools

import numpy as np
import pytest

from tests.tools.layout.places.preview import TIMES, WEATHERS, Pixels, render, scene
from tools.errors import InvalidInput
from tools.layout.drawlist import Color, DrawList, Item, Layer, LinearGradient, RadialGradient
from tools.layout.places import Place, load_place, place_ids
from tools.storyboard import TimeOfDay, Weather

PLACES = place_ids()
WHOLE = (-700.0, -700.0, 1980.0, 1100.0)
SOME: list[tuple[TimeOfDay, Weather]] = [("dawn", "fog"), ("day", "snow"), ("sunset", "clear"), ("night", "rain")]


@functools.lru_cache(maxsize=128)
def drawn(place_id: str, hour: TimeOfDay, weather: Weather, seed: int = 7, t: float = 1.0) -> DrawList:
    return scene(load_place(place_id), hour, weather, seed=seed, t=t)


def part(
    place_id: str, which: str, hour: TimeOfDay = "sunset", weather: Weather = "clear", *, seed: int = 3, t: float = 0.5
) -> DrawList:
    place, draw = load_place(place_id), DrawList()
    light = place.light(hour, weather)
    if which == "motion":
        place.paint_motion(draw, light, seed=seed, weather=weather, time_of_day=hour, t=t)
    else:
        paint = place.paint_back if which == "back" else place.paint_front
        paint(draw, light, seed=seed, weather=weather, time_of_day=hour)
    return draw


def small(place_id: str, hour: TimeOfDay, weather: Weather) -> Pixels:
    return render(drawn(place_id, hour, weather), width=320)


def dump(draw: DrawList) -> list[tuple[object, ...]]:
    """All that a pass may look at, in plain values."""

    def matrix(item: Item) -> object:
        return None if item.transform is None else [item.transform.get(i) for i in range(9)]

    return [
        (layer.name, layer.parallax, layer.animated, item.path.serialize().bytes(), item.fill, item.stroke, item.depth,
         item.segment, item.outline, item.effect, item.blur, item.blend, item.opacity, matrix(item),
         item.clip.serialize().bytes() if item.clip else None)
        for layer, item in draw.items()
    ]  # fmt: skip


def test_the_six_first_places_are_there() -> None:
    assert {"beach", "harbour", "town_square", "kitchen", "forest", "underwater"} <= set(PLACES)


@pytest.mark.parametrize("name", ["atlantis", "", "../beach", "Beach"])
def test_an_unknown_place_names_the_known_ones(name: str) -> None:
    with pytest.raises(InvalidInput, match="beach"):
        load_place(name)


@pytest.mark.parametrize("place_id", PLACES)
def test_what_a_place_says_of_itself(place_id: str) -> None:
    place = load_place(place_id)
    assert place.id == place_id
    assert place.name
    assert sum((place.sky, place.indoor, place.underwater)) == 1
    assert all(file.is_file() for file in place.files)
    assert any(file.name == "light.yaml" for file in place.files)
    assert all(a < b for a, b in place.blocked)
    middle = sum(min(b, 900) - max(a, 380) for a, b in place.blocked if b > 380 and a < 900)
    assert middle < 200, "the middle of the stage is for the cast"


@pytest.mark.parametrize("place_id", PLACES)
def test_floor_and_sizes_agree_in_perspective(place_id: str) -> None:
    place = load_place(place_id)
    depths = [i / 10 for i in range(11)]
    ys = [place.floor_y(d) for d in depths]
    assert ys == sorted(ys, reverse=True)
    assert 600 <= ys[0] <= 720
    assert place.scale_at(0.3) == pytest.approx(1.0)
    for d in depths:
        ratio = (place.floor_y(d) - place.horizon) / (place.floor_y(0.3) - place.horizon)
        assert place.scale_at(d) == pytest.approx(ratio)
    item_depths = [place.depth_at(d) for d in depths]
    assert item_depths == sorted(item_depths)
    assert 0 <= item_depths[0] < item_depths[-1] <= 1
    head = place.floor_y(0.3) - 400
    assert head > 150, "a standing child has room above the head"


def _colors(item: Item) -> list[Color]:
    fill = item.fill
    found: list[Color] = []
    if isinstance(fill, LinearGradient | RadialGradient):
        found += [color for _, color in fill.stops]
        offsets = [at for at, _ in fill.stops]
        assert offsets == sorted(offsets)
        assert offsets[0] >= 0
        assert offsets[-1] <= 1
    elif fill is not None:
        found.append(fill)
    if item.stroke is not None:
        found.append(item.stroke.color)
        assert item.stroke.width > 0
    return found


@pytest.mark.parametrize("place_id", PLACES)
@pytest.mark.parametrize(("hour", "weather"), SOME)
def test_every_item_is_sound(place_id: str, hour: TimeOfDay, weather: Weather) -> None:
    draw = drawn(place_id, hour, weather)
    for layer, item in draw.items():
        where = f"{layer.name} {item.segment}"
        assert item.path.isFinite(), where
        assert item.owner == "", where
        colors = _colors(item)
        assert colors, where
        assert all(-1e-6 <= part <= 1.35 for color in colors for part in color), (where, colors)
        for depth in item.depth if isinstance(item.depth, tuple) else (item.depth,):
            assert 0 <= depth <= 1, where
        assert not (item.effect and item.outline), where
        assert not (layer.animated and item.blur), f"{where}: a blur in every frame is too dear"
    assert sum(1 for _ in draw.items()) < 2600


@pytest.mark.parametrize("place_id", PLACES)
def test_only_the_layers_that_move_are_drawn_anew(place_id: str) -> None:
    assert not any(layer.animated for layer in part(place_id, "back").layers)
    assert not any(layer.animated for layer in part(place_id, "front").layers)
    moving = part(place_id, "motion")
    assert moving.layers
    assert all(layer.animated for layer in moving.layers)
    assert sum(1 for _ in moving.items()) < 260, "cheap enough for every frame"


@pytest.mark.parametrize("place_id", PLACES)
def test_the_same_arguments_give_the_same_drawing(place_id: str) -> None:
    for which in ("back", "motion", "front"):
        assert dump(part(place_id, which)) == dump(part(place_id, which))
    assert dump(part(place_id, "back", seed=1)) == dump(part(place_id, "back", seed=2)), (
        "a place is the same in every shot"
    )


@pytest.mark.parametrize("place_id", PLACES)
def test_something_moves(place_id: str) -> None:
    assert dump(part(place_id, "motion", t=0.0)) != dump(part(place_id, "motion", t=0.7))


@pytest.mark.parametrize("place_id", PLACES)
def test_it_is_painted_everywhere_without_a_seam(place_id: str) -> None:
    back = part(place_id, "back")
    pixels = render(back, WHOLE, width=402)
    assert pixels[..., 3].min() == 255
    maps = DrawList(
        [Layer(la.name, la.parallax, la.animated, [i for i in la.items if not i.effect]) for la in back.layers]
    )
    assert render(maps, WHOLE, width=402)[..., 3].min() == 255, "the maps have no hole either"


@pytest.mark.parametrize("place_id", PLACES)
def test_the_front_leaves_the_middle_free(place_id: str) -> None:
    for hour, weather in SOME:
        alpha = render(part(place_id, "front", hour, weather), width=320)[..., 3] > 20
        third = alpha[:, 107:213]
        assert third.mean() < 0.02, (hour, weather, third.mean())


@pytest.mark.parametrize("place_id", PLACES)
def test_hours_and_weathers_can_be_told_apart(place_id: str) -> None:
    shots = {key: small(place_id, *key)[..., :3].astype(float) for key in itertools.product(TIMES, WEATHERS)}
    place = load_place(place_id)
    for one, other in itertools.combinations(TIMES, 2):
        apart = np.abs(shots[one, "clear"] - shots[other, "clear"]).mean()
        assert apart > (9 if place.indoor else 18), (one, other, apart)
    least = 14 if place.sky else 0.5
    for hour in TIMES:
        for a, b in itertools.combinations(WEATHERS, 2):
            apart = np.abs(shots[hour, a] - shots[hour, b]).mean()
            assert apart > least * (0.35 if "clear" not in (a, b) or hour == "night" else 1.0), (hour, a, b, apart)
    for key, pixels in shots.items():
        assert 18 < pixels.mean() < 236, key
        assert pixels.std() > 12, key


@pytest.mark.parametrize("place_id", [p for p in PLACES if load_place(p).sky])
def test_the_set_stands_still_whatever_the_weather(place_id: str) -> None:
    def walls(weather: Weather) -> list[bytes]:
        items = (item for _, item in part(place_id, "back", "day", weather).items())
        return [bytes(i.path.serialize()) for i in items if i.segment in ("building", "plant") and i.outline]

    assert walls("clear") == walls("rain") == walls("fog")
    assert len(set(walls("clear")) & set(walls("snow"))) >= 0.9 * len(set(walls("clear")))


@pytest.mark.parametrize("place_id", PLACES)
def test_floors_are_ramps_that_agree_with_the_stage(place_id: str) -> None:
    place: Place = load_place(place_id)
    ramps = [
        item for _, item in part(place_id, "back").items() if item.segment == "ground" and isinstance(item.depth, tuple)
    ]
    assert ramps
    box = ramps[0].path.getBounds()
    top, bottom = ramps[0].depth if isinstance(ramps[0].depth, tuple) else (0.0, 0.0)
    for depth in (0.1, 0.3, 0.9):
        y = place.floor_y(depth)
        at = top + (bottom - top) * (y - box.top()) / box.height()
        assert at == pytest.approx(place.depth_at(depth), abs=0.02)


def test_night_has_lit_windows_and_day_has_not() -> None:
    def warm(hour: TimeOfDay) -> int:
        pixels = render(part("harbour", "back", hour), width=640)[..., :3].astype(int)
        return int(((pixels[..., 0] > 225) & (pixels[..., 1] > 170) & (pixels[..., 2] < 140)).sum())

    assert warm("night") > 300
    assert warm("night") > warm("day"), "although the walls themselves are yellow by day"


def test_snow_whitens_the_ground_and_spares_rooms_and_the_sea_bed() -> None:
    def ground(place_id: str, weather: Weather) -> float:
        return float(render(part(place_id, "back", "day", weather), (300, 620, 980, 720), width=170)[..., 2].mean())

    assert ground("beach", "snow") > ground("beach", "clear") + 40
    assert ground("town_square", "snow") > ground("town_square", "clear") + 30
    assert abs(ground("kitchen", "snow") - ground("kitchen", "clear")) < 20
    assert abs(ground("underwater", "snow") - ground("underwater", "clear")) < 40
