"""What decodes a foreign file may be in a stranger's hands: whatever it says, it is waited for within bounds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, BinaryIO

import pytest

from tools.decoding.limited import Limits, decoded
from tools.errors import InvalidInput

MINE = ("tests.",)


def boasting(file: BinaryIO, seconds: list[str]) -> Iterator[Any]:
    """A decoder that says how far it has come, and then does nothing."""
    file.read()
    for one in seconds:
        yield float(one)
    time.sleep(30)


@pytest.mark.parametrize("said", [["inf"], ["nan"], ["-inf", "1e300", "2e300"]])
def test_time_is_given_for_so_much_sound_and_no_more(said: list[str]) -> None:
    limits = Limits(wall_s=2.0, longest_s=2.0, allow=MINE)
    begun = time.monotonic()
    with pytest.raises(InvalidInput, match=r"too long|cannot be read|damaged"):
        list(decoded(f"{__name__}:boasting", b"sound", "a.wav", limits, seconds=said))
    assert time.monotonic() - begun < 20


def test_what_has_no_room_to_be_laid_down_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    with pytest.raises(InvalidInput, match="No space left on device"):
        list(decoded(f"{__name__}:boasting", b"sound", "a.wav", Limits(allow=MINE), seconds=[]))
