"""Which strategy a request gets: by flag, by setting, or by the rules of choosing.yaml; what and why is recorded."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from agent.intent import Intent
from agent.strategies.base import STRATEGIES, StrategyName
from configs.yaml_file import load_yaml_model
from tools.errors import InvalidInput

__all__ = ["Choice", "check_strategy", "choose", "facts_of"]

CHOOSING_YAML = Path(__file__).with_name("choosing.yaml")
UNCLEAR = 0.6
"""Confidence below which a request is open, whatever its words."""


class _Rule(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    when: list[str]
    take: StrategyName
    why: str = Field(min_length=1)


class _ChoosingFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    rules: list[_Rule] = Field(min_length=1)
    open_words: list[str]


@dataclass(frozen=True)
class Choice:
    """A strategy, and why it was taken."""

    name: StrategyName
    why: str


@cache
def _rules() -> tuple[list[_Rule], re.Pattern[str]]:
    """choosing.yaml, read once.

    Raises:
        YamlProblem: it is malformed; names file and line.
    """
    found = load_yaml_model(CHOOSING_YAML, _ChoosingFile)
    return found.rules, re.compile("|".join(f"(?:{one})" for one in found.open_words), re.IGNORECASE)


def check_strategy(name: str) -> None:
    """Refuse a strategy that there is not.

    Raises:
        InvalidInput: with the names there are.
    """
    if name and name not in STRATEGIES:
        raise InvalidInput(
            f"there is no strategy {name!r}.", where="--strategy", hint=f"One of {', '.join(STRATEGIES)}."
        )


def facts_of(
    intent: Intent, text: str, *, given: bool, model: bool, looks_up: bool, failed_before: bool
) -> frozenset[str]:
    """What holds of a request, in the words of choosing.yaml.

    Args:
        intent: as it was understood.
        text: the user's message.
        given: a storyboard was given.
        model: there is a chat model.
        looks_up: the user's own words ask for a look-up.
        failed_before: a lesson was learned from a request like it.
    """
    found = {
        "given": given,
        "edit": intent.kind == "edit",
        "question": intent.kind == "question",
        "look_up": looks_up or intent.needs_search,
        "failed_before": failed_before,
        "open": _is_open(intent, text),
        "model": model,
    }
    return frozenset(name for name, holds in found.items() if holds)


def choose(facts: frozenset[str], *, flag: str = "", setting: str = "") -> Choice:
    """The strategy; a flag goes before the setting, and that before the rules.

    Raises:
        InvalidInput: the flag names none.
    """
    check_strategy(flag)
    for name, why in ((flag, "it was named for this run"), (setting, "the settings name it")):
        for known in STRATEGIES:
            if name == known and not facts & {"given", "edit"}:
                return Choice(known, why)
    rules, _ = _rules()
    rule = next(rule for rule in rules if facts.issuperset(rule.when))
    return Choice(rule.take, rule.why)


def _is_open(intent: Intent, text: str) -> bool:
    brief = intent.brief
    if intent.kind != "scene" or brief is None or brief.explicit_shots:
        return False
    if any(beat.dialogue or beat.framing or beat.camera or beat.text_overlay for beat in brief.beats):
        return False
    _, words = _rules()
    return intent.confidence < UNCLEAR or words.search(text) is not None
