"""ControlNets of a call, each with the map that it sees: the layout's, a person's own, or the faces of references."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tools.errors import InvalidInput
from tools.image.layout import Layout
from tools.image.reference.maps import is_map, map_of, people_in
from tools.image.sdxl.canvas import Canvas
from tools.image.sdxl.control import UNION_MODES, ChosenControl, normals_of, thick_poses
from tools.image.sdxl.denoise import Control
from tools.image.sdxl.face_points import draw_face_points, face_points
from tools.image.sdxl.identity import Identity
from tools.image.sdxl.pictures import fit, map_tensor, read_picture
from tools.image.sdxl.plan import Plan

if TYPE_CHECKING:
    import numpy as np

__all__ = ["controls_of"]


def controls_of(plan: Plan, layout: Layout, canvas: Canvas, identity: Identity | None) -> list[Control]:
    """What conditions the steps.

    Raises:
        InvalidInput: one cannot be read, or a union ControlNet is given two maps for one input.
    """
    found = []
    for chosen in plan.controls:
        net = canvas.controlnet(chosen)
        union = hasattr(net.config, "num_control_type")
        image = map_tensor(_shown(chosen, plan, layout, canvas, union=union), canvas.device, canvas.dtype)
        mode = UNION_MODES[chosen.kind] if union else None
        found.append(Control(net, image, chosen.strength, chosen.start, chosen.end, mode))
    if identity is not None and identity.net is not None:
        faces = face_points(layout.output.on_stage, plan.references)
        image = map_tensor(draw_face_points(faces, canvas.size, canvas.working), canvas.device, canvas.dtype)
        found.append(Control(identity.net, image, plan.identity_scale, faces=True))
    taken = [(id(control.net), control.mode) for control in found if control.mode is not None]
    if len(set(taken)) < len(taken):
        raise InvalidInput(
            "a union ControlNet takes edges or lines, not both", where="rendering.controls",
            hint="Name a ControlNet of its own (`model`) for one of them.",
        )  # fmt: skip
    return found


def _shown(chosen: ChosenControl, plan: Plan, layout: Layout, canvas: Canvas, *, union: bool) -> np.ndarray:
    """The map that a ControlNet sees, height x width (x 3) uint8."""
    if chosen.picture:
        given = read_picture(Path(chosen.picture), canvas.working)
        canvas.progress(0.075, f"looking at {Path(chosen.picture).name}")
        if chosen.kind == "openpose" and union and not is_map("openpose", given):
            return thick_poses(people_in(given, canvas.companion), canvas.working, canvas.working)
        return map_of(chosen.kind, given, canvas.companion, (plan.nets.canny_low, plan.nets.canny_high))
    if chosen.kind == "openpose" and union:
        people = [person.keypoints for person in layout.output.on_stage.values()]
        return thick_poses(people, canvas.size, canvas.working)
    shown = fit(layout.maps[chosen.drawn_from], canvas.working, nearest=chosen.kind == "segmentation")
    return normals_of(shown) if chosen.kind == "normal" else shown
