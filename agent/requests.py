"""What is let in: a request is text of a sane length without control characters."""

from __future__ import annotations

import re
import unicodedata

from tools.errors import InvalidInput

__all__ = ["MAX_CHARACTERS", "clean_request", "without_controls"]

MAX_CHARACTERS = 50_000
"""About twenty pages; a longer text is a manuscript, not a request."""

_CONTROL = re.compile(
    r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\ufeff]"
)


def clean_request(text: str) -> str:
    """The request without control and direction-changing characters, in composed form (NFC).

    Raises:
        InvalidInput: nothing is left of it, or it is too long.
    """
    if len(text) > MAX_CHARACTERS:
        raise InvalidInput(
            f"the request is {len(text):,} characters long; {MAX_CHARACTERS:,} are allowed.",
            hint="Put a long script into several requests.",
        )
    cleaned = unicodedata.normalize("NFC", without_controls(text)).strip()
    if not cleaned:
        raise InvalidInput("the request is empty.", hint='Try: studio "make a beach scene with Luca and Alberto"')
    return cleaned


def without_controls(text: str) -> str:
    """The text without control and direction-changing characters, and without halves of characters."""
    return _CONTROL.sub("", text.encode("utf-8", "ignore").decode())
