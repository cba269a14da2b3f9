"""How XTTS v2 speaks: what emotions and deliveries do to its levers (tools/voice/xtts.yaml)."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from configs.yaml_file import YamlProblem, load_yaml_model
from tools.errors import InvalidInput
from tools.storyboard import Delivery, Emotion
from tools.voice.records import Reference, XttsVoice
from tools.voice.tool import SynthesizeSpeech

__all__ = ["XTTS_PATH", "XttsBook", "XttsLevers", "levers_of", "load_book", "references_of"]

XTTS_PATH = Path(__file__).with_name("xtts.yaml")


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Tone(_Model):
    """What an emotion or a delivery does: factors of temperature and speed; whose recordings may stand in."""

    temperature: float = Field(1.0, ge=0.3, le=2.0)
    speed: float = Field(1.0, ge=0.5, le=1.6)
    like: tuple[Emotion, ...] = ()


class Bounds(_Model):
    """What is still speech."""

    low: float = Field(gt=0.0)
    high: float = Field(gt=0.0)

    @model_validator(mode="after")
    def _ordered(self) -> Bounds:
        if self.low >= self.high:
            raise ValueError("low must lie below high")
        return self

    def hold(self, value: float) -> float:
        """The nearest value within."""
        return min(self.high, max(self.low, value))


class XttsBook(_Model):
    """All of tools/voice/xtts.yaml.

    Attributes:
        limits: letters said at once, by language; a language that is not listed is refused.
        pause_s: of silence between two parts of a line.
        speed, temperatures: bounds of what emotion, delivery and rate come to.
    """

    limits: dict[str, int] = Field(min_length=1)
    temperature: float = Field(0.75, ge=0.05, le=1.5)
    top_k: int = Field(50, ge=1, le=1000)
    top_p: float = Field(0.85, gt=0.0, le=1.0)
    repetition_penalty: float = Field(5.0, ge=1.0, le=20.0)
    pause_s: float = Field(0.3, ge=0.0, le=2.0)
    speed: Bounds
    temperatures: Bounds
    emotions: dict[Emotion, Tone]
    deliveries: dict[Delivery, Tone]

    @model_validator(mode="after")
    def _complete(self) -> XttsBook:
        for name, have, all_ in (
            ("emotions", self.emotions, get_args(Emotion)), ("deliveries", self.deliveries, get_args(Delivery)),
        ):  # fmt: skip
            if missing := set(all_) - set(have):
                raise ValueError(f"{name}: these are missing: {', '.join(sorted(missing))}")
        return self


class XttsLevers(_Model):
    """What a line is said with."""

    temperature: float
    speed: float
    top_k: int
    top_p: float
    repetition_penalty: float


def load_book(path: Path = XTTS_PATH) -> XttsBook:
    """Read the settings.

    Raises:
        InvalidInput: the file is missing or breaks the schema; names file and line.
    """
    try:
        return load_yaml_model(path, XttsBook)
    except YamlProblem as problem:
        raise InvalidInput(problem.message, where=problem.where) from problem


def levers_of(book: XttsBook, args: SynthesizeSpeech.Input) -> XttsLevers:
    """Emotion, delivery and rate together: factors multiply."""
    emotion, delivery = book.emotions[args.emotion], book.deliveries[args.delivery]
    return XttsLevers(
        temperature=book.temperatures.hold(book.temperature * emotion.temperature * delivery.temperature),
        speed=book.speed.hold(args.rate * emotion.speed * delivery.speed),
        top_k=book.top_k,
        top_p=book.top_p,
        repetition_penalty=book.repetition_penalty,
    )


def references_of(book: XttsBook, voice: XttsVoice, emotion: Emotion) -> tuple[Reference, ...]:
    """The recordings for an emotion: its own, else those of the first that is like it, else the neutral ones."""
    there = {reference.emotion for reference in voice.references}
    taken: Emotion = next((one for one in (emotion, *book.emotions[emotion].like) if one in there), "neutral")
    return voice.references_for(taken)
