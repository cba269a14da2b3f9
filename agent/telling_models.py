"""Which chat model plays which role, and whether its server answers, for the doctor."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, get_args

from agent.chat_models.base import Role
from agent.requests import without_controls
from configs.chat_models import find_endpoint
from configs.settings import Settings
from configs.yaml_file import YamlProblem

if TYPE_CHECKING:
    from configs.chat_models import Endpoint

__all__ = ["tell_chat_models"]

WAIT_S = 1.0
"""For a server on this machine; a remote one gets five times as long, where it is asked at all."""
MOST_BYTES = 1_000_000
SHOWN = 6
"""Models of a server that are named where the one that is set is not among them."""


def tell_chat_models(settings: Settings, *, ask: bool = False) -> dict[str, str]:
    """By role what is set, and whether it answers. Servers on other machines are asked only where `ask` is set."""
    from agent.chat_models.roles import ChatModels

    if settings.planner == "offline" or not settings.primary:
        lacks = settings.planner == "chat_model"
        who = "lacks: planner is chat_model, and no model is named. To mend it: export STUDIO_PRIMARY=provider/model"
        rows = {"now": who if lacks else "offline: rules, no model"}
    else:
        rows = {"now": "a chat model beside the rules"}
    named = ChatModels(settings).named
    stands_in = bool(settings.primary) and not settings.coder
    told: dict[str, str] = {}
    for role in get_args(Role):
        name = named(role)
        if not name:
            rows[role] = "none"
            continue
        if name not in told:
            told[name] = _told(name, settings, ask)
        rows[role] = "the primary" if role == "coder" and stands_in else told[name]
    if settings.primary and settings.planner != "offline" and rows["primary"].startswith("no: "):
        rows["now"] = "the rules alone, while the primary cannot be asked"
    return rows


def _told(name: str, settings: Settings, ask: bool) -> str:
    try:
        endpoint = find_endpoint(name, network=settings.network)
    except YamlProblem as problem:
        return f"no: {problem.message}"
    if endpoint.is_remote and not ask:
        return f"{name}, on another machine; not asked (studio doctor --ask)"
    return _answer(endpoint)


def _answer(endpoint: Endpoint) -> str:
    """What the server says of its models; asking for them costs nothing."""
    wait = WAIT_S * (5 if endpoint.is_remote else 1)
    told: list[str] = []
    # The library's limits are for each piece: a server that sends a byte a moment would keep us for days.
    asking = threading.Thread(target=lambda: told.append(_asked(endpoint, wait)), name="doctor", daemon=True)
    asking.start()
    asking.join(2 * wait)
    return told[0] if told else _nobody(endpoint)


def _nobody(endpoint: Endpoint) -> str:
    return f"no: {endpoint.name} does not answer at {endpoint.shown_url}; is its server running?"


def _asked(endpoint: Endpoint, wait: float) -> str:
    import httpx2

    headers = {"authorization": f"Bearer {endpoint.key}"} if endpoint.key else {}
    try:
        with (
            httpx2.Client(timeout=wait, trust_env=endpoint.is_remote, follow_redirects=False) as client,
            client.stream("GET", f"{endpoint.url}/models", headers=headers) as response,
        ):
            status, body = response.status_code, b""
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > MOST_BYTES:
                    break
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError):
        return _nobody(endpoint)
    if status in (401, 403):
        key = f" To mend it: export {endpoint.entry.key}=..." if endpoint.entry.key else ""
        return f"no: {endpoint.name} wants another key ({status}).{key}"
    if status >= 500:
        return f"no: the server of {endpoint.name} failed ({status}); look at what it prints"
    names = _names(body)
    # Ollama takes a name without a tag for the newest.
    if names and not {endpoint.model, f"{endpoint.model}:latest"} & names:
        known = ", ".join(sorted(without_controls(one)[:60] for one in names)[:SHOWN])
        rest = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        pull = f" To mend it: ollama pull {endpoint.model}" if endpoint.provider == "ollama" else ""
        return f"no: the server of {endpoint.name} does not know this model; it has {known}{rest}.{pull}"
    return f"{endpoint.name}, it answers"


def _names(body: bytes) -> set[str]:
    try:
        data = json.loads(body)
        return {str(one["id"]) for one in data["data"]}
    except (ValueError, KeyError, TypeError, RecursionError):
        return set()
