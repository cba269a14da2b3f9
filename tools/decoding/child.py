"""The process in which a file from anywhere is decoded: the file on standard input, orders on the command line.

A picture, film or recording that was made for it keeps a decoder busy for hours, takes all memory, or ends the process
that reads it. So it is read here: the operating system ends what takes too much, no key stands in the environment,
nothing can be written, and the studio goes on. Run by `tools.decoding.limited`.
"""

from __future__ import annotations

import io
import json
import logging
import os
import resource
import sys
import warnings
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, BinaryIO

from tools.decoding.wire import write_array, write_line
from tools.errors import InvalidInput

__all__ = ["REALTIME", "main"]

REALTIME = 20
"""Seconds of sound that a second of work must yield at least: a long recording may take longer than a picture."""
IMPORTS_S = 2
"""Seconds of work that the libraries themselves may take to be imported."""

Decoder = Callable[..., Iterator[Any]]


def main() -> None:
    """Decode standard input as ordered; arrays and seconds go out, then `done` or what is wrong."""
    orders = json.loads(sys.argv[1])
    from tools.runtime.workers.lifeline import die_with_parent

    die_with_parent(orders["lifeline"])
    out = os.fdopen(os.dup(1), "wb")
    # What libraries print is not an answer.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.stdout = io.StringIO()
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    write_line(out, _worked(orders, out))


def _worked(orders: dict[str, Any], out: BinaryIO) -> dict[str, Any]:
    """Hand over what the decoder yields; returns the last word."""
    try:
        decoder = _decoder(orders["decoder"], tuple(orders["allow"]))
        for library in orders["libraries"]:
            # Before the limits, so that they are those of the file and not of the library.
            import_module(library)
        _limit(orders["cpu_s"], orders["megabytes"])
        with os.fdopen(0, "rb", closefd=False) as file:
            for given in decoder(file, **orders["args"]):
                if isinstance(given, float):
                    _grant(orders["cpu_s"], given)
                    write_line(out, {"seconds": given})
                else:
                    write_array(out, given)
    except InvalidInput as error:
        return {"error": error.message[:1000], "hint": error.hint[:500]}
    except ModuleNotFoundError as error:
        return {"missing": error.name or ""}
    except (MemoryError, ImportError):  # a part of a library that is loaded late finds no room, either
        return {"error": "takes too much memory to be read"}
    except RecursionError:
        return {"error": "is nested too deeply"}
    except BrokenPipeError:
        return {}
    except Exception as error:  # whatever a file makes the libraries do, it is told and not more
        return {"error": f"is damaged ({type(error).__name__})"}
    return {"done": True}


def _decoder(name: str, allow: tuple[str, ...]) -> Decoder:
    module, _, function = name.partition(":")
    if not module.startswith(allow):
        raise InvalidInput("has no decoder")
    found: Decoder = getattr(import_module(module), function)
    return found


def _limit(cpu_s: int, megabytes: int) -> None:
    """From here on the system ends this process when it takes more."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # No file can be made larger than nothing: what decodes needs to write nothing.
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    _cpu(cpu_s + IMPORTS_S)
    if sys.platform == "linux":  # macOS does not keep it
        with open("/proc/self/statm", encoding="ascii") as file:
            taken = int(file.read().split()[0]) * resource.getpagesize()
        most = taken + (megabytes << 20)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _cpu(seconds: int) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds if most == resource.RLIM_INFINITY else min(seconds, most), most))


def _grant(cpu_s: int, heard: float) -> None:
    """More time, in the measure of the sound that came."""
    _cpu(cpu_s + IMPORTS_S + int(heard / REALTIME))


if __name__ == "__main__":
    main()
