"""Several processes at one knowledge base: one changes it, the others wait or read what is there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from knowledge.added import AddedDocuments
from knowledge.base import KnowledgeBase
from knowledge.index.lock import owned
from knowledge.ingest.adding import add_files
from knowledge.problems import KnowledgeBusy
from tests.knowledge.bases import base_in, cache_with_model, needs_weights

pytestmark = needs_weights

ADD = """
import sys
from pathlib import Path
import knowledge.base
from knowledge.added import AddedDocuments
from knowledge.base import KnowledgeBase
from knowledge.ingest.adding import add_files
# That one gives up on a busy machine is not what is looked at here.
knowledge.base.COMMAND_WAIT_S = 600.0
home, documents, *files = map(Path, sys.argv[1:])
sys.stdin.read(1)
for file in files:
    add_files(AddedDocuments(home), [file])
    KnowledgeBase(home, documents=documents).store()
"""


def test_documents_added_by_several_processes_at_once_are_all_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache_with_model(tmp_path, monkeypatch)
    base = base_in(tmp_path)
    files = []
    for number in range(6):
        file = tmp_path / f"note{number}.txt"
        file.write_text(
            f"Port number {number} has {number + 2} cranes, and a cat called Nemo{number}.", encoding="utf-8"
        )
        files.append(file)
    command = [sys.executable, "-c", ADD, str(base.home), str(base.sources.documents)]
    running = [
        subprocess.Popen([*command, *map(str, files[at::3])], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        for at in range(3)
    ]
    for process in running:
        assert process.stdin is not None
        process.stdin.write(b"g")
        process.stdin.close()
    for process in running:
        assert process.stderr is not None
        told = process.stderr.read().decode()
        assert process.wait(600) == 0, told
    snapshot = KnowledgeBase(base.home, documents=base.sources.documents).refresh()
    assert sum(one.origin == "added" for one in snapshot.documents) == 6
    assert not len(snapshot.missing)
    assert set(base.chroma.vectors(snapshot.embedder)) == {digest.tobytes() for digest in snapshot.digests}


def test_a_reader_in_another_process_sees_what_was_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache_with_model(tmp_path, monkeypatch)
    base = base_in(tmp_path)
    ask = (
        "import sys, json; from pathlib import Path; from knowledge.base import KnowledgeBase\n"
        "base = KnowledgeBase(Path(sys.argv[1]), documents=Path(sys.argv[2]))\n"
        "for line in sys.stdin:\n"
        "    print(json.dumps([p.source for p in base.retrieve(line)]), flush=True)\n"
    )
    command = [sys.executable, "-c", ask, str(base.home), str(base.sources.documents)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdin is not None
        assert reader.stdout is not None

        def asked() -> list[str]:
            reader.stdin.write("a parrot that swears in Portuguese\n")
            reader.stdin.flush()
            found: list[str] = json.loads(reader.stdout.readline())
            return found

        assert "parrot.txt" not in asked(), "the control"
        file = tmp_path / "parrot.txt"
        file.write_text("The parrot of the captain swears in Portuguese.", encoding="utf-8")
        add_files(AddedDocuments(base.home), [file])
        assert asked()[0] == "parrot.txt", "new sources are found before the next answer, also without a rebuild"
        reader.stdin.close()


def test_while_another_owns_the_index_a_turn_answers_and_a_command_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache_with_model(tmp_path, monkeypatch)
    monkeypatch.setattr("knowledge.base.COMMAND_WAIT_S", 0.1)
    base = base_in(tmp_path)
    base.refresh()
    file = tmp_path / "parrot.txt"
    file.write_text("The parrot of the captain swears in Portuguese.", encoding="utf-8")
    add_files(AddedDocuments(base.home), [file])
    with owned(base.home / "index" / "index.lock", wait_s=0) as mine:
        assert mine
        other = KnowledgeBase(base.home, documents=base.sources.documents)
        assert other.retrieve("who swears in Portuguese")[0].source == "parrot.txt"
        with pytest.raises(KnowledgeBusy):
            other.refresh()
        with pytest.raises(KnowledgeBusy):
            other.rebuild()
    assert len(KnowledgeBase(base.home, documents=base.sources.documents).refresh()) == 6


def test_two_holders_of_one_lock_exclude_each_other(tmp_path: Path) -> None:
    with owned(tmp_path / "a" / "lock", wait_s=0) as first, owned(tmp_path / "a" / "lock", wait_s=0.05) as second:
        assert (first, second) == (True, False)
    with owned(tmp_path / "a" / "lock", wait_s=0) as again:
        assert again
