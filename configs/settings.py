"""Settings: the caller's own first, then the environment (`STUDIO_*`), then configs/agent.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from configs.yaml_file import YamlProblem, parse_yaml

__all__ = ["CONFIG_DIR", "Settings"]

CONFIG_DIR = Path(__file__).parent


class _AgentYaml(PydanticBaseSettingsSource):
    """configs/agent.yaml as the last source, read with our own loader so that an error names its line."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        path = CONFIG_DIR / "agent.yaml"
        data, _ = parse_yaml(path.read_text(encoding="utf-8"), str(path))
        if not isinstance(data, dict):
            raise YamlProblem("must be a mapping of keys to values", where=f"{path}:1")
        return data


class Settings(BaseSettings):
    """Everything a run may be told from outside.

    Attributes:
        productions: folder that holds one folder a production.
        models_folder: where pulled models and the records of all lie; None is beside the conversations.
        profile: hardware profile by name; empty detects it.
        knowledge_folder: where documents a person added, past generations and the index lie; None is beside the
            conversations.
        chroma_server: `host:port` of a Chroma server on this machine that keeps the passages; empty: files do.
        planner: `offline`, `chat_model`, or empty: a chat model where `primary` names one.
        primary, vision, coder: chat models as `provider/model` (see chat_models.yaml): who plans and writes, who looks
            at pictures, who writes prompts; empty: nobody, and for `coder` the primary.
        temperature, thinking_temperature, writing_temperature: of answers, of reading a request, of scripts.
        model_timeout_s: seconds for one answer of a chat model.
        turn_tokens: tokens that one turn may spend on chat models.
        turn_seconds: seconds that one turn may spend on them.
        strategy: `plain`, `react`, `chain_of_thought`, `tree_of_thoughts`, `reflexion`; empty: chosen by the request.
        max_steps: thoughts of one turn.
        max_tool_calls: tool calls that a model may ask for in one turn.
        search_results: pages that a search of the web looks at.
        quality_threshold: score 0..1 below which a piece is made again.
        max_attempts: attempts at one piece, the first included.
        confidence_threshold: below it the agent says that it guesses.
        recursion_limit: graph steps for one goal of a turn.
        network: whether anything may leave this machine.
        seed: of everything random.
        engines: `TOOL=NAME`, several with commas between: engines to take instead of what the profile prefers.
        workers: engine processes; 0 chooses by the machine.
    """

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(env_prefix="STUDIO_", extra="forbid", frozen=True)

    productions: Path = Path("productions")
    models_folder: Path | None = None
    profile: str = ""
    knowledge_folder: Path | None = None
    chroma_server: str = ""
    planner: Literal["", "offline", "chat_model"] = ""
    primary: str = ""
    vision: str = ""
    coder: str = ""
    temperature: float = Field(0.5, ge=0.0, le=2.0)
    thinking_temperature: float = Field(0.7, ge=0.0, le=2.0)
    writing_temperature: float = Field(0.9, ge=0.0, le=2.0)
    model_timeout_s: float = Field(120.0, gt=0.0, le=3600.0)
    turn_tokens: int = Field(60_000, ge=1_000)
    turn_seconds: float = Field(600.0, gt=0.0)
    strategy: Literal["", "plain", "react", "chain_of_thought", "tree_of_thoughts", "reflexion"] = ""
    max_steps: int = Field(40, ge=1, le=40)
    max_tool_calls: int = Field(25, ge=0, le=25)
    search_results: int = Field(5, ge=1, le=20)
    quality_threshold: float = Field(0.7, ge=0.0, le=1.0)
    max_attempts: int = Field(3, ge=1, le=10)
    confidence_threshold: float = Field(0.7, ge=0.0, le=1.0)
    recursion_limit: int = Field(40, ge=10, le=1000)
    network: bool = False
    seed: int = Field(0, ge=0, le=2**31 - 1)
    engines: Annotated[tuple[str, ...], NoDecode] = ()
    workers: int = Field(0, ge=0, le=64)

    @field_validator("engines", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        """`STUDIO_ENGINES=generate_image=sdxl,compose_music=score`."""
        return [word for word in value.split(",") if word.strip()] if isinstance(value, str) else value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - no .env: what is not given is not read
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _AgentYaml(settings_cls)

    @property
    def state_dir(self) -> Path:
        """Where conversations are kept: the checkpoint database and earlier storyboards."""
        return self.productions / ".studio"

    @property
    def voices_home(self) -> Path:
        """Where a person's own voices lie: a record for each character and engine."""
        return self.models_home / ".voices"

    @property
    def knowledge_home(self) -> Path:
        """Where documents a person added, past generations and the index lie."""
        return (self.knowledge_folder or self.state_dir / "knowledge").expanduser()

    @property
    def models_home(self) -> Path:
        """Where pulled models and the records of all models lie."""
        return (self.models_folder or self.state_dir / "models").expanduser()
