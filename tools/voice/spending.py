"""What lines cost that are spoken for money, and how much was spent: told before, held to, written down.

cost_of("Silenzio, Bruno!").amount            # in the plan, before anything is sent
with Ledger(home).spend(run, cost, limits) as spent:   # refused here where it would be too much
    ...
    spent.came_to(characters)                 # what was charged
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from configs.voice_engines import ElevenlabsSettings, load_voice_engines
from tools.artifact import write_atomic
from tools.errors import InvalidInput, StorageFailed
from tools.runtime.storage.locks import FileLock
from tools.voice.speakable import clean_line

__all__ = ["Cost", "Ledger", "Spent", "cost_of"]

KEPT_RUNS = 200
"""Runs whose sums are kept; the months are kept for good."""
_CENT = Decimal("0.0001")


@dataclass(frozen=True)
class Cost:
    """What a text costs: its characters as they are charged, and the amount in `currency`."""

    characters: int
    amount: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{self.amount.quantize(Decimal('0.01'), ROUND_HALF_UP)} {self.currency}"


def cost_of(text: str, settings: ElevenlabsSettings | None = None) -> Cost:
    """What saying a line costs, by the price in voice_engines.yaml.

    Raises:
        YamlProblem: that file is wrong.
    """
    settings = settings or load_voice_engines().elevenlabs
    return _priced(len(clean_line(text)), settings)


def _priced(characters: int, settings: ElevenlabsSettings) -> Cost:
    amount = (Decimal(characters) * Decimal(str(settings.price_per_1000)) / 1000).quantize(_CENT, ROUND_HALF_UP)
    return Cost(characters, amount, settings.currency)


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Spent:
    """A sum that is set aside for a request; it counts as spent unless it is known that nothing was charged."""

    cost: Cost
    settings: ElevenlabsSettings
    charged: Cost | None = None

    def came_to(self, characters: int) -> Cost:
        """The service said how many characters it charged."""
        self.charged = _priced(characters, self.settings)
        return self.charged

    def nothing(self) -> None:
        """The service refused: nothing is charged."""
        self.charged = Cost(0, Decimal(0), self.cost.currency)


class Ledger:
    """What was spent in each month and each run, in a file that all processes share.

    Args:
        path: of the file; it is made with the first entry.
        now: the time, by UTC.
    """

    def __init__(self, path: Path, now: Callable[[], datetime] = _utc_now) -> None:
        self.path, self._now = path, now

    @contextmanager
    def spend(self, run: str, cost: Cost, settings: ElevenlabsSettings) -> Iterator[Spent]:
        """Set a sum aside before a request, and write down what it came to after.

        Whoever is killed in between has spent it: too much is written down rather than too little.

        Raises:
            InvalidInput: it is more than a run or a month may cost; says what it would have cost, and what is left.
            StorageFailed: the file cannot be written, or is damaged.
        """
        month = self._now().strftime("%Y-%m")
        with self._open() as book:
            self._check(book, run, month, cost, settings)
            self._add(book, run, month, cost, 1)
        spent = Spent(cost, settings)
        try:
            yield spent
        finally:
            if spent.charged is not None and spent.charged != cost:
                with self._open() as book:
                    self._add(book, run, month, cost, -1)
                    self._add(book, run, month, spent.charged, 1)

    def total(self, month: str = "") -> Decimal:
        """What was spent in a month, as `2026-11`; the present one where none is named."""
        with self._open(write=False) as book:
            return _amount(book["months"].get(month or self._now().strftime("%Y-%m"), {}))

    def _check(self, book: dict[str, Any], run: str, month: str, cost: Cost, settings: ElevenlabsSettings) -> None:
        if book["currency"] not in ("", cost.currency):
            raise InvalidInput(
                f"was kept in {book['currency']}, and prices are in {cost.currency} now",
                where=str(self.path),
                hint="Move the file away to begin a new one.",
            )
        for what, so_far, most, lever in (
            ("this run", _amount(book["runs"].get(run, {})), settings.most_per_run, "most_per_run"),
            (f"{month}", _amount(book["months"].get(month, {})), settings.most_per_month, "most_per_month"),
        ):
            if so_far + cost.amount > Decimal(str(most)):
                left = max(Decimal(0), Decimal(str(most)) - so_far)
                raise InvalidInput(
                    f"a line of {cost.characters} characters would cost {cost.amount} {cost.currency}, and of the "
                    f"{most:g} {cost.currency} for {what} there are {left} left. Nothing was sent",
                    hint=f"Raise elevenlabs.{lever} in configs/voice_engines.yaml, or take another voice.",
                )

    @staticmethod
    def _add(book: dict[str, Any], run: str, month: str, cost: Cost, sign: int) -> None:
        book["currency"] = cost.currency
        for table, key in ((book["months"], month), (book["runs"], run)):
            # Taken out and put in again: the runs lie in the order in which they were last used.
            old = table.pop(key, {})
            table[key] = {
                "characters": max(0, int(old.get("characters", 0)) + sign * cost.characters),
                "amount": str(max(Decimal(0), _amount(old) + sign * cost.amount)),
            }
        for key in list(book["runs"])[:-KEPT_RUNS]:
            del book["runs"][key]

    @contextmanager
    def _open(self, *, write: bool = True) -> Iterator[dict[str, Any]]:
        """The book, held by nobody else; written back at the end unless something was raised."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageFailed(f"cannot make {self.path.parent}: {error.strerror}.") from error
        with FileLock(self.path.with_name(f".{self.path.name}.lock")):
            book = self._read()
            yield book
            if write:
                write_atomic(self.path, json.dumps(book, indent=1).encode())

    def _read(self) -> dict[str, Any]:
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return {"currency": "", "months": {}, "runs": {}}
        except (OSError, UnicodeDecodeError) as error:
            raise StorageFailed(f"{self.path} cannot be read: {error}.") from error
        try:
            book: dict[str, Any] = json.loads(text)
            # A damaged book is not begun anew: then everything that was spent would be forgotten.
            for entry in (*book["months"].values(), *book["runs"].values()):
                _amount(entry)
                int(entry["characters"])
            str(book["currency"])
        except (ValueError, KeyError, TypeError, AttributeError, InvalidOperation) as error:
            raise StorageFailed(
                f"{self.path}, where it is written what was spent, is damaged.",
                hint="Move it away to begin a new one; what was spent this month is then not counted.",
            ) from error
        return book


def _amount(entry: Any) -> Decimal:
    value = Decimal(str(entry.get("amount", "0")))
    if not value.is_finite():
        raise ValueError("no amount")
    return value
