"""The knowledge base as the agent uses it: what is found, what comes first, what it follows, what it tells."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from knowledge.added import AddedDocuments
from knowledge.base import KnowledgeBase
from knowledge.ingest.adding import add_files
from knowledge.opened_later import OpenedLater
from tests.knowledge.bases import base_in, cache_with_model, needs_weights, write_documents


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache_with_model(tmp_path, monkeypatch)


@pytest.fixture
def base(tmp_path: Path) -> KnowledgeBase:
    made = base_in(tmp_path)
    made.refresh()
    return made


def titles(base: KnowledgeBase, query: str, **wanted: object) -> list[str]:
    return [passage.title for passage in base.retrieve(query, **wanted)]  # type: ignore[arg-type]


@needs_weights
def test_found_by_meaning_where_no_word_is_shared(base: KnowledgeBase) -> None:
    assert titles(base, "how do I make a loaf")[0] == "Baking bread"
    assert titles(base, "enormous sea creature")[0] == "The whale"
    assert base.remarks == []


def test_found_by_words_where_there_are_no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from knowledge.problems import NoWeights

    def none(*_: object) -> None:
        raise NoWeights("the model is not here.", hint="To mend it: studio models pull minilm")

    monkeypatch.setattr("knowledge.embedding.embedder.open_embedder", none)
    base = base_in(tmp_path)
    assert titles(base, "when is the dough baked")[0] == "Baking bread"
    [remark] = base.remarks
    assert remark.startswith("found by words, not by meaning")
    assert "studio models pull minilm" in remark
    # Made without vectors, it takes them as soon as the weights are there.
    monkeypatch.undo()
    cache_with_model(tmp_path / "again", monkeypatch)
    again = KnowledgeBase(base.home, documents=base.sources.documents)
    assert titles(again, "when is the dough baked")[0] == "Baking bread"


@needs_weights
def test_a_large_first_index_is_made_beside_the_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knowledge.base.AT_ONCE", 2)
    base = base_in(tmp_path)
    assert titles(base, "the dough")[0] == "Baking bread"
    assert any("is being made" in remark for remark in base.remarks)
    for thread in threading.enumerate():
        if thread.name == "knowledge-index":
            thread.join(60)
    assert titles(base, "enormous sea creature")[0] == "The whale"
    assert base.remarks == []


def test_what_is_named_comes_first_and_each_name_before_a_second_passage(base: KnowledgeBase) -> None:
    found = base.retrieve("bread dough oven flour", names=["otto", "mina"], limit=3)
    assert [passage.title for passage in found[:2]] == ["Otto", "Mina"]
    assert found[0].score == 1.0
    assert [passage.title for passage in base.retrieve("x", names=["otto"], limit=1)] == ["Otto"]
    assert base.retrieve("bread", names=["nobody"])[0].title == "Baking bread"


def test_filters_hold_by_kind_and_by_character(base: KnowledgeBase) -> None:
    query = "a clock in the rain, bread, a whale"
    assert set(titles(base, query, kinds=["character"])) <= {"Mina", "Otto"}
    assert set(titles(base, query, characters=["mina"])) <= {"Mina", "Mina and Otto"}
    assert titles(base, query, characters=["mina"], kinds=["film"]) == ["Mina and Otto"]
    assert titles(base, query, kinds=["added"]) == []
    assert titles(base, query, names=["otto"], kinds=["guide"], limit=9).count("Otto") == 0, "a filter binds names, too"


def test_nothing_fits_nothing_comes(base: KnowledgeBase) -> None:
    assert titles(base, "zzzz qqqq") == []
    assert titles(base, "", names=[]) == []
    assert titles(base, "bread", limit=0) == []
    assert len(titles(base, "\x00\ud800" + "bread " * 100_000)) >= 1


def test_changed_new_and_removed_documents_count_at_once(base: KnowledgeBase, tmp_path: Path) -> None:
    documents = base.sources.documents
    (documents / "bread.md").write_text(
        "---\ntitle: Knots\nkind: guide\n---\n## K\nA bowline holds.\n", encoding="utf-8"
    )
    assert titles(base, "bowline") == ["Knots"]
    (documents / "bread.md").unlink()
    assert "Knots" not in titles(base, "bowline")
    note = tmp_path / "heron.txt"
    note.write_text("A heron waits in the reeds.", encoding="utf-8")
    kept = AddedDocuments(base.home)
    [outcome] = add_files(kept, [note], about=["mina"])
    assert titles(base, "heron", kinds=["added"]) == ["heron"]
    assert titles(base, "heron in the reeds", characters=["mina"])[0] == "heron"
    note.write_text("A stork waits in the reeds.", encoding="utf-8")
    assert add_files(kept, [note])[0].status == "replaced"
    assert "stork" in base.retrieve("stork reeds", kinds=["added"])[0].text
    assert outcome.added is not None
    kept.remove(outcome.added.id)
    assert titles(base, "stork heron reeds", kinds=["added"]) == []


def test_a_document_that_cannot_be_read_is_told_and_the_others_are_found(base: KnowledgeBase) -> None:
    (base.sources.documents / "broken.md").write_text("no front matter", encoding="utf-8")
    damaged = base.home / "added" / "0123456789ab.json"
    damaged.parent.mkdir(parents=True)
    damaged.write_text('{"id": "0123', encoding="utf-8")
    for _ in range(2):
        assert titles(base, "dough in the oven")[0] == "Baking bread"
        assert sorted("broken.md" in remark or "0123456789ab" in remark for remark in base.remarks) == [True, True]


def test_where_the_index_cannot_be_written_it_is_still_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("knowledge.index.files.write_snapshot", full)
    base = base_in(tmp_path)
    assert titles(base, "dough in the oven")[0] == "Baking bread"
    assert any("No space left" in remark for remark in base.remarks)


def test_the_index_of_our_own_documents_is_shared_and_old_ones_go(tmp_path: Path) -> None:
    from knowledge.index.files import KEPT
    from knowledge.user_cache import user_cache

    documents = write_documents(tmp_path)
    for number in range(KEPT + 3):
        (documents / "bread.md").write_text(
            f"---\ntitle: B{number}\nkind: guide\n---\n## K\nBread.\n", encoding="utf-8"
        )
        base_in(tmp_path / str(number), documents).retrieve("bread")
        assert not (tmp_path / str(number) / "home").exists(), "nothing of one's own: nothing below the home"
    assert len(list((user_cache() / "knowledge").glob("*.snapshot"))) == KEPT


def test_a_retrieval_imports_no_chroma_and_the_agent_none_of_it(tmp_path: Path) -> None:
    heavy = "{'chromadb', 'onnxruntime', 'onnx', 'tokenizers', 'pypdf', 'trafilatura', 'torch'}"
    code = (
        "import sys, agent\n"
        "agent.create_agent(checkpointer=False)\n"
        f"assert not {heavy} & set(sys.modules), {heavy} & set(sys.modules)\n"
        "assert 'knowledge.base' not in sys.modules\n"
        "from pathlib import Path; from knowledge.base import KnowledgeBase\n"
        "base = KnowledgeBase(Path(sys.argv[1]), documents=Path(sys.argv[2]))\n"
        "assert base.retrieve('dough in the oven')[0].title == 'Baking bread'\n"
        "assert not {'chromadb', 'torch', 'pypdf', 'trafilatura'} & set(sys.modules)\n"
        "print('tokenizers' in sys.modules)\n"
    )
    base = base_in(tmp_path)
    base.refresh()
    command = [sys.executable, "-c", code, str(base.home), str(base.sources.documents)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_retriever_that_is_opened_later_is_opened_once(base: KnowledgeBase) -> None:
    opened: list[int] = []

    def opens() -> KnowledgeBase:
        opened.append(1)
        return base

    later = OpenedLater(opens)
    assert opened == []
    assert later.retrieve("dough in the oven", kinds=["guide"], limit=1)[0].title == "Baking bread"
    assert later.retrieve("dough", limit=1)
    assert opened == [1]
    assert later.remarks == []
