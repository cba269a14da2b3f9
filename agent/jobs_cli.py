"""`studio jobs`: give work now, have it done later, and see how it stands.

Only Typer and the standard library are imported here; each command imports what it needs.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from agent.jobs_progress import JobsProgress
    from tools.runtime.jobs.queue import JobQueue, JobSpec, JobView, Wish
    from tools.runtime.jobs.runner import JobRunner

__all__ = ["jobs"]

jobs = typer.Typer(
    name="jobs",
    help="Give work to be done later or elsewhere: add, list, show, run, pause, resume, cancel, retry.",
    no_args_is_help=False,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

SOME_FAILED = 3
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON alone on standard output.")]
JobId = Annotated[str, typer.Argument(metavar="ID", help="The job's number or name; `studio jobs` lists them.")]
Source = Annotated[
    list[str],
    typer.Argument(help="A storyboard.yaml, a .json with a list of tool calls, or what to make in your own words."),
]
Priority = Annotated[int, typer.Option("--priority", "-p", min=-1000, max=1000, help="Larger comes first.")]
Name = Annotated[str, typer.Option(help="Instead of a number. Giving the same job again under it changes nothing.")]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Folder of the production.")]
Seed = Annotated[int | None, typer.Option(help="Another seed gives another take.")]
Burn = Annotated[bool, typer.Option("--burn-subtitles", help="Draw the subtitles into the picture as well.")]


@jobs.callback()
def _default(context: typer.Context, as_json: AsJson = False) -> None:
    if context.invoked_subcommand is None:
        list_jobs(as_json=as_json)
    elif as_json:
        raise typer.BadParameter(f"it belongs behind {context.invoked_subcommand}.", param_hint="--json")


@jobs.command()
def add(
    source: Source,
    priority: Priority = 0,
    name: Name = "",
    out: Out = None,
    seed: Seed = None,
    burn_subtitles: Burn = False,
    as_json: AsJson = False,
) -> None:
    """Accept a job: once its number is printed it is on disk, and will not be lost."""
    calls, spec = _read(source, priority, {"out": out, "seed": seed, "burn_subtitles": burn_subtitles})
    queue = _queue()
    job_id = queue.submit(spec, calls, name)
    if as_json:
        _print_json(_as_json(queue.view(job_id)))
    else:
        _say(f"Job {job_id}: {spec.title}")
        _say("`studio jobs run` works it off.", "dim")


@jobs.command(name="list")
def list_jobs(as_json: AsJson = False) -> None:
    """List the jobs, whose turn it is first."""
    views = _queue().views()
    if as_json:
        _print_json([_as_json(view) for view in views])
        return
    if not views:
        _say("There are no jobs.")
        return
    from rich.table import Table

    from agent.printing import open_console, plain

    table = Table(header_style="dim")
    for column in ("job", "state", "what", "calls", "priority", "why"):
        table.add_column(column, overflow="fold")
    for view in views:
        calls = f"{view.done} of {view.total}" if view.total else ""
        row = (view.id, _state(view), view.spec.title, calls, f"{view.priority or ''}", view.reason)
        table.add_row(*(plain(word) for word in row))
    open_console().print(table)


@jobs.command()
def show(job: JobId, as_json: AsJson = False) -> None:
    """Show one job: its state, its calls, what failed and why."""
    queue = _queue()
    view, history = queue.view(job), queue.history(job)
    calls = [
        {
            "call": call.id,
            "tool": call.tool,
            "state": "done" if call.id in history.committed else
            "failed" if call.id in history.failed else
            "running" if call.id in history.running else "waiting",
            "key": history.committed.get(call.id, ""),
            "error": str(history.failed[call.id].message) if call.id in history.failed else "",
        }
        for call in history.graph
    ]  # fmt: skip
    if as_json:
        _print_json({**_as_json(view), "calls": calls})
        return
    _say(f"Job {view.id}: {view.spec.title}", "bold")
    _say(f"{_state(view)}{': ' if view.reason else ''}{view.reason}")
    _say(f"begun {view.starts} x, {view.done} of {view.total} calls done, {view.failed} failed", "dim")
    for name, path in (view.facts.get("files") or {}).items():
        _say(f"  {name}  {path}", whole=True)
    for one in calls:
        _say(f"  {one['state']:8} {one['call']}  {one['error']}".rstrip())


@jobs.command()
def run(
    job: Annotated[str, typer.Argument(metavar="[ID]", help="Only this job; none works off all that wait.")] = "",
    stay: Annotated[bool, typer.Option("--stay", help="Then wait for more jobs, until Ctrl-C.")] = False,
    as_json: AsJson = False,
) -> None:
    """Work off the jobs that wait; exit code 3 where one of them failed. Ctrl-C stops, and they go on later."""
    from agent.interrupts import CancelOnInterrupt
    from agent.jobs_progress import JobsProgress
    from agent.printing import open_console
    from tools.errors import Cancelled

    with CancelOnInterrupt() as stop, JobsProgress(open_console(stderr=as_json)) as progress:
        runner = _runner(stop, progress)
        try:
            ends = {job: runner.run_one(job)} if job else runner.run(stay=stay)
        finally:
            for kind in runner.kinds.values():
                kind.free()
    views = [runner.queue.view(name) for name in ends]
    if as_json:
        _print_json([_as_json(view) for view in views])
    if stop.is_set():
        raise Cancelled("stopped")
    elsewhere = [view.id for view in runner.queue.open_views() if view.held]
    if not as_json:
        _tell_end(ends, elsewhere)
    raise typer.Exit(SOME_FAILED if any(state == "failed" for state in ends.values()) else 0)


def _tell_end(ends: dict[str, Any], elsewhere: list[str]) -> None:
    if not ends:
        _say("No job waits.")
    if elsewhere:
        _say(f"Another process works on {', '.join(elsewhere)}.")


@jobs.command()
def pause(job: JobId, as_json: AsJson = False) -> None:
    """Stop a job for now; its memory is given back, what is finished is kept."""
    _ask(job, "pause", as_json)


@jobs.command()
def resume(job: JobId, as_json: AsJson = False) -> None:
    """Let a paused job go on where it was."""
    _ask(job, "resume", as_json)


@jobs.command()
def cancel(job: JobId, as_json: AsJson = False) -> None:
    """End a job; its memory is given back, what is finished is kept."""
    _ask(job, "cancel", as_json)


@jobs.command()
def retry(job: JobId, as_json: AsJson = False) -> None:
    """Put a failed or cancelled job back; what is finished is not made again."""
    _ask(job, "retry", as_json)


@jobs.command()
def priority(job: JobId, to: Annotated[int, typer.Argument(min=-1000, max=1000, help="Larger comes first.")]) -> None:
    """Let a waiting job come earlier or later."""
    _queue().prioritise(job, to)
    _say(f"Job {job} has priority {to}.")


# -- behind the commands ----------------------------------------------------------------------------------------------


def _queue() -> JobQueue:
    from configs.settings import Settings
    from tools.runtime.jobs.queue import JobQueue

    return JobQueue(Settings().state_dir / "jobs")


def _read(words: list[str], priority: int, options: dict[str, Any]) -> tuple[list[Any], JobSpec]:
    """What is to be done: the calls known already, and the job.

    Raises:
        InvalidInput, YamlProblem: it cannot be made as written.
    """
    from tools.runtime.jobs.queue import JobSpec

    path = Path(words[0])
    suffix = path.suffix.lower() if len(words) == 1 else ""
    if suffix == ".json":
        calls = _read_calls(path)
        count = f"{len(calls)} calls" if len(calls) > 1 else "one call"
        return calls, JobSpec(kind="calls", title=f"{path.name}: {count}"[:300], priority=priority)
    from agent.requests import clean_request
    from agent.scene_jobs import SceneJob

    given = {**options, "out": str(options["out"].absolute()) if options["out"] else ""}
    if suffix in (".yaml", ".yml"):
        from tools.storyboard import load_storyboard

        board = load_storyboard(path)
        scene = SceneJob(storyboard=board, storyboard_path=str(path.absolute()), **given)
        title = board.title
    else:
        title = clean_request(" ".join(words))
        scene = SceneJob(request=title, **given)
    payload = scene.model_dump(mode="json", exclude_defaults=True)
    return [], JobSpec(kind="scene", title=" ".join(title.split())[:300], priority=priority, payload=payload)


def _read_calls(path: Path) -> list[Any]:
    """A list of tool calls, checked as a graph before anything is written down.

    Raises:
        InvalidInput: the file is no such list, or a call cannot be made.
    """
    from pydantic import TypeAdapter, ValidationError

    from configs.yaml_file import MAX_BYTES
    from tools.base import Call
    from tools.errors import InvalidInput
    from tools.registry import Registry
    from tools.runtime.graph import CallGraph

    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", where=str(path)) from None
    if len(data) > MAX_BYTES:
        raise InvalidInput(f"is larger than {MAX_BYTES // 1_000_000} MB", where=str(path))
    try:
        calls = TypeAdapter(list[Call]).validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(f"{where}: {first['msg']}" if where else first["msg"], where=str(path)) from None
    if not calls:
        raise InvalidInput("holds no call", where=str(path))
    CallGraph.build(calls, (), Registry.load())
    return calls


def _runner(stop: threading.Event, progress: JobsProgress) -> JobRunner:
    from agent.scene_jobs import SceneKind, StudioWorkplace
    from agent.toolbox import Toolbox
    from configs.retries import load_retries
    from configs.settings import Settings
    from tools.runtime.jobs.calls import CallsKind
    from tools.runtime.jobs.runner import JobRunner

    settings = Settings()
    calls = CallsKind(settings.productions, StudioWorkplace(Toolbox(settings)))
    kinds: dict[str, Any] = {"scene": SceneKind(), "calls": calls}
    rules = load_retries().jobs
    return JobRunner(_queue(), kinds, rules, on_event=progress.hear, tell=progress.update, stop=stop)


def _ask(job: str, wish: Wish, as_json: bool) -> None:
    view = _queue().ask(job, wish)
    if as_json:
        _print_json(_as_json(view))
    elif view.wish:
        by = f"process {view.pid}" if view.pid else "the process that works on it"
        _say(f"Job {view.id}: {by} was asked to {wish} it.")
    else:
        _say(f"Job {view.id} is {_state(view)}.")


def _state(view: JobView) -> str:
    """In a person's words."""
    if view.state is None:
        return "damaged"
    if view.state == "running" and not view.held:
        return "interrupted, goes on"
    if view.wish:
        return f"{view.state}, {view.wish} asked for"
    return {"accepted": "waiting"}.get(view.state, view.state)


def _as_json(view: JobView) -> dict[str, Any]:
    """For `--json`; the payload is left out, it may hold a whole storyboard."""
    return {
        "id": view.id,
        "title": view.spec.title,
        "kind": view.spec.kind,
        "state": view.state or "damaged",
        "reason": view.reason,
        "working": view.held,
        "asked": view.wish,
        "priority": view.priority,
        "starts": view.starts,
        "calls": view.total,
        "done": view.done,
        "failed": view.failed,
        "facts": view.facts,
    }


def _print_json(data: Any) -> None:
    print(json.dumps(data, ensure_ascii=False, indent=2))


def _say(text: str, style: str = "", *, whole: bool = False) -> None:
    from agent.printing import open_console, tell

    tell(open_console(), text, style, whole=whole)
