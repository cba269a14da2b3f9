"""The schema of configs/voices.yaml: who sounds how, and what an emotion does to a voice."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from configs.characters import field_of, load_characters
from configs.own import own_file
from configs.yaml_file import YamlProblem, load_yaml_model

__all__ = [
    "VOICES_PATH",
    "Character",
    "EspeakVoice",
    "OwnVoices",
    "Prosody",
    "Suits",
    "VoiceBook",
    "load_voices",
    "own_voices",
]

VOICES_PATH = Path(__file__).with_name("voices.yaml")

# Written out here because configs/ is the lowest layer and imports nothing of tools/; a test holds them against
# tools.storyboard.
EMOTIONS = (
    "neutral", "happy", "sad", "excited", "angry", "scared", "surprised", "thoughtful", "tender", "sleepy", "smug",
)  # fmt: skip
DELIVERIES = ("normal", "soft", "whisper", "shout")
Age = Literal["child", "teen", "adult", "elder"]
Gender = Literal["boy", "girl", "neutral"]
Language = Literal["en", "it", "de", "es", "fr"]
FileName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]{0,39}$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Suits(_Model):
    """Looks that a voice may be given to, when a character has no voice of its own."""

    species: list[str] = Field(default=["human"], min_length=1)
    ages: list[Age] = Field(default=["child", "teen", "adult", "elder"], min_length=1)
    genders: list[Gender] = Field(default=["boy", "girl", "neutral"], min_length=1)


class EspeakVoice(_Model):
    """One voice of the embedded engine."""

    description: str = Field(min_length=1, description="what one hears, in a few words")
    timbre: FileName = Field(description="a file in tools/voice/voices, in espeak-ng's voice format")
    pitch: float = Field(ge=50, le=450, description="Hz, where the voice usually lies (the median of a plain line)")
    range: float = Field(1.0, ge=0.0, le=2.5, description="how far the melody goes up and down; 1 is an adult's")
    rate: float = Field(145, ge=80, le=260, description="words a minute, pauses between sentences included")
    formants: float = Field(1.0, ge=0.6, le=1.6, description="resonances of the throat: above 1 a smaller speaker")
    warmth: float = Field(0.0, ge=-12, le=12, description="dB around 220 Hz")
    presence: float = Field(0.0, ge=-12, le=12, description="dB around 3.2 kHz")
    air: float = Field(0.0, ge=-12, le=12, description="dB above 7 kHz")
    effect: Literal["none", "metal", "gurgle", "growl"] = "none"
    accent: dict[Language, Literal["en-us", "es-419", "fr-be"]] = Field(default_factory=dict)
    suits: Suits | None = Field(None, description="None: only for the character that names it")


class Prosody(_Model):
    """What an emotion or a delivery does to a voice: factors and additions on top of the voice's own."""

    pitch: float = Field(0.0, ge=-12, le=12, description="semitones")
    range: float = Field(1.0, ge=0.1, le=3.0)
    rate: float = Field(1.0, ge=0.5, le=1.8)
    effort: float = Field(0.0, ge=-12, le=12, description="dB at 3 kHz against the low end: pressed or relaxed")
    breath: float = Field(0.0, ge=0.0, le=1.0, description="breath in the tone; 1 has no tone left (whisper)")
    tremor: float = Field(0.0, ge=0.0, le=30.0, description="added to espeak's flutter")
    roughness: float = Field(0.0, ge=0.0, le=8.0, description="added to espeak's roughness")


class Character(_Model):
    """A character of the cast: which voice it has."""

    espeak: str = Field(description="a name under `voices`")


class VoiceBook(_Model):
    """All of configs/voices.yaml."""

    characters: dict[str, Character]
    voices: dict[str, EspeakVoice] = Field(min_length=1)
    fallback: str = Field(description="the voice where no other suits")
    emotions: dict[str, Prosody]
    deliveries: dict[str, Prosody]
    said_as: dict[Language, dict[str, str]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _complete(self) -> VoiceBook:
        if set(self.emotions) != set(EMOTIONS):
            raise ValueError(f"emotions must be exactly: {', '.join(EMOTIONS)}")
        if set(self.deliveries) != set(DELIVERIES):
            raise ValueError(f"deliveries must be exactly: {', '.join(DELIVERIES)}")
        for name, character in self.characters.items():
            if character.espeak not in self.voices:
                raise ValueError(f"characters.{name}: there is no voice {character.espeak!r}")
        if self.fallback not in self.voices:
            raise ValueError(f"fallback: there is no voice {self.fallback!r}")
        for language, entries in self.said_as.items():
            for word in entries:
                if word != word.lower():
                    raise ValueError(f"said_as.{language}: write {word!r} in lower case")
        return self


class OwnVoices(_Model):
    """voices.yaml of a folder of one's own: further voices for the characters there; the rest is the studio's."""

    voices: dict[str, EspeakVoice] = Field(min_length=1)


def own_voices() -> dict[str, EspeakVoice]:
    """The voices of the folder that `STUDIO_OWN` names, by name.

    Raises:
        YamlProblem: its voices.yaml breaks the schema; names file and line.
    """
    own = own_file(VOICES_PATH.name)
    return load_yaml_model(own, OwnVoices).voices if own else {}


def load_voices(path: Path = VOICES_PATH) -> VoiceBook:
    """Read the voices; beside the studio's own stand those of the folder that `STUDIO_OWN` names.

    A sheet's `voice` (characters.yaml) is the voice that this character speaks with.

    Raises:
        YamlProblem: a file is missing or breaks the schema, or a sheet names no voice that there is; file and line.
    """
    book = load_yaml_model(path, VoiceBook)
    return _with_own(book) if path == VOICES_PATH else book


def _with_own(book: VoiceBook) -> VoiceBook:
    """With the voices of a folder of one's own, and those that sheets of characters name."""
    voices = {**book.voices, **own_voices()}
    characters = dict(book.characters)
    for sheet in load_characters().values():
        if not sheet.voice:
            continue
        if sheet.voice not in voices:
            there = ", ".join(sorted(voices))
            told = f"voice of {sheet.id}: there is no voice {sheet.voice!r}; there are {there}"
            raise YamlProblem(told, where=field_of(sheet.id, "voice"))
        characters[sheet.id] = Character(espeak=sheet.voice)
    return book.model_copy(update={"voices": voices, "characters": characters})
