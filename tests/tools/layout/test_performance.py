"""Who speaks moves the lips, who listens keeps them shut, and nothing jumps when a line begins or ends."""

from __future__ import annotations

from itertools import pairwise

from tools.layout.acting import Delivered, Performance
from tools.storyboard import Placement
from tools.timeline import LineTime, MouthCue


def said(who: str, start: float, end: float) -> Delivered:
    cues = (MouthCue(start=0.5, shape="ai"), MouthCue(start=0.5 + end - start, shape="rest"))
    time = LineTime(offset=start - 0.5, start=start, end=end)
    return Delivered(character=who, time=time, mouth=cues, loudness=(0.8,) * 400)


def two(*lines: Delivered) -> Performance:
    placements = [
        Placement(character="luca", expression="excited", x=0.3),
        Placement(character="giulia", expression="surprised", x=0.7),
    ]
    where = {"luca": 300.0, "giulia": 800.0}
    level = {"luca": 300.0, "giulia": 300.0}
    return Performance(placements, where, level, {"luca": 400.0, "giulia": 400.0}, lines)


def test_the_speaker_moves_the_lips_and_the_listener_shuts_them() -> None:
    play = two(said("luca", 1.0, 2.0))
    assert play.acting("luca", 1.5).mouth == "ai"
    assert play.acting("luca", 1.5).speaking
    assert play.acting("giulia", 1.5).mouth == "rest"
    assert not play.acting("giulia", 1.5).speaking


def test_before_and_after_its_line_a_speaker_is_shut_and_in_a_silent_shot_the_face_is_free() -> None:
    play = two(said("luca", 1.0, 2.0))
    assert play.acting("luca", 0.2).mouth == "rest"
    assert play.acting("luca", 2.9).mouth == "rest"
    assert play.acting("giulia", 3.5).mouth is None, "a surprised listener may gasp once the line is over"
    assert two().acting("giulia", 1.0).mouth is None


def test_gestures_rise_and_fall_with_the_line() -> None:
    play = two(said("luca", 1.0, 3.0))
    energies = [play.acting("luca", 0.88 + step * 0.02).energy for step in range(140)]
    assert energies[0] == energies[-1] == 0.0
    assert max(energies) == 1.0
    assert max(abs(a - b) for a, b in pairwise(energies)) < 0.12


def test_between_two_lines_of_one_speaker_the_hands_do_not_drop() -> None:
    play = two(said("luca", 1.0, 1.8), said("luca", 2.15, 3.0))
    assert min(play.acting("luca", 1.2 + step * 0.02).energy for step in range(80)) > 0.15
