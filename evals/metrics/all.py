"""All metrics of a run, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from evals.expect.seen import Seen
from evals.metrics import judging, making, spending
from evals.metrics.base import not_measured
from evals.result import Metric

__all__ = ["METRICS", "measure_run"]

METRICS: Mapping[str, Callable[[Seen], Metric]] = {
    "intent_accuracy": judging.intent_accuracy,
    **{f"intent_accuracy.{name}": partial(judging.intent_field, name) for name in judging.INTENT_FIELDS},
    "trajectory_precision": judging.trajectory_precision,
    "trajectory_recall": judging.trajectory_recall,
    "argument_accuracy": judging.argument_accuracy,
    "on_stage_count": making.on_stage_count,
    "identity_similarity": making.identity_similarity,
    "speech_wer": making.speech_wer,
    "subtitle_offset": making.subtitle_offset,
    "film_validity": making.film_validity,
    "quality_before": making.quality_before,
    "quality_after": making.quality_after,
    "judge_retries": spending.tool_retries,
    "gpu_per_second": spending.gpu_per_second,
    "device_per_second": spending.device_per_second,
    "switch_gap": spending.switch_gap,
    "cpu_per_second": spending.cpu_per_second,
    "model_tokens": spending.model_tokens,
}


def measure_run(seen: Seen) -> list[Metric]:
    """Every metric of a run. One that breaks is not measured, and says of what it broke."""
    found = []
    for name, metric in METRICS.items():
        try:
            found.append(metric(seen))
        except Exception as error:
            found.append(not_measured(name, f"could not be measured: {type(error).__name__}: {str(error)[:200]}"))
    return found
