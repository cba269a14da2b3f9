"""Keys and passwords are told to the server they are for, and to nobody else: not in errors, records or answers."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit, urlunsplit

__all__ = ["secrets_of", "shown_address", "without_secrets"]

_LEAST = 6
"""Characters; what is shorter stands in ordinary text, too, and protects nothing."""


def shown_address(url: str) -> str:
    """An address as it may be shown: without the user and the password that may stand in it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an address that cannot be read"
    if "@" not in parts.netloc:
        return url
    return urlunsplit(parts._replace(netloc=f"…@{parts.netloc.rpartition('@')[2]}"))


def secrets_of(url: str, key: str) -> tuple[str, ...]:
    """What a server is told to let one in, in each form in which it may tell it back; the longest first."""
    try:
        parts = urlsplit(url)
        user, password = parts.username or "", parts.password or ""
    except ValueError:
        user = password = ""
    # A user without a password is a token.
    token = "" if password else user
    pair = f"{unquote(user)}:{unquote(password)}" if user or password else ""
    coded = [base64.b64encode(one.encode()).decode() for one in (key, pair) if len(one) >= _LEAST]
    found = {key, password, unquote(password), token, unquote(token), pair, *coded, *(one.rstrip("=") for one in coded)}
    return tuple(sorted((one for one in found if len(one) >= _LEAST), key=lambda one: (-len(one), one)))


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """A text in which none of them stands."""
    for one in secrets:
        text = text.replace(one, "…")
    return text
