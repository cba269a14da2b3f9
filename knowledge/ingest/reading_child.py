"""The process that reads PDF and HTML files: bytes in, text out. It is run as a script, by `read_foreign`.

Such files are written by anyone, and one made for it keeps a parser busy for hours or takes all memory: so they are
read here, where the operating system ends what takes too much, and where no key stands in the environment.

In, on standard input: a line of JSON {"suffix", "seconds", "megabytes", "pages", "chars"}, then the bytes of the file.
Out: one JSON object {"title", "sections": [[heading, text], ...], "left_out"} or {"error"}.
"""

from __future__ import annotations

import io
import json
import logging
import sys
from importlib import import_module
from typing import Any


def main() -> None:
    """Read the orders and the file, write what it says."""
    orders = json.loads(sys.stdin.buffer.readline())
    # Before the limits, so that they are those of the file and not of the library.
    import_module("pypdf" if orders["suffix"] == ".pdf" else "trafilatura")
    limit(orders["seconds"], orders["megabytes"])
    data = sys.stdin.buffer.read()
    out = sys.stdout
    # Libraries print what they think of a file; standard output is for the answer.
    sys.stdout = io.StringIO()
    logging.disable(logging.CRITICAL)
    try:
        found = read_pdf(data, orders) if orders["suffix"] == ".pdf" else read_html(data, orders)
    except (MemoryError, ImportError):  # a part of a library that is loaded late finds no room, either
        found = {"error": "takes too much memory"}
    except RecursionError:
        found = {"error": "is nested too deeply"}
    except Exception as error:  # whatever a file makes the libraries do, it is told and not more
        found = {"error": f"is damaged ({type(error).__name__})"}
    out.write(json.dumps(found))
    out.flush()


def limit(seconds: int, megabytes: int) -> None:
    """From here on the system ends this process when it takes more."""
    import resource

    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # No file can be made larger than nothing: what reads needs to write nothing.
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if sys.platform != "darwin":  # which does not keep it
        resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))


def read_pdf(data: bytes, orders: dict[str, Any]) -> dict[str, Any]:
    """A section a page."""
    from pypdf import PdfReader

    reader = PdfReader(io.BytesIO(data))
    if reader.is_encrypted and not reader.decrypt(""):
        return {"error": "is locked with a password"}
    sections: list[tuple[str, str]] = []
    size = unread = 0
    pages = len(reader.pages)
    for number in range(min(pages, orders["pages"])):
        try:
            text = reader.pages[number].extract_text()
        except (MemoryError, RecursionError):
            raise
        except Exception:  # one damaged page does not take the others with it
            unread += 1
            continue
        size += len(text)
        if text.strip():
            sections.append((f"page {number + 1}", text))
        if size > orders["chars"]:
            pages = number + 1
            break
    left = []
    if pages > orders["pages"]:
        left.append(f"only the first {orders['pages']} of {pages} pages")
    if unread:
        left.append(f"{unread} pages could not be read")
    title = reader.metadata.title if reader.metadata else None
    return {"title": str(title or ""), "sections": sections, "left_out": "; ".join(left)}


def read_html(data: bytes, orders: dict[str, Any]) -> dict[str, Any]:
    """The main text as Markdown, in one section; the caller cuts it at its headings."""
    import trafilatura

    found = trafilatura.bare_extraction(
        data[: orders["chars"] * 8],
        with_metadata=True,
        include_comments=False,
        include_formatting=True,
        favor_recall=True,
    )
    if found is None or not found.text:
        return {"error": "has no text to read"}
    text = trafilatura.extract(
        data[: orders["chars"] * 8], output_format="markdown", include_comments=False, favor_recall=True
    )
    return {"title": str(found.title or ""), "sections": [("", text or found.text)], "left_out": ""}


if __name__ == "__main__":
    main()
