"""The word lists: whole, and with errors that name file and line."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from agent.planners.offline.lexicon import LEXICON_FOLDER, Lexicon, expand, load_lexicons
from agent.planners.offline.planner import OfflinePlanner
from agent.planners.offline.say import load_sentences
from agent.planners.offline.vocabulary import Vocabulary
from configs.yaml_file import YamlProblem, load_yaml_model


def test_endings_are_expanded() -> None:
    assert expand("wave(|s)") == ["wave", "waves"]
    assert expand("corr(e|ono)") == ["corre", "corrono"]
    with pytest.raises(ValueError, match="bracket"):
        expand("corr(e")


@pytest.mark.parametrize("path", sorted(LEXICON_FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_list_says_what_it_is_about(path: Path) -> None:
    if path.stem != "sentences":
        assert load_yaml_model(path, Lexicon).about.endswith(".")


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("about: x.\nsubject: time\nentries:\n  noonish:\n    en: [noon]\n", 1, "noonish"),
        ("about: x.\nsubject: joiner\nentries:\n  where:\n    en: [on]\n", 5, "quotes"),
        ("about: x.\nsubject: trait\nentries:\n  horned:\n    look: {horns: 2}\n", 4, "horns"),
        ("about: x.\nsubject: place\nentries:\n  beach:\n    english: [beach]\n", 5, "english"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, text: str, line: int, words: str) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(YamlProblem, match=words) as caught:
        load_lexicons(tmp_path)
    assert str(path) in caught.value.where
    assert abs(int(caught.value.where.rsplit(":", 1)[1]) - line) <= 1


def test_a_word_is_added_by_editing_yaml(tmp_path: Path) -> None:
    folder = tmp_path / "lexicons"
    shutil.copytree(LEXICON_FOLDER, folder)
    path = folder / "places.yaml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("[kitchen(|s),", "[kitchen(|s), scullery,"), encoding="utf-8"
    )
    known = Vocabulary.load()
    vocabulary = Vocabulary(known.cast, load_lexicons(folder), load_sentences())
    assert "scullery" in vocabulary.index
    assert "scullery" not in known.index


@pytest.mark.parametrize(
    "word", ["look", "lucky", "luce", "duca", "lupa", "better", "julep", "alerte", "giulio", "luna"]
)
def test_ordinary_words_are_no_names(word: str) -> None:
    assert OfflinePlanner().vocabulary.near_name(word) is None


@pytest.mark.parametrize(
    ("word", "who"),
    [("albrto", "alberto"), ("allberto", "alberto"), ("lcua", "luca"), ("giulai", None), ("gulia", None)],
)
def test_slips_in_names_are_read(word: str, who: str | None) -> None:
    vocabulary = OfflinePlanner().vocabulary
    assert vocabulary.near_name(word) == who or "spelling" in vocabulary.index.words[word]


def test_constructing_the_planner_reads_nothing() -> None:
    code = (
        "import sys\nfrom agent.planners.offline.planner import OfflinePlanner\nOfflinePlanner()\n"
        "assert 'vocabulary' not in OfflinePlanner().__dict__\n"
        "assert not {'torch', 'skia', 'scipy', 'langgraph'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[4])
