"""What the functions work at: the scenes of a conversation, and the studio's means to plan and make them."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.intent import Intent
from agent.nodes.think import FULL_FILM
from agent.planners.base import Planner, PlanRequest
from agent.requests import clean_request
from agent.state import AgentState
from agent.turns import Turn
from tools.errors import Cancelled, InvalidInput
from tools.storyboard import Storyboard, load_storyboard, slugify

if TYPE_CHECKING:
    from agent.context import AgentContext

__all__ = ["Desk", "Scene", "desk_of"]

MOST_SCENES = 50
"""Scenes that are kept; the oldest goes first."""
MOST_NOTES = 12


@dataclass(frozen=True)
class Scene:
    """A storyboard on the desk.

    Attributes:
        name: that functions call it by.
        board: the storyboard.
        outputs: what is to be made of it.
        request: what was asked for.
        production: its folder once something was made; empty before.
        assumptions, problems, remarks: as plain sentences.
    """

    name: str
    board: Storyboard
    outputs: tuple[str, ...]
    request: str = ""
    production: str = ""
    assumptions: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass
class Desk:
    """One conversation's desk. A desk may serve several threads: what is long runs one at a time.

    Attributes:
        context: everything that may be used.
        planner: who plans; None takes the context's. A strategy that is part of a planner hands in a plainer one here,
            or it would call itself.
        tell: hears the events of a run, as `Toolbox.run` and the nodes tell them.
        cancel: stops the work.
        named: files that a person named in this conversation; besides productions, these alone are read.
        scenes: by name, the present one last.
        notes: what was looked up in this conversation; planners are shown it.
        turn: what planning may spend on chat models; None: they are not asked, and the rules plan.
    """

    context: AgentContext
    planner: Planner | None = None
    tell: Callable[[dict[str, Any]], None] = field(default=lambda _event: None)
    cancel: threading.Event = field(default_factory=threading.Event)
    named: frozenset[Path] = frozenset()
    scenes: dict[str, Scene] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    turn: Turn | None = None
    _making: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _shelf: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def serving(
        self, tell: Callable[[dict[str, Any]], None], cancel: threading.Event, turn: Turn | None = None
    ) -> Desk:
        """The same desk for one call: with its own listener, its own stop, and what it may spend on chat models."""
        if turn is not None:
            turn.spending.cancel = cancel
        return replace(self, tell=tell, cancel=cancel, turn=turn)

    @property
    def productions(self) -> Path:
        """The folder of all productions, in full."""
        return self.context.settings.productions.expanduser().resolve()

    @property
    def present(self) -> Scene | None:
        """The scene that is spoken of when none is named."""
        return next(reversed(self.scenes.values()), None)

    def note(self, texts: list[str]) -> None:
        """Keep what was looked up, for the planners."""
        with self._shelf:
            # In place: a desk that serves one call shares its notes with the conversation's.
            self.notes[:] = [*self.notes, *(text for text in texts if text not in self.notes)][-MOST_NOTES:]

    # -- scenes -----------------------------------------------------------------------------------------------------

    def scene(self, name: str = "") -> Scene:
        """A scene by name, on the desk or among the productions; the present one for an empty name.

        Raises:
            InvalidInput: there is none of that name; says which there are.
        """
        if not name:
            if self.present is None:
                raise InvalidInput("there is no scene yet.", hint="Plan one first, or name a production.")
            return self.present
        found = self.scenes.get(name) or self._made_as(name)
        if found is not None:
            return found
        # A name is compared with what is there; it never becomes a path.
        folder = next((path for path in self.folders() if path.name == name), None)
        if folder is None:
            known = list(dict.fromkeys([*reversed(self.scenes), *(path.name for path in self.folders())]))
            close = get_close_matches(name[:100], known, n=1, cutoff=0.5)
            meant = f"Did you mean {close[0]!r}? " if close else ""
            raise InvalidInput(f"there is no scene {name[:80]!r}.", hint=f"{meant}There are: {', '.join(known[:30])}.")
        board = load_storyboard(folder / "storyboard.yaml")
        return Scene(folder.name, board, tuple(FULL_FILM), production=str(folder))

    def _made_as(self, production: str) -> Scene | None:
        """The scene on the desk whose production has this name."""
        made = (one for one in reversed(self.scenes.values()) if one.production)
        return next((one for one in made if Path(one.production).name == production), None)

    def folders(self) -> list[Path]:
        """The folders of productions that have a storyboard, by name."""
        found = self.productions.glob("*/storyboard.yaml")
        return sorted(path.parent for path in found if not path.parent.is_symlink() and path.parent.name[0] != ".")

    def put(self, scene: Scene, *, present: bool = True) -> Scene:
        """Lay a scene on the desk under its name, or under one like it where that name is another's."""
        with self._shelf:
            self.scenes.pop(scene.name, None)
            kept = list(self.scenes.items())[-(MOST_SCENES - 1) :]
            order = [*kept, (scene.name, scene)] if present else [(scene.name, scene), *kept]
            self.scenes.clear()
            self.scenes.update(order)
        return scene

    def free_name(self, title: str) -> str:
        """A name for a new scene that neither a scene nor a production has."""
        taken = {*self.scenes, *(path.name for path in self.folders())}
        base = slugify(title)
        return next(name for n in range(1, 10_000) if (name := base if n == 1 else f"{base}_{n}") not in taken)

    # -- planning ---------------------------------------------------------------------------------------------------

    def plan(self, words: str, *, ask: str = "Make a scene: ") -> Scene:
        """A new storyboard from words; it is not laid on the desk yet.

        Args:
            words: the request.
            ask: put before words that are no request by themselves.

        Raises:
            InvalidInput: the words do not say what to make.
        """
        text = clean_request(words)
        planner = self.planner or self.context.planner
        request = PlanRequest(text, notes=tuple(self.notes), turn=self.turn)
        intent = planner.understand(request)
        if not _says_enough(intent):
            request = replace(request, text=ask + text)
            intent = planner.understand(request)
        if not _says_enough(intent):
            raise InvalidInput("these words do not say what to make.", hint="Say who, where and what happens.")
        written = planner.compose(intent, request)
        outputs = tuple(str(one) for one in intent.outputs if one != "text") or tuple(FULL_FILM)
        return Scene(
            self.free_name(written.storyboard.title), written.storyboard, outputs, text,
            assumptions=tuple(dict.fromkeys([*intent.assumptions, *written.assumptions])),
            problems=tuple(written.problems), remarks=tuple(dict.fromkeys([*intent.remarks, *written.remarks])),
        )  # fmt: skip

    def change(self, scene: Scene, words: str) -> Scene:
        """The scene with its storyboard changed as words say.

        Raises:
            InvalidInput: no change could be read from them.
        """
        text = clean_request(words)
        planner = self.planner or self.context.planner
        request = PlanRequest(text, storyboard=scene.board, notes=tuple(self.notes), turn=self.turn)
        intent = planner.understand(request)
        edits = [edit for edit in intent.edits if edit.op not in ("undo", "redo")]
        if intent.kind != "edit" or not edits:
            asked = " ".join(intent.questions)
            raise InvalidInput(f"no change to the scene could be read from this. {asked}".strip())
        outputs = next((tuple(one.outputs) for one in edits if one.op == "set_outputs" and one.outputs), scene.outputs)
        drawn = intent.model_copy(update={"edits": [edit for edit in edits if edit.op != "set_outputs"]})
        if not drawn.edits:
            return replace(scene, outputs=outputs)
        written = planner.revise(scene.board, drawn, request)
        said = tuple(dict.fromkeys([*intent.assumptions, *written.assumptions]))
        remarks = tuple(dict.fromkeys([*intent.remarks, *written.remarks]))
        return replace(
            scene, board=written.storyboard, outputs=outputs, assumptions=said, problems=tuple(written.problems),
            remarks=remarks,
        )  # fmt: skip

    # -- making -----------------------------------------------------------------------------------------------------

    @contextmanager
    def working(self) -> Iterator[None]:
        """One at a time makes something at this desk; the others wait here.

        Raises:
            Cancelled: it was stopped while it waited.
        """
        while not self._making.acquire(timeout=0.2):
            if self.cancel.is_set():
                raise Cancelled("stopped")
        try:
            yield
        finally:
            self._making.release()

    def make(self, scene: Scene) -> tuple[Scene, dict[str, Any]]:
        """Carry out a storyboard with the studio's own graph: drawn, judged, retried, published.

        Returns:
            The scene with its production, and the final state.

        Raises:
            ToolError: it cannot be made. Cancelled: it was stopped; what is finished is kept.
        """
        with self.working():
            # The graph may already be running in this thread: inside it, a run of its own must not find that one's.
            state = contextvars.Context().run(self._run_graph, scene)
        production = str(state.get("production") or scene.production)
        return replace(scene, production=production), state

    def _run_graph(self, scene: Scene) -> dict[str, Any]:
        from agent.wiring import create_agent

        path = Path(scene.production) / "storyboard.yaml" if scene.production else None
        options = replace(
            self.context.options, given=scene.board, given_path=path, outputs=scene.outputs, out=None,
            plan_only=False, approve=False,
        )  # fmt: skip
        context = replace(self.context, options=options, cancel=self.cancel)
        agent = create_agent(context=context, checkpointer=False)
        payload: Any = {"messages": scene.request or f"Make {scene.name}"}
        given: Any = context
        state: dict[str, Any] = {}
        stream: Any = agent.stream(payload, stream_mode=["custom", "values"], context=given)
        for mode, chunk in stream:
            if mode == "custom":
                self.tell(chunk)
            else:
                state = chunk
            if self.cancel.is_set() and mode == "values":
                raise Cancelled("stopped")
        return state

    # -- files ------------------------------------------------------------------------------------------------------

    def file(self, name: str) -> Path:
        """A file that may be read: inside the productions, or named by a person.

        Raises:
            InvalidInput: there is none, or it may not be read.
        """
        try:
            path = Path(name).expanduser()
            found = next(
                (
                    one
                    for one in (path.resolve(), (self.productions / path).resolve())
                    if one.is_file() and (one in self.named or self._is_shown(one))
                ),
                None,
            )
        except (OSError, ValueError, RuntimeError):
            found = None
        if found is None:
            told = f"there is no file {name[:120]!r} that may be read."
            raise InvalidInput(told, hint="Name one that was made here, as it is listed, or ask the person for it.")
        return found

    def _is_shown(self, path: Path) -> bool:
        """Whether it lies in a production; the conversations and the studio's own records beside them do not."""
        inside = path.relative_to(self.productions).parts if path.is_relative_to(self.productions) else ()
        return bool(inside) and not any(part.startswith(".") for part in inside)


def _says_enough(intent: Intent) -> bool:
    return intent.kind == "scene" and not (intent.questions and intent.confidence <= 0.5)


def desk_of(
    state: AgentState, context: AgentContext, tell: Callable[[dict[str, Any]], None], planner: Planner | None = None
) -> Desk:
    """The desk of a turn of the graph: the present storyboard lies on it, the files that the request names may be read.

    Args:
        state: of the turn.
        context: of the turn.
        tell: the node's stream writer.
        planner: see `Desk`.
    """
    intent = state.get("intent")
    named = frozenset(
        Path(name).expanduser().resolve() for name in (intent.files if intent else []) if context.toolbox.is_file(name)
    )
    notes = [passage.text for passage in state.get("notes") or []]
    desk = Desk(context, planner, tell, context.cancel, named, notes=notes[-MOST_NOTES:])
    board = state.get("storyboard")
    if board is not None:
        outputs = tuple(state.get("outputs") or FULL_FILM)
        production = state.get("production", "")
        name = Path(production).name if production else slugify(board.title)
        desk.put(Scene(name, board, outputs, state.get("request", ""), production))
    return desk
