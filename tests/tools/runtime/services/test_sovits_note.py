"""What a server holds is noted in a folder that all users of the machine may write into."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tools.runtime.services.gpt_sovits import GptSovitsServer
from tools.runtime.services.sovits_answer import SovitsTimes
from tools.runtime.services.sovits_speech import SovitsSpeech


def test_a_note_follows_nobodys_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIO_LEASES", str(tmp_path / "leases"))
    speech = SovitsSpeech(GptSovitsServer("a", "http://127.0.0.1:9880"), SovitsTimes())
    speech._folder.mkdir(parents=True)
    mine = tmp_path / "thesis.txt"
    mine.write_text("mine")
    for name in (f"weights.{os.getuid()}", f".weights.{os.getuid()}.{os.getpid()}"):
        (speech._folder / name).symlink_to(mine)
    speech._note("these weights")
    assert mine.read_text() == "mine"
    assert speech._last_note() == "these weights"
    assert not list(speech._folder.glob(".weights.*.????????????????"))
