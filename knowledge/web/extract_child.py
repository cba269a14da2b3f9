"""The process that reads pages: HTML in, title, date and main text out. It is run as a script, by `extract`.

Pages are written by anyone. One made for it keeps an HTML parser busy for minutes (a tag with 150,000 attributes),
or takes gigabytes: so they are read here, where the operating system ends what takes too much, and where there is
nothing to steal: no keys in the environment, no studio in memory.

In, on standard input: a line of JSON {"path": [...], "seconds": ..., "megabytes": ...}, then one a page:
{"url", "type", "charset", "data" (base64)}. Out: one line of JSON a page, in the same order.
"""

from __future__ import annotations

import base64
import codecs
import json
import sys
from typing import Any

MOST_TEXT = 200_000
"""Characters of a page's text that are handed on."""


def main() -> None:
    """Read the orders and the pages; write what they say."""
    orders = json.loads(sys.stdin.readline())
    # The caller's: this process starts without any of its environment.
    sys.path[:] = orders["path"]
    limit_memory(int(orders["megabytes"]))
    import trafilatura

    for line in sys.stdin:
        limit_time(float(orders["seconds"]))
        try:
            found = read(trafilatura, json.loads(line))
        except MemoryError:
            found = {"error": "takes too much memory"}
        except Exception as error:  # whatever a page makes the libraries do, the next one is still read
            found = {"error": f"could not be read ({type(error).__name__})"}
        limit_time(0.0)
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()


def read(trafilatura: Any, page: dict[str, str]) -> dict[str, str]:
    """Title, date, site and main text of one page."""
    data = base64.b64decode(page["data"])
    text = decoded(data, page["charset"])
    if page["type"] == "text/plain":
        plain = text if text is not None else data.decode("utf-8", "replace")
        return {"title": "", "date": "", "site": "", "text": plain[:MOST_TEXT]}
    document = trafilatura.bare_extraction(
        text if text is not None else data,
        url=page["url"],
        with_metadata=True,
        include_comments=False,
        deduplicate=False,
        date_extraction_params={"extensive_search": False, "original_date": True},
    )
    if document is None or not document.text:
        return {"error": "has no text to read"}
    told = {name: str(getattr(document, field) or "") for name, field in FIELDS.items()}
    return {**{name: value[:300] for name, value in told.items()}, "text": document.text[:MOST_TEXT]}


FIELDS = {"title": "title", "date": "date", "site": "sitename"}


def decoded(data: bytes, charset: str) -> str | None:
    """The text in the charset the server named; None where it named none that is known, or a wrong one."""
    try:
        # Some of Python's codecs are no encodings of text, or take forever.
        name = codecs.lookup(charset or "utf-8").name
        if name.replace("-", "_") in ("idna", "punycode", "unicode_escape", "raw_unicode_escape", "utf_7"):
            return None
        return data.decode(name)
    except (LookupError, UnicodeError, ValueError):
        return None


def limit_memory(megabytes: int) -> None:
    """Let the system refuse more memory than that, and forbid files and processes."""
    try:
        import resource
    except ImportError:
        return  # Not on Windows: there the caller's time limit is all there is.
    size = megabytes * 1_000_000
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def limit_time(seconds: float) -> None:
    """Have the system end this process after so many seconds of work; 0 takes that back.

    A signal that is not handled ends it even inside a parser's C code, where no Python runs.
    """
    import signal

    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)


if __name__ == "__main__":
    main()
