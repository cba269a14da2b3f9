"""What lines cost: told before, held to, and written down by whoever spends at the same time."""

from __future__ import annotations

import json
import multiprocessing
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from configs.voice_engines import ElevenlabsSettings, load_voice_engines
from tools.errors import InvalidInput, StorageFailed
from tools.runtime.storage.locks import FileLock
from tools.voice.spending import Ledger, cost_of

SETTINGS = load_voice_engines().elevenlabs


def limits(run: float = 100.0, month: float = 100.0) -> ElevenlabsSettings:
    return SETTINGS.model_copy(update={"price_per_1000": 1.0, "most_per_run": run, "most_per_month": month})


def at(text: str) -> Any:
    return lambda: datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_line_has_its_price() -> None:
    cost = cost_of("Silenzio, Bruno!")
    assert (cost.characters, cost.amount, cost.currency) == (16, Decimal("0.0016"), "USD")
    assert cost_of("<b>Silenzio,</b>   Bruno! 😀") == cost, "what is not sent is not charged"
    assert str(cost_of("x" * 1000, limits())) == "1.00 USD"


def test_the_price_is_told_without_torch_or_the_library() -> None:
    code = (
        "import sys\nfrom tools.voice.spending import cost_of\ncost_of('hello')\n"
        "print(' '.join(name for name in ('torch', 'elevenlabs', 'scipy', 'httpx') if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not done.stdout.strip()


@given(st.lists(st.integers(1, 600), max_size=30), st.integers(0, 3000), st.integers(0, 3000))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_more_is_ever_spent_than_may_be(tmp_path: Path, lines: list[int], run: int, month: int) -> None:
    ledger = Ledger(tmp_path / "spent.json", at("2026-11-21"))
    ledger.path.unlink(missing_ok=True)
    bounds = limits(run / 1000, month / 1000)
    for number, characters in enumerate(lines):
        try:
            with ledger.spend(f"run{number % 2}", cost_of("x" * characters, bounds), bounds):
                pass
        except InvalidInput:
            continue
    book = json.loads(ledger.path.read_text()) if ledger.path.exists() else {"runs": {}}
    assert ledger.total() <= Decimal(month) / 1000
    assert all(Decimal(entry["amount"]) <= Decimal(run) / 1000 for entry in book["runs"].values())


def test_a_refusal_says_what_it_would_have_cost_and_what_is_left(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "spent.json", at("2026-11-21"))
    bounds = limits(month=1.0)
    with ledger.spend("a", cost_of("x" * 700, bounds), bounds):
        pass
    with (
        pytest.raises(
            InvalidInput, match=r"400 characters would cost 0\.4000 USD.* for 2026-11 there are 0\.3000 left"
        ),
        ledger.spend("b", cost_of("x" * 400, bounds), bounds),
    ):
        raise AssertionError("not reached")
    later = Ledger(tmp_path / "spent.json", at("2026-12-01"))
    with later.spend("b", cost_of("x" * 400, bounds), bounds):
        pass
    assert later.total("2026-11") == Decimal("0.7")


def test_what_was_not_charged_is_given_back_and_what_was_is_kept(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "spent.json")
    cost = cost_of("x" * 500, limits())
    with ledger.spend("a", cost, limits()) as spent:
        spent.nothing()
    assert ledger.total() == 0
    with ledger.spend("a", cost, limits()) as spent:
        spent.came_to(200)
    assert ledger.total() == Decimal("0.2")
    with pytest.raises(ZeroDivisionError), ledger.spend("a", cost, limits()):
        raise ZeroDivisionError
    assert ledger.total() == Decimal("0.7"), "nobody knows: it counts"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"currency": "USD"}',
        '{"currency":"USD","months":{"2026-11":{"characters":1,"amount":"NaN"}},"runs":{}}',
    ],
)
def test_a_damaged_book_is_not_begun_anew(tmp_path: Path, text: str) -> None:
    path = tmp_path / "spent.json"
    path.write_text(text)
    damaged = Ledger(path).spend("a", cost_of("x", limits()), limits())
    with pytest.raises(StorageFailed, match=r"spent\.json"), damaged:
        raise AssertionError("not reached")
    assert path.read_text() == text


def test_another_currency_is_not_added_to_it(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "spent.json")
    with ledger.spend("a", cost_of("x", limits()), limits()):
        pass
    euros = limits().model_copy(update={"currency": "EUR"})
    with pytest.raises(InvalidInput, match="USD"), ledger.spend("a", cost_of("x", euros), euros):
        raise AssertionError("not reached")


def _spender(path: str, locked: bool, gate: Any) -> None:
    if not locked:
        FileLock.acquire = lambda *_: None  # type: ignore[assignment,method-assign]
    gate.wait()
    bounds = limits(month=5.0)
    for _ in range(20):
        try:
            with Ledger(Path(path)).spend("a", cost_of("x" * 100, bounds), bounds):
                pass
        except (InvalidInput, StorageFailed):
            continue


def _spent_by_four(path: Path, locked: bool) -> Decimal:
    context = multiprocessing.get_context("fork")
    gate = context.Barrier(4)
    processes = [context.Process(target=_spender, args=(str(path), locked, gate)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    return Ledger(path).total()


def test_four_who_spend_at_once_spend_what_may_be_spent_and_all_is_written(tmp_path: Path) -> None:
    assert _spent_by_four(tmp_path / "spent.json", locked=True) == Decimal("5.0")


def test_the_twin_without_a_lock_forgets_some(tmp_path: Path) -> None:
    """The control: eighty times ten cents were asked for, so the book should be full."""
    assert any(_spent_by_four(tmp_path / f"{n}.json", locked=False) < Decimal("5.0") for n in range(3))
