"""The garbage collector rests while modules are imported.

What modules make lives as long as they do, and Python looks through all of it again and again while LangGraph and
pydantic make some 300,000 objects. Nothing but `gc` is imported here: this comes before everything else.
"""

from __future__ import annotations

import gc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["CollectorAtRest"]


class CollectorAtRest:
    """Within it nothing is collected; afterwards all is as before, and what was made counts as long-lived.

    It is collected like all else once it is garbage, by a full collection. A process whose collector is off, or which
    keeps objects out of it (`gc.freeze`, as servers do before they fork), is left as it is.
    """

    def __enter__(self) -> None:
        self._collecting = gc.isenabled()
        gc.disable()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._collecting:
            return
        if not gc.get_freeze_count():
            # There and back: what was the youngest generation is now the oldest, without being looked through.
            gc.freeze()
            gc.unfreeze()
        gc.enable()
