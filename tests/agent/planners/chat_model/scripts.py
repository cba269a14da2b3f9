"""What a good model answers, for the scenarios."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from evals.peer.server import Peer
from tests.agent.planners.chat_model.desk import line

__all__ = ["GELOSIA", "JEALOUSY", "answers_of", "script_all"]

Answers = dict[str, dict[str, Any]]


def _beat(action: str, *people: tuple[str, str | None, str], **more: Any) -> dict[str, Any]:
    acting = [{"who": who, "pose": pose, "expression": face, "facing": None} for who, pose, face in people]
    empty = dict.fromkeys(("place", "time_of_day", "weather", "framing", "camera", "mood"))
    return {**empty, "action": action, "people": acting, **more}


JEALOUSY: Answers = {
    "Understanding": {
        "kind": "scene",
        "goal": "a funny scene about jealousy at the harbour",
        "place": "beach",
        "time_of_day": "sunset",
        "weather": None,
        "mood": "tense",
        "characters": ["luca", "alberto"],
        "dialogue": True,
        "assumptions": ["I chose Luca and Alberto."],
        "unclear": ["Who is jealous?"],
    },
    "Outline": {
        "title": "The Other Boat",
        "beats": [
            _beat("Luca polishes a tiny boat.", ("luca", "crouch", "happy"), framing="wide", place="forest"),
            _beat("Alberto watches with crossed arms.", ("alberto", "hands_on_hips", "angry"), framing="medium"),
            _beat("They pull at the same rope.", ("luca", "stand", "surprised"), ("alberto", "point", "angry")),
            _beat("Both fall into the water and laugh.", ("luca", "swim", "happy"), ("alberto", "swim", "excited")),
        ],
    },
    "Script": {
        "lines": [
            line("luca", "Isn't she beautiful?", 1, emotion="happy"),
            line("alberto", "She is very small.", 2, emotion="angry"),
            line("luca", "You are jealous of a boat.", 3, emotion="smug"),
            line("alberto", "I am not jealous of anything.", 3, emotion="angry"),
        ]
    },
    "Revision": {
        "weak": "Alberto says that he is angry instead of hiding it.",
        "lines": [{"line": 4, "text": "I never liked boats. I like swimming.", "emotion": "angry"}],
    },
    "ShotPrompts": {
        "shots": [
            {
                "shot": at,
                "prompt": "golden light, (wet) wood, Giulia behind, brown hair",
                "negative": "modern ships, boy",
            }
            for at in range(1, 5)
        ]
    },
}

GELOSIA: Answers = deepcopy(JEALOUSY)
GELOSIA["Script"]["lines"] = [
    line("luca", "Guarda che bella, è tutta mia!", 1, emotion="happy"),
    line("alberto", "È molto piccola, non ti sembra?", 2, emotion="angry"),
    line("luca", "Sei geloso di una barca.", 3, emotion="smug"),
]
GELOSIA["Revision"]["lines"] = [{"line": 3, "text": "Non dirmi che sei geloso di una barca.", "emotion": "smug"}]


def answers_of(base: Answers, **changed: dict[str, Any]) -> Answers:
    """The answers with fields of some pieces changed: `answers_of(JEALOUSY, Outline={"title": "X"})`."""
    made = deepcopy(base)
    for name, fields in changed.items():
        made[name] |= fields
    return made


def script_all(peer: Peer, answers: Answers, *but: str) -> None:
    """Answer every piece so, whenever it is asked for, but these."""
    for name, said in answers.items():
        if name not in but:
            peer.script(said, schema=name, times=None)
