from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools.artifact import RECORD_NAME, Artifact
from tools.errors import BadOutput, CorruptArtifact, StorageFailed
from tools.runtime.storage.store import ArtifactStore, Provenance

KEY = "ab" * 20


def provenance(key: str = KEY, **args: str) -> Provenance:
    return Provenance(key=key, tool="tiny", engine="scribe", version="1", args=dict(args), seed=0)


def put(store: ArtifactStore, key: str = KEY, files: dict[str, bytes] | None = None) -> Artifact:
    temp = store.begin(key)
    for name, data in (files or {"text.txt": b"hello", "masks/luca.png": b"\x89PNG" * 50}).items():
        (temp / name).parent.mkdir(parents=True, exist_ok=True)
        (temp / name).write_bytes(data)
    return store.commit(temp, provenance(key), {"file": "text.txt"}, 0.5)


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "artifacts")


def leftovers(store: ArtifactStore) -> list[Path]:
    return [path for path in (store.root / ".tmp").rglob("*") if path.is_file() and path.suffix != ".alive"]


def test_what_is_put_in_comes_out(store: ArtifactStore) -> None:
    assert store.get(KEY) is None
    made = put(store)
    found = store.get(KEY)
    assert found is not None
    assert found.path == store.root / "ab" / KEY
    assert found.record == made.record
    assert set(found.record.files) == {"text.txt", "masks/luca.png"}
    assert found.file("masks/luca.png").read_bytes() == b"\x89PNG" * 50
    assert store.verify(KEY).digest == made.digest
    assert list(store) == [KEY]
    assert not leftovers(store)


def test_the_digest_is_of_the_content_alone(store: ArtifactStore) -> None:
    one, same, other = (put(store, k * 20, {"a": data}) for k, data in (("aa", b"x"), ("bb", b"x"), ("cc", b"y")))
    assert one.digest == same.digest != other.digest


def test_a_key_that_is_none_never_becomes_a_path(store: ArtifactStore) -> None:
    for key in ("", "../../etc/passwd", "AB" * 20, "ab" * 19, "ab/" * 13 + "a", "ab" * 20 + "\n"):
        with pytest.raises(CorruptArtifact):
            store.path(key)


@pytest.mark.parametrize("seed", range(60))
def test_whatever_is_damaged_is_set_aside_and_made_again(store: ArtifactStore, seed: int) -> None:
    """Truncated, lengthened, flipped, removed: a file or the record."""
    artifact = put(store)
    rng = random.Random(seed)
    victim = rng.choice([RECORD_NAME, "text.txt", "masks/luca.png"])
    path = artifact.path / victim
    data = bytearray(path.read_bytes())
    damage = ["cut", "grow", "flip", "remove", "empty"][seed % 5]
    if damage == "remove":
        path.unlink()
    else:
        if damage == "flip":
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        new = {"cut": data[: rng.randrange(len(data))], "grow": data + b"x", "flip": data, "empty": b""}[damage]
        path.write_bytes(bytes(new))
    try:
        store.verify(KEY)
        whole = True
    except CorruptArtifact:
        whole = False
    if whole:
        # A flip in a part of the record that says nothing about the content, as its `seconds`: harmless.
        assert victim == RECORD_NAME
        assert damage in ("flip", "grow")
    else:
        assert store.get(KEY) is None
        assert put(store).digest == artifact.digest
        assert store.verify(KEY).digest == artifact.digest
        assert len(list((store.root / ".corrupt").iterdir())) == 1


def test_a_file_edited_in_place_is_noticed_even_at_the_same_size(store: ArtifactStore) -> None:
    artifact = put(store)
    artifact.file("text.txt").write_bytes(b"jello")
    assert store.get(KEY) is None


def test_an_old_flipped_bit_is_found_by_verify(store: ArtifactStore) -> None:
    """The disk's own decay leaves times as they are: the quick look does not see it, the full one does."""
    file = put(store).file("text.txt")
    times = file.stat()
    file.write_bytes(b"jello")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert store.get(KEY) is not None, "the control: the quick look is quick"
    with pytest.raises(CorruptArtifact, match=r"text\.txt"):
        store.verify(KEY)
    assert store.get(KEY) is None


@pytest.mark.parametrize("name", ["../outside.txt", "/etc/passwd", "a/../../b", "a\\..\\b"])
def test_a_record_cannot_point_outside_its_folder(store: ArtifactStore, name: str) -> None:
    artifact = put(store, files={"text.txt": b"hello"})
    (store.root / "outside.txt").write_bytes(b"hello")
    record = artifact.path / RECORD_NAME
    record.write_text(record.read_text().replace('"text.txt": {', f'"{name}": {{'.replace("\\", "\\\\")))
    assert store.get(KEY) is None


def test_a_record_of_another_artifact_is_not_taken(store: ArtifactStore) -> None:
    put(store)
    (store.root / "cd").mkdir()
    (store.root / "ab" / KEY).rename(store.root / "cd" / ("cd" * 20))
    assert store.get("cd" * 20) is None


def test_links_and_a_forged_record_are_refused(store: ArtifactStore) -> None:
    for forge in (
        lambda temp: (temp / "x").symlink_to("/etc/passwd"),
        lambda temp: (temp / "x").symlink_to("/etc", target_is_directory=True),
        lambda temp: (temp / RECORD_NAME).write_text("{}"),
        lambda temp: os.mkfifo(temp / "pipe"),
    ):
        temp = store.begin(KEY)
        forge(temp)
        with pytest.raises(BadOutput):
            store.commit(temp, provenance(), {}, 0.0)
        assert store.get(KEY) is None
        assert not temp.exists()


def test_the_slower_of_two_takes_the_result_of_the_faster(store: ArtifactStore) -> None:
    other = ArtifactStore(store.root)
    one, two = store.begin(KEY), other.begin(KEY)
    (one / "text.txt").write_bytes(b"first")
    (two / "text.txt").write_bytes(b"second")
    first = store.commit(one, provenance(), {}, 0.0)
    second = other.commit(two, provenance(), {}, 0.0)
    assert second.digest == first.digest
    assert second.file("text.txt").read_bytes() == b"first"
    assert not two.exists()


def test_a_corrupt_one_in_the_way_is_replaced(store: ArtifactStore) -> None:
    temp = store.begin(KEY)
    (temp / "text.txt").write_bytes(b"new")
    broken = store.root / "ab" / KEY
    broken.mkdir(parents=True)
    (broken / RECORD_NAME).write_text("torn")
    assert store.commit(temp, provenance(), {}, 0.0).file("text.txt").read_bytes() == b"new"
    assert store.verify(KEY)


def test_work_of_the_dead_is_swept_and_work_of_the_living_is_not(store: ArtifactStore) -> None:
    mine = store.begin(KEY)
    code = (
        "import sys, time; from pathlib import Path; from tools.runtime.storage.store import ArtifactStore\n"
        "print(ArtifactStore(Path(sys.argv[1])).begin('cd' * 20), flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(store.root)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        theirs = Path(process.stdout.readline().strip())
        assert theirs.is_dir()
        assert store.sweep() == 0
        assert theirs.is_dir(), "its process lives"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert store.sweep() == 1
    assert not theirs.exists()
    assert mine.is_dir()
    store.close()
    assert not mine.exists()
    assert list((store.root / ".tmp").iterdir()) == []


def test_too_many_open_files_says_so_and_spoils_nothing(store: ArtifactStore) -> None:
    """A real limit: that a whole artifact cannot be opened now must not make it count as corrupt."""
    put(store)
    code = (
        "import resource, sys, os; from pathlib import Path\n"
        "from tools.runtime.storage.store import ArtifactStore, Provenance; from tools.errors import StorageFailed\n"
        "store = ArtifactStore(Path(sys.argv[1])); key = 'ab' * 20\n"
        "assert store.get(key)\n"
        "hold = [os.open('/dev/null', os.O_RDONLY)]\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (hold[0] + 1, 4096))\n"
        "for act in (lambda: store.get(key), lambda: store.begin('cd' * 20)):\n"
        "    try: act(); print('nothing')\n"
        "    except StorageFailed as error: print(error)\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 4096))\n"
        "print(store.get(key) is not None)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(store.root)], capture_output=True, text=True, check=True)
    said = done.stdout.splitlines()
    assert all("Too many open files; raise the limit with `ulimit -n`." in line for line in said[:2])
    assert said[2] == "True"
    assert not (store.root / ".corrupt").exists()


@pytest.mark.skipif(os.geteuid() == 0 and not sys.platform.startswith("linux"), reason="root may write anywhere")
def test_a_folder_one_may_not_write_to_is_named(tmp_path: Path) -> None:
    """`/proc` refuses everybody, also root."""
    root = Path("/proc/artifacts") if sys.platform.startswith("linux") else tmp_path / "closed" / "x"
    if not sys.platform.startswith("linux"):
        (tmp_path / "closed").mkdir(mode=0o555)
    started = time.monotonic()
    with pytest.raises(StorageFailed, match="cannot write in"):
        ArtifactStore(root).begin(KEY)
    assert time.monotonic() - started < 5
