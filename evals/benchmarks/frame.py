"""CPU time of one draft frame, beside the same frame drawn without the plates that are baked once a shot."""

from __future__ import annotations

import time

from evals.benchmarks.film import eight_seconds
from evals.benchmarks.row import Row

__all__ = ["measure"]

FRAMES = 48
UNBAKED = 5
ROUNDS = 3


def measure() -> list[Row]:
    """Three rounds of 48 frames of a push on two characters at 720p, the set-up of the shot not counted."""
    rounds = [_round() for _ in range(ROUNDS)]
    baked, unbaked = zip(*rounds, strict=True)
    return [Row.of("draft frame, 720p, CPU", baked, "ms", goal=80.0, against=unbaked, compared_with="nothing baked")]


def _round() -> tuple[float, float]:
    """CPU milliseconds a frame, baked and not."""
    from tools.layout.frames import FrameRenderer, render_frames
    from tools.layout.scene import Scene

    board = eight_seconds()
    scene = Scene.build(board.shots[0], board.cast, size=board.size, style=board.style, seed=0)
    frames = render_frames(scene, FRAMES, board.fps)
    next(frames)
    start = time.process_time()
    drawn = sum(1 for _ in frames)
    baked = (time.process_time() - start) / drawn * 1000
    start = time.process_time()
    for number in range(UNBAKED):
        FrameRenderer(scene, duration_s=2.0).render(number / board.fps, scene.move.at(0.5))
    return baked, (time.process_time() - start) / UNBAKED * 1000
