"""The passes: one draw list, seen as a picture, as masks and as the maps that condition other engines."""

from tools.layout.passes.canny import canny
from tools.layout.passes.gbuffer import GBuffer, fill_gbuffer
from tools.layout.passes.line import line_map
from tools.layout.passes.openpose import openpose_map
from tools.layout.passes.presence import presence

__all__ = ["GBuffer", "canny", "fill_gbuffer", "line_map", "openpose_map", "presence"]
