"""One line through espeak-ng, in a process of its own. Standard library only; run as a program.

Why a process: espeak-ng carries state from one line to the next (the same line said twice differs), a crash in it
must not take the studio down, and its licence (GPL-3) stays on its side of a process boundary.

JSON on stdin: `library`, `data` (paths), `voice` (text of a voice file), `text`, `rate_wpm`.
JSON on stdout: `rate` (Hz), `pcm` (base64, 16-bit mono), `words` [[position, sample]] (1-based character of the text)
and `phonemes` [[sample, ipa]]; or `error`.
"""

from __future__ import annotations

import base64
import ctypes
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

# From espeak-ng's speak_lib.h.
AUDIO_OUTPUT_SYNCHRONOUS = 2
INITIALIZE_PHONEME_EVENTS, INITIALIZE_PHONEME_IPA, INITIALIZE_DONT_EXIT = 0x1, 0x2, 0x8000
CHARS_UTF8, PHONEME_INPUT = 1, 0x100
POS_CHARACTER = 1
PARAMETER_RATE, PARAMETER_VOLUME = 1, 2
EVENT_END_OF_LIST, EVENT_WORD, EVENT_PHONEME = 0, 1, 7
RATE_LOW, RATE_HIGH = 80, 450
VOLUME = 45
DATA_PATH_LIMIT = 120
"""espeak-ng keeps its data path in a buffer of 160 bytes and appends file names to it."""


class Event(ctypes.Structure):
    """`espeak_EVENT`; `id` is a union, of which the phoneme's name (8 bytes) is what we read."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_ubyte * 8),
    )


CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(Event))


def speak(request: dict[str, Any]) -> dict[str, Any]:
    """Say one line; see the module docstring for the fields.

    Raises:
        OSError: the library cannot be loaded, or the voice file cannot be written.
        RuntimeError: espeak-ng refuses its data, the voice or the text.
    """
    library = ctypes.CDLL(request["library"])
    with tempfile.TemporaryDirectory(prefix="voice-") as folder:
        # espeak-ng lower-cases the name of a voice file and cuts it at 60 bytes: a short name in the working folder
        # is the only one that is safe wherever the studio is installed.
        here = Path.cwd()
        os.chdir(folder)
        try:
            return _speak_here(library, request)
        finally:
            os.chdir(here)


def _speak_here(library: ctypes.CDLL, request: dict[str, Any]) -> dict[str, Any]:
    data = request["data"]
    if len(os.fsencode(data)) > DATA_PATH_LIMIT:
        Path("data").symlink_to(data, target_is_directory=True)
        data = "data"
    Path("voice").write_text(request["voice"], encoding="utf-8")
    options = INITIALIZE_PHONEME_EVENTS | INITIALIZE_PHONEME_IPA | INITIALIZE_DONT_EXIT
    rate = library.espeak_Initialize(AUDIO_OUTPUT_SYNCHRONOUS, 0, os.fsencode(data), options)
    if rate <= 0:
        raise RuntimeError(f"espeak-ng cannot read its data in {request['data']}")
    if library.espeak_SetVoiceByFile(b"voice") != 0:
        raise RuntimeError("espeak-ng refuses the voice file")
    # At its own 100 the loud vowels clip inside the synthesiser; loudness is set afterwards anyway.
    library.espeak_SetParameter(PARAMETER_VOLUME, VOLUME, 0)
    library.espeak_SetParameter(PARAMETER_RATE, max(RATE_LOW, min(RATE_HIGH, round(request["rate_wpm"]))), 0)

    pcm = bytearray()
    words: list[tuple[int, int]] = []
    phonemes: list[tuple[int, str]] = []

    def collect(samples: Any, count: int, events: Any) -> int:
        if count > 0 and samples:
            pcm.extend(ctypes.string_at(samples, count * 2))
        index = 0
        while events[index].type != EVENT_END_OF_LIST:
            event = events[index]
            if event.type == EVENT_WORD:
                words.append((event.text_position, event.sample))
            elif event.type == EVENT_PHONEME:
                name = bytes(event.id).split(b"\0")[0].decode("utf-8", "ignore")
                phonemes.append((event.sample, name))
            index += 1
        return 0

    callback = CALLBACK(collect)
    library.espeak_SetSynthCallback(callback)
    text = request["text"].encode("utf-8") + b"\0"
    status = library.espeak_Synth(
        text, ctypes.c_size_t(len(text)), 0, POS_CHARACTER, 0, CHARS_UTF8 | PHONEME_INPUT, None, None
    )
    if status != 0:
        raise RuntimeError(f"espeak-ng refuses the text (status {status})")
    library.espeak_Synchronize()
    return {"rate": rate, "pcm": base64.b64encode(pcm).decode(), "words": words, "phonemes": phonemes}


def main() -> None:
    try:
        answer = speak(json.load(sys.stdin))
    except (OSError, RuntimeError) as error:
        answer = {"error": str(error)}
    json.dump(answer, sys.stdout)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
