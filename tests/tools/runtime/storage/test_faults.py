"""A fault at the Nth operation of the disk, for every N; a power cut before every N forgets what was not synced."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tools.runtime.faults import FAULTS, Disk, PowerCut
from tests.tools.runtime.job import NaiveStore, NoParentSyncStore, NoSyncStore, TornStore
from tools.artifact import Artifact
from tools.errors import CorruptArtifact, StorageFailed
from tools.runtime.storage.disk import storage_errors
from tools.runtime.storage.manifest import AttemptRecord
from tools.runtime.storage.production import Production
from tools.runtime.storage.store import ArtifactStore, Provenance
from tools.runtime.workers.failures import as_tool_error

KEY = "ab" * 20

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs Linux's /proc to follow handles")


def provenance() -> Provenance:
    return Provenance(key=KEY, tool="tiny", engine="scribe", version="1", args={}, seed=0)


def make(store: ArtifactStore) -> Artifact:
    """One artifact, as the executor makes it: in the store already, or begun, written and committed."""
    with store.lock(KEY):
        found = store.get(KEY)
        if found is not None:
            return found
        temp = store.begin(KEY)
        try:
            with storage_errors("the engine"):
                with (temp / "text.txt").open("wb") as stream:
                    stream.write(b"hello " * 100)
                (temp / "masks").mkdir()
                with (temp / "masks" / "luca.png").open("wb") as stream:
                    stream.write(b"\x89PNG" * 50)
            return store.commit(temp, provenance(), {"file": "text.txt"}, 0.1)
        except BaseException:
            store.discard(temp)
            raise


def scenario(root: Path, kind: type[ArtifactStore]) -> None:
    """A whole production with one artifact, its export and its manifest."""
    production = Production.claim(root, "beach", "request")
    production.store = kind(production.path / "artifacts")
    try:
        with production.lock():
            artifact = make(production.store)
            production.export(artifact, "text.txt", "film.txt")
            manifest = production.manifest()
            manifest.record(AttemptRecord.of("film", artifact))
            production.save_manifest(manifest)
    finally:
        production.store.close()


def operations(root: Path, kind: type[ArtifactStore] = ArtifactStore) -> int:
    with Disk(root).installed() as disk:
        scenario(root, kind)
    return disk.count


def whole_or_absent(root: Path) -> bool:
    """Whether the artifact is there; what is there must be whole, the manifest and the export too."""
    folder = root / "beach"
    if not folder.is_dir():
        return False
    if (folder / "manifest.json").exists():
        json.loads((folder / "manifest.json").read_bytes())
    if (folder / "film.txt").exists():
        assert (folder / "film.txt").read_bytes() == b"hello " * 100
    store = ArtifactStore(folder / "artifacts")
    try:
        store.verify(KEY)
    except CorruptArtifact:
        aside = store.root / ".corrupt"
        assert not aside.exists(), f"something torn stood under a final name: {list(aside.iterdir())}"
        return False
    return True


def refusal(act: Callable[[], None]) -> StorageFailed | None:
    try:
        act()
    except StorageFailed as error:
        return error
    return None


@pytest.mark.parametrize("lasting", [False, True])
@pytest.mark.parametrize("fault", list(FAULTS))
def test_a_fault_at_any_operation_is_named_and_harms_nothing(tmp_path: Path, fault: str, lasting: bool) -> None:
    count = operations(tmp_path / "count")
    assert count > 25, "the control: the operations are really seen"
    named = 0
    for number in range(1, count + 1):
        root = tmp_path / f"n{number}"
        with Disk(root, number, FAULTS[fault], lasting).installed():
            caught = refusal(lambda root=root: scenario(root, ArtifactStore))
        if caught is not None:
            named += 1
            assert caught.__cause__ is not None
            assert "\n" not in str(caught)
            assert caught.hint or fault == "EIO"
        whole_or_absent(root)
        left = [path for path in root.rglob("*") if path.is_file() and ".tmp" in path.parts]
        assert [path for path in left if path.suffix != ".alive"] == [], number
        with Disk(root).installed():
            scenario(root, ArtifactStore)
        assert whole_or_absent(root)
        assert (root / "beach" / "film.txt").exists()
    assert named > count * 0.8


def power_cuts(tmp_path: Path, kind: type[ArtifactStore]) -> None:
    """For every operation: the power goes just before it, what was not durable is lost, the same command runs again."""
    count = operations(tmp_path / "count", kind)
    for number in range(1, count + 2):
        for seed in range(3):
            root = tmp_path / f"n{number}s{seed}"
            disk = Disk(root, number)
            ended = False
            with disk.installed():
                try:
                    scenario(root, kind)
                    ended = True
                except PowerCut:
                    pass
            disk.lose(random.Random(seed))
            present = whole_or_absent(root)
            assert present or not ended, "told as finished, and lost"
            with Disk(root).installed():
                scenario(root, kind)
            assert whole_or_absent(root)
            shutil.rmtree(root)


def test_the_power_may_go_at_any_moment(tmp_path: Path) -> None:
    power_cuts(tmp_path, ArtifactStore)


@pytest.mark.parametrize("kind", [NaiveStore, NoSyncStore, NoParentSyncStore, TornStore])
def test_the_broken_twins_do_not_survive_it(tmp_path: Path, kind: type[ArtifactStore]) -> None:
    with pytest.raises(AssertionError):
        power_cuts(tmp_path, kind)


def test_a_full_disk_in_the_worker_is_named_too() -> None:
    for name, number in FAULTS.items():
        error = as_tool_error(OSError(number, "x"), {"do": "run", "name": "tiny/scribe"})
        assert isinstance(error, StorageFailed), name
