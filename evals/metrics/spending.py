"""What it cost: device seconds, switches against the bound, tokens, processor seconds."""

from __future__ import annotations

from collections.abc import Sequence

from evals.expect.seen import Seen
from evals.metrics.base import measured, not_measured, weights_note
from evals.result import CallSeen, Metric

__all__ = ["cpu_per_second", "device_per_second", "gpu_per_second", "model_tokens", "switch_gap", "tool_retries"]

_GPUS = ("cuda", "mps")


def _film_s(seen: Seen) -> float:
    """Seconds of films that were published, by their storyboards."""
    return sum(
        sum(shot["duration_s"] for shot in turn.storyboard["shots"])
        for turn in seen.turns if turn.storyboard and any(path.endswith(".mp4") for path in turn.files.values())
    )  # fmt: skip


def gpu_per_second(seen: Seen) -> Metric:
    """Seconds that calls computed on a GPU per second of finished film (s/s).

    What a CPU computes in the place of a card is not counted: see `device_per_second`.
    """
    name, unit = "gpu_per_second", "s/s"
    gpu = [call for call in seen.calls if call.device.startswith(_GPUS)]
    film = _film_s(seen)
    if not gpu or not film:
        instead = any(call.device for call in seen.calls)
        why = "nothing ran on a GPU" + (": the CPU computed what it would have" if instead else "")
        return not_measured(name, why if not gpu else "no film was made", unit)
    return measured(name, sum(call.seconds for call in gpu) / film, unit, _devices(seen, gpu))


def device_per_second(seen: Seen) -> Metric:
    """Seconds that calls with models took, loading included, per second of finished film (s/s).

    The note tells the device. Only runs on the same one compare: a CPU with tiny weights says nothing of a card.
    """
    name, unit = "device_per_second", "s/s"
    spent = [call for call in seen.calls if call.device]
    film = _film_s(seen)
    if not spent or not film:
        return not_measured(name, "no call had a model" if not spent else "no film was made", unit)
    return measured(name, sum(call.seconds for call in spent) / film, unit, _devices(seen, spent))


def _devices(seen: Seen, calls: Sequence[CallSeen]) -> str:
    tiny = weights_note(seen)
    return f"on {', '.join(sorted({call.device for call in calls}))}" + (f"; {tiny}" if tiny else "")


def switch_gap(seen: Seen) -> Metric:
    """Seconds of loading models that plans chose / what no order undercuts, 1 and more.

    Source: the lower bound of tools/runtime/scheduling/bound.py; the plans' own figures.
    """
    plans = [event["plan"] for turn in seen.turns for event in turn.devices if event.get("plan")]
    bound = sum(plan["bound_s"] for plan in plans)
    if not bound:
        return not_measured("switch_gap", "no model was switched on a device", "ratio")
    switches, loads = sum(plan["switches"] for plan in plans), _loads(seen)
    note = f"{switches} switches planned, {loads} loads made"
    return measured("switch_gap", sum(plan["switch_s"] for plan in plans) / bound, "ratio", note)


def _loads(seen: Seen) -> int:
    return sum(event["action"] == "load" for turn in seen.turns for event in turn.devices)


def model_tokens(seen: Seen) -> Metric:
    """Tokens that chat models were paid for, in and out, of the whole scenario, as their servers count them."""
    if not any(turn.steps for turn in seen.turns):
        return not_measured("model_tokens", "no chat model was asked", "tokens")
    return measured("model_tokens", sum(turn.tokens for turn in seen.turns), "tokens")


def cpu_per_second(seen: Seen) -> Metric:
    """Processor seconds of the agent's own process per second of finished film (s/s); workers' time is not in it."""
    film = _film_s(seen)
    if not film:
        return not_measured("cpu_per_second", "no film was made", "s/s")
    return measured("cpu_per_second", sum(turn.cpu_seconds for turn in seen.turns) / film, "s/s")


def tool_retries(seen: Seen) -> Metric:
    """Attempts beyond the first per judged call: by the judge."""
    tries = [one for turn in seen.turns for one in turn.attempts]
    first = sum(one["number"] == 1 for one in tries)
    if not first:
        return not_measured("judge_retries", "nothing was judged", "per call")
    return measured("judge_retries", (len(tries) - first) / first, "per call")
