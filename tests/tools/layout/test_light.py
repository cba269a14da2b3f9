"""Light on surfaces and on skin: faces keep their health at night, in fog and under water."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.layout.drawlist import Color, Layer
from tools.layout.light import Light, SkinLight, lit, unlit
from tools.layout.places import load_place
from tools.layout.puppet import Acting
from tools.layout.rig import make_puppet, packs
from tools.layout.rig.casting import SKIN_SHARE, parse_colour
from tools.storyboard import Look, TimeOfDay, Weather

TONES = ("fair", "olive", "dark")
PLACES = ("beach", "town_square", "bedroom", "underwater")
UNIT = st.floats(0.0, 1.0)
COLOURS = st.tuples(UNIT, UNIT, UNIT, st.just(1.0))


def skin(tone: str) -> Color:
    return parse_colour(tone, packs.colours().skin, "skin")


def luma(color: Color) -> float:
    return 0.2126 * color[0] + 0.7152 * color[1] + 0.0722 * color[2]


def looks_well(color: Color, white: Color) -> bool:
    """Warmer than grey by a tenth of its own light, redder than it is green, and not lost in the dark."""
    r, g, b, _ = color
    return r - b > 0.1 * max(color[:3]) and r > g and luma(color) > 0.4 * luma(white)


@pytest.mark.parametrize("weather", get_args(Weather))
@pytest.mark.parametrize("time", get_args(TimeOfDay))
@pytest.mark.parametrize("place", PLACES)
def test_skin_looks_well_in_every_light(place: str, time: TimeOfDay, weather: Weather) -> None:
    light = load_place(place).light(time, weather)
    for tone in TONES:
        assert looks_well(lit(unlit(skin(tone), light), light), skin(tone)), tone


@pytest.mark.parametrize(("time", "weather"), [("night", "clear"), ("night", "fog")])
def test_skin_that_takes_the_light_like_cloth_turns_grey(time: TimeOfDay, weather: Weather) -> None:
    light = replace(load_place("beach").light(time, weather), skin=None)
    assert unlit(skin("fair"), light) == skin("fair")
    assert not looks_well(lit(unlit(skin("fair"), light), light), skin("fair"))


def test_tones_stay_apart_at_night() -> None:
    light = load_place("beach").light("night", "fog")
    fair, olive, dark = (luma(lit(unlit(skin(tone), light), light)) for tone in TONES)
    assert fair > olive * 1.1 > dark * 1.3


@given(color=COLOURS, tint=st.tuples(*[st.floats(0.2, 1.0)] * 3, st.just(1.0)), saturation=st.floats(0.3, 1.4))
def test_what_is_unlit_is_lit_as_the_skin_asks(color: Color, tint: Color, saturation: float) -> None:
    light = Light("x", tint, color, color, color, color, (0.0, -1.0), saturation=saturation)
    wanted = SkinLight((0.9, 0.8, 0.8, 1.0), 0.9)
    plain = replace(light, tint=wanted.tint, saturation=wanted.saturation)
    with_skin = replace(light, skin=wanted)
    assert lit(unlit(color, with_skin), with_skin) == pytest.approx(lit(color, plain), abs=1e-6)
    assert lit(unlit(color, with_skin, 0.0), with_skin) == lit(color, light)


@given(color=COLOURS, saturation=st.floats(0.0, 3.0))
def test_lit_stays_a_colour(color: Color, saturation: float) -> None:
    light = Light("x", (1.0, 0.9, 0.8, 1.0), color, color, color, color, (0.0, -1.0), saturation=saturation)
    assert all(0.0 <= part <= 1.0 for part in lit(color, light))


def test_metal_takes_the_light_like_everything_else() -> None:
    assert SKIN_SHARE["robot"] == 0.0
    night = load_place("beach").light("night", "clear")

    def fills(look: Look, light: Light) -> list[object]:
        layer = Layer("cast")
        make_puppet("one", look).draw(layer, Acting(moving=False), at=(0, 0), scale=1.0, depth=0.3, light=light)
        return [str(item.fill) for item in layer.items]

    robot, boy = Look(species="robot"), Look(skin="fair")
    assert fills(robot, night) == fills(robot, replace(night, skin=None))
    assert fills(boy, night) != fills(boy, replace(night, skin=None))


def test_one_puppet_is_made_up_anew_for_each_light() -> None:
    place, puppet = load_place("beach"), make_puppet("one", Look(skin="fair"))

    def drawn(time: TimeOfDay) -> list[str]:
        layer = Layer("cast")
        light = place.light(time, "clear")
        puppet.draw(layer, Acting(moving=False), at=(0, 0), scale=1.0, depth=0.3, light=light)
        return [str(item.fill) for item in layer.items]

    day, night = drawn("day"), drawn("night")
    assert day != night
    assert drawn("day") == day
