"""A stretch of host memory that the device can read at the full rate of the link. Needs torch; used inside a worker.

Memory is mapped, filled, and only then registered with the driver (cudaHostRegister). torch's own pinned allocator
rounds a block up to the next power of two, 16 GiB for 9, and pins page by page memory that nobody has touched yet.
"""

from __future__ import annotations

import mmap
from contextlib import suppress
from pathlib import Path

from tools.errors import OutOfMemory

__all__ = ["HostMemory", "available_bytes"]


class HostMemory:
    """`nbytes` of memory as one tensor of bytes; see `pin`.

    Args:
        nbytes: at least 1.
        given_back: bytes that the caller frees while it fills this one; they need not be free now.

    Raises:
        OutOfMemory: that much is not there. (The system would grant it and end some process when it is filled.)
    """

    def __init__(self, nbytes: int, given_back: int = 0) -> None:
        import torch

        self.note = ""
        self.pinned = False
        available = available_bytes()
        if available is not None and nbytes > available + given_back:
            raise OutOfMemory(
                f"parking a model needs {nbytes / 2**30:.2f} GiB of host memory, {available / 2**30:.2f} are free."
            )
        try:
            if hasattr(mmap, "MAP_PRIVATE"):
                memory = mmap.mmap(-1, nbytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
            else:
                memory = mmap.mmap(-1, nbytes)
        except (OSError, OverflowError, ValueError) as error:
            raise OutOfMemory(f"no room for {nbytes / 2**30:.2f} GiB in host memory.") from error
        if hasattr(mmap, "MADV_HUGEPAGE"):
            # 512 times fewer pages to fault in and to pin. A kernel without them says no, and that is all.
            with suppress(OSError):
                memory.madvise(mmap.MADV_HUGEPAGE)
        self.tensor = torch.frombuffer(memory, dtype=torch.uint8)

    def pin(self) -> None:
        """Register the memory with the driver. Fill it first. Where the driver refuses, `note` says why."""
        import torch

        if self.pinned:
            return
        runtime = torch.cuda.cudart()
        code = int(runtime.cudaHostRegister(self.tensor.data_ptr(), self.tensor.numel(), 0))
        if code:
            self.note = (
                f"{self.tensor.numel() / 2**30:.2f} GiB could not be pinned (CUDA error {code}); loads are slower. "
                "Systems that limit locked memory (WSL: half of it) do that."
            )
            # The driver repeats its last error to whoever asks next: let that be this.
            with suppress(RuntimeError):
                torch.zeros(1, device="cuda")
            return
        self.pinned = True

    def close(self) -> None:
        """Unregister. The memory itself goes when the last tensor that points there does."""
        import torch

        if self.pinned:
            torch.cuda.cudart().cudaHostUnregister(self.tensor.data_ptr())
            self.pinned = False


def available_bytes() -> int | None:
    """What the system can give without swapping; None where it does not say."""
    with suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return None
