"""Checkpoints are made once, and kept where tests and scenarios both look."""

from __future__ import annotations

from pathlib import Path

import pytest

from evals.checkpoints import build
from evals.checkpoints.build import KEPT_IN_VARIABLE, built, kept, kept_in

MADE: list[int] = []


def make_note(folder: Path, seed: int) -> Path:
    """A maker as those of checkpoints."""
    MADE.append(seed)
    (folder / "note.txt").write_text(str(seed))
    return folder / "note.txt"


def test_what_was_made_once_is_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEPT_IN_VARIABLE, str(tmp_path))
    MADE.clear()
    first, again, other = built(make_note, seed=1), built(make_note, seed=1), built(make_note, seed=2)
    assert first == again != other
    assert first.read_text() == "1"
    assert MADE == [1, 2]


def test_a_checkout_keeps_them_beside_pytests_cache_and_an_installed_studio_in_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(KEPT_IN_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert kept_in() == Path(build.__file__).parents[2] / ".pytest_cache" / "checkpoints"
    monkeypatch.setattr(build, "__file__", str(tmp_path / "site-packages" / "evals" / "checkpoints" / "build.py"))
    assert kept_in() == tmp_path / "cache" / "animation-studio" / "checkpoints"


def test_what_a_checkpoint_is_made_of_is_its_maker_and_what_that_takes_from_others() -> None:
    from evals.checkpoints.sdxl import make_base
    from evals.checkpoints.wav2lip import make_wav2lip_weights

    assert {path.name for path in build._sources(make_wav2lip_weights)} == {"wav2lip.py"}
    assert {path.name for path in build._sources(make_base)} == {"sdxl.py", "compvis.py"}


def test_what_was_not_made_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEPT_IN_VARIABLE, str(tmp_path))
    assert kept(make_note, seed=5) is None
    assert built(make_note, seed=5) == kept(make_note, seed=5)
