"""One holder per device, in the order of arrival, across threads and processes that are killed at random moments."""

from __future__ import annotations

import json
import os
import random
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.tools.runtime.conftest import ENGINES
from tools.errors import Cancelled, DeviceBusy, InvalidInput, StorageFailed
from tools.runtime.device import lease as lease_module
from tools.runtime.device.lease import GpuLease, Waiting, lease_root

FULL = bool(os.environ.get("STUDIO_FULL"))
KILLS = 200 if FULL else 25
USERS = 6
TURNS = 150 if FULL else 50
REPOSITORY = ENGINES.parents[3]


def user(root: Path, seed: int, *options: str, turns: int = TURNS) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.tools.runtime.lease_user", str(root), str(root / "log"), str(turns)]
    return subprocess.Popen([*command, str(seed), *options], cwd=REPOSITORY, stderr=subprocess.PIPE)


def log(root: Path) -> list[dict[str, Any]]:
    path = root / "log"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    left = [path.name for path in (tmp_path / "studio-leases").glob("*/*") if path.name not in ("gate", "lock")]
    assert not left, "tickets were left behind"


def lease(root: Path, what: str = "") -> GpuLease:
    return GpuLease("gpu0", what=what, root=root)


# -- one process ------------------------------------------------------------------------------------------------------


def test_it_is_held_and_given_back(device: Path) -> None:
    first, second = lease(device, "SDXL"), lease(device)
    with first.hold():
        assert first.held
        with pytest.raises(DeviceBusy, match=rf"the device gpu0 is in use by process {os.getpid()} \(SDXL\)\."):
            second.acquire(timeout_s=0)
        assert not second.held
        assert [str(one) for one in first.queue()] == [f"process {os.getpid()} (SDXL)"]
    assert not first.held
    assert first.queue() == []
    with second.hold(timeout_s=0):
        assert second.held


def test_two_devices_do_not_wait_for_each_other(device: Path) -> None:
    with lease(device).hold(), GpuLease("gpu1", root=device).hold(timeout_s=0):
        pass


def test_one_who_waits_is_told_who_holds_and_how_many_come_first(device: Path) -> None:
    told: list[Waiting] = []
    stop = threading.Event()

    def wait_first() -> None:
        with pytest.raises(Cancelled):
            lease(device, "second").acquire(is_cancelled=stop.is_set)

    first = threading.Thread(target=wait_first)
    with lease(device, "LLM").hold():
        first.start()
        while len(lease(device).queue()) < 2:
            time.sleep(0.001)
        with pytest.raises(DeviceBusy, match="and 1 more wait before us"):
            lease(device).acquire(timeout_s=0.05, on_wait=told.append)
        stop.set()
        first.join()
    assert [one.position for one in told] == [2]
    assert told[0].holder is not None
    assert told[0].holder.what == "LLM"
    assert told[0].holder.user == os.getuid()


def test_waiting_can_be_stopped_and_leaves_the_queue(device: Path) -> None:
    stop = threading.Event()
    with lease(device).hold():
        threading.Timer(0.05, stop.set).start()
        begun = time.monotonic()
        with pytest.raises(Cancelled):
            lease(device).acquire(is_cancelled=stop.is_set)
        assert time.monotonic() - begun < 1.0
        assert len(lease(device).queue()) == 1


def test_threads_are_served_in_the_order_in_which_they_came(device: Path) -> None:
    served: list[int] = []

    def wait(number: int) -> None:
        with lease(device).hold():
            served.append(number)

    threads = [threading.Thread(target=wait, args=(number,)) for number in range(12)]
    with lease(device).hold():
        for number, thread in enumerate(threads):
            thread.start()
            while len(lease(device).queue()) < number + 2:
                time.sleep(0.0005)
    for thread in threads:
        thread.join()
    assert served == list(range(12))


def test_even_where_tickets_are_cleared_away_there_is_one_holder(device: Path) -> None:
    """Control: the order is lost, the exclusion is not."""
    with lease(device).hold():
        for path in (device / "studio-leases" / "gpu0").glob("0*"):
            path.unlink()
        with pytest.raises(DeviceBusy, match="another process"):
            lease(device).acquire(timeout_s=0.02)
    with lease(device).hold(timeout_s=0):
        pass


@pytest.mark.parametrize("name", ["", "../gpu0", "a/b", ".hidden", "x" * 81, "a\n", "a\0"])
def test_a_device_cannot_be_a_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput):
        GpuLease(name, root=tmp_path)


@pytest.mark.parametrize("at", ["studio-leases", "studio-leases/gpu0"])
def test_a_link_in_the_way_is_refused(tmp_path: Path, at: str) -> None:
    aim = tmp_path / "aim"
    aim.mkdir()
    (tmp_path / at).parent.mkdir(exist_ok=True)
    (tmp_path / at).symlink_to(aim)
    with pytest.raises(StorageFailed, match="not a folder of its own"):
        lease(tmp_path).acquire(timeout_s=0)
    assert list(aim.iterdir()) == []


@pytest.mark.parametrize("name", ["gate", "lock"])
def test_a_link_as_a_lock_is_refused(tmp_path: Path, name: str) -> None:
    with lease(tmp_path).hold():
        pass
    path = tmp_path / "studio-leases" / "gpu0" / name
    path.unlink()
    (tmp_path / "precious").write_text("as it was")
    path.symlink_to(tmp_path / "precious")
    with pytest.raises(StorageFailed):
        lease(tmp_path).acquire(timeout_s=0)
    assert (tmp_path / "precious").read_text() == "as it was"


def test_false_tickets_hold_nobody_up(tmp_path: Path) -> None:
    with lease(tmp_path).hold():
        pass
    folder = tmp_path / "studio-leases" / "gpu0"
    (folder / "000000000000").symlink_to("/etc/passwd")
    os.mkfifo(folder / "000000000001")
    (folder / "000000000002").write_bytes(b"\xff" * 10)
    (folder / "notes.txt").write_text("not a ticket")
    with lease(tmp_path).hold(timeout_s=0):
        pass
    assert Path("/etc/passwd").exists()


def test_what_a_holder_says_of_itself_is_not_believed_blindly() -> None:
    words = {"pid": 1, "user": 0, "since": 1.0, "what": "a\x1b[2Jb" + "x" * 500}
    said = lease_module._read_holder(json.dumps(words).encode(), 1234)
    assert said is not None
    assert said.user == 1234
    assert said.what.isprintable()
    assert len(said.what) <= 200
    for rubbish in (b"", b'{"pid": "1"}', b"[]", b"\xff", b"[" * 4000):
        assert lease_module._read_holder(rubbish, 0) is None


def test_others_may_use_the_folder_whatever_our_umask(device: Path) -> None:
    before = os.umask(0o077)
    try:
        with lease(device).hold():
            for folder in (device / "studio-leases", device / "studio-leases" / "gpu0"):
                assert stat.S_IMODE(folder.stat().st_mode) == 0o1777
            for file in (device / "studio-leases" / "gpu0").iterdir():
                assert stat.S_IMODE(file.stat().st_mode) == 0o644
    finally:
        os.umask(before)


def test_where_leases_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared, private = tmp_path / "shared", tmp_path / "private"
    shared.mkdir()
    shared.chmod(0o1777)
    private.mkdir()
    monkeypatch.setattr(lease_module, "ROOTS", (str(tmp_path / "missing"), str(private), str(shared)))
    assert lease_root() == shared
    monkeypatch.setattr(lease_module, "ROOTS", (str(private),))
    with pytest.raises(StorageFailed, match="STUDIO_LEASES"):
        lease_root()
    monkeypatch.setenv("STUDIO_LEASES", str(private))
    with GpuLease("gpu0").hold():
        assert (private / "studio-leases" / "gpu0").is_dir()


# -- many processes ---------------------------------------------------------------------------------------------------


class Damage(AssertionError):
    """The promise was broken."""


def check(root: Path, killed: set[int]) -> int:
    """Read the log: nobody entered while another was in; who had the lower ticket came first. How many turns."""
    inside: int | None = None
    waiting: dict[str, int] = {}
    turns = 0
    for line in log(root):
        if line["do"] == "overlap":
            raise Damage("overlap")
        if line["do"] == "waits":
            waiting[line["ticket"]] = line["pid"]
        elif line["do"] == "takes":
            if inside is not None and inside not in killed:
                raise Damage(f"overlap: {line['pid']} entered while {inside} was in")
            earlier = [pid for ticket, pid in waiting.items() if ticket < line["ticket"] and pid not in killed]
            if earlier:
                raise Damage(f"{line['pid']} came before {earlier}, who had waited longer")
            waiting = {ticket: pid for ticket, pid in waiting.items() if pid != line["pid"]}
            inside = line["pid"]
            turns += 1
        elif line["do"] == "gives":
            inside = None
    return turns


def crowd(root: Path, *options: str, kills: int = 0, turns: int = TURNS) -> int:
    """Users that come and go, some killed while they hold or wait and replaced; the turns they had."""
    rng = random.Random(3)
    users = [user(root, seed, *options, turns=turns) for seed in range(USERS)]
    killed: set[int] = set()
    for seed in range(USERS, USERS + kills):
        time.sleep(rng.uniform(0.01, 0.08))
        running = [one for one in users if one.poll() is None]
        if not running:
            break
        victim = rng.choice(running)
        victim.send_signal(signal.SIGKILL)
        victim.communicate()
        killed.add(victim.pid)
        users.remove(victim)
        users.append(user(root, seed, *options, turns=turns))
    for one in users:
        _, complaint = one.communicate(timeout=120)
        if one.returncode:
            raise Damage(complaint.decode())
    return check(root, killed)


@pytest.mark.slow
def test_a_crowd_of_processes_takes_turns(device: Path) -> None:
    assert crowd(device) == USERS * TURNS


@pytest.mark.slow
def test_killed_holders_and_waiters_hold_nobody_up(device: Path) -> None:
    assert crowd(device, "--longest", "0.02", kills=KILLS, turns=TURNS) >= USERS * TURNS
    assert lease(device).queue() == []
    with lease(device).hold(timeout_s=0):
        pass


@pytest.mark.slow
@pytest.mark.parametrize(
    ("twin", "told"), [("no-lease", "overlap|came before"), ("pid", "overlap|came before"), ("scramble", "came before")]
)
def test_the_broken_twins_are_found_out(tmp_path: Path, twin: str, told: str) -> None:
    with pytest.raises(Damage, match=told):
        crowd(tmp_path, "--twin", twin)


def test_a_worker_that_was_handed_the_lease_keeps_it_when_its_studio_dies(tmp_path: Path) -> None:
    """The memory is the worker's: until it is dead as well, the device is not free."""
    script = (
        "import subprocess, sys, time; from pathlib import Path; from tools.runtime.device.lease import GpuLease\n"
        f"lease = GpuLease('gpu0', root=Path({str(tmp_path)!r})); lease.acquire()\n"
        "child = subprocess.Popen(['sleep', '60'], pass_fds=lease.fds)\n"
        "print(child.pid, flush=True); time.sleep(60)\n"
    )
    studio = subprocess.Popen([sys.executable, "-c", script], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    assert studio.stdout is not None
    worker = int(studio.stdout.readline())
    try:
        studio.kill()
        studio.wait()
        with pytest.raises(DeviceBusy, match=f"process {studio.pid}"):
            lease(tmp_path).acquire(timeout_s=0.1)
    finally:
        os.kill(worker, signal.SIGKILL)
    with lease(tmp_path).hold(timeout_s=5):
        pass
    studio.stdout.close()


def test_after_a_holders_death_its_workers_have_time_to_end(device: Path) -> None:
    """Who died waiting is passed over at once; who died holding, after a moment that all count alike."""

    def die(held: bool) -> None:
        child = os.fork()
        if child == 0:  # pragma: no cover - another process
            mine = lease(device)
            mine._draw() if not held else mine.acquire()
            os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(child, 0)

    die(held=False)
    with lease(device).hold(timeout_s=0):
        pass
    die(held=True)
    begun = time.monotonic()
    with pytest.raises(DeviceBusy):
        GpuLease("gpu0", root=device, grace_s=0.5).acquire(timeout_s=0.2)
    with GpuLease("gpu0", root=device, grace_s=0.5).hold(timeout_s=5):
        assert 0.45 < time.monotonic() - begun < 2.0, "one who asks again does not wait from the beginning"
    die(held=True)
    begun = time.monotonic()
    with GpuLease("gpu0", root=device, grace_s=0.0).hold(timeout_s=5):
        assert time.monotonic() - begun < 0.4, "the control"


def test_giving_back_takes_it_from_the_workers_too(device: Path) -> None:
    held = lease(device)
    held.acquire()
    child = subprocess.Popen(["sleep", "60"], pass_fds=held.fds)
    try:
        held.release()
        with lease(device).hold(timeout_s=0):
            pass
    finally:
        child.kill()
        child.wait()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")
@pytest.mark.parametrize("nobody_first", [False, True])
def test_two_users_share_a_device(nobody_first: bool) -> None:
    """Also where the other's umask is strict, and where the other dies and leaves a ticket that is not ours."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        root = Path(name)
        root.chmod(0o1777)
        if not nobody_first:
            with lease(root).hold():
                pass
        read, write = os.pipe()
        nobody = os.fork()
        if nobody == 0:  # pragma: no cover - another process
            try:
                os.umask(0o077)
                os.setgid(65534)
                os.setuid(65534)
                lease(root, "of nobody").acquire(timeout_s=10)
                os.write(write, b"held")
                time.sleep(60)
            finally:
                os._exit(1)
        try:
            assert os.read(read, 4) == b"held"
            with pytest.raises(DeviceBusy, match=rf"process {nobody} \(of nobody\)"):
                lease(root).acquire(timeout_s=0.05)
            assert [one and one.user for one in lease(root).queue()] == [65534]
        finally:
            os.kill(nobody, signal.SIGKILL)
            os.waitpid(nobody, 0)
            os.close(read)
            os.close(write)
        with lease(root).hold(timeout_s=5):
            assert [one and one.user for one in lease(root).queue()] == [0]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")
def test_a_dead_ticket_that_is_not_ours_to_remove_is_waited_for_once() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        root = Path(name)
        root.chmod(0o1777)

        def apart(work: Callable[[], object]) -> int:
            child = os.fork()
            if child == 0:  # pragma: no cover - another process
                try:
                    work()
                    os._exit(0)
                finally:
                    os._exit(1)
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

        def die_holding() -> None:
            lease(root).acquire()
            os.kill(os.getpid(), signal.SIGKILL)

        def as_nobody() -> None:
            os.setgid(65534)
            os.setuid(65534)
            times = []
            for _ in range(2):
                begun = time.monotonic()
                with GpuLease("gpu0", root=root, grace_s=0.6).hold(timeout_s=5):
                    times.append(time.monotonic() - begun)
            assert times[0] > 0.5
            assert times[1] < 0.4

        with lease(root).hold():
            pass
        assert apart(die_holding) == -signal.SIGKILL
        assert apart(as_nobody) == 0
