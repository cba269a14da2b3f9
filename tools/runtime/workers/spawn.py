"""Starting the process of a worker: its command line, its environment, its lifeline; and reading how it ended."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from configs.own import OWN_VARIABLE
from tools.errors import MissingPrerequisite
from tools.runtime.storage.disk import storage_errors

__all__ = ["KEPT_ENVIRONMENT", "how_it_ended", "last_words", "spawn", "worker_environment"]

KEPT_ENVIRONMENT = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "TZ", "LANG", "LC_ALL", "LC_CTYPE", "VIRTUAL_ENV"),
        *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "FONTCONFIG_PATH", "FONTCONFIG_FILE"),
        *("XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"),
        *("HF_HOME", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"),
        *("CUDA_HOME", "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER"),
        OWN_VARIABLE,
    }
)
"""All that a worker sees of the studio's environment: no key, no token, no password."""

_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS",
               "NUMEXPR_NUM_THREADS")  # fmt: skip


def worker_environment(environment: Mapping[str, str], keys: Sequence[str] = ()) -> dict[str, str]:
    """The environment of a worker: what it needs, one thread per numeric library, and the same hashing every time.

    Args:
        environment: of the studio.
        keys: that its stack is given besides.
    """
    kept = {name: value for name, value in environment.items() if name in KEPT_ENVIRONMENT or name in keys}
    kept.update(dict.fromkeys(_ONE_THREAD, "1"))
    kept["PYTHONPATH"] = str(Path(__file__).resolve().parents[3])
    kept["PYTHONHASHSEED"] = "0"
    kept["PYTHONFAULTHANDLER"] = "1"
    kept["PYTHONUNBUFFERED"] = "1"
    # Its builds since 1.29 report to Microsoft what runs on them.
    kept["ORT_DISABLE_TELEMETRY"] = "1"
    return kept


def spawn(
    python: str, allow: tuple[str, ...], keys: Sequence[str] = (), told: Mapping[str, str] | None = None
) -> tuple[subprocess.Popen[bytes], int]:
    """Start a worker; returns it and the writing end of its lifeline (see `lifeline`).

    Args:
        python: interpreter.
        allow: prefixes of the modules whose classes it may make.
        keys: environment variables that its stack is given.
        told: variables set by the studio itself, as where models lie.
    """
    allowed = [word for prefix in allow for word in ("--allow", prefix)]
    with storage_errors("cannot start a worker"):
        reading, writing = os.pipe()
        try:
            process = subprocess.Popen(
                # -P: a folder `tools` where the user stands must not be taken for ours.
                [python, "-P", "-m", "tools.runtime.workers.worker", "--lifeline", str(reading), *allowed],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=worker_environment(os.environ, keys) | dict(told or {}),
                pass_fds=[reading],
                process_group=0,
            )
        except FileNotFoundError as error:
            os.close(writing)
            raise MissingPrerequisite(f"there is no interpreter {python}.", command="studio doctor") from error
        except OSError:
            os.close(writing)
            raise
        finally:
            os.close(reading)
    return process, writing


def last_words(lines: list[str]) -> str:
    """What a dead worker said about its end, in one line: the innermost frame of a fatal error, or the last lines."""
    said = [line.strip() for line in lines if line.strip()]
    fatal = next((line for line in said if line.startswith("Fatal Python error")), None)
    if fatal is None:
        return " | ".join(said[-3:])[-400:]
    # faulthandler lists every thread; the one that failed is the "current" one.
    current = next((index for index, line in enumerate(said) if line.startswith("Current thread")), 0)
    frame = next((line for line in said[current:] if line.startswith("File ")), "")
    return f"{fatal} {frame}".strip()


def how_it_ended(code: int | None) -> str:
    """The end of a process in words that follow its name; None: it is still there."""
    if code is None:
        return "closed its connection"
    if code >= 0:
        return f"ended by itself with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"was ended by {name}" + (" (the system does that when memory runs out)" if name == "SIGKILL" else "")
