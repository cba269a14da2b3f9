from __future__ import annotations

import os
import random
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from tests.tools.runtime.storage.test_store import KEY, put
from tools.errors import InvalidInput, ProductionBusy, StorageFailed
from tools.runtime.storage.manifest import AttemptRecord, Manifest, library_versions
from tools.runtime.storage.production import Production


@pytest.fixture
def production(tmp_path: Path) -> Production:
    return Production.claim(tmp_path / "productions", "beach", "r1")


def test_the_same_request_gets_the_same_folder_another_its_own(tmp_path: Path) -> None:
    root = tmp_path / "productions"
    slugs = [Production.claim(root, "beach", request).slug for request in ("r1", "r2", "r1", "r3", "r2")]
    assert slugs == ["beach", "beach_2", "beach", "beach_3", "beach_2"]
    assert Production.open(root, "beach_2").request_id == "r2"
    assert not list(root.glob(".claim-*"))


def test_a_very_long_slug_still_gets_a_number(tmp_path: Path) -> None:
    names = [Production.claim(tmp_path, "x" * 64, f"r{i}").slug for i in range(3)]
    assert names[0] == "x" * 64
    assert names[1].endswith("_2")
    assert all(len(name) <= 64 for name in names)


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "beach").mkdir()
    (tmp_path / "beach" / "holiday.jpg").write_text("mine")
    (tmp_path / "harbour").mkdir()
    assert Production.claim(tmp_path, "beach", "r1").slug == "beach_2"
    assert Production.claim(tmp_path, "harbour", "r1").slug == "harbour", "an empty folder is taken"
    assert [path.name for path in (tmp_path / "beach").iterdir()] == ["holiday.jpg"]


def test_many_at_once_each_get_one_folder(tmp_path: Path) -> None:
    got: list[tuple[str, str]] = []

    def claim(request: str) -> None:
        got.append((request, Production.claim(tmp_path, "beach", request).slug))

    threads = [threading.Thread(target=claim, args=(f"r{index % 5}",)) for index in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 20
    assert len(set(got)) == 5
    assert len({slug for _, slug in got}) == 5


@pytest.mark.parametrize(
    "slug",
    [
        "",
        ".",
        "..",
        "../x",
        "a/b",
        "/etc",
        "a\\b",
        "A",
        "a b",
        "é",
        "-x",
        "_x",
        ".hidden",
        "x" * 65,
        "a\0",
        "a\n",
        "con:",
    ],
)
def test_a_name_that_is_no_slug_never_becomes_a_path(tmp_path: Path, slug: str) -> None:
    for make in (Production.open, lambda root, name: Production.claim(root, name, "r")):
        with pytest.raises(InvalidInput, match="cannot be the name of a production"):
            make(tmp_path, slug)
    assert list(tmp_path.iterdir()) == []


def test_links_that_lead_elsewhere_are_refused(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    root = tmp_path / "productions"
    root.mkdir()
    (root / "linked").symlink_to(outside, target_is_directory=True)
    for act in (lambda: Production.open(root, "linked"), lambda: Production.claim(root, "linked", "r")):
        with pytest.raises(InvalidInput, match="is a link"):
            act()
    production = Production.claim(root, "beach", "r")
    (production.path / "artifacts").symlink_to(outside, target_is_directory=True)
    with pytest.raises(InvalidInput, match="leads out of the production"):
        Production.open(root, "beach")
    (production.path / "artifacts").unlink()
    artifact = put(production.store)
    (production.path / "stills").symlink_to(outside, target_is_directory=True)
    with pytest.raises(InvalidInput, match="leads out of the production"):
        production.export(artifact, "text.txt", "stills/s1.txt")
    assert list(outside.iterdir()) == []


def test_a_link_in_the_place_of_an_export_is_replaced_not_followed(production: Production, tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("mine")
    (production.path / "film.txt").symlink_to(target)
    production.export(put(production.store), "text.txt", "film.txt")
    assert target.read_text() == "mine"
    assert not (production.path / "film.txt").is_symlink()


def test_a_folder_given_by_a_person(tmp_path: Path) -> None:
    folder = tmp_path / "My Film"
    assert Production.at(folder, "r1").path == folder
    assert Production.at(folder, "r1").request_id == "r1"
    with pytest.raises(InvalidInput, match="belongs to another production"):
        Production.at(folder, "r2")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_text("x")
    with pytest.raises(InvalidInput, match="holds other files"):
        Production.at(tmp_path / "photos", "r1")
    with pytest.raises(InvalidInput, match="is a file"):
        Production.at(tmp_path / "photos" / "a.jpg", "r1")
    with pytest.raises(InvalidInput, match="there is no production 'none'"):
        Production.open(tmp_path, "none")


def test_one_writer_at_a_time(production: Production) -> None:
    other = Production.open(production.path.parent, "beach")
    says = f"beach is being written by process {os.getpid()}"
    with production.lock(), pytest.raises(ProductionBusy, match=says), other.lock():
        pass
    with other.lock():
        pass
    assert not (production.path / ".lock").exists()


def test_a_long_session_holds_no_more_files_than_a_short_one(production: Production) -> None:
    def handles() -> int:
        return len(os.listdir("/dev/fd"))  # noqa: PTH208

    with production.lock():
        put(production.store)
    before = handles()
    for number in range(30):
        again = Production.open(production.path.parent, "beach")
        with again.lock():
            put(again.store, f"{number:040x}")
    # Fewer are fine: what an earlier test left to the garbage collector may be closed meanwhile.
    assert handles() <= before
    assert list((production.path / "artifacts" / ".tmp").iterdir()) == []


def test_exports_are_links_into_the_store_and_replaced_in_one_step(production: Production) -> None:
    one = put(production.store)
    path = production.export(one, "text.txt", "stills/s1.txt")
    assert path == production.path / "stills" / "s1.txt"
    assert path.samefile(one.file("text.txt"))
    assert production.export(one, "text.txt", "stills/s1.txt") == path
    two = put(production.store, "cd" * 20, {"text.txt": b"new"})
    production.export(two, "text.txt", "stills/s1.txt")
    assert path.read_bytes() == b"new"
    assert one.file("text.txt").read_bytes() == b"hello"
    assert [file.name for file in path.parent.iterdir()] == ["s1.txt"]


def test_where_links_are_impossible_exports_are_copies(production: Production, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_named: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    path = production.export(put(production.store), "text.txt", "film.txt")
    assert path.read_bytes() == b"hello"
    assert path.stat().st_nlink == 1
    assert sorted(file.name for file in production.path.iterdir()) == [".request", "artifacts", "film.txt"]


@pytest.mark.parametrize(
    "name",
    ["", "..", "../x", "/etc/x", "a/../../x", "artifacts/x", ".lock", "stills/.x", "a\0", "a\nb", "x" * 200, "a//../b"],
)
def test_an_export_stays_in_the_production(production: Production, name: str) -> None:
    artifact = put(production.store)
    with pytest.raises(InvalidInput, match="cannot be the name of a file"):
        production.export(artifact, "text.txt", name)


def test_names_of_people_are_fine(production: Production) -> None:
    artifact = put(production.store)
    for name in ("voices/s1 - Zoë (1).wav", "film.mp4", "stills/s1.png"):
        assert production.export(artifact, "text.txt", name).is_file()


def test_editing_an_export_in_place_is_noticed(production: Production) -> None:
    path = production.export(put(production.store), "text.txt", "film.txt")
    path.write_bytes(b"HELLO")
    assert production.store.get(KEY) is None


def test_the_manifest_keeps_every_attempt_and_marks_the_best(production: Production) -> None:
    artifact = put(production.store)
    manifest = production.manifest()
    assert manifest.request_id == "r1"
    first = AttemptRecord.of("s1.still", artifact, 1, library_versions(["numpy", "no-such-library"]))
    first.score, first.passed, first.checks = 0.4, False, [{"name": "sharpness"}]
    manifest.record(first)
    manifest.record(AttemptRecord.of("s1.still", artifact, 2))
    manifest.record(AttemptRecord.of("s1.still", artifact, 2))
    manifest.mark_best("s1.still", 2)
    manifest.exports["stills/s1.png"] = (artifact.key, "text.txt")
    production.save_manifest(manifest)
    again = production.manifest()
    assert again == manifest
    assert [(one.attempt, one.best) for one in again.of_call("s1.still")] == [(1, False), (2, True)]
    assert list(again.of_call("s1.still")[0].libraries) == ["numpy"]
    again.forget_others(["film"])
    assert again.attempts == []


@pytest.mark.parametrize("seed", range(12))
def test_a_torn_manifest_is_rebuilt_from_the_artifacts(production: Production, seed: int) -> None:
    artifact = put(production.store)
    manifest = production.manifest()
    manifest.record(AttemptRecord.of("film", artifact))
    production.save_manifest(manifest)
    rng = random.Random(seed)
    data = production.manifest_path.read_bytes()
    torn = [data[: rng.randrange(len(data) - 2)], b"", b"\xff" * 40, b"[]", b'{"format": "x"}'][seed % 5]
    production.manifest_path.write_bytes(torn)
    rebuilt = production.manifest()
    assert rebuilt.rebuilt
    assert [(one.call, one.key) for one in rebuilt.attempts] == [("", artifact.key)]
    rebuilt.record(AttemptRecord.of("film", artifact))
    assert [(one.call, one.key) for one in rebuilt.attempts] == [("film", artifact.key)]


def test_a_missing_manifest_is_an_empty_one(production: Production) -> None:
    assert production.manifest() == Manifest(request_id="r1")


def test_what_a_dead_writer_left_is_removed_by_the_next(production: Production) -> None:
    for name in (".manifest.json.4711.tmp", "stills/.s1.png.abcd.tmp", "artifacts/.x.tmp"):
        (production.path / name).parent.mkdir(exist_ok=True)
        (production.path / name).write_text("half")
    (production.path / "stills" / "mine.tmp").write_text("a person's")
    with production.lock():
        pass
    left = sorted(str(path.relative_to(production.path)) for path in production.path.rglob("*.tmp"))
    assert left == ["artifacts/.x.tmp", "stills/mine.tmp"]


def test_a_folder_of_any_name_is_made_and_found_again(tmp_path: Path) -> None:
    made = Production.at(tmp_path / "My Film, 2nd cut", "r1")
    assert Production.found(made.path).request_id == "r1"
    assert Production.found(tmp_path / "." / "My Film, 2nd cut").path == made.path
    with pytest.raises(InvalidInput, match="no production"):
        Production.found(tmp_path)
    with pytest.raises(StorageFailed, match="too long"):
        Production.at(tmp_path / ("x" * 300), "r1")
    with pytest.raises(InvalidInput, match="other files"):
        Production.at(Path("/"), "r1")


def test_an_empty_folder_is_taken_not_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    before = folder.stat().st_ino
    (folder / ".request.0123.tmp").write_text("of a claim that died")
    Production.at(folder, "r1")
    assert folder.stat().st_ino == before, "whoever stands in it would be left in a folder that is gone"
    with pytest.raises(InvalidInput, match="another production"):
        Production.at(folder, "r2")


def test_many_at_once_on_one_empty_folder_one_gets_it(tmp_path: Path) -> None:
    won: list[str] = []

    def take(request: str) -> None:
        with suppress(InvalidInput):
            won.append(Production.at(tmp_path / "here", request).request_id)

    (tmp_path / "here").mkdir()
    threads = [threading.Thread(target=take, args=(f"r{index}",)) for index in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert Production.found(tmp_path / "here").request_id == won[0]


def test_no_production_inside_another(production: Production) -> None:
    with pytest.raises(InvalidInput, match="lies inside the production"):
        Production.at(production.path / "stills" / "mine", "r2")
    assert not (production.path / "stills").exists()


def test_what_is_taken_down_is_only_what_was_put_there(production: Production) -> None:
    artifact = put(production.store)
    name = next(iter(artifact.record.files))
    for changed in (False, True):
        target = production.export(artifact, name, "stills/s1.png")
        if changed:
            target.unlink()
            target.write_text("retouched by hand")
        production.take_down(artifact, name, "stills/s1.png")
        assert target.exists() == changed
    with pytest.raises(InvalidInput):
        production.take_down(artifact, name, "../other/file")
