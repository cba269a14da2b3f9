"""Conversations on disk: LangGraph's SQLite checkpointer, usable from sync and async code alike.

What is read back is what was written: each row is sealed with its hash, and only types of the agent's state are built
from it, whatever the row says.
"""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata, CheckpointTuple
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver

from tools.errors import InvalidInput, StorageFailed, ToolError

__all__ = ["Checkpoints"]

KEPT_STEPS = 50
"""Steps of a conversation that can be looked back on when a turn begins; each holds a copy of the whole state."""
KEPT_TURNS = 20
"""Turns whose last step is kept longer than that: one can go back to them."""
_KINDS = ("null", "bytes", "bytearray", "msgpack")
_MEND = {
    "SQLITE_FULL": "Free some space and run the same command again.",
    "SQLITE_BUSY": "Another program holds it; wait for that, or stop it.",
    "SQLITE_READONLY": "Choose another folder with STUDIO_PRODUCTIONS.",
}
_ELSE = "Move the file away or choose another folder with STUDIO_PRODUCTIONS."


class _SealedSerializer(JsonPlusSerializer):
    """LangGraph's serializer, less what can build foreign objects, with the hash of the data beside its kind."""

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        kind, data = super().dumps_typed(obj)
        return f"{kind}:{_seal(kind, data)}", data

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        kind, _, seal = data[0].partition(":")
        if kind not in _KINDS or seal != _seal(kind, data[1]):
            raise StorageFailed("a step of this conversation was damaged or changed since it was written.")
        return super().loads_typed((kind, data[1]))


def _seal(kind: str, data: bytes) -> str:
    return hashlib.sha256(kind.encode() + b":" + data).hexdigest()[:32]


class Checkpoints(SqliteSaver):
    """`SqliteSaver` in WAL mode, whose async methods run the sync ones in a thread.

    The database is opened on first use, so that making an agent touches no disk.

    Args:
        path: the database file; made when it is first used.
        types: (module, name) of every type of the state, beside those of LangGraph itself.
    """

    def __init__(self, path: Path, types: Collection[tuple[str, ...]]) -> None:
        self._path = path
        self._opened: sqlite3.Connection | None = None
        # Said here, not only by LANGGRAPH_STRICT_MSGPACK: LangGraph reads that once, perhaps before us.
        serde = _SealedSerializer(allowed_msgpack_modules=[(module, name) for module, name in types])
        super().__init__(None, serde=serde)  # type: ignore[arg-type]

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
                raise self._failed("opened", error) from error
            self._opened = opened
        return self._opened

    @conn.setter
    def conn(self, value: sqlite3.Connection | None) -> None:
        self._opened = value

    def _failed(self, done: str, error: Exception) -> StorageFailed:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        hint = _MEND.get(getattr(error, "sqlite_errorname", ""), _ELSE)
        return StorageFailed(f"the conversations in {self._path} cannot be {done}: {reason}.", hint=hint)

    @contextmanager
    def cursor(self, transaction: bool = True) -> Iterator[sqlite3.Cursor]:
        """See `SqliteSaver.cursor`.

        Raises:
            StorageFailed: the disk is full, the file is locked by another, or torn.
        """
        try:
            with super().cursor(transaction) as cursor:
                yield cursor
        except sqlite3.Error as error:
            if self._opened is not None and self._opened.in_transaction:
                self._opened.rollback()
            raise self._failed("read or written", error) from error

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """See `SqliteSaver.get_tuple`.

        Raises:
            InvalidInput: the config names no conversation.
            StorageFailed: the conversation was damaged.
        """
        if "thread_id" not in config.get("configurable", {}):
            hint = 'Pass {"configurable": {"thread_id": "..."}} to invoke.'
            raise InvalidInput("there is no thread_id in the config.", hint=hint)
        try:
            return super().get_tuple(config)
        except ToolError:
            raise
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise self._failed("understood", error) from error

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """See `SqliteSaver.put`; as a turn begins, steps of long ago are dropped, but for the last of each turn."""
        kept = super().put(config, checkpoint, metadata, new_versions)
        if metadata.get("source") == "input":
            before = str(config["configurable"].get("checkpoint_id") or "")
            self._drop_old(str(kept["configurable"]["thread_id"]), kept["configurable"]["checkpoint_ns"], before)
        return kept

    def _drop_old(self, thread: str, namespace: str, before: str) -> None:
        """`before` is the step that the turn now beginning follows: the last of the turn before it."""
        of_thread = "thread_id = ? AND checkpoint_ns = ?"
        ends = f"SELECT checkpoint_id FROM turn_ends WHERE {of_thread}"
        columns = "thread_id TEXT, checkpoint_ns TEXT, checkpoint_id TEXT"
        with self.cursor() as cursor:
            key = "PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id)"
            cursor.execute(f"CREATE TABLE IF NOT EXISTS turn_ends ({columns}, {key})")
            if before:
                cursor.execute("INSERT OR IGNORE INTO turn_ends VALUES (?, ?, ?)", (thread, namespace, before))
            newest = f"{ends} ORDER BY checkpoint_id DESC LIMIT {KEPT_TURNS}"
            sql = f"DELETE FROM turn_ends WHERE {of_thread} AND checkpoint_id NOT IN ({newest})"
            cursor.execute(sql, (thread, namespace, thread, namespace))
            newest_first = f"SELECT checkpoint_id FROM checkpoints WHERE {of_thread} ORDER BY checkpoint_id DESC"
            oldest = cursor.execute(f"{newest_first} LIMIT 1 OFFSET ?", (thread, namespace, KEPT_STEPS - 1)).fetchone()
            if oldest is not None:
                for table in ("checkpoints", "writes"):
                    sql = (
                        f"DELETE FROM {table} WHERE {of_thread} AND checkpoint_id < ? AND checkpoint_id NOT IN ({ends})"
                    )
                    cursor.execute(sql, (thread, namespace, oldest[0], thread, namespace))

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
