"""Numbers of the files that operators change: none is endless, or no number at all."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from configs.ladder import LADDER_YAML, load_ladders
from configs.models import MODELS_YAML, load_models
from configs.profiles import PROFILES_YAML, load_profiles
from configs.retries import RETRIES_YAML, load_retries
from configs.services import SERVICES_YAML, load_services
from configs.yaml_file import YamlProblem


@pytest.mark.parametrize("value", [".inf", ".nan", "1e400"])
@pytest.mark.parametrize(
    ("load", "file", "before"),
    [
        (load_models, MODELS_YAML, "disk_gb_s: "),
        (load_profiles, PROFILES_YAML, "budget_gb: "),
        (load_retries, RETRIES_YAML, "pause_s: "),
        (load_ladders, LADDER_YAML, "slower: "),
        (load_services, SERVICES_YAML, "size_gb: "),
    ],
)
def test_no_number_is_endless(tmp_path: Path, load: Callable[[Path], Any], file: Path, before: str, value: str) -> None:
    text = file.read_text(encoding="utf-8")
    load(_with(tmp_path, text))
    wrong, count = re.subn(rf"(^[^#\n]*{before})[0-9.]+", rf"\g<1>{value}", text, count=1, flags=re.MULTILINE)
    assert count
    with pytest.raises(YamlProblem) as found:
        load(_with(tmp_path, wrong))
    assert ":" in found.value.where


def _with(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "file.yaml"
    path.write_text(text, encoding="utf-8")
    return path
