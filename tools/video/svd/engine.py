"""The Stable Video Diffusion engine of `animate_shot`."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, ClassVar

from tools.artifact import canonical_json
from tools.base import Engine, EngineContext
from tools.errors import InvalidInput
from tools.image.sdxl.files import file_stamp, placed
from tools.video.checkpoints import check_libraries
from tools.video.filming import Filming
from tools.video.plan import VideoConfig, chosen_preset, read_videos
from tools.video.stills import Still, open_still
from tools.video.tool import AnimateShot
from tools.video.windows import drawn_size, frames_needed, model_rate, windows
from tools.video.words import motion_bucket

if TYPE_CHECKING:
    import numpy as np

    from tools.video.shot import TimedShot

__all__ = ["SvdShot"]


class SvdShot(Engine[AnimateShot.Input, AnimateShot.Output]):
    """Sets the shot's still in motion; it reads no words: how much moves follows camera, poses and speech."""

    tool: ClassVar = AnimateShot
    name: ClassVar[str] = "svd"
    version: ClassVar[str] = "1"
    weights: ClassVar[str] = "svd_xt"
    config: ClassVar[VideoConfig] = VideoConfig()

    def check(self) -> None:
        check_libraries()

    def load(self) -> None:
        import diffusers  # noqa: F401 - with torch and transformers

    def fingerprint(self, args: AnimateShot.Input) -> str:
        filming, videos = args.filming or Filming(), read_videos(self.config)
        known = {
            "preset": chosen_preset(filming, videos, self.name)[1].model_dump(mode="json"),
            "rules": videos.svd.model_dump(mode="json"),
            "weights": file_stamp(source) if (source := placed("", self.weights)) else "",
        }
        return hashlib.sha256(canonical_json(known)).hexdigest()

    def run(self, args: AnimateShot.Input, ctx: EngineContext) -> AnimateShot.Output:
        from tools.video.clip_fit import fit_clip
        from tools.video.shot import time_shot, write_shot
        from tools.video.stillness import card_frames, frozen

        ctx.progress(0.0, "reading the shot")
        timed = time_shot(args, ctx)
        words = timed.words(args, ctx.seed)
        if words.covers():
            note = "The title card hides the whole picture: no video was made for it."
            return write_shot(card_frames(words, args, timed.timeline.frames), args, timed, ctx, notes=[note])
        still = self._still(args, ctx)
        notes: list[str] = []
        frames, rate = self._drawn(args, timed, still, ctx, notes)
        if frozen(frames):
            notes.append("The video model gave a picture that hardly moves; another seed may help.")
        size = (args.width, args.height)
        film = fit_clip(
            frames, rate, args.shot, size, args.fps, timed.timeline.frames, words=words, faces=still.faces(size),
            notes=notes,
        )  # fmt: skip
        return write_shot(film, args, timed, ctx, begin=0.9, notes=notes)

    @staticmethod
    def _still(args: AnimateShot.Input, ctx: EngineContext) -> Still:
        if args.picture is None:
            raise InvalidInput(
                "Stable Video Diffusion needs a picture to begin from",
                where="picture",
                hint="Make the shot's still first (generate_image), or take another engine, as ltx.",
            )
        still = open_still(args.picture, ctx)
        if still.titled:
            raise InvalidInput(
                f"the still of shot {args.shot.id} has its title drawn into it, which would move like a thing",
                where="picture",
                hint="Take a still without the title: it is laid over the film afterwards.",
            )
        return still

    def _drawn(
        self, args: AnimateShot.Input, timed: TimedShot, still: Still, ctx: EngineContext, notes: list[str]
    ) -> tuple[list[np.ndarray], int]:
        """The frames at the model's rate, and that rate; what was done otherwise than asked goes into `notes`."""
        from tools.video.svd.draw import Canvas, draw

        filming, videos = args.filming or Filming(), read_videos(self.config)
        rules, smaller = videos.svd, ctx.placing.smaller
        rate = model_rate(timed.timeline.frames, args.fps, rules.clip)
        clips = windows(frames_needed(timed.timeline.frames, args.fps, rate), rules.clip)
        # First fewer frames are decoded together, then the picture is halved.
        size = drawn_size(args.width, args.height, rules.clip, max(0, smaller - 1))
        motion = filming.motion or motion_bucket(args.shot, rules.motion)
        if size != (args.width, args.height):
            notes.append(f"Drawn at {size[0]}x{size[1]} and brought to {args.width}x{args.height}.")
        if rate != args.fps:
            notes.append(f"Drawn at {rate} frames a second and brought to {args.fps}.")
        if len(clips) > 1:
            notes.append(f"Drawn in {len(clips)} clips, each from the last frame of the one before.")
        if filming.prompt or filming.loras or filming.last is not None:
            notes.append("Stable Video Diffusion reads no words, wears no LoRA and knows no last picture.")
        if args.shot.dialogue:
            notes.append("Stable Video Diffusion does not move lips to the words that are spoken; lip_sync does.")
        canvas = Canvas(
            pipeline=ctx.model(self.weights), rules=rules, preset=chosen_preset(filming, videos, self.name)[1],
            placing=ctx.placing, size=size, windows=clips, rate=rate, motion=motion, seed=ctx.seed,
            first=still.picture(size), progress=lambda fraction, text: ctx.progress(0.02 + 0.88 * fraction, text),
        )  # fmt: skip
        return draw(canvas), rate
