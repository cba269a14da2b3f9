"""Storyboards as a model reads them: a line a shot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tools.storyboard import Storyboard

if TYPE_CHECKING:
    from agent.functions.desk import Scene

__all__ = ["board_data", "board_text", "scene_text"]


def board_text(board: Storyboard) -> str:
    """A storyboard in words: its title and size, then a line a shot and a line for each spoken line."""
    shots = f"{len(board.shots)} shot{'s' if len(board.shots) != 1 else ''}"
    lines = [f"“{board.title}”, {shots}, {board.duration_s:g} s, {board.aspect}, {board.style}"]
    names = {member.id: member.name for member in board.cast}
    for shot in board.shots:
        weather = "" if shot.weather == "clear" else f", {shot.weather}"
        who = "; ".join(f"{one.character} {one.pose.replace('_', ' ')}, {one.expression}" for one in shot.placements)
        told = [
            f"{shot.framing}, {shot.camera} camera, {shot.duration_s:g} s",
            f"{shot.location.replace('_', ' ')}, {shot.time_of_day}{weather}",
            who or "nobody in sight",
            f"{shot.music} music" if shot.music else "no music",
        ]
        lines.append(f"{shot.id}: " + " | ".join(told) + (f" | {shot.action}" if shot.action else ""))
        if shot.text_overlay:
            lines.append(f"  title: {shot.text_overlay}")
        for line in shot.dialogue:
            lines.append(f"  {names.get(line.character, line.character)} ({line.emotion}): {line.text}")
    return "\n".join(lines)


def board_data(scene: Scene) -> dict[str, Any]:
    """A scene as JSON data."""
    board = scene.board.model_dump(mode="json", exclude_none=True)
    return {"scene": scene.name, "outputs": list(scene.outputs), "storyboard": board}


def scene_text(scene: Scene) -> str:
    """A scene's storyboard with what was assumed."""
    lines = [f"{scene.name}: {board_text(scene.board)}"]
    lines += [f"Assumed: {one}" for one in scene.assumptions]
    lines += [f"Problem: {one}" for one in scene.problems]
    return "\n".join([*lines, *scene.remarks])
