"""What helped once is done from the start the next time, under the same conditions, and never makes things worse."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.context import RunOptions
from agent.recalling import approve_generation
from agent.wiring import create_agent, create_context
from configs.settings import Settings
from knowledge.generations import Generations
from tools.runtime.workers.pool import WorkerPool
from tools.storyboard import Storyboard


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    workers = WorkerPool(1)
    workers.start()
    yield workers
    workers.close()


def board(title: str, *, time: str = "day", apart: float = 0.05) -> Storyboard:
    """Alberto stands where Luca hides his face, unless they are further apart."""
    placed = [{"character": "luca", "x": 0.5 + apart}, {"character": "alberto", "x": 0.5, "pose": "wave"}]
    shot = {"id": "s1", "framing": "wide", "duration_s": 2, "time_of_day": time, "music": None, "placements": placed}
    cast = [
        {"id": "luca", "name": "Luca Paguro", "known": True},
        {"id": "alberto", "name": "Alberto Scorfano", "known": True},
    ]
    return Storyboard.model_validate({"title": title, "duration_s": 2, "fps": 8, "cast": cast, "shots": [shot]})


def made(home: Path, pool: WorkerPool, storyboard: Storyboard) -> dict[str, Any]:
    settings = Settings(productions=home, workers=1)
    context = create_context(settings, options=RunOptions(given=storyboard, outputs=("image",)), pool=pool)
    return create_agent(context=context, checkpointer=False).invoke({"messages": "make it"})


def kept(home: Path) -> Generations:
    return Generations(home / ".studio" / "knowledge")


def artifacts(home: Path) -> set[Path]:
    return set(home.glob("*/**/artifact.json"))


def test_the_next_run_needs_one_attempt_where_the_first_needed_two(tmp_path: Path, pool: WorkerPool) -> None:
    first = made(tmp_path, pool, board("One"))
    second = made(tmp_path, pool, board("Two", time="sunset"))
    assert [one.passed for one in first["work"].attempts] == [False, True]
    assert [one.passed for one in second["work"].attempts] == [True]
    assert second["work"].attempts[0].override == first["work"].attempts[1].override
    assert any(sentence.startswith("As last time") for sentence in second["assumptions"])
    assert "As last time" in second["messages"][-1].text
    assert not any(sentence.startswith("As last time") for sentence in first["assumptions"])


def test_without_what_is_remembered_it_needs_two_again(tmp_path: Path, pool: WorkerPool) -> None:
    """The broken twin of the test above: forgetting makes the difference."""
    made(tmp_path, pool, board("One"))
    for one in kept(tmp_path).all():
        assert kept(tmp_path).remove(one.id)
    assert len(made(tmp_path, pool, board("Two", time="sunset"))["work"].attempts) == 2


def test_other_conditions_begin_plainly(tmp_path: Path, pool: WorkerPool) -> None:
    made(tmp_path, pool, board("One"))
    other = made(tmp_path, pool, board("Two", apart=0.04))
    assert not other["work"].recalled
    assert other["work"].attempts[0].override.args == {}


def test_the_same_again_makes_nothing_and_remembers_the_same(tmp_path: Path, pool: WorkerPool) -> None:
    first = made(tmp_path, pool, board("One"))
    before, record = artifacts(tmp_path), kept(tmp_path).all()
    second = made(tmp_path, pool, board("One"))
    assert artifacts(tmp_path) == before
    assert kept(tmp_path).all() == record
    assert second["work"].results == first["work"].results
    third = made(tmp_path, pool, board("Two"))
    before = artifacts(tmp_path)
    assert made(tmp_path, pool, board("Two"))["work"].results == third["work"].results
    assert artifacts(tmp_path) == before


def test_what_misleads_costs_no_attempt_and_is_not_tried_again(tmp_path: Path, pool: WorkerPool) -> None:
    made(tmp_path, pool, board("One"))
    record = next((tmp_path / ".studio/knowledge/generations").glob("*.json"))
    data = json.loads(record.read_text())
    data["parts"][0]["change"]["args"]["adjust"]["dx"] = {"alberto": 0.0, "luca": -0.01}
    record.write_text(json.dumps(data))
    second = made(tmp_path, pool, board("Two"))
    scores = [(one.override.args != {}, one.passed) for one in second["work"].attempts]
    assert scores == [(True, False), (False, False), (True, True)]
    third = made(tmp_path, pool, board("Three"))["work"]
    assert [one.passed for one in third.attempts] == [True], "what helped the second time, not what misled it"
    assert third.attempts[0].override == second["work"].attempts[-1].override


def test_a_record_names_nothing_of_this_machine(tmp_path: Path, pool: WorkerPool) -> None:
    made(tmp_path, pool, board("One"))
    record = kept(tmp_path).all()[0]
    text = record.model_dump_json()
    assert str(tmp_path) not in text
    assert record.files == {"stills/s1": "stills/s1.png"}
    assert record.parts[0].helped
    assert record.parts[0].before < 0.7 <= record.parts[0].score


def test_what_a_person_likes_is_noted(tmp_path: Path, pool: WorkerPool) -> None:
    state = made(tmp_path, pool, board("One"))
    context = create_context(Settings(productions=tmp_path, workers=1), pool=pool)
    assert approve_generation(state, context)  # type: ignore[arg-type]
    assert kept(tmp_path).all()[0].verdict == "approved"
    made(tmp_path, pool, board("One"))
    assert kept(tmp_path).all()[0].verdict == "approved"


def test_a_picture_of_another_production_is_not_begun_from(tmp_path: Path) -> None:
    from agent.compiler import compile_calls
    from agent.recalling import _is_valid
    from agent.state import Override, Recalled
    from tests.agent.boards import beach

    context = create_context(Settings(productions=tmp_path))
    calls = [call for call in compile_calls(beach(), ["image"]) if call.id == "s1.still"]

    def may(**rendering: object) -> bool:
        override = Override(args={"rendering": rendering})
        recalled = Recalled(override=override, before=0.1, after=0.9, source="x", conditions="c")
        return _is_valid("s1.still", recalled, calls, context)

    assert may(prompt="(beach)1.2"), "the control: such a change may be recalled"
    assert not may(repair="luca", start={"call": "s1.still.try1", "key": ""})
