"""A ComfyUI server that means ill: answers of the wrong form, and pictures that are bombs."""

from __future__ import annotations

import io
import json
import tracemalloc
from typing import Any

import numpy as np
import pytest
from PIL import Image

from configs.comfyui import Workflow
from tools.errors import BadOutput, EngineFailed
from tools.image.comfyui.client import ComfyClient, Limits
from tools.image.comfyui.engine import _checked
from tools.runtime.services.http import Answer


class Odd:
    """Answers every question with the same thing, whatever was asked."""

    name = "comfyui"

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = answers

    def ask(self, method: str, path: str, **_: Any) -> Answer:
        assert path.isascii(), method
        found: Any = next((given for start, given in self.answers.items() if path.startswith(start)), {})
        return Answer(200, json.dumps(found).encode())

    must = ask


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ({"/queue": {"queue_running": 5}}, EngineFailed),
        ({"/queue": {"queue_pending": [[0], 7, "x"]}}, EngineFailed),
        ({"/history": {"T": {"status": {"status_str": "error", "messages": 3}}}}, EngineFailed),
        ({"/history": {"T": {"outputs": {"9": {"images": 1.5}}}}}, BadOutput),
        ({"/history": {"T": {"outputs": {"9": {"images": [None, 4]}}}}}, BadOutput),
        ({"/prompt": {"prompt_id": "\u00e9 /../\r\nX: 1"}}, EngineFailed),
    ],
)
def test_whatever_stands_where_a_list_should_is_a_typed_error(answers: dict[str, Any], error: type[Exception]) -> None:
    client = ComfyClient(Odd({"/prompt": {"prompt_id": "T"}} | answers), Limits(poll_first=0, poll_last=0))  # type: ignore[arg-type]
    with pytest.raises(error):
        client.draw({}, "", lambda _fraction, _text: None)


def test_a_bomb_of_a_picture_is_judged_without_gigabytes() -> None:
    stream = io.BytesIO()
    Image.fromarray(np.full((4096, 4096, 3), 7, np.uint8)).save(stream, "PNG", compress_level=1)
    flow = Workflow(about="-", file="-", prompt="6.text")
    tracemalloc.start()
    try:
        with pytest.raises(BadOutput, match="blank"):
            _checked(stream.getvalue(), flow, (64, 64), (64, 64), [])
        # All of it as numbers of 64 bit would be 403 MB.
        assert tracemalloc.get_traced_memory()[1] < 200e6
    finally:
        tracemalloc.stop()
