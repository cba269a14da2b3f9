"""A story for a request: outline, script, second version; each piece is the model's or, where it fails, left out.

What comes of it is a `Brief`: the offline composer makes the storyboard of it, with its own coverage, timing and
staging, so that whatever a model writes is a film that can be made.
"""

from __future__ import annotations

from dataclasses import dataclass

from agent.intent import Brief, Intent
from agent.planners.base import Composition, PlanRequest
from agent.planners.chat_pieces.asking import Asker
from agent.planners.chat_pieces.facts import broken_fact
from agent.planners.chat_pieces.filling import filled, retold, with_lines
from agent.planners.chat_pieces.outline import Outline, outline_of
from agent.planners.chat_pieces.prompts import read_prompt
from agent.planners.chat_pieces.questions import (
    LANGUAGES,
    cast_in_words,
    fixed_in_words,
    notes_in_words,
    quoted,
    request_in_words,
)
from agent.planners.chat_pieces.script import (
    Revision,
    Script,
    fits,
    language_check,
    revised,
    revision_of,
    script_of,
    words_in,
)
from agent.planners.offline.direction import Direction, load_direction
from agent.planners.offline.leeway import Leeway
from agent.planners.offline.pacing import USUAL_RATE
from agent.planners.offline.planner import OfflinePlanner
from agent.planners.offline.scenes import settle
from configs.characters import load_characters
from configs.settings import Settings
from tools.storyboard import Line

__all__ = ["StoryWriter"]

USUAL_S = 20.0
"""Seconds of a film whose length was left open, as far as the script is concerned; the film is as long as it needs."""
SCRIPT_WORDS = 360
"""Spoken words of a script whose length was left open."""
MOST_WORDS = 600
"""Of one script; more is not asked for at once. A longer film has more silence."""
SPEECH_SHARE = 0.7
"""Part of the time that is spoken."""
BEAT_S = (3.0, 6.0)
"""A beat takes at least and at most about so long."""
MOST_BEATS = 10
ENOUGH_BEATS = 4
"""A film of any length may be told in so many."""
LEAST_BEAT_S = 1.2
REVISED_FROM = 8
"""Spoken words from which a second version is asked for."""


@dataclass
class StoryWriter:
    """Writes the story of one request.

    Attributes:
        asker: of this turn.
        offline: finishes every storyboard.
        settings: temperatures.
        leeway: what the request leaves open.
    """

    asker: Asker
    offline: OfflinePlanner
    settings: Settings
    leeway: Leeway

    def write(self, intent: Intent, request: PlanRequest) -> Composition:
        """The composition: with the story where it keeps to what the user fixed, else the rules' own."""
        ground = self.offline.compose(intent, request)
        brief = intent.brief or Brief()
        if not _tells_a_story(intent, brief):
            self.asker.by_rules("outline", "there is no story to tell")
            return ground
        outline = self._outline(brief, intent, request)
        if outline is None:
            return ground
        told = self._with_outline(brief, outline)
        script = self._script(told, intent, request)
        if script is not None:
            made = self._composed(with_lines(told, script), intent, request)
            broken = broken_fact(brief, ground, made, new_lines=True)
            if not broken:
                return made
            self.asker.reject("script", "primary", f"with these lines this would not hold: {broken}")
        made = self._composed(told, intent, request)
        if broken := broken_fact(brief, ground, made, new_lines=False):
            self.asker.reject("outline", "primary", f"with this outline this would not hold: {broken}")
            return ground
        return made

    def _composed(self, brief: Brief, intent: Intent, request: PlanRequest) -> Composition:
        return self.offline.compose(intent.model_copy(update={"brief": brief}), request)

    # -- outline ------------------------------------------------------------------------------------------------------

    def _outline(self, brief: Brief, intent: Intent, request: PlanRequest) -> Outline | None:
        direction = load_direction()
        least, most = _beats(brief)
        cast = [member.id for member in brief.cast]
        how = "fill" if _is_sequence(brief) else "retell"
        count = f"exactly {least}" if least == most else f"{least} to {most}"
        system = read_prompt(f"outline_{how}", count=count, language=LANGUAGES[intent.language])
        question = "\n".join(
            part
            for part in (
                request_in_words(request),
                fixed_in_words(brief, intent),
                quoted("cast", cast_in_words(brief.cast, _sheets())),
                notes_in_words(request),
            )
            if part
        )
        return self.asker.ask(
            "primary",
            outline_of(list(direction.places), list(direction.acting.poses), cast, least, most),
            system,
            question,
            label="outline",
            temperature=self.settings.thinking_temperature,
            max_tokens=300 + 220 * most,
        )

    def _with_outline(self, brief: Brief, outline: Outline) -> Brief:
        if _is_sequence(brief):
            return filled(brief, outline, settle(brief, load_direction()))
        return retold(brief, outline, told=_tells_action(brief, self.leeway, load_direction()))

    # -- script -------------------------------------------------------------------------------------------------------

    def _script(self, brief: Brief, intent: Intent, request: PlanRequest) -> list[list[Line]] | None:
        """The lines of each beat; None where none are wanted, or none came."""
        cast = [member.id for member in brief.cast]
        wanted = {"voice", "script"} & set(intent.outputs)
        if not (wanted and self.leeway.speech and cast):
            return None
        words = _target(brief, intent)
        check = language_check(intent.language, self.offline.vocabulary)

        def long_enough(script: Script) -> None:
            said = words_in([line.text for line in script.lines])
            if said < 0.5 * words and words >= 40:
                raise ValueError(f"that is {said} spoken words; about {words} are wanted")
            if said > 1.5 * words + 10:
                raise ValueError(f"that is {said} spoken words; there is time for about {words}")

        told = self._told(brief, request)
        script = self.asker.ask(
            "primary",
            script_of(cast, len(brief.beats), max(2, min(60, words // 4 + 2))),
            read_prompt("script", words=str(words), language=LANGUAGES[intent.language]),
            told,
            label="script",
            temperature=self.settings.writing_temperature,
            max_tokens=400 + 6 * words,
            check=lambda piece: check([line.text for line in piece.lines]),
            wish=long_enough,
        )
        if script is None:
            return None
        texts = self._second_version(script, told, words, intent)
        lines: list[list[Line]] = [[] for _ in brief.beats]
        for line, text in zip(script.lines, texts, strict=True):
            lines[line.beat - 1].append(
                Line(
                    character=line.who,
                    text=text,
                    emotion=line.emotion,
                    delivery=line.delivery,
                    language=intent.language,
                )
            )
        kept = fits([beat[:24] for beat in lines], brief.duration_s, LEAST_BEAT_S)
        if (left := len(script.lines) - sum(map(len, kept))) > 0:
            self.asker.turn.think("note", f"{left} lines left out: there is no time for them", label="script")
        return kept if any(kept) else None

    def _second_version(self, script: Script, told: str, words: int, intent: Intent) -> list[str]:
        """The texts of the script, rewritten where a second look finds them weak."""
        first = [line.text for line in script.lines]
        if words_in(first) < REVISED_FROM:
            return first
        check = language_check(intent.language, self.offline.vocabulary)
        numbered = "\n".join(
            f"{number}. beat {line.beat}, {line.who} ({line.emotion}): {line.text}"
            for number, line in enumerate(script.lines, 1)
        )
        revision = self.asker.ask(
            "primary",
            revision_of(len(first)),
            read_prompt("revision", words=str(words), language=LANGUAGES[intent.language]),
            f"{told}\n{quoted('script', numbered)}",
            label="revision",
            temperature=self.settings.writing_temperature,
            max_tokens=300 + 6 * words,
            check=lambda piece: check(revised(script, piece)),
        )
        return revised(script, revision) if isinstance(revision, Revision) else first

    def _told(self, brief: Brief, request: PlanRequest) -> str:
        """The outline as the script's writer is shown it."""
        lines = []
        for number, beat in enumerate(brief.beats, 1):
            people = ", ".join(f"{one.character} {one.expression or ''}".strip() for one in beat.performances)
            where = beat.location or beat.location_words or "the same place"
            lines.append(f"beat {number}: {where}; {people or 'nobody'}; {beat.action}")
        parts = (
            request_in_words(request),
            quoted("cast", cast_in_words(brief.cast, _sheets())),
            quoted("outline", "\n".join(lines)),
            notes_in_words(request),
        )
        return "\n".join(part for part in parts if part)


def _sheets() -> dict[str, str]:
    return {who: sheet.description for who, sheet in load_characters().items()}


def _tells_a_story(intent: Intent, brief: Brief) -> bool:
    """A film or a script tells one; a picture, a piece of music or a title card does not."""
    if not {"video", "script"} & set(intent.outputs):
        return False
    return any(not beat.text_overlay or beat.performances or beat.dialogue for beat in brief.beats) or not brief.beats


def _is_sequence(brief: Brief) -> bool:
    return brief.explicit_shots or len(brief.beats) > 1


def _beats(brief: Brief) -> tuple[int, int]:
    """How many beats there may be, least and most."""
    if _is_sequence(brief):
        return len(brief.beats), len(brief.beats)
    if brief.shot_count:
        return brief.shot_count, brief.shot_count
    seconds = brief.duration_s or (brief.beats[0].duration_s if brief.beats else None) or USUAL_S
    if brief.script_words and not brief.duration_s:
        seconds = max(USUAL_S, brief.script_words / USUAL_RATE / SPEECH_SHARE)
    most = max(1, min(MOST_BEATS, int(seconds / BEAT_S[0])))
    return max(1, min(most, ENOUGH_BEATS, int(seconds / BEAT_S[1]))), most


def _tells_action(brief: Brief, leeway: Leeway, direction: Direction) -> bool:
    """Whether the request says what happens, in words that all can be shown."""
    scene = settle(brief, direction)[0]
    return bool(scene.action) and not scene.leisure and not leeway.unplaced


def _target(brief: Brief, intent: Intent) -> int:
    """Spoken words that are wanted."""
    if brief.script_words:
        return min(MOST_WORDS, brief.script_words)
    if brief.duration_s:
        return max(4, min(MOST_WORDS, int(brief.duration_s * USUAL_RATE * SPEECH_SHARE)))
    if "video" not in intent.outputs:
        return SCRIPT_WORDS
    return int(USUAL_S * USUAL_RATE * SPEECH_SHARE)
