"""Two studios on one folder and one device: as if one had done all of it, also when one of them is killed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.tools.runtime.conftest import ENGINES
from tests.tools.runtime.paper import Device, check_card, keys, scene
from tests.tools.runtime.tiny_models import Card
from tools.registry import Registry
from tools.runtime.storage.store import ArtifactStore

SHOTS = 4
KILLS = 25 if os.environ.get("STUDIO_FULL") else 3


def start(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.tools.runtime.paper", str(folder), str(SHOTS)],
        stdout=subprocess.PIPE, text=True, cwd=ENGINES.parents[3], start_new_session=True,
    )  # fmt: skip


def made(folder: Path) -> Counter[str]:
    log = folder / "log"
    return Counter(json.loads(line)["text"] for line in log.read_text().splitlines()) if log.exists() else Counter()


@pytest.fixture
def expected(tmp_path: Path, registry: Registry) -> dict[str, str]:
    """What one undisturbed studio makes."""
    (tmp_path / "calm").mkdir()
    device = Device(tmp_path / "calm", registry, lease=True)
    try:
        # The log's name is part of what makes a result.
        (tmp_path / "log").touch()
        return keys(device.executor().run(scene(SHOTS, str(tmp_path / "log"))))
    finally:
        (tmp_path / "log").unlink()
        device.close()


@pytest.mark.slow
def test_two_at_once_make_each_thing_once(tmp_path: Path, expected: dict[str, str]) -> None:
    studios = [start(tmp_path), start(tmp_path)]
    answers = [json.loads(studio.communicate(timeout=90)[0]) for studio in studios]
    assert answers == [expected, expected]
    assert set(made(tmp_path).values()) == {1}
    check_card(Card(str(tmp_path / "card")), 100)


@pytest.mark.slow
def test_one_of_them_is_killed_again_and_again(tmp_path: Path, expected: dict[str, str]) -> None:
    chance = random.Random(7)
    survivor = start(tmp_path)
    for _ in range(KILLS):
        victim = start(tmp_path)
        time.sleep(chance.uniform(0.3, 2.0))
        os.killpg(victim.pid, signal.SIGKILL)
        victim.communicate()
    assert json.loads(survivor.communicate(timeout=90)[0]) == expected
    again = start(tmp_path)
    assert json.loads(again.communicate(timeout=90)[0]) == expected
    # A victim may have begun what it could not finish: begun twice is all that may be, finished twice never.
    assert max(made(tmp_path).values()) <= 1 + KILLS
    store = ArtifactStore(tmp_path / "store")
    assert {key: store.verify(key).key for key in expected.values()}.keys() == set(expected.values())
