"""Stages with one thing of what measures broken: `python -m tests.evals.world.broken_stage JOB.json LIFELINE`.

Which one stands in `EVAL_TWIN`.
"""

from __future__ import annotations

import os
from typing import Any

from evals.run.stage import main


def _without(what: str) -> None:
    import agent.nodes.judge

    real = agent.nodes.judge.measuring_calls

    def broken(*given: Any) -> dict[str, Any]:
        return {name: call for name, call in real(*given).items() if name != what}

    agent.nodes.judge.measuring_calls = broken


def deaf() -> None:
    """The judge does not listen, though somebody could."""
    _without("heard")


def faceless() -> None:
    """The judge compares no faces, though it could."""
    _without("faces")


def placed_nowhere() -> None:
    """A world that lays no weights down."""
    import evals.world.weights

    evals.world.weights.place_weights = lambda *_given: None


def not_installed() -> None:
    """A machine without the libraries of models."""
    import evals.world.weights

    evals.world.weights.is_installed = lambda _name: False


if __name__ == "__main__":
    {one.__name__: one for one in (deaf, faceless, placed_nowhere, not_installed)}[os.environ["EVAL_TWIN"]]()
    main()
