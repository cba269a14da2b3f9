"""The schema of `expect`: what a turn, or a whole scenario, must show. docs/evals.md is its reference page."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from evals.expect.matching import Matcher

__all__ = ["Arguments", "Artifact", "Expect", "LineSaid", "Trajectory"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LineSaid(_Model):
    """A line of dialogue that must stand in the storyboard; what is left out does not matter."""

    who: str | None = None
    says: Matcher = None
    language: str | None = None
    emotion: str | None = None
    delivery: str | None = None
    shot: str | None = None

    @model_validator(mode="after")
    def _something_is_said(self) -> LineSaid:
        if not self.model_fields_set:
            raise ValueError("says nothing of the line; say who, says, language, ...")
        return self


class Arguments(_Model):
    """Arguments that the calls of a tool (or those whose id fits `call`) must all have, by dotted path."""

    tool: str | None = None
    call: str = "*"
    args: dict[str, Matcher] = Field(min_length=1)


_WHOLE = re.compile(r"film|sound|subtitles|(music|ambience)\d+|[^.]*[*?\[][^.]*")
_LAST = re.compile(
    r"still|motion|lips|line\d+|review|faces|seen|heard|(music|ambience)\d+|film|sound|subtitles|.*[*?\[].*"
)
"""Ids of calls and patterns of them: whole, or what stands after the last point of one."""


def _known_word(word: str) -> str:
    """A word of a trajectory, where it can mean a call.

    Raises:
        ValueError: there is no such tool or engine.
    """
    from configs.engines import load_engines

    tools = load_engines().tools
    tool, _, engine = word.partition("/")
    if tool in tools and (not engine or engine in tools[tool].engines):
        return word
    _, point, last = word.rpartition(".")
    if engine or not (_LAST if point else _WHOLE).fullmatch(last):
        raise ValueError(f"no call is {word!r}; say a tool, tool/engine, or a pattern of call ids as s1.still, s1.*")
    return word


Node = Literal["think", "retrieve", "search", "reason", "act", "judge", "respond"]
Word = Annotated[str, AfterValidator(_known_word)]


class Trajectory(_Model):
    """Which tool calls were made.

    Attributes:
        must, must_not: a tool, `tool/engine`, or a pattern of call ids as `s1.*`.
        order: these one after the other, others may be between.
        exact: these tools and no others, as a set.
        count: calls by the same words, each a number or an operator.
        cached: calls that came from the store; made: calls that were really made.
        failed: calls that failed.
        arguments: what they were called with.
        nodes: of the graph, one after the other, others may be between; nodes_not: that were never entered.
    """

    must: tuple[Word, ...] = ()
    must_not: tuple[Word, ...] = ()
    order: tuple[Word, ...] = ()
    exact: tuple[Word, ...] | None = None
    count: dict[Word, Matcher] = Field(default_factory=dict)
    cached: tuple[Word, ...] = ()
    made: tuple[Word, ...] = ()
    failed: tuple[Word, ...] = ()
    arguments: tuple[Arguments, ...] = ()
    nodes: tuple[Node, ...] = ()
    nodes_not: tuple[Node, ...] = ()

    @model_validator(mode="after")
    def _something_is_said(self) -> Trajectory:
        for name in self.model_fields_set - {"exact"}:
            if not getattr(self, name):
                raise ValueError(f"{name}: says nothing, and could not fail")
        return self


class Artifact(_Model):
    """A published file.

    Attributes:
        file: its path in the production, as `film.mp4`, `stills/s1.png`, `voices/s1.line1.wav`.
        exists: whether it is there at all.
        kind: what it is found to be when it is decoded.
        pixels: [width, height]. seconds, fps, loudness (LUFS, ITU-R BS.1770), luma (mean, 0..255), bytes: measured.
        streams: kinds of its streams, as [video, audio, subtitle].
        decodes: every frame and sample can be decoded.
        on_stage: who is seen, by the masks that were drawn with the picture (of a still), in any order.
        text: of a text file.
    """

    file: str
    exists: bool = True
    kind: Literal["image", "audio", "video", "text"] | None = None
    pixels: tuple[int, int] | None = None
    seconds: Matcher = None
    fps: Matcher = None
    loudness: Matcher = None
    luma: Matcher = None
    bytes: Matcher = None
    streams: tuple[str, ...] | None = None
    decodes: bool | None = None
    on_stage: tuple[str, ...] | None = None
    text: Matcher = None


ASKED_WRONGLY = ("BadArguments", "UnknownFunction", "NotAllowed", "LimitReached", "DuplicateId", "McpError")
"""Errors of a function call, and of an MCP request as such."""


class Failure(_Model):
    """How a turn must end that does not end well: the kind of error (tools/errors.py), and what it says."""

    kind: str
    says: Matcher = None

    @field_validator("kind")
    @classmethod
    def _known_kind(cls, kind: str) -> str:
        from tools import errors

        known = (*errors.__all__, *ASKED_WRONGLY)
        if kind not in known:
            raise ValueError(f"there is no error {kind!r}; there are: {', '.join(known)}")
        return kind


By = dict[str, Matcher]
FACTS = (
    "title", "style", "aspect", "fps", "seconds", "shots", "characters", "names", "places", "times", "weathers",
    "framings", "cameras", "moods", "ambiences", "languages", "speakers", "words", "lines", "expressions", "poses",
    "overlays", "actions", "prompts", "species",
)  # fmt: skip


class Expect(_Model):
    """What must be so. Everything is optional; each key is one scorer of evals/expect.

    Attributes:
        intent: fields of agent/intent.py, and `ops`: the kinds of the edits in order.
        storyboard: facts of the whole storyboard. no_storyboard: there is none.
        shots: by id of the shot (s1) the same facts of that shot alone, and `on_stage`: who stands in it.
        lines: that must be said. silent: nothing is said.
        trajectory: tool calls and nodes.
        artifacts: published files. files: labels that are published, as `film`, `stills/s1`.
        made: whether anything was made.
        scores: by call (a pattern) of the kept attempts.
        attempts: number by call (a pattern), of judged attempts. retries: attempts beyond the first, in all.
        improved: calls whose kept attempt scores above their first.
        failures: by call (a pattern): what is said of its failure.
        engines: by tool the engine that made it. passed_over: engines that are told as not taken.
        switches: models loaded on a device. again: attempts that the rules of retries.yaml added.
        tool_calls: made in this turn, the cached ones not counted.
        model: steps, tokens, requests, refused (numbers); asked: pieces that were asked for (a list).
        strategy: that was taken.
        seconds: that the turn took.
        message: of the agent. assumptions, problems: lists of texts. asked: what a person was asked (approval): number.
        notes: sources of the passages that were taken in. search: how it went: found, empty, refused, failed, offline.
        error: how it ended. exit: code of the command: 0 all made, 3 a part is missing, 1 nothing, 130 stopped.
        thoughts: texts of all thoughts, one list. stored: state of files: path pattern below the scenario's folder ->
            true, false, or an operator on its text.
        intact: every stored result matches its record, and nothing half-written lies about.
        secrets_absent: texts that must stand in no file that the studio wrote.
        web_asked: words that went to the search service, in order. pages_fetched: hosts that were asked for pages.
        metrics: by name of evals/metrics: a value or an operator.
        output, stderr: what a command printed. data: by dotted path a value of the JSON that it printed, or of the
            structured content of an MCP answer; a number is the place in a list, else a list stands for all its items;
            `.` is all of it.
        progress: what an MCP client was told of it, a list of texts; it must only grow. contents: kinds of the parts of
            an MCP answer: text, image, resource_link.
    """

    intent: By | None = None
    storyboard: By | None = None
    no_storyboard: bool | None = None
    shots: dict[str, By] | None = None
    lines: tuple[LineSaid, ...] | None = None
    silent: bool | None = None
    trajectory: Trajectory | None = None
    artifacts: tuple[Artifact, ...] | None = None
    files: Matcher = None
    made: bool | None = None
    scores: By | None = None
    attempts: By | None = None
    retries: Matcher = None
    improved: tuple[str, ...] | None = None
    failures: By | None = None
    engines: dict[str, str] | None = None
    passed_over: Matcher = None
    switches: Matcher = None
    again: Matcher = None
    tool_calls: Matcher = None
    model: By | None = None
    strategy: Matcher = None
    seconds: Matcher = None
    message: Matcher = None
    assumptions: Matcher = None
    problems: Matcher = None
    asked: Matcher = None
    notes: Matcher = None
    search: Matcher = None
    error: Failure | None = None
    exit: Matcher = None
    thoughts: Matcher = None
    stored: By | None = None
    intact: bool | None = None
    secrets_absent: tuple[str, ...] | None = None
    web_asked: Matcher = None
    pages_fetched: Matcher = None
    metrics: By | None = None
    output: Matcher = None
    stderr: Matcher = None
    data: By | None = None
    progress: Matcher = None
    contents: Matcher = None

    @model_validator(mode="after")
    def _each_key_can_fail(self) -> Expect:
        for name, value in self.given.items():
            empty = value is None or value == {} or value == () or value == Trajectory()
            if empty and (name != "failures" or value is None):
                raise ValueError(f"{name}: says nothing, and could not fail; leave it out, or say what must be so")
        for name, facts in (self.shots or {}).items():
            if not facts:
                raise ValueError(f"shots.{name}: says nothing, and could not fail")
        return self

    @field_validator("intent")
    @classmethod
    def _known_fields(cls, intent: By | None) -> By | None:
        from agent.intent import Intent

        known = {*Intent.model_fields, "ops"}
        return _checked(intent, known, "Intent has no field")

    @field_validator("storyboard")
    @classmethod
    def _known_facts(cls, facts: By | None) -> By | None:
        return _checked(facts, set(FACTS), "a storyboard has no fact")

    @field_validator("shots")
    @classmethod
    def _known_shot_facts(cls, shots: dict[str, By] | None) -> dict[str, By] | None:
        for facts in (shots or {}).values():
            _checked(facts, {*FACTS, "on_stage"}, "a shot has no fact")
        return shots

    @field_validator("model")
    @classmethod
    def _known_uses(cls, model: By | None) -> By | None:
        return _checked(model, {"steps", "tokens", "requests", "refused", "asked"}, "model has no figure")

    @field_validator("metrics")
    @classmethod
    def _known_metrics(cls, metrics: By | None) -> By | None:
        from evals.metrics.all import METRICS

        return _checked(metrics, set(METRICS), "there is no metric")

    @property
    def given(self) -> dict[str, Any]:
        """What the file says, by key."""
        return {name: getattr(self, name) for name in type(self).model_fields if name in self.model_fields_set}


def _checked(given: By | None, known: set[str], told: str) -> By | None:
    for name in given or {}:
        if name not in known:
            raise ValueError(f"{told} {name!r}; there are: {', '.join(sorted(known))}")
    return given
