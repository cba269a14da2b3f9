"""The face in a terminal: runs the agent, shows the plan, the progress and what was made."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from typing import Any

from agent.collecting import CollectorAtRest
from agent.interrupts import CancelOnInterrupt, RaiseOnInterrupt
from agent.printing import open_console, tell
from tools.errors import Cancelled, InvalidInput

__all__ = ["MakeCommand", "PlanCommand", "Session"]

FIRST_NEEDED = ["tools.image.draft", "tools.layout.frames", "tools.layout.passes", "tools.layout.scene"]
"""What the first still needs: workers import it while LangGraph is being imported here."""
LONGEST_THREAD = 200


class Session:
    """One agent with its workers, used for one command or a whole chat.

    Args:
        seed, profile: instead of the setting's.
        options: fields of `RunOptions`.
        render: whether workers will be needed.
        kept: whether the conversation has a name under which somebody may continue it.
    """

    def __init__(
        self, *, seed: int | None, options: dict[str, Any], profile: str = "", render: bool = True, kept: bool = True
    ) -> None:
        from configs.settings import Settings

        said: dict[str, Any] = {"seed": seed, "profile": profile or None}
        self.settings = Settings(**{name: value for name, value in said.items() if value is not None})
        self.pool: Any = None
        if render:
            from tools.runtime.workers.pool import WorkerPool

            # Workers start while LangGraph is being imported: the first picture comes a second earlier.
            self.pool = WorkerPool(self.settings.workers, models_home=self.settings.models_home)
            self.pool.start()
            self.pool.prewarm(FIRST_NEEDED)
        with CollectorAtRest():
            from agent.context import RunOptions
            from agent.wiring import create_agent, create_context

        self.options = RunOptions(**options)
        self.context = create_context(self.settings, options=self.options, pool=self.pool)
        self.agent = create_agent(context=self.context, checkpointer=None if kept else _in_memory())

    def close(self) -> None:
        """End the workers."""
        self.context.toolbox.close()

    def stream(self, payload: Any, thread: str, cancel: threading.Event) -> Iterator[tuple[str, Any]]:
        """Events of one turn: ("custom", dict) for progress, ("values", state) for the state."""
        from dataclasses import replace

        config: Any = {"configurable": {"thread_id": thread}}
        context: Any = replace(self.context, cancel=cancel)
        for mode, chunk in self.agent.stream(payload, config, stream_mode=["custom", "values"], context=context):
            yield str(mode), chunk


def _in_memory() -> Any:
    """Checkpoints of a conversation that nobody can come back to; what it makes is in the store all the same."""
    from langgraph.checkpoint.memory import InMemorySaver

    return InMemorySaver()


class _Command:
    def __init__(
        self,
        *,
        thread: str,
        as_json: bool,
        options: dict[str, Any],
        seed: int | None = None,
        profile: str = "",
        render: bool = True,
    ) -> None:
        if len(thread) > LONGEST_THREAD or not thread.isprintable():
            hint = f"At most {LONGEST_THREAD} characters that can be printed."
            raise InvalidInput("cannot be the name of a conversation.", where="--thread", hint=hint)
        self.thread = thread or "unnamed"
        self.as_json = as_json
        self.console = open_console(stderr=as_json)
        self.session = Session(seed=seed, profile=profile, options=options, render=render, kept=bool(thread))

    def turn(self, text: str) -> dict[str, Any]:
        """One turn of the conversation, approvals included; the final state."""
        from agent.progress import ProgressView

        payload: Any = {"messages": text}
        while True:
            state: dict[str, Any] = {}
            with CancelOnInterrupt() as cancel, ProgressView(self.console) as view:
                for mode, chunk in self.session.stream(payload, self.thread, cancel):
                    if mode == "custom":
                        view.update(chunk)
                    else:
                        state = chunk
                    if cancel.is_set() and mode == "values":
                        raise Cancelled("stopped")
            if "__interrupt__" not in state:
                return state
            payload = self.approve(state["__interrupt__"][0].value)

    def approve(self, asked: dict[str, Any]) -> Any:
        """Ask whether to make it; the storyboard has been shown while its pictures were made."""
        from langgraph.types import Command

        from agent.progress import near

        for path in asked["stills"]:
            tell(self.console, f"  still  {near(path)}", whole=True)
        self.console.print(f"About {asked['seconds']:.0f} seconds of work are left.")
        if not (sys.stdin and sys.stdin.isatty()):
            hint = "Run it in a terminal, or without --approve."
            raise InvalidInput("nobody is there to approve it; only the pictures were made.", hint=hint)
        try:
            with RaiseOnInterrupt():
                answer = self.console.input("Make it? [bold]yes[/], [bold]no[/], or say what to change: ").strip()
        except (EOFError, UnicodeDecodeError):
            raise Cancelled("not answered") from None
        if answer.casefold() in ("y", "yes", "ok", "s", "si", "sì", ""):
            return Command(resume={"approve": True})
        if answer.casefold() in ("n", "no", "stop", "q"):
            return Command(resume={"approve": False})
        return Command(resume={"change": answer})

    def say(self, state: dict[str, Any]) -> None:
        """Print the agent's last message."""
        tell(self.console, state["messages"][-1].text)


class MakeCommand(_Command):
    """`studio make` and `studio render`."""

    def run(self, text: str) -> None:
        """Make it.

        Raises:
            typer.Exit: with 0 where everything was made, 1 where nothing was, 3 where a part is missing.
        """
        import typer

        from agent.progress import show_files

        try:
            state = self.turn(text)
        finally:
            self.session.close()
        if self.as_json:
            print(json.dumps(_result(state), ensure_ascii=False, indent=2))
        else:
            show_files(self.console, state)
            self.say(state)
        if state["intent"].kind in ("question", "smalltalk"):
            raise typer.Exit(0)
        raise typer.Exit(1 if not state.get("made") else 3 if state["work"].failures else 0)


class PlanCommand(_Command):
    """`studio plan`."""

    def __init__(self, *, thread: str, as_json: bool, options: dict[str, Any], profile: str = "") -> None:
        super().__init__(thread=thread, as_json=as_json, options=options, profile=profile, render=False)

    def run(self, text: str) -> None:
        """Print the storyboard, as a table (the progress view does that) or as JSON."""
        state = self.turn(text)
        board = state.get("storyboard")
        if self.as_json:
            data = {
                "intent": state["intent"].model_dump(mode="json"),
                "storyboard": board.model_dump(mode="json") if board else None,
            }
            print(json.dumps(data, ensure_ascii=False, indent=2))
            return
        self.say(state)


def _result(state: dict[str, Any]) -> dict[str, Any]:
    """What `--json` prints: enough to go on with, nothing to guess."""
    board = state.get("storyboard")
    return {
        "made": bool(state.get("made")),
        "production": state.get("production", ""),
        "files": state.get("files", {}),
        "scores": state.get("scores", {}),
        "assumptions": state.get("assumptions", []),
        "remarks": state.get("remarks", []),
        "problems": state.get("problems", []),
        "failures": state["work"].failures if "work" in state else {},
        "message": state["messages"][-1].text,
        "intent": state["intent"].model_dump(mode="json"),
        "storyboard": board.model_dump(mode="json") if board else None,
    }
