"""Word lists: whole, told with file and line where they are not, and usable in patterns."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.planners.offline.wordlists import LISTS_FOLDER, Lists, load_lists, pattern, phrases, starts_with, words
from configs.yaml_file import YamlProblem, load_yaml_model


@pytest.mark.parametrize("path", sorted(LISTS_FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_file_and_list_says_what_it_is_about(path: Path) -> None:
    lists = load_yaml_model(path, Lists)
    assert lists.about.endswith(".")
    assert all(one.about.endswith(".") for one in lists.lists.values())


def test_endings_are_expanded_and_words_folded() -> None:
    assert {"ein", "eine", "einem", "un'", "the"} <= words("articles_one", "articles_the")
    assert "&" in words("and_words")


def test_a_pattern_is_built_from_lists() -> None:
    built = pattern(r"\b(?:{articles_the})\s?(\w{2,9})")
    assert [found[1] for found in built.finditer("The cat and l’orso")] == ["cat", "orso"]


def test_the_longest_phrase_is_found_first() -> None:
    assert phrases("and_words")[0] == ("and",)
    assert starts_with(["and", "then"], "and_words") == 1
    assert starts_with(["then", "and"], "and_words") == 0


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("about: x.\nlists:\n  a_list: {about: x., en: [on]}\n", 3, "quotes"),
        ("about: x.\nlists:\n  a_list: {about: x., english: [in]}\n", 3, "english"),
        ("about: x.\nlists:\n  A-List: {about: x., en: [in]}\n", 2, "no name"),
        ("about: x.\nlists:\n  a_list: {about: x., en: []}\n", 3, "no word"),
        ("about: x.\nlists:\n  a_list: {about: x., en: [wave(|s]}\n", 3, "bracket"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, text: str, line: int, told: str) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(YamlProblem, match=told) as caught:
        load_lists(tmp_path)
    assert caught.value.where.startswith(str(path))
    assert abs(int(caught.value.where.rsplit(":", 1)[1]) - line) <= 1


def test_a_name_stands_in_one_file_only(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text("about: x.\nlists:\n  twice: {about: x., en: [in]}\n")
    with pytest.raises(YamlProblem, match="another file") as caught:
        load_lists(tmp_path)
    assert caught.value.where == f"{tmp_path / 'b.yaml'}:3"
