"""A folder of one's own, looked through before anything is made of it: mistakes are told with file, line and field."""

from __future__ import annotations

from configs.own import OWN_VARIABLE, own_file, own_folder, own_places
from configs.yaml_file import YamlProblem
from tools.errors import InvalidInput

__all__ = ["check_own", "tell_own"]


def check_own() -> dict[str, str]:
    """See that the sheets, voices and places of the folder can be used; what there is, by kind, for people.

    Nothing is imported or read where `STUDIO_OWN` names no folder, or the folder lacks these files.

    Raises:
        InvalidInput: one of them cannot; file, line and field.
    """
    found: dict[str, str] = {}
    try:
        if own_folder() is None:
            return found
        if own_file("characters.yaml") is not None:
            from tools.layout.casting import check_looks

            found["characters"] = ", ".join(check_looks())
        if found or own_file("voices.yaml") is not None:
            from configs.voices import load_voices
            from tools.voice.timbre import check_own_timbres

            load_voices()
            found |= {"voices": ", ".join(names)} if (names := check_own_timbres()) else {}
        if places := own_places():
            from tools.layout.places import load_place

            found["places"] = ", ".join(places)
            for place in places:
                load_place(place)
    except YamlProblem as problem:
        raise InvalidInput(problem.message, where=problem.where) from None
    return found


def tell_own() -> tuple[dict[str, str], bool]:
    """What the folder holds, for `studio doctor`, and whether all of it can be used."""
    try:
        found = check_own()
        folder = own_folder()
        return ({"folder": str(folder), **found} if folder else {}), True
    except InvalidInput as problem:
        return {OWN_VARIABLE: f"broken: {problem}"}, False
