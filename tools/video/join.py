"""The `join` engine of `edit_video`: shots joined packet by packet, sound and subtitles laid beside them.

The pictures are never encoded again: the H.264 packets of each segment are copied, their times shifted by a whole
number of frames. So joining costs milliseconds, loses nothing, and a changed shot means one segment encoded anew.
"""

from __future__ import annotations

from tools.base import Engine, EngineContext
from tools.music.tool import MixSound
from tools.transcription.subtitles_tool import WriteSubtitles
from tools.video.tool import AnimateShot, EditVideo

__all__ = ["JoinVideo"]

FILM_NAME = "film.mp4"


class JoinVideo(Engine[EditVideo.Input, EditVideo.Output]):
    """Joins H.264 segments without encoding; AAC sound, mov_text subtitles, index first. Same inputs, same bytes."""

    tool, name, version = EditVideo, "join", "1"

    def run(self, args: EditVideo.Input, ctx: EngineContext) -> EditVideo.Output:
        """Write `film.mp4`.

        Raises:
            InvalidInput: segments that differ in size, rate or codec settings, or sound of another length.
            StorageFailed: the disk is full.
        """
        from tools.video.probe import read_cues
        from tools.video.tracks import Cue, read_segment, require_alike, require_length, write_film

        segments = []
        for number, ref in enumerate(args.shots):
            artifact = ctx.open(ref)
            told = AnimateShot.Output.model_validate(artifact.output)
            segments.append(read_segment(artifact.file(told.file), told.frames, told.fps, f"shots[{number}]"))
        require_alike(segments)
        fps = segments[0].fps
        frames = sum(segment.frames for segment in segments)
        sound = None
        if args.sound:
            mixed = ctx.open(args.sound)
            sound = mixed.file(MixSound.Output.model_validate(mixed.output).file)
            require_length(sound, frames, fps)
        cues: list[Cue] = []
        if args.subtitles:
            written = ctx.open(args.subtitles)
            subtitles = WriteSubtitles.Output.model_validate(written.output)
            # An .srt without cues is an empty file: no track is made of it.
            cues = read_cues(written.file(subtitles.srt)) if subtitles.cues else []
        path = ctx.out / FILM_NAME
        write_film(path, segments, sound, cues, title=args.title, language=args.language, progress=ctx.progress)
        return EditVideo.Output(
            file=FILM_NAME,
            width=segments[0].format["width"],
            height=segments[0].format["height"],
            fps=fps,
            frames=frames,
            duration_s=frames / fps,
            has_sound=sound is not None,
            has_subtitles=bool(cues),
        )
