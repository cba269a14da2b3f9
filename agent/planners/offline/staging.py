"""Staging: from the plan of a shot to the shot itself: marks, poses, faces, the action in words.

What the request says of a performance holds in every shot; the rest follows from the lines (a speaker plays the
line, a listener answers it with the face), from the place's small business, or from the hour and the weather.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from agent.intent import Performance
from agent.planners.offline.blocking import Mark, marks_for, single_mark
from agent.planners.offline.direction import Business, Direction, Tongue
from agent.planners.offline.phrasing import about, join_names
from agent.planners.offline.plan import Scene, ShotPlan
from agent.planners.offline.questions import words_of
from agent.planners.offline.sound import ambience_of
from tools.storyboard import Aspect, Emotion, Facing, Line, Mood, Placement, Shot

__all__ = ["MOVING", "Stager", "grounded", "resting_face"]

MOVING = frozenset({"walk", "run", "swim"})
"""Poses that go somewhere: who plays one looks where they go."""
_HEAVY_MOODS: frozenset[Mood] = frozenset({"melancholy", "tense"})
_HEAVY: frozenset[Emotion] = frozenset({"sad", "scared", "angry"})
"""Feelings that no cheerful business goes with."""


def resting_face(scene: Scene, turn: int, direction: Direction) -> Emotion:
    """The face of the `turn`-th person of a scene where nothing is said about feelings."""
    for rest in direction.acting.resting_faces:
        fits = rest.weather in (None, scene.weather) and rest.time in (None, scene.time_of_day)
        if fits and rest.mood in (None, scene.mood):
            return rest.faces[turn % len(rest.faces)]
    return "neutral"


def grounded(pose: str, location: str, direction: Direction) -> str:
    """The pose as the place allows it: people swim where there is no floor, and stand where there is."""
    if direction.floats(location):
        return "swim" if pose in direction.acting.on_land_only else pose
    return pose


@dataclass
class Stager:
    """Stages the shots of one storyboard, in order, so that business is not repeated needlessly.

    Attributes:
        names: by character id: what they are called in actions.
        order: ids from left to right on the stage; sides are kept from shot to shot.
        seed: picks among equals; the same request gives the same storyboard.
        foreign: the request is in a language that business is not told in; its own words stand alone.
    """

    direction: Direction
    aspect: Aspect
    tongue: Tongue
    names: dict[str, str]
    order: tuple[str, ...]
    seed: int
    foreign: bool = False
    _used: list[str] = field(default_factory=list)

    def stage(self, plan: ShotPlan, id_: str, duration_s: float, music: Mood | None) -> Shot:
        """The finished shot."""
        business = self._business(plan)
        played = [self._perform(plan, who, turn, business) for turn, who in enumerate(plan.people)]
        scene = plan.scene
        return Shot(
            id=id_,
            framing=plan.framing,
            camera=plan.camera,
            location=scene.location,
            time_of_day=scene.time_of_day,
            weather=scene.weather,
            duration_s=duration_s,
            action=self._action(plan, played, business)[:1000],
            text_overlay=scene.overlay,
            placements=self._block(plan, played),
            dialogue=list(plan.lines),
            music=music,
            ambience=ambience_of(scene.location, self.direction),
        )

    # -- acting -------------------------------------------------------------------------------------------------------

    def _business(self, plan: ShotPlan) -> Business | None:
        """Something small to do, where nothing else is going on."""
        scene = plan.scene
        stated = any(p.pose for who, p in scene.stated.items() if who in plan.people) or self._asked_for(plan)
        told = bool(scene.action) and not scene.leisure
        feelings = {p.expression for p in scene.stated.values()} | {line.emotion for line in scene.lines}
        if plan.plays != "business" or not plan.people or stated or told or plan.lines or feelings & _HEAVY:
            return None
        if scene.mood in _HEAVY_MOODS:
            return None
        place = self.direction.place(scene.location)
        known = [*(place.business if place else []), *self.direction.anywhere]
        fitting = [
            b
            for b in known
            if b.people <= len(plan.people)
            and plan.framing in b.framings
            and not {scene.weather, scene.time_of_day} & set(b.unless)
        ]
        if not fitting:
            return None
        start = zlib.crc32(f"{self.seed} {scene.location}".encode()) % len(fitting)
        turned = fitting[start:] + fitting[:start]
        general = self.direction.anywhere if place else []
        chosen = min(turned, key=lambda b: (self._used.count(b.id), b in general, b.opens is not plan.opens))
        self._used.append(chosen.id)
        return chosen

    def _asked_for(self, plan: ShotPlan) -> Business | None:
        """The business that the words of the scene name, where its poses are left open (`builds a sandcastle`)."""
        place = self.direction.place(plan.scene.location)
        words = f" {' '.join(words_of(plan.scene.action))} " if plan.scene.action else ""
        known = place.business if place and words else []
        return next((b for b in known if any(f" {word} " in words for word in b.words)), None)

    def _perform(self, plan: ShotPlan, who: str, turn: int, business: Business | None) -> Performance:
        """Pose and face of one person, both settled; facing as far as it was said."""
        scene, acting = plan.scene, self.direction.acting
        stated = scene.stated.get(who, Performance(character=who))
        own = [line for line in plan.lines if line.character == who]
        face = self._face(plan, who, turn, own, stated, business)
        # Who talks stops talking while another one speaks.
        if stated.pose and not (stated.pose == "talk" and scene.lines and not own):
            return Performance(character=who, pose=stated.pose, expression=face, facing=stated.facing)
        if own:
            pose = acting.emotions[own[0].emotion if own[0].emotion != "neutral" else face].speaking[0]
        elif asked := self._asked_for(plan):
            pose = asked.poses[turn % len(asked.poses)]
        elif business:
            pose = business.poses[turn % len(business.poses)]
        else:
            silent = acting.emotions[face].silent
            # A listener stays calm: the line belongs to whoever says it. A close-up is about the face.
            pose = "stand" if plan.lines or plan.plays == "reaction" else silent[self.order.index(who) % len(silent)]
        pose = grounded(pose, scene.location, self.direction)
        return Performance(character=who, pose=pose, expression=face, facing=stated.facing)

    def _face(
        self, plan: ShotPlan, who: str, turn: int, own: list[Line], stated: Performance, business: Business | None
    ) -> Emotion:
        """The line comes first, then what was asked for, then what is heard, then what is done."""
        acting, scene = self.direction.acting, plan.scene
        said = next((line.emotion for line in own if line.emotion != "neutral"), None)
        if said or stated.expression:
            return said or stated.expression or "neutral"
        others = [line.emotion for line in plan.lines if line.character != who]
        heard: Emotion | None = next((feeling for feeling in others if feeling != "neutral"), None)
        heard = heard or self._weighs_on(scene, who)
        if heard:
            answers = acting.emotions[heard].answers
            return answers[self.order.index(who) % len(answers)]
        if stated.pose in acting.pose_faces:
            return acting.pose_faces[stated.pose]
        rest = resting_face(scene, self.order.index(who), self.direction)
        if plan.plays == "reaction":
            last = next((line for line in reversed(scene.lines) if line.character != who), None)
            if last and last.emotion != "neutral":
                return acting.emotions[last.emotion].answers[0]
            if scene.mood in _HEAVY_MOODS:
                return rest
            return self._change_of_face(who, rest)
        if business:
            return business.expressions[turn % len(business.expressions)]
        return rest

    def _change_of_face(self, who: str, rest: Emotion) -> Emotion:
        """What a close-up of a face at rest becomes; another one each time."""
        faces: list[Emotion] = [self.direction.acting.reactions[rest].expression, rest, "happy", "tender", "surprised"]
        face = min(faces, key=lambda f: self._used.count(f"{who} {f}"))
        self._used.append(f"{who} {face}")
        return face

    def _weighs_on(self, scene: Scene, who: str) -> Emotion | None:
        """The heavy feeling of somebody else in the scene: next to one who is angry nobody beams."""
        felt = [p.expression for p in scene.stated.values() if p.character != who]
        felt += [line.emotion for line in scene.lines if line.character != who]
        return next((feeling for feeling in felt if feeling in _HEAVY), None)

    def _action(self, plan: ShotPlan, played: Sequence[Performance], business: Business | None) -> str:
        """What happens, in words: as it was asked for, else what is staged."""
        scene = plan.scene
        names = [self.names[who] for who in plan.people]
        if business:
            played_out = about(business.text, names, self.direction, self.tongue)
            if scene.action and self.foreign:
                return scene.action
            return f"{scene.action.rstrip('.')}. {played_out}" if scene.action else played_out
        if not plan.people or scene.action:
            return scene.action
        if any(scene.stated.get(p.character, p).pose for p in played if p.character in scene.stated):
            return self._stated_action(scene, played)
        if plan.plays == "reaction" and len(played) == 1:
            face = played[0].expression or "neutral"
            return self.direction.acting.reactions[face].text.of(self.tongue).format(who=names[0])
        return self._felt(scene, played)

    def _felt(self, scene: Scene, played: Sequence[Performance]) -> str:
        """Only feelings were asked for: they are what happens."""
        told = [
            self.direction.acting.reactions[p.expression].text.of(self.tongue).format(who=self.names[p.character])
            for p in played
            if p.expression
            and self.direction.acting.reactions[p.expression].expression == p.expression  # Others tell a change.
            and p.character in scene.stated
            and scene.stated[p.character].expression
        ]
        joined = join_names(told, self.direction, self.tongue)
        return joined[:1].upper() + joined[1:]

    def _stated_action(self, scene: Scene, played: Sequence[Performance]) -> str:
        """The poses that were asked for as a sentence: `Luca and Alberto run`."""
        by_pose: dict[str, list[str]] = {}
        for p in played:
            stated = scene.stated.get(p.character)
            if stated and stated.pose in self.direction.acting.poses:
                by_pose.setdefault(stated.pose, []).append(self.names[p.character])
        acts = [
            about(self.direction.acting.poses[pose], who, self.direction, self.tongue) for pose, who in by_pose.items()
        ]
        return join_names(acts, self.direction, self.tongue)

    # -- blocking -----------------------------------------------------------------------------------------------------

    def _block(self, plan: ShotPlan, played: Sequence[Performance]) -> list[Placement]:
        ordered = sorted(played, key=lambda p: self.order.index(p.character))
        marks = self._marks(plan, ordered)
        return [
            Placement(
                character=p.character,
                pose=p.pose or "stand",
                expression=p.expression or "neutral",
                facing=mark.facing,
                x=mark.x,
                depth=mark.depth,
            )
            for p, mark in zip(ordered, marks, strict=True)
        ]

    def _marks(self, plan: ShotPlan, ordered: Sequence[Performance]) -> list[Mark]:
        blocking = self.direction.coverage.blocking
        if not ordered:
            return []
        if len(ordered) == 1:
            return [single_mark(self._side_facing(ordered[0]), blocking)]
        marks = marks_for(len(ordered), plan.framing, self.aspect, blocking)
        all_move = all(p.pose in MOVING for p in ordered)
        turned: list[Mark] = []
        for p, mark in zip(ordered, marks, strict=True):
            facing: Facing = p.facing or ("right" if all_move else mark.facing)
            turned.append(replace(mark, facing=facing))
        return turned

    def _side_facing(self, performance: Performance) -> Facing:
        """Alone in the frame, people keep their side of the stage: those from the left look right."""
        if performance.facing:
            return performance.facing
        count = len(self.order)
        if count == 1:
            return "right" if performance.pose in MOVING else "front"
        rank = self.order.index(performance.character)
        if rank * 2 == count - 1:
            return "front"
        return "right" if rank * 2 < count - 1 else "left"
