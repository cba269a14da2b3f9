"""One message, read: people settled, speech given out, outputs sorted; and the `Brief` that follows from it."""

from __future__ import annotations

import re
from functools import cached_property
from itertools import pairwise
from typing import Any

from agent.intent import Beat, Brief, Performance
from agent.planners.base import PlanRequest
from agent.planners.offline.acting import is_of_the_scene, perform
from agent.planners.offline.beats import Cut, cut_beats
from agent.planners.offline.cards import with_cards
from agent.planners.offline.cast import MAX_CHARACTERS, Roster
from agent.planners.offline.dialogue import read_speech
from agent.planners.offline.limits import read_aspect, read_duration, read_each, read_fps
from agent.planners.offline.listing import shots_wanted
from agent.planners.offline.page import lay_out
from agent.planners.offline.people import find_people
from agent.planners.offline.pronouns import spoken_of
from agent.planners.offline.say import Notes
from agent.planners.offline.scenery import read_scenery
from agent.planners.offline.shown import is_shown
from agent.planners.offline.spoken import Speech, SpokenLine
from agent.planners.offline.telling import tell
from agent.planners.offline.text import tokenise
from agent.planners.offline.vocabulary import READING, Vocabulary
from agent.planners.offline.voices import is_voice, voice_name
from agent.planners.offline.wants import Wants, read_wants
from agent.planners.offline.who import settle
from agent.planners.offline.word_count import read_word_count
from agent.planners.offline.wordlists import words as word_list
from tools.storyboard import Language, Line

__all__ = ["Reading"]

_NO_SPEAKERS = frozenset(
    [
        "place",
        "time",
        "weather",
        "output",
        "thing",
        "framing",
        "camera",
        "style",
        "aspect",
        "unit",
        "mood",
        "emotion",
        "request",
        "speech",
        "pose",
    ]
)


_LETTER_TAG = re.compile(r"(?:(?<=\s)|(?<=^))([A-Z]) ?:(?=\s)")


class Reading:
    """A cleaned message, read.

    Attributes:
        page: text, tokens, phrases.
        roster: everyone in it.
        mentions: where they are named.
        speech: lines and titles.
        wants: outputs.
        shots_shown: token -> the shots of the present storyboard that are named there by what they show.
        notes: assumptions and questions so far.
    """

    def __init__(self, text: str, language: Language, request: PlanRequest, vocabulary: Vocabulary) -> None:
        self.request, self.vocabulary, self.language = request, vocabulary, language
        self.notes = Notes(vocabulary.sentences, language)
        letters = frozenset(_LETTER_TAG.findall(text))
        self._letters = letters if len(letters) > 1 else frozenset()
        """Speakers that are called by one letter: `A: Hi! B: Hello!`"""
        keys = [token.key for token in tokenise(text)]
        one = word_list("articles_one")
        known = vocabulary.index.words
        self._told_of = frozenset(
            noun for article, noun in pairwise(keys)
            if article in one and known.get(noun, set()) <= {"common", "weather", "ordinary"} and len(noun) > 2
        )  # fmt: skip
        """Words behind an article that no lexicon has a meaning for: they may turn out to speak."""
        self.page = lay_out(text, vocabulary, language, self._is_speaker)
        self.roster = Roster(vocabulary, request.storyboard, spoken_of(request, vocabulary))
        for written, meant in dict.fromkeys(self.page.corrected.values()):
            self.notes.assume("word_read", word=written, meant=meant)
        if self.page.sends:
            self.notes.assume("cannot_send")
        self.mentions = find_people(self.page, vocabulary)
        speaking = list(
            dict.fromkeys(i for q in self.page.quotes if q.speaker for i in self._named_speakers(q.speaker))
        )
        self.mentions = settle(self.page, self.mentions, speaking, vocabulary, self.roster, self.notes)
        self._forget_bearers()
        self.wants: Wants = read_wants(self.page, [m.start for m in self.mentions])
        self.shots_shown: dict[int, tuple[int, ...]] = {}

    def _forget_bearers(self) -> None:
        """A poster that bears writing stands in the scene; it is no poster to be made."""
        page = self.page
        borne: set[int] = set()
        for quote in page.quotes:
            back = next((at for at in range(quote.token, 0, -1) if page.breaks_between(at - 1, quote.token)), 0)
            if not quote.speaker and is_shown(page, quote, back, self.mentions):
                borne.update(at for at in range(back, quote.token) if page.key(at) in word_list("bearers"))
        if borne:
            page.keep([m for m in page.matches if m.subject != "output" or m.start not in borne])

    @cached_property
    def speech(self) -> Speech:
        """Every quote, told apart; read when it is first needed, for a change reads its quotes in its own way."""
        return read_speech(self.page, self.mentions, self.vocabulary, self.roster, self.notes, self.speakers)

    def _is_speaker(self, name: str) -> bool:
        """Whether words before a colon name one who speaks, not a heading (`Scene 1:`, `Location:`)."""
        if is_voice(name) or name in self._letters:
            verbs = self.vocabulary.find(tokenise(name)[:1], self.language, frozenset({"edit", "request"}))
            return not verbs  # `add the monster's voice: "..."`
        tokens = tokenise(name)
        if len(tokens) == 1 and name[0].isupper() and tokens[0].key in self._told_of:
            return True  # `a seagull ... Seagull: "Squawk!"`
        if len(tokens) > 1 and tokens[-1].is_number:  # `Boy 1: ...`
            tokens = tokens[:-1]
        if any(token.key in word_list("bearers", "cards") for token in tokens):
            return False
        found = self.vocabulary.find(tokens, self.language, READING)
        subjects = {match.subject for match in found}
        if subjects & {"cast", "spelling"}:
            covered = {at for m in found for at in range(m.start, m.end)}
            if any(
                t.is_word and t.key not in word_list("person_the") and n not in covered for n, t in enumerate(tokens)
            ):
                return False  # `Alberto apologises: "..."` is told, not a script.
            return all(m.subject in ("cast", "spelling", "joiner") for m in found) and not any(
                m.subject == "joiner" and m.id != "and" for m in found
            )
        if len(tokens) == 1 and self.vocabulary.near_name(tokens[0].key):
            return True
        if subjects & {"person", "name"} and not subjects & (_NO_SPEAKERS - {"emotion"}):
            return len(tokens) <= 3 and "joiner" not in subjects
        return all(t.text[0].isupper() and not self.vocabulary.is_known(t.key) for t in tokens) and len(tokens) < 3

    def _named_speakers(self, name: str) -> list[str]:
        """Ids of the cast that a script's speaker names."""
        tokens = tokenise(name)
        found = [m.id for m in self.vocabulary.find(tokens, self.language, frozenset({"cast", "spelling"}))]
        if not found and len(tokens) == 1 and (near := self.vocabulary.near_name(tokens[0].key)):
            found = [near]
        return list(dict.fromkeys(found))

    def speakers(self, name: str) -> tuple[str, ...]:
        """Ids of those whom a script's speaker names; an unknown one joins the roster."""
        known = self._named_speakers(name)
        if not known and (owner := self._owner_of_voice(name)):
            return (owner,)
        if not known and is_voice(name):
            return (self.roster.voice(voice_name(name, self.language)),)
        if known:
            written = {token.key for token in tokenise(name)}
            for id_ in known:
                self.roster.known(id_)
                if len(known) == 1 and not is_voice(name) and not self.vocabulary.own_spelling(id_, written):
                    self.notes.assume("name_read", word=name, name=self.roster.name(id_))
            return tuple(known)
        recalled = self.roster.recall(name)
        if recalled:
            return (recalled,)
        found = self.vocabulary.find(tokenise(name), self.language, frozenset({"person", "name"}))
        nouns = [m for m in found if m.subject == "person"]
        if nouns and nouns[0].id in self.roster.nouns:
            return (self.roster.nouns[nouns[0].id],)
        look: dict[str, object] = {}
        for match in found:
            look.update(match.entry.look)
        name = name.title() if name.isupper() and len(name) > 2 else name[0].upper() + name[1:]
        return (self.roster.new(name, look, name if nouns else ""),)

    def _owner_of_voice(self, name: str) -> str | None:
        """Whose voice it is, when one who is there already owns it: `the monster's voice`."""
        tokens = tokenise(name)
        at = next((n for n, token in enumerate(tokens) if token.key == "'s"), 0)
        nouns = self.vocabulary.find(tokens[:at], self.language, frozenset({"person"})) if is_voice(name) else []
        if nouns and nouns[-1].id in self.roster.nouns:
            return self.roster.nouns[nouns[-1].id]
        kind = nouns[-1].entry.look.get("species") if nouns else None
        kin = [i for i, m in self.roster.present.items() if kind and m.look and m.look.species == kind]
        return self.roster.recall(kin[0]) if len(kin) == 1 else None

    # -- the brief -----------------------------------------------------------------------------------------------

    def brief(self) -> Brief:
        """What was asked for, taken apart."""
        speech = self.speech  # Read first: it may bring in speakers whom nobody else names.
        first, cuts = cut_beats(self.page, self.mentions)
        context = read_scenery(self.page, 0, first, self.vocabulary, self.notes) if first else {}
        context.update(self._behind_row(cuts))
        context.pop("framing", None)
        told = [(cut, self.beat(cut, context)) for cut in cuts]
        beats = with_cards(self.page, self.mentions, speech, told)
        head = self._loose_speech(0, first) if first else {}
        if beats and head:
            beats[0] = beats[0].model_copy(
                update={
                    "dialogue": [*head["dialogue"], *beats[0].dialogue],
                    "text_overlay": head["text_overlay"] or beats[0].text_overlay,
                }
            )
        beats = [b for b in beats if _holds(b)] or beats[:1]
        beats = self._spread(beats, first)
        self._limit_cast()
        self._write_names()
        self._introduce()
        whole = len(cuts) < 2 or not cuts[0].explicit
        style = next((m.id for m in self.page.of("style")), None)
        return Brief(
            title=speech.title,
            style=style,
            aspect=read_aspect(self.page, self.notes),
            fps=read_fps(self.page, self.notes),
            duration_s=read_duration(self.page, self.notes, 0, None if whole else first) or self._told_last(beats),
            cast=list(self.roster.members.values())[:16],
            beats=beats,
            explicit_shots=cuts[0].explicit if cuts else False,
            script_words=read_word_count(self.page),
            shot_count=None if len(cuts) > 1 else shots_wanted(self.page),
        )

    def _behind_row(self, cuts: list[Cut]) -> dict[str, Any]:
        """`wide, medium, close, foggy morning`: what stands behind a row of bare framings holds for all of them."""
        told = ("cast", "person", "pronoun", "pose", "place", "elsewhere", "time", "weather")
        bare = [not self.page.of(*told, start=cut.start, end=cut.end) for cut in cuts[:-1]]
        if len(cuts) < 2 or not cuts[0].explicit or not all(bare) or cuts[-1].framing:
            return {}
        found = read_scenery(self.page, cuts[-1].start, cuts[-1].end, self.vocabulary, self.notes)
        return {name: found[name] for name in ("time_of_day", "weather") if name in found}

    def _told_last(self, beats: list[Beat]) -> float | None:
        """`1. ... 2. ... 3. Luca runs, 20 seconds`: one length, behind the last shot, is that of the whole film."""
        told = beats[-1].duration_s if len(beats) > 1 else None
        if told is None or any(beat.duration_s for beat in beats[:-1]) or told < 3 * len(beats):
            return None
        beats[-1].duration_s = None
        self.notes.assume("length_of_all", seconds=f"{told:g}")
        return told

    def _introduce(self) -> None:
        """Say of everyone without a sheet how they will look; of several from one plural at once."""
        alike: dict[str, list[str]] = {}
        for member in self.roster.members.values():
            if member.known or member.look is None or member.id in self.roster.present:
                continue
            if member.id in self.roster.voices:
                self.notes.assume("spoken_only", name=member.name)
                continue
            words = member.look.description
            if words and (member.name.lower() in words.lower() or member.name[-1].isdigit()):
                alike.setdefault(words, []).append(member.name)
            else:
                self.notes.assume("unknown_name", name=member.name, look=self._drawn_look(words))
        for words, names in alike.items():
            self.notes.assume(
                "unknown_described" if len(names) == 1 else "unknown_several", name=self.notes.listed(names), look=words
            )

    def _write_names(self) -> None:
        """A screenplay sets names in capitals: MARTA is called Marta."""
        cues = {quote.speaker for quote in self.page.quotes if quote.speaker.isupper() and len(quote.speaker) > 2}
        for id_, member in self.roster.members.items():
            if not member.known and member.name in cues and id_ not in self.roster.present:
                self.roster.members[id_] = member.model_copy(update={"name": member.name.title()})

    def _drawn_look(self, description: str) -> str:
        if description:
            loose = description.split()[0].lower() in word_list("look_openers")
            return f"{'qualcuno' if self.language == 'it' else 'someone'} {description}" if loose else description
        return "qualcuno a modo mio" if self.language == "it" else "someone of my own design"

    def _spread(self, beats: list[Beat], first: int) -> list[Beat]:
        """Those named before a list of shots (`a scene with Luca and Alberto: 1. ...`) stand in all."""
        ahead = list(dict.fromkeys(i for m in self.mentions if m.start < first for i in m.ids))
        if not ahead or any(beat.performances for beat in beats):
            return beats
        acts = perform(self.page, self.mentions, 0, first)
        told = tell(self.page, self.mentions, 0, first)
        return [
            beat.model_copy(update={"performances": acts, "action": beat.action if len(beat.action) > 12 else told})
            for beat in beats
        ]

    def _limit_cast(self) -> None:
        names = [member.name for member in list(self.roster.members.values())[MAX_CHARACTERS:]]
        if names:
            self.notes.assume("too_many", count=MAX_CHARACTERS, names=self.notes.listed(names[:6]))
            for id_ in list(self.roster.members)[MAX_CHARACTERS:]:
                del self.roster.members[id_]

    def beat(self, cut: Cut, context: dict[str, Any] | None = None) -> Beat:
        """One beat of the page."""
        fields: dict[str, Any] = {**(context or {})}
        fields.update(read_scenery(self.page, cut.start, cut.end, self.vocabulary, self.notes, cut.time))
        fields.update(self._loose_speech(cut.start, cut.end))
        if cut.explicit:
            fields["duration_s"] = read_duration(self.page, self.notes, cut.start, cut.end, whole=False)
            each = read_each(self.page)
            if each and (fields["duration_s"] is None or cut.start <= each[0] < cut.end):
                fields["duration_s"] = each[1]  # `1. ... 2. ... 5 seconds each`
        seen = [mention for mention in self.mentions if mention.kind != "voice"]
        acts = perform(self.page, seen, cut.start, cut.end) or self._lone_speaker(fields["dialogue"], cut)
        fields["performances"] = self._with_speakers(acts, fields["dialogue"], cut)
        seen_ids = {act.character for act in fields["performances"]}
        fields["offstage"] = [i for i in dict.fromkeys(s.line.character for s in self._off(cut)) if i not in seen_ids]
        fields["text"] = self.page.words(cut.start, cut.end)[:2000]
        names = {id_: member.name.split()[0] for id_, member in self.roster.members.items() if member.known}
        doers = [names[act.character] for act in acts if act.character in names and act.pose]
        fields["action"] = tell(self.page, self.mentions, cut.start, cut.end, names, doers)
        if cut.framing:
            fields["framing"] = cut.framing
        return Beat(**fields)

    def _off(self, cut: Cut) -> list[SpokenLine]:
        """The lines of a beat that are heard from off stage."""
        return [spoken for spoken in self.speech.lines if spoken.off and cut.start <= spoken.token < cut.end]

    def _lone_speaker(self, lines: list[Line], cut: Cut) -> list[Performance]:
        """`Luca: "Hello?" Night, forest, scared.`: with nobody else named, it is the speaker who is scared."""
        speakers = {line.character for line in lines} - {spoken.line.character for spoken in self._off(cut)}
        if len(speakers) != 1:
            return []
        act = Performance(character=speakers.pop())
        for match in self.page.of("pose", "emotion", start=cut.start, end=cut.end):
            if match.subject == "pose" and act.pose is None:
                act = act.model_copy(update={"pose": match.id})
            elif match.subject == "emotion" and act.expression is None and not is_of_the_scene(self.page, match):
                act = act.model_copy(update={"expression": match.id})
        return [act]

    def _loose_speech(self, start: int, end: int) -> dict[str, Any]:
        kept = set(list(self.roster.members)[:MAX_CHARACTERS])
        lines = [s.line for s in self.speech.lines if start <= s.token < end and s.line.character in kept]
        shown = [text for text, token in self.speech.overlays if start <= token < end]
        overlay = shown[0] if shown else ""
        if not lines and not overlay:
            return {"dialogue": [], "text_overlay": ""}
        return {"dialogue": lines[:24], "text_overlay": overlay}

    def _with_speakers(self, acts: list[Performance], lines: list[Line], cut: Cut) -> list[Performance]:
        """Speakers stand in the picture; a face follows a line whose feeling was said, a line follows a face."""
        kept = list(self.roster.members)[:MAX_CHARACTERS]
        by_id = {act.character: act for act in acts if act.character in kept}
        felt = {
            s.line.character: s.line.emotion
            for s in reversed(self.speech.lines)
            if s.felt and cut.start <= s.token < cut.end
        }
        off = {spoken.line.character for spoken in self._off(cut)}
        for line in lines:
            if line.character in off and line.character not in by_id:
                continue
            act = by_id.setdefault(line.character, Performance(character=line.character))
            if act.expression is None and line.character in felt:
                act.expression = felt[line.character]
        for spoken in self.speech.lines:
            if cut.start <= spoken.token < cut.end and not spoken.felt:
                face = by_id.get(spoken.line.character)
                if face and face.expression:
                    spoken.line.emotion = face.expression
        return list(by_id.values())


def _holds(beat: Beat) -> bool:
    """Whether a beat says anything that can be shown or heard."""
    return bool(
        beat.performances or beat.dialogue or beat.text_overlay or beat.location or beat.time_of_day or beat.framing
        or beat.camera or beat.weather or len(beat.action) > 12
    )  # fmt: skip
