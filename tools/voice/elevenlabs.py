"""ElevenLabs: voices of an account there, for money.

What a line costs is known before it is sent (`tools.voice.spending.cost_of`), and held to a limit. Word times are those
of the service. The key is read from ELEVENLABS_API_KEY, which only this engine's worker sees, and is nowhere told. The
service does its best to say the same again for the same seed, and does not promise it.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from configs.settings import Settings
from configs.voice_engines import VOICE_ENGINES_YAML, ElevenlabsSettings, load_voice_engines
from configs.yaml_file import YamlProblem
from tools.artifact import canonical_json
from tools.base import Engine, EngineContext
from tools.errors import InvalidInput, MissingPrerequisite
from tools.models.libraries import require_libraries
from tools.voice.elevenlabs_api import ElevenlabsApi
from tools.voice.elevenlabs_line import LineRequest
from tools.voice.recorded import finish_recorded
from tools.voice.records import ElevenlabsVoice
from tools.voice.shelf import VoiceShelf, digest_of, permitted
from tools.voice.speakable import clean_line, words_of
from tools.voice.spending import Ledger, cost_of
from tools.voice.tool import SynthesizeSpeech

__all__ = ["KEY", "LEDGER_NAME", "ElevenlabsSpeech", "plan_request"]

KEY = "ELEVENLABS_API_KEY"
LEDGER_NAME = "elevenlabs.spent.json"
INSTALL = f"{sys.executable} -m pip install 'elevenlabs>=2.78,<3'"


@dataclass(frozen=True)
class _Plan:
    request: LineRequest
    held: tuple[str, ...]


def plan_request(
    args: SynthesizeSpeech.Input, voice: ElevenlabsVoice, settings: ElevenlabsSettings, seed: int
) -> _Plan:
    """Emotion, delivery and rate as what the service takes.

    Raises:
        InvalidInput: nothing in the text can be said, or not in this language.
    """
    if args.language not in settings.languages:
        raise InvalidInput(f"ElevenLabs is not set up for {args.language!r}", where="language")
    text = clean_line(args.text)
    if not words_of(text):
        raise InvalidInput(f"there is nothing to say in {args.text[:40]!r}: no letters, no digits", where="text")
    feeling, delivery = settings.emotions[args.emotion], settings.deliveries[args.delivery]
    stability = settings.stability if voice.stability is None else voice.stability
    style = settings.style if voice.style is None else voice.style
    speed = feeling.speed * delivery.speed * args.rate
    held = settings.limits.speed.hold(speed)
    request = LineRequest(
        voice_id=voice.voice_id,
        text=text,
        model=settings.model,
        output=settings.output,
        stability=round(min(1.0, max(0.0, stability + feeling.stability + delivery.stability)), 4),
        similarity=settings.similarity if voice.similarity is None else voice.similarity,
        style=round(min(1.0, max(0.0, style + feeling.style + delivery.style)), 4),
        speaker_boost=settings.speaker_boost,
        speed=round(held, 4),
        seed=seed % 2**32,
    )
    return _Plan(request, (f"speed {speed:.2f}, held to {held:.2f}",) if held != speed else ())


class ElevenlabsSpeech(Engine[SynthesizeSpeech.Input, SynthesizeSpeech.Output]):
    """`synthesize_speech` by ElevenLabs.

    Args:
        home: where the records of voices lie, and what was spent; None asks the settings when it is wanted.
        config: voice_engines.yaml.
        environment: where the key is.
    """

    tool = SynthesizeSpeech
    name = "elevenlabs"
    version = "1"

    def __init__(
        self,
        home: Path | None = None,
        config: Path = VOICE_ENGINES_YAML,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._home, self._config = home, config
        self._environment = os.environ if environment is None else environment

    def check(self) -> None:
        self._settings()
        if not self._environment.get(KEY):
            raise MissingPrerequisite(f"{KEY} is not set.", command=f"export {KEY}=...")
        require_libraries("voices of ElevenLabs need the library", ["elevenlabs"], INSTALL)

    def fingerprint(self, args: SynthesizeSpeech.Input) -> str:
        """Of the voice and how it is spoken with; refused where its owner's consent is not there any more."""
        voice, settings = self._voice(args.character), self._settings()
        permitted(voice)
        request = plan_request(args, voice, settings, 0).request
        parts = {"voice": digest_of(voice), "request": request.levers()}
        return hashlib.sha256(canonical_json(parts)).hexdigest()

    def run(self, args: SynthesizeSpeech.Input, ctx: EngineContext) -> SynthesizeSpeech.Output:
        """Say the line.

        Raises:
            MissingPrerequisite: no voice, no consent, no key, or one that is not accepted.
            InvalidInput: it would cost more than it may; a recording was changed; the service refuses the request.
            EngineHung, EngineFailed: the service did not answer, or was too busy.
            BadOutput: it answered with nothing usable.
        """
        voice, settings = self._voice(args.character), self._settings()
        use = permitted(voice)
        self.check()
        plan = plan_request(args, voice, settings, ctx.seed)
        api = ElevenlabsApi(settings, self._environment[KEY])
        ledger = Ledger(self._voices_home() / LEDGER_NAME)
        # One opening of a production by one studio has a working folder of its own.
        run = hashlib.sha256(str(ctx.out.parent.absolute()).encode()).hexdigest()[:16]
        cost = cost_of(args.text, settings)
        ctx.progress(0.02, f"{args.character} speaks, for {cost}")
        with ledger.spend(run, cost, settings) as spent:
            answer = api.say(plan.request, spent, lambda text: ctx.progress(0.05, text or f"{args.character} speaks"))
        charged = spent.charged or cost
        words = answer.words(words_of(plan.request.text))
        return finish_recorded(
            answer.samples,
            answer.rate,
            args,
            ctx,
            voice=f"{self.name}:{voice.voice_id}",
            use=use,
            exact_s=args.exact_s or 0.0,
            words=words,
            record={
                "characters": charged.characters,
                "cost": f"{charged.amount} {charged.currency}",
                "timed": "by the service" if words else "by listening",
                "held": plan.held,
            },
            slowest=max(1.0, 1.0 / plan.request.speed),
        )

    def _settings(self) -> ElevenlabsSettings:
        try:
            return load_voice_engines(self._config).elevenlabs
        except YamlProblem as problem:
            raise InvalidInput(problem.message, where=problem.where) from None

    def _voices_home(self) -> Path:
        return self._home or Settings().voices_home

    def _voice(self, character: str) -> ElevenlabsVoice:
        voice = VoiceShelf(self._voices_home()).needed(character, self.name)
        assert isinstance(voice, ElevenlabsVoice)
        return voice
