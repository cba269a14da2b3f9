"""What the agent says of its own accord, from agent/replies.yaml."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from configs.yaml_file import YamlProblem, parse_yaml

__all__ = ["Replies"]

_PATH = Path(__file__).parent / "replies.yaml"


@cache
def _phrases() -> dict[str, dict[str, Any]]:
    data, _ = parse_yaml(_PATH.read_text(encoding="utf-8"), str(_PATH))
    for language, phrases in data.items():
        missing = data["en"].keys() - phrases.keys()
        if missing:
            raise YamlProblem(f"{language} lacks {', '.join(sorted(missing))}", where=str(_PATH))
    return data  # type: ignore[no-any-return]


class Replies:
    """The phrases of one language; English where there are none."""

    def __init__(self, language: str) -> None:
        self._words = _phrases().get(language, _phrases()["en"])

    def say(self, key: str, **values: Any) -> str:
        """A phrase with its blanks filled in; a key that is no phrase is returned as it is."""
        phrase = self._words.get(key)
        return phrase.format(**values) if isinstance(phrase, str) else key

    def count(self, key: str, n: float) -> str:
        """`1 shot`, `3 shots`, `7.5 seconds`."""
        one, many = self._words[key]
        return str(one) if n == 1 else str(many.format(n=f"{n:g}"))

    def name(self, group: str, key: str, **values: Any) -> str:
        """What people call something of a group (`parts`, `levers`, `checks`); one without a name by its key."""
        return str(self._words[group].get(key, key.replace("_", " "))).format(**values)

    def kinds(self, outputs: list[str]) -> str:
        """`pictures, voices and music`."""
        names = [str(self._words["kinds"].get(kind, kind)) for kind in outputs]
        return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {self._words['and']} {names[-1]}"
