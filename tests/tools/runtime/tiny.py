"""A tool of the tests, and an engine that does what it is told, misbehaviour included."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from tools.artifact import canonical_json
from tools.base import ArtifactRef, Engine, EngineContext, Tool, ToolInput, ToolOutput
from tools.errors import BadOutput, InvalidInput

Deed = Literal[
    "work", "print", "refuse", "bug", "bad_output", "broken_promise", "nan", "link", "exit", "kill", "segfault",
    "hang", "freeze", "rubbish", "stubborn", "patient", "crash_once", "family", "environment", "threads", "memory",
]  # fmt: skip


class Tiny(Tool):
    """Write a text and the texts it was given."""

    name = "tiny"

    class Input(ToolInput):
        text: str
        deed: Deed = "work"
        needs: list[ArtifactRef] = Field(default_factory=list)
        file: str = ""
        log: str = Field("", description="every call appends a line here, outside of the store")
        scratch: str = ""
        seconds: float = 0.0
        trim: int = Field(1000, description="only so many letters go on")

    class Output(ToolOutput):
        file: str
        letters: int
        value: float = 0.0


class Scribe(Engine[Tiny.Input, Tiny.Output]):
    """Deterministic but for what it is told to break."""

    tool, name, version = Tiny, "scribe", "1"

    def load(self) -> None:
        self.loaded = getattr(self, "loaded", 0) + 1

    def fingerprint(self, args: Tiny.Input) -> str:
        if args.text == "unknown place":
            raise InvalidInput("there is no such place")
        data = Path(args.scratch) if args.scratch else None
        return data.read_text() if data and data.suffix == ".pack" and data.exists() else ""

    def run(self, args: Tiny.Input, ctx: EngineContext) -> Tiny.Output:
        assert self.loaded == 1
        if args.log:
            line = canonical_json({"text": args.text, "needs": [ctx.open(ref).digest for ref in args.needs]}) + b"\n"
            fd = os.open(args.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(fd, line)
            os.close(fd)
        deed = getattr(self, f"_{args.deed}", None)
        if deed is not None:
            answer = deed(args, ctx)
            if answer is not None:
                return answer
        text = args.text + "".join(ctx.open(ref).file("text.txt").read_text() for ref in args.needs)
        if args.seconds:
            time.sleep(args.seconds)
        (ctx.out / "text.txt").write_text(text[: args.trim])
        return Tiny.Output(file="text.txt", letters=len(text[: args.trim]))

    def _print(self, _args: Tiny.Input, _ctx: EngineContext) -> None:
        print("{}\nhello from a library")
        os.write(1, b"and from C\n")
        sys.stdout.flush()

    def _refuse(self, args: Tiny.Input, _ctx: EngineContext) -> None:
        raise InvalidInput("there is nothing to write", where=args.text)

    def _bug(self, _args: Tiny.Input, _ctx: EngineContext) -> None:
        raise ZeroDivisionError("seven by zero")

    def _bad_output(self, _args: Tiny.Input, _ctx: EngineContext) -> None:
        raise BadOutput("the page is blank.")

    def _broken_promise(self, _args: Tiny.Input, _ctx: EngineContext) -> Any:
        return Tiny.Output.model_construct(file="x", letters="many")

    def _nan(self, _args: Tiny.Input, _ctx: EngineContext) -> Tiny.Output:
        return Tiny.Output(file="x", letters=1, value=float("nan"))

    def _link(self, _args: Tiny.Input, ctx: EngineContext) -> None:
        (ctx.out / "passwd").symlink_to("/etc/passwd")

    def _memory(self, _args: Tiny.Input, _ctx: EngineContext) -> None:
        raise MemoryError

    def _exit(self, _args: Tiny.Input, _ctx: EngineContext) -> None:
        print("my last words", file=sys.stderr, flush=True)
        os._exit(7)

    def _kill(self, _args: Tiny.Input, _ctx: EngineContext) -> None:
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(10)

    def _segfault(self, _args: Tiny.Input, _ctx: EngineContext) -> None:
        ctypes.string_at(0)

    def _hang(self, _args: Tiny.Input, _ctx: EngineContext) -> None:
        time.sleep(60)

    def _freeze(self, _args: Tiny.Input, _ctx: EngineContext) -> None:
        os.kill(os.getpid(), signal.SIGSTOP)

    def _rubbish(self, _args: Tiny.Input, _ctx: EngineContext) -> None:
        for fd in range(3, 20):
            try:
                os.write(fd, b"\x00\xff not json\n")
            except OSError:
                pass
        time.sleep(10)

    def _stubborn(self, args: Tiny.Input, ctx: EngineContext) -> None:
        ctx.report(0.5, "not listening")
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if args.scratch:
            Path(args.scratch).write_text(str(os.getpid()))
        time.sleep(60)

    def _patient(self, args: Tiny.Input, ctx: EngineContext) -> None:
        for step in range(1000):
            ctx.progress(step / 1000, f"step {step}")
            if step == 5 and args.scratch:
                Path(args.scratch).write_text(str(os.getpid()))
            time.sleep(0.01)

    def _crash_once(self, args: Tiny.Input, _ctx: EngineContext) -> None:
        try:
            Path(args.scratch).open("x").close()
        except FileExistsError:
            return
        os._exit(9)

    def _family(self, args: Tiny.Input, _ctx: EngineContext) -> None:
        """Start a program that outlives a careless parent, then burn the CPU without letting other threads in."""
        child = subprocess.Popen(["sleep", "60"], start_new_session=False)
        Path(args.scratch).write_text(f"{os.getpid()} {child.pid}")
        sum(range(10**12))

    def _environment(self, _args: Tiny.Input, ctx: EngineContext) -> Tiny.Output:
        (ctx.out / "text.txt").write_bytes(canonical_json(dict(os.environ)))
        return Tiny.Output(file="text.txt", letters=0)

    def _threads(self, _args: Tiny.Input, ctx: EngineContext) -> Tiny.Output:
        (ctx.out / "text.txt").write_text(sys.stdin.read() + "end of input")
        return Tiny.Output(file="text.txt", letters=0)


class Copyist(Scribe):
    """A second engine of the same tool."""

    name, version = "copyist", "3"


class Impostor:
    """No engine at all."""
