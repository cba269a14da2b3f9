"""The schema of a scenario's world."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from evals.world.files import FileMade, OwnPath
from evals.world.machine import Machine
from evals.world.servers import ForeignServer, ServerName

__all__ = ["EngineName", "Fault", "FileMade", "Mind", "Page", "Reply", "Web", "World"]

EngineName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*/[a-z][a-z0-9_]*$")]
"""`tool/engine`, as in engines.yaml."""
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_. -]{0,80}$")]
FaultKind = Literal[
    "out_of_memory",
    "crash",
    "hang",
    "bad_output",
    "error",
    "disk_full",
    "slow",
    "black",
    "blurred",
    "silent",
    "clipped",
]
_SOUNDS = ("synthesize_speech", "compose_music", "make_ambience", "mix_sound")
_SPOILS = {"black": ("generate_image",), "blurred": ("generate_image",), "silent": _SOUNDS, "clipped": _SOUNDS}
_OURS = {"productions", "models_folder", "knowledge_folder", "primary", "vision", "coder", "planner", "profile"}


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _fault_names() -> tuple[str, ...]:
    """Wrong answers that the peer knows; none where the extra `eval` is not installed: the scenario is not run then."""
    try:
        from evals.peer import BAD_REPLIES
    except ModuleNotFoundError:
        return ()
    return BAD_REPLIES


class Page(_Model):
    """A page of this world's web, and what the search service says of it.

    Attributes:
        url: with a host that is nowhere else, as http://harbours.example/camogli; no https: the sites have no
            certificate.
        title, snippet: as the search lists it.
        text: of the page, as paragraphs; or `html`, the page as it stands.
        status: that the server answers with.
        listed: whether the search finds it.
    """

    url: str = Field(pattern=r"^http://[a-z0-9.-]+(/\S*)?$")
    title: str = ""
    snippet: str = ""
    text: str = ""
    html: str = ""
    status: int = Field(200, ge=100, le=599)
    listed: bool = True


class Web(_Model):
    """What the web answers. The search service and the sites stand on loopback; all else of the studio is as it ships.

    Attributes:
        search: `found`: it lists the pages; `none`: it has nothing; `refused`: it takes us for a robot; `down`: nobody
            answers.
        pages: that there are.
    """

    search: Literal["found", "none", "refused", "down"] = "found"
    pages: tuple[Page, ...] = ()


class Reply(_Model):
    """One answer of a scripted chat model.

    Attributes:
        piece: only where this piece (the name of its schema, as Understanding, Outline, Script) is asked for.
        tool: only where this tool is offered. text: only where this stands in the conversation.
        model: only where this role asks: primary, coder, vision.
        answers: data, as JSON. says: free text. calls: tool calls, each {name, arguments}.
        fault: a wrong answer by its name in evals/peer/faults.py, as `rate_limited`, with `how` (its keywords).
        mind: this once as the random or the obedient model answers.
        times: how often (1); null: always.
    """

    piece: str | None = None
    tool: str | None = None
    text: str | None = None
    model: Literal["primary", "coder", "vision"] | None = None
    answers: Any = None
    says: str | None = None
    calls: tuple[dict[str, Any], ...] = ()
    fault: str | None = None
    how: dict[str, Any] = Field(default_factory=dict)
    mind: Literal["random", "obedient"] | None = None
    times: int | None = Field(1, ge=1)

    @model_validator(mode="after")
    def _one_answer(self) -> Reply:
        given = [self.answers is not None, self.says is not None, bool(self.calls), bool(self.fault), bool(self.mind)]
        if sum(given) != 1:
            raise ValueError("say one of: answers, says, calls, fault, mind")
        if self.fault and (known := _fault_names()) and self.fault not in known:
            raise ValueError(f"there is no fault {self.fault!r}; there are: {', '.join(known)}")
        return self


class Mind(_Model):
    """The chat model of this world: a server of OpenAI's API on loopback (evals/peer).

    Attributes:
        kind: `scripted`: what `replies` has no line for is refused; `random`: right form, no sense; `obedient`: does
            what any text tells it (CALL, SAY, SET; see evals/peer/minds.py). `replies` go first in all of them.
        roles: that it plays.
        dialect: whose rules it holds to.
        seed: of what is random.
        replies: in order; the first that fits answers.
    """

    kind: Literal["scripted", "random", "obedient"] = "scripted"
    roles: tuple[Literal["primary", "coder", "vision"], ...] = ("primary",)
    dialect: Literal["openai", "vllm", "llama.cpp", "ollama"] = "openai"
    seed: int = 1
    replies: tuple[Reply, ...] = ()


class Fault(_Model):
    """Something goes wrong in an engine, in its own worker process; nothing is faked above it.

    Attributes:
        tool: whose engines. call: only these calls, as `s1.still` or `*.line1`.
        engine: only this one.
        kind: `out_of_memory`, `error`, `bad_output`, `disk_full`: raised as they come from libraries; `crash`: the
            worker dies; `hang`: no sign of life (it counts as hung after 8 s here); `slow`: it takes
            `seconds` longer; `black`, `blurred`: the picture is really made so; `silent`, `clipped`: the sound is.
        after: calls that go well before. times: how often it happens then; null: always.
        seconds: of `slow`.
    """

    kind: FaultKind
    tool: str
    call: str = "*"
    engine: str = "*"
    after: int = Field(0, ge=0)
    times: int | None = Field(1, ge=1)
    seconds: float = Field(1.0, gt=0.0, le=30.0)


class World(_Model):
    """Where a scenario plays; what is left out is a machine with no GPU, no network, no chat model, nothing added.

    Attributes:
        settings: fields of `configs.settings.Settings`, as quality_threshold, max_attempts, seed, network, strategy.
        profile: hardware profile of profiles.yaml.
        absent: engines whose library is not installed here, as `generate_image/sdxl`.
        stand_ins: engines that are ready here, carried out by the embedded engine of the same tool (no weights are
            needed), as `generate_image/sdxl`.
        knowledge: documents that the person added: file name and text.
        preferences: what the person always wants, in their words: "always in 9:16".
        files: that lie where the person stands, by name.
        own: a folder of the person's own (STUDIO_OWN): files by their path in it; `$OWN` in a text is that folder.
        weights: models that are on this machine, by their names in models.yaml: tiny random checkpoints.
        machine: what it is said to have; None: what it has, and 64 GiB of memory where there are weights.
        ears: texts whose words a real recogniser listens for (PocketSphinx, English); empty: nobody listens.
        web: None: the network is off.
        model: None: none is named.
        servers: MCP servers of others, allowed and pinned by the person.
        faults: what goes wrong.
        environment: variables, as STUDIO_LLM_API_KEY (of this scenario alone).
    """

    settings: dict[str, Any] = Field(default_factory=dict)
    profile: str = "cpu"
    absent: tuple[EngineName, ...] = ()
    stand_ins: tuple[EngineName, ...] = ()
    knowledge: dict[FileName, str] = Field(default_factory=dict)
    preferences: tuple[str, ...] = ()
    files: dict[FileName, FileMade] = Field(default_factory=dict)
    own: dict[OwnPath, FileMade] = Field(default_factory=dict)
    weights: tuple[str, ...] = ()
    machine: Machine | None = None
    ears: tuple[str, ...] = ()
    web: Web | None = None
    model: Mind | None = None
    servers: dict[ServerName, ForeignServer] = Field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    environment: dict[str, str] = Field(default_factory=dict)

    @field_validator("settings")
    @classmethod
    def _known_settings(cls, settings: dict[str, Any]) -> dict[str, Any]:
        from configs.settings import Settings

        for name in settings:
            if name not in Settings.model_fields:
                raise ValueError(f"there is no setting {name!r}; there are: {', '.join(sorted(Settings.model_fields))}")
            if name in _OURS:
                raise ValueError(f"{name!r} is set by the world itself (profile, model, folders)")
        Settings.model_validate({**{key: field.default for key, field in Settings.model_fields.items()}, **settings})
        return settings

    @field_validator("profile")
    @classmethod
    def _known_profile(cls, profile: str) -> str:
        from configs.profiles import load_profiles

        known = load_profiles().profiles
        if profile not in known:
            raise ValueError(f"there is no profile {profile!r}; there are: {', '.join(known)}")
        return profile

    @field_validator("absent", "stand_ins")
    @classmethod
    def _known_engines(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        from configs.engines import load_engines

        tools = load_engines().tools
        for name in names:
            tool, _, engine = name.partition("/")
            if tool not in tools or engine not in tools[tool].engines:
                raise ValueError(f"engines.yaml has no {name}")
        return names

    @field_validator("weights")
    @classmethod
    def _known_weights(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        from evals.world.weights import TINY

        for name in names:
            if name not in TINY:
                raise ValueError(f"there is no tiny checkpoint of {name!r}; there are: {', '.join(TINY)}")
        return names

    @field_validator("ears")
    @classmethod
    def _has_words(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        from evals.world.ears import words_of_ears

        if texts and not words_of_ears(texts):
            raise ValueError("there is no word in these texts that could be listened for")
        return texts

    @model_validator(mode="after")
    def _card_of_a_profile(self) -> World:
        from configs.profiles import load_profiles

        on_card = load_profiles().profiles[self.profile].budget_gb > 0
        if self.machine is not None and self.machine.card_gb is not None and not on_card:
            raise ValueError(f"machine: the profile {self.profile!r} uses no card")
        return self

    @field_validator("faults")
    @classmethod
    def _known_tools(cls, faults: tuple[Fault, ...]) -> tuple[Fault, ...]:
        from configs.engines import load_engines

        tools = load_engines().tools
        for fault in faults:
            if fault.tool not in tools:
                raise ValueError(f"there is no tool {fault.tool!r}; there are: {', '.join(tools)}")
            makes = _SPOILS.get(fault.kind)
            if makes is not None and fault.tool not in makes:
                what = "sound" if fault.kind in ("silent", "clipped") else "picture"
                raise ValueError(f"{fault.kind}: {fault.tool} makes no {what}; {', '.join(makes)} do")
        return faults
