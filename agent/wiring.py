"""The composition root: settings become a context, the context an agent."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from langgraph._internal._constants import CONFIG_KEY_DURABILITY
from langgraph._internal._serde import build_serde_allowlist
from langgraph.graph.state import CompiledStateGraph

from agent.chat_models.on_device import hold_on
from agent.chat_models.roles import ChatModels
from agent.checkpoints import Checkpoints
from agent.context import AgentContext, RunOptions
from agent.graph import build_graph
from agent.own_folder import check_own
from agent.planners.base import Planner
from agent.searching import create_search
from agent.state import AgentInput, AgentState
from agent.strategies.goals import MOST_GOALS
from agent.toolbox import Toolbox
from agent.turns import Spending, Turns
from configs.settings import Settings
from knowledge.embedding.opened_later import EmbedderLater
from knowledge.opened_later import OpenedLater
from tools.errors import MissingPrerequisite

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver
    from langgraph.store.base import BaseStore

    from knowledge.base import KnowledgeBase
    from tools.runtime.workers.pool import WorkerPool

__all__ = ["Agent", "create_agent", "create_context", "create_knowledge", "embedder_folder", "langgraph_app"]

Agent = CompiledStateGraph[AgentState, RunOptions, AgentInput, AgentState]


def create_agent(
    settings: Settings | None = None,
    *,
    context: AgentContext | None = None,
    checkpointer: BaseCheckpointSaver[Any] | bool | None = None,
    store: BaseStore | Literal[False] | None = None,
) -> Agent:
    """The studio as a compiled LangGraph graph.

    Args:
        settings: None reads the environment and configs/agent.yaml.
        context: what the nodes are handed, instead of what the settings say.
        checkpointer: None keeps conversations in SQLite below `settings.productions`; False keeps none.
        store: LangGraph's memory across conversations; None is what the person prefers, below
            `settings.knowledge_home`; False is none, where LangGraph's own server brings one.

    `invoke(..., context={"plan_only": True})` sets the options of one run (`RunOptions`); `context=` also takes a whole
    `AgentContext`.

    Example:
        agent = create_agent()
        result = agent.invoke(
            {"messages": "make a beach scene with Luca and Alberto"}, {"configurable": {"thread_id": "beach"}}
        )
        result["files"]["film"]
    """
    context = context or create_context(settings or Settings())
    saver = checkpointer or None
    if checkpointer is None:
        types = build_serde_allowlist(schemas=[AgentState, AgentInput])
        saver = Checkpoints(context.settings.state_dir / "threads.sqlite", types)
    config: Any = {"recursion_limit": context.settings.recursion_limit * MOST_GOALS}
    if saver is not None:
        # Each step is on disk before the next begins: a killed conversation goes on where it was.
        config["configurable"] = {CONFIG_KEY_DURABILITY: "sync"}
    memory = context.preferences.store if store is None else store or None
    return build_graph(context).compile(checkpointer=saver, store=memory, name="studio").with_config(config)


def create_context(
    settings: Settings,
    *,
    options: RunOptions | None = None,
    pool: WorkerPool | None = None,
    cancel: threading.Event | None = None,
) -> AgentContext:
    """Everything the nodes may use, from the settings.

    Args:
        settings: of this run.
        options: of this run.
        pool: worker processes that are already starting; None starts them when they are first needed.
        cancel: set it to stop the run.

    Raises:
        InvalidInput: a sheet, voice or place of the folder that `STUDIO_OWN` names is wrong; file and line.
    """
    check_own()
    cancel = cancel or threading.Event()
    toolbox = Toolbox(settings, pool=pool)
    models = ChatModels(settings, lambda endpoint: hold_on(toolbox, endpoint))
    embedder = EmbedderLater(partial(embedder_folder, settings))
    return AgentContext(
        settings=settings,
        planner=_planner(settings, models),
        toolbox=toolbox,
        retriever=OpenedLater(lambda: create_knowledge(settings, embedder)),
        search=create_search(settings, cancel=cancel, embedder=embedder),
        embedder=embedder,
        models=models,
        turns=Turns(settings.state_dir / "thoughts", lambda: _spending(settings)),
        options=options or RunOptions(),
        cancel=cancel,
    )


def create_knowledge(settings: Settings, embedder: EmbedderLater | None = None) -> KnowledgeBase:
    """The knowledge base of these settings; the embedding model is looked for on the models shelf, too."""
    from knowledge.base import KnowledgeBase

    embedder = embedder or EmbedderLater(partial(embedder_folder, settings))
    return KnowledgeBase(settings.knowledge_home, embedder=embedder, chroma_server=settings.chroma_server)


def embedder_folder(settings: Settings) -> Path | None:
    """The folder of the embedding model on the models shelf, if it has one."""
    from configs.models import ModelsFile
    from tools.models.shelf import Shelf

    record = Shelf(settings.models_home, ModelsFile()).record("minilm")
    return Path(record.path) if record else None


def _spending(settings: Settings) -> Spending:
    """What a turn may spend on chat models."""
    return Spending(settings.max_steps, settings.turn_tokens, settings.turn_seconds)


def _planner(settings: Settings, models: ChatModels) -> Planner:
    """Who thinks: a chat model beside the rules where `primary` names one, unless `planner` says otherwise.

    Raises:
        MissingPrerequisite: a chat model is to plan, and none is named.
    """
    from agent.planners.offline.planner import OfflinePlanner

    if settings.planner == "chat_model" and not settings.primary:
        raise MissingPrerequisite(
            "planner is chat_model, and no chat model is named",
            command="export STUDIO_PRIMARY=ollama/qwen2.5:14b",
        )
    if settings.planner == "offline" or not settings.primary:
        return OfflinePlanner()
    from agent.planners.chat_model import ChatModelPlanner
    from agent.strategies.base import offline_planner

    return ChatModelPlanner(models, settings, offline_planner())


def langgraph_app() -> Agent:
    """For langgraph.json: LangGraph's own server brings its checkpointer."""
    return create_agent(checkpointer=False, store=False)
