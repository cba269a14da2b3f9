"""The SDXL engines of `generate_image`: base, with the refiner, and Lightning."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from tools.artifact import canonical_json
from tools.base import Engine, EngineContext
from tools.errors import InvalidInput
from tools.image.sdxl.files import check_libraries, file_stamp, placed
from tools.image.sdxl.haste import Haste
from tools.image.sdxl.identity import identity_sources
from tools.image.sdxl.plan import ConfigPaths, Plan, make_plan
from tools.image.tool import GenerateImage
from tools.model import torch_dtype

if TYPE_CHECKING:
    import numpy as np

    from tools.image.sdxl.control import ChosenControl

__all__ = ["SdxlImage", "SdxlLightningImage", "SdxlRefinedImage"]

_KEPT_NETS = 3
"""ControlNets by path whose weights stay in host memory between calls."""
_OWN_NETS_BYTES = int(2.5 * 2**30)
"""One ControlNet in 16 bits: `working_gb` of sdxl_base has room for it, as it leaves before the picture is decoded."""


class SdxlImage(Engine[GenerateImage.Input, GenerateImage.Output]):
    """Draws the shot with SDXL, conditioned on its layout where ControlNets are registered.

    The output has the form of the draft's: masks, maps and boxes are the layout's, `layout.png` is the draft.
    """

    tool: ClassVar = GenerateImage
    name: ClassVar[str] = "sdxl"
    version: ClassVar[str] = "1"
    preset: ClassVar[str] = ""
    """Where the call names none; empty is the default of images.yaml."""
    base: ClassVar[str] = "sdxl_base"
    refiner: ClassVar[str] = ""
    paths: ClassVar[ConfigPaths] = ConfigPaths()

    def __init__(self) -> None:
        self._nets: dict[Path, Any] = {}
        self._haste = Haste()

    def check(self) -> None:
        check_libraries()

    def load(self) -> None:
        import compel  # noqa: F401 - with torch, diffusers and transformers
        import diffusers  # noqa: F401

    def unload(self) -> None:
        self._nets.clear()

    def fingerprint(self, args: GenerateImage.Input) -> str:
        from tools.image.layout import layout_digest

        plan = make_plan(args, self.preset, self.paths)
        weights = [placed("", name) for name in (self.base, self.refiner) if name]
        weights += [str(adapter.file) for adapter in plan.adapters] + [str(control.source) for control in plan.controls]
        if plan.references:
            weights += identity_sources(plan.images.identity)
        known = {
            "layout": layout_digest(args),
            "prompts": [plan.prompts.whole, plan.prompts.negative, dict(plan.prompts.people)],
            "preset": plan.preset.model_dump(mode="json"),
            "adapters": [[one.name, one.weight, one.character] for one in plan.adapters],
            "controls": [[one.kind, one.strength, one.start, one.end] for one in plan.controls],
            "identity": [plan.identity_scale, dict(plan.reference_weights)] if plan.references else [],
            "weights": [file_stamp(one) if one else "" for one in weights],
        }
        return hashlib.sha256(canonical_json(known)).hexdigest()

    def run(self, args: GenerateImage.Input, ctx: EngineContext) -> GenerateImage.Output:
        from tools.image.layout import lay_out
        from tools.image.sdxl.draw import Canvas, draw
        from tools.layout.png import write_png

        plan = make_plan(args, self.preset, self.paths)
        kinds = [control.drawn_from for control in plan.controls if not control.picture]
        wanted = args.model_copy(update={"maps": list(dict.fromkeys([*args.maps, *kinds]))})

        def early(fraction: float, text: str) -> None:
            ctx.progress(0.06 * fraction, text)

        layout = lay_out(wanted, ctx.out, ctx.seed, early, image="layout.png")
        nets: list[Any] = []
        told: list[str] = []
        canvas = Canvas(
            pipeline=ctx.model(self.base),
            refiner=ctx.model(self.refiner) if self.refiner else None,
            placing=ctx.placing,
            size=(args.width, args.height),
            seed=ctx.seed,
            start=self._start(plan, args, ctx),
            controlnet=lambda chosen: self._net(chosen, ctx, nets),
            progress=ctx.progress,
            companions=ctx.models,
            sampled=lambda: self._put_away(nets, ctx.placing.device),
            restore=ctx.restores.get(self.base),
            hasten=self._haste.of(ctx.model(self.base).unet),
            note=told.append,
        )
        try:
            picture, *others = draw(plan, layout, canvas)
        finally:
            self._put_away(nets, ctx.placing.device)
        names = [f"still-{number}.png" for number in range(2, len(others) + 2)]
        for name, shown in zip(("still.png", *names), (picture, *others), strict=True):
            write_png(ctx.out / name, layout.lay_words(shown))
        notes = [*layout.output.notes, *plan.notes, *told, *self._more_notes(plan, canvas.working, args)]
        return layout.output.model_copy(
            update={
                "image": "still.png",
                "variants": names,
                "plain": layout.write_plain(picture, ctx.out),
                "notes": list(dict.fromkeys(notes)),
                "loras": {one.name: f"{one.weight:g}, file {file_stamp(str(one.file))}" for one in plan.adapters},
                "controls": {one.kind: f"{one.strength:g}, {one.start:g} to {one.end:g}" for one in plan.controls},
            }
        )

    def _more_notes(self, plan: Plan, drawn: tuple[int, int], args: GenerateImage.Input) -> list[str]:
        notes = []
        if drawn != (args.width, args.height):
            notes.append(f"Drawn at {drawn[0]}x{drawn[1]} and brought to {args.width}x{args.height}.")
        notes += [self._haste.note] if self._haste.note else []
        if plan.preset.refine_from < 1.0 and not self.refiner:
            notes.append("The refiner was not used: it belongs to the engine sdxl_refined.")
        return notes

    def _start(self, plan: Plan, args: GenerateImage.Input, ctx: EngineContext) -> np.ndarray | None:
        from tools.image.sdxl.pictures import read_picture

        rendering = plan.rendering
        if rendering.start is not None:
            artifact = ctx.open(rendering.start)
            path = artifact.file(GenerateImage.Output.model_validate(artifact.output).image)
        elif rendering.start_image:
            path = Path(rendering.start_image).expanduser()
            if not path.is_file():
                raise InvalidInput(f"there is no picture {path}", where="rendering.start_image")
        else:
            return None
        return read_picture(path, (args.width, args.height))

    def _net(self, chosen: ChosenControl, ctx: EngineContext, used: list[Any]) -> Any:
        """A ControlNet on the device for this call: a companion, or a person's own, which is read from disk once."""
        from tools.image.sdxl.nets import load_controlnet

        if chosen.model in ctx.models:
            return ctx.model(chosen.model)
        path = chosen.source
        net = self._nets.pop(path, None)
        dtype = torch_dtype(ctx.placing)
        if net is None or net.dtype != dtype:
            ctx.progress(0.07, f"reading {path.name}")
            net = load_controlnet(path, dtype, ctx.model(self.base).unet)
        self._nets[path] = net
        used.append(net)
        self._check_room(used, ctx)
        return net.to(ctx.placing.device)

    def _check_room(self, used: list[Any], ctx: EngineContext) -> None:
        """A person's own ControlNet lies in the working memory that models.yaml grants a call: one fits."""
        own = {id(net): net for net in used}.values()
        taken = sum(one.numel() * one.element_size() for net in own for one in net.parameters())
        if ctx.placing.device != "cpu" and taken > _OWN_NETS_BYTES:
            raise InvalidInput(
                f"ControlNets by path take {taken / 2**30:.1f} GiB, a call has room for {_OWN_NETS_BYTES / 2**30:.1f}",
                where="rendering.controls",
                hint="Register them by name: `studio models path controlnet_depth FOLDER`.",
            )

    def _put_away(self, used: list[Any], device: str) -> None:
        """Off the device: while no call runs, it belongs to the models that the studio accounts for."""
        if device != "cpu":
            for net in used:
                net.to("cpu")
        while len(self._nets) > _KEPT_NETS:
            self._nets.pop(next(iter(self._nets)))


class SdxlRefinedImage(SdxlImage):
    """SDXL, and the refiner for the last fifth of the steps."""

    name: ClassVar[str] = "sdxl_refined"
    preset: ClassVar[str] = "high"
    refiner: ClassVar[str] = "sdxl_refiner"


class SdxlLightningImage(SdxlImage):
    """SDXL-Lightning: its LoRA on the base, 8 steps without guidance."""

    name: ClassVar[str] = "sdxl_lightning"
    preset: ClassVar[str] = "lightning"
