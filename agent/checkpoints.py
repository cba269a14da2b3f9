"""Conversations on disk: LangGraph's SQLite checkpointer, usable from sync and async code alike."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata, CheckpointTuple
from langgraph.checkpoint.sqlite import SqliteSaver

from tools.errors import StorageFailed

__all__ = ["Checkpoints"]


class Checkpoints(SqliteSaver):
    """`SqliteSaver` in WAL mode, whose async methods run the sync ones in a thread.

    The database is opened on first use, so that making an agent touches no disk.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened: sqlite3.Connection | None = None
        super().__init__(None)  # type: ignore[arg-type]

    @property
    def conn(self) -> sqlite3.Connection:
        """The connection; opened here.

        Raises:
            StorageFailed: the file cannot be opened or is no database.
        """
        if self._opened is None:
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                opened = sqlite3.connect(self._path, check_same_thread=False, timeout=10.0)
                opened.execute("PRAGMA journal_mode=WAL")
                opened.execute("PRAGMA synchronous=NORMAL")
            except (OSError, sqlite3.Error) as error:
                hint = "Move the file away or choose another folder with STUDIO_PRODUCTIONS."
                raise StorageFailed(
                    f"the conversations in {self._path} cannot be opened: {error}.", hint=hint
                ) from error
            self._opened = opened
        return self._opened

    @conn.setter
    def conn(self, value: sqlite3.Connection | None) -> None:
        self._opened = value

    def close(self) -> None:
        """Close the database; the next use opens it again."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None
            self.is_setup = False

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """See `get_tuple`."""
        return await asyncio.to_thread(self.get_tuple, config)

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """See `list`."""

        def read() -> Iterator[CheckpointTuple]:
            return iter([*self.list(config, filter=filter, before=before, limit=limit)])

        for found in await asyncio.to_thread(read):
            yield found

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """See `put`."""
        return await asyncio.to_thread(self.put, config, checkpoint, metadata, new_versions)

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """See `put_writes`."""
        await asyncio.to_thread(self.put_writes, config, writes, task_id, task_path)

    async def adelete_thread(self, thread_id: str) -> None:
        """See `delete_thread`."""
        await asyncio.to_thread(self.delete_thread, thread_id)
