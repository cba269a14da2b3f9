"""A recogniser for worlds without published weights: PocketSphinx, which carries its English model.

It really listens, and hears wrong at times. Set free it takes the young voices of the embedded engine for other words
(0.6 to 0.9 of them), so it listens for the words of the scenario alone, in any order and number: a loop over them, as a
JSGF grammar. What it tells is therefore kinder than a free recogniser would be, and every transcript says so.

    world: {ears: ["We found the old boat.", "Where is my friend?"]}
"""

from __future__ import annotations

import json
import os
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from configs.engines import EngineEntry
from tools.base import Engine, EngineContext
from tools.errors import InvalidInput, MissingPrerequisite
from tools.sound import FloatArray
from tools.transcription.recordings import RATE, read_recording, sound_file_of
from tools.transcription.tool import HeardSegment, HeardWord, Transcribe

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["EARS", "Ears", "check_ears", "ears_entry", "words_of_ears", "write_ears"]

EARS = "ears.json"
LANGUAGE = "en"
LEVEL, FLOOR, EDGE_S = 0.4, 0.002, 0.25
"""Peak that it is brought to, noise that lies under it (in pure digital silence it hears words), silence around it."""
_QUIET = 1e-3


def words_of_ears(texts: Iterable[str]) -> list[str]:
    """The words that it listens for, each once, in order of the alphabet."""
    return sorted({word for text in texts for word in re.findall(r"[a-z]+(?:'[a-z]+)?", text.lower())})


def write_ears(folder: Path, texts: Iterable[str]) -> None:
    """Put down the words, where the worker finds them."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / EARS).write_text(json.dumps(words_of_ears(texts)), encoding="utf-8")


def ears_entry() -> EngineEntry:
    """Its entry, as engines.yaml would have it."""
    return EngineEntry(
        engine="evals.world.ears:Ears", about="PocketSphinx, among the words of a scenario; English", device="cpu",
        licence="MIT (PocketSphinx and its model BSD-2-Clause)", libraries=("pocketsphinx", "numpy"),
    )  # fmt: skip


def check_ears() -> None:
    """See that the recogniser is installed.

    Raises:
        MissingPrerequisite: it is not.
    """
    try:
        version("pocketsphinx")
    except PackageNotFoundError as error:
        command = 'pip install "animation-studio[eval]"'
        raise MissingPrerequisite("the ears of a scenario need pocketsphinx", command=command) from error


class Ears(Engine[Transcribe.Input, Transcribe.Output]):
    """PocketSphinx over a loop of words."""

    tool: ClassVar = Transcribe
    name: ClassVar[str] = "ears"
    version: ClassVar[str] = "1"

    def __init__(self) -> None:
        self._decoder: Any = None
        self._unknown: list[str] = []

    def fingerprint(self, args: Transcribe.Input) -> str:  # noqa: ARG002
        return " ".join(_listens_for())

    def run(self, args: Transcribe.Input, ctx: EngineContext) -> Transcribe.Output:
        """Write down what is said.

        Raises:
            InvalidInput: the recording cannot be read, or is not in English.
        """
        if args.language not in ("", LANGUAGE):
            raise InvalidInput(f"it hears English, not {args.language!r}", where="language")
        path = sound_file_of(ctx.open(args.audio)) if args.audio is not None else Path(args.file)
        sound = read_recording(path)
        words = self._heard(sound)
        text = " ".join(word.text for word in words)
        (ctx.out / "transcript.txt").write_text(f"{text}\n" if text else "", encoding="utf-8")
        duration = round(len(sound) / RATE, 4)
        segments = [HeardSegment(text=text, start=words[0].start, end=words[-1].end, words=words)] if words else []
        silent = float(np.max(np.abs(sound))) < _QUIET
        note = "" if words else "the recording is silent" if silent else "nothing in it could be understood"
        notes = [f"heard among {len(_listens_for()) - len(self._unknown)} words of the scenario, by PocketSphinx"]
        if self._unknown:
            notes.append(f"its dictionary lacks {', '.join(self._unknown)}")
        return Transcribe.Output(
            file="transcript.txt", text=text, language=LANGUAGE, language_probability=1.0, duration_s=duration,
            segments=segments, key=args.audio.key if args.audio else "", note=note, notes=notes,
        )  # fmt: skip

    def _heard(self, sound: FloatArray) -> list[HeardWord]:
        decoder = self._opened()
        edge = np.zeros(int(EDGE_S * RATE), dtype=np.float32)
        peak = max(float(np.max(np.abs(sound))), _QUIET)
        level = LEVEL / peak if peak > _QUIET else 1.0
        noise = np.random.default_rng(0).normal(0.0, FLOOR, len(sound) + 2 * len(edge))
        samples = np.concatenate([edge, sound * level, edge]) + noise
        decoder.start_utt()
        decoder.process_raw((np.clip(samples, -1.0, 1.0) * 32767).astype("<i2").tobytes(), full_utt=True)
        decoder.end_utt()
        duration = len(sound) / RATE
        heard = []
        for one in decoder.seg() or ():
            if one.word.startswith(("<", "[", "+")) or one.word == "(NULL)":
                continue
            start, end = (min(duration, max(0.0, frame / 100 - EDGE_S)) for frame in (one.start_frame, one.end_frame))
            word = re.sub(r"\(\d+\)$", "", one.word)
            heard.append(HeardWord(text=word, start=round(start, 3), end=round(max(start, end), 3), probability=1.0))
        return heard

    def _opened(self) -> Any:
        if self._decoder is None:
            from pocketsphinx import Decoder

            decoder = Decoder(loglevel="FATAL", samprate=float(RATE), lm=None)
            words = _listens_for()
            self._unknown = [word for word in words if decoder.lookup_word(word) is None]
            known = [word for word in words if word not in self._unknown]
            if not known:
                raise InvalidInput("its dictionary has none of the words that it is to listen for", where="world.ears")
            decoder.add_jsgf_string("loop", f"#JSGF V1.0;\ngrammar g;\npublic <line> = ( {' | '.join(known)} )+ ;\n")
            decoder.activate_search("loop")
            self._decoder = decoder
        return self._decoder


def _listens_for() -> list[str]:
    from evals.world.engines import WORLD_VARIABLE

    found: list[str] = json.loads((Path(os.environ[WORLD_VARIABLE]) / EARS).read_text(encoding="utf-8"))
    return found
