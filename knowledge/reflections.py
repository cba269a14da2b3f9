"""Lessons in words: what failed for a request, and what to do otherwise for one like it. One line of JSON a lesson.

Lessons are written by the studio's own rules, or by a model and then bounded; they are data for planners, and nothing
in them chooses a tool. What was measured to help is kept elsewhere (`knowledge.lessons`).
"""

from __future__ import annotations

import errno
import hashlib
import json
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from knowledge.index.lock import owned
from knowledge.user_cache import replace_file

__all__ = ["FILE_NAME", "MOST_KEPT", "Reflection", "Reflections"]

FILE_NAME = "reflections.jsonl"
MOST_KEPT = 300
MOST_BYTES = 8_000_000
WAIT_S = 5.0
LEAST_ALIKE = 0.34
"""How alike a request must be to that of a lesson: a third of their words and names together."""
_WORD = re.compile(r"[^\W\d_]{3,}")
_COMMON = frozenset(
    re.findall(
        r"\w+",
        "and che con das della der die eine fai film for from image immagine into make mit nel per picture "
        "please scena scene that the then this una und video vorrei want with you your ",
    )
)


class Reflection(BaseModel):
    """One lesson.

    Attributes:
        request: the words of the request it comes from, as a bag.
        about: ids of its characters and places.
        cause: what failed: checks of a picture, a call, or the user who changed it.
        text: what to do otherwise.
        fix: what rules can do about it by themselves; empty: it is only told to planners.
        source: `rules`, or the model that put it into words.
        times: how often it was learned.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    request: tuple[str, ...] = Field(max_length=60)
    about: tuple[str, ...] = Field((), max_length=40)
    cause: Literal["checks", "failure", "user"]
    text: str = Field(min_length=1, max_length=400)
    fix: Literal["", "closer", "wider", "apart"] = ""
    source: str = Field("rules", max_length=120)
    times: int = Field(1, ge=1)

    @property
    def id(self) -> str:
        """Eight letters by which a person names it."""
        told = json.dumps([self.text, self.cause, sorted(set(self.about))], ensure_ascii=False)
        return hashlib.sha256(told.encode()).hexdigest()[:8]

    @classmethod
    def words(cls, text: str) -> tuple[str, ...]:
        """The words of a request that tell it from others."""
        found = dict.fromkeys(word.casefold() for word in _WORD.findall(text))
        return tuple(word for word in found if word not in _COMMON)[:60]


class Reflections:
    """The lessons in a file.

    Args:
        path: made when the first lesson is kept.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def all(self) -> list[Reflection]:
        """Every lesson, the oldest first; a damaged line is left out."""
        found: list[Reflection] = []
        try:
            # It is written anew with each lesson: one that is larger was not written by the studio.
            if self.path.stat().st_size > MOST_BYTES:
                return []
            lines = self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return []
        for line in lines[-2 * MOST_KEPT :]:
            try:
                found.append(Reflection.model_validate(json.loads(line)))
            except (ValueError, ValidationError, RecursionError):
                continue
        return found

    def learn(self, lessons: Iterable[Reflection]) -> list[Reflection]:
        """Keep lessons; one that says the same as another counts it up. Returns those that are new.

        Raises:
            OSError: the file cannot be written.
        """
        new: list[Reflection] = []
        with self._owned():
            kept = self.all()
            for lesson in lessons:
                same = next((i for i, one in enumerate(kept) if _same(one, lesson)), None)
                if same is None:
                    kept.append(lesson)
                    new.append(lesson)
                else:
                    again = kept.pop(same)
                    kept.append(again.model_copy(update={"times": again.times + 1}))
            self._write(kept[-MOST_KEPT:])
        return new

    def forget(self, ids: Collection[str]) -> list[Reflection]:
        """Drop lessons by their id; returns what is dropped.

        Raises:
            OSError: the file cannot be written.
        """
        with self._owned():
            kept = self.all()
            gone = [one for one in kept if one.id in ids]
            if gone:
                self._write([one for one in kept if one.id not in ids])
        return gone

    def similar(self, request: str, about: Sequence[str] = (), limit: int = 3) -> list[Reflection]:
        """The lessons of requests most like this one, the most alike first; of equals the one learned more often."""
        ours = {*Reflection.words(request), *about}
        ranked = [(_alike({*one.request, *one.about}, ours), one) for one in self.all()]
        liked = [pair for pair in ranked if pair[0] >= LEAST_ALIKE]
        liked.sort(key=lambda pair: (-pair[0], -pair[1].times, pair[1].text))
        return [one for _, one in liked[:limit]]

    @contextmanager
    def _owned(self) -> Iterator[None]:
        """One at a time reads, changes and writes: turns of several jobs learn at the same moment.

        Raises:
            OSError: the folder cannot be written, or another kept the file for `WAIT_S`.
        """
        with owned(self.path.with_name(f".{self.path.name}.lock"), wait_s=WAIT_S) as mine:
            if not mine:
                raise TimeoutError(errno.ETIMEDOUT, "another process is changing the lessons", str(self.path))
            yield

    def _write(self, lessons: list[Reflection]) -> None:
        replace_file(self.path, "".join(one.model_dump_json() + "\n" for one in lessons).encode())


def _same(one: Reflection, other: Reflection) -> bool:
    return (one.text, one.cause, set(one.about)) == (other.text, other.cause, set(other.about))


def _alike(theirs: set[str], ours: set[str]) -> float:
    return len(theirs & ours) / len(theirs | ours) if theirs and ours else 0.0
