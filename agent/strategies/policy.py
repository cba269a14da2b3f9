"""What a turn may do at all: fixed from the user's own words, settings and flags, before any foreign text is read.

Instructions that are hidden in web pages, documents, metadata, tool descriptions or answers of tools are read by
models, and models obey some of them. So nothing here looks at what a model or a foreign text says. A `Policy` is a
pure function of three things nobody else can write: the last message as the user wrote it, the settings, the options
of the run. It is frozen, and `shrunk` is the only way to another one.

    reads       what the studio knows                       always
    network     asks the web                                settings.network, and the user's words ask for it
    plans       changes the storyboard of a conversation    never by a model's call: the graph's own nodes write it
    makes       makes files (and time goes by)              never by a model's call: the graph's own nodes make them
    remembers   knowledge, preferences, lessons, voices     never by a model's call: commands and the user's words do
    spends      paid engines                                never by a model's call: a person names the engine
    deletes     anything                                    never

Arguments are held to the same words (`Policy.guard`): a path or an address must stand in the user's message letter by
letter; a query to the web may use the user's words and those of the studio's own documents, so that nothing else can
leave in it. Why in-band defences are not relied upon: adaptive attacks pass them over 90 % of the time ("The attacker
moves second", arXiv 2510.09023); designs that fix rights before untrusted data is read: arXiv 2503.18813, 2506.08837.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from agent.options import RunOptions
from agent.requests import without_controls
from configs.settings import Settings
from configs.yaml_file import load_yaml_model
from tools.errors import InvalidInput
from tools.functions.function import Effect, Function

__all__ = ["NotAllowed", "Policy", "asks", "fix_policy", "words_of"]

POLICY_YAML = Path(__file__).with_name("policy.yaml")
LONGEST_TEXT = 2_000
"""Characters of one argument of a call."""
LONGEST_QUERY = 160
"""Characters of a query to the web."""
_WORD = re.compile(r"[^\W_]+")
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]{1,20}:/|\bwww\.|\b(?:data|file|javascript):", re.IGNORECASE)
_PATH = re.compile(r"^\s*(?:[~/\\]|[A-Za-z]:[\\/]|\.{1,2}[\\/])|\\|(?:^|/)\.\.(?:/|$)|\x00")


class NotAllowed(InvalidInput):
    """A call, or an argument of one, that this turn does not allow."""


class _PolicyFile(BaseModel):
    """policy.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    network: list[str] = Field(min_length=1)
    remembers: list[str] = Field(min_length=1)
    quotes: list[str] = Field(min_length=1)


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    """The patterns of policy.yaml.

    Raises:
        YamlProblem: it is malformed; names file and line.
    """
    rules = load_yaml_model(POLICY_YAML, _PolicyFile).model_dump()
    return {name: re.compile("|".join(f"(?:{one})" for one in found), re.IGNORECASE) for name, found in rules.items()}


def asks(what: str, text: str) -> bool:
    """Whether the user's words ask for something of policy.yaml: `network`, `remembers`, `quotes`."""
    return _patterns()[what].search(without_controls(text)) is not None


@dataclass(frozen=True)
class Policy:
    """The rights of one turn.

    Attributes:
        text: the user's message, as it was written.
        effects: what calls of a model may do.
        remembers: the user's words ask that something be remembered.
        quotes: the user's words ask to quote documents.
        withdrawn: functions that were taken back since.
    """

    text: str
    effects: frozenset[Effect] = frozenset({"reads"})
    remembers: bool = False
    quotes: bool = False
    withdrawn: frozenset[str] = field(default=frozenset())

    def allowed(self, functions: Iterable[Function[Any]]) -> frozenset[str]:
        """Names of the functions that a model may call in this turn."""
        return frozenset(one.name for one in functions if one.effect in self.effects) - self.withdrawn

    def shrunk(self, *names: str, effects: Iterable[Effect] = ()) -> Policy:
        """A policy with less: without these functions, without these effects. There is no way to one with more."""
        return replace(self, withdrawn=self.withdrawn | set(names), effects=self.effects - set(effects))

    def guard(self, function: Function[Any], values: dict[str, Any]) -> dict[str, Any]:
        """The arguments that a call may be made with.

        Raises:
            NotAllowed: the function, a path, an address, or a query of which nothing is left.
        """
        if function.effect not in self.effects or function.name in self.withdrawn:
            raise NotAllowed(f"{function.name} may not be called in this turn.")
        for text in _texts(values):
            self._look_at(text)
        if function.effect == "network":
            return {name: self._query(value) if isinstance(value, str) else value for name, value in values.items()}
        return values

    def _look_at(self, text: str) -> None:
        if len(text) > LONGEST_TEXT:
            raise NotAllowed(f"An argument of {len(text):,} characters is too long; {LONGEST_TEXT:,} are allowed.")
        if (_ADDRESS.search(text) or _PATH.search(text)) and not self._stands(text.strip()):
            told = "Paths and addresses are taken only from the user's own message."
            raise NotAllowed(f"{text[:80]!r} may not be used. {told}")

    def _stands(self, text: str) -> bool:
        """Whether the user wrote exactly this, as words of its own and not as a part of others."""
        return re.search(rf"(?<!\S)[\"'“«(]?{re.escape(text)}[\"'”»).,;:!?]*(?!\S)", self.text) is not None

    def _query(self, query: str) -> str:
        """The query with the words that may leave this machine."""
        may = words_of(self.text) | _own_words()
        kept = [word for word in _WORD.findall(query) if word.casefold() in may]
        bounded = " ".join(kept)[:LONGEST_QUERY].strip()
        if not bounded:
            raise NotAllowed("A query may use the words of the user's request; none of those stands in this one.")
        return bounded


def fix_policy(text: str, settings: Settings, options: RunOptions) -> Policy:
    """The rights of a turn.

    Args:
        text: the user's message, not the conversation before it, in which foreign text may have been told.
        settings: say whether the network may be used at all.
        options: of the run; a storyboard that was given is made as it stands, so nothing is asked of the web.
    """
    own = without_controls(text)
    effects: set[Effect] = {"reads"}
    if settings.network and options.given is None and asks("network", own):
        effects.add("network")
    return Policy(
        own,
        frozenset(effects),
        remembers=asks("remembers", own),
        quotes=asks("quotes", own),
    )


def words_of(text: str) -> frozenset[str]:
    """The words of a text, in one case."""
    return frozenset(word.casefold() for word in _WORD.findall(text))


@cache
def _own_words() -> frozenset[str]:
    """The words of the documents that come with the studio, and of its cast."""
    from knowledge.documents_folder import DocumentsFolder

    found: set[str] = set()
    for document in DocumentsFolder().documents:
        for heading, text in document.sections:
            found |= words_of(f"{heading} {text}")
        found |= words_of(" ".join([document.title, *document.about, *document.words]))
    # A number can say anything, one digit after the other.
    return frozenset(word for word in found if word.isalpha())


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, BaseModel):
        yield from _texts(value.model_dump(mode="json"))
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from _texts(str(key))
            yield from _texts(one)
    elif isinstance(value, list | tuple | set | frozenset):
        for one in value:
            yield from _texts(one)
