"""Whether a line is understood: what a recogniser heard against what was written, or plainly not run."""

from __future__ import annotations

from tools.artifact import Artifact
from tools.errors import InvalidInput
from tools.review.limits import SpeechLimits
from tools.review.tool import Check
from tools.review.verdict import Levers, below, not_run, share
from tools.transcription.tool import Transcribe
from tools.transcription.word_errors import word_errors
from tools.voice.speakable import clean_line

__all__ = ["check_intelligibility"]

NEEDS = (
    "a speech recogniser: `studio models pull whisper_turbo` (or whisper_large_v3; whisper_small without a GPU), "
    "which then listens to every line"
)


def check_intelligibility(
    text: str, language: str, subject: Artifact, heard: Artifact | None, limits: SpeechLimits, fix: Levers
) -> Check:
    """Word error rate of a line, as `transcribe` heard it.

    Args:
        text, language: of the line as it was written.
        subject: the spoken line.
        heard: result of `transcribe` about it; None: nobody listened.
        fix: what to change where it is not understood.

    Raises:
        InvalidInput: `heard` is something else, or about another recording.
    """
    if heard is None:
        return not_run("intelligibility", NEEDS)
    if heard.record.tool != "transcribe":
        raise InvalidInput(f"{heard.record.tool} writes down nothing that was said", where="heard")
    transcript = Transcribe.Output.model_validate(heard.output)
    if transcript.key != subject.key:
        raise InvalidInput("the transcript is about another recording than this one", where="heard")
    if transcript.language and transcript.language != language:
        return not_run("intelligibility", f"a transcript in {language!r}; it was heard as {transcript.language!r}")
    found = word_errors(clean_line(text), transcript.text, language)
    # One wrong word of a short line is what recognisers do with names.
    limit = max(limits.max_word_errors, 1 / found.written if found.written > 1 else 0.0)
    told = f"{share(found.rate)} of {found.written} words were heard wrong, {share(limit)} at most"
    if found.missed:
        first, second = found.missed[0]
        told += f"; {first or 'nothing'!r} was heard as {second or 'nothing'!r}"
    return below("intelligibility", found.rate, limit, told, fix=fix)
