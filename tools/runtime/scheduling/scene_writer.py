"""Writes the calls of a scene down, shot by shot, with its retries and without."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from itertools import pairwise

from tools.runtime.scheduling.problem import Insertion, Task
from tools.runtime.scheduling.scene_data import RetryRule, SceneData

__all__ = ["SceneWriter"]


@dataclass(frozen=True)
class _Tried:
    """Work and the verdict on it, attempt by attempt.

    Attributes:
        attempts: those that are made; the first is planned, each further one is asked for by the verdict before it.
        next: what the last verdict would have brought if it had asked for more; None: it may not.
    """

    attempts: list[tuple[Task, Task]]
    next: tuple[Task, Task] | None

    @property
    def verdicts(self) -> tuple[str, ...]:
        return tuple(verdict.id for _, verdict in self.attempts)


class SceneWriter:
    """Fills `known` (with all retries), `first` (with none), `insertions` and `feared` (by verdict).

    What comes after waits for every verdict on a thing, so that a verdict that asks for more only ever adds needs.

    Args:
        data: seconds, chances.
        dice: throws the verdicts.
        linked: so many shots follow one another closely.
        thorough: clips and lines get verdicts too.
    """

    def __init__(self, data: SceneData, dice: random.Random, *, linked: int, thorough: bool) -> None:
        self._data = data
        self._dice = dice
        self._linked = linked
        self._thorough = thorough
        self.first: list[Task] = []
        self.known: list[Task] = []
        self.insertions: dict[str, Insertion] = {}
        self.feared: dict[str, Insertion] = {}
        self._ends: tuple[list[str], list[str]] = ([], [])
        """What the cut waits for, in `first` and in `known`."""

    def write(self, shots: int) -> None:
        """Write a scene of so many shots."""
        seconds = self._data.seconds
        self._add(Task("plan", frozenset({"llm"}), (), seconds.plan))
        before: _Tried | None = None
        for number in range(1, shots + 1):
            closes = number % self._linked == 0 or number == shots
            pictures = self._shot(number, before, closes)
            before = None if closes else pictures
        self._add(Task("music", frozenset({"music"}), ("plan",), seconds.music))
        for tasks, ends in zip((self.first, self.known), self._ends, strict=True):
            tasks.append(Task("cut", frozenset(), ("music", *ends), seconds.cut))
        self._add(Task("review", frozenset({"review"}), ("cut",), seconds.review))

    def _shot(self, number: int, before: _Tried | None, closes: bool) -> _Tried:
        seconds, retry = self._data.seconds, self._data.retry
        prompt = Task(f"prompt_{number}", frozenset({"llm"}), ("plan",), seconds.prompt)
        layout = Task(f"layout_{number}", frozenset(), ("plan",), seconds.layout)
        self._add(prompt)
        self._add(layout)
        image = Task(f"image_{number}", frozenset({"sdxl"}), (prompt.id, layout.id), seconds.image)
        judge = Task(f"judge_{number}", frozenset({"judge"}), (), seconds.judge)
        animate = Task(f"animate_{number}", frozenset({"ltx"}), (), seconds.animate)
        clip = f"{animate.id}_1" if self._thorough else animate.id
        waiting = [clip] if closes else [clip, f"image_{number + 1}_1"]
        pictures = self._try(image, judge, retry.picture, before, waiting)
        if self._thorough:
            check = Task(f"check_{number}", frozenset({"judge"}), (), seconds.judge)
            self._end(self._try(animate, check, retry.clip, pictures, ["cut"]))
        else:
            self.first.append(replace(animate, needs=pictures.verdicts[:1]))
            self.known.append(replace(animate, needs=pictures.verdicts))
            self._end(animate.id)
        if number == 1 or self._dice.random() < self._data.lines:
            self._line(number)
        return pictures

    def _line(self, number: int) -> None:
        seconds = self._data.seconds
        speak = Task(f"speak_{number}", frozenset({"tts"}), ("plan",), seconds.speak)
        align = Task(f"align_{number}", frozenset({"asr"}), (speak.id,), seconds.align)
        if self._thorough:
            self._end(self._try(speak, align, self._data.retry.line, None, ["cut"]))
        else:
            self._add(speak)
            self._add(align)
            self._end(align.id)

    def _try(self, work: Task, verdict: Task, rule: RetryRule, after: _Tried | None, waiting: list[str]) -> _Tried:
        """Write work that may be asked for again down, and remember what each verdict brings.

        Args:
            work, verdict: as they would be if there were one attempt only.
            rule: how often it is asked for again.
            after: what the first attempt waits for besides.
            waiting: calls that wait for the last verdict.
        """
        tried = self._throw(work, verdict, rule)
        (begin, judge), *later = tried.attempts
        verdicts = after.verdicts if after else ()
        self.first += [replace(begin, needs=(*begin.needs, *verdicts[:1])), judge]
        self.known += [replace(begin, needs=(*begin.needs, *verdicts)), judge]
        self.known += [task for attempt in later for task in attempt]
        for (_, judge), attempt in pairwise(tried.attempts):
            insertion = Insertion(attempt, dict.fromkeys(waiting, (attempt[1].id,)))
            self.insertions[judge.id] = self.feared[judge.id] = insertion
        if tried.next is not None:
            self.feared[tried.verdicts[-1]] = Insertion(tried.next, dict.fromkeys(waiting, (tried.next[1].id,)))
        return tried

    def _throw(self, work: Task, verdict: Task, rule: RetryRule) -> _Tried:
        attempts: list[tuple[Task, Task]] = []
        needs = work.needs
        while True:
            number = len(attempts) + 1
            made = replace(work, id=f"{work.id}_{number}", needs=needs)
            judge = replace(verdict, id=f"{verdict.id}_{number}", needs=(made.id,))
            if attempts and self._dice.random() >= rule.chance:
                return _Tried(attempts, (made, judge))
            attempts.append((made, judge))
            if number == rule.attempts:
                return _Tried(attempts, None)
            needs = (judge.id,)

    def _add(self, task: Task) -> None:
        self.first.append(task)
        self.known.append(task)

    def _end(self, last: _Tried | str) -> None:
        first, known = self._ends
        if isinstance(last, str):
            first.append(last)
            known.append(last)
        else:
            first.append(last.verdicts[0])
            known += last.verdicts
