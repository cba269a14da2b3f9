"""The film's sound: voices in front, score and ambience under them and out of their way.

The film is mixed in pieces of ten seconds, twice: once to measure it, once to write it at its loudness. So that half an
hour of film takes no more memory than half a minute.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from pydantic import ValidationError

from tools.base import ArtifactRef, Engine, EngineContext
from tools.errors import BadOutput, InvalidInput
from tools.music.tool import Bed, MixSound
from tools.music.tracks import BedTrack, Ducking, Fades, SpeechTrack
from tools.sound import (
    SAMPLE_RATE,
    SILENCE_DB,
    FloatArray,
    LoudnessMeter,
    WavReader,
    WavWriter,
    gain,
    limit_stream,
    peak_db,
    read_wav,
    resample,
    write_wav,
)
from tools.timeline import ShotTimeline, SpokenClip, film_starts, shot_timeline

__all__ = ["Mixer"]

PIECE = 10 * SAMPLE_RATE
SPEECH_LUFS, MUSIC_LUFS, AMBIENCE_LUFS = -16.0, -23.0, -30.0
"""Levels against one another before the whole is brought to its target; under speech the last two are 10 dB lower."""
AMBIENCE_ONLY_LUFS = -24.0
"""Target of a film that holds neither speech nor music: sea and wind at the loudness of a voice would be a storm."""
TOLERANCE_LU = 0.25
MAX_PASSES = 4
CROSSFADE_S = {"music": 1.4, "ambience": 1.8}
FADE_IN_S = {"music": 0.05, "ambience": 0.5}
FADE_OUT_S = {"music": 1.6, "ambience": 1.2}


class Mixer(Engine[MixSound.Input, MixSound.Output]):
    """`mix_sound` with numpy, in bounded memory."""

    tool = MixSound
    name = "mixer"
    version = "1"

    def run(self, args: MixSound.Input, ctx: EngineContext) -> MixSound.Output:
        """Write `sound.wav`, exactly as long as the film.

        Raises:
            InvalidInput: a bed lies under shots that the film does not have.
            BadOutput: a clip or a bed cannot be read.
        """
        with ExitStack() as stack:
            mix = _Mix(args, ctx, stack)
            target = args.target_lufs if mix.has_voice_or_music else min(args.target_lufs, AMBIENCE_ONLY_LUFS)
            wanted = _measure(mix, ctx)
            boost = target - wanted if wanted > SILENCE_DB else 0.0
            path = ctx.out / "sound.wav"
            for attempt in range(MAX_PASSES):
                level, peak = _write(path, mix, boost, ctx)
                # What the limiter took away is made up for; a film of silence stays silent.
                if level <= SILENCE_DB or abs(target - level) <= TOLERANCE_LU or attempt == MAX_PASSES - 1:
                    break
                boost += target - level
        ctx.progress(1.0, f"{mix.total / SAMPLE_RATE:.1f} s at {level:.1f} LUFS")
        return MixSound.Output(
            file="sound.wav",
            sample_rate=SAMPLE_RATE,
            duration_s=mix.total / SAMPLE_RATE,
            lufs=round(level, 2),
            peak_db=round(peak, 2),
            speech=[(round(start, 4), round(end, 4)) for start, end in mix.speech],
        )


def _measure(mix: _Mix, ctx: EngineContext) -> float:
    meter = LoudnessMeter(SAMPLE_RATE, 2)
    for piece in mix.pieces(ctx, 0.0, 0.45):
        meter.feed(piece)
    return meter.lufs()


def _write(path: Path, mix: _Mix, boost_db: float, ctx: EngineContext) -> tuple[float, float]:
    """Write the mix, `boost_db` louder and limited; returns its loudness and its peak."""
    meter, peak = LoudnessMeter(SAMPLE_RATE, 2), SILENCE_DB
    factor = gain(boost_db)
    with WavWriter(path, SAMPLE_RATE, 2) as writer:
        for piece in limit_stream(piece * factor for piece in mix.pieces(ctx, 0.45, 0.95)):
            writer.write(piece)
            meter.feed(piece)
            peak = max(peak, peak_db(piece))
    return meter.lufs(), peak


class _Mix:
    """A film's tracks, laid out; `pieces` renders them from the start as often as is asked."""

    def __init__(self, args: MixSound.Input, ctx: EngineContext, stack: ExitStack) -> None:
        self._ctx, self._stack = ctx, stack
        self._temp = Path(stack.enter_context(TemporaryDirectory(dir=ctx.out)))
        clips = [[_clip(ctx, ref) for ref in shot.speech] for shot in args.shots]
        timelines = [
            shot_timeline(shot.duration_s, args.fps, [(clip.speech_start, clip.speech_end) for clip, _ in spoken])
            for shot, spoken in zip(args.shots, clips, strict=True)
        ]
        starts = film_starts([timeline.frames for timeline in timelines], args.fps)
        seconds = sum(timeline.frames for timeline in timelines) / args.fps
        self.total = round(seconds * SAMPLE_RATE)
        self.speech: list[tuple[float, float]] = []
        self._voices: list[SpeechTrack] = []
        self._heard = args.voices
        for begin, timeline, spoken in zip(starts, timelines, clips, strict=True):
            self._lay_speech(begin, timeline, spoken)
        bounds = [round(start * SAMPLE_RATE) for start in starts] + [self.total]
        self._beds = [
            *self._lay_beds("music", args.music, bounds, MUSIC_LUFS),
            *self._lay_beds("ambience", args.ambience, bounds, AMBIENCE_LUFS),
        ]
        self._ducking = Ducking(self.speech if self._heard else [])
        self.has_voice_or_music = bool(self._voices or args.music)

    def pieces(self, ctx: EngineContext, begin: float, end: float) -> Iterator[FloatArray]:
        """The mix, `(n, 2)` at a time; `begin` and `end` are the progress it stands for."""
        for start in range(0, self.total, PIECE):
            stop = min(self.total, start + PIECE)
            ctx.progress(begin + (end - begin) * start / self.total, "mixing")
            sound = np.zeros((stop - start, 2), dtype=np.float32)
            for bed in self._beds:
                bed.add(sound, start)
            sound *= self._ducking.render(start, stop)
            for voice in self._voices:
                voice.add(sound, start)
            yield sound

    def _lay_speech(self, begin: float, timeline: ShotTimeline, spoken: list[tuple[SpokenClip, Path]]) -> None:
        for (_, path), line in zip(spoken, timeline.lines, strict=True):
            if self._heard:
                self._voices.append(SpeechTrack(path, round((begin + line.offset) * SAMPLE_RATE)))
            self.speech.append((begin + line.start, begin + line.end))

    def _lay_beds(self, kind: str, beds: list[Bed], bounds: list[int], level: float) -> Iterator[BedTrack]:
        for bed in beds:
            if not 0 <= bed.first <= bed.last < len(bounds) - 1:
                raise InvalidInput(
                    f"lies under shots {bed.first} to {bed.last}, the film has {len(bounds) - 1}", where=kind
                )
            start, stop = bounds[bed.first], bounds[bed.last + 1]
            cross = round(min(CROSSFADE_S[kind] * SAMPLE_RATE, (stop - start) / 2)) // 2
            into = any(other.last == bed.first - 1 for other in beds)
            out_of = any(other.first == bed.last + 1 for other in beds)
            fades = Fades(
                before=cross if into else 0,
                after=cross if out_of else 0,
                fade_in=2 * cross if into else round(min(FADE_IN_S[kind] * SAMPLE_RATE, (stop - start) / 3)),
                fade_out=2 * cross if out_of else round(min(FADE_OUT_S[kind] * SAMPLE_RATE, (stop - start) / 3)),
            )
            reader, lufs = self._bed_file(bed.sound)
            if lufs > SILENCE_DB:
                yield BedTrack(reader, start, stop, fades, gain(level - lufs), loops=kind == "ambience")

    def _bed_file(self, ref: ArtifactRef) -> tuple[WavReader, float]:
        """A bed's file at our rate, and its loudness as it will be heard on two channels."""
        artifact = self._ctx.open(ref)
        name = artifact.output.get("file")
        if not isinstance(name, str):
            raise BadOutput("a bed is no result of compose_music or make_ambience.")
        path = artifact.file(name)
        with WavReader(path) as reader:
            rate, channels = reader.rate, reader.channels
        if rate != SAMPLE_RATE or channels > 2:
            samples, _ = read_wav(path)
            path = self._temp / f"{len(list(self._temp.iterdir()))}.wav"
            write_wav(path, resample(samples[:, :2] if channels > 2 else samples, rate, SAMPLE_RATE))
        reader = WavReader(path)
        self._stack.callback(reader.close)
        meter = LoudnessMeter(SAMPLE_RATE, 2)
        for start in range(0, reader.frames, PIECE):
            piece = reader.read(start, min(reader.frames, start + PIECE))
            meter.feed(piece if reader.channels == 2 else piece.repeat(2, axis=1))
        return reader, meter.lufs()


def _clip(ctx: EngineContext, ref: ArtifactRef) -> tuple[SpokenClip, Path]:
    artifact = ctx.open(ref)
    try:
        clip = SpokenClip.model_validate(artifact.output)
    except ValidationError as error:
        raise BadOutput(f"a clip is no result of synthesize_speech: {error.errors()[0]['msg']}.") from error
    return clip, artifact.file(clip.file)
