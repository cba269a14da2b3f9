"""The same questions to a real server: set STUDIO_LLM_BASE_URL (as http://127.0.0.1:8000/v1) and run this file.

STUDIO_LLM_MODEL names the model (the first of /v1/models where it is not set), STUDIO_LLM_API_KEY the key where one is
needed. A model that is too small to follow, or a server that constrains nothing, fails here: that is what it shows.
"""

from __future__ import annotations

import os
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

URL = os.environ.get("STUDIO_LLM_BASE_URL", "")
pytestmark = pytest.mark.skipif(not URL, reason="STUDIO_LLM_BASE_URL is not set: no real server to ask")
SECONDS = 120


class Shot(BaseModel):
    """One shot of an animated scene."""

    who: Annotated[str, Field(description="Who is seen.")]
    size: Literal["wide", "medium", "close"]
    seconds: Annotated[int, Field(description="How long it is, 1 to 10.", ge=1, le=10)]


class Storyboard(BaseModel):
    """A short storyboard."""

    title: str
    shots: Annotated[list[Shot], Field(min_length=1, max_length=6)]


@pytest.fixture(scope="module")
def model() -> Any:
    import openai
    from langchain_openai import ChatOpenAI

    key = os.environ.get("STUDIO_LLM_API_KEY") or "none"
    name = os.environ.get("STUDIO_LLM_MODEL")
    if not name:
        listed = list(openai.OpenAI(base_url=URL, api_key=key, timeout=SECONDS).models.list())
        if not listed:
            pytest.skip(f"{URL} lists no models: set STUDIO_LLM_MODEL")
        name = listed[0].id
    return ChatOpenAI(base_url=URL, api_key=key, model=name, temperature=0, max_tokens=600, timeout=SECONDS)


def test_it_answers_in_words(model: Any) -> None:
    assert str(model.invoke("Say hello in one short sentence.").content).strip()


def test_it_streams(model: Any) -> None:
    assert "".join(str(piece.content) for piece in model.stream("Name three animals.")).strip()


def test_its_structured_output_fits_the_schema(model: Any) -> None:
    asking = model.with_structured_output(Storyboard, method="json_schema", include_raw=True)
    got = asking.invoke("A storyboard of two or three shots: a boy finds an old boat. Answer as JSON.")
    assert isinstance(got["parsed"], Storyboard), f"it said: {str(got['raw'].content)[:500]}"


def test_it_calls_a_tool_with_fitting_arguments(model: Any) -> None:
    def find_place(name: Annotated[str, "What to look for."]) -> str:
        """Find a place by its name."""
        return name

    answer = model.bind_tools([find_place], tool_choice="required").invoke("Find the harbour.")
    assert answer.tool_calls, f"it said: {str(answer.content)[:500]}"
    assert answer.tool_calls[0]["name"] == "find_place"
    assert isinstance(answer.tool_calls[0]["args"]["name"], str)
