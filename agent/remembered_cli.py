"""`studio knowledge preferences`, `generations` and `lessons`: what is remembered of a person and of their work.

Only Typer and the standard library are imported here; each command imports what it needs.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any

import typer

__all__ = ["generations", "lessons", "preferences"]

ALL = "all"
Forget = Annotated[list[str], typer.Option("--forget", metavar="ID", help="Take one back, or `all`. Repeatable.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON alone on standard output.")]


def preferences(
    forget: Forget = [],  # noqa: B006 - Typer's way; nobody changes it
    as_json: AsJson = False,
) -> None:
    """What you always want, as you said it in a conversation; --forget takes it back."""
    from configs.settings import Settings
    from knowledge.preferences import Preferences, tell
    from knowledge.problems import KnowledgeProblem
    from tools.errors import StorageFailed

    kept = Preferences.at(Settings().knowledge_home)
    try:
        there = {one.kind: one for one in kept.all()}
        gone = _chosen(forget, list(there))
        for kind in gone:
            kept.forget(kind)
    except KnowledgeProblem as problem:
        raise StorageFailed(problem.message, hint=problem.hint) from None
    left = [one for one in there.values() if one.kind not in gone]
    if as_json:
        _print_json([one.model_dump(mode="json") for one in left])
        return
    _tell_gone([f"{kind}: {tell(kind, there[kind].value, 'en')}" for kind in gone])
    rows = [(one.kind, tell(one.kind, one.value, "en"), f"{one.since:%Y-%m-%d}", f"“{one.said}”") for one in left]
    _table(("id", "what", "since", "you said"), rows)
    if not left:
        _say('I know of nothing that you always want. Say it in a conversation: "always widescreen", "call me Anna".')


def generations(
    forget: Forget = [],  # noqa: B006 - Typer's way; nobody changes it
    as_json: AsJson = False,
) -> None:
    """What was made before, how it scored and what helped; new films begin with what helped. --forget ends that."""
    from agent.requests import without_controls
    from configs.settings import Settings
    from knowledge.generations import Generations
    from tools.errors import StorageFailed

    kept = Generations(Settings().knowledge_home)
    there = {one.id: one for one in kept.all()}
    try:
        gone = _chosen(forget, [*there, *(path.stem for path in kept.damaged())])
        for key in gone:
            kept.remove(key)
    except OSError as error:
        raise StorageFailed(f"it cannot be forgotten: {error.strerror or error}.") from error
    left = [one for one in there.values() if one.id not in gone]
    if as_json:
        _print_json([one.model_dump(mode="json") for one in left])
        return
    _tell_gone([there[key].title if key in there else key for key in gone])
    rows = [
        (
            one.id[:8],
            f"{one.made:%Y-%m-%d}",
            without_controls(one.title),
            f"{one.score:.2f}",
            str(sum(part.helped for part in one.parts)),
            one.verdict,
        )
        for one in left
    ]
    _table(("id", "made", "title", "score", "helped", "you"), rows)
    for path in kept.damaged():
        _say(f"{path.name} is damaged and not used: studio knowledge generations --forget {path.stem}", "yellow")
    if not left:
        _say("Nothing is remembered of earlier films.")


def lessons(
    forget: Forget = [],  # noqa: B006 - Typer's way; nobody changes it
    as_json: AsJson = False,
) -> None:
    """What was learned from failures and from your changes; requests like those begin with it. --forget ends that."""
    from configs.settings import Settings
    from knowledge.reflections import FILE_NAME, Reflections
    from tools.errors import StorageFailed

    kept = Reflections(Settings().knowledge_home / FILE_NAME)
    there = {one.id: one for one in kept.all()}
    gone = _chosen(forget, list(there))
    try:
        kept.forget(gone)
    except OSError as error:
        raise StorageFailed(f"it cannot be forgotten: {error.strerror or error}.") from error
    left = [one for one in there.values() if one.id not in gone]
    if as_json:
        _print_json([{"id": one.id, **one.model_dump(mode="json")} for one in left])
        return
    _tell_gone([f"“{there[key].text}”" for key in gone])
    causes = {"checks": "checks", "failure": "a failure", "user": "your change"}
    rows = [(one.id, one.text, causes[one.cause], " ".join(one.request[:6]), one.source) for one in left]
    _table(("id", "lesson", "learned from", "for requests like", "in words of"), rows)
    if not left:
        _say("Nothing was learned yet.")


def _chosen(asked: list[str], there: list[str]) -> list[str]:
    """The ids that were meant, by their beginnings.

    Raises:
        InvalidInput: nothing begins so, or several do.
    """
    from tools.errors import InvalidInput

    found: list[str] = []
    for key in asked:
        if key == ALL:
            return there
        same = [one for one in there if one == key] or [one for one in there if key and one.startswith(key)]
        if len(same) != 1:
            raise InvalidInput(f"{'several begin' if same else 'nothing begins'} with {key!r}", where="--forget")
        found += same
    return list(dict.fromkeys(found))


def _tell_gone(gone: list[str]) -> None:
    for one in gone:
        _say(f"{one} is forgotten.")


def _table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    if not rows:
        return
    from rich.table import Table

    from agent.printing import open_console, plain

    table = Table(header_style="dim", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*map(plain, row))
    open_console().print(table)


def _say(text: str, style: str = "") -> None:
    from agent.printing import open_console, tell

    tell(open_console(), text, style)


def _print_json(data: Any) -> None:
    print(json.dumps(data, ensure_ascii=False, indent=2))
