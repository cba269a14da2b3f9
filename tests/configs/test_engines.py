"""engines.yaml: what its schema refuses."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from configs.engines import StackEntry


@pytest.mark.parametrize("one", ["--index-url=http://elsewhere", "-e .", "", " torch", "torch\n--pre", "torch\0"])
def test_a_requirement_is_no_option_of_pip(one: str) -> None:
    with pytest.raises(ValidationError, match="requires"):
        StackEntry(about="-", requires=("torch==2.13.0", one))


@pytest.mark.parametrize("one", ["torch==2.13.0", "av>=18.1,<19", "/home/me/a-1.0-py3-none-any.whl"])
def test_requirements_as_pip_takes_them_pass(one: str) -> None:
    assert StackEntry(about="-", requires=(one,)).requires == (one,)
