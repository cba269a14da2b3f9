"""Edits of what is said: add, change, remove a line. Shots stretch to hold their lines; nothing else moves."""

from __future__ import annotations

from dataclasses import dataclass

from rapidfuzz import fuzz

from agent.intent import Edit, Performance
from agent.planners.offline.changes import Changes
from agent.planners.offline.edits_cast import enter, put_in_shot
from tools.storyboard import Line

__all__ = ["Spot", "add_line", "meant_lines", "remove_line", "set_line"]

MAX_LINES = 24
LEAST_LIKENESS = 62.0
"""Rapidfuzz's 0..100 from which words are taken to mean a line: typos and parts of a line pass, other lines do not."""


@dataclass(frozen=True)
class Spot:
    """A line of the storyboard: its shot, its position there, and the line."""

    shot: int
    at: int
    line: Line


def _spots(changes: Changes, edit: Edit) -> list[Spot] | None:
    """Every line of the shots an edit is about; None, with a problem told, when there is no such shot."""
    targets = changes.targets(edit)
    if not targets:
        return None
    return [Spot(shot, at, line) for shot in targets for at, line in enumerate(changes.shots[shot].dialogue)]


def _like(said: str, line: str) -> float:
    """Likeness of what the user quotes to a line: of the whole, or of a part long enough to be meant."""
    a, b = " ".join(said.lower().split()), " ".join(line.lower().split())
    strip = ".,;:!?…\"'«»“” "
    whole = fuzz.ratio(a.strip(strip), b.strip(strip))
    return max(whole, fuzz.partial_ratio(a.strip(strip), b) * 0.95 if len(a) >= 4 and len(a) <= len(b) else 0.0)


# -- adding -----------------------------------------------------------------------------------------------------------


def add_line(changes: Changes, edit: Edit) -> None:
    """One more line: after the last words of the scene, in a shot that shows the speaker."""
    if edit.line is None:
        changes.problem("unclear_edit", op="line")
        return
    if not changes.targets(edit):
        return
    member = enter(changes, edit.model_copy(update={"character": edit.line.character}))
    if member is None:
        return
    at = _shot_for(changes, edit, member.id)
    shot = changes.shots[at]
    if len(shot.dialogue) >= MAX_LINES:
        changes.problem("dialogue_full", shot=at + 1, limit=MAX_LINES)
        return
    if not any(p.character == member.id for p in shot.placements):
        performance = edit.performance or Performance(
            character=member.id, pose="talk", expression=edit.line.emotion if edit.line.emotion != "neutral" else None
        )
        if put_in_shot(changes, at, member.id, performance):
            changes.assume("joined_shot", name=changes.name(member.id), shot=at + 1)
    said = changes.shots[at].dialogue
    changes.replace(at, dialogue=[edit.line, *said] if edit.to == 1 else [*said, edit.line])
    _play(changes, at, edit.line)
    changes.fit(at)


def _shot_for(changes: Changes, edit: Edit, who: str) -> int:
    """Where a new line is said: never before lines that are there, if the speaker is seen later on."""
    if edit.shot is not None:
        return changes.targets(edit)[0]
    spoken = [at for at, shot in enumerate(changes.shots) if shot.dialogue]
    seen = [at for at, shot in enumerate(changes.shots) if any(p.character == who for p in shot.placements)]
    if edit.to == 1:
        early = [at for at in seen if not spoken or at <= spoken[0]]
        near = [at for at in early if changes.shots[at].framing != "wide"]
        return (near or early or spoken or [0])[0]
    after = [at for at in seen if not spoken or at >= spoken[-1]]
    if after:
        # A shot nearer than wide shows who speaks.
        near = [at for at in after if changes.shots[at].framing != "wide"]
        return (near or after)[0]
    if seen:
        return seen[-1]
    peopled = [at for at, shot in enumerate(changes.shots) if shot.placements]
    return (spoken or peopled or [len(changes.shots) - 1])[-1]


def _play(changes: Changes, at: int, line: Line) -> None:
    """The speaker's face and pose follow a line with a feeling, where they were idle."""
    shot, play = changes.shots[at], changes.direction.acting.emotions[line.emotion]
    first = next((x for x in shot.dialogue if x.character == line.character), line)
    placements = []
    for p in shot.placements:
        if p.character == line.character and first == line:
            pose = play.speaking[0] if p.pose in ("stand", "hands_on_hips") else p.pose
            face = line.emotion if line.emotion != "neutral" else p.expression
            p = p.model_copy(update={"pose": pose, "expression": face})
        placements.append(p)
    changes.replace(at, placements=placements)


# -- changing and removing --------------------------------------------------------------------------------------------


def meant_lines(changes: Changes, edit: Edit, who: str | None) -> list[Spot]:
    """The lines an edit is about, best first; empty, with a problem told, when there are none."""
    spots = _spots(changes, edit)
    if spots is None:
        return []
    if not any(shot.dialogue for shot in changes.shots):
        changes.problem("no_lines")
        return []
    own = [spot for spot in spots if who is None or spot.line.character == who]
    if edit.old_text:
        scored = [(_like(edit.old_text, spot.line.text), spot) for spot in own or spots]
        best = sorted((pair for pair in scored if pair[0] >= LEAST_LIKENESS), key=lambda pair: -pair[0])
        if not best:
            changes.problem("no_such_line", text=edit.old_text)
        return [spot for _, spot in best]
    if not own:
        if who is not None and changes.member(who) is None:
            changes.problem("not_in_scene", name=changes.name(who))
        elif who is not None:
            changes.problem("no_line_of", name=changes.name(who))
        else:
            changes.problem("no_lines")
    return own


def set_line(changes: Changes, edit: Edit) -> None:
    """Other words for a line; feeling and delivery stay unless new ones are given."""
    text = edit.line.text if edit.line else (edit.text or "").strip()
    if not text:
        changes.problem("unclear_edit", op="line")
        return
    spoken_by = {line.character for shot in changes.shots for line in shot.dialogue}
    named = edit.character or (edit.line.character if edit.line else None)
    if edit.old_text and named not in spoken_by:
        named = None
    if named and named not in spoken_by and edit.line and changes.member(named):
        # Someone in the scene who says nothing yet: the line is theirs now.
        add_line(changes, edit)
        return
    spots = meant_lines(changes, edit, named)
    if not spots:
        return
    spot = spots[0]
    if len(spots) > 1 and not edit.old_text:
        changes.assume("changed_first_line", name=changes.name(spot.line.character), text=spot.line.text)
    new = spot.line.model_copy(update=_new_words(edit, text))
    dialogue = list(changes.shots[spot.shot].dialogue)
    dialogue[spot.at] = Line.model_validate(new.model_dump())
    changes.replace(spot.shot, dialogue=dialogue)
    if new.emotion != spot.line.emotion:
        _face(changes, spot.shot, spot.line, new)
    changes.fit(spot.shot)


def _new_words(edit: Edit, text: str) -> dict[str, object]:
    update: dict[str, object] = {"text": text}
    if edit.line is None:
        return update
    given = edit.line.model_fields_set
    if edit.line.emotion != "neutral":
        update["emotion"] = edit.line.emotion
    if edit.line.delivery != "normal":
        update["delivery"] = edit.line.delivery
    if "language" in given:
        update["language"] = edit.line.language
    return update


def _face(changes: Changes, at: int, old: Line, new: Line) -> None:
    """A face that played the old feeling plays the new one."""
    placements = [
        p.model_copy(update={"expression": new.emotion})
        if p.character == new.character and p.expression in (old.emotion, "neutral")
        else p
        for p in changes.shots[at].placements
    ]
    changes.replace(at, placements=placements)


def remove_line(changes: Changes, edit: Edit) -> None:
    """Take out the line that is quoted; without a quotation, all lines of the character (or of the shot)."""
    who = edit.character or (edit.line.character if edit.line else None)
    quoted = edit.old_text or (edit.line.text if edit.line else None)
    spots = meant_lines(changes, edit.model_copy(update={"old_text": quoted}), who)
    if not spots:
        return
    chosen = spots[:1] if quoted else spots
    if len(chosen) > 1 and who:
        changes.assume("removed_all_lines", count=len(chosen), name=changes.name(who))
    gone = {(spot.shot, spot.at) for spot in chosen}
    for at in sorted({spot.shot for spot in chosen}):
        shot = changes.shots[at]
        changes.replace(at, dialogue=[line for i, line in enumerate(shot.dialogue) if (at, i) not in gone])
