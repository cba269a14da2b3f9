"""The storyboard: YAML that reads well, errors with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.agent.boards import beach
from tools.errors import InvalidInput
from tools.storyboard import load_storyboard, save_storyboard, slugify


def test_a_round_trip_changes_nothing(tmp_path: Path) -> None:
    save_storyboard(beach(), tmp_path / "storyboard.yaml")
    assert load_storyboard(tmp_path / "storyboard.yaml") == beach()


BROKEN = {
    "unknown field": ("  framing: wide", "  framign: wide", "framign"),
    "unknown framing": ("  framing: wide", "  framing: huge", "framing"),
    "number out of range": ("    x: 0.3", "    x: 7", "x"),
    "unknown character": ("  - character: luca\n    text", "  - character: bruno\n    text", "not in the cast"),
    "slug that climbs": ("- id: s1", "- id: ../../etc", "id"),
    "a key twice": ("title: Test beach", "title: Test beach\ntitle: again", "twice"),
    "not yaml": ("title: Test beach", "title: [Test", "expected"),
    "a tab": ("title: Test beach", "\ttitle: x", "token"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_an_error_names_the_file_the_line_and_the_field(name: str, tmp_path: Path) -> None:
    path = tmp_path / "storyboard.yaml"
    save_storyboard(beach(), path)
    text = path.read_text(encoding="utf-8")
    old, new, told = BROKEN[name]
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InvalidInput) as caught:
        load_storyboard(path)
    message = str(caught.value)
    assert f"{path}:" in message
    assert told in message
    assert "\n" not in message


def test_the_line_is_the_right_one(tmp_path: Path) -> None:
    path = tmp_path / "storyboard.yaml"
    save_storyboard(beach(), path)
    lines = path.read_text(encoding="utf-8").splitlines()
    number = next(i for i, line in enumerate(lines, 1) if line.startswith("  camera:"))
    lines[number - 1] = "  camera: drone"
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(InvalidInput, match=rf"storyboard\.yaml:{number}: .*camera"):
        load_storyboard(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"- a\n- b\n",
        b"\xff\xfe\x00",
        b"a: &a [x, x]\nb: &b [*a, *a]\n" + b"".join(b"c%d: &c%d [*b, *b]\n" % (i, i) for i in range(3)),
        b"a: " + b"[" * 5000,
        b"!!python/object/apply:os.system ['true']\n",
    ],
)
def test_hostile_yaml_is_an_error_not_an_event(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "storyboard.yaml"
    path.write_bytes(content)
    with pytest.raises(InvalidInput):
        load_storyboard(path)


def test_a_billion_laughs_ends_at_once(tmp_path: Path) -> None:
    rows = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    rows += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    path = tmp_path / "bomb.yaml"
    path.write_text("\n".join(rows), encoding="utf-8")
    with pytest.raises(InvalidInput, match="repeats too much"):
        load_storyboard(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"nowhere\.yaml: there is no such file"):
        load_storyboard(tmp_path / "nowhere.yaml")


@given(st.text(max_size=100))
def test_a_slug_is_always_safe_in_a_path(text: str) -> None:
    slug = slugify(text)
    assert slug
    assert set(slug) <= set("abcdefghijklmnopqrstuvwxyz0123456789_")
    assert len(slug) <= 48
