"""Problems to compare orders on: scenes as the studio plans them, and random layered graphs. Seeded, always the same.

A scene: the LLM plans it, then for each shot a prompt (LLM), a layout (CPU), a picture (SDXL), a verdict (judge), which
four times in ten asks for the picture again, at most three pictures in all; then the shot is animated (LTX), its line
spoken (TTS) and aligned (ASR). Once for all: music, and in the end the cut (CPU) and a review. Shots may be linked: a
picture then needs the chosen picture of the shot before it. A thorough scene has verdicts on clips and lines as well.
Calls stand in the order in which such a plan is written down: shot by shot. Sizes and seconds: `scene.yaml`.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

from tools.runtime.scheduling.problem import Insertion, Problem, Task
from tools.runtime.scheduling.scene_data import load_scene_data
from tools.runtime.scheduling.scene_writer import SceneWriter

__all__ = ["PRESETS", "Scene", "layered", "scene", "scene_of_size"]

PRESETS = {"twelve-shot": 12, "24-shot": 24}
"""Shots of the scenes that are compared by name."""


@dataclass(frozen=True)
class Scene:
    """A scene and its verdicts.

    Attributes:
        known: the problem with all retries in it, as somebody plans it who knows every verdict beforehand.
        first: the problem as it stands before any verdict.
        insertions: by verdict, in `first` or inserted later: what it brings.
        feared: by every verdict that may bring something: what it would bring.
    """

    known: Problem
    first: Problem
    insertions: Mapping[str, Insertion]
    feared: Mapping[str, Insertion]


def scene(shots: int, seed: int, *, linked: int = 1, thorough: bool = False, cpu_slots: int = 2) -> Scene:
    """A scene of so many shots, its verdicts thrown by `seed`.

    Args:
        shots: at least one.
        seed: decides which pictures are asked for again, and which shots have a line.
        linked: so many shots follow one another closely: the picture of each needs that of the one before. 1: none.
        thorough: clips and lines get verdicts too.
        cpu_slots: CPU calls that may run at once.
    """
    data = load_scene_data()
    dice = random.Random(f"scene {shots} {linked} {thorough} {seed}")
    writer = SceneWriter(data, dice, linked=linked, thorough=thorough)
    writer.write(shots)
    models, budget = data.to_models(), data.budget
    return Scene(
        known=Problem.of(writer.known, models, budget, cpu_slots=cpu_slots),
        first=Problem.of(writer.first, models, budget, cpu_slots=cpu_slots),
        insertions=writer.insertions,
        feared=writer.feared,
    )


def scene_of_size(calls: int, seed: int, *, linked: int = 1, thorough: bool = False) -> Scene:
    """The largest scene with at most so many calls, retries included; `calls` at least 20."""
    best = scene(1, seed, linked=linked, thorough=thorough)
    for shots in range(2, calls):
        larger = scene(shots, seed, linked=linked, thorough=thorough)
        if len(larger.known.tasks) > calls:
            break
        best = larger
    return best


def layered(calls: int, seed: int, *, layers: int = 10) -> Problem:
    """A random graph: calls in layers, each of a random model of the scene's, needing one to three of the layer before.

    Args:
        calls: how many.
        seed: decides models and needs.
        layers: how many layers, all about equally large.
    """
    data = load_scene_data()
    dice = random.Random(f"layered {calls} {layers} {seed}")
    names = list(data.models)
    before: list[str] = []
    tasks: list[Task] = []
    for layer in range(layers):
        present = []
        for _ in range(calls * layer // layers, calls * (layer + 1) // layers):
            needs = tuple(dice.sample(before, min(len(before), dice.randint(1, 3))))
            model = frozenset({dice.choice(names)})
            tasks.append(Task(f"call_{len(tasks)}", model, needs, dice.choice((1.0, 3.0, 9.0))))
            present.append(tasks[-1].id)
        before = present
    return Problem.of(tasks, data.to_models(), data.budget)
