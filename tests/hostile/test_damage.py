"""What the studio keeps, cut short or with bits flipped: found, or harmless; never believed.

Of each kind of file 100 damages with `STUDIO_FULL=1`, else a share. The twins read without holding what they read
against its hash, and believe some.
"""

from __future__ import annotations

import os
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from agent.shelf import Shelf, Version
from tests.agent.boards import beach
from tests.agent.test_checkpoints import CONFIG, say, talk
from tests.tools.runtime.storage.test_store import KEY, put
from tools.errors import InvalidInput, StorageFailed
from tools.runtime.jobs.records import replay
from tools.runtime.storage.manifest import AttemptRecord
from tools.runtime.storage.production import Production
from tools.runtime.storage.store import ArtifactStore

FULL = bool(os.environ.get("STUDIO_FULL"))
FOUND = "it was damaged"


@dataclass(frozen=True)
class Kept:
    """One kind of file.

    Attributes:
        make: puts it into a folder, and returns its path.
        look: what the studio sees of it afterwards, or `FOUND`.
        times: damages tried by default.
    """

    make: Callable[[Path], Path]
    look: Callable[[Path], Any]
    times: int = 25


# -- what is kept --------------------------------------------------------------------------------------------------


def make_record(folder: Path) -> Path:
    return put(ArtifactStore(folder / "artifacts")).path / "artifact.json"


def make_content(folder: Path) -> Path:
    return put(ArtifactStore(folder / "artifacts")).file("masks/luca.png")


def look_at_artifact(folder: Path) -> Any:
    artifact = ArtifactStore(folder / "artifacts").get(KEY)
    if artifact is None:
        return FOUND
    return artifact.record, {name: artifact.file(name).read_bytes() for name in artifact.record.files}


def make_manifest(folder: Path) -> Path:
    production = Production.claim(folder, "beach", "r")
    manifest = production.manifest()
    attempt = AttemptRecord.of("film", put(production.store))
    attempt.score, attempt.passed = 0.81, True
    manifest.record(attempt)
    manifest.request = ["a beach with Luca"]
    manifest.exports["film.mp4"] = (KEY, "text.txt")
    production.save_manifest(manifest)
    return production.manifest_path


def look_at_manifest(folder: Path) -> Any:
    manifest = Production.open(folder, "beach").manifest()
    return FOUND if manifest.rebuilt else manifest


def make_version(folder: Path) -> Path:
    shelf = Shelf(folder / "shelf")
    return folder / "shelf" / f"{shelf.put(Version(storyboard=beach(), production='beach', outputs=['video']))}.json"


def look_at_version(folder: Path) -> Any:
    (name,) = (path.stem for path in (folder / "shelf").glob("*.json"))
    try:
        return Shelf(folder / "shelf").get(name)
    except InvalidInput:
        return FOUND


def make_journal(folder: Path) -> Path:
    from tests.tools.runtime.jobs.test_records import GRAPH, lines

    path = folder / "beach.journal"
    done: list[list[Any]] = [["state", "running", "", {}], ["ok", 0, "a" * 40], ["run", 1], ["ok", 1, "b" * 40]]
    path.write_bytes(lines(*GRAPH, *done))
    return path


def look_at_journal(folder: Path) -> Any:
    """A line that is lost at the end is as if the studio had been stopped before it: what it says is made again."""
    history = replay((folder / "beach.journal").read_bytes(), "beach")
    if history.damaged or history.lost or not history.job_id:
        return FOUND
    whole = replay((folder / "beach.whole").read_bytes(), "beach")
    earlier = history.calls == whole.calls and history.committed.items() <= whole.committed.items()
    return "as it was or earlier" if earlier or not history.graph else history.committed


def make_conversations(folder: Path) -> Path:
    agent = talk(folder)
    say(agent, "make a beach scene with Luca")
    say(agent, "make it night")
    agent.checkpointer.close()  # type: ignore[union-attr]
    return folder / ".studio" / "threads.sqlite"


def look_at_conversations(folder: Path) -> Any:
    agent = talk(folder)
    try:
        return told(agent.get_state(CONFIG).values)
    except StorageFailed:
        return FOUND
    finally:
        agent.checkpointer.close()  # type: ignore[union-attr]


def go_on_with_conversations(folder: Path) -> Any:
    agent = talk(folder)
    try:
        return told(say(agent, "add Alberto"))
    except StorageFailed:
        return FOUND
    finally:
        agent.checkpointer.close()  # type: ignore[union-attr]


def told(state: dict[str, Any]) -> Any:
    return state.get("storyboard"), [one.text for one in state.get("messages", [])]


KEPT = {
    "record of an artifact": Kept(make_record, look_at_artifact),
    "file of an artifact": Kept(make_content, look_at_artifact),
    "manifest": Kept(make_manifest, look_at_manifest),
    "earlier storyboard": Kept(make_version, look_at_version),
    "journal": Kept(make_journal, look_at_journal),
    "conversations, looked at": Kept(make_conversations, look_at_conversations),
    "conversations, gone on with": Kept(make_conversations, go_on_with_conversations, times=2),
}


# -- what befalls it -----------------------------------------------------------------------------------------------


def damages(data: bytes, count: int, seed: int = 20261121) -> Iterator[bytes]:
    """So many damaged copies: every fourth cut short, every eighth with a lost sector, a flipped bit in the others."""
    dice = random.Random(seed)
    for number in range(count):
        at = dice.randrange(len(data))
        if number % 4 == 1:
            yield data[:at]
        elif number % 8 == 3:
            lost = at - at % 512
            yield data[:lost] + bytes(len(data[lost : lost + 512])) + data[lost + 512 :]
        else:
            yield data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1 :]


def outcomes(folder: Path, kept: Kept, count: int) -> tuple[Counter[str], list[int]]:
    """What came of so many damages, and the numbers of those that were believed."""
    base = folder / "whole"
    base.mkdir()
    path = kept.make(base)
    data = path.read_bytes()
    shutil.copyfile(path, path.with_suffix(".whole"))
    seen: Counter[str] = Counter()
    believed = []
    expected = look_at_copy(base, kept, path, data)
    assert expected != FOUND, "the control: it is whole"
    for number, hurt in enumerate(damages(data, count)):
        found = look_at_copy(base, kept, path, hurt)
        kind = "found" if found == FOUND else "harmless" if found == expected else "believed"
        believed += [number] if kind == "believed" else []
        seen[kind] += 1
    return seen, believed


def look_at_copy(base: Path, kept: Kept, path: Path, data: bytes) -> Any:
    copy = base.with_name("copy")
    shutil.copytree(base, copy)
    (copy / path.relative_to(base)).write_bytes(data)
    found = kept.look(copy)
    shutil.rmtree(copy)
    return found


@pytest.mark.parametrize("name", KEPT)
def test_what_is_damaged_is_found_or_harmless(name: str, tmp_path: Path) -> None:
    count = 100 if FULL else KEPT[name].times
    seen, believed = outcomes(tmp_path, KEPT[name], count)
    print(f"{name}: {count} damages, {dict(seen)}")
    assert believed == []
    assert seen["found"] >= count // 8, "the control: there was something to find"


# -- broken twins --------------------------------------------------------------------------------------------------


def believed_without(name: str, tmp_path: Path) -> int:
    return len(outcomes(tmp_path, KEPT[name], 60)[1])


@pytest.mark.parametrize("name", ["record of an artifact", "manifest"])
def test_without_its_seal_a_record_is_believed(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.runtime.storage.store.sealed", lambda record: record)
    monkeypatch.setattr("tools.runtime.storage.manifest.sealed", lambda record: record)
    assert believed_without(name, tmp_path) >= 1


def test_without_its_name_an_earlier_storyboard_is_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.shelf._name_of", lambda _data: "0" * 24)
    assert believed_without("earlier storyboard", tmp_path) >= 1


def test_without_its_seals_a_conversation_is_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One letter of a word that stands in every step: its place in the file is no matter of chance."""
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    path = make_conversations(whole)
    shutil.copytree(whole, torn)
    (torn / path.relative_to(whole)).write_bytes(path.read_bytes().replace(b"beach", b"peach"))
    assert look_at_conversations(torn) == FOUND
    monkeypatch.setattr("agent.checkpoints._SealedSerializer.loads_typed", unsealed)
    assert look_at_conversations(torn) not in (FOUND, look_at_conversations(whole))


def unsealed(serializer: Any, data: tuple[str, bytes]) -> Any:
    """Takes what stands there."""
    return JsonPlusSerializer.loads_typed(serializer, (data[0].partition(":")[0], data[1]))
