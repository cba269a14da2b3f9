"""Hostile and clumsy YAML: every file ends in a model or in one line that names the file and the line."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from configs.yaml_file import MAX_BYTES, YamlProblem, load_yaml_model, parse_yaml


class Note(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: str
    count: int = 0


MALFORMED = {
    "a list as a key": ("? [a, b]\n: c\n", ":1", "plain text"),
    "a key twice": ("title: x\ntitle: y\n", ":2", "twice"),
    "an empty integer": ('title: x\ncount: !!int ""\n', ":2", "is no int"),
    "an empty float": ('title: !!float ""\n', ":1", "is no float"),
    "no truth value": ("title: !!bool maybe\n", ":1", "is no bool"),
    "no time": ("title: !!timestamp soon\n", ":1", "is no timestamp"),
    "no such day": ("title: 2026-02-31\n", ":1", "is no timestamp"),
    "an endless number": ("title: x\ncount: " + "9" * 6000, ":2", "is no int"),
    "a command": ('title: !!python/object/apply:os.system ["id"]\n', ":1", "constructor"),
    "a circle": ("title: &a [*a]\n", ":1", "too much"),
    "a deep list": ("[" * 50_000, ":1", "too deeply"),
    "a deep mapping": ("{a: " * 50_000, ":1", "too deeply"),
    "deep dashes": ("- " * 50_000, ":1", "too deeply"),
    "a zero byte": ("title: a\0b\n", "", "control characters"),
    "two documents": ("a: 1\n---\nb: 2\n", ":2", "another document"),
    "nothing": ("", ":1", "mapping"),
    "a field of the wrong kind": ("title: x\ncount: many\n", ":2", "integer"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_files_name_the_line(name: str, tmp_path: Path) -> None:
    text, line, words = MALFORMED[name]
    path = tmp_path / "note.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(YamlProblem) as caught:
        load_yaml_model(path, Note)
    assert caught.value.where == f"{path}{line}"
    assert words in caught.value.message
    assert "\n" not in str(caught.value)


def test_a_bomb_of_anchors_is_refused() -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    with pytest.raises(YamlProblem, match="repeats too much"):
        parse_yaml("\n".join(lines), "bomb.yaml")


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path, Path("/dev/zero"), Path("/dev/null")):
        with pytest.raises(YamlProblem, match=r"is not a file|is a folder"):
            load_yaml_model(path, Note)
    for missing in (tmp_path / "none", tmp_path / ("x" * 300)):
        with pytest.raises(YamlProblem):
            load_yaml_model(missing, Note)


def test_a_large_file_is_refused_unparsed(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    path.write_bytes(b"a" * (MAX_BYTES + 1))
    with pytest.raises(YamlProblem, match="larger than 2 MB"):
        load_yaml_model(path, Note)


def test_other_line_ends_and_a_mark_at_the_start_are_read(tmp_path: Path) -> None:
    path = tmp_path / "note.yaml"
    path.write_bytes(b"\xef\xbb\xbftitle: |\r\n  one\r\n  two\r\n")
    assert load_yaml_model(path, Note).title == "one\ntwo\n"


@given(st.text(alphabet="[]{}:,-?!&*|>'\"# \nab1\t%@`", max_size=60))
def test_any_text_is_data_or_a_problem(text: str) -> None:
    # Anything but a problem fails the test.
    with suppress(YamlProblem):
        parse_yaml(text, "any.yaml")
