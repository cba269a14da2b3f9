"""The light of each hour and weather."""

from __future__ import annotations

import itertools
import math

import pytest

from tests.tools.layout.places.preview import TIMES, WEATHERS
from tools.layout.light import Light
from tools.layout.places import load_place, place_ids
from tools.storyboard import Weather


def luma(color: tuple[float, float, float, float]) -> float:
    return 0.2126 * color[0] + 0.7152 * color[1] + 0.0722 * color[2]


@pytest.mark.parametrize("place_id", place_ids())
def test_every_light_is_sound(place_id: str) -> None:
    place = load_place(place_id)
    for hour, weather in itertools.product(TIMES, WEATHERS):
        light = place.light(hour, weather)
        assert light.name == hour
        for color in (light.tint, light.ambient, light.key, light.rim, light.shadow):
            assert all(0.0 <= part <= 1.0 for part in color), (hour, weather, color)
        assert math.hypot(*light.direction) == pytest.approx(1.0)
        assert light.direction[1] < 0, "light comes from above"
        assert 0 <= light.strength <= 1
        assert 0 <= light.glow <= 1


def test_hours_differ_and_night_is_darkest() -> None:
    beach = load_place("beach")
    lights = {hour: beach.light(hour, "clear") for hour in TIMES}
    assert min(lights, key=lambda hour: luma(lights[hour].tint)) == "night"
    assert max(lights, key=lambda hour: luma(lights[hour].tint)) == "day"
    assert lights["night"].glow == 1.0
    assert lights["day"].glow == 0.0
    sunset = lights["sunset"].tint
    assert sunset[0] > sunset[1] > sunset[2], "sunset is warm"
    night = lights["night"].tint
    assert night[2] > night[0], "night is blue"


def test_weather_takes_the_sun_away() -> None:
    def strengths(lights: dict[Weather, Light]) -> list[float]:
        return [lights[weather].strength for weather in WEATHERS]

    place = load_place("harbour")
    by_weather = {weather: place.light("day", weather) for weather in WEATHERS}
    assert max(strengths(by_weather)) == by_weather["clear"].strength
    assert by_weather["rain"].shadow[3] < by_weather["clear"].shadow[3]
    assert by_weather["rain"].glow > by_weather["clear"].glow, "lamps are lit in the rain"


def test_a_room_feels_the_weather_less() -> None:
    kitchen, square = load_place("kitchen"), load_place("town_square")
    inside = kitchen.light("day", "rain").strength / kitchen.light("day", "clear").strength
    outside = square.light("day", "rain").strength / square.light("day", "clear").strength
    assert inside > outside


def test_light_comes_from_where_the_sun_stands() -> None:
    beach = load_place("beach")
    assert beach.light("sunset", "clear").direction[0] < 0
    assert beach.light("dawn", "clear").direction[0] > 0
