from __future__ import annotations

import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tools.listening import Shelf
from tests.tools.transcription.parsing import parse_srt, parse_vtt
from tools.base import ArtifactRef
from tools.errors import BadOutput
from tools.timeline import film_starts, shot_timeline
from tools.transcription.grouping import TimedText, break_lines, group_words
from tools.transcription.markup import clean
from tools.transcription.subtitles import Subtitles
from tools.voice.espeak import EspeakSpeech


class Desk(Shelf):
    def clip(
        self, name: str, text: str, *, pace: float = 0.36, character: str = "luca", times: list[float] | None = None
    ) -> ArtifactRef:
        """A spoken clip on paper: each word takes `pace` seconds, or its own of `times`."""
        words, at = [], 0.5
        for number, word in enumerate(text.split()):
            length = times[number % len(times)] if times else pace
            words.append({"text": word, "start": at, "end": at + length * 0.9})
            at += length
        (self.root / name).mkdir(exist_ok=True)
        end = words[-1]["end"] if words else 0.6
        return self.put(name, {
            "file": "speech.wav", "character": character, "text": text, "sample_rate": 48_000, "duration_s": end + 1.0,
            "speech_start": 0.5, "speech_end": end, "words": words, "mouth": [], "lufs": -16.0, "peak_db": -1.0,
            "voice": "paper",
        })  # fmt: skip

    def subtitles(self, shots: list[dict[str, Any]], **args: Any) -> tuple[Any, str, str]:
        output, _ = self.make(Subtitles(), "subs", fps=args.pop("fps", 24), shots=shots, **args)
        folder = self.root / "subs"
        return output, (folder / output.srt).read_text("utf-8"), (folder / output.vtt).read_text("utf-8")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


LONG = (
    "We can do this! I know it, and you know it too; all we need is a little more wind, and the courage to jump. "
    "After that, nobody in the whole of the harbour will ever call us afraid again."
)


def test_subtitles_come_back_as_they_were_written(desk: Desk) -> None:
    shots = [
        {"duration_s": 3.0},
        {"duration_s": 4.0, "speech": [desk.clip("a", LONG), desk.clip("b", "Silenzio, Bruno!", character="giulia")]},
    ]
    output, srt, vtt = desk.subtitles(shots)
    parsed = parse_srt(srt)
    assert [(c.start_ms, c.end_ms, "\n".join(c.lines)) for c in parsed] == [
        (round(cue.start * 1000), round(cue.end * 1000), cue.text) for cue in output.cues
    ]
    assert [(c.start_ms, c.lines) for c in parse_vtt(vtt)] == [(c.start_ms, c.lines) for c in parsed]
    assert " ".join(" ".join(c.lines) for c in parsed) == f"{LONG} Silenzio, Bruno!"
    assert [cue.speaker for cue in output.cues][-1] == "giulia"


def test_cues_are_read_at_ease(desk: Desk) -> None:
    output, _, _ = desk.subtitles([{"duration_s": 4.0, "speech": [desk.clip("a", LONG)]}])
    assert len(output.cues) >= 3
    for cue in output.cues:
        lines = cue.text.split("\n")
        assert len(lines) <= 2
        assert max(map(len, lines)) <= 42
        assert cue.end - cue.start >= 1.0
        assert len(cue.text) / (cue.end - cue.start) <= 17.5
    for earlier, later in pairwise(output.cues):
        assert later.start - earlier.end >= 2 / 24 - 0.002
    ends = [cue.text.rstrip()[-1] for cue in output.cues]
    assert sum(end in ".!?,;:" for end in ends) >= len(ends) - 1, "broken where the sense breaks"


def test_cues_lie_inside_the_speech(desk: Desk) -> None:
    refs = [desk.clip("a", LONG), desk.clip("b", "No!"), desk.clip("c", "Yes, now, at once.")]
    shots = [{"duration_s": 2.0, "speech": refs[:1]}, {"duration_s": 5.0, "speech": refs[1:]}]
    output, _, _ = desk.subtitles(shots)
    spans = [
        [(0.5, desk.context("x").open_artifact(ref["key"]).output["speech_end"]) for ref in shot]
        for shot in [[{"key": ref.key} for ref in shot["speech"]] for shot in shots]
    ]
    timelines = [shot_timeline(shot["duration_s"], 24, span) for shot, span in zip(shots, spans, strict=True)]
    starts = film_starts([timeline.frames for timeline in timelines], 24)
    speech = [
        (start + line.start, start + line.end)
        for start, timeline in zip(starts, timelines, strict=True)
        for line in timeline.lines
    ]
    for cue in output.cues:
        assert any(start - 0.05 <= cue.start <= end and cue.end <= end + 0.5 + 0.001 for start, end in speech), cue
    film = sum(timeline.frames for timeline in timelines) / 24
    assert output.cues[-1].end <= film
    short = next(cue for cue in output.cues if cue.text == "No!")
    assert short.end - short.start > 0.6, "a short word lingers"


def test_names_are_shown_when_asked(desk: Desk) -> None:
    shots = [
        {"duration_s": 4.0, "speech": [desk.clip("a", "We can do this!"), desk.clip("b", "Andiamo!", character="al")]}
    ]
    names = {"luca": "Luca <b>& Co", "al": "Alberto"}
    output, srt, vtt = desk.subtitles(shots, names=names, show_names=True)
    assert output.cues[1].text == "Alberto: Andiamo!"
    assert [cue.speaker for cue in parse_vtt(vtt)] == ["Luca & Co", "Alberto"]
    assert [cue.lines for cue in parse_vtt(vtt)] == [["We can do this!"], ["Andiamo!"]]
    assert parse_srt(srt)[1].lines == ["Alberto: Andiamo!"]
    _, srt, vtt = desk.subtitles(shots, names=names)
    assert "<v" not in vtt
    assert "Alberto" not in srt


def test_nobody_speaks(desk: Desk) -> None:
    output, srt, vtt = desk.subtitles([{"duration_s": 3.0}])
    assert output.cues == []
    assert parse_srt(srt) == []
    assert parse_vtt(vtt) == []


def test_a_clip_without_word_times_is_shared_out(desk: Desk) -> None:
    ref = desk.clip("a", "one two three")
    record = desk.context("x").open_artifact("a").output | {"words": []}
    ref = desk.put("a", record)
    output, _, _ = desk.subtitles([{"duration_s": 3.0, "speech": [ref]}])
    assert output.cues[0].text == "one two three"


def test_a_wrong_clip_is_refused(desk: Desk) -> None:
    (desk.root / "x").mkdir()
    with pytest.raises(BadOutput):
        desk.subtitles([{"duration_s": 3.0, "speech": [desk.put("x", {"file": "a"})]}])


@pytest.mark.parametrize(
    "text",
    [
        "a < b & c > d --> e",
        "<i>hi</i> <script>alert(1)</script> you",
        "{\\an8}top {y:i} curly",
        "1\n00:00:01,000 --> 00:00:02,000\nfake",
        "NOTE x\n\nSTYLE\n::cue{}",
        "\u202eevil\u202c text\x00\x1b",
        "שלום, עולם! مرحبا",
        "日本語の字幕はとても長いですからどこかで切らなければなりませんよね、そうでしょう？それでもまだ続きます。",
        "w" * 300,
    ],
)
def test_no_text_breaks_out_of_its_cue(desk: Desk, text: str) -> None:
    output, srt, vtt = desk.subtitles([{"duration_s": 3.0, "speech": [desk.clip("a", text), desk.clip("b", "end")]}])
    assert len(parse_srt(srt)) == len(parse_vtt(vtt)) == len(output.cues)
    assert parse_vtt(vtt)[-1].lines == ["end"]
    shown = "".join("".join(cue.lines) for cue in parse_vtt(vtt))
    assert shown.replace(" ", "") == "".join(clean(word) for word in [*text.split(), "end"]).replace(" ", "")


@settings(max_examples=120, deadline=None)
@given(
    lines=st.lists(st.text(min_size=1, max_size=160).filter(lambda text: text.strip()), max_size=4),
    times=st.lists(st.floats(0.02, 1.5), min_size=1, max_size=8),
    max_chars=st.integers(16, 80),
    fps=st.sampled_from([8, 24, 25, 30, 60]),
    show_names=st.booleans(),
    duration=st.floats(0.5, 9.0),
)
def test_any_film_gives_two_valid_files(
    lines: list[str], times: list[float], max_chars: int, fps: int, show_names: bool, duration: float
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Path(folder))
        refs = [desk.clip(f"c{number}", text, times=times) for number, text in enumerate(lines)]
        output, srt, vtt = desk.subtitles(
            [{"duration_s": duration, "speech": refs}, {"duration_s": duration}],
            fps=fps, max_chars=max_chars, show_names=show_names, names={"luca": "Luca Paguro"},
        )  # fmt: skip
        spans = [(0.5, desk.context("x").open_artifact(ref.key).output["speech_end"]) for ref in refs]
    film = (shot_timeline(duration, fps, spans).frames + shot_timeline(duration, fps, []).frames) / fps
    assert len(parse_srt(srt)) == len(output.cues)
    assert show_names or len(parse_vtt(vtt)) == len(output.cues)
    for cue in output.cues:
        assert 0 <= cue.start < cue.end <= film + 0.002
        rows = cue.text.split("\n")
        assert len(rows) <= 2
        assert all(0 < len(row) <= max_chars for row in rows)
    for earlier, later in pairwise(output.cues):
        assert later.start >= earlier.end - 1e-9
    shown = "".join("".join(cue.lines) for cue in parse_vtt(vtt))
    said = "".join(clean(word) for text in lines for word in text.split())
    assert shown.replace(" ", "") == said.replace(" ", "")


@given(st.lists(st.integers(1, 30), min_size=1, max_size=40), st.integers(16, 60))
def test_groups_keep_every_word_in_order(lengths: list[int], max_chars: int) -> None:
    words = [TimedText("x" * length, at * 0.3, at * 0.3 + 0.25) for at, length in enumerate(lengths)]
    groups = group_words(words, max_chars, 17.0)
    assert "".join(word.text for group in groups for word in group) == "".join(word.text for word in words)
    for group in groups:
        rows = break_lines([word.text for word in group], max_chars)
        assert len(rows) <= 2
        assert max(map(len, rows)) <= max_chars


def test_a_line_is_broken_in_the_middle_and_where_it_makes_sense() -> None:
    assert break_lines(
        ["I", "will", "go", "to", "the", "harbour,", "and", "you", "wait", "here", "for", "me."], 42
    ) == [
        "I will go to the harbour,",
        "and you wait here for me.",
    ]
    assert break_lines(["short", "line"], 42) == ["short line"]


def test_a_real_voice_gives_its_words_to_the_subtitles(desk: Desk) -> None:
    text = "Piacere, Girolamo Trombetta! Andiamo — subito — al mare?"
    _, ref = desk.make(EspeakSpeech(), "real", text=text, character="alberto", language="it")
    output, _, _ = desk.subtitles([{"duration_s": 3.0, "speech": [ref]}])
    assert " ".join(cue.text.replace("\n", " ") for cue in output.cues) == text
