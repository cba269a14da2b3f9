"""What NVIDIA's driver says, as one line of JSON: `python -m tools.runtime.device.nvml`.

A process of its own, because a driver in trouble hangs whoever asks it; `hardware.detect` gives it a few seconds.
"""

from __future__ import annotations

import json
import sys
from typing import Any

__all__ = ["main", "query"]


def query(nvml: Any) -> dict[str, Any]:
    """Driver and cards.

    Args:
        nvml: the module `pynvml`.

    Returns:
        `driver`, and `gpus`: for each `index, uuid, name, memory, free` (bytes) and `capability` ("8.9").
    """
    nvml.nvmlInit()
    try:
        cards = []
        for index in range(nvml.nvmlDeviceGetCount()):
            card = nvml.nvmlDeviceGetHandleByIndex(index)
            memory = nvml.nvmlDeviceGetMemoryInfo(card)
            major, minor = nvml.nvmlDeviceGetCudaComputeCapability(card)
            cards.append(
                {
                    "index": index,
                    "uuid": _text(nvml.nvmlDeviceGetUUID(card)),
                    "name": _text(nvml.nvmlDeviceGetName(card)),
                    "memory": int(memory.total),
                    "free": int(memory.free),
                    "capability": f"{major}.{minor}",
                }
            )
        return {"driver": _text(nvml.nvmlSystemGetDriverVersion()), "gpus": cards}
    finally:
        nvml.nvmlShutdown()


def _text(value: str | bytes) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def main() -> None:
    """Print what was found, or `{"error": ...}` and exit with 1."""
    import pynvml

    try:
        print(json.dumps(query(pynvml)))
    except pynvml.NVMLError as error:
        print(json.dumps({"error": str(error)}))
        sys.exit(1)


if __name__ == "__main__":
    main()
