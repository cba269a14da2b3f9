"""`studio chat`: a conversation in the terminal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from agent.interrupts import RaiseOnInterrupt
from agent.printing import tell
from agent.progress import show_files, show_storyboard
from agent.requests import clean_request
from agent.terminal import LONGEST_THREAD, MakeCommand
from tools.errors import Cancelled, InvalidInput, ToolError

__all__ = ["Chat"]

HELP = """Say what you want to see; then change it: “make it night”, “add Giulia”, “undo”.
  /shots         the present storyboard
  /files         what was made
  /why [PART]    why it is so: who decided, scores; of a shot: /why s2
  /undo, /redo   one step back or forth in the storyboard
  /turns         what was said so far
  /back [N]      as it was N turns ago, as if the rest had not been said
  /branch NAME   go on under another name; this conversation stays as it is
  /approve       you like it: the next ones begin from what made this one
  /approve on    show the pictures and ask before a film is made; off ends that
  /quit          leave (Ctrl-D too)"""


class Chat:
    """Reads a line, runs a turn, until the end of input."""

    def __init__(
        self, *, thread: str, seed: int | None, profile: str = "", options: dict[str, Any] | None = None
    ) -> None:
        self.command = MakeCommand(thread=thread, seed=seed, profile=profile, as_json=False, options=options or {})
        self.console = self.command.console
        self._commands: dict[str, Callable[[str], None]] = {
            "/help": lambda _: tell(self.console, HELP),
            "/shots": self._shots,
            "/files": self._files,
            "/why": self._why,
            "/undo": lambda _: self._turn("undo"),
            "/redo": lambda _: self._turn("redo"),
            "/turns": self._turns,
            "/back": self._back,
            "/branch": self._branch,
            "/approve": self._approve,
        }

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
        word, _, rest = text.strip().partition(" ")
        if not word:
            return
        try:
            if word in self._commands:
                self._commands[word](rest.strip())
            elif word.startswith("/"):
                tell(self.console, f"There is no command {word}; /help lists them.")
            else:
                self._turn(clean_request(text))
        except Cancelled:
            self.console.print("Stopped; what is finished is kept.")
        except (InvalidInput, ToolError) as error:
            tell(self.console, str(error), "red")

    def _turn(self, text: str) -> None:
        state = self.command.turn(text)
        show_files(self.console, state)
        self.command.say(state)

    # -- commands ---------------------------------------------------------------------------------------------------

    @property
    def _state(self) -> dict[str, Any]:
        config: Any = {"configurable": {"thread_id": self.command.thread}}
        values: dict[str, Any] = self.command.session.agent.get_state(config).values
        return values

    def _say(self, key: str, **values: Any) -> None:
        from agent.replies import Replies

        intent = self._state.get("intent")
        tell(self.console, Replies(intent.language if intent else "en").say(key, **values))

    def _shots(self, _: str) -> None:
        board = self._state.get("storyboard")
        if board is None:
            self.console.print("Nothing yet.")
        else:
            show_storyboard(self.console, board.model_dump(mode="json"))

    def _files(self, _: str) -> None:
        state = self._state
        if not state.get("files"):
            self.console.print("Nothing yet.")
        show_files(self.console, state)

    def _why(self, part: str) -> None:
        from agent.turns import read_thoughts
        from agent.why import tell_why

        state: Any = self._state
        turn = self.command.session.context.turn(state)
        thoughts = turn.thoughts or (list(read_thoughts(turn.path)) if turn.path and turn.path.exists() else [])
        for line in tell_why(state, thoughts, part, preset=self.command.session.options.preset):
            tell(self.console, line)

    def _turns(self, _: str) -> None:
        from agent.threads import list_turns

        turns = list_turns(self.command.session.agent, self.command.thread)
        if not turns:
            self.console.print("Nothing yet.")
        for one in reversed(turns):
            shots = "1 shot" if one.shots == 1 else f"{one.shots} shots"
            title = f"  {one.title}, {shots}, {one.seconds:g} s" if one.title else ""
            tell(self.console, f"{one.number - 1:>3} back  “{one.request}”{title}")

    def _back(self, said: str) -> None:
        from agent.threads import go_back

        if said and not (said.isascii() and said.isdigit() and len(said) < 4):
            raise InvalidInput("say how many turns, as in /back 2.")
        turn = go_back(self.command.session.agent, self.command.thread, int(said or 1))
        if turn is None:
            self._say("back_to_start")
        else:
            self._say("back_to", request=turn.request)

    def _branch(self, name: str) -> None:
        from agent.threads import branch

        if not name or len(name) > LONGEST_THREAD or not name.isprintable():
            raise InvalidInput("say a name for it, as in /branch night.")
        before = self.command.thread
        branch(self.command.session.agent, before, name)
        self.command.thread = name
        self._say("branched", name=name, thread=before)

    def _approve(self, said: str) -> None:
        session = self.command.session
        if said in ("on", "off"):
            session.options = replace(session.options, approve=said == "on")
            session.context = replace(session.context, options=session.options)
            self._say("asks_first" if said == "on" else "asks_no_more")
        elif said:
            raise InvalidInput("say /approve, /approve on or /approve off.")
        elif not self._state.get("made"):
            self._say("nothing_to_like")
        else:
            from agent.recalling import approve_generation

            approve_generation(self._state, session.context)  # type: ignore[arg-type]
            self._say("liked")
