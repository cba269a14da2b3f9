"""The schema of chat_models.yaml: where chat models are asked, and what their servers can."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from configs.engines import Name
from configs.secrets import secrets_of, shown_address, without_secrets
from configs.yaml_file import YamlProblem, load_yaml_model

__all__ = [
    "CHAT_MODELS_YAML", "ChatModelsFile", "Endpoint", "Provider", "find_endpoint", "load_chat_models",
    "variables_of_chat_models",
]  # fmt: skip

CHAT_MODELS_YAML = Path(__file__).with_name("chat_models.yaml")

_VARIABLE = re.compile(r"\{([A-Z][A-Z0-9_]*)\}")


class Provider(BaseModel):
    """One server, or one kind of it; the fields are told in chat_models.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    about: str = Field(min_length=1)
    url: str = Field(min_length=1)
    key: str = Field("", pattern=r"^([A-Z][A-Z0-9_]*)?$")
    key_needed: bool = True
    structured: Literal["json_schema", "strict", "json_object", "none"] = "none"
    tools: bool = True
    images: bool = True
    max_tokens: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"


class ChatModelsFile(BaseModel):
    """chat_models.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    providers: dict[Name, Provider]


@dataclass(frozen=True)
class Endpoint:
    """A chat model at its server, ready to be asked.

    Attributes:
        provider: its name in chat_models.yaml.
        model: the model's name at the server.
        url: of the API.
        key: the secret itself, never shown; empty where none is set.
        entry: what the server can.
    """

    provider: str
    model: str
    url: str
    key: str = field(repr=False)
    entry: Provider

    @property
    def name(self) -> str:
        """`provider/model`, as a person wrote it."""
        return f"{self.provider}/{self.model}"

    @property
    def is_remote(self) -> bool:
        """Whether asking it leaves this machine."""
        host = urlsplit(self.url).hostname or ""
        return host not in ("localhost", "::1") and not re.fullmatch(r"127(\.\d{1,3}){3}", host)

    @property
    def shown_url(self) -> str:
        """The address as it may be shown."""
        return shown_address(self.url)

    def clean(self, text: str) -> str:
        """What the server said, without the key and the password that it was told, should it repeat them."""
        return without_secrets(text, secrets_of(self.url, self.key))


def load_chat_models(path: Path = CHAT_MODELS_YAML) -> ChatModelsFile:
    """Read chat_models.yaml.

    Raises:
        YamlProblem: with file and line.
    """
    return load_yaml_model(path, ChatModelsFile)


def variables_of_chat_models(path: Path = CHAT_MODELS_YAML) -> tuple[str, ...]:
    """Names of the environment variables that addresses and keys of chat models are taken from.

    Raises:
        YamlProblem: with file and line.
    """
    providers = load_chat_models(path).providers.values()
    named = (name for one in providers for name in (*_VARIABLE.findall(one.url), one.key) if name)
    return tuple(dict.fromkeys(named))


def find_endpoint(name: str, *, network: bool, environ: Mapping[str, str] = os.environ) -> Endpoint:
    """The endpoint that `provider/model` names.

    Args:
        name: as `ollama/qwen2.5:14b`; the model's own name may hold further slashes.
        network: whether anything may leave this machine.
        environ: where addresses and keys are looked up.

    Raises:
        YamlProblem: the name is not of this form, the provider is unknown, or its address or key is not set, or it is
            on another machine and the network is off; the message says what to do.
    """
    provider, _, model = name.partition("/")
    providers = load_chat_models().providers
    if not model or provider not in providers:
        raise YamlProblem(f"{name!r} is not provider/model with a provider of {', '.join(providers)}", where="model")
    entry = providers[provider]
    missing = [variable for variable in _VARIABLE.findall(entry.url) if not environ.get(variable)]
    if entry.key and entry.key_needed and not environ.get(entry.key):
        missing.append(entry.key)
    if missing:
        raise YamlProblem(f"{name} needs the environment variable {missing[0]}", where=str(CHAT_MODELS_YAML))
    url = _VARIABLE.sub(lambda match: environ[match[1]], entry.url)
    if wrong := _wrong_with(url):
        raise YamlProblem(f"the address of {name} {wrong}", where=str(CHAT_MODELS_YAML))
    endpoint = Endpoint(provider, model, url.rstrip("/"), environ.get(entry.key, "") if entry.key else "", entry)
    if endpoint.is_remote and not network:
        told = f"{name} is on another machine, and nothing may leave this one; set STUDIO_NETWORK=true to allow it"
        raise YamlProblem(told, where="network")
    return endpoint


def _wrong_with(url: str) -> str:
    """What is wrong with an address, without showing it: a password may stand in it. Empty where nothing is."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "cannot be read; it is one like http://127.0.0.1:8000/v1"
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "must begin with http:// or https://"
    return "has the port 0, which nobody can listen at" if port == 0 else ""
