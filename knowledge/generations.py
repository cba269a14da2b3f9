"""Past generations: what was asked, how each part was made, how it scored, and what helped. One file each, for good.

Data only: nothing here is an instruction, and files are named relative to their production, never by where it lies.
"""

from __future__ import annotations

import errno
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from knowledge.index.lock import owned
from knowledge.passage import Passage
from knowledge.user_cache import replace_file

__all__ = ["MOST_KEPT", "Change", "Generation", "Generations", "MadePart", "Verdict"]

MOST_KEPT = 400
"""Generations that are kept; beyond it the poorest go, the oldest of equals first."""
MOST_BYTES = 8_000_000
"""A larger record was not written by the studio."""
LONGEST_REQUEST = 500
WAIT_S = 5.0
_FOLDER = "generations"

Verdict = Literal["", "approved", "edited", "undone"]
"""What the person thought of it, as far as it can be seen."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Change(_Model):
    """What was changed about a call: arguments by name, and steps added to its seed."""

    args: dict[str, Any] = Field(default_factory=dict)
    seed_step: int = 0

    def __bool__(self) -> bool:
        return bool(self.args) or self.seed_step != 0


class MadePart(_Model):
    """One part of a film: a picture, a line, a piece of music.

    Attributes:
        call: id of its call, as `s2.still`.
        tool, engine, preset, seed: what made it; the seed is the one before the change.
        about: ids of the characters and the place in it.
        words: what it shows or says, in a few words.
        attempts: how many were made.
        before: score of the attempt without the change; the same as `score` where nothing was changed.
        score, passed: of the best attempt.
        failed: the checks that failed without the change, the worst first.
        change: what the best attempt did otherwise.
        conditions: what must be the same for the change to be of use (see `knowledge.lessons`); empty without one.
        recalled: the change came from an earlier generation: it was not found here, only tried again.
    """

    call: str
    tool: str
    engine: str = ""
    preset: str = ""
    seed: int = 0
    about: tuple[str, ...] = ()
    words: str = ""
    attempts: int = Field(1, ge=1)
    before: float = Field(ge=0.0, le=1.0)
    score: float = Field(ge=0.0, le=1.0)
    passed: bool
    failed: tuple[str, ...] = ()
    change: Change = Field(default_factory=Change)
    conditions: str = ""
    recalled: bool = False

    @property
    def helped(self) -> bool:
        """Whether the change was measured to turn a failing part into one that passes."""
        return bool(self.change) and bool(self.conditions) and self.passed and self.before < self.score


class Generation(_Model):
    """A finished turn of production.

    Attributes:
        id: of the production and its storyboard.
        made: when, in UTC.
        production: name of its folder.
        storyboard: digest of the storyboard.
        request: in the user's words, shortened.
        parts: what was judged, in the order of the story.
        misled: (conditions, change) of changes that were recalled and did not pass.
        missing: ids of calls that could not be made.
        verdict: what the person thought of it.
        files: by label, paths within the production.
    """

    id: str = Field(pattern=r"^[0-9a-f]{24}$")
    made: datetime
    production: str
    storyboard: str
    title: str
    request: str = ""
    language: str = "en"
    style: str = ""
    aspect: str = ""
    characters: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    times: tuple[str, ...] = ()
    moods: tuple[str, ...] = ()
    shots: int = 0
    seconds: float = 0.0
    score: float = Field(0.0, ge=0.0, le=1.0)
    passed: bool = False
    parts: tuple[MadePart, ...] = ()
    misled: tuple[tuple[str, Change], ...] = ()
    missing: tuple[str, ...] = ()
    verdict: Verdict = ""
    files: dict[str, str] = Field(default_factory=dict)

    def text(self) -> str:
        """What a planner and a person read of it."""
        who, where = ", ".join(self.characters) or "nobody", ", ".join(self.places)
        when, feel = " and ".join(self.times), ", ".join(self.moods)
        lines = [
            f"Made on {self.made:%Y-%m-%d}: “{self.title}”, {self.shots} shots, {self.seconds:g} s. Who: {who}."
            + (f" Where: {where}." if where else "")
            + (f" When: {when}." if when else "")
            + (f" Mood: {feel}." if feel else ""),
            f"Scored {self.score:.2f}; " + ("everything passed." if self.passed else f"fell short: {self._short()}."),
        ]
        if self.request:
            lines.insert(1, f"Asked for: “{self.request}”")
        lines += [
            f"What helped: {part.call} ({part.words}): {told_change(part.change)} took it from {part.before:.2f} to"
            f" {part.score:.2f} ({', '.join(part.failed)})."
            for part in self.parts
            if part.helped
        ]
        if self.verdict:
            said = {"approved": "approved it", "edited": "changed it afterwards", "undone": "took it back"}
            lines.append(f"The person {said[self.verdict]}.")
        return "\n".join(lines)

    def passage(self, score: float = 0.0) -> Passage:
        """As a passage for the index and for planners."""
        return Passage(
            text=self.text(),
            source=f"{_FOLDER}/{self.id}.json",
            title=self.title,
            score=score,
            kind="generation",
            about=tuple(dict.fromkeys([*self.characters, *self.places])),
        )

    def _short(self) -> str:
        weak = [f"{part.call} {part.score:.2f}" for part in self.parts if not part.passed]
        return ", ".join([*weak, *(f"{call} is missing" for call in self.missing)][:6]) or "it was not judged"


def told_change(change: Change) -> str:
    """`zoom 0.88, seed +1`: a change in a few words."""
    told = []
    for name, value in sorted(change.args.items()):
        if isinstance(value, dict):
            plain = {key: one for key, one in value.items() if one not in ({}, 0.0, 1.0)}
            told += [f"{key} {_short_json(one)}" for key, one in sorted(plain.items())]
        else:
            told.append(f"{name} {_short_json(value)}")
    if change.seed_step:
        told.append(f"seed +{change.seed_step}")
    return ", ".join(told)


def _short_json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)[:80]


def generation_id(production: str, storyboard: str) -> str:
    """The id that a production's storyboard has, however often it is made."""
    return hashlib.sha256(f"{production}\n{storyboard}".encode()).hexdigest()[:24]


class Generations:
    """The past generations below one folder. Nothing is made there until something is kept.

    Args:
        home: `settings.knowledge_home`.
        now: the clock; tests pass their own.
        most: how many are kept.
    """

    def __init__(
        self, home: Path, *, now: Callable[[], datetime] = lambda: datetime.now(UTC), most: int = MOST_KEPT
    ) -> None:
        self.folder = home / _FOLDER
        self.now = now
        self.most = most

    def all(self) -> list[Generation]:
        """Every one, the oldest first. A file that cannot be read is not one of them: see `damaged`."""
        found = [one for path in self._paths() if (one := _read(path)) is not None]
        return sorted(found, key=lambda one: (one.made, one.id))

    def damaged(self) -> list[Path]:
        """Files that hold no generation: cut off, changed by hand, or of another version."""
        return [path for path in self._paths() if _read(path) is None]

    def get(self, generation: str) -> Generation | None:
        """The one of this id, or None."""
        return next((one for one in self.all() if one.id == generation), None)

    def keep(self, generation: Generation) -> None:
        """Write it; one of the same id is replaced. What the person thought of that one stays.

        Raises:
            OSError: the disk is full or read-only, or another process kept the records for `WAIT_S`.
        """
        with self._owned():
            before = self.get(generation.id)
            if before is not None:
                verdict = generation.verdict or before.verdict
                generation = generation.model_copy(update={"verdict": verdict})
                if generation.model_copy(update={"made": before.made}) == before:
                    # The same was made from the store: nothing new is known, and no index need be made anew.
                    return
            replace_file(self._path(generation.id), generation.model_dump_json(indent=1).encode())
            for one in _poorest(self.all(), self.most):
                self._path(one.id).unlink(missing_ok=True)

    def mark(self, production: str, verdict: Verdict, storyboard: str = "") -> Generation | None:
        """Note what the person thinks of what was last made in a production.

        Args:
            production: name of its folder.
            verdict: of the person.
            storyboard: digest of the storyboard that is meant; empty: the last one.

        Returns:
            The generation, or None where there is none.

        Raises:
            OSError: the disk is full or read-only, or another process kept the records for `WAIT_S`.
        """
        if not self._paths():
            return None
        with self._owned():
            of_it = [one for one in self.all() if one.production == production]
            chosen = next((one for one in reversed(of_it) if not storyboard or one.storyboard == storyboard), None)
            if chosen is None:
                return None
            changed = chosen.model_copy(update={"verdict": verdict})
            replace_file(self._path(chosen.id), changed.model_dump_json(indent=1).encode())
            return changed

    def remove(self, generation: str) -> bool:
        """Forget one; whether there was one.

        Raises:
            OSError: it cannot be removed, or another process kept the records for `WAIT_S`.
        """
        path = next((path for path in self._paths() if path.stem == generation), None)
        if path is None:
            return False
        with self._owned():
            path.unlink(missing_ok=True)
        return True

    @contextmanager
    def _owned(self) -> Iterator[None]:
        """One at a time reads, changes and writes: what a person thinks of a film comes while another is made.

        Raises:
            OSError: the folder cannot be written, or another kept the records for `WAIT_S`.
        """
        with owned(self.folder / ".lock", wait_s=WAIT_S) as mine:
            if not mine:
                raise TimeoutError(
                    errno.ETIMEDOUT, "another process is changing the past generations", str(self.folder)
                )
            yield

    def _paths(self) -> list[Path]:
        return sorted(path for path in self.folder.glob("*.json") if path.is_file() and not path.is_symlink())

    def _path(self, generation: str) -> Path:
        return self.folder / f"{generation}.json"


def _read(path: Path) -> Generation | None:
    try:
        if path.stat().st_size > MOST_BYTES:
            return None
        found = Generation.model_validate_json(path.read_bytes())
    except (OSError, ValidationError, ValueError):
        return None
    return found if found.id == path.stem else None


def _poorest(kept: list[Generation], most: int) -> Iterable[Generation]:
    """Those beyond the number: first what was taken back, then what fell short and taught nothing."""

    def worth(one: Generation) -> tuple[bool, bool, bool, float, datetime]:
        taught = any(part.helped for part in one.parts)
        return one.verdict != "undone", one.verdict == "approved" or taught, one.passed, round(one.score, 1), one.made

    return sorted(kept, key=worth)[: max(0, len(kept) - most)]
