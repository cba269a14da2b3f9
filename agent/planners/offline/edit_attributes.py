"""What a clause of a follow-up changes of the whole: time, place, camera, length, shape, outputs, acting."""

from __future__ import annotations

from typing import Any

from agent.intent import Edit, Performance
from agent.planners.offline.acting import is_refused, perform
from agent.planners.offline.clause import Clause
from agent.planners.offline.direction import load_direction
from agent.planners.offline.edit_deeds import deed_only, enters, is_there, told_in
from agent.planners.offline.edit_direct import side_in, tone_of
from agent.planners.offline.edit_staging import asks_for_output
from agent.planners.offline.limits import read_aspect, read_duration, read_fps
from agent.planners.offline.scenery import read_scenery
from agent.planners.offline.scenes import told_feeling
from agent.planners.offline.wants import ORDER, full_scene
from agent.planners.offline.wordlists import holds, word_values, words

__all__ = ["has_acts", "read_attributes", "without"]


def read_attributes(clause: Clause, done: list[Edit]) -> list[Edit]:
    """Attributes named besides: time, weather, place, framing, camera, shape, length, music, outputs, acting."""
    ops = {edit.op for edit in done}
    if ops & {"remove_character", "remove_line", "remove_shot", "undo"}:
        return []
    edits = _scenery(clause) if not ops & {"set_line", "add_line"} or not clause.quotes else []
    edits = [edit for edit in edits if edit.op not in ops]  # `remove the fog` names the fog that goes.
    if "move_character" in ops:  # `closer to the camera` is said of one of them, not of the frame.
        edits = [edit for edit in edits if edit.op not in ("set_framing", "set_camera")]
    edits += _length(clause)
    edits += _shape(clause)
    edits += _outputs(clause)
    if not ops & {"add_character", "set_line", "add_line"}:
        edits += _acting(clause)
    return edits


def without(clause: Clause, outputs: list[str]) -> list[Edit]:
    if outputs == ["music"]:
        return [Edit(op="mute_music", shot=clause.shot)]
    edits = [Edit(op="mute_music", shot=clause.shot)] if "music" in outputs else []
    left = [kind for kind in _base_outputs(clause) if kind not in outputs]
    return [*edits, Edit.model_validate({"op": "set_outputs", "outputs": left or ["image"]})]


def _base_outputs(clause: Clause) -> list[str]:
    board = clause.reading.request.storyboard
    return list(full_scene(bool(board and any(shot.dialogue for shot in board.shots))))


def has_acts(act: Performance | None) -> bool:
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
    if "location" in found and (gone := _replaced_place(clause)):
        found = {**found, "location": gone, "location_words": None}
    if "location" in found:
        edits.append(Edit(op="set_place", shot=shot, location=found["location"], text=found.get("location_words")))
    moods = _music_mood(clause) if _of_music(clause) else None if _felt(clause) else found.get("mood")
    if moods:
        part = -1 if clause.verb("end") else 1 if clause.verb("start") else None
        edits.append(Edit(op="set_mood", shot=part if shot is None else shot, mood=moods))
    framing = found.get("framing") or next((m.id for m in page.of("framing", start=clause.start, end=clause.end)), None)
    if framing and not is_refused(page, page.of("framing", start=clause.start, end=clause.end)[0]):
        edits.append(Edit.model_validate({"op": "set_framing", "shot": shot, "framing": framing}))
    camera = page.of("camera", start=clause.start, end=clause.end)
    if camera:
        less = page.key(camera[0].start - 1) in words("too_much")
        move = "static" if less or is_refused(page, camera[0]) else camera[0].id
        edits.append(Edit.model_validate({"op": "set_camera", "shot": shot, "camera": move}))
    style = page.of("style", start=clause.start, end=clause.end)
    if style:
        edits.append(Edit(op="set_style", text=style[0].id))
    return edits


def _replaced_place(clause: Clause) -> str | None:
    """`replace the beach with the forest`: of two places the one that is to come."""
    places = [m for m in clause.page.of("place", start=clause.start, end=clause.end) if not m.entry.instead]
    change = clause.verb("change")
    if len({m.id for m in places}) < 2 or change is None or change.start > places[0].start:
        return None
    return places[-1].id


def _music_mood(clause: Clause) -> Any:
    """`sadder music`, `the music is too sad, something happier`."""
    page = clause.page
    if not _of_music(clause):
        return None
    for match in page.of("mood", "emotion", start=clause.start, end=clause.end):
        if not is_refused(page, match) and page.key(match.start - 1) not in words("too_much"):
            return match.id if match.subject == "mood" else match.entry.goes_with
    if wished := tone_of(clause):
        return wished
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
    rate = any(u.entry.value == 0 for u in page.of("unit", start=clause.start, end=clause.end))
    if rate and (fps := read_fps(page, notes)):
        return [Edit(op="set_fps", fps=fps)]
    seconds = read_duration(page, notes, clause.start, clause.end, whole=False)
    more, less = clause.verb("longer"), clause.verb("shorter")
    if seconds is not None and (more or less) and _by(clause):
        now = _length_now(clause)
        wanted = max(0.5, now + seconds if more else now - seconds)
        return [Edit(op="set_duration", shot=clause.shot, duration_s=round(wanted, 2))]
    if seconds is not None:
        return [Edit(op="set_duration", shot=clause.shot, duration_s=seconds)]
    said = f" {' '.join(t.key for t in page.tokens[clause.start : clause.end])} "
    for amount, factor in word_values("half", "twice").items():
        if f" {amount} " in said:
            return [Edit(op="set_duration", shot=clause.shot, factor=factor)]
    music = any(m.id == "music" for m in page.of("output", start=clause.start, end=clause.end))
    if more or less:
        return [Edit(op="set_duration", shot=clause.shot, factor=_scaled(clause, 1.4 if more else 0.7))]
    slower, faster = clause.verb("slower"), clause.verb("faster")
    voice = any(m.id == "voice" for m in page.of("output", start=clause.start, end=clause.end))
    if (slower or faster) and not music and not voice and not clause.mentions:
        camera = page.of("camera", start=clause.start, end=clause.end) or clause.thing("camera")
        if camera:
            notes.assume("slower_camera" if slower else "faster_camera")
        return [Edit(op="set_duration", shot=clause.shot, factor=_scaled(clause, 1.3 if slower else 0.75))]
    return []


def _by(clause: Clause) -> bool:
    """`2 seconds longer`, `shorten it by 3 seconds`, not `make it longer: 20 seconds`."""
    page = clause.page
    unit = page.of("unit", start=clause.start, end=clause.end)[0]
    return page.key(unit.end) in words("behind_amount") or any(
        page.key(at) in words("by_amount") for at in range(max(clause.start, unit.start - 3), unit.start)
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
        return without(clause, [str(kind) for kind in refused])
    if "voice" in here and clause.verb("slower", "faster"):
        return []  # How fast they speak follows from how they feel; a voice asked for is there already.
    timed = any(m.start > clause.start for m in page.of("unit", start=clause.start, end=clause.end))  # `ora un video`
    besides = clause.verb("remove") or clause.mentions or clause.has("aspect", "style") or timed
    if here and not besides and asks_for_output(clause):
        return _made_of(clause, here)
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


def _made_of(clause: Clause, here: set[str]) -> list[Edit]:
    """`now make the film`, `with music too`, `give me the picture`: what is asked for, and all that it needs."""
    film = set(_base_outputs(clause))
    if here == {"image"} and not clause.verb("add"):
        chosen = {"image"}
    elif here <= {"script", "transcript"}:
        chosen = here if not clause.verb("add") else film | here
    else:
        chosen = film | here
    return [Edit.model_validate({"op": "set_outputs", "outputs": [kind for kind in ORDER if kind in chosen]})]


def _felt(clause: Clause) -> str | None:
    """The feeling of somebody who is named, where a phrase reads as a mood: `vorrei Luca più triste`."""
    page = clause.page
    moods = page.of("mood", start=clause.start, end=clause.end)
    if len(clause.mentions) != 1 or clause.has("emotion", "output") or not moods:
        return None
    last = page.tokens[moods[0].end - 1 : moods[0].end]
    found = clause.reading.vocabulary.find(last, page.language, frozenset({"emotion"}))
    return found[0].id if found else None


def _softened(clause: Clause) -> set[str]:
    """Feelings that are to be less: `less scared`, `troppo felice`."""
    page = clause.page
    found = page.of("emotion", start=clause.start, end=clause.end)
    return {m.id for m in found if page.key(m.start - 1) in words("too_much") and not is_refused(page, m)}


def _soften(act: Performance, softened: set[str]) -> Performance:
    """A feeling that is to be less: of excitement joy is left, of any other a calm face."""
    if act.expression not in softened:
        return act
    return act.model_copy(update={"expression": "happy" if act.expression == "excited" else "neutral"})


def _scaled(clause: Clause, factor: float) -> float:
    """`a bit shorter`, `much longer`: less or more of the change."""
    keys = [token.key for token in clause.page.tokens[clause.start : clause.end]]

    power = 0.5 if holds(keys, "a_bit") else 1.6 if holds(keys, "a_lot") else 1.0
    return round(float(factor**power), 2)


def _acting(clause: Clause) -> list[Edit]:
    """Poses, emotions and facings of those who are named, or of the only one they can mean."""
    page = clause.page
    softened = _softened(clause)
    acts = [_soften(act, softened) for act in perform(page, clause.reading.mentions, clause.start, clause.end)]
    if feeling := _felt(clause):
        acts = [Performance.model_validate({"character": i, "expression": feeling}) for i in clause.mentions[0].ids]
    roster = clause.reading.roster
    told = told_in(clause)
    part = -1 if clause.verb("end") else 1 if clause.verb("start") else None  # `make them hug at the end`
    shot = part if clause.shot is None else clause.shot
    felt = told_feeling(page.words(clause.start, clause.end), load_direction())
    acts = [a.model_copy(update={"expression": a.expression or felt}) if a.pose else a for a in acts]
    edits = [
        Edit(
            op="set_performance" if is_there(clause, act.character, shot) else "add_character",
            shot=shot,
            character=act.character,
            member=None if act.character in roster.present else roster.members.get(act.character),
            performance=act,
            text=told if act.pose and is_there(clause, act.character, shot) else None,
        )
        for act in acts
        if has_acts(act) or enters(clause, act.character)
    ]
    if not edits and (deed := deed_only(clause)):
        return deed
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
    if edits and (side := side_in(clause, clause.start, clause.end)):  # `can Alberto watch from the background?`
        come = [e.character for e in edits if e.op == "add_character"]
        edits += [Edit(op="move_character", shot=clause.shot, character=i, side=side) for i in come]
    if edits or clause.mentions:
        return edits
    present = list(clause.reading.roster.present)
    if _of_music(clause) or (tone_of(clause) and not clause.previous):
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
            performance=_soften(Performance.model_validate({"character": i, **fields}), softened),
        )
        for i in dict.fromkeys(who)
    ]
