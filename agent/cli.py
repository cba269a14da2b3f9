"""The command line: `studio "make a beach scene with Luca and Alberto"`.

Only Typer and the standard library are imported here; each command imports what it needs, so that
`studio --help` answers at once.
"""

from __future__ import annotations

import os
import sys
from difflib import get_close_matches
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any

import typer

from agent.interrupts import STOPPED
from agent.jobs_cli import jobs
from agent.knowledge_cli import knowledge
from agent.look_cli import look
from agent.mcp_cli import mcp
from agent.models_cli import models
from agent.search_cli import search
from agent.stacks_cli import stacks
from agent.trace_cli import trace
from agent.transcribe_cli import transcribe
from agent.voices_cli import voice

__all__ = ["app", "main"]

app = typer.Typer(
    name="studio",
    help="One sentence in, a finished animated scene out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog='`studio "make a beach scene with Luca and Alberto"` is short for `studio make "..."`.',
)
app.add_typer(jobs, name="jobs")
app.add_typer(mcp, name="mcp")
app.add_typer(knowledge, name="knowledge")
app.add_typer(models, name="models")
app.add_typer(stacks, name="stacks")
app.add_typer(voice, name="voice")

Thread = Annotated[str, typer.Option("--thread", "-t", help="Conversation to continue, or to begin under this name.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON alone on standard output.")]
Profile = Annotated[str, typer.Option(help="Hardware profile to reckon with instead of the one found: cpu, 8gb, ...")]
Seed = Annotated[int | None, typer.Option(help="Another seed gives another take.")]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Folder of the production.")]
Engine = Annotated[
    list[str], typer.Option("--engine", help="An engine to take: sdxl, or generate_image=sdxl. Repeatable.")
]
Preset = Annotated[str, typer.Option(help="For pictures by an image model: draft, standard, high, master, lightning.")]
Strategy = Annotated[
    str,
    typer.Option(help="How to think first: plain, react, chain_of_thought, tree_of_thoughts, reflexion."),
]
Prompt = Annotated[list[str], typer.Argument(help="What to make, in your own words; `-` reads it from standard input.")]
Burn = Annotated[bool, typer.Option("--burn-subtitles", help="Draw the subtitles into the picture as well.")]
Approve = Annotated[bool, typer.Option("--approve", help="Show the storyboard and its stills, and wait for a yes.")]


@app.command()
def make(
    prompt: Prompt,
    thread: Thread = "",
    out: Out = None,
    seed: Seed = None,
    approve: Approve = False,
    burn_subtitles: Burn = False,
    profile: Profile = "",
    engine: Engine = [],  # noqa: B006 - Typer's way; nobody changes it
    preset: Preset = "",
    strategy: Strategy = "",
    as_json: AsJson = False,
) -> None:
    """Make a scene: storyboard, pictures, voices, music, subtitles, film."""
    from agent.terminal import MakeCommand

    options = {"approve": approve, "out": out, "burn_subtitles": burn_subtitles, **_chosen(engine, preset, strategy)}
    MakeCommand(thread=thread, seed=seed, profile=profile, as_json=as_json, options=options).run(_text(prompt))


@app.command()
def plan(
    prompt: Prompt,
    thread: Thread = "",
    profile: Profile = "",
    engine: Engine = [],  # noqa: B006
    strategy: Strategy = "",
    as_json: AsJson = False,
) -> None:
    """Write the storyboard only; the same --thread continues the conversation."""
    from agent.terminal import PlanCommand

    PlanCommand(
        thread=thread,
        profile=profile,
        as_json=as_json,
        options={"plan_only": True, **_chosen(engine, strategy=strategy)},
    ).run(_text(prompt))


@app.command()
def render(
    storyboard: Annotated[Path, typer.Argument(help="A storyboard.yaml, perhaps edited by hand.")],
    out: Out = None,
    seed: Seed = None,
    approve: Approve = False,
    burn_subtitles: Burn = False,
    profile: Profile = "",
    engine: Engine = [],  # noqa: B006
    preset: Preset = "",
    as_json: AsJson = False,
) -> None:
    """Make a storyboard as it stands; only what changed is made again."""
    from agent.terminal import MakeCommand
    from tools.storyboard import load_storyboard

    given = {"given": load_storyboard(storyboard), "given_path": storyboard}
    options = {"approve": approve, "out": out, "burn_subtitles": burn_subtitles, **given, **_chosen(engine, preset)}
    command = MakeCommand(thread="", seed=seed, profile=profile, as_json=as_json, options=options)
    command.run(f"Render {storyboard.name}")


@app.command()
def chat(
    thread: Thread = "chat",
    seed: Seed = None,
    profile: Profile = "",
    engine: Engine = [],  # noqa: B006
    preset: Preset = "",
    strategy: Strategy = "",
) -> None:
    """Talk with the studio: make, change, ask, undo."""
    from agent.chat import Chat

    Chat(thread=thread, seed=seed, profile=profile, options=_chosen(engine, preset, strategy)).run()


@app.command()
def show(
    production: Annotated[str, typer.Argument(help="Name or folder of a production; none lists them all.")] = "",
    checks: Annotated[bool, typer.Option("--checks", help="Every check of the judge, with its numbers.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what a production holds: files, how each was made, scores, attempts."""
    from agent.inspect import show_production

    show_production(production, checks=checks, as_json=as_json)


@app.command()
def doctor(
    profile: Profile = "",
    ask: Annotated[bool, typer.Option(help="Ask chat models on other machines, too, whether they answer.")] = False,
    as_json: AsJson = False,
) -> None:
    """Look at this machine: what was found, what each engine lacks, and the command that mends it."""
    from agent.doctor import show_doctor

    raise typer.Exit(show_doctor(as_json=as_json, profile=profile, ask=ask))


@app.command()
def tools(as_json: AsJson = False) -> None:
    """List the tools and their engines; with --json as OpenAI function schemas."""
    from agent.inspect import show_tools

    show_tools(as_json=as_json)


app.command()(search)
app.command()(trace)
app.command()(transcribe)
app.command()(look)


def _chosen(engine: list[str], preset: str = "", strategy: str = "") -> dict[str, Any]:
    """The fields of `RunOptions` that say which engines, how they are to draw, and how to think before."""
    return {"engines": tuple(engine), "preset": preset, "strategy": strategy}


def main() -> None:
    """The `studio` command: honest exit codes, one-line errors, never a traceback. `agent.__main__` calls it."""
    sys.exit(_run(sys.argv[1:]))


def _run(argv: list[str]) -> int:
    from tools.errors import Cancelled, ToolError

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A terminal that cannot show a letter shows its number.
            stream.reconfigure(errors="backslashreplace")
    try:
        Path.cwd()
    except OSError:
        print("studio: the folder you are in has been removed; go to another one with cd.", file=sys.stderr)
        return 1
    try:
        command = typer.main.get_command(_with_plugins(argv))
        command.main(args=_shorthand(argv, command), prog_name="studio")
        return 0
    except SystemExit as leave:
        return leave.code if isinstance(leave.code, int) else int(leave.code is not None)
    except Cancelled:
        print("Stopped. What is finished is kept; the same command goes on from there.", file=sys.stderr)
        return STOPPED
    except BrokenPipeError:
        # The reader of our output went away (`studio show | head`); Python would complain again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except ToolError as error:
        print(f"studio: {_one_line(error)}", file=sys.stderr)
        return 1
    except Exception as error:
        if told := _of_configuration(error):
            print(f"studio: {told}", file=sys.stderr)
            return 1
        if os.environ.get("STUDIO_DEBUG"):
            raise
        told = f"this should not have happened: {type(error).__name__}: {_one_line(error)}"
        print(f"studio: {told} (STUDIO_DEBUG=1 shows where)", file=sys.stderr)
        return 70


def _of_configuration(error: Exception) -> str:
    """What is wrong with the settings or one of our YAML files, where that is what it is; else nothing.

    These kinds of errors come with pydantic and YAML readers, which a command that meets none need not import.
    """
    from pydantic import ValidationError

    from configs.yaml_file import YamlProblem

    if isinstance(error, YamlProblem):
        return _one_line(error)
    if not isinstance(error, ValidationError):
        return ""
    # Only settings are validated out here: a storyboard or a call that is wrong has an error of its own.
    first = error.errors()[0]
    name = "_".join(str(part) for part in first["loc"])
    return f"setting {name} (or STUDIO_{name.upper()}): {first['msg']}"


def _one_line(error: BaseException) -> str:
    from agent.requests import without_controls

    return without_controls(" ".join(str(error).split()))[:600]


def _shorthand(argv: list[str], command: Any) -> list[str]:
    """`studio "a sentence"` is `studio make "a sentence"`; a command that is mistyped is not.

    Raises:
        InvalidInput: the first word is no command but looks like one.
    """
    if argv and argv[0] not in command.commands and not argv[0].startswith("-"):
        meant = get_close_matches(argv[0], command.commands, n=1, cutoff=0.7) if " " not in argv[0] else []
        if meant:
            from tools.errors import InvalidInput

            hint = f'Did you mean `studio {meant[0]}`? A request goes in quotes: studio "{argv[0]} ..."'
            raise InvalidInput(f"there is no command {argv[0]!r}.", hint=hint)
        return ["make", *argv]
    return argv


def _with_plugins(argv: list[str]) -> typer.Typer:
    """The app with the commands of other packages, found by entry point, when one of them may be meant."""
    own = {info.name or info.callback.__name__ for info in app.registered_commands if info.callback} | {
        "jobs",
        "mcp",
        "models",
        "stacks",
    }
    if argv and (argv[0] in own or " " in argv[0]):
        return app
    from copy import copy
    from importlib.metadata import entry_points

    # A copy: what stands in the list for one call is not there for the next of the same process.
    whole = copy(app)
    whole.registered_commands = [*app.registered_commands]
    for point in entry_points(group="studio.commands"):
        if argv and argv[0] == point.name:
            whole.command(name=point.name)(point.load())
        elif point.name not in own:
            whole.command(name=point.name, help=PLUGIN_HELP.get(point.name, "See its --help."))(_nothing)
    return whole


MOST_OF_STDIN = 4_000_000
"""Bytes that are read of a request; standard input may have no end."""

PLUGIN_HELP = {
    "bench": "Measure every speed that is stated; `bench page` draws the history, `bench compare` finds what slowed.",
    "eval": "Run scripted scenarios and hold the agent against what they expect.",
    "simulate": "Compare the order of loads and calls on a simulated device.",
}


def _nothing() -> None:
    """Stands in the list of commands for one that is loaded when it is called."""


def _text(words: list[str]) -> str:
    """The request: the words, or standard input for `-`.

    Raises:
        InvalidInput: it is empty or longer than `agent.requests.MAX_CHARACTERS`.
    """
    from agent.requests import clean_request

    if words != ["-"]:
        return clean_request(" ".join(words))
    data = sys.stdin.buffer.read(MOST_OF_STDIN) if sys.stdin else b""
    return clean_request(data.decode("utf-8", "replace"))
