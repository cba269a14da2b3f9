"""The schema of voice_engines.yaml: how the voices speak that are not the embedded one, and what they may cost."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from configs.voices import DELIVERIES, EMOTIONS
from configs.yaml_file import load_yaml_model

__all__ = [
    "VOICE_ENGINES_YAML",
    "ElevenlabsSettings",
    "ElevenlabsTone",
    "GptSovitsSettings",
    "GptSovitsTone",
    "Span",
    "VoiceEngines",
    "load_voice_engines",
]

VOICE_ENGINES_YAML = Path(__file__).with_name("voice_engines.yaml")

Seconds = Annotated[float, Field(gt=0.0, le=3600.0)]
Factor = Annotated[float, Field(ge=0.3, le=3.0)]
Shift = Annotated[float, Field(ge=-1.0, le=1.0)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Code = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Span(_Model):
    """What a service takes at least and at most."""

    low: float = Field(gt=0.0)
    high: float = Field(gt=0.0)

    @model_validator(mode="after")
    def _ordered(self) -> Span:
        if self.low >= self.high:
            raise ValueError("low must lie below high")
        return self

    def hold(self, value: float) -> float:
        """The nearest value that is taken."""
        return min(self.high, max(self.low, value))


class GptSovitsTone(_Model):
    """What an emotion or a delivery does: factors of temperature and speed, and whose recording may stand in."""

    temperature: Factor = 1.0
    speed: Factor = 1.0
    like: tuple[str, ...] = ()


class GptSovitsLimits(_Model):
    """Held to these, whatever emotion, delivery and rate come to."""

    speed: Span
    temperature: Span


class GptSovitsTimeouts(_Model):
    """Seconds to change weights, until an answer begins, of silence within one, and for all of a line."""

    weights: Seconds = 120.0
    first: Seconds = 120.0
    next: Seconds = 60.0
    line: Seconds = 300.0


class GptSovitsSettings(_Model):
    """GPT-SoVITS, whose server takes these with every line (api_v2.py in RVC-Boss/GPT-SoVITS).

    Attributes:
        languages: its own code by language; one that is not listed is refused.
        cut: how it cuts a text into fragments. fragment_pause: seconds of silence after each.
        batch_size: fragments at once; 0 would hang it for good.
        streaming: 0 whole answers, 1 a fragment at a time, 2 and 3 smaller pieces at lower quality.
        sample_steps: of its versions 3 and 4.
        emotions, deliveries: see `GptSovitsTone`; the spec's temperatures are those of `emotions` times `temperature`.
    """

    languages: dict[Code, Annotated[str, Field(pattern=r"^[a-z_]{2,8}$")]] = Field(min_length=1)
    top_k: int = Field(15, ge=1, le=100)
    top_p: float = Field(1.0, gt=0.0, le=1.0)
    temperature: float = Field(1.0, gt=0.0, le=2.0)
    speed: float = Field(1.0, ge=0.6, le=1.65)
    repetition_penalty: float = Field(1.35, ge=0.5, le=2.0)
    cut: Literal["cut0", "cut1", "cut2", "cut3", "cut4", "cut5"] = "cut5"
    fragment_pause: float = Field(0.3, ge=0.0, le=2.0)
    batch_size: int = Field(4, ge=1, le=32)
    streaming: Literal[0, 1, 2, 3] = 1
    sample_steps: Literal[4, 8, 16, 32, 64, 128] = 32
    limits: GptSovitsLimits
    timeouts: GptSovitsTimeouts = GptSovitsTimeouts()
    emotions: dict[str, GptSovitsTone]
    deliveries: dict[str, GptSovitsTone]

    @model_validator(mode="after")
    def _complete(self) -> GptSovitsSettings:
        _names(self.emotions, EMOTIONS, "emotions")
        _names(self.deliveries, DELIVERIES, "deliveries")
        for name, tone in self.emotions.items():
            if strange := [other for other in tone.like if other not in EMOTIONS]:
                raise ValueError(f"emotions.{name}.like: there is no emotion {strange[0]!r}")
        return self


class ElevenlabsTone(_Model):
    """What an emotion or a delivery does: added to stability and style, a factor of the speed."""

    stability: Shift = 0.0
    style: Shift = 0.0
    speed: Factor = 1.0


class ElevenlabsLimits(_Model):
    """The speeds that the service takes."""

    speed: Span


class ElevenlabsSettings(_Model):
    """ElevenLabs (elevenlabs.io/docs/api-reference/text-to-speech/convert-with-timestamps).

    Attributes:
        url: of the service, or of what stands in front of it.
        output: raw samples, and how many a second.
        price_per_1000: what a thousand characters cost, in `currency`.
        most_per_run: for one production while the studio runs. most_per_month: in a calendar month, by UTC.
        tries: requests for one line at most. longest_pause: seconds to wait before another; it may ask for more: then
            the line is given up, and says how long it was told to wait.
        timeout: seconds of one request.
    """

    # A key goes with every request: not in the clear, unless it stays on this machine.
    url: str = Field(pattern=r"^(https://[^\s?#@]+|http://(127\.0\.0\.1|localhost)(:\d+)?(/[^\s?#@]*)?)$")
    model: str = Field(min_length=1, max_length=80)
    stability: Share = 0.5
    similarity: Share = 0.75
    style: Share = 0.0
    speaker_boost: bool = True
    output: Literal["pcm_16000", "pcm_22050", "pcm_24000", "pcm_32000", "pcm_44100", "pcm_48000"] = "pcm_24000"
    languages: tuple[Code, ...] = Field(min_length=1)
    price_per_1000: float = Field(ge=0.0, le=1000.0)
    currency: str = Field("USD", pattern=r"^[A-Z]{3}$")
    most_per_run: float = Field(ge=0.0)
    most_per_month: float = Field(ge=0.0)
    tries: int = Field(4, ge=1, le=10)
    longest_pause: Seconds = 30.0
    timeout: Seconds = 90.0
    limits: ElevenlabsLimits
    emotions: dict[str, ElevenlabsTone]
    deliveries: dict[str, ElevenlabsTone]

    @model_validator(mode="after")
    def _complete(self) -> ElevenlabsSettings:
        _names(self.emotions, EMOTIONS, "emotions")
        _names(self.deliveries, DELIVERIES, "deliveries")
        return self

    @property
    def rate(self) -> int:
        """Samples a second of `output`."""
        return int(self.output.removeprefix("pcm_"))


class VoiceEngines(_Model):
    """voice_engines.yaml."""

    gpt_sovits: GptSovitsSettings
    elevenlabs: ElevenlabsSettings


def _names(tones: object, wanted: tuple[str, ...], field: str) -> None:
    if not isinstance(tones, dict) or set(tones) != set(wanted):
        raise ValueError(f"{field} must be exactly: {', '.join(wanted)}")


def load_voice_engines(path: Path = VOICE_ENGINES_YAML) -> VoiceEngines:
    """Read voice_engines.yaml.

    Raises:
        YamlProblem: with file and line.
    """
    return load_yaml_model(path, VoiceEngines)
