"""A run as Prometheus metrics, in the text format that node_exporter's textfile collector reads.

Names and units follow Prometheus' conventions: base units (seconds, bytes), `_total` for counters. The file beside the
traces counts on from run to run, so that `rate()` and `increase()` are right; `studio trace RUN --metrics`: one run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from tools.runtime.telemetry.record import Record
from tools.runtime.telemetry.summary import Summary, summarise

__all__ = ["Metrics", "metrics_of", "metrics_text", "read_metrics"]

Labels = tuple[str, ...]
Values = dict[tuple[str, Labels], float]

_COUNTERS: dict[str, tuple[str, Labels]] = {
    "studio_runs": ("Runs in which something was made or tried.", ()),
    "studio_calls": (
        "Tool calls by how they ended; cached ones were taken from the store.",
        ("tool", "engine", "outcome"),
    ),
    "studio_compute_seconds": ("Seconds that calls computed.", ("tool", "engine", "device")),
    "studio_model_loads": ("Models that were loaded onto a device.", ("model", "device")),
    "studio_load_seconds": ("Seconds that calls waited for a model to be loaded.", ("model", "device")),
    "studio_prefetch_seconds": ("Seconds of loading beside calls.", ("model", "device")),
    "studio_model_evictions": ("Models that were taken off a device.", ("model", "device")),
    "studio_evict_seconds": ("Seconds that calls waited for models to leave.", ("model", "device")),
    "studio_wait_seconds": ("Seconds that calls waited for a device that somebody else had.", ("device",)),
    "studio_retries": ("Attempts that rules of retries.yaml added.", ()),
    "studio_remade": ("Calls that the judge sent back.", ()),
    "studio_models_lost": ("Times that a process ended which held a model.", ("device",)),
    "studio_memory_steps_down": ("Times that memory ran out and less was asked of it.", ("device",)),
}
_GAUGES: dict[str, tuple[str, Labels]] = {
    "studio_device_peak_bytes": ("The most that weights and working memory took, in the last run.", ("device",)),
    "studio_device_budget_bytes": ("What they may take together.", ("device",)),
    "studio_run_wall_seconds": ("Of the last run, from its first batch to the end of its last.", ()),
    "studio_run_start_time_seconds": ("When the last run began, since 1970.", ()),
    "studio_plan_gap_ratio": ("Loading of the last run's plans over what no order undercuts.", ()),
    "studio_plan_predicted_seconds": ("Wall seconds that the last run's plans promised.", ()),
    "studio_plan_real_seconds": ("Wall seconds of the batches that they were made for.", ()),
}
_CALL_SECONDS = "studio_call_duration_seconds"
_CALL_LABELS: Labels = ("tool", "engine")
_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 60.0, 150.0, 600.0)


@dataclass
class Metrics:
    """Values by name and labels; counters without their `_total`.

    Attributes:
        counters: they add up.
        gauges: of the last run.
        buckets: of the histogram of call durations: by labels, how many fell into each bucket (the last is +Inf).
        sums: of the same: seconds in all.
    """

    counters: Values = field(default_factory=dict)
    gauges: Values = field(default_factory=dict)
    buckets: dict[Labels, list[float]] = field(default_factory=dict)
    sums: dict[Labels, float] = field(default_factory=dict)

    def count(self, name: str, value: float, *labels: str) -> None:
        """Add to a counter."""
        self.counters[name, labels] = self.counters.get((name, labels), 0.0) + value

    def observe(self, seconds: float, *labels: str) -> None:
        """A call took so long."""
        buckets = self.buckets.setdefault(labels, [0.0] * (len(_BUCKETS) + 1))
        place = next((n for n, edge in enumerate(_BUCKETS) if seconds <= edge), len(_BUCKETS))
        buckets[place] += 1
        self.sums[labels] = self.sums.get(labels, 0.0) + seconds

    def after(self, earlier: Metrics) -> Metrics:
        """These, counted on from earlier ones."""
        both = Metrics(dict(earlier.counters), dict(self.gauges), dict(earlier.buckets), dict(earlier.sums))
        for (name, labels), value in self.counters.items():
            both.count(name, value, *labels)
        for labels, counts in self.buckets.items():
            there = both.buckets.get(labels, [0.0] * len(counts))
            both.buckets[labels] = [a + b for a, b in zip(there, counts, strict=True)]
            both.sums[labels] = both.sums.get(labels, 0.0) + self.sums[labels]
        return both


def metrics_of(record: Record) -> Metrics:
    """One run."""
    found = Metrics()
    found.count("studio_runs", 1)
    found.count("studio_retries", record.again)
    found.count("studio_remade", record.remade)
    for key, count in record.counts.items():
        found.count("studio_calls", count, *key)
    for span in record.spans:
        if span.kind == "call":
            device = span.device or "cpu"
            found.count("studio_compute_seconds", span.seconds, span.tool, span.engine, device)
            found.observe(span.seconds, span.tool, span.engine)
        elif span.kind == "wait":
            found.count("studio_wait_seconds", span.seconds, span.device)
        else:
            found.count(f"studio_{span.kind}_seconds", span.seconds, span.name, span.device)
            if span.kind != "prefetch":
                name = "studio_model_loads" if span.kind == "load" else "studio_model_evictions"
                found.count(name, 1, span.name, span.device)
    for mark in record.marks:
        if mark.kind == "lost":
            found.count("studio_models_lost", 1, mark.device)
        elif mark.kind == "step_down":
            found.count("studio_memory_steps_down", 1, mark.device)
    _gauges(found.gauges, record, summarise(record))
    return found


def _gauges(gauges: Values, record: Record, summary: Summary) -> None:
    gauges["studio_run_wall_seconds", ()] = summary.wall_s
    gauges["studio_run_start_time_seconds", ()] = record.wall
    for name, device in summary.devices.items():
        gauges["studio_device_peak_bytes", (name,)] = device.peak_bytes
        if device.budget_bytes:
            gauges["studio_device_budget_bytes", (name,)] = device.budget_bytes
    if summary.plan is not None:
        gauges["studio_plan_gap_ratio", ()] = summary.plan.gap
        gauges["studio_plan_predicted_seconds", ()] = summary.plan.wall_s
        gauges["studio_plan_real_seconds", ()] = summary.plan.real_wall_s


class _Given(Collector):
    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        yield from self._families(CounterMetricFamily, _COUNTERS, self._metrics.counters)
        yield from self._families(GaugeMetricFamily, _GAUGES, self._metrics.gauges)
        histogram = HistogramMetricFamily(_CALL_SECONDS, "How long attempts at calls took.", labels=_CALL_LABELS)
        for labels, counts in sorted(self._metrics.buckets.items()):
            edges = [*(str(edge) for edge in _BUCKETS), "+Inf"]
            reached = [sum(counts[: n + 1]) for n in range(len(counts))]
            histogram.add_metric(labels, list(zip(edges, reached, strict=True)), self._metrics.sums[labels])
        yield histogram

    def _families(
        self,
        kind: type[CounterMetricFamily] | type[GaugeMetricFamily],
        known: Mapping[str, tuple[str, Labels]],
        values: Values,
    ) -> Iterator[Metric]:
        for name, (about, labels) in known.items():
            family = kind(name, about, labels=labels)
            for (named, given), value in sorted(values.items()):
                if named == name:
                    family.add_metric(given, value)
            if family.samples:
                yield family


def metrics_text(metrics: Metrics) -> bytes:
    """The text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Given(metrics))
    return generate_latest(registry)


def read_metrics(text: str) -> Metrics:
    """Counters and histograms of a text as `metrics_text` gives it; gauges are of one run and not read.

    Raises:
        ValueError: it is none.
    """
    found = Metrics()
    for family in text_string_to_metric_families(text):
        if family.name in _COUNTERS:
            for sample in family.samples:
                labels = tuple(sample.labels[name] for name in _COUNTERS[family.name][1] if name in sample.labels)
                if len(labels) != len(_COUNTERS[family.name][1]):
                    raise ValueError(f"{sample.name} has other labels")
                found.count(family.name, sample.value, *labels)
        elif family.name == _CALL_SECONDS:
            _read_histogram(found, family)
    return found


def _read_histogram(found: Metrics, family: Metric) -> None:
    edges = [str(edge) for edge in _BUCKETS] + ["+Inf"]
    for sample in family.samples:
        labels = tuple(sample.labels.get(name, "") for name in _CALL_LABELS)
        if sample.name.endswith("_sum"):
            found.sums[labels] = sample.value
        elif sample.name.endswith("_bucket") and sample.labels["le"] in edges:
            reached = found.buckets.setdefault(labels, [0.0] * len(edges))
            reached[edges.index(sample.labels["le"])] = sample.value
    for labels, reached in found.buckets.items():
        found.buckets[labels] = [b - a for a, b in zip([0.0, *reached], reached, strict=False)]
        found.sums.setdefault(labels, 0.0)
