"""Small readers of SubRip and WebVTT, written from their descriptions and sharing no code with the writer."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Parsed:
    start_ms: int
    end_ms: int
    lines: list[str]
    speaker: str = ""


def _ms(clock: str, mark: str) -> int:
    match = re.fullmatch(rf"(\d\d):([0-5]\d):([0-5]\d){re.escape(mark)}(\d\d\d)", clock)
    assert match, clock
    hours, minutes, seconds, rest = (int(part) for part in match.groups())
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + rest


def _times(line: str, mark: str) -> tuple[int, int]:
    start, arrow, end = line.partition(" --> ")
    assert arrow, line
    return _ms(start, mark), _ms(end, mark)


def parse_srt(text: str) -> list[Parsed]:
    cues = []
    for number, block in enumerate(block for block in text.split("\n\n") if block.strip()):
        lines = block.strip("\n").split("\n")
        assert lines[0] == str(number + 1)
        start, end = _times(lines[1], ",")
        assert len(lines) > 2, "a cue without text"
        assert not any("-->" in line or re.search(r"<[a-zA-Z/]|\{\\", line) for line in lines[2:])
        cues.append(Parsed(start, end, lines[2:]))
    return cues


def parse_vtt(text: str) -> list[Parsed]:
    head, _, rest = text.partition("\n")
    assert head == "WEBVTT"
    cues = []
    for number, block in enumerate(block for block in rest.split("\n\n") if block.strip()):
        lines = block.strip("\n").split("\n")
        assert lines[0] == str(number + 1)
        start, end = _times(lines[1], ".")
        body = "\n".join(lines[2:])
        voice = re.match(r"<v ([^>]*)>", body)
        body = body[voice.end() :] if voice else body
        assert "<" not in body
        assert ">" not in body
        assert not re.search(r"&(?!amp;|lt;|gt;)", body), body
        speaker = html.unescape(voice.group(1)) if voice else ""
        cues.append(Parsed(start, end, html.unescape(body).split("\n"), speaker))
    return cues
