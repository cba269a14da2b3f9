"""The characters of the draft engine: `make_puppet(character_id, look)` gives one that can be drawn.

What artists change lies in `tools/layout/packs/rig`: poses, expressions, mouths, hands, hair, outfits, proportions,
colours, gestures, species. Nothing here is imported before it is asked for, so that asking for names stays light.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tools.layout.puppet import Puppet
    from tools.storyboard import Look

__all__ = ["expression_names", "make_puppet", "pose_names"]


def make_puppet(character_id: str, look: Look) -> Puppet:
    """A character that can be drawn.

    Args:
        character_id: owner of its items; also the seed of what `look` leaves open and of its idle motion.
        look: any mixture of fields.

    Raises:
        InvalidInput: a pack is broken (file and line), or a colour of `look` is neither a known name nor #rrggbb.
    """
    from tools.layout.rig.actor import Actor

    return Actor(character_id, look)


def pose_names() -> list[str]:
    """Names that `Acting.pose` may have, in the pack's order."""
    from tools.layout.rig import packs

    return list(packs.poses().poses)


def expression_names() -> list[str]:
    """Names that `Acting.expression` may have."""
    from tools.layout.rig import packs

    return list(packs.expressions().expressions)
