"""The LTX-Video engines of `animate_shot`: the published model, and the distilled one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from configs.videos import VideoPreset, VideosFile
from tools.artifact import canonical_json
from tools.base import Engine, EngineContext
from tools.image.sdxl.files import file_stamp, placed
from tools.video.checkpoints import check_libraries
from tools.video.filming import Filming
from tools.video.ltx.lora import Adapter, choose_loras
from tools.video.plan import VideoConfig, chosen_preset, prompt_of, read_videos
from tools.video.stills import Still, open_still
from tools.video.tool import AnimateShot
from tools.video.windows import Window, drawn_size, frames_needed, model_rate, windows
from tools.video.words import VideoPrompt

if TYPE_CHECKING:
    import numpy as np

    from tools.video.ltx.text import LtxWords
    from tools.video.shot import TimedShot

__all__ = ["LtxDistilledShot", "LtxShot"]

_TEXT = "ltx_text_encoder"


@dataclass(frozen=True)
class _Plan:
    """What a call asks for."""

    videos: VideosFile
    preset: VideoPreset
    adapters: Sequence[Adapter]
    prompt: VideoPrompt
    filming: Filming


class LtxShot(Engine[AnimateShot.Input, AnimateShot.Output]):
    """Sets the shot's still in motion, or draws the shot from words where there is none. It does not move lips."""

    tool: ClassVar = AnimateShot
    name: ClassVar[str] = "ltx"
    version: ClassVar[str] = "1"
    weights: ClassVar[str] = "ltx_video"
    config: ClassVar[VideoConfig] = VideoConfig()

    def check(self) -> None:
        check_libraries()

    def load(self) -> None:
        import diffusers  # noqa: F401 - with torch and transformers

    def fingerprint(self, args: AnimateShot.Input) -> str:
        plan = self._plan(args)
        known = {
            "prompt": [plan.prompt.text, plan.prompt.negative],
            "preset": plan.preset.model_dump(mode="json"),
            "rules": plan.videos.ltx.model_dump(mode="json", exclude={"loras"}),
            "adapters": [[one.name, one.weight, file_stamp(str(one.file))] for one in plan.adapters],
            "weights": [file_stamp(source) if (source := placed("", name)) else "" for name in (self.weights, _TEXT)],
        }
        return hashlib.sha256(canonical_json(known)).hexdigest()

    def _plan(self, args: AnimateShot.Input) -> _Plan:
        filming = args.filming or Filming()
        videos = read_videos(self.config)
        name, preset = chosen_preset(filming, videos, self.name)
        adapters = choose_loras(args.shot, args.style, name, videos.ltx.loras, filming.loras)
        prompt = prompt_of(args, self.config, videos, [word for one in adapters for word in one.trigger])
        return _Plan(videos, preset, adapters, prompt, filming)

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
        plan = self._plan(args)
        still = open_still(args.picture, ctx) if args.picture is not None else None
        notes: list[str] = []
        frames, rate = self._drawn(args, timed, plan, still, ctx, notes)
        if frozen(frames):
            notes.append("The video model gave a picture that hardly moves; another seed may help.")
        film = fit_clip(
            frames, rate, args.shot, (args.width, args.height), args.fps, timed.timeline.frames, words=words,
            faces=still.faces((args.width, args.height)) if still else (), notes=notes,
        )  # fmt: skip
        return write_shot(film, args, timed, ctx, begin=0.9, notes=notes)

    def _drawn(
        self, args: AnimateShot.Input, timed: TimedShot, plan: _Plan, still: Still | None, ctx: EngineContext,
        notes: list[str],
    ) -> tuple[list[np.ndarray], int]:  # fmt: skip
        """The frames at the model's rate, and that rate; what was done otherwise than asked goes into `notes`."""
        from tools.video.ltx.draw import Canvas, draw

        clip, smaller = plan.videos.ltx.clip, ctx.placing.smaller
        rate = model_rate(timed.timeline.frames, args.fps, clip)
        needed = frames_needed(timed.timeline.frames, args.fps, rate)
        clips = windows(needed, clip, (smaller + 1) // 2)
        size = drawn_size(args.width, args.height, clip, smaller // 2)
        ctx.progress(0.01, "reading the prompt")
        words: LtxWords = ctx.model(_TEXT).read(plan.prompt.text, plan.prompt.negative, plan.videos.ltx.tokens)
        first, last = self._held(args, plan.filming, still, size, ctx, notes)
        notes += _said(args, size, rate, clips, needed, words)
        canvas = Canvas(
            model=ctx.model(self.weights), words=words, rules=plan.videos.ltx, preset=plan.preset,
            adapters=plan.adapters, placing=ctx.placing, size=size, windows=clips, needed=needed, rate=rate,
            seed=ctx.seed, first=first, last=last,
            progress=lambda fraction, text: ctx.progress(0.05 + 0.85 * fraction, text),
        )  # fmt: skip
        return draw(canvas), rate

    @staticmethod
    def _held(
        args: AnimateShot.Input, filming: Filming, still: Still | None, size: tuple[int, int], ctx: EngineContext,
        notes: list[str],
    ) -> tuple[Any, Any]:  # fmt: skip
        """The pictures that the shot begins from and ends on; None where there is none."""
        first = last = None
        if still is None:
            notes.append("There is no still to begin from: the shot was drawn from words alone.")
        elif still.titled:
            notes.append("The still has its title drawn into it: the shot was drawn from words alone.")
        else:
            first = still.picture(size)
        if filming.last is not None:
            end = open_still(filming.last, ctx)
            if end.titled:
                notes.append("The picture to end on has a title drawn into it; it was not used.")
            else:
                last = end.picture(size)
        if args.shot.dialogue:
            notes.append("LTX-Video does not move lips to the words that are spoken; lip_sync does.")
        return first, last


def _said(
    args: AnimateShot.Input, size: tuple[int, int], rate: int, clips: Sequence[Window], needed: int, words: LtxWords
) -> list[str]:
    """What was asked of the model to have the shot come out to the frame."""
    told = []
    if size != (args.width, args.height):
        told.append(f"Drawn at {size[0]}x{size[1]} (multiples of 32) and brought to {args.width}x{args.height}.")
    if rate != args.fps:
        told.append(f"Drawn at {rate} frames a second and brought to {args.fps}.")
    drawn = sum(one.frames - one.overlap for one in clips)
    if len(clips) > 1:
        each, overlap = clips[0].frames, clips[-1].overlap
        told.append(f"Drawn in {len(clips)} clips of {each} frames, each from the last {overlap} of the one before.")
    if drawn > needed:
        told.append(f"{drawn} frames were drawn (8k + 1 a clip), {needed} are shown.")
    if words.lost:
        told.append(f"The end of the prompt was too long to be read: {words.lost[-120:]}")
    return told


class LtxDistilledShot(LtxShot):
    """The distilled LTX-Video: 8 steps without guidance."""

    name: ClassVar[str] = "ltx_distilled"
    weights: ClassVar[str] = "ltx_video_distilled"
