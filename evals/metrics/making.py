"""How good what was made is: who is on stage, likeness, words, subtitles, films, and what iteration brought."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

from evals.expect.measuring import measure_file, people_seen, still_of
from evals.expect.seen import Seen
from evals.metrics.base import measured, not_measured, random_models, share, weights_note
from evals.result import Metric

if TYPE_CHECKING:
    from tools.artifact import Artifact

__all__ = ["film_validity", "identity_similarity", "on_stage_count", "quality_after", "quality_before", "speech_wer",
           "subtitle_offset"]  # fmt: skip

FILM_SLACK_S = 0.25
"""Seconds that a film may be off its shots: a frame of each, at 8 frames a second and two shots."""


def _artifacts(seen: Seen, tool: str) -> Iterator[Artifact]:
    """The stored results of a tool that the last turns made, each once."""
    from tools.runtime.storage.store import ArtifactStore

    if not (seen.production / "artifacts").is_dir():
        return
    store = ArtifactStore(seen.production / "artifacts")
    for key in dict.fromkeys(call.key for call in seen.calls if call.tool == tool and call.key):
        if (artifact := store.get(key)) is not None:
            yield artifact


def on_stage_count(seen: Seen) -> Metric:
    """Part of the published pictures that show as many characters as the storyboard places there, 0..1.

    Definition: pictures with the right count / pictures; seen is whose mask fills at least `LEAST_SEEN` of the picture.
    Source: the counting task of Ghosh et al. 2023, "GenEval" (arXiv:2310.11513), by the masks that are drawn with each
    picture instead of a detector: the layout of every engine is drawn by the studio itself.
    """
    name = "on_stage_count"
    values = []
    for shot in (seen.board or {"shots": []})["shots"]:
        if still_of(seen, shot["id"]) is not None:
            values.append(len(people_seen(seen, f"{shot['id']}.png")) == len(shot["placements"]))
    return share(name, values, "no picture was published in the last turn")


def identity_similarity(seen: Seen) -> Metric:
    """Mean likeness of characters to their reference pictures, cosine of ArcFace embeddings, -1..1.

    Source: Deng et al. 2019, "ArcFace" (arXiv:1801.07698), as `compare_faces` measured it while the film was made.
    """
    found = [
        face["similarity"]
        for artifact in _artifacts(seen, "compare_faces") for picture in artifact.output["pictures"]
        for face in picture["faces"].values() if face["similarity"] is not None
    ]  # fmt: skip
    name, unit = "identity_similarity", "cosine"
    why = "no face was compared: that needs a face pack and reference pictures (studio doctor)"
    note = "; ".join(one for one in (f"{len(found)} comparisons", weights_note(seen)) if one)
    return measured(name, fmean(found), unit, note) if found else not_measured(name, why, unit)


def speech_wer(seen: Seen) -> Metric:
    """Word error rate of the spoken lines that were kept: errors / words written, pooled over them (may exceed 1).

    Source: (S + D + I) / N, after the spellings of `tools.transcription.word_errors` are made one; heard by the
    recogniser that listened while the film was made, which the note tells, with what it says of its own hearing. What a
    recogniser with random weights writes down says nothing of the speech, and is not counted.
    """
    from tools.transcription.word_errors import word_errors
    from tools.voice.speakable import clean_line

    dropped = {one["key"] for one in _attempts(seen) if not one["best"]}
    lines = {one.key: one.record.args for one in _artifacts(seen, "synthesize_speech") if one.key not in dropped}
    errors = words = 0.0
    notes: list[str] = []
    deaf: set[str] = set()
    for artifact in _artifacts(seen, "transcribe"):
        line = lines.get(artifact.output["key"])
        if line is None:
            continue
        if artifact.record.models.keys() & random_models(seen):
            deaf.add(artifact.record.engine)
            continue
        found = word_errors(clean_line(line["text"]), artifact.output["text"], line["language"])
        errors, words = errors + found.rate * found.written, words + found.written
        notes += [f"heard by {artifact.record.engine}", *artifact.output["notes"]]
    name, unit = "speech_wer", "errors/word"
    if words:
        return measured(name, errors / words, unit, "; ".join(dict.fromkeys(notes)))
    if deaf:
        return not_measured(
            name, f"{', '.join(sorted(deaf))} listened, with random weights: no word of it counts", unit
        )
    why = "no recogniser listened: that needs one (studio models pull whisper_small)"
    return not_measured(name, why if lines else "nothing was said", unit)


def subtitle_offset(seen: Seen) -> Metric:
    """Median time between the start of a line in the film and the start of the first subtitle after it, seconds.

    Definition: |start of the cue nearest to the line's start - start of the line|, by the timeline that picture and
    sound follow. Source: sync as in the BBC subtitle guidelines (bbc.co.uk/accessibility/forproducts/guides/subtitles).
    """
    from tools.review.subtitles import line_times
    from tools.timeline import SpokenClip

    name, unit = "subtitle_offset", "s"
    offsets: list[float] = []
    clips = {one.key: _clip(one.output) for one in _artifacts(seen, "synthesize_speech")}
    for artifact in list(_artifacts(seen, "write_subtitles"))[-1:]:
        args = artifact.record.args
        keys = [speech["clip"]["key"] if "clip" in speech else speech["key"]
                for shot in args["shots"] for speech in shot["speech"]]  # fmt: skip
        if any(key not in clips for key in keys):
            return not_measured(name, "a spoken line is not in the store", unit)
        lines = line_times(args, [SpokenClip.model_validate(clips[key]) for key in keys]) or []
        cues = [cue["start"] for cue in artifact.output["cues"]]
        offsets = [min(abs(start - cue) for cue in cues) for start, _ in lines if cues]
    return measured(name, median(offsets), unit) if offsets else not_measured(name, "there are no subtitles", unit)


def _clip(output: dict[str, Any]) -> dict[str, Any]:
    from tools.timeline import SpokenClip

    return {key: value for key, value in output.items() if key in SpokenClip.model_fields}


def film_validity(seen: Seen) -> Metric:
    """Part of the published films that are valid, 0..1.

    Definition: every frame and sample decodes, picture and sound are both there, its size is the storyboard's, and it
    lasts as long as its shots or longer where speech asks for it. Headers alone say little: ffprobe takes most broken
    files for good ones, so all of it is decoded.
    """
    from tools.storyboard import ASPECT_SIZES

    board, values = seen.board, []
    for path in seen.last.files.values():
        if not path.endswith(".mp4") or board is None:
            continue
        found = measure_file(seen.folder / path)
        least = sum(shot["duration_s"] for shot in board["shots"]) - FILM_SLACK_S
        right = found.get("pixels") == list(ASPECT_SIZES[board["aspect"]]) and (found.get("seconds") or 0.0) >= least
        values.append(bool(found["decodes"]) and {"video", "audio"} <= set(found["streams"]) and right)
    return share("film_validity", values, "no film was published in the last turn")


def _attempts(seen: Seen) -> list[dict[str, Any]]:
    return [one for turn in seen.turns for one in turn.attempts]


def _mean_score(name: str, scores: list[float]) -> Metric:
    return measured(name, fmean(scores), "0..1") if scores else not_measured(name, "nothing was judged", "0..1")


def quality_before(seen: Seen) -> Metric:
    """Mean score of first attempts, 0..1 (tools/review/scoring.py)."""
    return _mean_score("quality_before", [one["score"] for one in _attempts(seen) if one["number"] == 1])


def quality_after(seen: Seen) -> Metric:
    """Mean score of the attempts that were kept, 0..1: what the quality loop brought is its difference to the former.

    Source: as Madaan et al. 2023, "Self-Refine" (arXiv:2303.17651), tell of the first answer and the last.
    """
    return _mean_score("quality_after", [one["score"] for one in _attempts(seen) if one["best"]])
