"""How fast models change places on one card, and whether they stay within 16 GB. Run it where a GPU is:

    python -m evals.benchmarks.gpu_swap --out evals/benchmarks/results

It needs torch and, from this project, what it measures: nothing else. Full-size models with random weights (see
`gpu_models`) take turns under the ledger, on a card capped at 16 GB. One call measures everything and writes one JSON
file; it takes about three minutes and 45 GB of host memory. `--device cpu --shrink 40` tries it out on any machine; its
figures then say nothing about a card.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from evals.benchmarks.gpu_card import GB, Card, lacks, machine, print_result
from evals.benchmarks.gpu_models import MODELS, ModelSpec, build
from evals.benchmarks.row import Row
from tools.runtime.residency.host_memory import HostMemory
from tools.runtime.residency.ledger import Ledger
from tools.runtime.residency.slab import Slab
from tools.runtime.scheduling.problem import Model

__all__ = ["main", "measure", "run"]

BUDGET = int(15.5 * GB)
CYCLES = 12
DRIFT_SWAPS = 200


@dataclass
class Turn:
    """One model, packed: its slab and what it took to get there. Seconds and bytes."""

    spec: ModelSpec
    slab: Slab
    checksum: int
    pack_s: float
    to_device_s: float
    to_host_s: float
    swaps: list[float] = field(default_factory=list)


def pinned_rate(card: Card, size: int, times: int = 15) -> dict[str, float]:
    """Bytes a second of one plain asynchronous copy from pinned memory: what the link gives at most."""
    torch = card.torch
    host = HostMemory(size, given_back=size)
    host.tensor.fill_(1)
    if card.is_cuda:
        host.pin()
    copy = partial(torch.empty(size, dtype=torch.uint8, device=card.device).copy_, host.tensor, non_blocking=True)
    seconds = [card.seconds(copy) for _ in range(times)][3:]
    del copy
    host.close()
    if card.is_cuda:
        torch.cuda.empty_cache()
    return {"median": size / statistics.median(seconds), "best": size / min(seconds), "bytes": float(size)}


def prepare(card: Card, spec: ModelSpec, seed: int, shrink: int, streams: int) -> Turn:
    """Build a model, move it by `.to()` there and back, as others do, then pack it."""
    modules = build(spec, seed, shrink)

    def move(device: str) -> None:
        for module in modules.values():
            module.to(device)
        if card.is_cuda:
            card.torch.cuda.empty_cache()

    # The second time, when the driver is warm: the better one for `.to()`.
    rounds = [(card.seconds(lambda: move(str(card.device))), card.seconds(lambda: move("cpu"))) for _ in range(2)]
    there, back = min(rounds)
    start = time.perf_counter()
    slab = Slab(modules, str(card.device), streams=streams)
    pack_s = time.perf_counter() - start
    return Turn(spec, slab, slab.checksum(), pack_s, there, back)


def call(card: Card, turn: Turn, working: int) -> None:
    """What a call does to memory: read the weights, and fill `working` bytes besides."""
    torch = card.torch
    with torch.no_grad():
        for module in turn.slab.modules.values():
            largest = max(module.parameters(), key=lambda weight: weight.numel())
            largest.view(torch.int8 if largest.element_size() == 1 else largest.dtype).flatten()[::4096].clone()
        taken, scratch = 0, []
        while taken < working:
            part = min(1 << 28, working - taken)
            scratch.append(torch.full((part,), 1, dtype=torch.uint8, device=card.device))
            taken += part
        card.wait()
    del scratch
    if card.is_cuda:
        torch.cuda.empty_cache()


class Stage:
    """The models taking turns under a ledger."""

    def __init__(self, card: Card, turns: list[Turn], budget: int, share: float) -> None:
        self.card = card
        self.turns = {turn.spec.name: turn for turn in turns}
        self.working = {turn.spec.name: int(turn.spec.working * share) for turn in turns}
        models = [Model(t.spec.name, t.slab.nbytes, self.working[t.spec.name]) for t in turns]
        self.ledger = Ledger(budget, models)
        self.most_used = 0

    def swap_in(self, name: str) -> float:
        """Evict what must go and load `name`; wall seconds of all of it."""
        turn = self.turns[name]

        def swap() -> None:
            leaving = self.ledger.to_evict([name])
            if leaving is None:
                raise RuntimeError(f"{name} cannot fit")
            for other in leaving:
                with self.ledger.evicting(other):
                    self.turns[other].slab.evict()
            if self.ledger.state(name) == "resident":
                return
            with self.ledger.loading(name) as move:
                self.ledger.resize(move, turn.slab.nbytes)
                turn.slab.load()

        return self.card.seconds(swap)

    def use(self, name: str) -> None:
        """A call of a resident, with its working memory."""
        with self.ledger.running([name]):
            call(self.card, self.turns[name], self.working[name])
        self.most_used = max(self.most_used, self.card.used())

    def clear(self) -> None:
        """Evict everything."""
        for name in sorted(self.ledger.snapshot().resident):
            with self.ledger.evicting(name):
                self.turns[name].slab.evict()
        self.card.wait()


def cycles(stage: Stage, times: int) -> list[float]:
    """Seconds of LLM -> SDXL -> judge -> LLM, `times` over, each with a call between the swaps (not timed)."""
    order = [*list(stage.turns)[1:], next(iter(stage.turns))]
    present = order[-1]
    stage.swap_in(present)
    whole = []
    for number in range(times + 1):
        seconds = []
        for name in order:
            stage.use(present)
            seconds.append(stage.swap_in(name))
            present = name
            if number == 0:
                turn = stage.turns[name]
                if turn.slab.checksum() != turn.checksum:
                    raise RuntimeError(f"the weights of {name} changed on their way")
            else:
                stage.turns[name].swaps.append(seconds[-1])
        if number:
            whole.append(sum(seconds))
    return whole


def drift(stage: Stage, swaps: int) -> dict[str, int]:
    """How much more memory is in use after `swaps` swaps than after the first three, everything evicted."""
    names = list(stage.turns)
    stage.clear()

    def settled(first: int, count: int) -> tuple[int, int]:
        for number in range(first, first + count):
            stage.swap_in(names[number % len(names)])
        stage.clear()
        torch = stage.card.torch
        return stage.card.used(), int(torch.cuda.memory_reserved(stage.card.device)) if stage.card.is_cuda else 0

    used, reserved = settled(0, 3)
    used_after, reserved_after = settled(0, swaps)
    return {"swaps": swaps, "device": used_after - used, "reserved": reserved_after - reserved}


@dataclass(frozen=True)
class Options:
    """What may be asked of a run; see the command line's help."""

    device: str = "cuda"
    shrink: int = 1
    streams: int = 1
    cycles: int = CYCLES
    swaps: int = DRIFT_SWAPS
    seed: int = 0


def run(options: Options | None = None) -> dict[str, Any]:
    """Measure everything; returns what is written to the file.

    Raises:
        RuntimeError: weights arrived changed, or the card is too small: there is no figure then.
    """
    options = options or Options()
    started = time.perf_counter()
    card = Card(options.device)
    turns = [prepare(card, spec, options.seed, options.shrink, options.streams) for spec in MODELS]
    rate = pinned_rate(card, max(1 << 22, (2 << 30) // options.shrink))
    share = 1.0 / options.shrink
    budget = BUDGET if card.is_cuda else max(turn.slab.nbytes + int(turn.spec.working * share) for turn in turns)
    if card.is_cuda:
        card.torch.cuda.reset_peak_memory_stats(card.device)
    stage = Stage(card, turns, budget, share)
    whole = cycles(stage, options.cycles)
    drifted = drift(stage, options.swaps)
    figures = {
        "cycle_s": whole,
        "cycle_bytes": sum(turn.slab.nbytes for turn in turns),
        "rate": rate,
        "peak": card.peak() or stage.ledger.snapshot().peak,
        "card_most_used": stage.most_used,
        "card_before": card.before if card.is_cuda else 0,
        "ledger_peak": stage.ledger.snapshot().peak,
        "drift": drifted,
    }
    rows = judge_rows(turns, figures)
    counts = card.is_cuda and options.shrink == 1
    result = {
        "what": "models taking turns on one card: random weights of full size, capped at 16 GB",
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(card),
        "options": asdict(options),
        "counts_for_a_card": counts,
        "rows": [row.as_json() for row in rows],
        "missed": [row.name for row in rows if counts and row.met is False],
        "models": [describe(turn, rate["median"]) for turn in turns],
        "figures": figures,
        "took_s": round(time.perf_counter() - started, 1),
    }
    for turn in turns:
        turn.slab.close()
    return result


def judge_rows(turns: list[Turn], figures: dict[str, Any]) -> list[Row]:
    """The figures that something is promised of."""
    rate = figures["rate"]["median"]
    slowest = max(statistics.median(turn.swaps) * rate / turn.slab.nbytes for turn in turns if turn.swaps)
    cycle = statistics.median(figures["cycle_s"])
    link = figures["cycle_bytes"] / rate
    loads = sum(turn.to_device_s for turn in turns)
    moves = loads + sum(turn.to_host_s for turn in turns)
    drifted = max(figures["drift"]["device"], figures["drift"]["reserved"])
    return [
        Row("swap / (bytes / pinned copy rate), slowest model", slowest, "x", goal=1.2),
        Row("cycle LLM -> SDXL -> judge -> LLM", cycle, "s", 0.8, link, "the link alone"),
        Row("the same cycle against .to(), both ways", cycle, "s", moves / 3, moves, ".to() in and out"),
        Row("the same cycle against .to(), in alone", cycle, "s", None, loads, ".to() in, dropped on the way out"),
        Row("peak on the device", figures["peak"] / GB, "GB", goal=15.5),
        Row(f"drift over {figures['drift']['swaps']} swaps", drifted / 1e6, "MB", goal=64.0),
    ]


def describe(turn: Turn, rate: float) -> dict[str, Any]:
    """One model for the file; seconds, bytes, and the swap as a multiple of its bytes over the link."""
    weights = [weight for module in turn.slab.modules.values() for weight in module.parameters()]
    median = statistics.median(turn.swaps) if turn.swaps else 0.0
    return {
        "name": turn.spec.name,
        "about": turn.spec.about,
        "bytes": turn.slab.nbytes,
        "tensors": len(weights),
        "pack_and_pin_s": round(turn.pack_s, 2),
        "to_device_s": round(turn.to_device_s, 3),
        "to_host_s": round(turn.to_host_s, 3),
        "swap_s": {"median": round(median, 4), "worst": round(max(turn.swaps, default=0.0), 4)},
        "swap_over_link": round(median * rate / turn.slab.nbytes, 3),
        "note": turn.slab.note,
    }


def lacking() -> str:
    """What this machine lacks for it; empty where nothing."""
    return lacks()


def measure() -> list[Row]:
    """For `studio bench`: the rows where there is a card for it; else none, and the reason on standard error."""
    reason = lacking()
    if reason:
        print(f"gpu_swap: not measured, {reason}", file=sys.stderr)
        return []
    fields = Row.__dataclass_fields__
    return [Row(**{name: value for name, value in row.items() if name in fields}) for row in run()["rows"]]


def main() -> None:
    """Measure, write the file, print it; the exit code is 1 where a figure missed its goal."""
    parser = argparse.ArgumentParser(prog="evals.benchmarks.gpu_swap", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, help="folder for gpu_swap-DATE-CARD.json; none prints only")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--shrink", type=int, default=1, help="take 1 tensor of so many, and so much smaller")
    parser.add_argument("--streams", type=int, default=1, help="copies that run at once")
    parser.add_argument("--cycles", type=int, default=CYCLES)
    parser.add_argument("--swaps", type=int, default=DRIFT_SWAPS)
    parser.add_argument("--seed", type=int, default=0)
    asked = vars(parser.parse_args())
    folder = asked.pop("out")
    result = run(Options(**asked))
    print_result(result, folder, "gpu_swap")
    sys.exit(1 if result["missed"] else 0)


if __name__ == "__main__":
    main()
