"""What a person always wants: kept in a LangGraph store, listed, taken back, and used where a request says nothing."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langgraph.store.base import BaseStore, ListNamespacesOp, Op, PutOp, Result, SearchOp
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from knowledge.preference_words import Said, Tongue, load_wording
from knowledge.problems import KnowledgeProblem

if TYPE_CHECKING:
    from langgraph.store.sqlite.base import SqliteStore

__all__ = ["NAMESPACE", "Preference", "PreferenceStore", "Preferences", "PreferencesUnreadable", "tell"]

NAMESPACE = ("preferences",)
FILE = "preferences.sqlite"
WAIT_S = 5.0


class PreferencesUnreadable(KnowledgeProblem):
    """The file that holds the preferences is damaged, busy or cannot be written."""


class Preference(BaseModel):
    """One wish for good.

    Attributes:
        kind: what it is about: `aspect`, `time_of_day`, ..., `name`; there is one of each, and it is its id, too.
        value: of that kind (see preferences.yaml), or the name.
        said: the person's own words.
        since: when they said it, in UTC.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    value: str = Field(min_length=1, max_length=80)
    said: str = Field("", max_length=500)
    since: datetime


class PreferenceStore(BaseStore):
    """LangGraph's SQLite store, opened for each batch of operations and closed again.

    So it is made without touching the disk, is used from any thread or process, and reading makes no file.

    Args:
        path: the database file; made when something is first put in.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._using = threading.Lock()

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Carry out operations, all or none of them.

        Raises:
            PreferencesUnreadable: the file is damaged, busy, or cannot be written.
        """
        asked = list(ops)
        if not self.path.exists() and not any(isinstance(op, PutOp) and op.value is not None for op in asked):
            return [_nothing(op) for op in asked]
        with self._using, self._opened() as store:
            return store.batch(asked)

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """The same, in a thread."""
        return await asyncio.to_thread(self.batch, list(ops))

    @contextmanager
    def _opened(self) -> Iterator[SqliteStore]:
        # It brings numpy for vectors that are not used here: not before a preference is read or kept.
        from langgraph.store.sqlite.base import SqliteStore

        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # Autocommit: LangGraph's store begins and ends its transactions itself.
            connection = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None, timeout=WAIT_S)
        except (OSError, sqlite3.Error) as error:
            raise PreferencesUnreadable(f"cannot open {self.path.name}: {error}.") from error
        try:
            store = SqliteStore(connection)
            store.setup()
            yield store
        except (sqlite3.Error, ValueError) as error:
            hint = f"Move {self.path.name} away to begin anew."
            raise PreferencesUnreadable(f"{self.path.name} cannot be used: {error}.", hint=hint) from error
        finally:
            connection.close()


def _nothing(op: Op) -> Result:
    return [] if isinstance(op, SearchOp | ListNamespacesOp) else None


class Preferences:
    """The preferences in a store.

    Args:
        store: any LangGraph store; the studio's is a `PreferenceStore` below `settings.knowledge_home`.
    """

    def __init__(self, store: Any) -> None:
        self.store = store

    @classmethod
    def at(cls, home: Path) -> Preferences:
        """Those kept below a folder."""
        return cls(PreferenceStore(home / FILE))

    def all(self) -> list[Preference]:
        """Every one, by kind. What is no preference we know (of another version, or changed by hand) is left out.

        Raises:
            PreferencesUnreadable: the file is damaged or busy.
        """
        found = [_checked(item.key, item.value) for item in self.store.search(NAMESPACE, limit=100)]
        return sorted((one for one in found if one is not None), key=lambda one: one.kind)

    def keep(self, said: Said, now: datetime | None = None) -> list[Preference]:
        """Keep what a person said for good; returns what is new or other than before.

        Raises:
            PreferencesUnreadable: it cannot be written.
        """
        before = {one.kind: one.value for one in self.all()}
        since = now or datetime.now(UTC)
        changed = []
        for kind, value in said.wishes.items():
            one = Preference(kind=kind, value=value, said=said.words.get(kind, "")[:500], since=since)
            if before.get(kind) != value:
                self.store.put(NAMESPACE, kind, one.model_dump(mode="json", exclude={"kind"}))
                changed.append(one)
        return changed

    def forget(self, kind: str) -> bool:
        """Take one back; whether there was one.

        Raises:
            PreferencesUnreadable: it cannot be written.
        """
        if self.store.get(NAMESPACE, kind) is None:
            return False
        self.store.delete(NAMESPACE, kind)
        return True


def _checked(kind: str, value: Any) -> Preference | None:
    try:
        found = Preference.model_validate({**value, "kind": kind})
    except (TypeError, ValidationError):
        return None
    kinds = load_wording().kinds
    known = kind == "name" or (kind in kinds and found.value in kinds[kind].values)
    return found if known else None


def tell(kind: str, value: str, language: str) -> str:
    """A preference in a few words: `widescreen (16:9)`."""
    wording = load_wording()
    tongue: Tongue = "it" if language == "it" else "en"
    if kind == "name":
        return wording.say["name"][tongue].format(value=value)
    return wording.kinds[kind].values[value].say[tongue]
