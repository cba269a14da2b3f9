"""What is known of a person's own voices: one record for each character and kind of engine.

A voice made from recordings of somebody carries their consent, bound to the content of those recordings: other
recordings under the same names are another voice, and need a consent of their own.
"""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from tools.storyboard import Emotion, Slug

__all__ = [
    "RECORDS",
    "Consent",
    "ElevenlabsVoice",
    "GptSovitsVoice",
    "ParlerVoice",
    "Reference",
    "VoiceKind",
    "VoiceRecord",
    "WeightsFile",
    "XttsVoice",
]

VoiceKind = Literal["gpt_sovits", "xtts", "parler", "elevenlabs"]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Text = Annotated[str, Field(min_length=1, max_length=2000)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Reference(_Model):
    """A recording that shows how the voice sounds, for one emotion.

    Attributes:
        emotion: which lines it is for; lines of an emotion without one take `neutral`.
        file: where it lies.
        on_server: its path on the server that reads it, where that is another machine or container.
        sha256: of its content when it was added.
        said: what is said in it, word for word; empty where the engine does not ask.
        language: that is spoken in it.
        seconds: its length.
    """

    emotion: Emotion = "neutral"
    file: Path
    on_server: str = Field("", max_length=4096)
    sha256: Sha256
    said: str = Field("", max_length=1000)
    language: str = Field("en", pattern=r"^[a-z]{2,4}$")
    seconds: float = Field(gt=0.0, le=600.0)


class WeightsFile(_Model):
    """A file of trained weights, as the server that reads it knows it.

    Attributes:
        file: its path on the server.
        sha256: of its content, where the server is this machine and the file could be read; else empty.
        size, changed_ns: then its bytes and its time of change, by which a changed file is noticed without reading it.
    """

    file: str = Field(min_length=1, max_length=4096)
    sha256: Sha256 | Literal[""] = ""
    size: int = Field(0, ge=0)
    changed_ns: int = Field(0, ge=0)


class Consent(_Model):
    """That somebody agreed to their voice being used.

    Attributes:
        whose: the person whose voice it is.
        source: where the recordings come from, as "read for us on 3 May".
        allowed_for: what they agreed to, as "this film and its trailer".
        given_by: who gave it, where that is not the person (a parent, an agency).
        given_on: when.
        covers: what it is bound to (`VoiceRecord.made_from`); everything the voice is made from must be in it.
    """

    whose: Text
    source: Text
    allowed_for: Text
    given_by: str = Field("", max_length=2000)
    given_on: date
    covers: tuple[Sha256, ...] = Field(min_length=1)


class _Voice(_Model):
    """What every kind of voice has.

    Attributes:
        character: whose lines it speaks.
        consent: of the person whose voice it is; None where the voice is nobody's.
        note: anything a person wants to remember.
    """

    character: Slug
    kind: VoiceKind
    consent: Consent | None = None
    note: str = Field("", max_length=2000)

    @property
    def cloned(self) -> bool:
        """Whether it is somebody's voice, and consent is needed."""
        return True

    @property
    def recordings(self) -> tuple[Reference, ...]:
        """The recordings it is made from, where they are files here."""
        return ()

    @property
    def weights(self) -> tuple[WeightsFile, ...]:
        """Weights that were trained on the voice."""
        return ()

    @property
    def made_from(self) -> tuple[str, ...]:
        """Digests of all that makes this voice somebody's: recordings, and weights that could be read."""
        return tuple(
            dict.fromkeys([*(one.sha256 for one in self.recordings), *(w.sha256 for w in self.weights if w.sha256)])
        )


class GptSovitsVoice(_Voice):
    """A pair of weights for GPT-SoVITS, and a recording of 3 to 10 s for each emotion there is one of."""

    kind: Literal["gpt_sovits"] = "gpt_sovits"
    gpt: WeightsFile
    sovits: WeightsFile
    references: tuple[Reference, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _one_each(self) -> GptSovitsVoice:
        emotions = [reference.emotion for reference in self.references]
        if "neutral" not in emotions:
            raise ValueError("references: one of them must be neutral; the other emotions fall back to it")
        if len(set(emotions)) != len(emotions):
            raise ValueError("references: an emotion has one recording")
        return self

    @property
    def recordings(self) -> tuple[Reference, ...]:
        return self.references

    @property
    def weights(self) -> tuple[WeightsFile, ...]:
        return (self.gpt, self.sovits)


class XttsVoice(_Voice):
    """Recordings that XTTS takes a voice from; several of one emotion are taken together."""

    kind: Literal["xtts"] = "xtts"
    references: tuple[Reference, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _has_neutral(self) -> XttsVoice:
        if not any(reference.emotion == "neutral" for reference in self.references):
            raise ValueError("references: one of them must be neutral; the other emotions fall back to it")
        return self

    @property
    def recordings(self) -> tuple[Reference, ...]:
        return self.references

    def references_for(self, emotion: Emotion) -> tuple[Reference, ...]:
        """The recordings for an emotion; the neutral ones where there are none."""
        of = tuple(reference for reference in self.references if reference.emotion == emotion)
        return of or tuple(reference for reference in self.references if reference.emotion == "neutral")


class ParlerVoice(_Voice):
    """A voice by description, "a boy with a clear, bright voice": nobody's, so that it needs no consent."""

    kind: Literal["parler"] = "parler"
    description: str = Field(min_length=1, max_length=600)

    @property
    def cloned(self) -> bool:
        return False


class ElevenlabsVoice(_Voice):
    """A voice of an ElevenLabs account.

    Attributes:
        voice_id: its id there.
        stock: it is one of the service's own voices, and nobody's that one would have to ask.
        references: the recordings it was cloned from, where they are here.
        stability, similarity, style: 0 to 1; None takes what configs/voice_engines.yaml says.
    """

    kind: Literal["elevenlabs"] = "elevenlabs"
    voice_id: str = Field(pattern=r"^[A-Za-z0-9_\-]{1,64}$")
    stock: bool = False
    references: tuple[Reference, ...] = ()
    stability: float | None = Field(None, ge=0.0, le=1.0)
    similarity: float | None = Field(None, ge=0.0, le=1.0)
    style: float | None = Field(None, ge=0.0, le=1.0)

    @property
    def cloned(self) -> bool:
        return not self.stock

    @property
    def recordings(self) -> tuple[Reference, ...]:
        return self.references

    @property
    def made_from(self) -> tuple[str, ...]:
        """The recordings, and the voice itself: another id is another person's."""
        voice = hashlib.sha256(f"elevenlabs:{self.voice_id}".encode()).hexdigest()
        return (*(one.sha256 for one in self.recordings), voice)


VoiceRecord = GptSovitsVoice | XttsVoice | ParlerVoice | ElevenlabsVoice
RECORDS: TypeAdapter[VoiceRecord] = TypeAdapter(Annotated[VoiceRecord, Field(discriminator="kind")])
"""Validates a record of any kind."""
