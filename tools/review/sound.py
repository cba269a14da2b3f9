"""Music, ambience and the finished mix: they sound, without clicks or holes, as loud and as long as asked."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from tools.artifact import Artifact
from tools.errors import BadOutput
from tools.music.tool import ComposeMusic, MakeAmbience, MixSound
from tools.review.limits import Limits, Range, SoundLimits
from tools.review.speech import check_not_clipped
from tools.review.tool import Check, ReviewArtifact
from tools.review.verdict import below, between, holds
from tools.review.waveform import Sounding, measure_wav

__all__ = [
    "check_as_long_as_asked",
    "check_level",
    "check_no_dropouts",
    "check_sounds",
    "check_speech_heard",
    "review_bed",
    "review_mix",
]


def check_sounds(heard: Sounding, limits: SoundLimits) -> Check:
    """There is sound at all."""
    loud = heard.sounding_from_to(limits.silence_db) is not None
    detail = f"peak {heard.peak_db:.0f} dBFS" if loud else "silent from beginning to end"
    return holds("present", loud, detail, fix={"seed": 1})


def check_level(heard: Sounding, allowed: Range, target: float | None) -> Check:
    """Integrated loudness; where the caller can set a target, by how much to move it."""
    told = f"loudness {heard.lufs:.1f} LUFS, between {allowed.low:g} and {allowed.high:g}"
    fix: dict[str, float | str] = {"seed": 1}
    if target is not None and heard.lufs > -70:
        middle = (allowed.low + allowed.high) / 2
        fix = {"target_lufs": round(min(-9.0, max(-30.0, target + middle - heard.lufs)), 2)}
    return between("loudness", heard.lufs, allowed.low, allowed.high, told, span=12.0, fix=fix)


def check_as_long_as_asked(heard: Sounding, wanted_s: float, slack_s: float) -> Check:
    """As long as asked."""
    difference = abs(heard.duration_s - wanted_s)
    told = f"lasts {heard.duration_s:.2f} s, {wanted_s:.2f} s were asked"
    return holds("length", difference <= slack_s, told, score=1 - difference / max(wanted_s, 1e-6), fix={"seed": 1})


def check_no_dropouts(heard: Sounding, limits: SoundLimits) -> Check:
    """No hole of silence in what should go on."""
    found = heard.longest_silence_s(limits.silence_db)
    told = f"longest silence {found:.2f} s, at most {limits.max_dropout_s:g} s"
    return below("no_dropouts", found, limits.max_dropout_s, told, fix={"seed": 1})


def check_speech_heard(heard: Sounding, speech: list[tuple[float, float]], limits: SoundLimits) -> Check:
    """Every line is in the mix, at the time that its record says."""
    levels = [heard.level_db(start, end) for start, end in speech]
    lost = [number for number, level in enumerate(levels, 1) if level < limits.min_speech_db]
    late = [number for number, (_, end) in enumerate(speech, 1) if end > heard.duration_s + 0.05]
    wrong = [f"line {number} is not heard ({levels[number - 1]:.0f} dBFS)" for number in lost]
    wrong += [f"line {number} ends after the sound" for number in late]
    softest = f"the softest of {len(levels)} lines has {min(levels):.0f} dBFS" if levels else "nothing is said"
    detail = "; ".join(wrong) or f"{softest}, at least {limits.min_speech_db:g}"
    return holds("speech_heard", not wrong, detail, score=1 - len(wrong) / max(1, len(levels)), fix={"seed": 1})


def review_bed(args: ReviewArtifact.Input, subject: Artifact, limits: Limits) -> list[Check]:
    """Every check of a `compose_music` or `make_ambience` result."""
    model = {"make_ambience": MakeAmbience.Output}.get(subject.record.tool, ComposeMusic.Output)
    heard = _measure(subject, model)
    if isinstance(heard, Check):
        return [heard]
    wanted = args.expect_duration_s or subject.record.args.get("duration_s")
    allowed = limits.sound
    checks = [
        holds("readable", True, "reads to its end"),
        check_sounds(heard, allowed),
        check_not_clipped(heard, limits.speech.clipped_run),
        check_level(heard, allowed.bed_loudness, None),
        check_no_dropouts(heard, allowed),
    ]
    return checks + ([check_as_long_as_asked(heard, float(wanted), allowed.length_slack_s)] if wanted else [])


def review_mix(args: ReviewArtifact.Input, subject: Artifact, limits: Limits) -> list[Check]:
    """Every check of a `mix_sound` result."""
    heard = _measure(subject, MixSound.Output)
    if isinstance(heard, Check):
        return [heard]
    made = MixSound.Output.model_validate(subject.output)
    call = subject.record.args
    allowed = limits.sound
    checks = [
        holds("readable", True, f"{made.file} reads to its end"),
        check_sounds(heard, allowed),
        _unclipped_mix(heard, limits, float(call.get("target_lufs", -16.0))),
        _mix_level(heard, made, call, allowed),
        check_as_long_as_asked(heard, args.expect_duration_s or made.duration_s, allowed.length_slack_s),
    ]
    if made.speech and call.get("voices", True):
        checks.append(check_speech_heard(heard, made.speech, allowed))
    if _covered(call):
        checks.append(check_no_dropouts(heard, allowed))
    return checks


def _mix_level(heard: Sounding, made: MixSound.Output, call: dict[str, Any], allowed: SoundLimits) -> Check:
    spoken = bool(made.speech) and call.get("voices", True)
    if spoken or call.get("music"):
        return check_level(heard, allowed.mix_loudness, float(call.get("target_lufs", -16.0)))
    return check_level(heard, allowed.ambience_loudness, None)


def _unclipped_mix(heard: Sounding, limits: Limits, target: float) -> Check:
    check = check_not_clipped(heard, limits.speech.clipped_run)
    return check if check.status == "passed" else check.model_copy(update={"fix": {"target_lufs": target - 1.5}})


def _covered(call: dict[str, Any]) -> bool:
    """Whether music or ambience was asked for under every shot: only then is silence a fault."""
    shots: set[int] = set()
    for bed in [*call.get("music", []), *call.get("ambience", [])]:
        shots |= set(range(bed["first"], bed["last"] + 1))
    return bool(shots) and shots >= set(range(len(call.get("shots", []))))


def _measure(subject: Artifact, model: type[BaseModel]) -> Sounding | Check:
    file = model.model_validate(subject.output).model_dump()["file"]
    try:
        return measure_wav(subject.file(file))
    except BadOutput as error:
        return holds("readable", False, error.message, fix={"seed": 1})
