"""What the chat-model planner says of its own accord: phrases.yaml, read when it is first needed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, RootModel, model_validator

from agent.planners.chat_pieces.asking import Miss
from configs.yaml_file import load_yaml_model
from tools.storyboard import Language

__all__ = ["Phrases", "missed_sentences", "phrases_of"]


class Phrases(BaseModel):
    """The phrases of one language."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    missed_all: str
    missed_some: str
    not_asked: str
    changes: str
    both: str
    reasons: dict[str, str]
    pieces: dict[str, str]


class _File(RootModel[dict[str, Phrases]]):
    @model_validator(mode="after")
    def _complete(self) -> _File:
        english = self.root["en"]
        for tongue, phrases in self.root.items():
            if phrases.reasons.keys() != english.reasons.keys() or phrases.pieces.keys() != english.pieces.keys():
                raise ValueError(f"{tongue} does not name the reasons and pieces that en names")
        return self


@cache
def _file() -> _File:
    return load_yaml_model(Path(__file__).with_name("phrases.yaml"), _File)


def phrases_of(language: Language) -> Phrases:
    """The phrases of a language; English where there are none."""
    known = _file().root
    return known.get(language, known["en"])


def missed_sentences(missed: Sequence[Miss], language: Language, nothing_used: bool) -> list[str]:
    """One sentence a model: which pieces it did not give, and why; empty where it gave all.

    Args:
        nothing_used: no piece of any model is in the plan.
    """
    phrases = phrases_of(language)
    told = []
    for model in dict.fromkeys(miss.model for miss in missed):
        ours = [miss for miss in missed if miss.model == model]
        reason = phrases.reasons[ours[0].reason]
        if nothing_used:
            told.append(phrases.missed_all.format(model=model, reason=reason))
            continue
        names = list(dict.fromkeys(phrases.pieces.get(miss.piece.partition(" ")[0], miss.piece) for miss in ours))
        pieces = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {phrases.both} {names[-1]}"
        told.append(phrases.missed_some.format(model=model, pieces=pieces, reason=reason))
    return told
