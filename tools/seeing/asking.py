"""What a vision model is asked, and how its answer is read: the same for a server and for weights on this machine.

Against bias of position the questions stand in another order at a second asking; against verbosity reasons are short
and come before the scores, which are whole numbers of a small scale with anchors; no earlier score is ever shown (Zheng
et al. 2023, "Judging LLM-as-a-Judge", sections 3.3 and 3.4). Whatever a model writes besides numbers and names of the
closed lists is shown to people, cleaned, and goes nowhere else.
"""

from __future__ import annotations

import json
import math
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tools.errors import BadOutput
from tools.seeing.cleaned import cleaned
from tools.seeing.rubric import default_words
from tools.seeing.tool import OF_A_PERSON, Criterion, Rubric, Score, Suggestion

__all__ = [
    "LONGEST_ANSWER", "STEPS", "Answer", "NotAnAnswer", "Question", "ask_with_repair", "order_of", "pool", "question",
    "read_answer",
]  # fmt: skip

STEPS = 4
"""Scores are 0 to this; more steps are not told apart by models."""
LONGEST_ANSWER = 20_000
_REASON = 200
_INSTRUCTIONS = Path(__file__).with_name("asking.md")
_FENCE = re.compile(r"```(?:json)?\s*(.*?)```", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True)
class Question:
    """One asking.

    Attributes:
        system: instructions.
        text: what is wanted, the questions, the list of changes.
        keys: by key of the answer (`q1`) the name of its criterion, in the order asked.
        schema: JSON schema of the answer.
    """

    system: str
    text: str
    keys: dict[str, str]
    schema: dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What was answered: scores 0..1 by criterion, and the change."""

    scores: dict[str, Score]
    suggestion: Suggestion
    tokens: int = 0


class NotAnAnswer(ValueError):
    """A model's text is not the answer asked for; the message says to it what is wrong."""


@cache
def _instructions() -> str:
    return _INSTRUCTIONS.read_text(encoding="utf-8").strip()


def order_of(rubric: Rubric, seed: int, *, second: bool = False) -> list[Criterion]:
    """The criteria as they are asked: shuffled by the seed, and the other way round at the second asking."""
    order = list(rubric.criteria)
    random.Random(f"seeing/{seed}").shuffle(order)
    return order[::-1] if second else order


def question(rubric: Rubric, seed: int, *, second: bool = False) -> Question:
    """What to ask about a picture.

    Args:
        seed: of the order of the questions.
        second: it was asked once before, in the other order.
    """
    order = order_of(rubric, seed, second=second)
    keys = {f"q{number}": one.name for number, one in enumerate(order, 1)}
    names = {name: key for key, name in keys.items()}
    changes = rubric.changes or ["nothing"]
    offered = list(changes)
    random.Random(f"changes/{seed}/{second}").shuffle(offered)
    lines = ["The picture should show:", rubric.wanted, "", "Questions:"]
    for key, one in zip(keys, order, strict=True):
        lines.append(f"{key}. {one.question} 0: {one.none}. 2: {one.partly}. 4: {one.full}.")
    told = default_words().changes
    lines += ["", "Changes:", *(f"- {change}: {told[change]}" for change in offered), ""]
    if rubric.people:
        people = ", ".join(f"{character} is {name}" for character, name in rubric.people.items())
        lines.append(f"`about` is a question as q1, or a character ({people}), or empty. `amount`: 1 a little, 3 much.")
    else:
        lines.append("`about` is a question as q1, or empty. `amount`: 1 a little, 3 much.")
    shape = {key: {"reason": "...", "score": "0 to 4"} for key in keys}
    example = {**shape, "change": {"change": "...", "about": "...", "amount": "1 to 3"}}
    lines.append(f"Answer as {json.dumps(example)}")
    return Question(_instructions(), "\n".join(lines), keys, _schema(list(names.values()), changes, rubric))


def _schema(keys: Sequence[str], changes: Sequence[str], rubric: Rubric) -> dict[str, Any]:
    """In the narrow dialect that all servers take: no bounds on numbers and texts, everything required."""
    judged = _object(
        {"reason": {"type": "string"}, "score": {"type": "integer", "enum": list(range(STEPS + 1))}},
    )
    about = ["", *rubric.people, *keys]
    change = _object(
        {
            "change": {"type": "string", "enum": list(changes)},
            "about": {"type": "string", "enum": about},
            "amount": {"type": "integer", "enum": [1, 2, 3]},
        }
    )
    return _object({**dict.fromkeys(sorted(keys, key=lambda key: int(key[1:])), judged), "change": change})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


# -- reading ---------------------------------------------------------------------------------------------------------


def read_answer(text: str, asked: Question, rubric: Rubric, tokens: int = 0) -> Answer:
    """The answer in a model's text: bare JSON, JSON in a fence, or JSON with words around it.

    Raises:
        NotAnAnswer: there is none, or a score is lacking, no number, or outside the scale.
    """
    if len(text) > LONGEST_ANSWER:
        raise NotAnAnswer(f"The answer is {len(text):,} characters long; {LONGEST_ANSWER:,} are allowed.")
    if not text.strip():
        raise NotAnAnswer("The answer is empty.")
    data = _object_in(text)
    scores = {}
    for key, name in asked.keys.items():
        one = data.get(key)
        if not isinstance(one, dict):
            raise NotAnAnswer(f"{key} is missing.")
        scores[name] = Score(name=name, score=_score(one.get("score"), key) / STEPS, reason=_reason(one.get("reason")))
    return Answer(scores, _suggestion(data.get("change"), asked, rubric), tokens)


def _object_in(text: str) -> dict[str, Any]:
    candidates = [text, *_FENCE.findall(text)]
    if "{" in text:
        candidates.append(text[text.index("{") : text.rindex("}") + 1] if "}" in text else "")
    for candidate in candidates:
        try:
            data = json.loads(candidate, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            continue
        if isinstance(data, dict):
            return data
    raise NotAnAnswer("There is no whole JSON object in the answer.")


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


def _score(value: Any, key: str) -> int:
    if isinstance(value, str) and re.fullmatch(r"\s*[0-9](\.0)?\s*", value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise NotAnAnswer(f"{key}: the score must be a whole number from 0 to {STEPS}.")
    if value != int(value) or not 0 <= value <= STEPS:
        raise NotAnAnswer(f"{key}: the score {value:g} is not one of 0 to {STEPS}.")
    return int(value)


def _reason(value: Any) -> str:
    return cleaned(value, _REASON) if isinstance(value, str) else ""


def _suggestion(data: Any, asked: Question, rubric: Rubric) -> Suggestion:
    """The change, if it is one of those offered and about something that there is; else none. It is no reason to throw
    the scores away."""
    if not isinstance(data, dict):
        return Suggestion()
    change, about, amount = data.get("change"), data.get("about"), data.get("amount")
    about = asked.keys.get(about, about) if isinstance(about, str) else ""
    if change not in rubric.changes or change == "nothing":
        return Suggestion()
    known = {one.name for one in rubric.criteria}
    if change in OF_A_PERSON and about not in rubric.people:
        # `who.luca` is Luca.
        about = about.partition(".")[2] if about in known else ""
        if about not in rubric.people:
            if len(rubric.people) != 1:
                return Suggestion()
            about = next(iter(rubric.people))
    if change == "emphasise" and about not in known:
        about = f"who.{about}" if f"who.{about}" in known else ""
        if not about:
            return Suggestion()
    if change not in OF_A_PERSON and change != "emphasise":
        about = ""
    much = amount if isinstance(amount, int) and not isinstance(amount, bool) else 1
    return Suggestion(change=change, about=about, amount=min(3, max(1, much)))


def ask_with_repair(
    ask: Callable[[Question, str, str], tuple[str, int]], asked: Question, rubric: Rubric, who: str
) -> Answer:
    """Ask; an answer that is none is asked for once more with what is wrong with it.

    Args:
        ask: `(question, bad answer, what is wrong with it) -> (text, tokens)`; the latter two are empty at first.
        who: the model, for the error.

    Raises:
        BadOutput: no answer, also at the second try; besides, what `ask` raises.
    """
    spent, bad, wrong = 0, "", ""
    for _ in range(2):
        text, tokens = ask(asked, bad, wrong)
        spent += tokens
        try:
            return read_answer(text, asked, rubric, spent)
        except NotAnAnswer as problem:
            bad, wrong = cleaned(text, 2_000) or "(nothing)", str(problem)
    raise BadOutput(f"{who} gave no usable judgement, also when asked to mend it: {wrong}")


def pool(rubric: Rubric, answers: Sequence[Answer]) -> tuple[list[Score], float, float, Suggestion]:
    """Scores in the order of the rubric (means of the askings), overall, most that two differ by, and the change.

    Overall is the mean over the kinds of criteria, so that a crowd does not outweigh the place.
    """
    scores, kinds, apart = [], dict[str, list[float]](), 0.0
    for one in rubric.criteria:
        found = [answer.scores[one.name] for answer in answers]
        mean = sum(score.score for score in found) / len(found)
        apart = max(apart, max(s.score for s in found) - min(s.score for s in found))
        # Of two reasons that for the lower score: it says what is lacking.
        reason = min(found, key=lambda score: score.score).reason
        scores.append(Score(name=one.name, score=round(mean, 4), reason=reason))
        kinds.setdefault(one.kind, []).append(mean)
    overall = sum(sum(kind) / len(kind) for kind in kinds.values()) / len(kinds)
    changes = [answer.suggestion for answer in answers if answer.suggestion.change != "nothing"]
    return scores, round(overall, 4), round(apart, 4), changes[0] if changes else Suggestion()
