"""Words over the picture: titles and burned-in captions, set with fonts that come with the studio."""

from tools.layout.lettering.captions import Caption, group_captions
from tools.layout.lettering.overlay import Overlay, caption_overlay, title_overlay
from tools.layout.lettering.words import ShotWords

__all__ = ["Caption", "Overlay", "ShotWords", "caption_overlay", "group_captions", "title_overlay"]
