"""Changes that one phrase asks for by itself: names, lines swapped or given away, sides, splits, refusals."""

from __future__ import annotations

from agent.intent import Edit, Performance, Side
from agent.planners.offline.acting import is_refused
from agent.planners.offline.clause import Clause
from agent.planners.offline.edit_lines import line_by_number
from agent.planners.offline.edit_naming import read_naming
from agent.planners.offline.wordlists import holds, pattern, starts_with, words
from tools.storyboard import Framing, Line

__all__ = [
    "give_line",
    "move_aside",
    "refuse_unoffered",
    "rename",
    "side_in",
    "silence",
    "split",
    "swap_lines",
    "take_out_by_pronoun",
    "tone",
    "tone_of",
    "wider",
    "zoom_on",
]  # fmt: skip

_SIDES: tuple[tuple[str, Side], ...] = (
    ("side_left", "left"), ("side_right", "right"), ("side_centre", "centre"), ("side_front", "front"),
    ("side_back", "back"),
)  # fmt: skip
_STEPS: tuple[Framing, ...] = ("wide", "full", "medium", "close", "detail")
_TONES = ("playful", "tense", "tender", "melancholy", "adventurous", "calm", "cheerful", "mysterious")
_UNOFFERED = ("no_gif", "no_resolution", "no_container", "no_document", "no_3d", "no_singing", "no_translation")


def _has(clause: Clause, name: str) -> bool:
    """Whether a phrase of a list stands in the clause."""
    keys = [token.key for token in clause.page.tokens[clause.start : clause.end]]
    return holds(keys, name)


def rename(clause: Clause) -> list[Edit]:
    """`call the cat Micio`."""
    found = read_naming(clause.reading, clause.present, clause.page.words(clause.start, clause.end))
    return [found] if found else []


def split(clause: Clause) -> list[Edit]:
    """`split the first shot`."""
    if not _has(clause, "split_verbs") or not (clause.thing("shot", "scene") or clause.shot):
        return []
    return [Edit(op="split_shot", shot=clause.shot)]


def swap_lines(clause: Clause) -> list[Edit]:
    """`swap their lines`, `scambia le battute di Luca e Alberto`."""
    if not clause.verb("swap") or not _has(clause, "line_words"):
        return []
    ids = list(dict.fromkeys(i for m in clause.mentions if m.kind != "pronoun" for i in m.ids))
    if len(ids) < 2:
        return [Edit(op="swap_lines", shot=clause.shot)]
    return [Edit(op="swap_lines", shot=clause.shot, character=ids[0], performance=Performance(character=ids[1]))]


def give_line(clause: Clause) -> list[Edit]:
    """`let Alberto say that instead`, `give that line to Alberto`: words that are there get another speaker."""
    page, named = clause.page, [m for m in clause.mentions if m.kind != "pronoun" and len(m.ids) == 1]
    says = page.of("speech", start=clause.start, end=clause.end) or _has(clause, "line_words")
    points = _has(clause, "that_words") or bool(clause.quotes and clause.verb("instead"))
    if len(named) == 2 and _has(clause, "give_verbs") and _has(clause, "line_words"):
        return _given(clause, named[0].ids[0], named[1].ids[0])
    points = points or _has(clause, "said_by")
    if len(named) == 1 and says and not clause.quotes and line_by_number(clause) and not clause.has("delivery"):
        text = line_by_number(clause)
        if clause.verb("make") and text and _has(clause, "said_by"):
            return [Edit(op="give_line", shot=clause.shot, character=named[0].ids[0], old_text=text)]
    if not named or not says or not points or len(clause.quotes) > 1 or clause.verb("remove"):
        return []
    if clause.has("delivery") and not clause.verb("instead") and _has_lines(clause, named[0].ids[0]):
        return []  # `Luca shouts it`: his own line, said otherwise.
    quoted = clause.quotes[0].text if clause.quotes else None
    if quoted is not None and not clause.verb("instead"):
        return []
    who = named[-1].ids[0] if _has(clause, "line_words") else named[0].ids[0]
    if who not in clause.reading.roster.present:
        return []
    line = _line_meant(clause, who, quoted)
    if line is None:
        if quoted is None:
            clause.reading.notes.ask("give_which", name=clause.reading.roster.name(who))
            clause.asked = True
        return []
    return [Edit(op="give_line", shot=clause.shot, character=who, old_text=line.text)]


def _has_lines(clause: Clause, who: str) -> bool:
    board = clause.reading.request.storyboard
    return any(line.character == who for shot in (board.shots if board else []) for line in shot.dialogue)


def _given(clause: Clause, giver: str, taker: str) -> list[Edit]:
    """`give Luca's first line to Alberto`."""
    board, ordinals = clause.reading.request.storyboard, clause.page.of("ordinal", start=clause.start, end=clause.end)
    shots = board.shots if board else []
    own = [line.text for shot in shots for line in shot.dialogue if line.character == giver]
    number = int(ordinals[0].entry.value or 1) if ordinals else 1
    if taker not in clause.reading.roster.present or not own or abs(number) > len(own):
        return []
    chosen = own[number - 1 if number > 0 else number] if ordinals or len(own) == 1 else None
    texts = own if chosen is None else [chosen]
    return [Edit(op="give_line", character=taker, old_text=text) for text in texts]


def silence(clause: Clause) -> list[Edit]:
    """`Luca shouldn't say anything`."""
    negations = clause.page.of("negation", start=clause.start, end=clause.end)
    talks = clause.has("speech") or any(m.id == "talk" for m in clause.page.of("pose", start=clause.start))
    if talks and any(m.id in ("nobody", "silent") for m in negations) and not clause.mentions and not clause.quotes:
        return [Edit(op="remove_line", shot=clause.shot)]
    refused = negations or clause.verb("remove")
    says = clause.has("speech") and _has(clause, "anything")
    if not (refused and says and clause.mentions) or clause.quotes:
        return []
    return [Edit(op="remove_line", shot=clause.shot, character=i) for m in clause.mentions for i in m.ids]


def _line_meant(clause: Clause, who: str, quoted: str | None) -> Line | None:
    """The line that is quoted, or that was spoken of last, or the only one that another says."""
    board = clause.reading.request.storyboard
    others = [line for shot in board.shots for line in shot.dialogue if line.character != who] if board else []
    if quoted is not None:
        return next((line for line in others if line.text.strip(".!? ").lower() == quoted.strip(".!? ").lower()), None)
    for _, said in reversed(clause.reading.request.history[1:]):
        if found := [line for line in others if line.text.lower() in said.lower()]:
            return found[-1]
    return others[0] if len(others) == 1 else None


def move_aside(clause: Clause) -> list[Edit]:
    """`move her to the left`, `Luca on the right`, `sposta Giulia più indietro`."""
    if found := _beside(clause):
        return found
    side = side_in(clause, clause.start, clause.end)
    who = list(dict.fromkeys(i for m in clause.mentions for i in m.ids))
    there = [i for i in who if i in clause.reading.roster.present]
    if side is None or not there or len(there) < len(who) or clause.has("facing", "speech") or clause.quotes:
        return []
    if _has(clause, "beside_camera") and side in ("left", "right"):
        return []
    if not (clause.verb("move", "make", "add", "change") or _has(clause, "moving") or _only_side(clause)):
        return []
    edits = []
    for number, mention in enumerate(clause.mentions):  # `Luca on the left and Alberto on the right`.
        stop = clause.mentions[number + 1].start if number + 1 < len(clause.mentions) else clause.end
        own = side_in(clause, mention.end, stop) or side_in(clause, mention.end, clause.end) or side
        edits += [Edit(op="move_character", shot=clause.shot, character=i, side=own) for i in mention.ids]
    return edits


def _beside(clause: Clause) -> list[Edit]:
    """`Alberto stands behind Luca`: the first goes back, or forward, the other stays."""
    people = [m for m in clause.mentions if len(m.ids) == 1 and m.ids[0] in clause.reading.roster.present]
    if len(people) != 2 or clause.quotes:
        return []
    between = [token.key for token in clause.page.tokens[people[0].end : people[1].start]]
    side: Side | None = "back" if holds(between, "behind_someone") else None
    side = "front" if side is None and holds(between, "before_someone") else side
    if side is None and between and between[-1] in words("of_someone"):  # `to the left of Giulia`
        side = side_in(clause, people[0].end, people[1].start)
    if side is None or people[0].ids == people[1].ids:
        return []
    return [Edit(op="move_character", shot=clause.shot, character=people[0].ids[0], side=side)]


def side_in(clause: Clause, start: int, end: int) -> Side | None:
    """The first side that is named between two tokens."""
    keys = [token.key for token in clause.page.tokens[start:end]]
    for at in range(len(keys)):
        if found := next((side for name, side in _SIDES if starts_with(keys[at : at + 6], name)), None):
            return found
    return None


def _only_side(clause: Clause) -> bool:
    """`Luca on the left`: nothing else is said."""
    return not clause.has("pose", "emotion", "place", "time", "weather", "framing", "camera")


def take_out_by_pronoun(clause: Clause) -> list[Edit]:
    """`remove it`, `toglilo`: the one who was named last, or what the last change brought."""
    page, present = clause.page, clause.present
    by_verb = next((t for t in page.tokens[clause.start : clause.end] if t.key in words("removing")), None)
    if by_verb is not None and clause.mentions:
        gone = dict.fromkeys(i for m in clause.mentions for i in m.ids)
        return [Edit(op="remove_character", shot=clause.shot, character=i) for i in gone]
    pronoun = next((m for m in page.of("pronoun", start=clause.start, end=clause.end) if m.id == "it"), None)
    alone = clause.end - clause.start <= 4 and not clause.has("thing", "output", "weather", "cast", "line")
    if not alone or clause.quotes or (by_verb is None and (pronoun is None or clause.verb("remove") is None)):
        return []
    fitting = present.just_named or present.creatures(present.last_named)
    if len(fitting) == 1:
        return [Edit(op="remove_character", shot=clause.shot, character=fitting[0])]
    if not present.just_named and present.follows_change:
        clause.reading.notes.assume("took_back")
        return [Edit(op="undo")]
    word = by_verb.text if by_verb else page.words(pronoun.start, pronoun.end) if pronoun else ""
    names = clause.reading.notes.listed([clause.reading.roster.name(m.id) for m in present.cast])
    clause.reading.notes.ask("which_one", word=word.strip(" .!?"), names=names)
    clause.asked = True
    return []


def zoom_on(clause: Clause) -> list[Edit]:
    """`zoom in on him`, `a close-up of Luca`: on one of them, in the shot that is named or shows them best."""
    page = clause.page
    moves = any(m.id == "push" for m in page.of("camera", start=clause.start, end=clause.end))
    moves = moves or _has(clause, "zoom_words")
    near = [m for m in page.of("framing", start=clause.start, end=clause.end) if m.id == "close"]
    who = list(dict.fromkeys(i for m in clause.mentions for i in m.ids))
    board = clause.reading.request.storyboard
    if not (moves or near) or len(who) != 1 or board is None or clause.quotes or clause.verb("add", "remove"):
        return []
    if who[0] not in clause.reading.roster.present or any(is_refused(page, m) for m in near):
        return []
    shot = clause.shot or _shot_of(clause, who[0])
    if shot is None:
        return []
    if clause.shot is None and len(board.shots) > 1:
        clause.reading.notes.assume("shot_taken", shot=shot)
    camera = [Edit(op="set_camera", shot=shot, camera="push")] if moves else []
    return [Edit(op="set_framing", shot=shot, framing="close", character=who[0]), *camera]


def _shot_of(clause: Clause, who: str) -> int | None:
    """The number of the shot that is already a close one of them alone, else where they speak, else any."""
    board = clause.reading.request.storyboard
    shots = list(enumerate(board.shots, 1)) if board else []
    seen = [(n, shot) for n, shot in shots if any(p.character == who for p in shot.placements)]
    alone = [n for n, shot in seen if len(shot.placements) == 1 and shot.framing in ("medium", "close")]
    speaks = [n for n, shot in seen if any(line.character == who for line in shot.dialogue)]
    return next(iter([*alone, *speaks, *(n for n, _ in seen)]), None)


def wider(clause: Clause) -> list[Edit]:
    """`the first shot wider`: one step out, of every shot or of the one that is named."""
    board = clause.reading.request.storyboard
    if board is None or not _has(clause, "wider") or clause.has("framing") or clause.quotes:
        return []
    count = len(board.shots)
    numbers = range(1, count + 1) if clause.shot is None else [clause.shot if clause.shot > 0 else count]
    edits = []
    for number in numbers:
        if number <= count:
            at = _STEPS.index(board.shots[number - 1].framing)
            edits.append(Edit(op="set_framing", shot=number, framing=_STEPS[max(0, at - 1)]))
    return edits


def tone_of(clause: Clause) -> str | None:
    """The mood that a wish for another tone comes nearest to."""
    return next((mood for mood in _TONES if _has(clause, f"tone_{mood}")), None)


def tone(clause: Clause) -> list[Edit]:
    """`make it funnier`: the nearest thing that can be done without making anything up is the music."""
    if clause.mentions or clause.quotes or clause.has("output", "pose", "place", "line"):
        return []
    mood = tone_of(clause)
    if mood is None:
        return []
    clause.reading.notes.assume("tone_set")
    return [Edit.model_validate({"op": "set_mood", "shot": clause.shot, "mood": mood})]


def refuse_unoffered(clause: Clause) -> bool:
    """Say plainly what the studio does not make (`as a gif`, `in 4K`) and what comes nearest."""
    text = clause.page.words(clause.start, clause.end)
    for name in _UNOFFERED:
        if not clause.quotes and pattern(rf"(?<!\w)(?:{{{name}}})(?!\w)").search(text):
            clause.reading.notes.assume(name)
            return True
    return False
