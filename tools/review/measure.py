"""The `measure` engine of `review_artifact`: checks that really run, and a plain word for those that cannot."""

from __future__ import annotations

import hashlib

from pydantic import ValidationError

from tools.artifact import Artifact
from tools.base import Engine, EngineContext
from tools.errors import InvalidInput
from tools.review.limits import LIMITS_FILE, Limits, default_limits
from tools.review.scoring import review_of
from tools.review.tool import Check, ReviewArtifact
from tools.review.verdict import holds

__all__ = ["Measure"]

MAKERS = {
    "image": {"generate_image"},
    "speech": {"synthesize_speech"},
    "music": {"compose_music", "make_ambience"},
    "sound": {"mix_sound", "make_ambience"},
    "subtitles": {"write_subtitles"},
    "shot": {"animate_shot"},
    "film": {"edit_video"},
}
"""By kind of review: the tools whose results it understands."""


class Measure(Engine[ReviewArtifact.Input, ReviewArtifact.Output]):
    """Measures pixels, samples and frames. Needs no model; what only a model can judge is listed as not run."""

    tool, name, version = ReviewArtifact, "measure", "2"

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits

    def fingerprint(self, args: ReviewArtifact.Input) -> str:  # noqa: ARG002
        """Digest of the limits: other limits, other verdicts."""
        if self._limits is not None:
            return hashlib.sha256(self._limits.model_dump_json().encode()).hexdigest()
        return hashlib.sha256(LIMITS_FILE.read_bytes()).hexdigest()

    def run(self, args: ReviewArtifact.Input, ctx: EngineContext) -> ReviewArtifact.Output:
        """Review one artifact. A broken one is not an error: it gets a review that says what is broken.

        Raises:
            InvalidInput: the subject is of another kind than `args.kind`.
        """
        limits = self._limits or default_limits()
        subject = ctx.open(args.subject)
        maker = subject.record.tool
        if maker not in MAKERS[args.kind]:
            raise InvalidInput(f"{maker} makes nothing that is reviewed as {args.kind}", where="kind")
        try:
            checks = _checks(args, subject, ctx, limits)
        except ValidationError as error:
            # What the engine returned is not what its tool declares: nothing in it can be relied on.
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            checks = [holds("readable", False, f"the record of {maker} is malformed: {where}: {first['msg']}")]
        ctx.progress(1.0, "reviewed")
        return review_of(checks, limits)


def _checks(args: ReviewArtifact.Input, subject: Artifact, ctx: EngineContext, limits: Limits) -> list[Check]:
    # Each subject brings its own libraries (skia, scipy, av): only the one at hand is imported.
    speech = [ctx.open(ref) for ref in args.speech]
    seen = ctx.open(args.seen) if args.seen else None
    if args.kind == "image":
        from tools.review.image import review_image

        faces = ctx.open(args.faces) if args.faces else None
        return review_image(args, subject, limits, faces, seen)
    if args.kind == "speech":
        from tools.review.speech import review_speech

        return review_speech(args, subject, limits, ctx.open(args.heard) if args.heard else None)
    if args.kind == "subtitles":
        from tools.review.subtitles import review_subtitles

        return review_subtitles(subject, speech, limits)
    if args.kind in ("music", "sound"):
        from tools.review.sound import review_bed, review_mix

        mixed = subject.record.tool == "mix_sound"
        return review_mix(args, subject, limits) if mixed else review_bed(args, subject, limits)
    from tools.review.film import review_film, review_shot

    def watched(fraction: float) -> None:
        ctx.progress(fraction, "watching")

    if args.kind == "shot":
        return review_shot(args, subject, speech, limits, watched, seen)
    return review_film(args, subject, speech, limits, watched)
