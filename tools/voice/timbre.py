"""Writes the voice file that espeak-ng reads: a language, a timbre, and what the moment does to it.

A timbre is a file in tools/voice/voices in espeak-ng's own voice format (one attribute a line, `//` comments), so
that who knows the format can shape a voice by it. Pitch and language are not in it: they come from voices.yaml and
from the line.
"""

from __future__ import annotations

from pathlib import Path

from configs.own import own_file
from configs.voices import VOICES_PATH, EspeakVoice, Prosody, own_voices
from configs.yaml_file import line_of, parse_yaml
from tools.errors import InvalidInput

__all__ = ["TIMBRES_PATH", "check_own_timbres", "voice_file"]

TIMBRES_PATH = Path(__file__).with_name("voices")
_LANGUAGES = {
    "en": "gmw/en", "en-us": "gmw/en-US", "it": "roa/it", "de": "gmw/de",
    "es": "roa/es", "es-419": "roa/es-419", "fr": "roa/fr", "fr-be": "roa/fr-BE",
}  # fmt: skip
_ALLOWED = frozenset((
    "formant", "flutter", "roughness", "voicing", "breath", "breathw", "consonants", "tone", "klatt", "intonation",
    "echo", "stressLength", "stressAdd", "stressAmp", "clarity",
))  # fmt: skip
_WHISPER_BREATH = (75, 70, 38, 18, 7, 3)
_WHISPER_WIDTH = (150, 150, 200, 200, 400, 400)


def check_own_timbres() -> list[str]:
    """See that the voices of a folder of one's own have a timbre that there is; returns their names.

    Raises:
        InvalidInput: one has none; names file and line.
        YamlProblem: their file breaks the schema.
    """
    own = own_voices()
    there = sorted(path.stem for path in TIMBRES_PATH.glob("*.voice"))
    for name, voice in own.items():
        path = own_file(VOICES_PATH.name)
        if voice.timbre not in there and path is not None:
            _, node = parse_yaml(path.read_text(encoding="utf-8-sig"), str(path))
            line = line_of(node, ("voices", name, "timbre"))
            told = f"{name}: there is no timbre {voice.timbre!r}; there are {', '.join(there)}"
            raise InvalidInput(told, where=f"{path}:{line}")
    return list(own)


def _read_timbre(name: str) -> dict[str, str]:
    """Attributes by name (`formant 3` with its number); the last one of a name counts."""
    path = TIMBRES_PATH / f"{name}.voice"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", where=str(path)) from error
    attributes: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        words = line.split("//")[0].split()
        if not words:
            continue
        key, values = words[0], words[1:]
        if key not in _ALLOWED:
            raise InvalidInput(f"a timbre has no attribute {key!r}", where=f"{path}:{number}")
        if not values or not all(value.lstrip("-").isdigit() for value in values):
            raise InvalidInput(f"{key!r} takes whole numbers", where=f"{path}:{number}")
        if key == "formant":
            key, values = f"formant {values[0]}", values[1:]
        attributes[key] = " ".join(values)
    return attributes


def _breathy(attributes: dict[str, str], breath: float) -> None:
    """Take voice out and put breath in; 1 is a whisper."""
    if breath <= 0:
        return
    voicing = float(attributes.get("voicing", "100"))
    # A klatt source has no breath formants: it is left to the ordinary one when there is little voice left.
    if breath > 0.6:
        attributes.pop("klatt", None)
        first = attributes.get("formant 0", "100 100 100").split()
        attributes["formant 0"] = " ".join([first[0], "0", *first[2:]])
    attributes["voicing"] = str(max(12, round(voicing * (1 - 0.88 * breath))))
    attributes["breath"] = " ".join(str(round(value * breath)) for value in _WHISPER_BREATH)
    attributes["breathw"] = " ".join(str(value) for value in _WHISPER_WIDTH)


def voice_file(data: Path, voice: EspeakVoice, prosody: Prosody, language: str, scale: float) -> str:
    """The text of a voice file for one line.

    Args:
        data: espeak-ng's data folder, whose own language file is the base.
        voice: the character's voice; prosody: what emotion and delivery do to it.
        language: of the line.
        scale: the sound will be played back this many times faster: pitch is written that much lower.

    Raises:
        InvalidInput: the timbre is missing or wrong; names file and line.
    """
    accent = next((accent for key, accent in voice.accent.items() if key == language), language)
    base = (data / "lang" / _LANGUAGES[accent]).read_text(encoding="utf-8")
    attributes = _read_timbre(voice.timbre)
    _breathy(attributes, prosody.breath)
    attributes["flutter"] = str(min(60, round(int(attributes.get("flutter", "2")) + prosody.tremor)))
    attributes["roughness"] = str(min(7, round(int(attributes.get("roughness", "2")) + prosody.roughness)))
    # espeak's `pitch LOW HIGH` is the span of its melody; a plain line of range 1 spans a fifth and a bit, and its
    # median lies above the middle of the span, the more the wider it is (measured over 23 voices).
    wide = voice.range * prosody.range
    half = 0.19 * wide
    middle = voice.pitch * 2 ** (prosody.pitch / 12) / (scale * (1.0 + 0.062 * wide))
    low, high = max(30, round(middle * (1 - half))), round(middle * (1 + half))
    lines = [f"{key} {value}" for key, value in attributes.items()]
    return f"{base}\n" + "\n".join([*lines, f"pitch {low} {max(high, low + 2)}"]) + "\n"
