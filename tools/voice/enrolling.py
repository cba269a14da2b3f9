"""Making the record of a voice from what a person says about it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from tools.artifact import hash_file
from tools.errors import InvalidInput
from tools.storyboard import Emotion
from tools.voice.records import RECORDS, Consent, Reference, VoiceRecord, WeightsFile
from tools.voice.references import hear, unfit
from tools.voice.shelf import hash_reference

__all__ = ["Agreement", "enrol", "read_reference"]

EMOTIONS: tuple[str, ...] = get_args(Emotion)


@dataclass(frozen=True)
class Agreement:
    """What a person says about consent; nothing where all is empty."""

    whose: str = ""
    source: str = ""
    allows: str = ""
    given_by: str = ""
    given_on: date | None = None

    def consent(self, covers: tuple[str, ...]) -> Consent | None:
        """The record, bound to what the voice is made from.

        Raises:
            InvalidInput: a part of it is missing.
        """
        said = {"--whose": self.whose, "--source": self.source, "--allows": self.allows}
        if not any(value.strip() for value in (*said.values(), self.given_by)):
            return None
        missing = [name for name, value in said.items() if not value.strip()]
        if missing:
            raise InvalidInput("a consent says whose voice it is, where it comes from, and what for", where=missing[0])
        if not covers:
            raise InvalidInput("there is nothing here that a consent could be bound to", where="--whose")
        return Consent(
            whose=self.whose.strip(),
            source=self.source.strip(),
            allowed_for=self.allows.strip(),
            given_by=self.given_by.strip(),
            given_on=self.given_on or date.today(),
            covers=covers,
        )


def read_reference(text: str, kind: str, on_server: str = "") -> Reference:
    """A recording as it is named: `EMOTION=FILE:"what is said in it":LANGUAGE`; all but the file may be left out.

    Args:
        kind: of the voice, which says how long it may last.
        on_server: folder where the server has the recordings, where it is another machine.

    Raises:
        InvalidInput: there is no such emotion or file, or it will not do; names it.
    """
    emotion, equals, rest = text.partition("=")
    if not equals or not re.fullmatch(r"[a-z_]+", emotion):
        emotion, rest = "neutral", text
    if emotion not in EMOTIONS:
        raise InvalidInput(
            f"there is no emotion {emotion!r}", where="--reference", hint=f"There are: {', '.join(EMOTIONS)}."
        )
    path, said, language = _parts(rest)
    heard = hear(path)
    wrong = unfit(heard, kind)
    if wrong:
        raise InvalidInput(wrong, where=str(path))
    if kind == "gpt_sovits" and not said:
        raise InvalidInput(
            "what is said in it must be known, word for word",
            where=str(path),
            hint=f"--reference {emotion}={path.name}:'what is said in it':en",
        )
    path = path.resolve()
    return Reference.model_validate(
        {
            "emotion": emotion,
            "file": path,
            "on_server": f"{on_server.rstrip('/')}/{path.name}" if on_server else "",
            "sha256": hash_reference(path),
            "said": said,
            "language": language,
            "seconds": round(heard.seconds, 3),
        }
    )


def _parts(rest: str) -> tuple[Path, str, str]:
    """File, what is said, language: the file is the shortest beginning that is there, for a text may hold colons."""
    pieces = rest.split(":")
    place = next((n for n in range(1, len(pieces) + 1) if Path(":".join(pieces[:n])).expanduser().is_file()), 1)
    path, words = Path(":".join(pieces[:place])).expanduser(), pieces[place:]
    language = "en"
    if len(words) > 1 and re.fullmatch(r"[a-z]{2,4}", words[-1].strip()):
        language = words.pop().strip()
    said = ":".join(words).strip()
    if len(said) > 1 and said[0] == said[-1] and said[0] in "\"'":
        said = said[1:-1].strip()
    return path, said, language


def _weights(name: str, option: str, on_server: str) -> WeightsFile:
    """Weights by their path on the server; where that is here, by their content, too."""
    if not name:
        raise InvalidInput("a voice of GPT-SoVITS has two files of weights", where=option)
    if on_server:
        return WeightsFile(file=name)
    path = Path(name).expanduser().resolve()
    try:
        status = path.stat()
        if not path.is_file() or not status.st_size:
            raise InvalidInput("is empty" if path.is_file() else "is not a file", where=str(path))
        # Its server unpickles it: it is not opened here, only counted.
        return WeightsFile(file=str(path), sha256=hash_file(path), size=status.st_size, changed_ns=status.st_mtime_ns)
    except OSError as error:
        hint = "Where the server is another machine, say with --on-server FOLDER where it has the recordings."
        raise InvalidInput(f"cannot be read: {error.strerror}", where=str(path), hint=hint) from None


def enrol(
    character: str,
    kind: str,
    *,
    references: Sequence[str] = (),
    gpt: str = "",
    sovits: str = "",
    on_server: str = "",
    description: str = "",
    voice_id: str = "",
    stock: bool = False,
    note: str = "",
    agreement: Agreement | None = None,
) -> VoiceRecord:
    """The record of a voice, its recordings listened to; nothing is written.

    Raises:
        InvalidInput: something is missing, is not there, or will not do; names it.
    """
    data: dict[str, Any] = {"character": character, "kind": kind, "note": note}
    if kind == "parler":
        data["description"] = description
    else:
        data["references"] = [read_reference(one, kind, on_server) for one in references]
    if kind == "gpt_sovits":
        data["gpt"] = _weights(gpt, "--gpt", on_server)
        data["sovits"] = _weights(sovits, "--sovits", on_server)
    if kind == "elevenlabs":
        data.update(voice_id=voice_id, stock=stock)
    try:
        voice = RECORDS.validate_python(data)
        consent = (agreement or Agreement()).consent(voice.made_from) if voice.cloned else None
        return RECORDS.validate_python(voice.model_copy(update={"consent": consent}))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if part != kind)
        raise InvalidInput(first["msg"].removeprefix("Value error, "), where=where or kind) from None
