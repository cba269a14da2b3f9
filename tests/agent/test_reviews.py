"""What is measured of a result before it is reviewed: only what a ready engine can, and the review takes it in."""

from __future__ import annotations

from agent.compiler import compile_calls
from agent.lineup import Lineup, Part
from agent.reviews import measuring_calls, review_call
from tests.agent.boards import beach, line, shot
from tools.base import Call

READY = Lineup(parts=[Part(tool="transcribe", engine="faster_whisper"), Part(tool="compare_faces", engine="arcface")])


def made(*shots: object) -> dict[str, Call]:
    board = beach(*shots)  # type: ignore[arg-type]
    return {call.id: call for call in compile_calls(board, ["image", "voice"])}


def test_a_line_is_listened_to_where_an_engine_can() -> None:
    call = made(shot("s1", "luca", dialogue=[line("luca", "Ciao!", language="it")]))["s1.line1"]
    heard = measuring_calls(call, READY)["heard"]
    assert (heard.tool, heard.engine, heard.args["language"]) == ("transcribe", "faster_whisper", "it")
    assert heard.needs == [call.id]
    review = review_call(call, beach(), {}, {"heard": heard})
    assert review is not None
    assert set(review.needs) == {call.id, heard.id}
    assert measuring_calls(call, Lineup(parts=[Part(tool="transcribe")])) == {}


def test_faces_are_compared_where_there_are_pictures_to_compare_with() -> None:
    alone = shot("s1", "luca", control=[{"kind": "reference", "image": "luca.png"}])
    faces = measuring_calls(made(alone)["s1.still"], READY)["faces"]
    assert faces.args["references"] == [{"character": "luca", "image": "luca.png"}]
    both = shot("s1", "luca", "alberto", control=[{"kind": "reference", "image": "who.png"}])
    assert measuring_calls(made(both)["s1.still"], READY) == {}, "whose picture it is cannot be told"
    assert measuring_calls(made(alone)["s1.still"], Lineup()) == {}
