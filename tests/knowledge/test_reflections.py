"""Lessons in words: kept once, counted, bounded, recalled for requests like theirs, whoever else is learning."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from knowledge.reflections import MOST_KEPT, Reflection, Reflections


def lesson(text: str, request: str = "Luca and Alberto race at the harbour", **more: object) -> Reflection:
    fields = {"request": Reflection.words(request), "about": ("luca", "harbour"), "cause": "checks", "text": text}
    return Reflection.model_validate({**fields, **more})


@pytest.fixture
def kept(tmp_path: Path) -> Reflections:
    return Reflections(tmp_path / "lessons" / "reflections.jsonl")


def test_a_lesson_is_kept_once_and_counted(kept: Reflections) -> None:
    assert kept.all() == []
    assert kept.learn([lesson("Frame it closer.")]) == [lesson("Frame it closer.")]
    assert kept.learn([lesson("Frame it closer."), lesson("Set people apart.")]) == [lesson("Set people apart.")]
    assert {one.text: one.times for one in kept.all()} == {"Frame it closer.": 2, "Set people apart.": 1}


def test_it_is_recalled_for_a_request_like_it_and_for_no_other(kept: Reflections) -> None:
    kept.learn([lesson("Frame it closer.")])
    found = kept.similar("Alberto and Luca race to the harbour at night", ["luca", "harbour"])
    assert [one.text for one in found] == ["Frame it closer."]
    assert kept.similar("Giulia reads a book in the kitchen", ["giulia", "kitchen"]) == []


def test_the_file_is_bounded_and_a_damaged_line_costs_itself_alone(kept: Reflections) -> None:
    kept.learn([lesson(f"lesson {number}") for number in range(MOST_KEPT + 20)])
    assert len(kept.all()) == MOST_KEPT
    assert kept.all()[-1].text == f"lesson {MOST_KEPT + 19}"
    kept.path.write_text(kept.path.read_text()[:-30] + "\n{}\n[1]\n")
    assert len(kept.all()) == MOST_KEPT - 1


def test_no_lesson_is_lost_where_several_learn_at_once(kept: Reflections) -> None:
    problems: list[BaseException] = []

    def work(worker: int) -> None:
        try:
            for number in range(10):
                Reflections(kept.path).learn([lesson(f"{worker} {number}")])
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert problems == []
    assert len(kept.all()) == 40
