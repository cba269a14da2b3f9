"""The script of a storyboard: the same story as text, to read or to hand to actors."""

from __future__ import annotations

from tools.storyboard import Storyboard

__all__ = ["script_markdown"]


def script_markdown(board: Storyboard) -> str:
    """The storyboard as a script in Markdown: a heading a shot, the action, the lines."""
    names = {member.id: member.name for member in board.cast}
    parts = [f"# {board.title}", ""]
    for number, shot in enumerate(board.shots, 1):
        place = f"{shot.location.replace('_', ' ')}, {shot.time_of_day}"
        weather = "" if shot.weather == "clear" else f", {shot.weather}"
        parts += [
            f"## {number}. {place}{weather}",
            "",
            f"*{shot.framing} shot, {shot.camera}, {shot.duration_s:g} s*",
            "",
        ]
        if shot.action:
            parts += [shot.action, ""]
        if shot.text_overlay:
            parts += [f"Title: **{shot.text_overlay}**", ""]
        for line in shot.dialogue:
            manner = [word for word in (line.emotion, line.delivery) if word not in ("neutral", "normal")]
            aside = f" ({', '.join(manner)})" if manner else ""
            parts += [f"**{names[line.character]}**{aside}: {line.text}", ""]
    return "\n".join(parts).rstrip() + "\n"
