"""The parallax engine: a shot's still set in motion, whoever painted it. No video model, no network."""

from __future__ import annotations

from typing import ClassVar

from tools.base import Engine, EngineContext
from tools.errors import InvalidInput
from tools.video.tool import AnimateShot

__all__ = ["ParallaxShot"]

READY = 0.12
"""Fraction of the work that is done when the first frame is drawn."""


class ParallaxShot(Engine[AnimateShot.Input, AnimateShot.Output]):
    """Moves the camera through a still by its depth; its people breathe, and their heads go with their words."""

    tool: ClassVar = AnimateShot
    name: ClassVar[str] = "parallax"
    version: ClassVar[str] = "1"

    def load(self) -> None:
        import tools.video.encoding
        import tools.video.parallax.stage  # noqa: F401

    def fingerprint(self, args: AnimateShot.Input) -> str:
        from tools.image.references import check_pictures
        from tools.layout.digest import pack_digest

        check_pictures(args.shot)
        return pack_digest()

    def run(self, args: AnimateShot.Input, ctx: EngineContext) -> AnimateShot.Output:
        """Write `shot.mp4`.

        Raises:
            InvalidInput: no still was given, or it cannot be read.
        """
        from tools.layout.scene import Scene
        from tools.video.parallax.acting import Life
        from tools.video.parallax.camera import PictureCamera
        from tools.video.parallax.sheets import take_apart
        from tools.video.parallax.stage import moving_frames
        from tools.video.parallax.still import read_still
        from tools.video.shot import time_shot, write_shot

        if args.picture is None:
            raise InvalidInput(
                f"shot {args.shot.id}: the engine parallax sets a still in motion, and none was given",
                where="picture",
                hint="Give the call of its generate_image, or choose the engine animatic.",
            )
        ctx.progress(0.0, "reading the still")
        timed = time_shot(args, ctx)
        size = (args.width, args.height)
        still = read_still(ctx.open(args.picture), size, args.shot.id)
        sheets = take_apart(still, lambda done, text: ctx.progress(READY * done, text))
        subject = max((person.near for person in still.people), default=0.5)
        camera = PictureCamera.plan(args.shot.camera, size, still.heads, subject, ctx.seed)
        scene = Scene.build(args.shot, args.cast, size=size, style=args.style, adjust=args.adjust, seed=ctx.seed)
        lives = {
            person.id: Life(
                person,
                tuple(
                    (line.time.offset + word.start, line.time.offset + word.end)
                    for line in timed.lines
                    if line.clip.character == person.id
                    for word in line.clip.words
                ),
                floating=scene.underwater,
                seed=ctx.seed,
            )
            for person in still.people
        }
        # A title that is part of the still moves with it; a second one over it would be read twice.
        shot = args.shot.model_copy(update={"text_overlay": ""}) if still.titled else args.shot
        words = timed.words(args.model_copy(update={"shot": shot}), ctx.seed)
        frames = moving_frames(still, sheets, camera, scene, lives, words, timed.timeline.frames, args.fps)
        return write_shot(frames, args, timed, ctx, begin=READY)
