"""Answers about the present storyboard: its length, its shots, who is there, what is said, how it sounds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from agent.planners.offline.direction import Direction, Tongue
from agent.planners.offline.phrasing import join_names, short_name
from agent.planners.offline.questions import Answers, shot_number
from tools.storyboard import Shot, Storyboard

__all__ = ["StoryboardQuestion", "answer_about_storyboard"]

MOST_LINES = 20


@dataclass(frozen=True)
class StoryboardQuestion:
    """A question about a storyboard: its words, whom it names, and the data to answer it with."""

    text: str
    board: Storyboard
    characters: tuple[str, ...]
    direction: Direction
    answers: Answers
    tongue: Tongue

    def say(self, reply: str, /, **values: object) -> str:
        """A reply in the user's language."""
        return self.answers.say(reply, self.tongue, **values)

    def names(self, shots: list[Shot]) -> str:
        """Who is in these shots."""
        present = {p.character for shot in shots for p in shot.placements}
        return self.join([short_name(m) for m in self.board.cast if m.id in present])

    def join(self, parts: list[str]) -> str:
        """`a, b and c`, each once."""
        return join_names(list(dict.fromkeys(parts)), self.direction, self.tongue)

    def name(self, character: str) -> str:
        """What a character is called."""
        return next((short_name(m) for m in self.board.cast if m.id == character), character.title())

    def place(self, location: str) -> str:
        """The name of a place."""
        place = self.direction.place(location)
        return place.names.of(self.tongue) if place else location.replace("_", " ")

    def shots_words(self) -> str:
        """`one shot`, `3 shots`."""
        count = len(self.board.shots)
        return self.say("one_shot") if count == 1 else self.say("n_shots", count=count)

    def shot_list(self, numbers: list[int]) -> str:
        """`shots 1, 2 and 4`."""
        listed = self.join([str(n) for n in numbers])
        return self.say("shot_list_one" if len(numbers) == 1 else "shot_list_many", shots=listed)


def answer_about_storyboard(topic: str, question: StoryboardQuestion) -> str:
    """The answer to a question of one of the topics that are about the storyboard."""
    wanted = shot_number(question.text)
    count = len(question.board.shots)
    if wanted is None or topic == "shot_count":
        return _OF_SCENE[topic](question, list(range(1, count + 1)), None)
    shot = count if wanted == -1 else wanted
    if not 1 <= shot <= count:
        return question.say("no_such_shot", shot=shot, count=count)
    # A shot that is named and nothing else asked of it is described.
    return _OF_SCENE["shot" if topic == "summary" else topic](question, [shot], shot)


def _length(q: StoryboardQuestion, numbers: list[int], shot: int | None) -> str:
    if shot is not None:
        return q.say("shot_length", shot=shot, seconds=q.board.shots[numbers[0] - 1].duration_s)
    return q.say("length", title=q.board.title, seconds=q.board.duration_s, shots=q.shots_words())


def _shot_count(q: StoryboardQuestion, _numbers: list[int], _shot: int | None) -> str:
    return q.say("shot_count", title=q.board.title, seconds=q.board.duration_s, shots=q.shots_words())


def _describe(q: StoryboardQuestion, at: int) -> str:
    """One shot in a sentence, with its action and its lines."""
    shot, phrases = q.board.shots[at - 1], q.direction.phrases
    names = q.names([shot])
    weather = "" if shot.weather == "clear" else f" {phrases.weathers[shot.weather].of(q.tongue)}"
    told = q.say(
        "shot",
        shot=at,
        framing=phrases.framings[shot.framing].of(q.tongue),
        camera=phrases.cameras[shot.camera].of(q.tongue),
        place=q.place(shot.location),
        time=phrases.times[shot.time_of_day].of(q.tongue),
        weather=weather,
        seconds=shot.duration_s,
        who=q.say("in_shot", names=names) if names else q.say("nobody_in_shot"),
    )
    parts = [told]
    if shot.action:
        parts.append(shot.action.rstrip(".") + ".")
    if shot.text_overlay:
        parts.append(f"[{shot.text_overlay}]")
    parts += [q.say("line", name=q.name(line.character), text=line.text) for line in shot.dialogue]
    return " ".join(parts)


def _shot(q: StoryboardQuestion, numbers: list[int], shot: int | None) -> str:
    return _describe(q, numbers[0]) if shot is not None else _summary(q, numbers, None)


def _summary(q: StoryboardQuestion, numbers: list[int], _shot: int | None) -> str:
    head = q.say("summary", title=q.board.title, seconds=q.board.duration_s, aspect=q.board.aspect)
    return "\n".join([head, *(_describe(q, at) for at in numbers)])


def _who_there(q: StoryboardQuestion, numbers: list[int], shot: int | None) -> str:
    shots = [q.board.shots[at - 1] for at in numbers]
    if len(q.characters) == 1:
        who = q.characters[0]
        inside = [at for at in numbers if any(p.character == who for p in q.board.shots[at - 1].placements)]
        if not inside:
            return q.say("not_in_scene", name=q.name(who))
        return q.say("yes_in_scene", name=q.name(who), shots=q.shot_list(inside))
    names = q.names(shots)
    if not names:
        return q.say("nobody_in_scene")
    return q.say("who_in_shot", shot=shot, names=names) if shot is not None else q.say("who_in_scene", names=names)


def _lines(q: StoryboardQuestion, numbers: list[int], shot: int | None) -> str:
    lines = [line for at in numbers for line in q.board.shots[at - 1].dialogue]
    if q.characters:
        own = [line for line in lines if line.character in q.characters]
        if not own:
            return q.say("no_lines_of", name=q.join([q.name(who) for who in q.characters]))
        lines = own
    if not lines:
        return q.say("no_lines_in_shot", shot=shot) if shot is not None else q.say("no_lines")
    told = [q.say("line", name=q.name(line.character), text=line.text) for line in lines[:MOST_LINES]]
    return "\n".join([*told, *(["..."] if len(lines) > MOST_LINES else [])])


def _music(q: StoryboardQuestion, numbers: list[int], _shot: int | None) -> str:
    moods = [mood for at in numbers if (mood := q.board.shots[at - 1].music) is not None]
    if not moods:
        return q.say("no_music")
    return q.say("music", moods=q.join([q.direction.phrases.moods[mood].of(q.tongue) for mood in moods]))


def _title(q: StoryboardQuestion, _numbers: list[int], _shot: int | None) -> str:
    return q.say("title", title=q.board.title)


def _where(q: StoryboardQuestion, numbers: list[int], _shot: int | None) -> str:
    return q.say("where", places=q.join([q.place(q.board.shots[at - 1].location) for at in numbers]))


def _when(q: StoryboardQuestion, numbers: list[int], _shot: int | None) -> str:
    phrases, shots = q.direction.phrases, [q.board.shots[at - 1] for at in numbers]
    return q.say(
        "when",
        times=q.join([phrases.times[shot.time_of_day].of(q.tongue) for shot in shots]),
        weathers=q.join([phrases.weathers[shot.weather].of(q.tongue) for shot in shots]),
    )


def _doing(q: StoryboardQuestion, numbers: list[int], shot: int | None) -> str:
    told = []
    for at in numbers:
        for p in q.board.shots[at - 1].placements:
            if not q.characters or p.character in q.characters:
                face = q.direction.phrases.emotions[p.expression].of(q.tongue)
                pose = _pose(q, p.pose)
                told.append(q.say("doing", shot=at, name=q.name(p.character), pose=pose, expression=face))
    return "\n".join(told) or _who_there(q, numbers, shot)


def _pose(q: StoryboardQuestion, pose: str) -> str:
    forms = q.direction.acting.poses.get(pose)
    return forms.of(q.tongue).one.format(who="").strip() if forms else pose.replace("_", " ")


def _format(q: StoryboardQuestion, _numbers: list[int], _shot: int | None) -> str:
    width, height = q.board.size
    style = q.board.style.replace("_", " ")
    return q.say("format", aspect=q.board.aspect, width=width, height=height, fps=q.board.fps, style=style)


_OF_SCENE: Mapping[str, Callable[[StoryboardQuestion, list[int], int | None], str]] = MappingProxyType(
    {
        answer.__name__.removeprefix("_"): answer
        for answer in (
            _length,
            _shot_count,
            _shot,
            _summary,
            _who_there,
            _lines,
            _music,
            _title,
            _where,
            _when,
            _doing,
            _format,
        )
    }
)
"""By topic of direction/answers.yaml; each answer has the name of its topic."""
