"""The stamp of weights: another one as soon as anything about the files is different."""

from __future__ import annotations

import os
from pathlib import Path

from tools.models.stamp import stamp_of


def test_a_stamp_sees_size_time_name_and_number_of_the_files(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    (folder / "unet").mkdir(parents=True)
    file = folder / "unet" / "weights.safetensors"
    file.write_bytes(b"abc")
    os.utime(file, ns=(10**18, 10**18))
    seen = [stamp_of(str(folder))]
    assert seen[0] == stamp_of(str(folder))
    os.utime(file, ns=(10**18, 10**18 + 1))
    seen.append(stamp_of(str(folder)))
    file.write_bytes(b"abcd")
    os.utime(file, ns=(10**18, 10**18))
    seen.append(stamp_of(str(folder)))
    file.rename(folder / "weights.safetensors")
    seen.append(stamp_of(str(folder)))
    (folder / "config.json").write_text("{}")
    seen.append(stamp_of(str(folder)))
    assert len(set(seen)) == 5
    assert len(seen[0]) == 16


def test_what_is_no_path_has_none(tmp_path: Path) -> None:
    for source in ("", "ollama", str(tmp_path / "gone"), '{"name": "x"}' * 400, "a\0b"):
        assert stamp_of(source) == ""
