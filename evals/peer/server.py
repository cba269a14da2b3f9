"""The contract peer: a small real server of OpenAI's chat API on loopback, for tests.

    with Peer(seed=1) as peer:                                   # random, right answers
        peer.script(answers({"title": "The boat"}), schema="Story")
        peer.fault("rate_limited", seconds=1)                    # the next request gets 429
        model = ChatOpenAI(base_url=peer.url, api_key="none", model=peer.models[0])
        ...
        assert peer.requests[-1].schema_name == "Story"

It refuses what real servers refuse (`contract.py`), answers what is scripted, and else as its mode has it (`minds.py`).
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from random import Random
from typing import Any

from evals.peer import faults
from evals.peer.contract import check_request
from evals.peer.faults import Bad
from evals.peer.messages import Limits
from evals.peer.minds import obeys, samples
from evals.peer.refused import DIALECTS, Refused, overflow
from evals.peer.replies import Reply, answers, count_tokens, says
from evals.peer.sampling import Sampler, UnknownKeyword
from evals.peer.seen import Seen
from evals.peer.wire import Listener

__all__ = ["Mode", "Peer"]


class Mode(StrEnum):
    """Who answers what is not scripted."""

    RANDOM = "random"
    SCRIPTED = "scripted"
    """Nobody: 400, and the request stands in `peer.unscripted`."""
    OBEDIENT = "obedient"


Says = Reply | Bad | Mode | str | dict[str, Any] | list[Any]
Scripted = Says | Callable[[Seen], Says | None]


@dataclass(eq=False)
class _Line:
    """A line of the script: what is said, to which requests, how many times yet (None: always)."""

    said: Scripted
    fits: Callable[[Seen], bool]
    times: int | None


class Peer:
    """A server that is up between `with` and its end.

    Args:
        seed: of all that is random. The same requests in the same order get the same answers.
        mode: who answers what is not scripted.
        dialect: whose rules and words: openai (strict schemas are held to OpenAI's rules), vllm, llama.cpp, ollama.
        models: names in `/v1/models`; others are refused with 404.
        api_key: asked for when given.
        context: the window in tokens (four bytes each).
        limits: of pictures.
        strict_schemas: whether `strict: true` is held to OpenAI's rules; by default where OpenAI's dialect is spoken.
    """

    def __init__(
        self, *, seed: int = 1, mode: Mode | str = Mode.RANDOM, dialect: str = "openai",
        models: tuple[str, ...] = ("tiny-random",), api_key: str | None = None, context: int = 128_000,
        limits: Limits | None = None, strict_schemas: bool | None = None,
    ) -> None:  # fmt: skip
        if dialect not in DIALECTS:
            raise ValueError(f"unknown dialect {dialect!r}: {', '.join(DIALECTS)}")
        self.seed, self.mode, self.dialect, self.models = seed, Mode(mode), dialect, models
        self.api_key, self.context, self.limits = api_key, context, limits or Limits()
        self.rules = {None: dialect, True: "openai", False: "vllm"}[strict_schemas]
        self.requests: list[Seen] = []
        """All requests in the order they came, also the refused."""
        self.sampler = Sampler()
        self._lines: list[_Line] = []
        self._lock = threading.Lock()
        self._asked: dict[str, int] = {}
        self._listener: Listener | None = None

    def __enter__(self) -> Peer:
        self._listener = Listener(self)
        return self

    def __exit__(self, *_: object) -> None:
        if self._listener:
            self._listener.close()

    @property
    def url(self) -> str:
        """What clients take as base_url."""
        if not self._listener:
            raise RuntimeError("the peer is up only inside `with`")
        return f"http://127.0.0.1:{self._listener.port}/v1"

    @property
    def refused(self) -> list[Seen]:
        """Requests that were against the contract."""
        return [seen for seen in self.requests if seen.error is not None]

    @property
    def unscripted(self) -> list[Seen]:
        """Requests for which a scripted peer had no line."""
        return [seen for seen in self.refused if (seen.error or {}).get("code") == "unscripted"]

    def script(
        self, *said: Scripted, schema: str | None = None, tool: str | None = None, model: str | None = None,
        text: str | None = None, when: Callable[[Seen], bool] | None = None, times: int | None = 1,
    ) -> Peer:  # fmt: skip
        """Answer so, in this order, each `times` times (None: always); ahead of what the mode would answer.

        Args:
            said: a Reply, text, data (answered as JSON), a Bad reply, a Mode, or a function of the request to one of
                them (None: not mine; then the next line is asked).
            schema: only requests whose response_format has a schema of this name.
            tool: only requests that offer this tool.
            model: only requests of this model.
            text: only requests with this in the text of their messages.
            when: only requests for which it is true.
        """

        def fits(seen: Seen) -> bool:
            return (
                (schema is None or seen.schema_name == schema)
                and (tool is None or tool in seen.tools)
                and (model is None or seen.model == model)
                and (text is None or text in seen.text)
                and (when is None or when(seen))
            )

        with self._lock:
            self._lines += [_Line(line, fits, times) for line in said]
        return self

    def fault(
        self, kind: str, *, times: int | None = 1, when: Callable[[Seen], bool] | None = None, **how: Any
    ) -> Peer:
        """Answer the next `times` requests wrongly (None: all), ahead of the script; kinds: see `faults`.

        Raises:
            KeyError: no such kind.
        """
        bad = Bad(kind, self.seed, tuple(sorted(how.items())))
        faults.KINDS[kind]
        with self._lock:
            self._lines.insert(0, _Line(bad, when or (lambda _: True), times))
        return self

    def reset(self) -> Peer:
        """Forget the script and the requests; the compiled grammars stay."""
        with self._lock:
            self._lines.clear()
            self.requests.clear()
            self._asked.clear()
        return self

    def hear(self, path: str, headers: dict[str, str], body: Any) -> Seen:
        """Take down a request and decide the answer. Called by the listener, by several threads at once."""
        with self._lock:
            seen = Seen(len(self.requests) + 1, path, headers, body if isinstance(body, dict) else {})
            self.requests.append(seen)
        try:
            self._authorised(headers)
            seen.pictures = check_request(body, self.rules, self.limits, self.models)
            self._fits_window(seen)
            self._compiles(seen)
            seen.reply = self._finished(seen, self._decided(seen))
            seen.status = seen.reply.status
        except Refused as refused:
            seen.status, seen.error = refused.status, refused.error
        return seen

    def knows(self, headers: dict[str, str]) -> bool:
        """Whether a request brings the key, where one is asked for."""
        given = {name.lower(): value for name, value in headers.items()}.get("authorization")
        return self.api_key is None or given == f"Bearer {self.api_key}"

    def _authorised(self, headers: dict[str, str]) -> None:
        if not self.knows(headers):
            raise Refused("Incorrect API key provided.", status=401, code="invalid_api_key")

    def _fits_window(self, seen: Seen) -> None:
        wanted = seen.body.get("max_completion_tokens") or seen.body.get("max_tokens") or 0
        # vLLM counts what shall be answered, the others what was asked.
        total = seen.prompt_tokens + (wanted if self.dialect == "vllm" else 0)
        if total > self.context and self.dialect != "ollama":
            raise overflow(self.dialect, seen.prompt_tokens, self.context, wanted)

    def _compiles(self, seen: Seen) -> None:
        schemas = [function.get("parameters") or {"type": "object"} for function in seen.tools.values()]
        for schema in [*schemas, seen.schema] if seen.schema is not None else schemas:
            try:
                self.sampler.compiled(schema)
            except UnknownKeyword as error:
                raise Refused(f"Invalid schema: {error}", code="invalid_json_schema") from error

    def _random(self, seen: Seen) -> Random:
        """Its own luck for each request, whichever thread serves it: by what is asked, and how often it was."""
        asked = hashlib.sha256(json.dumps(seen.body, sort_keys=True).encode()).hexdigest()
        with self._lock:
            count = self._asked[asked] = self._asked.get(asked, 0) + 1
        return Random(f"{self.seed}/{asked}/{count}")

    def _decided(self, seen: Seen) -> Reply:
        rng = self._random(seen)
        said = self._next_line(seen)
        return self._answered(self.mode if said is None else said, seen, rng)

    def _next_line(self, seen: Seen) -> Says | None:
        """The first line of the script that is for this request, one time less from now on."""
        with self._lock:
            lines = list(self._lines)
        for line in lines:
            if not line.fits(seen):
                continue
            said = line.said(seen) if callable(line.said) else line.said
            if said is not None and self._taken(line):
                return said
        return None

    def _taken(self, line: _Line) -> bool:
        """False where another thread has used it up."""
        with self._lock:
            if line.times is None or line not in self._lines:
                return line.times is None
            line.times -= 1
            if line.times <= 0:
                self._lines.remove(line)
            return True

    def _answered(self, said: Says, seen: Seen, rng: Random) -> Reply:
        if isinstance(said, Reply):
            return said
        if isinstance(said, Bad):
            return self._wrong(said, seen, rng)
        if isinstance(said, Mode):
            return self._by_mode(said, seen, rng)
        return says(said) if isinstance(said, str) else answers(said)

    def _wrong(self, bad: Bad, seen: Seen, rng: Random) -> Reply:
        right = next((said for said in self._peeked(seen) if not isinstance(said, Bad)), None)
        base = self._answered(right, seen, rng) if right is not None else samples(seen, self.sampler, rng)
        return bad.bent(base, seen, self.sampler, self.dialect, self.context)

    def _peeked(self, seen: Seen) -> list[Says]:
        """What would be said without the fault; it stays in the script."""
        with self._lock:
            fitting = [line.said for line in self._lines if line.fits(seen)]
        return [said for said in fitting if isinstance(said, Reply | str | dict | list)]

    def _by_mode(self, mode: Mode, seen: Seen, rng: Random) -> Reply:
        try:
            if mode is Mode.RANDOM:
                return samples(seen, self.sampler, rng)
            if mode is Mode.OBEDIENT:
                return obeys(seen, self.sampler, rng)
        except UnknownKeyword as error:
            raise Refused(f"Invalid schema: {error}", code="invalid_json_schema") from error
        raise Refused(f"Nothing is scripted for {seen!r}.", code="unscripted")

    def _finished(self, seen: Seen, reply: Reply) -> Reply:
        """Ids for calls that have none, and the end where max_tokens has it."""
        if reply.calls:
            made = [
                call if call.id is not None else replace(call, id=f"call_{seen.number:04d}{at:04d}")
                for at, call in enumerate(reply.calls)
            ]
            reply = reply.but(calls=tuple(made))
        most = seen.body.get("max_completion_tokens") or seen.body.get("max_tokens")
        if most and reply.kind == "right" and reply.content and count_tokens(reply.content) > most:
            reply = reply.but(content=reply.content.encode()[: 4 * most].decode(errors="ignore"), finish="length")
        return reply
