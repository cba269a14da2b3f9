"""What a follow-up tells somebody to do: who is there to do it, and how it is told."""

from __future__ import annotations

from agent.intent import Edit, Performance
from agent.planners.offline.cast import Mention
from agent.planners.offline.clause import Clause
from agent.planners.offline.telling import tell
from agent.planners.offline.verbs import indicative, third_person, verb_forms
from agent.planners.offline.wordlists import words

__all__ = ["deed_only", "enters", "is_there", "told_in"]


def is_there(clause: Clause, who: str, shot: int | None) -> bool:
    """Whether one is in the scene, and in the shot that is spoken of."""
    board = clause.reading.request.storyboard
    if who not in clause.reading.roster.present or board is None:
        return False
    if shot is None or not -1 <= shot <= len(board.shots):
        return True
    return any(p.character == who for p in board.shots[shot - 1 if shot > 0 else shot].placements)


def enters(clause: Clause, who: str) -> bool:
    """`can Alberto watch from the background?`, `Giulia should be there too`: a newcomer is wanted here."""
    roster = clause.reading.roster
    if who in roster.present or who not in roster.members or clause.has("place"):
        return False
    first = clause.page.key(clause.start)
    return first in words("can_you") or clause.verb("make", "also") is not None


def told_in(clause: Clause) -> str | None:
    """What happens now, in the words of a clause that tells it: `the dog jumps out of the bush`, `make them hug`."""
    page = clause.page
    first = next((m for m in clause.mentions if m.start <= clause.start + 1), None)
    in_verb = words("him_in_verb", "her_in_verb", "them_in_verb")  # `falla ballare`
    if first is None or page.key(first.start) in in_verb:
        return None
    asked = {m.id for m in clause.verbs if m.id in ("make", "change", "add") and m.start < first.start}
    if asked and (asked != {"make"} or not third_person(page.key(first.end))):
        return None
    names = {i: m.name.split()[0] if m.known else m.name for i, m in clause.reading.roster.members.items()}
    told = tell(page, clause.reading.mentions, first.start, clause.end, names)
    if page.key(first.end) in words("should_words"):
        return indicative(told, len(first.ids) > 1) if page.language == "en" else None
    if asked:
        return _wished(clause, first, told) or None
    return told or None


def _wished(clause: Clause, first: Mention, told: str) -> str:
    """`them hug` -> They hug, `the dragon sneeze` -> The dragon sneezes."""
    page, plain = clause.page, third_person(clause.page.key(first.end))
    if first.kind == "pronoun" and len(first.ids) > 1:
        told = f"They{told[len(page.tokens[first.start].text) :]}"
    if plain and len(first.ids) == 1 and f" {plain}" not in told:
        told = told.replace(f" {page.tokens[first.end].text}", f" {plain}", 1)
    return told


def deed_only(clause: Clause) -> list[Edit]:
    """What no pose shows is told at least: `make the dragon sneeze`, `he drops one`; `wake Luca up` is a pose."""
    page, roster = clause.page, clause.reading.roster
    first = clause.mentions[0] if clause.mentions else None
    if first is None or clause.quotes or not first.ids or any(i not in roster.present for i in first.ids):
        return []
    halves = [*page.tokens[first.start - 1 : first.start], *page.tokens[first.end : first.end + 1]]
    poses = clause.reading.vocabulary.find(halves, page.language, frozenset({"pose"}))
    if len(halves) == 2 and poses and poses[0].end == 2:
        acts = [Performance(character=i, pose=poses[0].id) for i in first.ids]
        return [Edit(op="set_performance", shot=clause.shot, character=a.character, performance=a) for a in acts]
    verb, known = page.key(first.end), clause.reading.vocabulary.is_known
    strange = any(t.is_word and not known(t.key) for t in page.tokens[first.end : clause.end])
    if (
        strange
        or page.language != "en"
        or not (third_person(verb) or verb in verb_forms())
        or clause.has("output", "camera")
    ):
        return []
    names = {i: m.name.split()[0] if m.known else m.name for i, m in roster.members.items()}
    told = tell(page, clause.reading.mentions, first.start, clause.end, names)
    told = _wished(clause, first, told) if clause.verb("make") else told
    if not told:
        return []
    clause.reading.notes.assume("told_only", words=told)
    return [
        Edit(op="set_performance", shot=clause.shot, character=i, performance=Performance(character=i), text=told)
        for i in first.ids
    ]
