"""What the reader says: sentences in the user's language, from `lexicons/sentences.yaml`."""

from __future__ import annotations

import string
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, RootModel, model_validator

from agent.planners.offline.lexicon import LEXICON_FOLDER
from configs.yaml_file import load_yaml_model
from tools.storyboard import Language

__all__ = ["Notes", "Sentences", "load_sentences"]


class _Sentence(BaseModel):
    model_config = ConfigDict(extra="forbid")

    en: str
    it: str

    @model_validator(mode="after")
    def _same_fields(self) -> _Sentence:
        fields = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in (self.en, self.it)]
        if fields[0] != fields[1]:
            raise ValueError(f"the translations fill in different words: {sorted(fields[0] ^ fields[1])}")
        return self


class Sentences(RootModel[dict[str, _Sentence]]):
    """Every sentence by id."""


def load_sentences(folder: Path = LEXICON_FOLDER) -> Sentences:
    """Read sentences.yaml.

    Raises:
        YamlProblem: with file and line.
    """
    return load_yaml_model(folder / "sentences.yaml", Sentences)


class Notes:
    """Collects assumptions and questions, each once, in one language (Italian, else English)."""

    def __init__(self, sentences: Sentences, language: Language) -> None:
        self._sentences = sentences.root
        self._italian = language == "it"
        self.assumptions: list[str] = []
        self.questions: list[str] = []

    def assume(self, id_: str, **words: Any) -> None:
        """Add an assumption."""
        self._add(self.assumptions, id_, words)

    def ask(self, id_: str, **words: Any) -> None:
        """Add a question."""
        self._add(self.questions, id_, words)

    def _add(self, to: list[str], id_: str, words: dict[str, Any]) -> None:
        sentence = self._sentences[id_]
        text = (sentence.it if self._italian else sentence.en).format(**words)
        if text not in to:
            to.append(text)

    def listed(self, names: Sequence[str]) -> str:
        """`Luca, Alberto and Giulia` in the language of the notes."""
        if len(names) < 2:
            return "".join(names)
        joiner = self._sentences["and"]
        return f"{', '.join(names[:-1])} {joiner.it if self._italian else joiner.en} {names[-1]}"
