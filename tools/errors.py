"""Every error a tool may raise, as one tree.

    ToolError                  what the agent (or a model) can read and act on
    ├── InvalidInput           the request is wrong: says which field or file and line
    ├── MissingPrerequisite    something is not installed or not there: names the command that mends it
    ├── EngineFailed           an engine broke while it worked                      (retryable)
    │   ├── EngineCrashed      its process died                                     (retryable)
    │   ├── EngineHung         no sign of life within the limit                     (retryable)
    │   └── OutOfMemory        device or host memory ran out                        (retryable)
    ├── BadOutput              the engine answered, but with nothing usable         (retryable)
    ├── StorageFailed          disk full, read-only, too many files
    │   └── CorruptArtifact    a stored result does not match its record            (retryable)
    ├── ProductionBusy         another process is writing this production           (retryable)
    ├── DeviceBusy             somebody else has the GPU                            (retryable)
    └── Cancelled              a person, or a limit, stopped it

Anything that is not a `ToolError` is a bug in the studio and is not swallowed.
"""

from __future__ import annotations

__all__ = [
    "BadOutput",
    "Cancelled",
    "CorruptArtifact",
    "DeviceBusy",
    "EngineCrashed",
    "EngineFailed",
    "EngineHung",
    "InvalidInput",
    "MissingPrerequisite",
    "OutOfMemory",
    "ProductionBusy",
    "StorageFailed",
    "ToolError",
]


class ToolError(Exception):
    """Base of the tree.

    Args:
        message: what happened, to which file or field, in one line.
        hint: what to do about it, in one line; empty when the message says it all.
    """

    retryable = False
    """Whether the same call, made again, may succeed."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        if not self.hint:
            return self.message
        end = "" if self.message.endswith((".", "!", "?", ":")) else "."
        return f"{self.message}{end} {self.hint}"


class InvalidInput(ToolError):
    """The request cannot be carried out as written; `where` is a field, or `file:line`."""

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(f"{where}: {message}" if where else message, hint=hint)
        self.where = where


class MissingPrerequisite(ToolError):
    """A library, weight, program or server is missing; `command` is what mends it."""

    def __init__(self, message: str, *, command: str) -> None:
        super().__init__(message, hint=f"To mend it: {command}")
        self.command = command


class EngineFailed(ToolError):
    """An engine broke while it worked."""

    retryable = True


class EngineCrashed(EngineFailed):
    """The engine's process died."""


class EngineHung(EngineFailed):
    """The engine gave no sign of life within its limit."""


class OutOfMemory(EngineFailed):
    """Device or host memory ran out; `of_weights`: while a model was brought there, before any call ran on it."""

    of_weights = False


class BadOutput(ToolError):
    """The engine answered, but what it made is blank, silent, truncated or otherwise unusable."""

    retryable = True


class StorageFailed(ToolError):
    """Writing failed: disk full, read-only, too many open files."""


class CorruptArtifact(StorageFailed):
    """A stored result does not match its own record; it is set aside and made again."""

    retryable = True


class ProductionBusy(ToolError):
    """Another process holds this production."""

    retryable = True


class DeviceBusy(ToolError):
    """Somebody else on this machine has the GPU, and the time to wait for it is over."""

    retryable = True


class Cancelled(ToolError):
    """A person, or a limit, stopped the work; what was finished is kept."""
