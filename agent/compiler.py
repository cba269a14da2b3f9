"""Compiles a storyboard to its graph of tool calls: the one place that knows what a scene is made of.

Stage 0 makes what can be judged alone (stills, voices, music, ambience); stage 1 what is built from the best of
those (shots in motion, subtitles, sound, film). Nothing here runs anything.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from itertools import groupby
from typing import Any

from agent.lineup import Lineup
from agent.state import Override
from tools.base import Call
from tools.storyboard import Line, Shot, Storyboard

__all__ = ["FIRST_STAGE", "LAST_STAGE", "compile_calls", "unspoken_lines"]

FIRST_STAGE, LAST_STAGE = 0, 1
BED_SPARE_S = 3.0
"""Music and ambience are made this much longer than the storyboard: speech may stretch a shot."""
SEED_OF_VARIATION = 1000


def compile_calls(
    storyboard: Storyboard,
    outputs: Iterable[str],
    *,
    seed: int = 0,
    variation: int = 1,
    burn_subtitles: bool = False,
    overrides: Mapping[str, Override] | None = None,
    lost: Collection[str] = (),
    lineup: Lineup | None = None,
    preset: str = "",
) -> list[Call]:
    """Every call that the outputs need, in the order of the story.

    Args:
        storyboard: what to make.
        outputs: of `image voice music subtitles video`; others are not made by calls.
        seed: base seed.
        variation: 1-based; the calls of a second one are named `v2.…` and have seeds of their own.
        burn_subtitles: also draw the words into the picture.
        overrides: by call id, what the quality loop changed.
        lost: ids of calls that failed for good; a film goes on without music or ambience, and the agent says so.
        lineup: which engine makes what; None leaves it to the registry.
        preset: for pictures by an image model.
    """
    wanted = set(outputs)
    seed += SEED_OF_VARIATION * (variation - 1)
    board = _with_spoken_lines(storyboard)
    plan = _Plan(board, seed, variation, overrides or {}, lost, lineup or Lineup(), preset)
    if wanted & {"image", "video"}:
        plan.stills()
    # A film without voices is wordless: its mouths and its subtitles come from the clips.
    speaks = bool(wanted & {"voice", "subtitles"})
    if speaks:
        plan.voices()
    if "music" in wanted:
        plan.music()
    if "video" in wanted:
        plan.ambience()
        plan.motion(speaks, burn_subtitles)
    if "subtitles" in wanted:
        plan.subtitles()
    if "video" in wanted:
        plan.film("voice" in wanted, "music" in wanted, "subtitles" in wanted)
    return plan.calls


def unspoken_lines(storyboard: Storyboard) -> list[str]:
    """Lines that hold nothing to say, as `...` or an emoji: they are silences, no voice is asked for them."""
    return [line.text for shot in storyboard.shots for line in shot.dialogue if not _can_be_said(line)]


def _can_be_said(line: Line) -> bool:
    return any(char.isalnum() for char in line.text)


def _with_spoken_lines(storyboard: Storyboard) -> Storyboard:
    shots = [
        shot.model_copy(update={"dialogue": [line for line in shot.dialogue if _can_be_said(line)]})
        for shot in storyboard.shots
    ]
    return storyboard.model_copy(update={"shots": shots})


class _Plan:
    def __init__(
        self,
        board: Storyboard,
        seed: int,
        variation: int,
        overrides: Mapping[str, Override],
        lost: Collection[str],
        lineup: Lineup,
        preset: str,
    ) -> None:
        self.board, self.seed, self.overrides, self.lost = board, seed, overrides, lost
        self.lineup, self.preset = lineup, preset
        self.prefix = f"v{variation}." if variation > 1 else ""
        self.calls: list[Call] = []
        self.speaking = any(shot.dialogue for shot in board.shots)

    def add(self, name: str, tool: str, stage: int, args: dict[str, Any], engine: str = "") -> str:
        call_id = self.prefix + name
        change = self.overrides.get(call_id, Override())
        seed = self.seed + change.seed_step
        engine = engine or self.lineup.engine(tool)
        self.calls.append(
            Call(id=call_id, tool=tool, args={**args, **change.args}, seed=seed, stage=stage, engine=engine)
        )
        return call_id

    def picture(self, shot: Shot, *, timed: bool) -> dict[str, Any]:
        """The arguments that still and motion share; what cannot be seen is left out, so that it remakes nothing."""
        ids = {p.character for p in shot.placements}
        silent: dict[str, Any] = {"id": "shot", "music": None, "ambience": None, "prompt": None, "negative": None}
        if not timed:
            silent |= {"dialogue": [], "duration_s": 4.0}
        else:
            ids |= {line.character for line in shot.dialogue}
        seen = shot.model_copy(update=silent)
        width, height = self.board.size
        cast = [member.model_dump(mode="json") for member in self.board.cast if member.id in ids]
        look = {"shot": seen.model_dump(mode="json"), "cast": cast, "style": self.board.style}
        return {**look, "width": width, "height": height}

    def stills(self) -> None:
        for shot in self.board.shots:
            told = {"preset": self.preset} if self.preset else {}
            self.add(
                f"{shot.id}.still",
                "generate_image",
                0,
                {**self.picture(shot, timed=False), **self.told("generate_image", "rendering", shot, told)},
            )

    def told(self, tool: str, name: str, shot: Shot, more: dict[str, str]) -> dict[str, Any]:
        """What an image or video model is told beyond the shot; nothing where the draft draws.

        The draft does without presets and prompts: an argument it does not need would only make its pictures anew.
        """
        part = self.lineup.part(tool)
        if part is None or part.embedded:
            return {}
        words = {"prompt": shot.prompt or "", "negative": shot.negative or ""}
        said = {**more, **{key: value for key, value in words.items() if value}}
        return {name: said} if said else {}

    def voices(self) -> None:
        looks = {member.id: member.look for member in self.board.cast}
        for shot in self.board.shots:
            for number, line in enumerate(shot.dialogue, 1):
                look = looks[line.character]
                args = {**line.model_dump(mode="json"), "look": look.model_dump(mode="json") if look else None}
                engine = self.lineup.engine("synthesize_speech", line.character, line.language)
                self.add(f"{shot.id}.line{number}", "synthesize_speech", 0, args, engine)

    def beds(self, keys: list[Any]) -> list[tuple[Any, int, int, float]]:
        """Runs of equal keys over the shots: key, first and last shot (0-based), length in seconds."""
        runs = []
        for key, group in groupby(enumerate(keys), key=lambda pair: pair[1]):
            shots = [index for index, _ in group]
            length = sum(self.board.shots[index].duration_s for index in shots) + BED_SPARE_S
            if key is not None:
                runs.append((key, shots[0], shots[-1], round(length, 1)))
        return runs

    def music_runs(self) -> list[tuple[Any, int, int, float]]:
        return self.beds([shot.music for shot in self.board.shots])

    def ambience_runs(self) -> list[tuple[Any, int, int, float]]:
        return self.beds([(s.ambience, s.time_of_day, s.weather) if s.ambience else None for s in self.board.shots])

    def music(self) -> None:
        part = self.lineup.part("compose_music")
        for number, (mood, first, _, length) in enumerate(self.music_runs(), 1):
            args = {"mood": mood, "duration_s": min(length, 1800.0)}
            if part and not part.embedded and (place := self.board.shots[first].ambience):
                args["place"] = place
            self.add(f"music{number}", "compose_music", 0, args)

    def ambience(self) -> None:
        for number, ((place, time, weather), _, _, length) in enumerate(self.ambience_runs(), 1):
            args = {"place": place, "time_of_day": time, "weather": weather, "duration_s": min(length, 1800.0)}
            self.add(f"ambience{number}", "make_ambience", 0, args)

    def speech_of(self, shot: Shot) -> list[dict[str, str]]:
        return [_ref(f"{self.prefix}{shot.id}.line{number}") for number in range(1, len(shot.dialogue) + 1)]

    def motion(self, speaks: bool, burn: bool) -> None:
        part = self.lineup.part("animate_shot")
        for shot in self.board.shots:
            args = self.picture(shot if speaks else shot.model_copy(update={"dialogue": []}), timed=True)
            args |= {"fps": self.board.fps, "speech": self.speech_of(shot) if speaks else []}
            args["burn_subtitles"] = burn and speaks and bool(shot.dialogue)
            args |= self.told("animate_shot", "filming", shot, {})
            if part and part.from_still:
                args["picture"] = _ref(f"{self.prefix}{shot.id}.still")
            # What the judge changed about the still's staging holds for the moving shot as well.
            still = self.overrides.get(f"{self.prefix}{shot.id}.still", Override())
            if "adjust" in still.args:
                args["adjust"] = still.args["adjust"]
            self.add(f"{shot.id}.motion", "animate_shot", 1, args)
            if self.has_lips(shot, speaks):
                self.lips(shot)

    def has_lips(self, shot: Shot, speaks: bool) -> bool:
        """Whether lips are put to the speech afterwards: the draft's figures move theirs by themselves."""
        part = self.lineup.part("animate_shot")
        painted = part is not None and part.from_still
        return speaks and painted and bool(shot.dialogue) and bool(self.lineup.engine("lip_sync"))

    def lips(self, shot: Shot) -> None:
        args = {
            "shot": shot.id,
            "duration_s": shot.duration_s,
            "clip": _ref(f"{self.prefix}{shot.id}.motion"),
            "picture": _ref(f"{self.prefix}{shot.id}.still"),
            "speech": self.speech_of(shot),
        }
        self.add(f"{shot.id}.lips", "lip_sync", 1, args)

    def shot_sounds(self, speaks: bool) -> list[dict[str, Any]]:
        return [
            {"duration_s": shot.duration_s, "speech": self.speech_of(shot) if speaks else []}
            for shot in self.board.shots
        ]

    def subtitles(self) -> None:
        if self.speaking:
            names = {member.id: member.name for member in self.board.cast}
            args = {"fps": self.board.fps, "shots": self.shot_sounds(True), "names": names}
            self.add("subtitles", "write_subtitles", 1, args)

    def film(self, voice: bool, music: bool, subtitles: bool) -> None:
        # Where the lines are written but not spoken, they still take their time in picture and sound alike.
        timed = voice or subtitles
        sound: dict[str, Any] = {"fps": self.board.fps, "shots": self.shot_sounds(timed), "music": [], "ambience": []}
        if timed and not voice:
            sound["voices"] = False
        runs = [("music", self.music_runs() if music else []), ("ambience", self.ambience_runs())]
        for kind, found in runs:
            for number, (_, first, last, _) in enumerate(found, 1):
                made = f"{self.prefix}{kind}{number}"
                if made not in self.lost:
                    sound[kind].append({"sound": _ref(made), "first": first, "last": last})
        has_sound = bool(sound["music"] or sound["ambience"] or (voice and self.speaking))
        if has_sound:
            self.add("sound", "mix_sound", 1, sound)
        moving = {shot.id: "lips" if self.has_lips(shot, timed) else "motion" for shot in self.board.shots}
        shots_in_motion = [_ref(f"{self.prefix}{name}.{last}") for name, last in moving.items()]
        language = next((line.language for shot in self.board.shots for line in shot.dialogue), "en")
        args = {
            "title": self.board.title,
            "shots": shots_in_motion,
            "sound": _ref(f"{self.prefix}sound") if has_sound else None,
            "subtitles": _ref(f"{self.prefix}subtitles") if subtitles and self.speaking else None,
            "language": language,
        }
        self.add("film", "edit_video", 1, args)


def _ref(call_id: str) -> dict[str, str]:
    return {"call": call_id, "key": ""}
