"""The puppet: pose, body and head drawn back to front into the draw list, and the report of what was drawn."""

from __future__ import annotations

import math

import skia

from tools.errors import InvalidInput
from tools.layout.drawlist import Item, Layer
from tools.layout.light import Light
from tools.layout.puppet import Acting, Drawn
from tools.layout.rig import packs
from tools.layout.rig.accessories import draw_apron, draw_backpack, draw_scarf, draw_straps
from tools.layout.rig.ball import Ball, FaceState
from tools.layout.rig.beasts import draw_scales
from tools.layout.rig.casting import Design, design
from tools.layout.rig.garments import Clothed, trunk_of
from tools.layout.rig.hair import Wig
from tools.layout.rig.head import Head
from tools.layout.rig.ink import Brush
from tools.layout.rig.limbs import draw_arm, draw_leg
from tools.layout.rig.motion import Motion, gasp_at, move
from tools.layout.rig.props import draw_ball, draw_rod
from tools.layout.rig.report import report
from tools.layout.rig.robot import draw_robot_trunk
from tools.layout.rig.schema import Face, Mouth
from tools.layout.rig.seed import noise, unit
from tools.layout.rig.skeleton import Bones, pose_bones
from tools.layout.rig.tail import draw_tail
from tools.storyboard import Look

__all__ = ["Actor"]


def spoken_mouth(face: Face, acting: Acting, seed: int = 0) -> Mouth:
    """The mouth of this instant: the expression's own, as a breath where it is open, or a spoken shape in its mood."""
    if acting.mouth is None:
        if not acting.moving or not face.settle:
            return face.mouth
        left = 1.0 - face.settle * (1.0 - gasp_at(acting.t, seed))
        return face.mouth.model_copy(update={"open": face.mouth.open * left})
    pack = packs.mouths()
    shape, own, k = pack.mouths[acting.mouth], face.mouth, pack.follow
    voice = 0.3 + 0.7 * max(0.0, min(1.0, acting.mouth_open))
    if acting.mouth in ("rest", "mbp"):
        voice = 1.0
    # A broad or a narrow mood stays broad or narrow; clenched teeth show in what is said with them.
    mood = (own.width - 0.85) * 0.45
    clenched = own.lower_teeth > 0.5
    return Mouth(
        width=max(0.25, min(1.5, shape.width * (1.0 + mood))),
        open=min(1.1, shape.open * voice),
        smile=own.smile * k * (1.0 - 0.6 * shape.round),
        round=shape.round,
        skew=own.skew * k * 0.7,
        upper=max(-1.0, min(1.0, shape.upper + own.upper * 0.6)),
        teeth=max(shape.teeth, 0.7 if clenched and shape.open > 0.3 and not shape.round else 0.0),
        lower_teeth=max(shape.lower_teeth, 0.5 if clenched and shape.open > 0.3 and not shape.round else 0.0),
        tongue=shape.tongue,
        tongue_up=shape.tongue_up,
        wobble=own.wobble * 0.5,
    )


class Actor:
    """A character that can be drawn (see `tools.layout.puppet.Puppet`).

    Args:
        character_id: owner of its items and seed of its chance.
        look: what it looks like.

    Raises:
        InvalidInput: a colour is not known.
    """

    def __init__(self, character_id: str, look: Look) -> None:
        self.design: Design = design(character_id, look)
        self.height: float = self.design.height
        self._front_turn = 5.0 if unit(self.design.seed, 3) > 0.5 else -5.0
        self._made_up: tuple[Light, Design] | None = None

    def draw(
        self, layer: Layer, acting: Acting, *, at: tuple[float, float], scale: float, depth: float, light: Light
    ) -> Drawn:
        """Add the character's items to `layer` and report what was drawn; see `Puppet.draw`.

        Raises:
            InvalidInput: pose or expression is not known.
        """
        d = self._under(light)
        faces = packs.expressions().expressions
        if acting.expression not in faces:
            raise InvalidInput(
                f"there is no expression {acting.expression!r}", where="expression", hint=f"Known: {', '.join(faces)}."
            )
        face = faces[acting.expression]
        motion = move(acting, face, d.seed, d.body.lean)
        bones = pose_bones(d.body, motion, acting.facing, self._front_turn)
        size = scale * d.scale
        matrix = skia.Matrix.Translate(*at)
        matrix.preScale(size, size)
        lx, ly = light.direction
        ink = 1.75 * max(0.25, size) ** -0.55
        brush = Brush(layer, d.id, light, matrix, depth, ink, (lx, ly), size)
        first = len(layer.items)
        trunk = trunk_of(d, bones, motion.breath, motion.hair)
        head = self._head(d, acting, face, motion, bones)
        self._paint(brush, d, motion, bones, trunk, head)
        items: list[Item] = layer.items[first:]
        return report(d, bones, head.box(), items, at, size, acting.moving)

    def _under(self, light: Light) -> Design:
        """The design made up for this light: decided once a shot, not once a frame."""
        if self._made_up is None or self._made_up[0] != light:
            self._made_up = (light, self.design.under(light))
        return self._made_up[1]

    @staticmethod
    def _head(d: Design, acting: Acting, face: Face, motion: Motion, bones: Bones) -> Head:
        w, h = d.body.head
        ball = Ball(w, h, bones.head_yaw, bones.head_nod)
        look = acting.look_at if acting.look_at is not None else face.look
        if acting.look_at is None and motion.sheet.look is not None:
            look = motion.sheet.look
        if acting.moving and acting.look_at is None:
            # Eyes flit: they hold still and jump, once in a while.
            k = math.floor(acting.t * 0.8 + unit(d.seed, 9))
            look = (look[0] + (unit(d.seed ^ 0x51, k) - 0.5) * 0.24, look[1] + (unit(d.seed ^ 0x52, k) - 0.5) * 0.14)
            look = (look[0] + noise(acting.t, d.seed ^ 0x53, 6) * 0.02, look[1])
        if acting.facing == "left" and acting.look_at is None:
            look = (-look[0], look[1])
        if acting.facing in ("left", "right") and acting.look_at is None and not face.look[0]:
            look = (look[0] + (0.35 if acting.facing == "right" else -0.35), look[1])
        look = (max(-1.0, min(1.0, look[0])), max(-1.0, min(1.0, look[1])))
        state = FaceState(
            face,
            spoken_mouth(face, acting, d.seed),
            motion.blink,
            look,
            motion.brow,
            acting.t if acting.moving else 0.0,
        )
        wig = Wig(d, w, h, bones.head_yaw, bones.head_nod, motion.hair, bones.back)
        return Head(d, ball, state, wig, bones.back)

    def _paint(self, brush: Brush, d: Design, motion: Motion, bones: Bones, trunk: Clothed, head: Head) -> None:
        """Back to front: what hangs behind, far arm, legs, trunk, head, near arm."""
        body = trunk.body_path()
        head_brush = brush.placed(bones.head[0], bones.head[1], bones.head_roll).nearer(0.006)
        behind = [side for side in ("left", "right") if self._behind(bones, side)]
        front = [side for side in ("left", "right") if side not in behind]
        front.sort(key=lambda side: bones.arms[side].end[2])
        over = [side for side in front if bones.arms[side].end[2] > 16.0 or self._at_face(bones, side)]
        if bones.roll:
            # A swimmer's head comes up before the arms.
            over = []
        legs = sorted(("left", "right"), key=lambda side: bones.legs[side].end[2] + bones.legs[side].mid[2])

        def arm(side: str) -> None:
            draw_arm(brush, d, bones, side, motion.hands[side], motion.ch[f"{side}.wrist"], body)

        head.draw_back(head_brush)
        for side in behind:
            arm(side)
        if bones.back:
            for side in over:
                arm(side)
        if not bones.back:
            self._behind_trunk(brush, d, trunk, motion)
        # Sitting or crouching towards us, the thighs lie before the belly.
        seated = motion.sheet.ground == "seat"
        near = [side for side in legs if not bones.back and (seated or self._raised(motion, bones, side))]
        far = [side for side in legs if side not in near]
        for side in far:
            draw_leg(brush, d, bones, side)
        trunk.draw_neck(brush)
        if d.kind == "robot" and d.top is None:
            draw_robot_trunk(brush, d, trunk)
        elif d.top is None or d.top.neck == "tank":
            body = trunk.draw_body(brush)
            if d.kind == "sea_monster":
                draw_scales(brush, d, body)
        if d.bottom and not (seated and near):
            trunk.draw_bottom(brush, d.bottom, far)
        if d.top:
            trunk.draw_top(brush, d.top)
        for side in near:
            draw_leg(brush, d, bones, side)
            if d.bottom and not d.bottom.skirt and not seated:
                trunk.draw_trouser(brush, d.bottom, side, body)
        if near and d.bottom and (seated or d.bottom.skirt):
            trunk.draw_bottom(brush, d.bottom, near)
        if "apron" in d.accessories:
            draw_apron(brush, d, trunk)
        if "backpack" in d.accessories and not bones.back:
            draw_straps(brush, d, trunk)
        if bones.back:
            self._behind_trunk(brush, d, trunk, motion)
        if "scarf" in d.accessories:
            draw_scarf(brush, d, trunk)
        if motion.sheet.prop == "ball" and not bones.back:
            draw_ball(brush, d, bones)
        for side in front:
            if side not in over:
                arm(side)
        if motion.sheet.prop == "rod":
            draw_rod(brush, bones, motion.phase * motion.sheet.period)
        head.draw(head_brush)
        if not bones.back:
            for side in over:
                arm(side)

    @staticmethod
    def _behind_trunk(brush: Brush, d: Design, trunk: Clothed, motion: Motion) -> None:
        draw_tail(brush, d, trunk.bones, motion.hair)
        if "backpack" in d.accessories:
            draw_backpack(brush, d, trunk)

    @staticmethod
    def _raised(motion: Motion, bones: Bones, side: str) -> bool:
        """Whether a thigh is lifted towards us, so that it hides part of the belly."""
        return motion.ch[f"{side}.thigh.0"] > 55.0 and bones.legs[side].mid[2] - bones.pelvis[2] > 24.0

    @staticmethod
    def _behind(bones: Bones, side: str) -> bool:
        """Whether an arm lies behind the trunk."""
        limb = bones.arms[side]
        chest = bones.chest[2]
        return (limb.mid[2] - chest) * 0.6 + (limb.end[2] - chest) * 0.7 + (limb.root[2] - chest) < -14.0

    @staticmethod
    def _at_face(bones: Bones, side: str) -> bool:
        end = bones.arms[side].end
        return end[2] > 4.0 and math.hypot(end[0] - bones.head[0], end[1] - bones.head[1]) < 110.0
