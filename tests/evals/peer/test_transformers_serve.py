"""The clients against a server that nobody here wrote: `transformers serve` with a tiny random Qwen2.5-VL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from evals.checkpoints.build import built
from evals.checkpoints.qwen_vl import make_qwen_vl
from tests.evals.peer.asking import data_url, tool, wants
from tests.evals.peer.serving import Served, lacking, serving

pytestmark = pytest.mark.skipif(bool(lacking()), reason=f"transformers serve needs {', '.join(lacking())}")
TOKENS = 16


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(built(make_qwen_vl), tmp_path_factory.mktemp("serve")) as up:
        yield up


@pytest.fixture(scope="module")
def client(served: Served) -> Any:
    import openai

    return openai.OpenAI(base_url=served.url, api_key="none", max_retries=0, timeout=120)


def coloured(colour: tuple[int, int, int], kind: str = "png") -> str:
    import io

    from PIL import Image

    made = io.BytesIO()
    Image.new("RGB", (96, 64), colour).save(made, kind)
    return data_url(made.getvalue(), kind)


def about(url: str) -> list[Any]:
    parts = [{"type": "text", "text": "Score this picture."}, {"type": "image_url", "image_url": {"url": url}}]
    return [{"role": "user", "content": parts}]


def said(client: Any, served: Served, messages: Any, **more: Any) -> str:
    done = client.chat.completions.create(model=served.model, messages=messages, max_tokens=TOKENS, **more)
    return str(done.choices[0].message.content)


def test_text_is_answered(client: Any, served: Served) -> None:
    messages = [{"role": "system", "content": "Be short."}, {"role": "user", "content": "A boat."}]
    done = client.chat.completions.create(model=served.model, messages=messages, max_tokens=TOKENS)
    assert done.choices[0].message.content
    assert done.choices[0].message.content.isprintable()
    assert 0 < done.usage.completion_tokens <= TOKENS


@pytest.mark.parametrize("kind", ["png", "jpeg"])
def test_pictures_as_data_urls_are_seen(client: Any, served: Served, kind: str) -> None:
    red, blue = (said(client, served, about(coloured(colour, kind))) for colour in ((200, 20, 20), (20, 20, 200)))
    assert red != blue, "the answer depends on the picture"
    assert red == said(client, served, about(coloured((200, 20, 20), kind))), "and on nothing else"


def test_langchain_streams_from_it(served: Served) -> None:
    from langchain_openai import ChatOpenAI

    model = ChatOpenAI(base_url=served.url, api_key="none", model=served.model, max_tokens=TOKENS, max_retries=0)
    whole = str(model.invoke("A boat.").content)
    assert "".join(str(piece.content) for piece in model.stream("A boat.")) == whole != ""


def test_it_takes_response_format_and_tools_and_ignores_them(client: Any, served: Served) -> None:
    """Why every answer is validated locally: here is a server that says nothing about not constraining its model."""
    messages = [{"role": "user", "content": "A boat."}]
    schema = {"type": "object", "properties": {"a": {"enum": ["b"]}}, "required": ["a"], "additionalProperties": False}
    assert said(client, served, messages, response_format=wants(schema, strict=True)) != '{"a": "b"}'
    done = client.chat.completions.create(
        model=served.model, messages=messages, max_tokens=TOKENS, tools=[tool()], tool_choice="required"
    )
    assert not done.choices[0].message.tool_calls
