"""`answer`: questions and small talk, from the character sheets, the storyboard and the notes, and from nothing else.

No facts are made up: what is in none of these is answered with "I do not know that". Notes are data that others
wrote; a passage is quoted as what the notes say, cut short, and never acted on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rapidfuzz import fuzz

from agent.intent import Intent
from agent.planners.base import PlanRequest
from agent.planners.offline.about_storyboard import StoryboardQuestion, answer_about_storyboard
from agent.planners.offline.direction import Direction, Tongue, load_direction
from agent.planners.offline.phrasing import join_names, tongue_of
from agent.planners.offline.questions import Answers, find_topic, load_answers, shot_number, words_of
from agent.planners.offline.text import tokenise
from agent.planners.offline.vocabulary import Vocabulary
from agent.planners.offline.wordlists import words
from configs.characters import CharacterSheet, load_characters
from tools.storyboard import ASPECT_SIZES, CastMember, Look

__all__ = ["answer"]

MOST_QUOTED = 280
LEAST_WORD = 4


@dataclass(frozen=True)
class _Asked:
    intent: Intent
    request: PlanRequest
    direction: Direction
    answers: Answers
    tongue: Tongue
    sheets: dict[str, CharacterSheet]
    vocabulary: Vocabulary | None

    def say(self, reply: str, /, **values: object) -> str:
        return self.answers.say(reply, self.tongue, **values)

    def join(self, parts: list[str]) -> str:
        return join_names(parts, self.direction, self.tongue)

    @property
    def known(self) -> str:
        return self.join([sheet.name for sheet in self.sheets.values()])


def answer(intent: Intent, request: PlanRequest, vocabulary: Vocabulary | None = None) -> str:
    """Answer a question or small talk in the user's language (Italian, else English).

    Args:
        vocabulary: the reader's, to know misspelt names by; None: names count only as they are written.
    """
    direction = load_direction()
    asked = _Asked(intent, request, direction, load_answers(), tongue_of(intent), load_characters(), vocabulary)
    if not request.text.strip():
        return asked.say("empty")
    if intent.topic == asked.answers.out_of_scope:
        return _from_notes(asked)
    name = find_topic(request.text)
    people = _people(asked)
    if name is None and not people:
        name = asked.answers.known_as.get(intent.topic)
    if name in (None, "who_is") and request.own_note and not any(_is_known(asked, who) for who in people):
        return _from_notes(asked)  # Of people we have no sheet of, the person's own documents know more.
    if name == "who_is" or (name is None and people):
        told = _about_people(asked, people)
        if told:
            return told
        name = _fallback_topic(asked)
    if name is None and shot_number(request.text) is not None:
        name = "shot"
    if name is None or name == "who_is":
        return _from_notes(asked)
    topic = asked.answers.topics[name]
    if topic.says is not None:
        return topic.says.of(asked.tongue)
    if topic.about_storyboard:
        return _about_storyboard(asked, name, people)
    return _ability(asked, name)


def _fallback_topic(asked: _Asked) -> str | None:
    """`Who are they?`, `describe it`: a question about people that names none is about the scene."""
    said = set(words_of(asked.request.text))
    vague = words("vague_scene")
    return "summary" if asked.request.storyboard and said & vague else None


def _about_storyboard(asked: _Asked, topic: str, people: list[str]) -> str:
    board = asked.request.storyboard
    if board is None:
        return asked.say("no_storyboard")
    return answer_about_storyboard(
        topic,
        StoryboardQuestion(asked.request.text, board, tuple(people), asked.direction, asked.answers, asked.tongue),
    )


# -- the cast ---------------------------------------------------------------------------------------------------------


def _people(asked: _Asked) -> list[str]:
    """Ids of the characters a question names: by the reader, by their sheets, or by the cast of the scene."""
    said = words_of(asked.request.text)
    names: dict[str, list[str]] = {who: [who] for who in asked.intent.characters}
    for sheet in asked.sheets.values():
        names.setdefault(sheet.id, []).extend([sheet.id, *sheet.aliases])
    for member in asked.request.storyboard.cast if asked.request.storyboard else []:
        names.setdefault(member.id, []).extend([*words_of(member.name), " ".join(words_of(member.name))])
    listed = set(asked.intent.characters)
    if asked.vocabulary is not None:
        listed |= {near for word in said if (near := asked.vocabulary.near_name(word)) is not None}
    text = f" {' '.join(said)} "
    stop = words("articles_one", "articles_the", "with_words")
    found = [
        who
        for who, known in names.items()
        if who in listed or any(f" {name} " in text for name in known if name not in stop and len(name) > 1)
    ]
    return found


def _is_known(asked: _Asked, who: str) -> bool:
    board = asked.request.storyboard
    return who in asked.sheets or (board is not None and any(member.id == who for member in board.cast))


def _about_people(asked: _Asked, people: list[str]) -> str:
    told = [_about_person(asked, who) for who in people]
    if not told:
        unknown = asked.intent.unknown_names or _written_names(asked.request.text)
        told = [asked.say("unknown_character", name=name, known=asked.known) for name in unknown]
    return "\n".join(told)


def _written_names(text: str) -> list[str]:
    """A name written with a capital at the end of a question: `Who is Bruno?`."""
    spoken = [token for token in tokenise(text) if token.is_word]
    name: list[str] = []
    for token in reversed(spoken[1:]):
        if not token.text[0].isupper():
            break
        name.insert(0, token.text)
    return [" ".join(name)] if 0 < len(name) <= 3 and len(spoken) - len(name) <= 4 else []


def _about_person(asked: _Asked, who: str) -> str:
    """What the sheet says, or what the scene says of one without a sheet."""
    sheet = asked.sheets.get(who)
    board = asked.request.storyboard
    member = next((m for m in board.cast if m.id == who), None) if board else None
    if sheet is not None:
        description = _in_tongue(asked, sheet.description)
        parts = [asked.say("known_character", name=sheet.name, description=description)]
        if clothes := _clothes(asked, sheet.look):
            parts.append(asked.say("wears", name=sheet.name.split()[0], clothes=clothes))
    elif member is not None:
        parts = [_described(asked, member)]
    else:
        written = next((n for n in asked.intent.unknown_names if n.lower().replace(" ", "_") == who), who.title())
        return asked.say("unknown_character", name=written, known=asked.known)
    if board is not None:
        inside = [at for at, shot in enumerate(board.shots, 1) if any(p.character == who for p in shot.placements)]
        if inside:
            question = StoryboardQuestion("", board, (who,), asked.direction, asked.answers, asked.tongue)
            parts.append(asked.say("in_scene", name=question.name(who), shots=question.shot_list(inside)))
    return " ".join(parts)


def _described(asked: _Asked, member: CastMember) -> str:
    look = member.look
    if look is None or look == Look():
        return asked.say("not_described", name=member.name)
    words = look.description or ", ".join(
        str(value).replace("_", " ")
        for value in (look.species, look.age, look.hair_color, look.hair, look.top_color, look.top)
        if value
    )
    return asked.say("described_character", name=member.name, description=words)


def _in_tongue(asked: _Asked, description: str) -> str:
    """A sheet's description, which is written in English, word by word in Italian where the words are known."""
    if asked.tongue == "en":
        return description
    words = asked.answers.sheet_words
    return ", ".join(words.get(part.strip().lower(), part.strip()) for part in description.split(","))


def _clothes(asked: _Asked, look: dict[str, Any]) -> str:
    """What a look wears, in words; colours given as numbers are left out."""
    words = asked.answers.clothes
    worn = [look.get("top"), look.get("bottom"), *look.get("accessories", [])]
    told = [words[item].of(asked.tongue) for item in worn if item in words]
    return asked.join(told)


# -- abilities --------------------------------------------------------------------------------------------------------


def _ability(asked: _Asked, topic: str) -> str:
    """What there is to choose from, out of the data themselves."""
    phrases, tongue = asked.direction.phrases, asked.tongue
    if topic == "places":
        from tools.layout.catalog import places  # Imports skia, which no other answer needs.

        return asked.say("places", places=asked.join([_place_word(asked, location) for location in places()]))
    if topic == "poses":
        return asked.say("poses", poses=asked.join([_pose_word(asked, pose) for pose in asked.direction.acting.poses]))
    if topic == "expressions":
        return asked.say("expressions", expressions=asked.join([w.of(tongue) for w in phrases.emotions.values()]))
    if topic == "framings":
        framings = asked.join([w.of(tongue) for w in phrases.framings.values()])
        return asked.say(
            "framings", framings=framings, cameras=asked.join([w.of(tongue) for w in phrases.cameras.values()])
        )
    if topic == "formats":
        return asked.say("formats", formats=asked.join([f"{a} ({w} x {h})" for a, (w, h) in ASPECT_SIZES.items()]))
    if topic == "moods":
        return asked.say("moods", moods=asked.join([w.of(tongue) for w in phrases.moods.values()]))
    return asked.say(topic, known=asked.known)


def _place_word(asked: _Asked, location: str) -> str:
    place = asked.direction.place(location)
    return place.names.of(asked.tongue) if place else location.replace("_", " ")


def _pose_word(asked: _Asked, pose: str) -> str:
    return (
        pose.replace("_", " ") if asked.tongue == "en" else asked.answers.pose_words.get(pose, pose.replace("_", " "))
    )


# -- the notes --------------------------------------------------------------------------------------------------------


def _from_notes(asked: _Asked) -> str:
    """The passage nearest to the question, quoted; or that the answer is not known.

    One of the person's own documents is nearest by its meaning, another only where it says the question's own words:
    ours are about making films, and stand near to much that nobody meant.
    """
    if asked.request.own_note:
        return asked.say("from_notes", passage=_quoted(asked.request.own_note))
    wanted = {word for word in words_of(f"{asked.request.text} {asked.intent.topic}") if len(word) >= LEAST_WORD}
    best: tuple[float, str] | None = None
    for note in asked.request.notes:
        shared = {word for word in words_of(note) if len(word) >= LEAST_WORD}
        near = sum(any(fuzz.ratio(word, other) >= 88 for other in shared) for word in wanted)
        score = near / max(1, len(wanted))
        if near and score >= 0.5 and (best is None or score > best[0]):
            best = (score, note)
    if best is None:
        return asked.say("unknown")
    return asked.say("from_notes", passage=_quoted(best[1]))


def _quoted(note: str) -> str:
    """A passage in one line, without marks that would look like our own words, cut at a word."""
    line = " ".join("".join(c if c.isprintable() else " " for c in note).split()).replace('"', "'")
    line = line.replace("«", "'").replace("»", "'")
    if len(line) <= MOST_QUOTED:
        return line
    return line[:MOST_QUOTED].rsplit(" ", 1)[0] + "…"
