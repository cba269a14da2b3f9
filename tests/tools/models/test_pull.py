"""Pulling from a server that answers as the Hub does: listed files only, verified, resumed, refused where they lie."""

from __future__ import annotations

import hashlib
import json
import pickle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from configs.models import ModelEntry, ModelsFile
from evals.checkpoints.common import safetensors_bytes
from tests.tools.models.hostile import Bomb, pickles
from tests.tools.models.loopback_hub import COMMIT, TOKEN, LoopbackHub
from tools.errors import BadOutput, Cancelled, InvalidInput, MissingPrerequisite, ProductionBusy, StorageFailed
from tools.models import WrongFamily, transfer
from tools.models.hub import Hub, PullFailed
from tools.models.pull import plan_pull, pull
from tools.models.shelf import Shelf
from tools.runtime.storage.locks import FileLock

pytest.importorskip("huggingface_hub", reason="pulling needs huggingface_hub, of the `models` extra")

WEIGHTS = safetensors_bytes({"layers.weight": (1000, 200)})
FILES = {
    "config.json": b'{"model_type": "tiny"}',
    "unet/model.safetensors": WEIGHTS,
    "tokenizer/vocab.json": b'{"a": 0}',
    "tokenizer/merges.txt": b"#version: 0.2\n",
    "pytorch_model.bin": pickle.dumps({"a": 1}),
    "modeling.py": b"raise SystemExit",
    "README.md": b"# tiny",
}
LISTED = ("config.json", "unet/*.safetensors", "tokenizer/*")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(transfer, "PAUSE_S", 0.001)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def entry(**changes: Any) -> ModelEntry:
    given = {"about": "tiny", "repo": "studio/tiny", "files": LISTED, "licence": "MIT", **changes}
    return ModelEntry.model_validate(given)


def shelf(tmp_path: Path, **models: ModelEntry) -> Shelf:
    return Shelf(tmp_path / "models", ModelsFile(models=models or {"tiny": entry()}))


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_listed_files_come_and_no_others(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    with LoopbackHub(FILES) as server:
        home = shelf(tmp_path)
        record = pull("tiny", entry(), home, Hub(server.endpoint), lambda _, done, total: told.append((done, total)))
        assert not server.strange
    wanted = {"config.json", "unet/model.safetensors", "tokenizer/vocab.json", "tokenizer/merges.txt"}
    assert files_in(tmp_path / "models" / "tiny") == wanted == set(record.files)
    assert (tmp_path / "models/tiny/unet/model.safetensors").read_bytes() == WEIGHTS
    assert record.revision == COMMIT
    assert record.files["unet/model.safetensors"].sha256 == hashlib.sha256(WEIGHTS).hexdigest()
    assert [done for done, _ in told] == sorted(done for done, _ in told), "progress never goes back"
    assert told[-1][0] == told[-1][1] == sum(len(FILES[name]) for name in wanted)
    assert home.source_of("tiny") == str(tmp_path / "models/tiny")
    assert home.check("tiny", full=True).ok


def test_a_second_pull_asks_for_nothing_and_heals_what_was_changed(tmp_path: Path) -> None:
    with LoopbackHub(FILES) as server:
        home, hub = shelf(tmp_path), Hub(server.endpoint)
        pull("tiny", entry(), home, hub)
        server.asked.clear()
        pull("tiny", entry(), home, hub)
        assert server.downloads() == []
        path = tmp_path / "models/tiny/unet/model.safetensors"
        path.write_bytes(WEIGHTS[:-1] + b"\x01")
        pull("tiny", entry(), home, hub)
        assert len(server.downloads()) == 1
        assert path.read_bytes() == WEIGHTS


def test_one_file_is_a_source_of_its_own(tmp_path: Path) -> None:
    one = entry(files=["unet/model.safetensors"])
    with LoopbackHub(FILES) as server:
        home = shelf(tmp_path, tiny=one)
        pull("tiny", one, home, Hub(server.endpoint))
    assert home.source_of("tiny") == str(tmp_path / "models/tiny/unet/model.safetensors")
    assert home.placed().models["tiny"].source == home.source_of("tiny")


def test_a_download_that_is_cut_off_goes_on_where_it_was(tmp_path: Path) -> None:
    with LoopbackHub(FILES, cuts=[100_000, 100_000]) as server:
        one = entry(files=["unet/model.safetensors"])
        pull("tiny", one, shelf(tmp_path, tiny=one), Hub(server.endpoint))
        ranges = [line.partition(" bytes=")[2] for line in server.downloads()]
    assert ranges == ["", "100000-", "200000-"]


def test_a_pull_that_was_given_up_goes_on_in_another_process(tmp_path: Path) -> None:
    one = entry(files=["unet/model.safetensors"])
    home = shelf(tmp_path, tiny=one)
    with LoopbackHub(FILES, cuts=[150_000, *[0] * 20]) as server:
        with pytest.raises(PullFailed, match="goes on from here"):
            pull("tiny", one, home, Hub(server.endpoint))
        assert home.record("tiny") is None
        server.cuts.clear()
        server.asked.clear()
        pull("tiny", one, shelf(tmp_path, tiny=one), Hub(server.endpoint))
        assert [line.partition(" bytes=")[2] for line in server.downloads()] == ["150000-"]
    assert home.check("tiny", full=True).ok


def test_a_person_stops_it_and_it_goes_on(tmp_path: Path) -> None:
    big = {"w.safetensors": safetensors_bytes({"a": (4_000_000,)})}
    one = entry(files=["w.safetensors"])
    home = shelf(tmp_path, tiny=one)
    seen: list[int] = []
    with LoopbackHub(big) as server:
        with pytest.raises(Cancelled):
            pull("tiny", one, home, Hub(server.endpoint), lambda _f, done, _t: seen.append(done), lambda: len(seen) > 1)
        pull("tiny", one, home, Hub(server.endpoint))
        assert int(server.downloads()[-1].partition(" bytes=")[2].rstrip("-")) > 0
    assert home.check("tiny", full=True).ok


def test_a_server_without_ranges_sends_all_again(tmp_path: Path) -> None:
    one = entry(files=["unet/model.safetensors"])
    with LoopbackHub(FILES, cuts=[100_000], no_ranges=True) as server:
        pull("tiny", one, shelf(tmp_path, tiny=one), Hub(server.endpoint))
    assert (tmp_path / "models/tiny/unet/model.safetensors").read_bytes() == WEIGHTS


def test_a_server_that_is_busy_is_asked_again(tmp_path: Path) -> None:
    with LoopbackHub(FILES, busy=2) as server:
        pull("tiny", entry(), shelf(tmp_path), Hub(server.endpoint))
        assert len(server.downloads()) == 4 + 2


@pytest.mark.parametrize("what", ["another content", "too short", "too long", "announced wrongly"])
def test_what_is_not_what_was_announced_is_not_kept(tmp_path: Path, what: str) -> None:
    name = "unet/model.safetensors"
    other = {"another content": WEIGHTS[:-1] + b"\x07", "too short": WEIGHTS[:-9], "too long": WEIGHTS + b"x"}
    lies = {name: "0" * 64} if what == "announced wrongly" else {}
    home = shelf(tmp_path)
    with (
        LoopbackHub(FILES, sends={name: other[what]} if what in other else {}, lies=lies) as server,
        pytest.raises((BadOutput, PullFailed)),
    ):
        pull("tiny", entry(), home, Hub(server.endpoint))
    assert home.record("tiny") is None
    assert name not in files_in(tmp_path / "models" / "tiny")


@pytest.mark.parametrize("way", ["protocol 4", "torch zip", "by hand"])
def test_a_pickle_that_is_called_safetensors_is_not_kept(tmp_path: Path, way: str) -> None:
    mark = tmp_path / "it ran"
    home = shelf(tmp_path)
    with (
        LoopbackHub({**FILES, "unet/model.safetensors": pickles(mark)[way]}) as server,
        pytest.raises(BadOutput, match="pickle"),
    ):
        pull("tiny", entry(), home, Hub(server.endpoint))
    assert not mark.exists()
    assert home.record("tiny") is None
    assert not (tmp_path / "models" / "tiny").exists()


def test_a_folder_that_wants_its_own_code_run_is_not_kept(tmp_path: Path) -> None:
    config = json.dumps({"auto_map": {"AutoModel": "modeling.Evil"}}).encode()
    with LoopbackHub({**FILES, "config.json": config}) as server, pytest.raises(BadOutput, match="auto_map"):
        pull("tiny", entry(), shelf(tmp_path), Hub(server.endpoint))


def test_a_wrong_family_is_told(tmp_path: Path) -> None:
    with LoopbackHub(FILES) as server, pytest.raises(WrongFamily, match="expected was an SDXL"):
        pull("tiny", entry(family="sdxl"), shelf(tmp_path), Hub(server.endpoint))


def test_a_gated_repository_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with LoopbackHub(FILES, gated=True) as server:
        with pytest.raises(MissingPrerequisite, match=r"licence accepted.*hf auth login"):
            pull("tiny", entry(), shelf(tmp_path), Hub(server.endpoint))
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        assert pull("tiny", entry(), shelf(tmp_path), Hub(server.endpoint)).files


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"repo": "studio/none"}, "no such repository"),
        ({"revision": "f" * 40}, "no revision"),
        ({"files": ["config.json", "model.safetensors"]}, "no file 'model.safetensors'"),
        ({"files": ["config.json"]}, "no safetensors or GGUF"),
        ({"by_hand": "ask its authors"}, "ask its authors"),
    ],
)
def test_what_is_wrong_in_the_entry_is_told(tmp_path: Path, changes: dict[str, Any], told: str) -> None:
    with LoopbackHub(FILES) as server:
        with pytest.raises(InvalidInput, match=told):
            pull("tiny", entry(**changes), shelf(tmp_path), Hub(server.endpoint))
        assert server.downloads() == []


@pytest.mark.parametrize("name", ["../../evil.safetensors", "/etc/evil.safetensors", "a/../../b.safetensors", "..\\e"])
def test_a_repository_that_names_files_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with LoopbackHub({**FILES, name: WEIGHTS}) as server:
        with pytest.raises(InvalidInput, match="names the file"):
            pull("tiny", entry(files=["*"]), shelf(tmp_path), Hub(server.endpoint))
        assert server.downloads() == []


def test_a_full_disk_is_seen_before_anything_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1000))
    with LoopbackHub(FILES) as server:
        with pytest.raises(StorageFailed, match=r"needs 0.0 GB more.*STUDIO_MODELS_FOLDER"):
            plan_pull("tiny", entry(), shelf(tmp_path), Hub(server.endpoint))
        assert server.downloads() == []


def test_nobody_answers(tmp_path: Path) -> None:
    with LoopbackHub(FILES) as server:
        endpoint = server.endpoint
    with pytest.raises(PullFailed, match="could not be reached"):
        pull("tiny", entry(), shelf(tmp_path), Hub(endpoint))


def test_two_pulls_of_one_model_do_not_mix(tmp_path: Path) -> None:
    home = shelf(tmp_path)
    home.folder.mkdir(parents=True)
    lock = FileLock(home.folder / ".tiny.lock")
    assert lock.try_acquire()
    with LoopbackHub(FILES) as server, pytest.raises(ProductionBusy, match="another process"):
        pull("tiny", entry(), home, Hub(server.endpoint))
    lock.release()


def test_an_unpinned_model_stays_at_the_commit_that_was_pulled(tmp_path: Path) -> None:
    with LoopbackHub(FILES) as server:
        home, hub = shelf(tmp_path), Hub(server.endpoint)
        pull("tiny", entry(), home, hub)
        server.asked.clear()
        pull("tiny", entry(), home, hub)
        assert f"/revision/{COMMIT}" in server.asked[0]


def test_the_bomb_would_have_gone_off(tmp_path: Path) -> None:
    mark = tmp_path / "it ran"
    pickle.loads(pickle.dumps(Bomb(mark)))
    assert mark.exists(), "the control"
