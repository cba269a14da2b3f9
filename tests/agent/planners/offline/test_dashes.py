"""Speech behind dashes: who says it must be told somewhere, else it is a plain list."""

from __future__ import annotations

import pytest

from agent.planners.offline.dashes import find_dashed


def is_saying(words: str) -> bool:
    return words.lstrip().startswith(("dice", "risponde", "dit", "répond"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("– Ciao, Luca! – dice Alberto.\n– Ciao! – risponde Luca.", ["Ciao, Luca!", "Ciao!"]),
        ("— Bonjour, dit Luca. — Salut ! répond Giulia.", ["Bonjour", "Salut !"]),
        ("– Vieni – dice Giulia – ti aspetto.", ["Vieni", "ti aspetto."]),
        ("- Luca runs on the beach\n- Alberto waves", []),
        ("Luca – the boy – waves", []),
    ],
)
def test_speech_behind_dashes(text: str, said: list[str]) -> None:
    found = find_dashed(text, is_saying)
    assert [quote.text for quote in found] == said
    assert all(text[quote.start : quote.end].strip(" –—-").startswith(quote.text) for quote in found)


def test_without_a_verb_of_saying_nothing_is_said() -> None:
    assert find_dashed("– Ciao! – dice Alberto.", lambda _: False) == []
