"""Where the time went: each moment counted once."""

from __future__ import annotations

import pytest
from hypothesis import given

from tests.tools.runtime.telemetry.samples import GIB, records, told
from tools.runtime.telemetry.figures import bytes_text, seconds_text, summary_text
from tools.runtime.telemetry.record import Record
from tools.runtime.telemetry.summary import summarise


def test_the_figures_of_a_run() -> None:
    found = summarise(told().record)
    device = found.devices["cuda:0"]
    assert found.wall_s == pytest.approx(6.25)
    assert found.parts == pytest.approx(
        {
            "computing on a device": 4.0,
            "loading models": 1.75,
            "evicting models": 0.1,
            "waiting for a device": 0.4,
        }
    )
    assert (device.switches, device.evictions) == (3, 1)
    assert device.beside_s == pytest.approx(1.5)
    assert device.idle_s == pytest.approx(0.0)
    assert (device.peak_bytes, device.budget_bytes) == (14 * GIB, 15 * GIB)
    assert found.cpu_s == pytest.approx(2.8)
    assert (found.retries, found.calls) == (1, {"cached": 1, "done": 3})


def test_promised_and_real() -> None:
    plan = summarise(told().record).plan
    assert plan is not None
    assert (plan.switches, plan.real_switches) == (2, 3)
    assert plan.gap == pytest.approx(1.25)
    assert (plan.wall_s, plan.real_wall_s) == pytest.approx((9.0, 6.25))
    assert plan.real_switch_s == pytest.approx(0.8 + 0.25 + 1.5 + 0.7)


@given(records())
def test_the_parts_add_up_to_the_whole(record: Record) -> None:
    found = summarise(record)
    assert sum(found.parts.values()) == pytest.approx(found.wall_s, abs=1e-6)
    assert all(seconds > 0 for seconds in found.parts.values())
    for device in found.devices.values():
        assert device.idle_s >= 0


def test_an_empty_record_has_no_time() -> None:
    found = summarise(Record())
    assert (found.wall_s, found.parts, found.plan) == (0.0, {}, None)
    assert summary_text(found) == "0 s in all  ·  calls: none"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (0.0042, "0.004 s"), (0.42, "0.42 s"), (12.34, "12.3 s"), (187, "3:07 min"), (3720, "1:02:00 h")],
)
def test_seconds_as_people_read_them(seconds: float, text: str) -> None:
    assert seconds_text(seconds) == text


@pytest.mark.parametrize(("size", "text"), [(70, "70 B"), (250 * 2**20, "250 MiB"), (13.8 * GIB, "13.8 GiB")])
def test_bytes_as_people_read_them(size: float, text: str) -> None:
    assert bytes_text(size) == text
