"""GPT-SoVITS: a character's voice from a few clean minutes of it, spoken by its own server.

A character has a pair of weights and a recording of 3 to 10 s for each emotion there is one of (`studio voice add`).
An emotion is its recording, a temperature and a speed (configs/voice_engines.yaml). It speaks English, and Chinese,
Japanese, Korean and Cantonese; what it does not speak is refused, and another engine is named.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from configs.settings import Settings
from configs.voice_engines import VOICE_ENGINES_YAML, GptSovitsSettings, load_voice_engines
from configs.yaml_file import YamlProblem
from tools.artifact import canonical_json
from tools.base import Engine, EngineContext
from tools.errors import InvalidInput
from tools.runtime.services.sovits_answer import SovitsTimes
from tools.timeline import estimate_speech_s
from tools.voice.recorded import finish_recorded
from tools.voice.records import GptSovitsVoice, Reference
from tools.voice.shelf import VoiceShelf, digest_of, permitted
from tools.voice.speakable import clean_line, words_of
from tools.voice.tool import SynthesizeSpeech

__all__ = ["MODEL", "GptSovitsSpeech", "SovitsLine", "plan_line"]

MODEL = "gpt_sovits"
"""Its name in models.yaml; the runtime starts and stops the server behind it."""


@dataclass(frozen=True)
class SovitsLine:
    """How a line is spoken.

    Attributes:
        reference: the recording that shows the voice.
        request: what the server is sent.
        held: what was asked for and is more, or less, than it can do.
    """

    reference: Reference
    request: dict[str, Any]
    held: tuple[str, ...]


def plan_line(
    args: SynthesizeSpeech.Input, voice: GptSovitsVoice, settings: GptSovitsSettings, seed: int
) -> SovitsLine:
    """Emotion, delivery and rate as levers of the server.

    Raises:
        InvalidInput: nothing in the text can be said, or not in this language.
    """
    code = settings.languages.get(args.language)
    if code is None:
        raise InvalidInput(
            f"GPT-SoVITS does not speak {args.language!r}, only {', '.join(settings.languages)}",
            where="language",
            hint=f"Take xtts for this line (`studio voice add {args.character} --kind xtts ...`), or elevenlabs, or "
            "espeak.",
        )
    text = clean_line(args.text)
    if not words_of(text):
        raise InvalidInput(f"there is nothing to say in {args.text[:40]!r}: no letters, no digits", where="text")
    reference = _reference(voice, settings, args)
    spoken = settings.languages.get(reference.language)
    if spoken is None:
        raise InvalidInput(f"is in {reference.language!r}, which GPT-SoVITS does not know", where=str(reference.file))
    feeling, delivery = settings.emotions[args.emotion], settings.deliveries[args.delivery]
    temperature = settings.temperature * feeling.temperature * delivery.temperature
    speed = settings.speed * feeling.speed * delivery.speed * args.rate
    levers = {
        "temperature": (temperature, settings.limits.temperature.hold(temperature)),
        "speed": (speed, settings.limits.speed.hold(speed)),
    }
    return SovitsLine(
        reference=reference,
        request={
            "text": text,
            "text_lang": code,
            "ref_audio_path": reference.on_server or str(reference.file),
            "prompt_text": reference.said,
            "prompt_lang": spoken,
            "top_k": settings.top_k,
            "top_p": settings.top_p,
            "temperature": round(levers["temperature"][1], 4),
            "speed_factor": round(levers["speed"][1], 4),
            "text_split_method": settings.cut,
            "batch_size": settings.batch_size,
            "fragment_interval": settings.fragment_pause,
            "repetition_penalty": settings.repetition_penalty,
            "sample_steps": settings.sample_steps,
            # Minus one would be another seed each time.
            "seed": seed % 2**32,
            "media_type": "wav",
            "streaming_mode": settings.streaming,
        },
        held=tuple(
            f"{name} {asked:.2f}, held to {kept:.2f}" for name, (asked, kept) in levers.items() if asked != kept
        ),
    )


def _reference(voice: GptSovitsVoice, settings: GptSovitsSettings, args: SynthesizeSpeech.Input) -> Reference:
    """The emotion's own recording, else that of the first that is like it, else the neutral one."""
    there = {reference.emotion: reference for reference in voice.references}
    for name in (args.emotion, *settings.emotions[args.emotion].like):
        if name in there:
            return there[name]
    return there["neutral"]


class GptSovitsSpeech(Engine[SynthesizeSpeech.Input, SynthesizeSpeech.Output]):
    """`synthesize_speech` by GPT-SoVITS.

    Args:
        home: where the records of voices lie; None asks the settings when a voice is wanted.
        config: voice_engines.yaml.
    """

    tool = SynthesizeSpeech
    name = "gpt_sovits"
    version = "1"

    def __init__(self, home: Path | None = None, config: Path = VOICE_ENGINES_YAML) -> None:
        self._home, self._config = home, config

    def check(self) -> None:
        self._settings()

    def fingerprint(self, args: SynthesizeSpeech.Input) -> str:
        """Of the voice and how it is spoken with; refused where its owner's consent is not there any more."""
        voice = self._voice(args.character)
        permitted(voice)
        line = plan_line(args, voice, self._settings(), 0)
        # Where the recording lies does not matter, and how it is sent does not either.
        levers = {name: value for name, value in line.request.items() if name not in ("ref_audio_path", "batch_size")}
        parts = {"voice": digest_of(voice), "reference": line.reference.sha256, "levers": levers}
        return hashlib.sha256(canonical_json(parts)).hexdigest()

    def run(self, args: SynthesizeSpeech.Input, ctx: EngineContext) -> SynthesizeSpeech.Output:
        """Say the line.

        Raises:
            MissingPrerequisite: the character has no such voice, or nobody's consent for it; or no server runs.
            InvalidInput: a recording or weights were changed or are gone; another language; the server refuses them.
            EngineFailed: the server died, hung or refused; OutOfMemory: its device is full.
            BadOutput: it made no sound, or none that can be this line.
        """
        voice, settings = self._voice(args.character), self._settings()
        use = permitted(voice)
        line = plan_line(args, voice, settings, ctx.seed)
        usual = estimate_speech_s(clean_line(args.text)) / line.request["speed_factor"]

        def beat(seconds: float) -> None:
            ctx.progress(0.05 + 0.7 * min(1.0, seconds / usual), f"{args.character} speaks")

        beat(0.0)
        limits = settings.timeouts
        times = SovitsTimes(limits.weights, limits.first, limits.next, limits.line)
        spoken = ctx.model(MODEL).speak(voice.gpt.file, voice.sovits.file, line.request, beat, times)
        return finish_recorded(
            spoken.samples,
            spoken.rate,
            args,
            ctx,
            voice=f"{self.name}:{args.character}",
            use=use,
            exact_s=args.exact_s or 0.0,
            record={
                "reference": line.reference.file.name,
                "reference_emotion": line.reference.emotion,
                "held": line.held,
            },
            slowest=max(1.0, 1.0 / line.request["speed_factor"]),
        )

    def _settings(self) -> GptSovitsSettings:
        try:
            return load_voice_engines(self._config).gpt_sovits
        except YamlProblem as problem:
            raise InvalidInput(problem.message, where=problem.where) from None

    def _voice(self, character: str) -> GptSovitsVoice:
        voice = VoiceShelf(self._home or Settings().voices_home).needed(character, self.name)
        assert isinstance(voice, GptSovitsVoice)
        return voice
