"""The embedded voice: espeak-ng, a fresh process for each line, coloured until one likes to listen to it.

Works with no weights and no network. One voice per character (configs/voices.yaml and tools/voice/voices), emotions
as prosody, word times and mouth shapes from the synthesiser's own events.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from configs.voices import VOICES_PATH, EspeakVoice, Prosody, VoiceBook, load_voices
from configs.yaml_file import YamlProblem
from tools.artifact import canonical_json
from tools.base import Engine, EngineContext
from tools.errors import BadOutput, EngineCrashed, EngineFailed, EngineHung, InvalidInput, MissingPrerequisite
from tools.sound import SAMPLE_RATE, FloatArray, resample, write_wav
from tools.timeline import MouthCue, SpokenWord
from tools.voice.casting import cast_voice
from tools.voice.colour import Colour, colour
from tools.voice.mouth import mouth_cues
from tools.voice.postprocess import finish_clip, pad_to
from tools.voice.speakable import clean_line, spoken_form, time_words, words_of
from tools.voice.timbre import TIMBRES_PATH, voice_file
from tools.voice.tool import SynthesizeSpeech

__all__ = ["EspeakSpeech", "Recording", "record_line"]

PROCESS = Path(__file__).with_name("espeak_process.py")
TIMEOUT_S = 30.0
INSTALL = f"{sys.executable} -m pip install 'espeakng-loader>=0.2.4,<0.3'"
ROOM = 0.55
"""How much of a small room lies around the embedded voice, which has none of its own."""


@dataclass(frozen=True)
class Recording:
    """What the process returned, times in seconds; `sounds` are (start, end, IPA), IPA empty for a pause."""

    samples: FloatArray
    rate: int
    words: list[tuple[int, float]]
    sounds: list[tuple[float, float, str]]


class EspeakSpeech(Engine[SynthesizeSpeech.Input, SynthesizeSpeech.Output]):
    """`synthesize_speech` by espeak-ng."""

    tool = SynthesizeSpeech
    name = "espeak"
    version = "1"
    languages: ClassVar[tuple[str, ...]] = ("en", "it", "de", "es", "fr")

    def __init__(self, voices: Path = VOICES_PATH) -> None:
        self._voices_path = voices
        self._book: VoiceBook | None = None

    def check(self) -> None:
        _library()

    def load(self) -> None:
        self._book = self._read_book()

    def unload(self) -> None:
        self._book = None

    def fingerprint(self, args: SynthesizeSpeech.Input) -> str:
        """Covers only what this line depends on: another character's voice may change without it being made again."""
        book = self._read_book()
        cast = cast_voice(book, args.character, args.look)
        library, _ = _library()
        parts = {
            "voice": cast.voice.model_dump(mode="json"),
            "timbre": (TIMBRES_PATH / f"{cast.voice.timbre}.voice").read_text(encoding="utf-8"),
            "prosody": _prosody(book, args).model_dump(mode="json"),
            "said_as": book.said_as.get(args.language, {}),
            "library": hashlib.sha256(library.read_bytes()).hexdigest(),
        }
        return hashlib.sha256(canonical_json(parts)).hexdigest()

    def run(self, args: SynthesizeSpeech.Input, ctx: EngineContext) -> SynthesizeSpeech.Output:
        """Say the line.

        Raises:
            InvalidInput: nothing in the text can be said, or voices.yaml is wrong.
            MissingPrerequisite: espeak-ng is not installed.
            EngineFailed: its process died, hung or refused; BadOutput: it made no sound.
        """
        book = self._book or self._read_book()
        words = words_of(clean_line(args.text))
        if not words:
            raise InvalidInput(f"there is nothing to say in {args.text[:40]!r}: no letters, no digits", where="text")
        cast = cast_voice(book, args.character, args.look)
        prosody = _prosody(book, args)
        form = spoken_form(words, book.said_as.get(args.language, {}))
        ctx.progress(0.05, f"{cast.label} speaks")
        recording = record_line(form.text, cast.voice, prosody, args.language, args.rate)
        ctx.progress(0.6, "colouring the voice")

        sound = resample(recording.samples, recording.rate, SAMPLE_RATE)
        sound = colour(sound, SAMPLE_RATE, _colour_of(cast.voice, prosody), ctx.seed)
        clip = pad_to(finish_clip(sound, SAMPLE_RATE, room=ROOM), args.exact_s, self.name)
        starts = [
            (form.word_of[position - 1], at) for position, at in recording.words if 0 < position <= len(form.word_of)
        ]
        spoken = [(start, end) for start, end, ipa in recording.sounds if ipa]
        if not spoken:
            raise BadOutput(f"espeak-ng has no sounds for {args.text[:40]!r} in {args.language!r}.")
        timed = time_words(words, starts, spoken)
        write_wav(ctx.out / "speech.wav", clip.samples)
        ctx.progress(1.0, "said")
        return SynthesizeSpeech.Output(
            file="speech.wav",
            character=args.character,
            text=args.text,
            sample_rate=SAMPLE_RATE,
            duration_s=clip.duration_s,
            speech_start=clip.speech_start,
            speech_end=clip.speech_end,
            words=_shift_words(timed, clip.shift, clip.speech_start, clip.speech_end),
            mouth=_shift_cues(mouth_cues(recording.sounds), clip.shift, clip.speech_start, clip.speech_end),
            lufs=round(clip.lufs, 2),
            peak_db=round(clip.peak_db, 2),
            voice=f"espeak:{cast.label}",
        )

    def _read_book(self) -> VoiceBook:
        try:
            return load_voices(self._voices_path)
        except YamlProblem as problem:
            raise InvalidInput(problem.message, where=problem.where) from problem


def _library() -> tuple[Path, Path]:
    """Paths of espeak-ng's shared library and of its data, without loading it.

    Raises:
        MissingPrerequisite: espeakng-loader is not installed, or was installed without its library.
    """
    found = importlib.util.find_spec("espeakng_loader")
    if found is None or found.origin is None:
        raise MissingPrerequisite("espeak-ng (package espeakng-loader) is not installed.", command=INSTALL)
    folder = Path(found.origin).parent
    name = {"win32": "espeak-ng.dll", "darwin": "libespeak-ng.dylib"}.get(sys.platform, "libespeak-ng.so")
    names = [folder / name, folder / f"lib{name}"]
    data = folder / "espeak-ng-data"
    for library in names:
        if library.is_file() and data.is_dir():
            return library, data
    raise MissingPrerequisite(f"{folder} holds no espeak-ng library.", command=f"{INSTALL} --force-reinstall")


def _prosody(book: VoiceBook, args: SynthesizeSpeech.Input) -> Prosody:
    """Emotion and delivery together: factors multiply, additions add, the breathier of the two wins."""
    feeling, delivery = book.emotions[args.emotion], book.deliveries[args.delivery]
    return Prosody(
        pitch=max(-12.0, min(12.0, feeling.pitch + delivery.pitch)),
        range=max(0.1, min(3.0, feeling.range * delivery.range)),
        rate=max(0.5, min(1.8, feeling.rate * delivery.rate)),
        effort=max(-12.0, min(12.0, feeling.effort + delivery.effort)),
        breath=max(feeling.breath, delivery.breath),
        tremor=min(30.0, feeling.tremor + delivery.tremor),
        roughness=min(8.0, feeling.roughness + delivery.roughness),
    )


def _colour_of(voice: EspeakVoice, prosody: Prosody) -> Colour:
    return Colour(
        warmth=voice.warmth,
        presence=voice.presence,
        air=voice.air,
        effort=prosody.effort,
        breath=prosody.breath,
        effect=voice.effect,
    )


def record_line(text: str, voice: EspeakVoice, prosody: Prosody, language: str, rate: float = 1.0) -> Recording:
    """Have the process say it, slowed and lowered by `formants`, and play it back that much faster.

    That moves every resonance, those of the consonants too, as another size of head does; espeak's own formant
    settings move only the vowels'.

    Args:
        text: as `spoken_form` gives it; the positions of the words count its characters from 1.
        language: one of `EspeakSpeech.languages`.
        rate: times the voice's own.

    Raises:
        MissingPrerequisite: espeak-ng is not installed.
        EngineFailed: its process died, hung or refused; BadOutput: it made no sound.
    """
    library, data = _library()
    # Multiples of 50 Hz keep the ratio to 48,000 Hz small.
    scale = round(22_050 * voice.formants / 50) * 50 / 22_050
    request = {
        "library": str(library),
        "data": str(data),
        "voice": voice_file(data, voice, prosody, language, scale),
        "text": text,
        "rate_wpm": voice.rate * prosody.rate * rate / scale,
    }
    answer = _ask(request)
    hertz = round(answer["rate"] * scale)
    samples = np.frombuffer(base64.b64decode(answer["pcm"]), dtype="<i2").astype(np.float32) / np.float32(32768.0)
    if not len(samples):
        raise BadOutput(f"espeak-ng made no sound of {text[:40]!r}.")
    ends = [*(sample for sample, _ in answer["phonemes"][1:]), len(samples)]
    return Recording(
        samples=samples,
        rate=hertz,
        words=[(position, sample / hertz) for position, sample in answer["words"]],
        sounds=[
            (sample / hertz, max(sample, end) / hertz, ipa)
            for (sample, ipa), end in zip(answer["phonemes"], ends, strict=True)
        ],
    )


def _ask(request: dict[str, Any]) -> dict[str, Any]:
    # Isolated (-I) and without site-packages (-S): nothing from the environment reaches it, and it starts in 15 ms.
    command = [sys.executable, "-I", "-S", str(PROCESS)]
    try:
        done = subprocess.run(command, input=json.dumps(request).encode(), capture_output=True, timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise EngineHung(f"espeak-ng did not finish a line within {TIMEOUT_S:.0f} s.") from error
    except OSError as error:
        raise EngineCrashed(f"the process of espeak-ng does not start: {error.strerror or error}.") from error
    if done.returncode != 0:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or [""]
        raise EngineCrashed(f"espeak-ng ended with code {done.returncode}. {last[0][:200]}".strip())
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError as error:
        raise EngineFailed("the process of espeak-ng answered with no JSON.") from error
    if "error" in answer:
        raise EngineFailed(f"{answer['error']}.")
    return answer


def _shift_words(words: list[SpokenWord], shift: float, low: float, high: float) -> list[SpokenWord]:
    def moved(at: float) -> float:
        return round(min(high, max(low, at + shift)), 4)

    return [SpokenWord(text=word.text, start=moved(word.start), end=moved(word.end)) for word in words]


def _shift_cues(cues: list[MouthCue], shift: float, low: float, high: float) -> list[MouthCue]:
    """Cues in the clip's time, still rising after they are held inside the speech."""
    moved: list[MouthCue] = []
    for cue in cues:
        at = round(min(high, max(low, cue.start + shift)), 4)
        if moved and at <= moved[-1].start:
            moved.pop()
        if not moved or moved[-1].shape != cue.shape:
            moved.append(MouthCue(start=at, shape=cue.shape))
    return moved
