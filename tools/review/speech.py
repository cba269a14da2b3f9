"""One spoken line: it is there, clean, of the right length, and its word and mouth times fit the sound."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from itertools import pairwise

from tools.artifact import Artifact
from tools.errors import BadOutput
from tools.review.intelligibility import check_intelligibility
from tools.review.limits import Limits, SpeechLimits
from tools.review.tool import Check, ReviewArtifact
from tools.review.verdict import Levers, below, between, holds, share
from tools.review.waveform import Sounding, measure_wav
from tools.timeline import SpokenClip
from tools.voice.speakable import clean_line
from tools.voice.tool import SynthesizeSpeech

__all__ = [
    "check_fits",
    "check_length",
    "check_loudness",
    "check_mouth",
    "check_not_clipped",
    "check_pace",
    "check_present",
    "check_silences",
    "check_words",
    "review_speech",
    "word_tokens",
]

SHORT_LINE = 3
"""Words; a shorter line ("Silenzio!") may be drawn out."""
LENGTH_SLACK_S = 0.05
SLOWEST = 0.7
"""The least a voice is slowed to, times its own rate."""


def word_tokens(text: str) -> list[str]:
    """The words of a text for comparison: lower case, no punctuation; `don't` is `don`, `t` on both sides."""
    return re.findall(r"[^\W_]+", text.casefold())


def check_present(heard: Sounding, span: tuple[float, float] | None, limits: SpeechLimits) -> Check:
    """Something is said at all."""
    level = heard.level_db(*span) if span else heard.level_db(0.0, heard.duration_s)
    told = f"level of the speech {level:.0f} dBFS, at least {limits.min_level_db:g}"
    ok = span is not None and level >= limits.min_level_db
    return holds("present", ok, told if span else "the clip is silent", fix={"seed": 1})


def check_not_clipped(heard: Sounding, limit: int) -> Check:
    """No run of samples at full scale that is heard as a click."""
    told = f"longest run of samples at full scale {heard.clipped_run}, below {limit}"
    return below("not_clipped", heard.clipped_run, limit - 1, told, fix={"seed": 1})


def _slower(rate: float) -> Levers:
    """A tenth slower, within what is still speech."""
    return {"rate": round(max(SLOWEST, 0.9 * rate), 3)} if rate > SLOWEST else {}


def check_length(heard: Sounding, clip: SpokenClip) -> Check:
    """The file lasts as long as its record says: picture and subtitles are timed by the record."""
    told = f"the file lasts {heard.duration_s:.2f} s, its record says {clip.duration_s:.2f} s"
    difference = abs(heard.duration_s - clip.duration_s)
    return holds("length", difference <= LENGTH_SLACK_S, told, score=LENGTH_SLACK_S / max(difference, 1e-9))


def check_fits(span: tuple[float, float], rate: float, room_s: float, limits: SpeechLimits) -> Check:
    """The speech fits into the time there is for it; where it does not, it may be said faster."""
    length = span[1] - span[0]
    wanted = min(limits.max_rate, rate * length / max(room_s, 1e-6) * 1.03)
    fix: Levers = {"rate": round(wanted, 3)} if wanted > rate + 1e-3 else {}
    told = f"the speech lasts {length:.2f} s, there are {room_s:.2f} s for it"
    return below("fits", length, room_s + 0.02, told, fix=fix)


def check_pace(span: tuple[float, float], text: str, rate: float, limits: SpeechLimits) -> Check:
    """Words a second as people speak."""
    words = len(text.split())
    pace = words / max(span[1] - span[0], 1e-6)
    allowed = limits.words_per_second
    low = allowed.low if words >= SHORT_LINE else 0.0
    factor = allowed.high * 0.9 / pace if pace > allowed.high else low * 1.1 / max(pace, 1e-6)
    fix: Levers = {"rate": round(min(limits.max_rate, max(0.6, rate * factor)), 3)}
    told = f"{pace:.1f} words a second, between {low:g} and {allowed.high:g}"
    return between("pace", pace, low, allowed.high, told, fix=fix)


def check_loudness(heard: Sounding, rate: float, limits: SpeechLimits) -> Check:
    """Integrated loudness, on target."""
    allowed = limits.loudness
    told = f"loudness {heard.lufs:.1f} LUFS, between {allowed.low:g} and {allowed.high:g}"
    # A voice is brought to its loudness at the end; what stays below is all peaks, as a word of one click. Said
    # slower, its sounds last longer than its peaks. What is above is above at any rate.
    fix: Levers = _slower(rate) if heard.lufs < allowed.low else {}
    return between("loudness", heard.lufs, allowed.low, allowed.high, told, span=12.0, fix=fix)


def check_silences(heard: Sounding, span: tuple[float, float], limits: SpeechLimits) -> list[Check]:
    """The silence before and after the speech, which the timeline counts on."""
    checks = []
    for name, found, allowed in (
        ("lead_silence", span[0], limits.lead),
        ("tail_silence", heard.duration_s - span[1], limits.tail),
    ):
        told = f"{found:.2f} s of silence, between {allowed.low:g} and {allowed.high:g}"
        # The engine cuts and pads every take alike: none of its arguments would change it.
        checks.append(between(name, found, allowed.low, allowed.high, told, span=0.5))
    return checks


def check_words(clip: SpokenClip, text: str, span: tuple[float, float], rate: float, limits: SpeechLimits) -> Check:
    """The timed words are the line's, in its order, and lie inside the speech that is heard."""
    # What nobody says, as markup and emoji, is no word of the line.
    wanted = word_tokens(clean_line(text))
    found = [token for word in clip.words for token in word_tokens(word.text)]
    matches = SequenceMatcher(None, wanted, found, autojunk=False).get_matching_blocks()
    covered = sum(block.size for block in matches) / max(1, len(wanted))
    wrong = []
    if covered < limits.min_words:
        wrong.append(f"{share(covered)} of the words are timed in order, at least {share(limits.min_words)}")
    if any(later.start < earlier.start - 1e-6 for earlier, later in pairwise(clip.words)):
        wrong.append("the words are not in order of time")
    first, last = span[0] - limits.slack, span[1] + limits.slack
    outside = [word.text for word in clip.words if word.end < word.start or word.start < first or word.end > last]
    if outside:
        wrong.append(f"{len(outside)} words lie outside the speech that is heard, as {outside[0]!r}")
    detail = "; ".join(wrong) or f"{len(clip.words)} words, in order and inside the speech"
    score = covered - len(outside) / max(1, len(clip.words))
    # Words that run into one another are told apart when they are said slower.
    return holds("words", not wrong, detail, score=score, fix=_slower(rate))


def check_mouth(clip: SpokenClip, span: tuple[float, float], limits: SpeechLimits) -> Check:
    """Mouth shapes are in order, move only while something is said, and end at rest."""
    wrong = []
    if not any(cue.shape != "rest" for cue in clip.mouth):
        wrong.append("the mouth never opens")
    if any(later.start < earlier.start for earlier, later in pairwise(clip.mouth)):
        wrong.append("the shapes are not in order of time")
    first, last = span[0] - limits.slack, span[1] + limits.slack
    outside = sum(cue.shape != "rest" and not first <= cue.start <= last for cue in clip.mouth)
    if outside:
        wrong.append(f"{outside} shapes lie outside the speech")
    if clip.mouth and clip.mouth[-1].shape != "rest":
        wrong.append("the mouth stays open at the end")
    detail = "; ".join(wrong) or f"{len(clip.mouth)} mouth shapes inside the speech"
    score = 1 - outside / max(1, len(clip.mouth)) if len(wrong) == 1 and outside else 0.3
    return holds("mouth", not wrong, detail, score=score, fix={"seed": 1})


def review_speech(
    args: ReviewArtifact.Input, subject: Artifact, limits: Limits, heard_as: Artifact | None = None
) -> list[Check]:
    """Every check of a `synthesize_speech` result; `heard_as` is the result of `transcribe` about it."""
    clip = SynthesizeSpeech.Output.model_validate(subject.output)
    try:
        heard = measure_wav(subject.file(clip.file))
    except BadOutput as error:
        return [holds("readable", False, error.message, fix={"seed": 1})]
    allowed = limits.speech
    span = heard.sounding_from_to(allowed.silence_db)
    text = str(subject.record.args.get("text", clip.text))
    rate = float(subject.record.args.get("rate", 1.0))
    checks = [
        holds("readable", True, f"{clip.file} reads to its end"),
        check_present(heard, span, allowed),
        check_not_clipped(heard, allowed.clipped_run),
        check_length(heard, clip),
    ]
    if span is not None:
        checks += [
            check_pace(span, text, rate, allowed),
            check_loudness(heard, rate, allowed),
            *check_silences(heard, span, allowed),
            check_words(clip, text, span, rate, allowed),
            check_mouth(clip, span, allowed),
        ]
        if args.max_speech_s is not None:
            checks.append(check_fits(span, rate, args.max_speech_s, allowed))
    language = str(subject.record.args.get("language", "en"))
    fix = {**_slower(rate), "seed": 1}
    return [*checks, check_intelligibility(text, language, subject, heard_as, allowed, fix)]
