"""What Parler-TTS is told: who speaks, in which manner, how fast (tools/voice/parler.yaml)."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from configs.voices import load_voices
from configs.yaml_file import YamlProblem, load_yaml_model
from tools.errors import InvalidInput
from tools.storyboard import Delivery, Emotion
from tools.voice.casting import cast_voice
from tools.voice.records import ParlerVoice
from tools.voice.shelf import VoiceShelf
from tools.voice.tool import SynthesizeSpeech

__all__ = ["PARLER_PATH", "Manner", "Pace", "ParlerBook", "load_book", "manner_of", "speaker_of"]

PARLER_PATH = Path(__file__).with_name("parler.yaml")


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Pace(_Model):
    """How fast: for rates up to `rate`.

    Attributes:
        pause_s: of silence between two parts of a line.
        slower: how many times longer than usual such a line may take.
    """

    rate: float = Field(gt=0.0, le=4.0)
    words: str = Field(min_length=3, max_length=200)
    pause_s: float = Field(0.2, ge=0.0, le=3.0)
    slower: float = Field(1.0, ge=1.0, le=4.0)


class Tone(_Model):
    """What an emotion or a delivery adds: words, and a factor of the rate."""

    words: str = Field("", max_length=200)
    rate: float = Field(1.0, ge=0.5, le=1.6)


class ParlerBook(_Model):
    """All of tools/voice/parler.yaml.

    Attributes:
        quality: the last sentence of every description.
        paces: slowest first; the last holds for all above it.
        most_letters: of one part of a line; most_s: seconds of it.
    """

    quality: str = Field(min_length=3, max_length=300)
    paces: tuple[Pace, ...] = Field(min_length=1)
    emotions: dict[Emotion, Tone]
    deliveries: dict[Delivery, Tone]
    temperature: float = Field(1.0, ge=0.1, le=2.0)
    most_letters: int = Field(220, ge=40, le=400)
    most_s: float = Field(28.0, ge=1.0, le=30.0)

    @model_validator(mode="after")
    def _complete(self) -> ParlerBook:
        for name, have, all_ in (
            ("emotions", self.emotions, get_args(Emotion)), ("deliveries", self.deliveries, get_args(Delivery)),
        ):  # fmt: skip
            if missing := set(all_) - set(have):
                raise ValueError(f"{name}: these are missing: {', '.join(sorted(missing))}")
        rates = [pace.rate for pace in self.paces]
        if rates != sorted(set(rates)):
            raise ValueError("paces: their rates must rise")
        return self


class Manner(_Model):
    """How a line is to be said: the description, and what goes with its pace."""

    description: str
    pace: Pace


def load_book(path: Path = PARLER_PATH) -> ParlerBook:
    """Read the words.

    Raises:
        InvalidInput: the file is missing or breaks the schema; names file and line.
    """
    try:
        return load_yaml_model(path, ParlerBook)
    except YamlProblem as problem:
        raise InvalidInput(problem.message, where=problem.where) from problem


def speaker_of(args: SynthesizeSpeech.Input, shelf: VoiceShelf) -> str:
    """Who speaks, in words: the character's own record, else what the embedded voice is described as.

    Raises:
        InvalidInput: the record, or voices.yaml, is wrong; names file and line.
    """
    record = shelf.get(args.character, "parler")
    if isinstance(record, ParlerVoice):
        return record.description
    try:
        return cast_voice(load_voices(), args.character, args.look).voice.description
    except YamlProblem as problem:
        raise InvalidInput(problem.message, where=problem.where) from problem


def manner_of(book: ParlerBook, speaker: str, args: SynthesizeSpeech.Input) -> Manner:
    """A line's manner: "A boy of twelve, clear. The speaker speaks slowly, with pauses, in a ..."."""
    emotion, delivery = book.emotions[args.emotion], book.deliveries[args.delivery]
    rate = args.rate * emotion.rate * delivery.rate
    pace = next((pace for pace in book.paces if rate <= pace.rate), book.paces[-1])
    manner = ", ".join(words for words in (pace.words, emotion.words, delivery.words) if words)
    who = speaker.strip().rstrip(".")
    return Manner(description=f"{who[:1].upper()}{who[1:]}. The speaker {manner}. {book.quality}", pace=pace)
