"""What an engine raised, as an error of the tree."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tools.errors import ToolError

__all__ = ["as_tool_error"]


def as_tool_error(error: Exception, request: dict[str, Any]) -> ToolError:
    """Any exception of an engine as a `ToolError`; one that is not of the tree keeps its type and place."""
    import sys
    import traceback

    from pydantic import ValidationError

    from tools.errors import EngineCrashed, EngineFailed, InvalidInput, OutOfMemory, ToolError
    from tools.runtime.storage.disk import is_storage_error, storage_failure

    if isinstance(error, ToolError):
        return error
    name = str(request.get("name", request["do"]))
    if _is_out_of_memory(error):
        return OutOfMemory(f"{name} ran out of memory{_first_line(error)}.")
    if _is_device_failure(error):
        return EngineCrashed(f"{name}: the device failed{_first_line(error)}.", hint="Its process is started anew.")
    if isinstance(error, OSError) and is_storage_error(error):
        return storage_failure(f"{name} could not work with its files", error)
    if isinstance(error, ValidationError) and request.get("do") == "describe":
        return InvalidInput(f"{name}: {error.errors()[0]['msg']}")
    traceback.print_exception(error, file=sys.stderr)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(frame.filename).name}:{frame.lineno}"
    return EngineFailed(f"{name} raised {type(error).__name__} at {place}: {str(error)[:300]}".rstrip(": "))


_FULL = (
    "can't allocate memory", "out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED",
    "Failed to allocate memory",
)  # fmt: skip
"""As torch says it of the host's memory, of Metal's and of what CUDA's libraries ask for; ONNX Runtime of its own."""


def _is_out_of_memory(error: Exception) -> bool:
    """Whether memory ran out; torch's own error is named so in most backends, and it must not be imported to ask."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(text in str(error)[:500] for text in _FULL)


def _is_device_failure(error: Exception) -> bool:
    """Whether CUDA is broken for this whole process, as it is after an illegal access or an assertion on the device.

    torch raises `AcceleratorError` for them (before 2.8: RuntimeError), with "CUDA error: ..." as its text.
    """
    return type(error).__name__ == "AcceleratorError" or (
        isinstance(error, RuntimeError) and str(error).startswith(("CUDA error", "CUDA driver error", "cuDNN error"))
    )


def _first_line(error: Exception) -> str:
    text = str(error).partition("\n")[0].strip().rstrip(".")[:200]
    return f": {text}" if text else ""
