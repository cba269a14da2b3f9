"""Decide what a message is: something new, a change, a question, small talk, or about a file."""

from __future__ import annotations

from agent.intent import Intent, OutputKind
from agent.planners.offline.beats import cut_beats
from agent.planners.offline.confidence import rate
from agent.planners.offline.edit_reading import read_edits
from agent.planners.offline.finish import base_intent
from agent.planners.offline.lexicon import Match
from agent.planners.offline.limits import read_variations
from agent.planners.offline.named_places import find_named_places
from agent.planners.offline.reading import Reading
from agent.planners.offline.wants import full_scene
from agent.planners.offline.wordlists import starts_with, words

__all__ = ["decide"]

_SHOWN = ("place", "pose", "cast", "person", "group", "time", "framing")
_MEDIA = (".mp4", ".mov", ".mkv", ".avi", ".webm", ".m4v", ".mp3", ".wav", ".flac", ".ogg", ".opus", ".m4a", ".aac")
_TALK = frozenset({"smalltalk"})
_ASKING = frozenset({"question", "topic"})


def decide(reading: Reading) -> Intent:
    """The intent of a message."""
    if file_intent := _about_file(reading):
        return file_intent
    if (talk := _smalltalk(reading)) is not None:
        return base_intent(reading, kind="smalltalk", topic=talk, outputs=["text"], confidence=1.0)
    topic = question_topic(reading)
    if topic is not None:
        return _question(reading, topic)
    if reading.request.storyboard is not None:
        edit = read_edits(reading)
        if edit is not None:
            return edit
    if not _something_to_make(reading):
        return _not_understood(reading)
    return _scene(reading)


def _about_file(reading: Reading) -> Intent | None:
    """`transcribe interview.mp3`, `analyse movie.mp4`."""
    page = reading.page
    verbs = {m.id for m in page.of("request")}
    media = [name for name in page.files if name.lower().endswith(_MEDIA)]
    wanted = [m.id for m in page.of("output")]
    kind: str | None = None
    if (
        "transcribe" in verbs
        or ("transcript" in wanted and (media or not reading.roster.members))
        or (media and wanted[:1] == ["subtitles"])
    ):
        kind = "transcription"
    elif "analyse" in verbs or ("analysis" in wanted and (media or not reading.roster.members)):
        kind = "analysis"
    if kind is None:
        return None
    if (
        not media
        and kind == "analysis"
        and reading.request.storyboard is None
        and not page.files
        and "analysis" not in wanted
        and reading.roster.members
    ):
        return None
    if not page.files:
        reading.notes.ask("file_missing")
    outputs: list[OutputKind] = ["transcript"] if kind == "transcription" else ["analysis"]
    if kind == "transcription" and "subtitles" in wanted:
        outputs.append("subtitles")
    if kind == "transcription" and "analyse" in verbs:
        outputs.append("analysis")
    return base_intent(reading, kind=kind, outputs=outputs, confidence=0.95 if page.files else 0.6)


def question_topic(reading: Reading) -> str | None:
    """What a question is about; None when the message is no question."""
    page, vocabulary = reading.page, reading.vocabulary
    if len(cuts := cut_beats(page, reading.mentions)[1]) > 1 and cuts[0].explicit:
        return None  # `Shot list: 1) ... 2) ...`
    asks = vocabulary.find(page.tokens, page.language, _ASKING)
    scope = [m for m in asks if m.subject == "topic" and m.id == "out_of_scope"]
    if scope and not page.of("place", "pose", "framing"):
        return "out_of_scope"
    openers = [m for m in asks if m.subject == "question" and not _is_relative(reading, m)]
    if reading.request.storyboard is not None and _opens_change(reading, openers, "?" in page.masked):
        return None
    topics = [m for m in asks if m.subject == "topic"]
    marked = page.masked.rstrip().endswith("?") or "?" in page.masked
    opens = bool(openers) and openers[0].start <= 2
    short = len(page.tokens) <= 6
    if not any(token.is_word for token in page.tokens):
        return None
    asked_first = bool(topics) and topics[0].start == 0 and page.key(0) in words("who_words")
    if asked_first and page.quotes and marked:
        return topics[0].id  # `Who says "Silenzio, Bruno"?`
    if opens and topics and marked and not page.of("place", "pose") and page.key(0) in words("ask_first"):
        return topics[0].id if topics[0].id != "cast" or not reading.roster.members else "character"
    direct = next((m for m in topics if m.id in ("abilities", "identity")), None)
    if direct and (short or marked or opens) and not reading.mentions:
        return direct.id
    nouns = words("articles_the", "these")  # `where is the film saved?`
    making = [
        m for m in page.of("request") if m.id in ("make", "draw", "polite") and page.key(m.start - 1) not in nouns
    ]
    if making and any(m.id in ("make", "draw") and m.start <= 6 for m in making) and not _asks_about_made(asks):
        if not (opens and openers[0].start < making[0].start and not any(m.id == "polite" for m in making)):
            return None
        if openers[0].start == 0 and page.key(0) in words("how_what") and page.key(1) in words("about_what"):
            return None
    if not (marked or (opens and not _statement(reading))):
        return None
    if not openers and not topics and (page.of("place", "pose") or page.quotes):
        return None
    if page.quotes and not opens:
        return None
    if reading.request.storyboard is not None and page.key(0) in words("can_you") and not topics:
        return None
    if openers and page.key(0) in words("can_you_or_will") and page.of("place", "pose") and not topics:
        return None
    about = [m.id for m in topics]
    if (about and about[0] not in ("cast",)) or (about and not reading.roster.members):
        return about[0]
    ours = [i for i in reading.roster.members if i in vocabulary.cast or i in reading.roster.present]
    if ours or (reading.roster.members and page.key(0) in words("who_words")):
        return "character"
    if "?" in page.masked or opens:
        return "general"
    return None


def _is_relative(reading: Reading, match: Match) -> bool:
    """`the girl who laughs`, `ajoute Giulia qui court`: `who` behind one who is named asks nothing."""
    relative = reading.page.key(match.start) in words("relatives") and match.end - match.start == 1
    return relative and any(m.end == match.start for m in reading.mentions)


def _opens_change(reading: Reading, openers: list[Match], marked: bool) -> bool:
    """`come prima ma di notte`: the question word belongs to a longer phrase of change."""
    keys = [token.key for token in reading.page.tokens]
    if starts_with(keys, "suggesting"):
        return True
    changes = reading.vocabulary.find(reading.page.tokens, reading.page.language, frozenset({"edit"}))
    return (
        not marked
        and bool(openers)
        and any(m.start == openers[0].start and m.end > openers[0].end for m in changes if m.end - m.start > 1)
    )


def _asks_about_made(asks: list[Match]) -> bool:
    return any(m.subject == "topic" and m.id in ("made", "cast", "length", "count") for m in asks)


def _statement(reading: Reading) -> bool:
    """A message that opens like a question but tells a scene: `What a beautiful sunset, Luca and Alberto run`."""
    page = reading.page
    return (
        "?" not in page.masked
        and bool(page.of("place"))
        and bool(reading.mentions)
        and page.key(0) in words("opens_statement")
    )


def _question(reading: Reading, topic: str) -> Intent:
    verbs = {m.id for m in reading.page.of("request")}
    search = "search" in verbs or (topic == "general" and not reading.roster.members)
    if topic == "out_of_scope":
        reading.notes.assume("out_of_scope")
    confidence = 0.9 if topic not in ("general",) else 0.5
    return base_intent(
        reading, kind="question", topic=topic, outputs=["text"], needs_search=search, confidence=confidence
    )


def _smalltalk(reading: Reading) -> str | None:
    """Id of the small talk that a message is, when it is nothing else."""
    page = reading.page
    found = reading.vocabulary.find(page.tokens, page.language, _TALK | {"edit"})
    talk = [m for m in found if m.subject == "smalltalk"]
    if not talk:
        return None
    if (
        page.of("place", "pose", "person", "group", "framing", "camera", "weather", "aspect", "unit")
        or page.quotes
        or page.files
    ):
        covered = {at for m in talk for at in range(m.start, m.end)}
        if any(
            m.start not in covered
            for m in page.of("place", "pose", "person", "framing", "camera", "weather", "aspect", "unit")
        ):
            return None
    if page.quotes or page.files or (reading.mentions and len(page.tokens) > 6):
        return None
    spoken = [token for token in page.tokens if token.is_word]
    said = sum(m.end - m.start for m in talk)
    others = [
        m
        for m in page.of("request", "output", "time", "emotion", "thing")
        if not any(t.start <= m.start < t.end for t in talk)
    ]
    edits = [
        m
        for m in found
        if m.subject == "edit" and m.id not in ("also", "make") and not any(t.start <= m.start < t.end for t in talk)
    ]
    if (
        said * 2 >= len(spoken) - 1
        and not edits
        and not [m for m in others if m.subject in ("request", "time", "output")]
    ):
        return talk[0].id
    return None


def _something_to_make(reading: Reading) -> bool:
    page = reading.page
    return bool(
        reading.mentions or reading.speech.lines or reading.speech.overlays
        or page.of("place", "pose", "time", "framing", "weather")
        or (page.of("thing") and page.of("request")) or (page.of("elsewhere") and (page.of("thing", "output")))
        or (page.of("elsewhere") and page.key(0) in words("indefinite_start"))
        or (reading.wants.head and page.of("request")) or page.of("title_card")
        or (reading.wants.only and page.of("mood")) or find_named_places(page, reading.vocabulary)
    )  # fmt: skip


def _not_understood(reading: Reading) -> Intent:
    page = reading.page
    asked = bool(page.of("request", "output"))
    reading.notes.ask("nothing_to_make" if asked else "nothing_read")
    return base_intent(
        reading, kind="smalltalk", topic="not_understood", outputs=["text"], confidence=0.2 if asked else 0.1
    )


def _scene(reading: Reading) -> Intent:
    brief = reading.brief()
    spoken = any(beat.dialogue for beat in brief.beats)
    wants = reading.wants
    outputs = wants.result(_unasked(reading, spoken))
    if wants.silent and spoken:
        reading.notes.assume("silent_lines")
    both = (wants.head | wants.only) & wants.refused
    if both and wants.only:
        reading.notes.assume("only_refused", first=", ".join(sorted(both)))
    if not spoken and not wants.only and "voice" in outputs and "voice" not in wants.head:
        outputs.remove("voice")
    if not spoken and "subtitles" in outputs and "subtitles" not in wants.added | wants.only | wants.head:
        outputs.remove("subtitles")
    if not outputs:
        reading.notes.assume("nothing_left")
        outputs = ["image"]
    if not (brief.explicit_shots and any(not beat.performances for beat in brief.beats)):
        _contradictions(reading)
    confidence = rate(reading, brief)
    if reading.request.storyboard is not None:
        reading.notes.assume("new_scene")
    if (
        confidence < 0.99
        and outputs != ["music"]
        and not brief.cast
        and not any(b.location or b.location_words or b.text_overlay for b in brief.beats)
        and not any(b.weather and b.time_of_day for b in brief.beats)
    ):
        reading.notes.ask("nothing_to_make")
        confidence = min(confidence, 0.5)
    return base_intent(
        reading,
        kind="scene",
        outputs=outputs,
        variations=read_variations(reading.page, reading.notes),
        burn_subtitles=wants.burn,
        brief=brief,
        confidence=confidence,
    )


def _unasked(reading: Reading, spoken: bool) -> list[OutputKind]:
    """What is made when outputs are not spoken of: of a title card alone a picture, else all."""
    page = reading.page
    card = reading.speech.overlays and any(m.id == "title_card" for m in page.of("thing"))
    if card and not reading.mentions and not page.of("place"):
        return ["image"]
    return full_scene(spoken)


def _contradictions(reading: Reading) -> None:
    """An empty place with people in it: those who are named come."""
    empty = any(m.id == "nobody" for m in reading.page.of("negation"))
    if empty and reading.roster.members:
        names = reading.notes.listed([reading.roster.name(i) for i in reading.roster.members])
        reading.notes.assume("not_empty", names=names)
