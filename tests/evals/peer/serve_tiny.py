"""`transformers serve` for the tiny Qwen2.5-VL of the tests, in a process of its own:

    python -m tests.evals.peer.serve_tiny --host 127.0.0.1 --port 8123 --device cpu

What is different from the plain command: `AutoProcessor` gives Qwen2.5-VL a processor without videos, because the
public one wants torchvision, which has no CPU build. All arguments are those of `transformers serve`.
"""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    from transformers import AutoProcessor, Qwen2_5_VLConfig
    from transformers.cli.transformers import main as transformers

    from evals.checkpoints.qwen_vl import processor_class

    AutoProcessor.register(Qwen2_5_VLConfig, processor_class(), exist_ok=True)
    sys.argv = ["transformers", "serve", *sys.argv[1:]]
    transformers()


if __name__ == "__main__":
    main()
