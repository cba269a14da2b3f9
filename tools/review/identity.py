"""Whether the faces are the characters': from a comparison that was made, or plainly not run."""

from __future__ import annotations

from collections.abc import Iterator

from tools.artifact import Artifact
from tools.errors import InvalidInput
from tools.identity.tool import CompareFaces, FaceMatch
from tools.review.stage import Person
from tools.review.tool import Check
from tools.review.verdict import above, not_run

__all__ = ["check_identity"]

_NEEDS = "reference pictures of {name} and the face model ArcFace; to have it: studio models path arcface FOLDER"


def check_identity(people: list[Person], subject: Artifact, faces: Artifact | None) -> Iterator[Check]:
    """One check a character: measured where `compare_faces` looked at this picture, else not run and why.

    Args:
        faces: result of `compare_faces`, which took this picture in; None: it was not run.

    Raises:
        InvalidInput: it is something else, or is about other pictures.
    """
    matches: dict[str, FaceMatch] = {}
    if faces is not None:
        if faces.record.tool != "compare_faces":
            raise InvalidInput(f"{faces.record.tool} compares no faces", where="faces")
        compared = CompareFaces.Output.model_validate(faces.output).pictures
        found = next((picture for picture in compared if picture.key == subject.key), None)
        if found is None:
            raise InvalidInput("the comparison is about other pictures than this one", where="faces")
        matches = found.faces
    for person in people:
        yield _check(person, matches.get(person.id))


def _check(person: Person, match: FaceMatch | None) -> Check:
    name = f"identity.{person.id}"
    if match is None:
        return not_run(name, _NEEDS.format(name=person.name))
    if match.similarity is None:
        return Check(name=name, status="not_run", score=None, detail=match.detail)
    return above(name, max(match.similarity, 0.0), match.threshold, match.detail, fix={"take": 1})
