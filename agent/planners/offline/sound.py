"""What is heard under a scene: the mood of its music from feelings, time and place, and the sound bed of the place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from agent.planners.offline.direction import Direction
from agent.planners.offline.plan import Scene
from tools.storyboard import Mood

__all__ = ["ambience_of", "mood_of"]


def mood_of(scenes: Iterable[Scene], direction: Direction) -> Mood:
    """The mood of the music for these scenes: a film's music changes only when it is told to."""
    weights = direction.mood
    sums: Counter[Mood] = Counter()
    for scene in scenes:
        for cue in (
            weights.times.get(scene.time_of_day),
            weights.weathers.get(scene.weather),
            weights.places.get(scene.location),
        ):
            sums.update(cue or {})
        feelings = [line.emotion for line in scene.lines]
        for performance in scene.stated.values():
            if performance.expression:
                feelings.append(performance.expression)
            sums.update(weights.poses.get(performance.pose or "", {}))
        for feeling in feelings:
            # Many lines of one feeling weigh no more than a few.
            share = 2.0 / max(2, len(feelings))
            sums.update({mood: weight * share for mood, weight in weights.emotions[feeling].items()})
    return max(weights.order, key=lambda mood: (round(sums[mood], 6), -weights.order.index(mood)))


def ambience_of(location: str, direction: Direction) -> str | None:
    """The id of the sound bed of a place; None (silence) for a place that we do not know."""
    place = direction.place(location)
    return place.ambience if place else None
