"""HTML in which nothing foreign can be anything but text: strings are escaped, only what was built here is markup."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TypeAlias

from agent.requests import without_controls

__all__ = ["Html", "Inside", "el", "fold", "joined", "shortened"]

_VOID = frozenset({"br", "img", "input", "meta"})


class Html(str):
    """Markup that was built by `el`; every other string is text."""

    __slots__ = ()


Inside: TypeAlias = "Html | str | int | Iterable[Inside] | None"


def joined(*inside: Inside) -> Html:
    """Parts one after another; strings are escaped, None is nothing."""
    parts: list[str] = []
    for one in inside:
        if one is None:
            continue
        if isinstance(one, Html):
            parts.append(one)
        elif isinstance(one, str | int):
            parts.append(escape(without_controls(str(one))))
        else:
            parts.append(joined(*one))
    return Html("".join(parts))


def el(name: str, /, *inside: Inside, **attributes: str | int | bool | None) -> Html:
    """An element.

    Args:
        name: of the element.
        inside: text and elements.
        attributes: `class_` is `class`, `data_x` is `data-x`; None and False are left out, True stands alone.
    """
    told = ""
    for key, value in attributes.items():
        if value is not None and value is not False:
            told += f" {key.rstrip('_').replace('_', '-')}"
            told += "" if value is True else f'="{escape(without_controls(str(value)))}"'
    return Html(f"<{name}{told}>" if name in _VOID else f"<{name}{told}>{joined(*inside)}</{name}>")


def fold(title: Inside, *inside: Inside, opened: bool = False, class_: str | None = None) -> Html:
    """Something that a reader opens."""
    return el("details", el("summary", title), *inside, open=opened, class_=class_)


def shortened(text: str, most: int) -> str:
    """A text of at most so many characters; how much is left out is told."""
    return text if len(text) <= most else f"{text[:most]} … ({len(text) - most:,} characters more)"
