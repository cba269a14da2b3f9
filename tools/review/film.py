"""A shot in motion and a whole film: every frame decodes, something moves, and sound is as long as the picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from tools.artifact import Artifact
from tools.errors import BadOutput
from tools.music.tool import MixSound
from tools.review.limits import FilmLimits, Limits
from tools.review.meaning import check_meaning
from tools.review.sync import check_in_sync, check_subtitle_track
from tools.review.tool import Check, ReviewArtifact
from tools.review.verdict import as_sized, below, holds, not_run, share
from tools.review.waveform import Sounding, SoundMeter, measure_wav
from tools.storyboard import Shot
from tools.timeline import SpokenClip, shot_timeline
from tools.video.probe import AudioInfo, MediaInfo, VideoInfo, probe
from tools.video.tool import AnimateShot, EditVideo

__all__ = [
    "FrameMeter",
    "Motion",
    "check_decodable",
    "check_ends_together",
    "check_frames",
    "check_not_black",
    "check_not_frozen",
    "check_rate",
    "check_sound_present",
    "check_streams",
    "review_film",
    "review_shot",
]

SAMPLE = 4
"""Every fourth point of every fourth row is looked at: an eye in a wide shot still covers several."""
STREAM_NAMES = {"subtitle": "subtitles"}
VIDEO_BLACK, VIDEO_RANGE = 16, 219
"""Luma of video runs from 16 to 235 (ITU-R BT.709)."""

UNSEEN = not_run("meaning", "a vision model that watches films; where there is one, it looks at the stills")


@dataclass(frozen=True)
class Motion:
    """What the pictures of a film show: how many, how many of them black, most in a row in which nothing moved."""

    frames: int
    black: int
    longest_still: int


class FrameMeter:
    """Counts black frames, and the longest run of frames in which nothing moves.

    A frame is compared with the last one that differed, not with the one before: so slow breathing adds up to motion,
    and the small change that a key frame makes to a still picture does not.
    """

    def __init__(self, limits: FilmLimits) -> None:
        self._limits = limits
        self._reference: NDArray[np.int16] | None = None
        self._still = self._longest = self._black = self._frames = 0

    def add(self, _number: int, frame: av.VideoFrame) -> None:
        """Measure the next frame (its luma plane)."""
        plane = frame.planes[0]
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
        luma = rows[::SAMPLE, : plane.width : SAMPLE].astype(np.int16)
        dark = VIDEO_BLACK + self._limits.black_luma * VIDEO_RANGE / 255
        self._black += int(np.count_nonzero(luma > dark) < luma.size / 100)
        self._frames += 1
        moved = self._reference is None or bool(
            self._reference.shape != luma.shape or np.abs(luma - self._reference).max() >= self._limits.still_level
        )
        if moved:
            self._reference, self._still = luma, 0
        else:
            self._still += 1
            self._longest = max(self._longest, self._still)

    def result(self) -> Motion:
        """What was measured so far."""
        return Motion(self._frames, self._black, self._longest)


def check_rate(video: VideoInfo, fps: int) -> Check:
    """Frames a second are as asked."""
    return holds("rate", video.fps == Fraction(fps), f"{float(video.fps):g} frames a second, {fps} were asked")


def check_frames(video: VideoInfo, wanted: int, slack: int) -> Check:
    """As many frames as the shots add up to."""
    told = f"{video.frames} frames, {wanted} expected" + (f" (give or take {slack})" if slack else "")
    off = abs(video.frames - wanted)
    return holds("frames", off <= slack, told, score=1 - off / max(1, wanted))


def check_decodable(info: MediaInfo) -> Check:
    """Every frame that the index promises decodes, to the last."""
    video = info.video
    promised, decoded = (video.frames, video.decoded or 0) if video else (0, 0)
    ok = promised > 0 and decoded == promised and info.errors == 0
    told = f"{decoded} of {promised} frames decode, {info.errors} errors"
    return holds("decodable", ok, told, score=min(1.0, decoded / max(1, promised)), fix={"seed": 1})


def check_streams(info: MediaInfo, wanted: Sequence[str]) -> Check:
    """The tracks that were asked for, once each, and no others; a subtitle track has cues."""
    found = [STREAM_NAMES.get(name, name) for name in info.streams]
    wrong = [f"{name} is missing" for name in wanted if name not in found]
    wrong += [f"{name} was not asked for" for name in dict.fromkeys(found) if name not in wanted]
    wrong += [f"{name} stands twice" for name in dict.fromkeys(found) if found.count(name) > 1]
    if "subtitles" in found and info.subtitles is not None and not info.subtitles.cues:
        wrong.append("the subtitles are empty")
    return holds("streams", not wrong, "; ".join(wrong) or f"tracks: {', '.join(found)}")


def check_not_black(motion: Motion, limits: FilmLimits) -> Check:
    """Hardly a frame is black from edge to edge."""
    found = motion.black / max(1, motion.frames)
    told = f"{share(found)} of the frames are black, at most {share(limits.max_black_share)}"
    return below("not_black", found, limits.max_black_share, told, fix={"exposure": 1.4})


def check_not_frozen(motion: Motion, fps: float, limit_s: float | None) -> Check:
    """Something moves; `limit_s` is how long nothing may, None where stillness is meant."""
    found = motion.longest_still / max(fps, 1e-6)
    told = f"nothing moves for {found:.1f} s"
    if limit_s is None:
        return holds("not_frozen", True, f"{told}; nobody is in the shot and the camera stands still")
    score = limit_s / max(found, 1e-6)
    ok = motion.frames < 2 or found <= limit_s
    return holds("not_frozen", ok, f"{told}, at most {limit_s:.1f} s", score=score, fix={"seed": 1})


def _shot_may_rest_s(shot: Shot | None, frames: int, fps: int, limits: FilmLimits) -> float | None:
    """How long nothing may move in a shot; one shorter than the limit has to move as well."""
    if shot is not None and not shot.placements and shot.camera == "static":
        return None
    return min(limits.max_still_s, 0.8 * frames / fps)


def check_ends_together(video: VideoInfo, audio: AudioInfo) -> Check:
    """Sound and picture end together, to the frame."""
    frame = 1 / max(float(video.fps), 1.0)
    gap = audio.duration_s - video.duration_s
    short = audio.decoded_s is not None and audio.decoded_s < video.duration_s - frame
    told = f"the sound is {abs(gap):.3f} s {'longer' if gap > 0 else 'shorter'} than the picture, at most {frame:.3f} s"
    if short:
        told = f"only {audio.decoded_s:.2f} of {video.duration_s:.2f} s of the sound decode"
    score = 1 - abs(gap) / max(video.duration_s, 1e-6)
    return holds("sound_length", abs(gap) <= frame + 1e-6 and not short, told, score=score)


def check_sound_present(level_db: float, limits: FilmLimits) -> Check:
    """The film's sound can be heard."""
    told = f"the sound has {level_db:.0f} dBFS, at least {limits.min_sound_db:g}"
    return holds("sound_present", level_db >= limits.min_sound_db, told)


def review_shot(
    args: ReviewArtifact.Input,
    subject: Artifact,
    speech: list[Artifact],
    limits: Limits,
    progress: Callable[[float], None],
    seen: Artifact | None = None,
) -> list[Check]:
    """Every check of an `animate_shot` result; `seen` is the result of `see_picture` about it."""
    made = AnimateShot.Output.model_validate(subject.output)
    fps = int(subject.record.args.get("fps", made.fps))
    wanted, slack = made.frames, 0
    if args.expect_duration_s is not None:
        wanted, slack = round(args.expect_duration_s * fps), 1
    elif args.shot is not None:
        clips = [SpokenClip.model_validate(artifact.output) for artifact in speech]
        wanted = shot_timeline(args.shot.duration_s, fps, [(c.speech_start, c.speech_end) for c in clips]).frames
    size = args.expect_size or (made.width, made.height)
    streams = args.expect_streams or ["video"]
    rest = _shot_may_rest_s(args.shot, wanted, fps, limits.film)
    meaning = list(check_meaning(subject, seen, limits.meaning)) if seen is not None else [UNSEEN]
    expected = _Expected(fps, wanted, slack, size, streams, rest, meaning=meaning)
    return _review(subject.file(made.file), expected, limits, progress)


def review_film(
    args: ReviewArtifact.Input,
    subject: Artifact,
    speech: list[Artifact],
    limits: Limits,
    progress: Callable[[float], None],
) -> list[Check]:
    """Every check of an `edit_video` result; where the mix is among `speech`, the tracks are held against it too."""
    made = EditVideo.Output.model_validate(subject.output)
    wanted, slack = made.frames, 0
    if args.expect_duration_s is not None:
        wanted, slack = round(args.expect_duration_s * made.fps), 1
    size = args.expect_size or (made.width, made.height)
    given = ["video", *(["audio"] if made.has_sound else []), *(["subtitles"] if made.has_subtitles else [])]
    rest = limits.film.max_still_film * wanted / made.fps
    mix = next((artifact for artifact in speech if artifact.record.tool == "mix_sound"), None)
    expected = _Expected(made.fps, wanted, slack, size, args.expect_streams or given, rest, mix)
    return _review(subject.file(made.file), expected, limits, progress)


@dataclass(frozen=True)
class _Expected:
    """What a file should be.

    Attributes:
        frames: how many, give or take `slack`.
        may_rest_s: for how many seconds nothing may move; None: for any time.
        mix: the sound that went into it.
        meaning: the checks of what a vision model saw.
    """

    fps: int
    frames: int
    slack: int
    size: tuple[int, int]
    streams: Sequence[str]
    may_rest_s: float | None
    mix: Artifact | None = None
    meaning: Sequence[Check] = (UNSEEN,)


def _review(path: Path, expected: _Expected, limits: Limits, progress: Callable[[float], None]) -> list[Check]:
    meter = FrameMeter(limits.film)
    sound: list[SoundMeter] = []

    def see(number: int, frame: av.VideoFrame) -> None:
        meter.add(number, frame)
        if number % 24 == 0:
            progress(min(1.0, number / max(1, expected.frames)))

    def hear(frame: av.AudioFrame) -> None:
        block = frame.to_ndarray().astype(np.float32)
        if not sound:
            sound.append(SoundMeter(frame.sample_rate, block.shape[0]))
        sound[0].add(block)

    try:
        info = probe(path, decode=True, on_frame=see, on_sound=hear)
    except BadOutput as error:
        return [holds("readable", False, error.message, fix={"seed": 1})]
    checks = [
        holds("readable", True, f"{path.name} opens"),
        check_streams(info, expected.streams),
        check_decodable(info),
    ]
    if info.video is not None:
        motion = meter.result()
        checks += [
            as_sized((info.video.width, info.video.height), expected.size),
            check_rate(info.video, expected.fps),
            check_frames(info.video, expected.frames, expected.slack),
            check_not_black(motion, limits.film),
            check_not_frozen(motion, float(info.video.fps), expected.may_rest_s),
        ]
        if info.audio is not None:
            checks.append(check_ends_together(info.video, info.audio))
    if info.audio is not None:
        heard = sound[0].result() if sound else None
        level = heard.level_db(0.0, heard.duration_s) if heard else -120.0
        checks.append(check_sound_present(level, limits.film))
        if heard is not None and expected.mix is not None:
            checks += _against_mix(info, heard, expected.mix, expected.fps, limits)
    return [*checks, *expected.meaning]


def _against_mix(info: MediaInfo, heard: Sounding, mix: Artifact, fps: int, limits: Limits) -> list[Check]:
    made = MixSound.Output.model_validate(mix.output)
    try:
        mixed = measure_wav(mix.file(made.file))
    except BadOutput as error:
        return [not_run("in_sync", f"a mix that can be read: {error.message}")]
    checks = [check_in_sync(heard, mixed, 1 / fps)]
    if info.subtitles is not None:
        checks.append(check_subtitle_track(info.subtitles.cues, made.speech, limits.subtitles))
    return checks
