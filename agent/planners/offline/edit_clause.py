"""One clause of a follow-up -> edits: the verb, the shot it speaks of, and all that is named in it."""

from __future__ import annotations

from typing import Any

from agent.intent import Edit, Performance
from agent.planners.offline.acting import is_refused, perform
from agent.planners.offline.beats import Cut
from agent.planners.offline.edit_lines import line_by_number, read_line_edits
from agent.planners.offline.lexicon import Match
from agent.planners.offline.limits import read_aspect, read_duration, read_fps
from agent.planners.offline.reading import Reading
from agent.planners.offline.scenery import read_scenery
from agent.planners.offline.wants import ORDER, full_scene

__all__ = ["Clause", "read_clause"]

_WITH = frozenset(["with", "con", "mit", "avec"])
_FILLER = frozenset(
    [
        "please",
        "pls",
        "thanks",
        "thank",
        "you",
        "ok",
        "okay",
        "so",
        "well",
        "great",
        "nice",
        "good",
        "perfect",
        "grazie",
        "bene",
        "bitte",
        "danke",
        "per",
        "favore",
        "hey",
        "hi",
        "ciao",
        "perfetto",
        "bello",
        "cool",
        "now",
        "and",
    ]
)


class Clause:
    """Tokens `start` to `end` of a follow-up with the words of change in them."""

    def __init__(self, reading: Reading, start: int, end: int, verbs: list[Match], previous: Clause | None) -> None:
        self.reading, self.start, self.end, self.verbs = reading, start, end, verbs
        self.page = reading.page
        self.mentions = [m for m in reading.mentions if start <= m.start < end]
        self.quotes = [q for q in self.page.quotes if start <= q.token < end]
        self.previous = previous
        self.disliked: str | None = None
        """A line that the clause only quotes (`I don't like the line "..."`); the next clause may replace it."""
        self.shot = self._shot_named(start, end)
        if self.shot is None and previous is not None and not self.has("thing") and previous.shot is not None:
            self.shot = previous.shot if not self.mentions or self.page.key(start) not in ("add",) else None

    def has(self, *subjects: str) -> bool:
        """Whether something of these subjects stands in the clause."""
        return bool(self.page.of(*subjects, start=self.start, end=self.end))

    def verb(self, *ids: str) -> Match | None:
        """The first word of change of these kinds; `with` adds only where nothing else is said."""
        strict = [m for m in self.verbs if m.id in ids and self.page.key(m.start) not in _WITH]
        return strict[0] if strict else None

    def thing(self, *ids: str) -> Match | None:
        """The first noun of the studio of these kinds."""
        return next((m for m in self.page.of("thing", start=self.start, end=self.end) if m.id in ids), None)

    @property
    def is_filler(self) -> bool:
        """Only politeness: `please`, `thanks`."""
        if self.disliked is not None:
            return True
        words = [t for t in self.page.tokens[self.start : self.end] if t.is_word]
        talk = self.reading.vocabulary.find(
            self.page.tokens[self.start : self.end], self.page.language, frozenset({"smalltalk", "request"})
        )
        return all(t.key in _FILLER for t in words) or sum(m.end - m.start for m in talk) >= len(words)

    def _shot_named(self, start: int, end: int) -> int | None:
        """`the second shot`, `shot 2`, `last shot`, `l'ultima inquadratura`."""
        found = self.shots_named(start, end)
        return found[0][0] if found else None

    def shots_named(self, start: int, end: int) -> list[tuple[int, int]]:
        """(number, token) of every shot spoken of between two tokens."""
        page = self.page
        found: list[tuple[int, int]] = []
        for thing in page.of("thing", start=start, end=end):
            if thing.id not in ("shot", "scene"):
                continue
            before, behind = page.at(thing.start - 1, "ordinal"), page.at(thing.end, "ordinal")
            number = page.at(thing.end, "number")
            if before and before.entry.value:
                found.append((int(before.entry.value), thing.start))
            elif thing.end < len(page.tokens) and page.tokens[thing.end].text.isdigit():
                found.append((min(int(page.tokens[thing.end].text), 99), thing.start))
            elif behind and behind.entry.value and thing.id == "shot":
                found.append((int(behind.entry.value), thing.start))
            elif number and number.entry.value and number.entry.value >= 1:
                found.append((int(number.entry.value), thing.start))
            if found and found[-1][1] == thing.start:
                found += [(n, thing.start) for n in self._numbers_after(thing.end, end)]
        for ordinal in page.of("ordinal", start=start, end=end):
            if not found and page.key(ordinal.end) in ("one", "una") and ordinal.entry.value:
                found.append((int(ordinal.entry.value), ordinal.start))
        return found

    def _numbers_after(self, at: int, end: int) -> list[int]:
        """`shots 1, 2 and 3`: the numbers behind the first."""
        numbers: list[int] = []
        at += 1
        while at + 1 < end and self.page.key(at) in (",", "and", "e", "&", "und", "y", "et"):
            if not self.page.tokens[at + 1].text.isdigit():
                break
            numbers.append(min(int(self.page.tokens[at + 1].text), 99))
            at += 2
        return numbers


def read_clause(clause: Clause) -> list[Edit]:
    """The edits of one clause, in the order they are to be carried out."""
    for reader in (_history, _swap, _replace, _move, _remove, _add_shot, read_line_edits, _text, _add_character):
        found = reader(clause)
        if found:
            return found if reader in (_history, _swap, _replace, _move, _add_shot) else [*found, *_rest(clause, found)]
    return _rest(clause, [])


def _rest(clause: Clause, done: list[Edit]) -> list[Edit]:
    """Attributes named besides: time, weather, place, framing, camera, shape, length, music, outputs, acting."""
    ops = {edit.op for edit in done}
    if ops & {"remove_character", "remove_line", "remove_shot"}:
        return []
    edits = _scenery(clause) if not ops & {"set_line", "add_line"} or not clause.quotes else []
    edits += _length(clause)
    edits += _shape(clause)
    edits += _outputs(clause)
    if not ops & {"add_character", "set_line", "add_line"}:
        edits += _acting(clause)
    return edits


def _history(clause: Clause) -> list[Edit]:
    for op in ("undo", "redo"):
        if clause.verb(op) and not clause.quotes and not clause.has("place", "cast", "time"):
            return [Edit.model_validate({"op": op})]
    return []


def _swap(clause: Clause) -> list[Edit]:
    if not clause.verb("swap"):
        return []
    ids = list(dict.fromkeys(i for m in clause.mentions for i in m.ids))
    shots = clause.shots_named(clause.start, clause.end)
    if not ids and len(shots) == 2:
        (first, _), (second, _) = shots
        low, high = sorted((first, second)) if min(first, second) > 0 else (first, second)
        return (
            [Edit(op="reorder_shot", shot=low, to=high), Edit(op="reorder_shot", shot=high - 1, to=low)]
            if low > 0 and high - low > 1
            else [Edit(op="reorder_shot", shot=low, to=high)]
        )
    if len(ids) == 1 and not clause.page.of("pronoun", start=clause.start, end=clause.end):
        return []
    pair = ids[:2] or list(clause.reading.roster.present)[:2]
    if len(pair) < 2:
        return []
    return [Edit(op="swap", shot=clause.shot, character=pair[0], performance=Performance(character=pair[1]))]


def _replace(clause: Clause) -> list[Edit]:
    """`replace Alberto with Giulia`, `metti Giulia al posto di Alberto`."""
    people = [m for m in clause.mentions if len(m.ids) == 1 and m.kind != "pronoun"]
    if len(people) != 2 or clause.quotes:
        return []
    instead, change = clause.verb("instead"), clause.verb("change")
    if instead is not None and people[0].end <= instead.start < people[1].start:
        new, old = people[0].ids[0], people[1].ids[0]
    elif change is not None and change.start < people[0].start:
        old, new = people[0].ids[0], people[1].ids[0]
    else:
        return []
    members = clause.reading.roster.members
    if new not in members or old == new:
        return []
    return [
        Edit(
            op="add_character",
            shot=clause.shot,
            character=new,
            member=members[new],
            performance=Performance(character=new),
        ),
        Edit(op="remove_character", shot=clause.shot, character=old),
    ]


def _move(clause: Clause) -> list[Edit]:
    shots = clause.shots_named(clause.start, clause.end)
    if not shots or not clause.verb("move", "make", "change"):
        return []
    verbs = {m.id for m in clause.verbs}
    shot = shots[0][0]
    if "end" in verbs:
        return [Edit(op="reorder_shot", shot=shot, to=-1)]
    if "start" in verbs:
        return [Edit(op="reorder_shot", shot=shot, to=1)]
    if not clause.verb("move"):
        return []
    if len(shots) > 1 and verbs & {"before", "after"}:
        other = shots[1][0]
        step = (0 if shot > other else -1) if "before" in verbs else (1 if shot > other else 0)
        return [Edit(op="reorder_shot", shot=shot, to=max(1, other + step) if other > 0 else other)]
    ordinals = [m for m in clause.page.of("ordinal", start=shots[0][1] + 1, end=clause.end) if m.entry.value]
    numbers = [int(t.text) for t in clause.page.tokens[shots[0][1] + 1 : clause.end] if t.text.isdigit()]
    if ordinals:
        return [Edit(op="reorder_shot", shot=shot, to=int(ordinals[-1].entry.value or 1))]
    return [Edit(op="reorder_shot", shot=shot, to=numbers[-1])] if len(numbers) > 1 else []


def _remove(clause: Clause) -> list[Edit]:
    verb = clause.verb("remove")
    page = clause.page
    refusing = next((m for m in page.of("negation", start=clause.start, end=clause.end) if m.id == "none"), None)
    begin = verb.start if verb else refusing.start if refusing else None
    if begin is None:
        return []
    people = [m for m in clause.mentions if m.start >= begin] + _refused_people(clause, begin)
    if clause.quotes or clause.thing("line"):
        quote = clause.quotes[0].text if clause.quotes else None
        ids = [i for m in clause.mentions for i in m.ids]
        if clause.thing("title_card", "overlay", "title") and not clause.thing("line"):
            return [Edit(op="set_overlay", shot=clause.shot, text="")]
        quote = quote or line_by_number(clause)
        return [Edit(op="remove_line", shot=clause.shot, character=ids[0] if ids else None, old_text=quote)]
    if people:
        gone = dict.fromkeys(i for m in people for i in m.ids)
        return [Edit(op="remove_character", shot=clause.shot, character=i) for i in gone]
    shots = clause.shots_named(begin, clause.end)
    thing = clause.thing("shot", "scene")
    if verb and shots and thing and not clause.has("time", "weather", "output", "camera"):
        numbers = sorted({n for n, _ in shots if n > 0}, reverse=True) + [n for n, _ in shots if n < 0]
        return [Edit(op="remove_shot", shot=number) for number in numbers]
    if clause.thing("title_card", "overlay", "title"):
        return [Edit(op="set_overlay", shot=clause.shot, text="")]
    if clause.has("camera") or (clause.thing("camera") and verb):
        return [Edit(op="set_camera", shot=clause.shot, camera="static")]
    weather = page.of("weather", start=begin, end=clause.end)
    if weather and verb:
        return [Edit(op="set_weather", shot=clause.shot, weather="clear")]
    outputs = [m.id for m in page.of("output", start=begin, end=clause.end)]
    if outputs and verb and not refusing:
        return _without(clause, outputs)
    return []


def _refused_people(clause: Clause, begin: int) -> list[Any]:
    """Those behind `no` and `without`, whom the casting has set aside."""
    found = []
    for match in clause.page.of("cast", "spelling", start=begin, end=clause.end):
        if not any(m.start <= match.start < m.end for m in clause.mentions):
            found.append(_Named((match.id,)))
    return found


class _Named:
    def __init__(self, ids: tuple[str, ...]) -> None:
        self.ids = ids


def _without(clause: Clause, outputs: list[str]) -> list[Edit]:
    if outputs == ["music"]:
        return [Edit(op="mute_music", shot=clause.shot)]
    edits = [Edit(op="mute_music", shot=clause.shot)] if "music" in outputs else []
    left = [kind for kind in _base_outputs(clause) if kind not in outputs]
    return [*edits, Edit.model_validate({"op": "set_outputs", "outputs": left or ["image"]})]


def _base_outputs(clause: Clause) -> list[str]:
    board = clause.reading.request.storyboard
    return list(full_scene(bool(board and any(shot.dialogue for shot in board.shots))))


def _add_shot(clause: Clause) -> list[Edit]:
    verb = clause.verb("add", "fresh")
    thing = clause.thing("shot", "scene", "title_card")
    page = clause.page
    if verb is None or thing is None or not verb.start < thing.start <= verb.end + 5:
        return []
    if (
        page.key(thing.start - 1) in ("the", "la", "this", "to", "il")
        or page.at(thing.end, "number")
        or (thing.id == "shot" and page.at(thing.start - 1, "ordinal"))
    ):
        return []
    if thing.end < len(page.tokens) and page.tokens[thing.end].is_number:
        return []
    if any(
        page.tokens[at].key in ("to", "in", "at", "a", "in") and page.key(at + 1) in ("the", "this")
        for at in range(verb.end, thing.start)
    ):
        return []
    beat = clause.reading.beat(Cut(verb.end, clause.end, True))
    if thing.id == "title_card" and not beat.text_overlay:
        text = clause.quotes[0].text[:200] if clause.quotes else ""
        if not text:
            return []
        beat = beat.model_copy(update={"text_overlay": text, "dialogue": []})
    verbs = {m.id for m in clause.verbs}
    others = clause.shots_named(thing.end, clause.end)
    if "start" in verbs or (thing.id == "title_card" and not others and "end" not in verbs):
        return [Edit(op="add_shot", to=1, beat=beat)]
    if others and verbs & {"before", "after"}:
        number = others[-1][0]
        return [Edit(op="add_shot", to=number if "before" in verbs else number + 1 if number > 0 else -1, beat=beat)]
    return [Edit(op="add_shot", beat=beat)]


def _text(clause: Clause) -> list[Edit]:
    """Titles: of the film, or drawn over the picture."""
    thing = clause.thing("title", "overlay", "title_card")
    if thing is None or not clause.quotes:
        return []
    text = clause.quotes[-1].text
    film = (
        thing.id == "title"
        and (
            clause.verb("change", "make") is not None
            or clause.page.key(thing.start) in ("called", "titled", "named")
            or clause.page.key(thing.end) == ":"
        )
        and not clause.verb("add")
    )
    if film:
        return [Edit(op="set_title", text=text[:120])]
    return [Edit(op="set_overlay", shot=clause.shot, text=text[:200])]


def _add_character(clause: Clause) -> list[Edit]:
    verb = clause.verb("add") or next((m for m in clause.verbs if m.id == "add"), None)
    if verb is None or not clause.mentions:
        return []
    roster = clause.reading.roster
    new = [m for m in clause.mentions if m.kind != "pronoun"]
    weak = clause.page.key(verb.start) in _WITH
    if weak and (clause.verb("change", "make") or any(i in roster.present for m in new for i in m.ids)):
        return []
    acts = {p.character: p for p in perform(clause.page, clause.reading.mentions, clause.start, clause.end)}
    ids = list(
        dict.fromkeys(
            i
            for m in new
            for i in m.ids
            if m.start >= verb.end or clause.page.key(verb.start) in ("joins", "join", "joined")
        )
    )
    fresh = [i for i in ids if i not in roster.present] or ids[:1]
    beside = [i for i in ids if i in roster.present and i not in fresh]
    if not fresh:
        return []
    for id_ in [i for i in fresh if i in roster.present]:
        clause.reading.notes.assume("already_there", name=roster.name(id_))
    del beside
    return [
        Edit(
            op="set_performance" if i in roster.present and _acts(acts.get(i)) else "add_character",
            shot=clause.shot,
            character=i,
            member=roster.members[i],
            performance=acts.get(i) or Performance(character=i),
        )
        for i in fresh
        if i in roster.members
    ]


def _acts(act: Performance | None) -> bool:
    return act is not None and bool(act.pose or act.expression or act.facing)


def _scenery(clause: Clause) -> list[Edit]:
    """Time, weather, place, mood, framing, camera, style."""
    page = clause.page
    found = read_scenery(page, clause.start, clause.end, clause.reading.vocabulary, clause.reading.notes)
    shot = clause.shot
    edits: list[Edit] = []
    if "time_of_day" in found:
        edits.append(Edit(op="set_time", shot=shot, time_of_day=found["time_of_day"]))
    if "weather" in found:
        edits.append(Edit(op="set_weather", shot=shot, weather=found["weather"]))
    if "location" in found:
        edits.append(Edit(op="set_place", shot=shot, location=found["location"], text=found.get("location_words")))
    moods = _music_mood(clause) if _of_music(clause) else found.get("mood")
    if moods:
        edits.append(Edit(op="set_mood", shot=shot, mood=moods))
    framing = found.get("framing") or next((m.id for m in page.of("framing", start=clause.start, end=clause.end)), None)
    if framing and not is_refused(page, page.of("framing", start=clause.start, end=clause.end)[0]):
        edits.append(Edit.model_validate({"op": "set_framing", "shot": shot, "framing": framing}))
    camera = [m for m in page.of("camera", start=clause.start, end=clause.end)]
    if camera:
        move = "static" if is_refused(page, camera[0]) else camera[0].id
        edits.append(Edit.model_validate({"op": "set_camera", "shot": shot, "camera": move}))
    style = page.of("style", start=clause.start, end=clause.end)
    if style:
        edits.append(Edit(op="set_style", text=style[0].id))
    return edits


def _music_mood(clause: Clause) -> Any:
    """`sadder music`, `the music is too sad, something happier`."""
    page = clause.page
    if not _of_music(clause):
        return None
    for match in page.of("mood", "emotion", start=clause.start, end=clause.end):
        if not is_refused(page, match) and page.key(match.start - 1) not in ("too", "troppo", "less", "meno"):
            return match.id if match.subject == "mood" else match.entry.goes_with
    for match in clause.verbs:
        if match.id in ("slower", "faster"):
            return "calm" if match.id == "slower" else "adventurous"
    return None


def _of_music(clause: Clause) -> bool:
    """Whether a clause, or the one it goes on from, speaks of the music and of nobody."""
    begin = clause.previous.start if clause.previous and not clause.mentions else clause.start
    return any(m.id == "music" for m in clause.page.of("output", start=begin, end=clause.end))


def _length(clause: Clause) -> list[Edit]:
    page, notes = clause.page, clause.reading.notes
    if fps := read_fps(page, notes):
        if any(u.entry.value == 0 for u in page.of("unit", start=clause.start, end=clause.end)):
            return [Edit(op="set_fps", fps=fps)]
    seconds = read_duration(page, notes, clause.start, clause.end, whole=False)
    more, less = clause.verb("longer"), clause.verb("shorter")
    if seconds is not None and (more or less) and _by(clause):
        now = _length_now(clause)
        wanted = max(0.5, now + seconds if more else now - seconds)
        return [Edit(op="set_duration", shot=clause.shot, duration_s=round(wanted, 2))]
    if seconds is not None:
        return [Edit(op="set_duration", shot=clause.shot, duration_s=seconds)]
    text = page.words(clause.start, clause.end).lower()
    for words, factor in (
        ("half as long", 0.5),
        ("twice as long", 2.0),
        ("double the length", 2.0),
        ("half the length", 0.5),
        ("lungo il doppio", 2.0),
        ("il doppio più lung", 2.0),
        ("la metà", 0.5),
        ("dimezza", 0.5),
        ("raddoppia", 2.0),
    ):
        if words in text:
            return [Edit(op="set_duration", shot=clause.shot, factor=factor)]
    music = any(m.id == "music" for m in page.of("output", start=clause.start, end=clause.end))
    if more or less:
        return [Edit(op="set_duration", shot=clause.shot, factor=1.4 if more else 0.7)]
    slower, faster = clause.verb("slower"), clause.verb("faster")
    if (slower or faster) and not music and not clause.mentions:
        camera = page.of("camera", start=clause.start, end=clause.end) or clause.thing("camera")
        if camera:
            notes.assume("slower_camera" if slower else "faster_camera")
        return [Edit(op="set_duration", shot=clause.shot, factor=1.3 if slower else 0.75)]
    return []


def _by(clause: Clause) -> bool:
    """`2 seconds longer`, `shorten it by 3 seconds`, not `make it longer: 20 seconds`."""
    page = clause.page
    unit = page.of("unit", start=clause.start, end=clause.end)[0]
    return page.key(unit.end) in ("longer", "shorter", "più", "in") or any(
        page.key(at) in ("by", "di", "um") for at in range(max(clause.start, unit.start - 3), unit.start)
    )


def _length_now(clause: Clause) -> float:
    board = clause.reading.request.storyboard
    if board is None:
        return 0.0
    if clause.shot and 0 < clause.shot <= len(board.shots):
        return board.shots[clause.shot - 1].duration_s
    return board.shots[-1].duration_s if clause.shot == -1 else board.duration_s


def _shape(clause: Clause) -> list[Edit]:
    if clause.has("aspect") or any(t.is_number for t in clause.page.tokens[clause.start : clause.end]):
        aspect = read_aspect(clause.page, clause.reading.notes)
        if aspect:
            return [Edit(op="set_aspect", aspect=aspect)]
    return []


def _outputs(clause: Clause) -> list[Edit]:
    """`only the picture`, `no music`, `and now with subtitles`."""
    page, wants = clause.page, clause.reading.wants
    verbs = {at for m in clause.verbs if m.id in ("longer", "shorter") for at in range(m.start, m.end)}
    here = {m.id for m in page.of("output", start=clause.start, end=clause.end) if m.start not in verbs}
    if any(m.id == "burn" for m in page.of("request", start=clause.start, end=clause.end)):
        here.add("subtitles")
    silent = any(m.id in ("silent", "soundless") for m in page.of("negation", start=clause.start, end=clause.end))
    only, refused = wants.only & here, (wants.refused & here) | ({"voice"} if silent else set())
    if any(m.id == "soundless" for m in page.of("negation", start=clause.start, end=clause.end)):
        refused = refused | {"music"}
    if only:
        return [Edit.model_validate({"op": "set_outputs", "outputs": [kind for kind in ORDER if kind in only]})]
    if refused:
        return _without(clause, [str(kind) for kind in refused])
    added = (wants.added | wants.head) & here - {"video", "image", "music"}
    if "music" in here and not _music_mood(clause) and clause.verb("add", "make"):
        clause.reading.notes.assume("which_music")
        board = clause.reading.request.storyboard
        quiet = board is not None and all(shot.music is None for shot in board.shots)
        if quiet:
            return [Edit(op="set_mood", shot=clause.shot, mood="calm")]
        added = added | {"music"}
    if added:
        base = set(_base_outputs(clause)) | set(added)
        return [Edit.model_validate({"op": "set_outputs", "outputs": [kind for kind in ORDER if kind in base]})]
    if (
        here & {"image", "video"}
        and wants.head & here
        and not clause.mentions
        and not clause.has(
            "time", "place", "weather", "aspect", "style", "mood", "emotion", "unit", "camera", "framing"
        )
    ):
        chosen = wants.head & here
        if chosen == {"image"} or (chosen == {"video"} and clause.verb("make", "change") is None):
            outputs = ["image"] if chosen == {"image"} else _base_outputs(clause)
            return [Edit.model_validate({"op": "set_outputs", "outputs": outputs})]
    return []


def _acting(clause: Clause) -> list[Edit]:
    """Poses, emotions and facings of those who are named, or of the only one they can mean."""
    page = clause.page
    acts = perform(page, clause.reading.mentions, clause.start, clause.end)
    edits = [
        Edit(op="set_performance", shot=clause.shot, character=act.character, performance=act)
        for act in acts
        if _acts(act)
    ]
    if (
        not edits
        and clause.mentions
        and any(is_refused(page, m) for m in page.of("emotion", start=clause.start, end=clause.end))
    ):
        return [  # `Alberto shouldn't be smiling`
            Edit(
                op="set_performance",
                shot=clause.shot,
                character=i,
                performance=Performance(character=i, expression="neutral"),
            )
            for m in clause.mentions
            for i in m.ids
        ]
    if edits or clause.mentions:
        return edits
    present = list(clause.reading.roster.present)
    if _of_music(clause):
        return []
    shown = [
        m for m in page.of("pose", "emotion", "facing", start=clause.start, end=clause.end) if not is_refused(page, m)
    ]
    if not shown or page.of("output", start=clause.start, end=clause.end):
        return []
    who = (
        [i for m in clause.previous.mentions for i in m.ids]
        if clause.previous and clause.previous.mentions
        else present
    )
    fields = {{"pose": "pose", "emotion": "expression", "facing": "facing"}[m.subject]: m.id for m in reversed(shown)}
    return [
        Edit(
            op="set_performance",
            shot=clause.shot,
            character=i,
            performance=Performance.model_validate({"character": i, **fields}),
        )
        for i in dict.fromkeys(who)
    ]
