"""Prometheus reads it, names follow its conventions, and counters count on from run to run."""

from __future__ import annotations

import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.tools.runtime.telemetry.samples import GIB, told
from tools.runtime.telemetry.metrics import metrics_of, metrics_text, read_metrics
from tools.runtime.telemetry.record import Record


def values(text: bytes) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def test_a_run_in_metrics() -> None:
    found = values(metrics_text(metrics_of(told().record)))
    engine = (("engine", "sdxl"), ("tool", "generate_image"))
    eye, device = (("device", "cuda:0"), ("model", "eye")), (("device", "cuda:0"),)
    assert found["studio_model_loads_total", eye] == 2
    assert found["studio_load_seconds_total", eye] == pytest.approx(0.95)
    assert found["studio_prefetch_seconds_total", eye] == pytest.approx(1.5)
    assert found["studio_wait_seconds_total", device] == pytest.approx(0.4)
    assert found["studio_compute_seconds_total", (*device, *engine)] == pytest.approx(4.0)
    assert found["studio_calls_total", tuple(sorted([*engine, ("outcome", "done")]))] == 3
    assert found["studio_retries_total", ()] == 1
    assert found["studio_device_peak_bytes", device] == 14 * GIB
    assert found["studio_call_duration_seconds_count", engine] == 4
    assert found["studio_call_duration_seconds_bucket", (engine[0], ("le", "1.0"), engine[1])] >= 1


def test_names_and_units_follow_the_conventions() -> None:
    text = metrics_text(metrics_of(told().record)).decode()
    for family in text_string_to_metric_families(text):
        assert re.fullmatch(r"studio_[a-z_]+", family.name)
        assert family.documentation.endswith(".")
        assert family.type in ("counter", "gauge", "histogram")
        names = {sample.name for sample in family.samples}
        if family.type == "counter":
            assert names == {f"{family.name}_total"}
        assert not re.search("_(ms|mb|gb|minutes)", family.name)


def test_counters_count_on_and_gauges_are_of_the_last_run() -> None:
    once = metrics_of(told().record)
    twice = once.after(read_metrics(metrics_text(once).decode()))
    thrice = values(metrics_text(once.after(read_metrics(metrics_text(twice).decode()))))
    for (name, labels), value in values(metrics_text(once)).items():
        factor = 1 if name in {f"{key[0]}" for key in once.gauges} else 3
        assert thrice[name, labels] == pytest.approx(factor * value), name


def test_an_empty_run_has_metrics_too() -> None:
    assert values(metrics_text(metrics_of(Record())))["studio_runs_total", ()] == 1


DAMAGED = '# TYPE studio_calls_total counter\nstudio_calls_total{tool="x"} 1\n'


@pytest.mark.parametrize("text", ["rubbish {", "studio_runs_total one", DAMAGED])
def test_damaged_text_is_refused(text: str) -> None:
    with pytest.raises((ValueError, KeyError, IndexError)):
        read_metrics(text)
