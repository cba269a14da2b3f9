"""Names and sentences put together, in English and Italian."""

from __future__ import annotations

from collections.abc import Sequence

from agent.intent import Intent
from agent.planners.offline.direction import Direction, FormsByTongue, Tongue
from agent.planners.offline.text import fold
from agent.planners.offline.wordlists import words
from tools.storyboard import CastMember, Language, Shot, TimeOfDay

__all__ = ["about", "join_names", "short_name", "title_of", "tongue_of", "tongue_of_language"]


def tongue_of(intent: Intent) -> Tongue:
    """The language to answer in."""
    return tongue_of_language(intent.language)


def tongue_of_language(language: Language) -> Tongue:
    """Italian for Italian, English for all others."""
    return "it" if language == "it" else "en"


def short_name(member: CastMember) -> str:
    """What a character is called: the first name of a full name; one who is described, with the article."""
    parts = member.name.split()
    described = member.look.description.lower() if member.look and not member.known else ""
    article = described.split(" ", 1)[0]
    if article in words("one_article") and described.startswith(f"{article} {member.name.lower()}"):
        return f"{article} {member.name.lower()}"
    if member.name.lower() in described:
        return member.name
    titled = fold(parts[0]) + "." in words("honorifics") or fold(parts[0]) in words("before_surname")
    if len(parts) == 2 and all(part[:1].isupper() for part in parts) and not titled:
        return parts[0]
    return member.name


def join_names(names: Sequence[str], direction: Direction, tongue: Tongue) -> str:
    """`Luca`, `Luca and Alberto`, `Luca, Alberto and Giulia`."""
    if len(names) < 2:
        return "".join(names)
    word = direction.phrases.words["and"].of(tongue)
    # Italian says "ed" before an e: Luca ed Elena.
    if tongue == "it" and names[-1][:1].lower() == "e":
        word = "ed"
    return f"{', '.join(names[:-1])} {word} {names[-1]}"


def about(forms: FormsByTongue, names: Sequence[str], direction: Direction, tongue: Tongue) -> str:
    """A sentence about these people, with the verb in the right number; begins with a capital."""
    form = forms.of(tongue)
    text = (form.many if len(names) > 1 else form.one).format(who=join_names(names, direction, tongue))
    return text[:1].upper() + text[1:]


def _somewhere(place_words: str, direction: Direction, tongue: Tongue) -> str:
    """`in the cave`, `on the moon`, `in Camogli`; empty in Italian, where the preposition hangs on the gender."""
    phrases, first = direction.phrases.words, place_words.split()[0]
    if first[:1].isupper() and not place_words.isupper():
        return phrases["in_town"].of(tongue).format(place=place_words)
    if tongue == "it":
        return ""
    last = fold(place_words.split()[-1])
    whole = fold(place_words)
    form = next(
        (
            form
            for form, known in (("at_bare", "bare_places"), ("at_thing", "stood_at"), ("on_thing", "stood_on"))
            if {last, whole} & words(known)
        ),
        "in_thing",
    )
    return phrases[form].of(tongue).format(place=place_words.lower())


def title_of(
    names: Sequence[str], shot: Shot, place_words: str, direction: Direction, tongue: Tongue, overlay: str = ""
) -> str:
    """A title from who, where and when: `Luca and Alberto at the beach at sunset`; a title card's is its own text."""
    if overlay:
        return " ".join(overlay.split())[:120]
    phrases = direction.phrases
    place = direction.place(shot.location)
    time: TimeOfDay = shot.time_of_day
    when = phrases.times_in_title[time].of(tongue)
    named = _somewhere(place_words, direction, tongue) if place_words else ""
    if not names:
        where = place_words or (place.names.of(tongue) if place else shot.location.replace("_", " "))
    else:
        where = named or (place.in_title.of(tongue) if place and not place_words else "")
    who = join_names(names, direction, tongue)
    if len(names) > 3:
        who = f"{', '.join(names[:2])} {phrases.words['friends'].of(tongue)}"
    title = " ".join(part for part in (who, where, when) if part) or phrases.words["untitled"].of(tongue)
    return (title[:1].upper() + title[1:])[:120]
