"""`studio chat`: a conversation in the terminal."""

from __future__ import annotations

from typing import Any

from agent.interrupts import RaiseOnInterrupt
from agent.printing import tell
from agent.progress import show_files, show_storyboard
from agent.requests import clean_request
from agent.terminal import MakeCommand
from tools.errors import Cancelled, InvalidInput, ToolError

__all__ = ["Chat"]

HELP = """Say what you want to see; then change it: “make it night”, “add Giulia waving”, “undo”.
  /shots  the present storyboard
  /files  what was made
  /undo   one step back
  /quit   leave (Ctrl-D too)"""


class Chat:
    """Reads a line, runs a turn, until the end of input."""

    def __init__(
        self, *, thread: str, seed: int | None, profile: str = "", options: dict[str, Any] | None = None
    ) -> None:
        self.command = MakeCommand(thread=thread, seed=seed, profile=profile, as_json=False, options=options or {})
        self.console = self.command.console

    def run(self) -> None:
        """The loop; an error of one turn is told and the conversation goes on."""
        try:
            import readline  # noqa: F401 - gives input() history and line editing where it exists
        except ImportError:
            pass
        tell(self.console, HELP, "dim")
        try:
            while True:
                try:
                    with RaiseOnInterrupt():
                        text = self.console.input("[bold cyan]you[/] > ")
                except (EOFError, Cancelled):
                    self.console.print()
                    return
                if text.strip() in ("/quit", "/exit", "/q"):
                    return
                self._answer(text)
        finally:
            self.command.session.close()

    def _answer(self, text: str) -> None:
        command = text.strip()
        if not command:
            return
        try:
            if command == "/help":
                tell(self.console, HELP)
            elif command in ("/shots", "/files"):
                self._show(command)
            elif command.startswith("/") and command != "/undo":
                tell(self.console, f"There is no command {command}; /help lists them.")
            else:
                state = self.command.turn("undo" if command == "/undo" else clean_request(text))
                show_files(self.console, state)
                self.command.say(state)
        except Cancelled:
            self.console.print("Stopped; what is finished is kept.")
        except (InvalidInput, ToolError) as error:
            tell(self.console, str(error), "red")

    def _show(self, command: str) -> None:
        config: Any = {"configurable": {"thread_id": self.command.thread}}
        state = self.command.session.agent.get_state(config).values
        board = state.get("storyboard")
        if board is None:
            self.console.print("Nothing yet.")
        elif command == "/shots":
            show_storyboard(self.console, board.model_dump(mode="json"))
        else:
            show_files(self.console, state)
