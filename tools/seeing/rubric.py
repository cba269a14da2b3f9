"""A shot of the storyboard as questions about its picture: plain code and the words of rubric.yaml."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, model_validator

from configs.characters import CharacterSheet
from configs.yaml_file import YamlProblem, load_yaml_model
from tools.errors import InvalidInput
from tools.seeing.cleaned import cleaned
from tools.seeing.tool import CHANGES, Change, Criterion, Rubric
from tools.storyboard import CastMember, Emotion, Framing, Look, Placement, Shot, TimeOfDay, Weather

__all__ = ["RUBRIC_FILE", "RubricWords", "changes_of", "default_words", "load_words", "rubric_about", "rubric_of_shot"]

RUBRIC_FILE = Path(__file__).with_name("rubric.yaml")

_LAYOUT: tuple[Change, ...] = ("wider", "closer", "brighter", "darker", "move_left", "move_right")
_BY_LEVER: dict[str, tuple[Change, ...]] = {
    "take": ("another_take",),
    "layout": _LAYOUT,
    "prompt": ("emphasise", "avoid_artefacts"),
    "repair": ("redraw",),
    "controls": ("follow_layout_more", "follow_layout_less"),
    "likeness": ("more_alike",),
}
"""Which changes an engine can make that has such a lever (`levers` of engines.yaml)."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Words(_Model):
    """One criterion's words, with blanks."""

    question: str
    none: str
    partly: str
    full: str


class RubricWords(_Model):
    """rubric.yaml."""

    criteria: dict[str, Words]
    about: list[str]
    alone: list[str]
    drawn: list[str]
    painted: list[str]
    styles: dict[str, str]
    framings: dict[Framing, str]
    times: dict[TimeOfDay, str]
    weathers: dict[Weather, str]
    changes: dict[Change, str]

    @model_validator(mode="after")
    def _complete(self) -> RubricWords:
        for field in ("about", "alone", "drawn", "painted"):
            unknown = [name for name in getattr(self, field) if name not in self.criteria]
            if unknown:
                raise ValueError(f"{field} names {', '.join(unknown)}, which is no criterion")
        for field, wanted in (("framings", Framing), ("times", TimeOfDay), ("weathers", Weather), ("changes", Change)):
            lacking = [key for key in wanted.__args__ if key not in getattr(self, field)]  # type: ignore[attr-defined]
            if lacking:
                raise ValueError(f"{field} lacks {', '.join(lacking)}")
        return self


def load_words(path: Path = RUBRIC_FILE) -> RubricWords:
    """Read rubric.yaml.

    Raises:
        InvalidInput: with file and line.
    """
    try:
        return load_yaml_model(path, RubricWords)
    except YamlProblem as problem:
        raise InvalidInput(problem.message, where=problem.where) from problem


@cache
def default_words() -> RubricWords:
    """The words that come with the studio; read once a process, and never changed (frozen)."""
    return load_words()


def changes_of(levers: Collection[str]) -> list[Change]:
    """What can be changed of a picture whose maker has these levers."""
    able = {"nothing", *(change for lever in levers for change in _BY_LEVER.get(lever, ()))}
    return [change for change in CHANGES if change in able]


def rubric_of_shot(
    shot: Shot,
    cast: Sequence[CastMember],
    sheets: Mapping[str, CharacterSheet],
    style: str,
    *,
    drawn: bool = False,
    levers: Collection[str] = ("layout",),
    words: RubricWords | None = None,
) -> Rubric:
    """What the picture of a shot is held against.

    Args:
        cast: of the production; who is not in `sheets` is described by its look.
        sheets: characters.yaml by id.
        style: of the production.
        drawn: the draft drew it, which is flat by intent.
        levers: of the engine that made it.
    """
    said = words or default_words()
    blanks = _Blanks(shot, cast, sheets, style, said)
    criteria: list[Criterion] = []
    for kind in said.drawn if drawn else said.painted:
        if kind in ("who", "emotion"):
            for placement in blanks.people:
                if kind == "who" or (_has_feeling(placement) and shot.framing != "detail"):
                    criteria.append(_criterion(kind, said, blanks.of(placement), placement.character))
        elif kind != "what" or shot.action.strip():
            criteria.append(_criterion(kind, said, blanks.scene))
    people = {placement.character: blanks.name(placement.character) for placement in blanks.people}
    return Rubric(wanted=blanks.wanted(), criteria=criteria, people=people, changes=changes_of(levers))


def rubric_about(about: str, words: RubricWords | None = None) -> Rubric:
    """What a picture is held against of which these words are all that is known; none: only faults are looked for."""
    said = words or default_words()
    told = cleaned(about, 1000)
    blanks = {"action": told}
    names = said.about if told else said.alone
    wanted = told or "anything; what it shows is not judged"
    return Rubric(wanted=wanted, criteria=[_criterion(name, said, blanks) for name in names])


def _criterion(kind: str, said: RubricWords, blanks: Mapping[str, str], whom: str = "") -> Criterion:
    filled = {
        key: cleaned(_filled(text, blanks), 500 if key == "question" else 200)
        for key, text in said.criteria[kind].model_dump().items()
    }
    return Criterion(name=f"{kind}.{whom}" if whom else kind, **filled)


def _filled(text: str, blanks: Mapping[str, str]) -> str:
    # Not by `format`: what people wrote may hold braces.
    for name, value in blanks.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _has_feeling(placement: Placement) -> bool:
    return placement.expression != "neutral" and placement.facing != "back"


class _Blanks:
    """What fills the blanks of a shot's questions; all text of people and of models is cleaned and cut."""

    def __init__(
        self,
        shot: Shot,
        cast: Sequence[CastMember],
        sheets: Mapping[str, CharacterSheet],
        style: str,
        said: RubricWords,
    ) -> None:
        self._shot, self._sheets, self._said = shot, sheets, said
        self._cast = {member.id: member for member in cast}
        self.people = sorted(shot.placements, key=lambda one: (one.x, one.character))
        light = f"{said.times[shot.time_of_day]} with {said.weathers[shot.weather]}"
        self.scene = {
            "place": cleaned(shot.location.replace("_", " ").replace("-", " "), 80),
            "action": cleaned(shot.action, 300),
            "light": light,
            "style": said.styles.get(style, cleaned(style.replace("_", " "), 80)),
        }

    def name(self, character: str) -> str:
        member = self._cast.get(character)
        return cleaned(member.name if member else character, 80)

    def of(self, placement: Placement) -> dict[str, str]:
        return {
            **self.scene,
            "name": self.name(placement.character),
            "look": self._look(placement.character),
            "emotion": _FEELINGS.get(placement.expression, placement.expression),
        }

    def wanted(self) -> str:
        """The shot in two or three sentences."""
        scene = self.scene
        first = f"{self._said.framings[self._shot.framing]}: {scene['place']}, {scene['light']}."
        who = "; ".join(f"{self.name(one.character)} ({self._look(one.character)})" for one in self.people)
        people = f" From left to right: {who}." if who else " Nobody is in it."
        return first + people + (f" {scene['action']}" if scene["action"] else "")

    def _look(self, character: str) -> str:
        sheet, member = self._sheets.get(character), self._cast.get(character)
        if sheet is not None:
            return cleaned(sheet.description, 160)
        look = member.look if member else None
        return cleaned(look.description or _described(look), 160) if look else "a character"


_FEELINGS: Mapping[Emotion, str] = {"scared": "frightened", "smug": "pleased with itself"}


def _described(look: Look) -> str:
    """A look without words of its own, from its fields."""
    what = look.species.replace("_", " ") if look.species != "human" else _HUMANS[look.gender].get(look.age, "person")
    hair = " ".join(part for part in (look.hair_color or "", look.hair or "") if part and not part.startswith("#"))
    parts = [what, f"{hair} hair" if hair and look.hair != "bald" else "", "freckles" if look.freckles else ""]
    return ", ".join(part for part in parts if part)


_HUMANS = {
    "boy": {"child": "boy", "teen": "teenage boy", "adult": "man", "elder": "old man"},
    "girl": {"child": "girl", "teen": "teenage girl", "adult": "woman", "elder": "old woman"},
    "neutral": {"child": "child", "teen": "teenager", "adult": "grown-up", "elder": "old person"},
}
