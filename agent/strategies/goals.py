"""Requests of several steps: sub-goals with dependencies and conditions, carried out one after the other by the graph.

    make a picture of Luca, then use it as reference for a scene       make -> make with the picture as reference
    make the beach scene, then the same at night, and join them        make -> change -> join (of both)
    write a script with Luca; then, if it is longer than 20 s, shorten it       make -> change, perhaps
    look up how Ligurian harbours look, then make a scene there        one scene, looked up first: one step

Read by the rules of steps.yaml from the user's own words; typed, at most `MOST_GOALS`. Each goal goes through the same
nodes as a request of its own; one whose storyboard is all that later ones need is only put on paper. A goal that needs
one that failed is left out, and that is told; so is one whose condition does not hold. Nothing here runs anything.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from configs.yaml_file import load_yaml_model
from tools.storyboard import ControlImage, Shot, Storyboard

__all__ = ["MOST_GOALS", "Condition", "Goal", "Plan", "joined", "read_plan", "with_reference"]

STEPS_YAML = Path(__file__).with_name("steps.yaml")
MOST_GOALS = 5
LONGEST = 4_000
"""Characters of a request that may be several steps; a longer one is a script, and told of the scene."""
MOST_SHOTS, MOST_CAST, MOST_S = 60, 16, 1800.0
"""What one storyboard holds."""
_QUOTED = re.compile(r"[\"“«][^\"”»]*[\"”»]")

GoalKind = Literal["make", "change", "reference", "join"]
Status = Literal["waiting", "done", "skipped", "failed"]


class _Words(BaseModel):
    """How a step that was made plain is said in a language."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    make: str
    length: str
    people: str


class _StepsFile(BaseModel):
    """steps.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    between: str
    first: str
    make: list[str]
    change: list[str]
    reference: dict[str, str]
    join: list[str]
    longer: str
    shorter: str
    resize: dict[str, str]
    words: dict[str, _Words]

    @model_validator(mode="after")
    def _said_in_each(self) -> _StepsFile:
        if not self.words.keys() == self.reference.keys() == self.resize.keys():
            raise ValueError("words, reference and resize are not of the same languages")
        return self


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Condition(_Model):
    """A goal is only worked at where the storyboard before it is longer, or shorter, than so many seconds."""

    is_: Literal["longer", "shorter"]
    seconds: float = Field(gt=0)

    def holds(self, board: Storyboard) -> bool:
        """Whether it holds of a storyboard."""
        return board.duration_s > self.seconds if self.is_ == "longer" else board.duration_s < self.seconds


class Goal(_Model):
    """One step.

    Attributes:
        text: the request of this step alone.
        kind: what it does.
        needs: numbers, from 0, of the goals it is built on.
        condition: None: always.
        status: how far it is.
        told: what the user is told of it, once it is over.
        board: its storyboard, once there is one.
        pictures: paths of the pictures it made, by shot.
    """

    text: str
    kind: GoalKind
    needs: list[int] = Field(default_factory=list)
    condition: Condition | None = None
    status: Status = "waiting"
    told: str = ""
    board: Storyboard | None = None
    pictures: dict[str, str] = Field(default_factory=dict)


class Plan(_Model):
    """The goals of a turn, and which one is worked at.

    Attributes:
        turn: id of the message that they are from.
        goals: in order.
        at: number of the present one.
    """

    turn: str
    goals: list[Goal] = Field(max_length=MOST_GOALS)
    at: int = 0

    @property
    def present(self) -> Goal | None:
        """The goal that is worked at; None when all are over."""
        return self.goals[self.at] if self.at < len(self.goals) else None

    def over(self, status: Status, told: str, board: Storyboard | None, pictures: dict[str, str]) -> Plan:
        """The plan after the present goal came to something; goals that cannot be worked at are passed over."""
        plan = self.model_copy(deep=True)
        now = plan.goals[plan.at]
        now.status, now.told, now.board, now.pictures = status, told, board, pictures
        plan.at += 1
        while (goal := plan.present) is not None:
            # What was not needed is not missed: a step is then built on what was there before it.
            goal.needs = [need for need in goal.needs if plan.goals[need].status != "skipped"] or goal.needs[:1]
            lost = plan.lost(goal)
            fails = goal.condition is not None and board is not None and not goal.condition.holds(board)
            if lost is None and not fails:
                if goal.kind == "reference":
                    goal.text = _with_people(goal.text, plan.goals[goal.needs[0]].board)
                break
            goal.status = "skipped"
            plan.at += 1
        return plan

    def lost(self, goal: Goal) -> int | None:
        """The first goal that this one needs and that could not be made; None where none is missing."""
        return next((need for need in goal.needs if self.goals[need].status == "failed"), None)

    @property
    def planned(self) -> bool:
        """Whether the present goal is only put on paper: all that follows is made of its storyboard."""
        later = [goal for goal in self.goals[self.at + 1 :] if self.at in goal.needs]
        return bool(later) and all(one.kind in ("change", "join") and one.condition is None for one in later)


def _with_people(text: str, board: Storyboard | None) -> str:
    names = [member.name.partition(" ")[0] for member in board.cast] if board else []
    missing = [name for name in names if name.casefold() not in text.casefold()]
    if not missing or len(missing) < len(names):
        return text
    said = next(words.people for words in _steps().words.values() if text.startswith(f"{words.make} "))
    return f"{text} {said} {', '.join(missing)}"


@cache
def _steps() -> _StepsFile:
    """steps.yaml, read once.

    Raises:
        YamlProblem: it is malformed; names file and line.
    """
    return load_yaml_model(STEPS_YAML, _StepsFile)


def read_plan(text: str, turn: str, *, has_board: bool) -> Plan | None:
    """The goals of a request; None where it is one step.

    Args:
        text: the user's words.
        turn: id of the message.
        has_board: there is a storyboard that the first step may change.
    """
    if len(text) > LONGEST:
        return None
    from agent.planners.offline.web_search import find_web_wish

    parts = _parts(re.sub(_steps().first, "", _close(text), flags=re.IGNORECASE))
    if len(parts) > 1 and find_web_wish(parts[0]) is not None:
        # What is looked up is for what comes next: one step, and the planner reads both.
        parts[:2] = [f"{parts[0]}, {parts[1]}"]
    if not 2 <= len(parts) <= MOST_GOALS:
        return None
    goals: list[Goal] = []
    for part in parts:
        condition, rest = _condition(part)
        kind = _kind(rest) or ("make" if not goals else None)
        if kind is None or (not goals and kind != "make" and not has_board):
            return None
        goals.append(_goal(kind, rest, condition, goals))
    return Plan(turn=turn, goals=goals)


def _goal(kind: GoalKind, text: str, condition: Condition | None, before: list[Goal]) -> Goal:
    last = len(before) - 1
    needs = {"make": [], "change": [last], "reference": [last], "join": list(range(len(before)))}[kind]
    steps = _steps()
    for language, words in steps.words.items():
        if kind == "reference":
            text = re.sub(rf"^(?:{steps.reference[language]})", f"{words.make} ", text, flags=re.IGNORECASE)
        if condition is not None and re.search(steps.resize[language], text, re.IGNORECASE):
            text = words.length.format(seconds=f"{condition.seconds:g}")
    return Goal(text=text, kind=kind, needs=[need for need in needs if need >= 0], condition=condition)


def _close(text: str) -> str:
    """The text without blank lines and without rows of spaces, which patterns would be tried on without end."""
    return "\n".join(" ".join(line.split()) for line in text.splitlines() if line.strip())


def _parts(text: str) -> list[str]:
    """The text cut between its steps; quoted words are not looked into."""
    hidden = _QUOTED.sub(lambda found: "\0" * len(found[0]), text)
    parts: list[str] = []
    begun = 0
    for cut in re.finditer(_steps().between, hidden, re.IGNORECASE):
        _, rest = _condition(hidden[cut.end() :])
        if cut.start() > begun and _kind(rest) is not None:
            parts.append(text[begun : cut.start()].strip(" ,;."))
            begun = cut.end()
    return [*parts, text[begun:].strip()]


def _condition(text: str) -> tuple[Condition | None, str]:
    steps = _steps()
    for name, pattern in (("longer", steps.longer), ("shorter", steps.shorter)):
        found = re.match(pattern, text.lstrip(), re.IGNORECASE)
        if found and float(found["seconds"]) > 0:
            rest = text.lstrip()[found.end() :].strip()
            return Condition.model_validate({"is_": name, "seconds": float(found["seconds"])}), rest
    return None, text.strip()


def _kind(text: str) -> GoalKind | None:
    """What a step does by its first words; None where they are not said to the studio."""
    steps = _steps()
    kinds: list[tuple[GoalKind, list[str]]] = [
        ("reference", list(steps.reference.values())),
        ("join", steps.join),
        ("change", [*steps.change, *steps.resize.values()]),
        ("make", steps.make),
    ]
    for kind, patterns in kinds:
        if any(re.match(pattern, text, re.IGNORECASE) for pattern in patterns):
            return kind
    return None


def joined(boards: list[Storyboard]) -> tuple[Storyboard, int]:
    """Storyboards one after the other, as one: the first one's title, look and format; shots numbered anew.

    Returns:
        The storyboard, and how many of the last shots are not in it because one holds no more.
    """
    first = boards[0]
    cast = {member.id: member for board in reversed(boards) for member in board.cast}
    given = [shot for board in boards for shot in board.shots]
    shots: list[Shot] = []
    seen: set[str] = set()
    for shot in given:
        people = seen.union((one.character for one in shot.placements), (line.character for line in shot.dialogue))
        seconds = sum(one.duration_s for one in shots) + shot.duration_s
        if len(shots) == MOST_SHOTS or len(people) > MOST_CAST or seconds > MOST_S:
            break
        seen = people
        shots.append(shot.model_copy(update={"id": f"s{len(shots) + 1}"}))
    order = list(dict.fromkeys(member.id for board in boards for member in board.cast))
    data = {
        **first.model_dump(),
        "cast": [cast[name].model_dump() for name in order if len(order) <= MOST_CAST or name in seen],
        "shots": [shot.model_dump() for shot in shots],
        "duration_s": round(sum(shot.duration_s for shot in shots), 3),
    }
    return Storyboard.model_validate(data), len(given) - len(shots)


def with_reference(board: Storyboard, source: Goal) -> Storyboard:
    """The storyboard with the pictures of an earlier goal as references where the same people are seen."""
    if source.board is None or not source.pictures:
        return board
    data = board.model_dump()
    shown = {
        one.character: source.pictures[shot.id]
        for shot in source.board.shots
        if shot.id in source.pictures
        for one in shot.placements
    }
    for shot in data["shots"]:
        pictures = list(
            dict.fromkeys(shown[one["character"]] for one in shot["placements"] if one["character"] in shown)
        )
        shot["control"] = [ControlImage(kind="reference", image=path).model_dump() for path in pictures[:2]]
    return Storyboard.model_validate(data)
