from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from configs.engines import Cost
from tests.tools.runtime.conftest import Bench, tiny
from tools.registry import EngineSpec, Registry
from tools.runtime.pace import Pace


@pytest.fixture
def engine(registry: Registry) -> EngineSpec:
    return replace(registry.pick("tiny"), cost=Cost(base=2.0))


def test_what_was_measured_is_predicted_and_kept(tmp_path: Path, engine: EngineSpec) -> None:
    pace = Pace(tmp_path / "state", "this")
    assert pace.predict(engine, {}) == 2.0
    pace.learn(engine, {}, 6.0)
    assert pace.predict(engine, {}) == pytest.approx(6.0)
    pace.learn(engine, {}, 2.0)
    assert 5.0 < pace.predict(engine, {}) < 6.0
    pace.save()
    assert Pace(tmp_path / "state", "this").predict(engine, {}) == pytest.approx(pace.predict(engine, {}), rel=1e-3)
    assert Pace(tmp_path / "state", "another machine").predict(engine, {}) == 2.0


@pytest.mark.parametrize("content", [b"", b"{", b'{"machine": "m", "engines": {"tiny/scribe": -5}}', b"\xff" * 100])
def test_a_damaged_file_is_measured_anew(tmp_path: Path, engine: EngineSpec, content: bytes) -> None:
    pace = Pace(tmp_path, "this")
    pace.learn(engine, {}, 6.0)
    pace.save()
    file = next(tmp_path.iterdir())
    file.write_bytes(content)
    again = Pace(tmp_path, "this")
    assert again.predict(engine, {}) == 2.0
    again.learn(engine, {}, 4.0)
    again.save()
    assert Pace(tmp_path, "this").predict(engine, {}) == pytest.approx(4.0)


def test_nonsense_is_bounded(engine: EngineSpec) -> None:
    pace = Pace(None, "")
    pace.learn(engine, {}, 1e9)
    assert pace.predict(engine, {}) == 2000.0
    pace.learn(engine, {}, 0.0)
    assert pace.predict(engine, {}) == 2000.0
    pace.save()


def test_what_is_made_for_a_gpu_is_reckoned_slow_without_one_until_it_was_measured(engine: EngineSpec) -> None:
    pace = Pace(None, "")
    assert pace.predict(engine, {}, slower=100.0) == 200.0
    pace.learn(engine, {}, 6.0)
    assert pace.predict(engine, {}, slower=100.0) == pytest.approx(6.0)


def test_the_executor_learns_from_what_it_made_and_not_from_what_it_found(bench: Bench) -> None:
    calls = [tiny("a", seconds=0.3)]
    bench.executor.run(calls)
    predicted = bench.executor.plan([tiny("b")]).nodes["b"].cost
    assert predicted != pytest.approx(0.1)
    bench.executor.run(calls)
    assert bench.executor.plan([tiny("b")]).nodes["b"].cost == predicted
