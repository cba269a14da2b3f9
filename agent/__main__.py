"""`studio`, and `python -m agent`: listens for Ctrl-C first, then imports the command line, which takes a while."""

from __future__ import annotations

from agent.collecting import CollectorAtRest
from agent.interrupts import stop_when_told

__all__ = ["main"]


def main() -> None:
    """Entry point of the `studio` command."""
    stop_when_told()
    with CollectorAtRest():
        from agent.cli import main as studio

    studio()


if __name__ == "__main__":
    main()
