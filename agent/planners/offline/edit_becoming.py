"""One of the scene becomes somebody else: `let Leo be a girl`, `turn the fox into a bear`, `trasforma Ugo in un gatto`.

Who has a name keeps it; who is called what they are (`the fox`) is called what they are now.
"""

from __future__ import annotations

from agent.intent import Edit
from agent.planners.offline.clause import Clause
from agent.planners.offline.wordlists import words
from tools.storyboard import CastMember, Look

__all__ = ["become"]


def become(clause: Clause) -> list[Edit]:
    """The edits by which one without a sheet is another from now on; nobody comes in besides."""
    roster, page = clause.reading.roster, clause.page
    people = [m for m in clause.mentions if len(m.ids) == 1]
    if len(people) != 2 or clause.quotes or clause.shot is not None or not clause.verb("make", "change"):
        return []
    one, other = people
    between = {page.key(at) for at in range(one.end, other.start)}
    member, kind = roster.present.get(one.ids[0]), roster.members.get(other.ids[0])
    if member is None or member.look is None or kind is None or kind.look is None or other.ids[0] in roster.present:
        return []
    article = {page.key(other.start), page.key(other.start - 1)} & words("articles_one")
    if other.kind != "phrase" or not article or not between <= words("becoming", "articles_one"):
        return []
    del roster.members[other.ids[0]]
    changed = CastMember(id=member.id, name=member.name, known=member.known, look=_as(member.look, kind.look))
    edits = [Edit(op="set_look", character=member.id, member=changed)]
    if member.name.lower() in member.look.description.lower():
        edits.append(Edit(op="rename_character", character=member.id, text=kind.name))
    return edits


def _as(before: Look, kind: Look) -> Look:
    """The look of a kind; of the same species hair, clothes and all else that is not said stay."""
    if before.species != kind.species:
        return kind
    if kind.gender == "girl":
        before = before.model_copy(update={"accessories": [a for a in before.accessories if a != "beard"]})
    return Look.model_validate({**before.model_dump(exclude_defaults=True), **kind.model_dump(exclude_defaults=True)})
