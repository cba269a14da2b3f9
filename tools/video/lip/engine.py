"""The wav2lip engine of `lip_sync`: the lips of a painted shot follow its speech, frame by frame."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tools.artifact import Artifact
from tools.base import Engine, EngineContext
from tools.errors import BadOutput, InvalidInput
from tools.image.tool import GenerateImage
from tools.timeline import LineTime, SpokenClip, shot_timeline
from tools.video.lip_tool import LipSync
from tools.video.tool import AnimateShot

if TYPE_CHECKING:
    from tools.video.lip.faces import FaceTrack

__all__ = ["Wav2LipSync"]

FILE_NAME = "shot.mp4"
BATCH = 16
"""Faces shown to the network at once."""
BEFORE_S, AFTER_S, FADE_S = 0.1, 0.14, 0.1
"""Lips part before they are heard and close after; over the last of these the new mouth fades in and out."""
RECOGNISED = 0.4
"""A face that is found in fewer of the frames than this is somebody else's, or turned away."""


@dataclass(frozen=True)
class _Said:
    """One line: who says it, when in the shot, and what the network hears of it."""

    character: str
    time: LineTime
    mel: np.ndarray

    def strength(self, t: float) -> float:
        """How far the mouth is this line's at `t` seconds: 0..1."""
        start, end = self.time.start - BEFORE_S, self.time.end + AFTER_S
        return max(0.0, min(1.0, (t - start) / FADE_S, (end - t) / FADE_S))


class Wav2LipSync(Engine[LipSync.Input, AnimateShot.Output]):
    """Wav2Lip (Prajwal et al., 2020; non-commercial weights). Where no lips are to be seen, the shot stays as it is."""

    tool: ClassVar = LipSync
    name: ClassVar[str] = "wav2lip"
    version: ClassVar[str] = "1"

    def check(self) -> None:
        from tools.video.lip.weights import check_libraries

        check_libraries()

    def load(self) -> None:
        import tools.video.lip.mouths  # noqa: F401

    def run(self, args: LipSync.Input, ctx: EngineContext) -> AnimateShot.Output:
        """Write `shot.mp4`.

        Raises:
            InvalidInput: shot, still and speech do not belong together, or one of them cannot be read.
            BadOutput: the network drew no mouths.
        """
        ctx.progress(0.0, "listening")
        clip = ctx.open(args.clip)
        try:
            shot = AnimateShot.Output.model_validate(clip.output)
            picture = ctx.open(args.picture)
            still = GenerateImage.Output.model_validate(picture.output)
        except ValueError as error:
            raise InvalidInput(f"shot {args.shot}: it needs a moving shot and its still", where="clip") from error
        lines = self._lines(args, shot, ctx)
        path, out = clip.file(shot.file), ctx.out / FILE_NAME
        tracks, notes = self._faces(args, shot, still, picture, path, lines, ctx)
        if not tracks:
            shutil.copyfile(path, out)
        else:
            self._film(path, out, shot, lines, tracks, ctx)
        ctx.progress(1.0, "said")
        return shot.model_copy(update={"file": FILE_NAME, "notes": [*shot.notes, *notes]})

    @staticmethod
    def _lines(args: LipSync.Input, shot: AnimateShot.Output, ctx: EngineContext) -> list[_Said]:
        from tools.sound import read_wav, resample
        from tools.video.lip.mel import RATE, mel_spectrogram

        clips: list[tuple[SpokenClip, Artifact]] = []
        for ref in args.speech:
            artifact = ctx.open(ref)
            spoken = SpokenClip.model_validate({name: artifact.output[name] for name in SpokenClip.model_fields})
            clips.append((spoken, artifact))
        times = [(spoken.speech_start, spoken.speech_end) for spoken, _ in clips]
        timeline = shot_timeline(args.duration_s, shot.fps, times)
        if timeline.frames != shot.frames:
            raise InvalidInput(
                f"shot {args.shot} has {shot.frames} frames, and with this speech it would have {timeline.frames}",
                where="speech",
                hint="Give the clips that the shot was animated with.",
            )
        said = []
        for (spoken, artifact), time in zip(clips, timeline.lines, strict=True):
            samples, rate = read_wav(artifact.file(spoken.file))
            mono = samples.mean(axis=1) if samples.ndim > 1 else samples
            said.append(_Said(spoken.character, time, mel_spectrogram(resample(mono, rate, RATE))))
        return said

    @staticmethod
    def _faces(
        args: LipSync.Input,
        shot: AnimateShot.Output,
        still: GenerateImage.Output,
        picture: Artifact,
        path: Path,
        lines: Sequence[_Said],
        ctx: EngineContext,
    ) -> tuple[dict[str, FaceTrack], list[str]]:
        """By speaker, where the face is in every frame; and a sentence for each whose lips are left alone."""
        from tools.video.lip.faces import hidden_because, track_face
        from tools.video.lip.footage import grey_picture, greys

        tracks: dict[str, FaceTrack] = {}
        notes: list[str] = []
        speakers = list(dict.fromkeys(line.character for line in lines))
        size = (shot.width, shot.height)
        for number, name in enumerate(speakers):
            stage = still.on_stage.get(name)
            why = hidden_because(stage, (still.width, still.height))
            if stage is not None and not why:

                def watched(at: int, number: int = number) -> None:
                    done = (number + at / max(1, shot.frames)) / len(speakers)
                    ctx.progress(0.05 + 0.35 * min(1.0, done), "following the faces")

                sx, sy = size[0] / still.width, size[1] / still.height
                x0, y0, x1, y1 = stage.face
                face = (x0 * sx, y0 * sy, x1 * sx, y1 * sy)
                track = track_face(grey_picture(picture.file(still.image), size), face, greys(path, watched))
                why = "" if track.found >= RECOGNISED else "is not recognised in the moving picture"
                if not why:
                    tracks[name] = track
            if why:
                notes.append(f"Shot {args.shot}: the lips of {name} were left as they are: {name} {why}.")
        return tracks, notes

    @staticmethod
    def _film(
        path: Path,
        out: Path,
        shot: AnimateShot.Output,
        lines: Sequence[_Said],
        tracks: dict[str, FaceTrack],
        ctx: EngineContext,
    ) -> None:
        from tools.video.encoding import open_encoder
        from tools.video.lip.footage import colours

        network = ctx.model("wav2lip")
        seen = 0
        with open_encoder(out, shot.width, shot.height, shot.fps) as film:
            for batch in _in_batches(colours(path)):
                _move_lips(network, batch, seen, shot.fps, lines, tracks)
                for frame in batch:
                    film.encode(frame)
                seen += len(batch)
                ctx.progress(0.4 + 0.6 * seen / (shot.frames + 1), f"frame {seen} of {shot.frames}")
        if seen != shot.frames:
            raise BadOutput(f"{path.name} breaks off after {seen} of {shot.frames} frames.")


def _in_batches(frames: Iterator[np.ndarray]) -> Iterator[list[np.ndarray]]:
    batch: list[np.ndarray] = []
    for frame in frames:
        batch.append(frame)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _move_lips(
    network: Any,
    frames: Sequence[np.ndarray],
    first: int,
    fps: int,
    lines: Sequence[_Said],
    tracks: dict[str, FaceTrack],
) -> None:
    """Give the frames (`first` is the number of the first in the shot) their mouths, in place."""
    from tools.video.lip.mel import mel_window
    from tools.video.lip.mouths import face_cut, lay_mouth, speak

    size = (frames[0].shape[1], frames[0].shape[0])
    for name, track in tracks.items():
        work = []
        for number, frame in enumerate(frames):
            t = (first + number) / fps
            line = max((one for one in lines if one.character == name), key=lambda one: one.strength(t))
            if line.strength(t) > 0 and first + number < len(track.boxes):
                window = mel_window(line.mel, t - line.time.offset)
                work.append((frame, face_cut(track.boxes[first + number], size), window, line.strength(t)))
        if not work:
            continue
        cuts = [np.ascontiguousarray(frame[y0:y1, x0:x1, :3]) for frame, (x0, y0, x1, y1), _, _ in work]
        mouths = speak(network, cuts, [window for _, _, window, _ in work])
        for (frame, cut, _, strength), mouth in zip(work, mouths, strict=True):
            lay_mouth(frame, cut, mouth, strength)
