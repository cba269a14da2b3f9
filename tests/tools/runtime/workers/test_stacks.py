"""Environments of stacks: really made with pip, from wheels made on the spot; whole or not at all."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from configs.engines import ENGINES_YAML, load_engines
from tests.tools.runtime.workers.toy_stack import make_wheels, write_engines
from tools.errors import Cancelled, EngineFailed, InvalidInput, MissingPrerequisite, ProductionBusy, StorageFailed
from tools.registry import Registry
from tools.runtime.workers import stack_making
from tools.runtime.workers.pool import WorkerPool
from tools.runtime.workers.stack_making import check_stack, install_stack, remove_stack
from tools.runtime.workers.stacks import (
    BASE,
    StackRecord,
    environment_of,
    interpreter_of,
    record_in,
    search_path,
    state_of,
)

ROOT = Path(__file__).parents[4]
ALLOW = ("tests.", "tools.")
WHOLE = ("toy-torch==3.1", "toy-library==1.0")


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_wheels(tmp_path_factory.mktemp("wheels"))


@pytest.fixture
def offline(wheels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _offline(monkeypatch, wheels)


def _offline(patch: pytest.MonkeyPatch, wheels: Path) -> None:
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        patch.delenv(name)
    patch.setenv("PIP_NO_INDEX", "1")
    patch.setenv("PIP_FIND_LINKS", str(wheels))
    patch.setenv("PIP_CONFIG_FILE", os.devnull)


def studio(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    settings = {**os.environ, "STUDIO_MODELS_FOLDER": str(folder / "models"), "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", "agent", "stacks", *args],
        env=settings, cwd=folder, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


@pytest.mark.usefixtures("offline")
def test_a_stack_is_installed_by_the_command_and_a_worker_runs_in_it(tmp_path: Path) -> None:
    home, engines = tmp_path / "models", write_engines(tmp_path / "engines.yaml", *WHOLE)
    asked = ("--engines", str(engines))
    registry = Registry.load(engines, allow=ALLOW)
    spec = registry.engines("toy")[0]

    def say() -> dict[str, str]:
        message = {"do": "run", "engine": spec.path, "args": {"text": "hello"}, "out": str(tmp_path), "seed": 1}
        with (
            WorkerPool(1, registry.stacks, ALLOW, models_home=home) as pool,
            pool.lease(spec) as worker,
        ):
            output: dict[str, str] = worker.request({**message, "artifacts": {}}, 60.0)["output"]
            return output

    with pytest.raises(MissingPrerequisite, match="studio stacks install toy"):
        say()
    done = studio(tmp_path, "install", "toy", "--json", *asked)
    assert done.returncode == 0, done.stderr
    row = json.loads(done.stdout)
    assert row["state"] == "whole"
    assert row["installed"]["toy-library"] == "1.0"
    assert row["bytes"] > 1_000_000
    assert "Installing collected packages" in done.stderr
    assert say() == {"said": "toy says hello", "python": str(environment_of("toy", home).absolute())}

    again = studio(tmp_path, "install", "toy", *asked)
    assert "is here already" in again.stdout
    listed = {row["name"]: row for row in json.loads(studio(tmp_path, "list", "--json", *asked).stdout)}
    assert (listed["toy"]["state"], listed["core"]["state"]) == ("whole", "shared")
    assert listed["toy"]["engines"] == ["toy/toy"]
    assert studio(tmp_path, "check", "toy", *asked).returncode == 0

    # Something in it was changed by hand.
    site = next(environment_of("toy", home).glob("lib/python*/site-packages"))
    (site / "toy_torch-3.1.dist-info").rename(site / "toy_torch-3.2.dist-info")
    (site / "toy_torch-3.2.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-torch\nVersion: 3.2\n")
    spoiled = studio(tmp_path, "check", *asked)
    assert spoiled.returncode == 3
    assert "toy-torch is 3.2, and was 3.1" in spoiled.stdout

    # The studio was updated: what it was made for is no longer asked for.
    write_engines(engines, "toy-torch==3.1", "toy-library==2.0")
    registry = Registry.load(engines, allow=ALLOW)
    with pytest.raises(MissingPrerequisite, match="other versions"):
        say()
    assert studio(tmp_path, "install", "toy", *asked).returncode == 0
    assert say()["said"] == "two says hello"

    removed = studio(tmp_path, "remove", "toy", *asked)
    assert "toy is removed" in removed.stdout
    assert not environment_of("toy", home).exists()
    assert studio(tmp_path, "remove", "toy", *asked).returncode == 1


BAD = {
    "a stack that is none": (["install", "toyy"], "Did you mean 'toy'?"),
    "the studio's own": (["install", "core"], "nothing is to be installed"),
    "an interpreter that is none": (["install", "toy", "--python", "python9.9"], "no interpreter 'python9.9'"),
    "no interpreter at all": (["install", "toy", "--python", "/bin/ls"], "/bin/ls"),
    "one that is not here": (["remove", "toy"], "no environment of toy"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_one_line(tmp_path: Path, name: str) -> None:
    args, told = BAD[name]
    engines = write_engines(tmp_path / "engines.yaml", *WHOLE)
    done = studio(tmp_path, *args, "--engines", str(engines))
    assert done.returncode == 1
    assert told in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


# --- whole or not at all --------------------------------------------------------------------------------------------


def _toy(folder: Path, *requires: str) -> Any:
    stack = load_engines(write_engines(folder / "engines.yaml", *(requires or WHOLE))).stacks["toy"]
    return "toy", stack, folder / "models"


@pytest.fixture(scope="module")
def installed(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with the toy stack, made once; copied by those that change it."""
    folder = tmp_path_factory.mktemp("installed")
    with pytest.MonkeyPatch.context() as patch:
        _offline(patch, wheels)
        install_stack(*_toy(folder))
    return folder / "models"


@pytest.fixture
def whole(installed: Path, tmp_path: Path) -> Any:
    """The toy stack, whole, in a folder of this test."""
    toy = _toy(tmp_path)
    shutil.copytree(installed, toy[2], symlinks=True)
    return toy


@pytest.mark.usefixtures("offline")
def test_what_pip_cannot_install_leaves_what_was_there(tmp_path: Path, whole: Any) -> None:
    record = record_in(environment_of("toy", whole[2]))
    with pytest.raises(EngineFailed, match="no-such-distribution") as caught:
        install_stack(*_toy(tmp_path, "toy-broken==1.0"))
    assert str(whole[2] / ".stacks" / ".toy.log") in str(caught.value)
    assert state_of(*whole) == "whole"
    assert record_in(environment_of("toy", whole[2])) == record
    assert check_stack(*whole) == []
    assert interpreter_of(*whole)
    assert not list(whole[2].glob(".stacks/.toy.old"))


@pytest.mark.parametrize(("cuda", "names"), [("None", ["_torchaudio.so.aside"]), ("'13.0'", ["_torchaudio.so"])])
def test_a_compiled_part_for_cuda_is_set_aside_beside_a_torch_without(whole: Any, cuda: str, names: list[str]) -> None:
    site = next(environment_of("toy", whole[2]).glob("lib/python*/site-packages"))
    for file, text in {
        "torch/__init__.py": "from torch import version\n",
        "torch/version.py": f"cuda = {cuda}\nhip = None\n",
        "torchaudio/__init__.py": "",
        "torchaudio/lib/_torchaudio.so": "needs libc10_cuda.so",
    }.items():
        (site / file).parent.mkdir(parents=True, exist_ok=True)
        (site / file).write_text(text)
    stack_making._set_aside_cuda(environment_of("toy", whole[2]))
    assert [one.name for one in (site / "torchaudio" / "lib").iterdir()] == names


@pytest.mark.usefixtures("offline")
def test_a_stop_ends_pip_and_leaves_nothing(tmp_path: Path) -> None:
    told: list[str] = []
    with pytest.raises(Cancelled):
        install_stack(*_toy(tmp_path), tell=lambda _f, text: told.append(text), is_cancelled=lambda: len(told) > 2)
    assert not environment_of("toy", tmp_path / "models").exists()


@pytest.mark.usefixtures("offline")
def test_one_that_is_killed_is_never_taken_for_whole(tmp_path: Path, whole: Any) -> None:
    """Killed while pip works, with the one before it waiting beside."""
    good = whole
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom configs.engines import load_engines\n"
        "from tools.runtime.workers.stack_making import install_stack\n"
        "def tell(f, text):\n    print(text, flush=True)\n    time.sleep(60) if 'Processing' in text else None\n"
        "stack = load_engines(Path(sys.argv[1])).stacks['toy']\n"
        "install_stack('toy', stack, Path(sys.argv[2]), again=True, tell=tell)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "engines.yaml"), str(good[2])],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    for line in process.stdout:
        if "Processing" in line:
            break
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert environment_of(*good[::2]).exists()
    assert state_of(*good) == "unfinished"
    with pytest.raises(MissingPrerequisite, match="not made wholly"):
        interpreter_of(*good)
    assert _when_free(good).installed["toy-library"] == "1.0", "the one before it is back"
    assert check_stack(*good) == []
    remove_stack("toy", good[2])
    # The control: with the record written first, a torn environment would pass for whole.
    torn = environment_of(*good[::2])
    (torn / "bin").mkdir(parents=True)
    (torn / "bin" / "python").write_text("")
    (torn / "studio-stack.json").write_text(
        json.dumps({
            "requires": WHOLE, "base": BASE, "python": "3.11.7", "installed": {"x": "1"}, "bytes": 1, "seconds": 1,
        })
    )  # fmt: skip
    assert state_of(*good) == "whole"
    assert check_stack(*good), "a check finds it all the same"


def _when_free(toy: Any) -> StackRecord:
    """Installed once the pip of the one that was killed has ended: it holds the lock."""
    for _ in range(600):
        try:
            return install_stack(*toy)
        except ProductionBusy:
            time.sleep(0.1)
    raise AssertionError("the lock is never free")


def test_a_full_disk_is_told_before_anything_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(stack_making.LEAST_FREE, False, 10**18)
    with pytest.raises(StorageFailed, match="GB free"):
        install_stack(*_toy(tmp_path))
    monkeypatch.setitem(stack_making.LEAST_FREE, True, 10**18)
    with pytest.raises(StorageFailed, match="CUDA"):
        install_stack(*_toy(tmp_path, "torch==2.13.0"))
    assert not environment_of("toy", tmp_path / "models").exists()


def test_two_at_once_are_one(tmp_path: Path) -> None:
    good = _toy(tmp_path)
    with stack_making._alone(environment_of("toy", good[2])), pytest.raises(ProductionBusy):
        install_stack(*good)


def test_a_stack_of_the_studio_itself_is_refused(tmp_path: Path) -> None:
    stack = load_engines(ENGINES_YAML).stacks["core"]
    with pytest.raises(InvalidInput, match="nothing is to be installed"):
        install_stack("core", stack, tmp_path)


# --- what the studio needs there --------------------------------------------------------------------------------------


def test_pip_sees_where_indexes_are_and_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELEVENLABS_API_KEY", "canary")
    monkeypatch.setenv("HF_TOKEN", "canary")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    given = stack_making._environment()
    assert given["PIP_INDEX_URL"] == "http://127.0.0.1:9/simple"
    assert "canary" not in given.values()


def test_the_base_is_what_pyproject_says_and_all_that_is_imported() -> None:
    import tomllib

    told = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert set(BASE) <= set(told)
    code = (
        "import sys, importlib.metadata as m\n"
        "import tools.runtime.workers.worker, tools.base, tools.registry, configs.settings, numpy, scipy.signal\n"
        "import tools.voice.recorded, tools.voice.alignment, tools.voice.shelf, espeakng_loader\n"
        "names = m.packages_distributions()\n"
        "print(*sorted({d for n in sys.modules for d in names.get(n.partition('.')[0], [])}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT, timeout=60
    )
    imported = {re.sub("[-_.]+", "-", name).lower() for name in done.stdout.split()}
    needed = {re.split("[<>=]", one)[0] for one in BASE}
    brought = {"pydantic-core", "annotated-types", "typing-extensions", "typing-inspection", "python-dotenv"}
    # numpy tries charset-normalizer, and does without.
    assert imported - needed - brought - {"animation-studio", "setuptools", "charset-normalizer"} == set()


def test_an_installed_studio_does_not_lend_its_libraries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tools.runtime.workers import stacks

    assert search_path(tmp_path) == {"PYTHONPATH": str(ROOT)}
    site = tmp_path / "site-packages"
    for folder in ("tools/runtime/workers", "configs", "numpy", "numpy-2.4.dist-info"):
        (site / folder).mkdir(parents=True)
    monkeypatch.setattr(stacks, "__file__", str(site / "tools" / "runtime" / "workers" / "stacks.py"))
    environment = tmp_path / "env"
    environment.mkdir()
    for _ in range(2):
        found = Path(search_path(environment)["PYTHONPATH"])
        assert sorted(one.name for one in found.iterdir()) == ["configs", "tools"]
        assert (found / "tools").resolve() == site / "tools"
