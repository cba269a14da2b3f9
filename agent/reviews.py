"""The calls of the quality loop: what reviews a result, and what is measured of it before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.lineup import Lineup
from configs.characters import load_characters
from tools.base import Call
from tools.storyboard import CastMember, Shot, Storyboard

__all__ = ["measuring_calls", "review_call"]

_REVIEWED = {
    "generate_image": "image",
    "synthesize_speech": "speech",
    "compose_music": "music",
    "make_ambience": "music",
    "mix_sound": "sound",
    "write_subtitles": "subtitles",
    "animate_shot": "shot",
    "edit_video": "film",
}


def measuring_calls(call: Call, lineup: Lineup) -> dict[str, Call]:
    """Calls that measure a result by a model before it is reviewed, by the argument of the review that takes them in.

    Args:
        call: whose result is looked at.
        lineup: says which engines of these tools are ready; none are, where no model of theirs is on this machine.
    """
    found: dict[str, Call] = {}
    if call.tool == "generate_image" and (engine := lineup.engine("compare_faces")):
        references = _references(call)
        if references:
            args: dict[str, Any] = {"pictures": [_ref(call.id)], "references": references}
            found["faces"] = Call(
                id=f"{call.id}.faces", tool="compare_faces", args=args, engine=engine, stage=call.stage
            )
    if engine := _eyes(call, lineup):
        found["seen"] = Call(
            id=f"{call.id}.seen", tool="see_picture", args=_what_to_see(call, lineup), engine=engine, stage=call.stage
        )
    if call.tool == "synthesize_speech" and (engine := lineup.engine("transcribe")):
        args = {"audio": _ref(call.id), "language": call.args["language"]}
        found["heard"] = Call(id=f"{call.id}.heard", tool="transcribe", args=args, engine=engine, stage=call.stage)
    return found


def _eyes(call: Call, lineup: Lineup) -> str:
    """The engine that looks at a result; empty where none does. A moving shot is looked at where a model painted it:
    the drawn ones and those that move a still show what the still shows."""
    engine = lineup.engine("see_picture")
    if call.tool == "animate_shot":
        part = lineup.part("animate_shot")
        return engine if part is not None and not part.embedded else ""
    return engine if call.tool == "generate_image" else ""


def _what_to_see(call: Call, lineup: Lineup) -> dict[str, Any]:
    """The arguments of `see_picture` for a picture or a moving shot."""
    part = lineup.part(call.tool)
    # What the eyes are told: not for an agent that has made nothing yet.
    from tools.review.limits import default_limits
    from tools.seeing.rubric import rubric_of_shot

    limits = default_limits().meaning
    rubric = rubric_of_shot(
        Shot.model_validate(call.args["shot"]),
        [CastMember.model_validate(member) for member in call.args["cast"]],
        load_characters(),
        call.args["style"],
        drawn=part is None or part.embedded,
        levers=part.levers if part else (),
    )
    given = {"picture": _ref(call.id), "rubric": rubric.model_dump(mode="json")}
    return {**given, "threshold": limits.min_overall, "margin": limits.margin}


def _references(call: Call) -> list[dict[str, str]]:
    """Pictures of the people in a shot: of characters.yaml, and what was given with a shot that shows one alone."""
    sheets = load_characters()
    people = [placement["character"] for placement in call.args["shot"]["placements"]]
    given = [control["image"] for control in call.args["shot"]["control"] if control["kind"] == "reference"]
    found = [(who, image) for who in people if who in sheets for image in sheets[who].references]
    if len(people) == 1:
        found += [(people[0], image) for image in given]
    return [{"character": who, "image": image} for who, image in found]


def review_call(
    call: Call, storyboard: Storyboard, durations: Mapping[str, float], measured: Mapping[str, Call] | None = None
) -> Call | None:
    """The call that reviews the result of `call`; None for what has no review.

    Args:
        call: of `compile_calls`.
        storyboard: what was asked for.
        durations: by call id, the lengths in seconds of the moving shots that are finished.
        measured: of `measuring_calls`.
    """
    kind = _REVIEWED.get(call.tool)
    if kind is None:
        return None
    args: dict[str, Any] = {"kind": kind, "subject": _ref(call.id)}
    args |= {name: _ref(one.id) for name, one in (measured or {}).items()}
    if kind in ("image", "shot"):
        args |= {"shot": call.args["shot"], "cast": call.args["cast"]}
        args["expect_size"] = [call.args["width"], call.args["height"]]
    if kind == "music":
        args["expect_duration_s"] = call.args["duration_s"]
    if kind == "shot":
        args |= {"speech": call.args["speech"], "expect_streams": ["video"]}
    if kind == "subtitles":
        args["speech"] = [ref for shot in call.args["shots"] for ref in shot["speech"]]
    if kind == "film":
        total = sum(durations[ref["call"]] for ref in call.args["shots"] if ref["call"] in durations)
        streams = ["video"] + (["audio"] if call.args["sound"] else [])
        streams += ["subtitles"] if call.args["subtitles"] else []
        # Held against its mix, the film's sound and subtitles show any shift.
        args["speech"] = [call.args["sound"]] if call.args["sound"] else []
        args |= {"expect_duration_s": total, "expect_streams": streams, "expect_size": list(storyboard.size)}
    return Call(id=f"{call.id}.review", tool="review_artifact", args=args, stage=call.stage)


def _ref(call_id: str) -> dict[str, str]:
    return {"call": call_id, "key": ""}
