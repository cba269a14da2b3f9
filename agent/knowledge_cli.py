"""`studio knowledge`: what the studio knows beside what it came with; add, search, list, remove, rebuild.

Only Typer and the standard library are imported here; each command imports what it needs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.remembered_cli import generations, lessons, preferences

if TYPE_CHECKING:
    from knowledge.added import Added
    from knowledge.base import KnowledgeBase
    from knowledge.index.snapshot import Snapshot
    from knowledge.ingest.adding import Outcome

__all__ = ["knowledge"]

knowledge = typer.Typer(
    name="knowledge",
    help="What the studio knows: add documents, search, list, remove, rebuild.",
    no_args_is_help=False,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

knowledge.command()(preferences)
knowledge.command()(generations)
knowledge.command()(lessons)

NOT_ALL = 3
"""Exit code where some of several documents were refused."""
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON alone on standard output.")]
Character = Annotated[
    list[str], typer.Option("--character", help="Only what is about this character, by id. Repeatable.")
]
Kind = Annotated[
    list[str],
    typer.Option("--kind", help="Only character, place, style, guide, film, added or generation. Repeatable."),
]
KINDS = ("character", "place", "style", "guide", "film", "added", "generation")


@knowledge.callback()
def _default(context: typer.Context, as_json: AsJson = False) -> None:
    if context.invoked_subcommand is None:
        list_documents(every=False, as_json=as_json)
    elif as_json:
        raise typer.BadParameter(f"it belongs behind {context.invoked_subcommand}.", param_hint="--json")


@knowledge.command()
def add(
    paths: Annotated[list[Path], typer.Argument(metavar="FILE|DIR...", help="PDF, HTML, Markdown or text.")],
    about: Annotated[
        list[str], typer.Option("--about", help="Id of a character, place or style that they are about. Repeatable.")
    ] = [],  # noqa: B006 - Typer's way; nobody changes it
    as_json: AsJson = False,
) -> None:
    """Take documents in; the same file again brings nothing new, a changed one replaces what it was."""
    from knowledge.added import AddedDocuments
    from knowledge.ingest.adding import add_files, files_below

    base = _base()
    with _told():
        files: list[Path] = []
        others = 0
        for path in paths:
            found, left = files_below(path)
            files += found
            others += left
        kept = AddedDocuments(base.home)
        with _Counting(len(files)) as counting:
            outcomes = add_files(kept, list(dict.fromkeys(files)), about=_ids(about), progress=counting.next)
        changed = any(one.status in ("added", "replaced") for one in outcomes)
        snapshot = base.store() if changed else base.refresh()
    refused = [one for one in outcomes if one.status == "refused"]
    if refused and len(outcomes) == 1:
        _fail(refused[0].problem)
    if as_json:
        _print_json({"documents": [_outcome(one, snapshot) for one in outcomes], "passed_over": others})
    else:
        _tell_outcomes(outcomes, snapshot, others)
    _tell_remarks(base)
    if refused:
        raise typer.Exit(NOT_ALL)


@knowledge.command()
def search(
    words: Annotated[list[str], typer.Argument(help="What to look for, in your own words.")],
    kind: Kind = [],  # noqa: B006
    character: Character = [],  # noqa: B006
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many passages.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Find passages by meaning and by words."""
    wrong = [one for one in kind if one not in KINDS]
    if wrong:
        raise typer.BadParameter(f"{wrong[0]!r} is none; there are {', '.join(KINDS)}.", param_hint="--kind")
    base = _base()
    with _told():
        base.refresh()
        mended = base.remarks
        passages = base.retrieve(" ".join(words), limit=limit, kinds=kind, characters=_ids(character))
    if as_json:
        _print_json([passage.model_dump() for passage in passages])
    else:
        for passage in passages:
            head = " - ".join(part for part in (passage.title, passage.heading) if part)
            _say(f"{passage.score:.2f}  {head}", "bold")
            _say(f"      {passage.source}", "dim", whole=True)
            # Lines that the document broke somewhere are broken here where the terminal ends; lists stay lists.
            flowing = re.sub(r"(?<!\n)\n(?!\n|\s*(?:[-*•]|\d+[.)])\s)", " ", passage.text)
            _say("\n".join(f"      {line}" for line in flowing.splitlines()))
        if not passages:
            _say("Nothing that fits was found.")
    _tell_remarks(base, mended)


@knowledge.command()
def rebuild(as_json: AsJson = False) -> None:
    """Make the index anew from the documents, whatever state it is in."""
    base = _base()
    with _told():
        done = base.rebuild()
    if as_json:
        _print_json(
            {
                "documents": done.documents,
                "passages": done.passages,
                "by_meaning": done.embedded,
                "seconds": round(done.seconds, 2),
            }
        )
    else:
        _say(f"{done.documents} documents, {done.passages} passages: made anew in {done.seconds:.1f} s.")
    _tell_remarks(base)


@knowledge.command(name="list")
def list_documents(
    every: Annotated[bool, typer.Option("--all", help="Those that the studio came with and past ones, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the documents that were added."""
    from knowledge.added import AddedDocuments

    base = _base()
    with _told():
        added, damaged = AddedDocuments(base.home).all()
        snapshot = base.refresh()
    counts = _counts(snapshot)
    if as_json:
        rows = [_record(one, snapshot) for one in added]
        if every:
            rows += [
                {"id": one.key, "name": one.source, "title": one.title, "kind": one.kind, "passages": counts[one.key]}
                for one in snapshot.documents
                if one.origin != "added"
            ]
        _print_json(rows)
        return
    from rich.table import Table

    from agent.printing import open_console, plain

    table = Table(header_style="dim", box=None, pad_edge=False)
    for column in ("id", "document", "kind", "passages", "title"):
        table.add_column(column, overflow="fold", justify="right" if column == "passages" else "left")
    for one in added:
        passages = str(counts.get(f"added/{one.id}", 0))
        cells = (one.id, one.name, one.document.kind, passages, one.document.title)
        table.add_row(*(plain(cell) for cell in cells))
    for other in snapshot.documents if every else ():
        if other.origin != "added":
            table.add_row(*map(plain, ("", other.source, other.kind, str(counts[other.key]), other.title)))
    if table.row_count:
        open_console().print(table)
    own = sum(1 for one in snapshot.documents if one.origin == "builtin")
    _say(
        f"{_number(len(added), 'document')} of yours, {own} that the studio came with, {len(snapshot)} passages in all."
    )
    for path in damaged:
        _say(f"{path.name} is damaged: studio knowledge remove {path.stem}, and add the document again.", "yellow")
    _tell_remarks(base)


@knowledge.command()
def remove(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="As `studio knowledge list` shows them.")],
    as_json: AsJson = False,
) -> None:
    """Forget documents that were added, or what was remembered of a film; the files stay where they are."""
    from knowledge.added import AddedDocuments
    from knowledge.generations import Generations

    base = _base()
    gone = []
    with _told():
        kept = AddedDocuments(base.home)
        for key in ids:
            if Generations(base.home).remove(key):
                gone.append({"id": key, "name": f"what was remembered of {key}"})
                continue
            removed = kept.remove(key)
            gone.append({"id": removed.id if removed else key, "name": removed.name if removed else ""})
        base.store()
    if as_json:
        _print_json(gone)
    else:
        for one in gone:
            _say(f"{one['name'] or one['id']} is forgotten.")


def _base() -> KnowledgeBase:
    from agent.wiring import create_knowledge
    from configs.settings import Settings

    return create_knowledge(Settings())


@contextmanager
def _told() -> Iterator[None]:
    """What goes wrong in the knowledge base, as the studio's own errors."""
    from knowledge.problems import BadDocument, KnowledgeBusy, KnowledgeProblem
    from tools.errors import InvalidInput, ProductionBusy, StorageFailed

    try:
        yield
    except BadDocument as problem:
        raise InvalidInput(problem.message, hint=problem.hint) from None
    except KnowledgeBusy as problem:
        raise ProductionBusy(problem.message, hint=problem.hint) from None
    except KnowledgeProblem as problem:
        raise StorageFailed(problem.message, hint=problem.hint) from None
    except OSError as error:
        where = f" at {error.filename}" if error.filename else ""
        raise StorageFailed(
            f"the knowledge base cannot be written{where}: {error.strerror or type(error).__name__}.",
            hint="Free some room, or name another folder: STUDIO_KNOWLEDGE_FOLDER.",
        ) from error


def _fail(problem: str) -> None:
    from tools.errors import InvalidInput

    raise InvalidInput(problem)


def _ids(words: list[str]) -> list[str]:
    return [word.strip().casefold().replace(" ", "_") for word in words]


def _counts(snapshot: Snapshot) -> dict[str, int]:
    import numpy as np

    counts = np.bincount(snapshot.document_of, minlength=len(snapshot.documents))
    return {document.key: int(counts[number]) for number, document in enumerate(snapshot.documents)}


def _record(one: Added, snapshot: Snapshot) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "path": one.path,
        "title": one.document.title,
        "kind": one.document.kind,
        "about": one.document.about,
        "added": one.added.isoformat(),
        "passages": _counts(snapshot).get(f"added/{one.id}", 0),
        "left_out": one.left_out,
    }


def _outcome(one: Outcome, snapshot: Snapshot) -> dict[str, Any]:
    record = _record(one.added, snapshot) if one.added else {}
    return {**record, "path": str(one.path), "status": one.status, "problem": one.problem}


def _tell_outcomes(outcomes: list[Outcome], snapshot: Snapshot, others: int) -> None:
    counts = _counts(snapshot)
    words = {"added": "added", "replaced": "replaced by its new content", "same": "nothing new"}
    for one in outcomes:
        if one.added is None:
            _say(f"refused: {one.problem}", "yellow", whole=True)
            continue
        passages = counts.get(f"added/{one.added.id}", 0)
        _say(f"{one.added.id}  {one.path.name}: {words[one.status]}, {_number(passages, 'passage')}")
        if one.added.left_out:
            _say(f"  left out: {one.added.left_out}", "yellow")
    taken = [one for one in outcomes if one.status in ("added", "replaced")]
    if len(outcomes) > 1:
        passages = sum(counts.get(f"added/{one.added.id}", 0) for one in taken if one.added)
        _say(f"{_number(len(taken), 'document')} with {_number(passages, 'passage')} came in.")
    if others:
        _say(f"{_number(others, 'file')} of other kinds passed over.", "dim")
    if not outcomes:
        _say("There is no document to add: PDF, HTML, Markdown and text are read.")


def _tell_remarks(base: KnowledgeBase, before: Sequence[str] = ()) -> None:
    from agent.printing import open_console, tell

    for remark in dict.fromkeys([*before, *base.remarks]):
        tell(open_console(stderr=True), remark, "yellow")


class _Counting:
    """A bar on standard error while many files are read, drawn only for a person who looks."""

    def __init__(self, total: int) -> None:
        from rich.progress import Progress

        from agent.printing import open_console

        console = open_console(stderr=True)
        self._progress = Progress(console=console, transient=True, disable=not console.is_terminal or total < 2)
        self._task = self._progress.add_task("reading", total=total)

    def __enter__(self) -> _Counting:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def next(self, path: Path) -> None:  # noqa: ARG002 - which one it is changes too fast to be read
        """One more file is being read."""
        self._progress.advance(self._task)


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _say(text: str, style: str = "", *, whole: bool = False) -> None:
    from agent.printing import open_console, tell

    tell(open_console(), text, style, whole=whole)


def _print_json(data: Any) -> None:
    print(json.dumps(data, ensure_ascii=False, indent=2))
