"""Lines of a journal: what is written is read back, what is damaged is never believed."""

from __future__ import annotations

import json
import random
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.runtime.jobs.records import Failure, decode, encode, replay, salt_of

SALT = salt_of("beach")


def lines(*items: list[Any], job: str = "beach") -> bytes:
    return b"".join(encode(json.dumps(item).encode(), salt_of(job)) for item in items)


def call(name: str, **args: Any) -> dict[str, Any]:
    return {"id": name, "tool": "tiny", "args": {"text": name, **args}, "engine": "", "seed": 0, "stage": 0}


HEADER = ["journal", 1, "beach", {"kind": "calls"}]
GRAPH = [HEADER, ["call", 0, call("a")], ["call", 1, call("b")], ["batch", 0, 2]]


def test_a_journal_says_what_happened() -> None:
    history = replay(
        lines(
            *GRAPH, ["state", "running", "", {"pid": 7}], ["run", 0], ["ok", 0, "k" * 40], ["run", 1],
            ["err", 1, "EngineHung", "no sign", "wait"], ["run", 1],
        ),
        "beach",
    )  # fmt: skip
    assert [one.id for one in history.graph] == ["a", "b"]
    assert history.committed == {"a": "k" * 40}
    assert (history.running, history.failed) == ({"b"}, {})
    assert (history.state, history.facts, history.starts, history.ended) == ("running", {"pid": 7}, 1, False)
    assert (history.job_id, history.about, history.next_number) == ("beach", {"kind": "calls"}, 2)
    assert (history.damaged, history.lost) == (0, [])


def test_an_error_is_kept_until_the_call_is_made_again() -> None:
    graph = [*GRAPH, ["err", 1, "BadOutput", "blank", ""]]
    assert replay(lines(*graph), "beach").failed == {"b": Failure("BadOutput", "blank")}
    assert replay(lines(*graph, ["ok", 1, "k"]), "beach").failed == {}


def test_a_call_asked_for_anew_forgets_what_became_of_the_old_one() -> None:
    anew = [["call", 2, call("a", more=1)], ["batch", 2, 1]]
    history = replay(lines(*GRAPH, ["ok", 0, "k"], *anew), "beach")
    assert history.committed == {}
    assert [one.args.get("more") for one in history.graph] == [None, 1]
    late = replay(lines(*GRAPH, *anew, ["ok", 0, "k"]), "beach")
    assert late.committed == {}, "the old call's result is not the new one's"


def test_calls_without_their_batch_are_not_accepted() -> None:
    history = replay(lines(*GRAPH[:-1]), "beach")
    assert (history.graph, history.state) == ([], None)
    assert history.next_number == 2, "their numbers are not used again"


def test_a_lost_call_is_told() -> None:
    data = lines(*GRAPH)
    at = data.index(b'"text": "b"')
    history = replay(data[:at] + b"X" + data[at + 1 :], "beach")
    assert (history.lost, history.damaged) == ([1], 1)


def test_lines_of_another_job_are_none_of_ours() -> None:
    assert replay(lines(*GRAPH, job="city"), "beach").graph == []


@pytest.mark.parametrize(
    "item",
    [
        [], ["run"], ["run", -1], ["run", "0"], ["run", 99], ["ok", 0, 5], ["err", 0, "X", "y"],
        ["state", "flying", "", {}],
        ["batch", 0, 10**12], ["call", 0, {"id": 5}], ["call", 0, []], ["unknown", 1], [None], "text", {"a": 1}, 5,
    ],
)  # fmt: skip
def test_a_sound_line_of_a_wrong_shape_is_passed_over(item: Any) -> None:
    expected = replay(lines(*GRAPH), "beach")
    found = replay(lines(*GRAPH, item), "beach")
    assert (found.calls, found.state, found.running) == (expected.calls, expected.state, expected.running)


def test_deep_json_harms_nobody() -> None:
    body = b"[" * 100_000 + b"]" * 100_000
    assert decode(encode(body, SALT), SALT)[0] == []


@given(st.integers(0, 10**6), st.integers(0, 4), st.binary(max_size=60))
def test_a_torn_end_costs_what_is_torn_and_nothing_else(cut: int, kind: int, rest: bytes) -> None:
    items: list[list[Any]] = [*GRAPH, *(["ok", n, f"{n}" * 40] for n in (0, 1))]
    data = lines(*items)
    cut %= len(data) + 1
    tail = [b"", bytes(len(rest)), rest, rest + b"\n", data[:20]][kind]
    found, end, _ = decode(data[:cut] + tail, SALT)
    whole = data[:cut].count(b"\n")
    assert found[:whole] == items[:whole]
    assert len(found) <= whole + 1
    assert end >= len(b"".join(data.splitlines(keepends=True)[:whole]))


def test_flipped_bits_are_found_or_harmless() -> None:
    """A hundred single flips: never another history than one with lines missing."""
    items: list[list[Any]] = [*GRAPH, ["state", "running", "", {}], ["ok", 0, "a" * 40], ["ok", 1, "b" * 40]]
    data = lines(*items)
    rng = random.Random(0)
    for _ in range(100):
        at, bit = rng.randrange(len(data)), rng.randrange(8)
        found, _, _ = decode(data[:at] + bytes([data[at] ^ (1 << bit)]) + data[at + 1 :], SALT)
        assert all(item in items for item in found)
        assert len(items) - 2 <= len(found) <= len(items) - 1 + (at == len(data) - 1)


def test_control_without_the_check_a_flipped_bit_is_believed() -> None:
    data = lines(*GRAPH, ["ok", 0, "a" * 40])
    at = data.rindex(b"aaaa")
    torn = bytearray(data)
    torn[at] ^= 1
    line = bytes(torn).splitlines()[-1]
    assert json.loads(line[9:]) != ["ok", 0, "a" * 40]
    assert int(line[:8], 16) != zlib.crc32(line[9:], SALT)
