from __future__ import annotations

from pathlib import Path

import pytest

from configs.yaml_file import YamlProblem, load_yaml_model
from tools.runtime.scheduling import instances, scene_data
from tools.runtime.scheduling.instances import PRESETS, layered, scene, scene_of_size
from tools.runtime.scheduling.scene_data import SceneData, load_scene_data


def test_the_same_seed_is_the_same_scene() -> None:
    assert scene(6, 3, linked=2, thorough=True) == scene(6, 3, linked=2, thorough=True)
    assert scene(6, 3).known != scene(6, 4).known
    assert layered(50, 1) == layered(50, 1)
    assert layered(50, 1) != layered(50, 2)


@pytest.mark.parametrize("thorough", [False, True])
@pytest.mark.parametrize("linked", [1, 3])
def test_what_is_known_at_last_is_what_was_known_and_what_came(linked: int, thorough: bool) -> None:
    instance = scene(9, 5, linked=linked, thorough=thorough)
    problem = instance.first
    waiting = dict(instance.insertions)
    while waiting:
        verdict = next(name for name in waiting if name in problem.tasks)
        problem = problem.inserted(waiting.pop(verdict))
    assert {name: (task.models, set(task.needs)) for name, task in problem.tasks.items()} == {
        name: (task.models, set(task.needs)) for name, task in instance.known.tasks.items()
    }
    assert instance.insertions.keys() <= instance.feared.keys()


def test_four_pictures_in_ten_are_asked_for_again() -> None:
    retried = verdicts = 0
    for seed in range(40):
        instance = scene(12, seed)
        first = [name for name in instance.known.tasks if name.startswith("judge_") and name.endswith("_1")]
        verdicts += len(first)
        retried += sum(name in instance.insertions for name in first)
    assert retried / verdicts == pytest.approx(0.4, abs=0.04)


def test_sizes_are_as_named() -> None:
    for calls in (30, 50, 100, 200):
        assert 0.75 * calls <= len(scene_of_size(calls, 0).known.tasks) <= calls
    assert len(layered(100, 0, layers=7).tasks) == 100
    assert list(PRESETS.values()) == [12, 24]


def test_models_weigh_what_the_file_says() -> None:
    models = {model.name: model for model in load_scene_data().to_models()}
    assert len(models) == 8
    llm = models["llm"]
    assert (llm.weights, llm.working) == (10_000_000_000, 2_500_000_000)
    assert llm.load_s == pytest.approx(10 / 25 + 0.05)
    assert llm.cold_s == pytest.approx(10 / 2.5)


def test_a_wrong_file_is_told_with_its_line(tmp_path: Path) -> None:
    source = Path(scene_data.__file__).with_name("scene.yaml").read_text("utf-8")
    wrong = tmp_path / "scene.yaml"
    wrong.write_text(source.replace("chance: 0.4", "chance: 4"), "utf-8")
    line = next(number for number, text in enumerate(source.splitlines(), 1) if "chance: 0.4" in text)
    with pytest.raises(YamlProblem, match=f"scene.yaml:{line}: retry.picture.chance"):
        load_yaml_model(wrong, SceneData)


def test_what_stands_in_the_module_is_exported() -> None:
    assert set(instances.__all__) == {"PRESETS", "Scene", "layered", "scene", "scene_of_size"}
