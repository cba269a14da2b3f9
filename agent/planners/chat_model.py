"""The planner that asks a chat model, and is never worse than the one that asks nobody.

The offline planner always reads first; that takes milliseconds. The model is asked for small pieces: what is wanted, an
outline, a script and its second version, prompts, changes, an answer. Each is held to its schema, checked against what
there is and what the user fixed, mended once, and else it is the offline planner's. The trace says which piece came
from where, and the user is told in one line when the model gave nothing usable.
"""

from __future__ import annotations

from dataclasses import replace

from agent.chat_models.roles import ChatModels
from agent.intent import Intent
from agent.planners.base import Composition, PlanRequest
from agent.planners.chat_pieces.asking import Asker
from agent.planners.chat_pieces.casting import invented_cast, known_cast
from agent.planners.chat_pieces.edits import edit_plan_of, usable_edits
from agent.planners.chat_pieces.kept import KeptPieces
from agent.planners.chat_pieces.merging import merge, tells_too_little
from agent.planners.chat_pieces.phrases import missed_sentences, phrases_of
from agent.planners.chat_pieces.prompts import read_prompt
from agent.planners.chat_pieces.questions import (
    LANGUAGES,
    board_in_words,
    cast_in_words,
    fixed_in_words,
    history_in_words,
    quoted,
    request_in_words,
)
from agent.planners.chat_pieces.replying import is_open_question, replied
from agent.planners.chat_pieces.shot_prompts import prompted
from agent.planners.chat_pieces.story import StoryWriter
from agent.planners.chat_pieces.understanding import Understanding, understanding_of
from agent.planners.offline.direction import load_direction
from agent.planners.offline.leeway import Leeway, leeway_of
from agent.planners.offline.planner import OfflinePlanner
from configs.characters import load_characters
from configs.settings import Settings
from tools.errors import InvalidInput
from tools.storyboard import Storyboard

__all__ = ["ChatModelPlanner"]

SURE_EDIT = 0.9
"""Confidence from which a change is carried out as the rules read it, without asking."""


class ChatModelPlanner:
    """A `Planner` (agent.planners.base) with a chat model beside the rules.

    Args:
        models: by role; the primary reads and writes, the coder writes prompts.
        settings: temperatures, where pieces are kept.
        offline: the rules.
    """

    def __init__(self, models: ChatModels, settings: Settings, offline: OfflinePlanner | None = None) -> None:
        self.models = models
        self.settings = settings
        self.offline = offline or OfflinePlanner()
        self._kept = KeptPieces(settings.state_dir / "pieces", settings.seed)

    # -- understand ---------------------------------------------------------------------------------------------------

    def understand(self, request: PlanRequest) -> Intent:
        """Read a request. Never raises on odd text; what is clear by rules is not asked."""
        rules = self.offline.understand(request)
        leeway = leeway_of(request, self.offline.vocabulary)
        asker = self._asker(request, rules)
        if isinstance(asker, str):
            return rules.model_copy(update={"remarks": [*rules.remarks, asker]})
        if asker is None or not self._is_open(rules, leeway, request):
            if asker is not None:
                asker.by_rules("intent", "all of it was clear")
            return rules
        if request.storyboard is not None and (rules.kind == "edit" or tells_too_little(rules)):
            intent = self._changes(rules, request, request.storyboard, asker)
        else:
            intent = self._understood(rules, leeway, request, asker)
        return self._with_misses(intent, asker)

    def _is_open(self, rules: Intent, leeway: Leeway, request: PlanRequest) -> bool:
        """Whether a model could add anything to what the rules read."""
        if not request.text.strip() or not (leeway.readable or leeway.unplaced):
            return False
        if any(edit.op in ("undo", "redo") for edit in rules.edits):
            return False
        if rules.kind == "edit":
            mood_alone = all(edit.op == "set_mood" for edit in rules.edits) and not leeway.music_named
            return rules.topic != "again" and (rules.confidence < SURE_EDIT or (bool(rules.edits) and mood_alone))
        if rules.kind == "scene":
            listed = rules.brief is not None and rules.brief.explicit_shots
            return bool({"video", "script"} & set(rules.outputs)) and not listed
        general = rules.kind == "question" and rules.topic == "general" and "?" not in request.text
        return general or (tells_too_little(rules) and leeway.readable)

    def _understood(self, rules: Intent, leeway: Leeway, request: PlanRequest, asker: Asker) -> Intent:
        direction, cast = load_direction(), known_cast()
        sheets = {who: sheet.description for who, sheet in load_characters().items()}
        brief = rules.brief
        fixed = fixed_in_words(brief, rules) if brief else quoted("fixed", f"language: {LANGUAGES[rules.language]}")
        sure = rules.confidence >= self.settings.confidence_threshold
        question = "\n".join(
            part
            for part in (
                quoted("cast", cast_in_words(list(cast.values()), sheets)),
                "" if sure else history_in_words(request),
                fixed,
                request_in_words(request),
            )
            if part
        )
        piece: Understanding | None = asker.ask(
            "primary",
            understanding_of(list(direction.places), list(cast)),
            read_prompt("understanding", language=LANGUAGES[rules.language]),
            question,
            label="intent",
            temperature=self.settings.thinking_temperature,
            max_tokens=600,
        )
        if piece is None:
            return rules
        intent = merge(
            rules, piece, leeway, text=request.text, has_board=request.storyboard is not None, cast=cast,
            threshold=self.settings.confidence_threshold,
        )  # fmt: skip
        if intent.kind == "scene" and leeway.inventing:
            intent = invented_cast(intent, request, asker, self.settings.writing_temperature)
        return intent

    def _changes(self, rules: Intent, request: PlanRequest, board: Storyboard, asker: Asker) -> Intent:
        """The edits of the rules, with those of the model that hold behind them."""
        direction, known = load_direction(), known_cast()
        cast = [member.id for member in board.cast]
        named = [who for who in known if who not in cast]
        done = quoted("done_already", "\n".join(edit.model_dump_json(exclude_defaults=True) for edit in rules.edits))
        question = "\n".join(
            part
            for part in (
                board_in_words(board),
                history_in_words(request),
                done if rules.edits else "",
                request_in_words(request),
            )
            if part
        )
        plan = asker.ask(
            "primary",
            edit_plan_of(list(direction.places), list(direction.acting.poses), [*cast, *named], len(board.shots)),
            read_prompt("edits", language=LANGUAGES[rules.language]),
            question,
            label="edits",
            temperature=self.settings.thinking_temperature,
            max_tokens=1_800,
        )
        if plan is None:
            return rules
        edits = usable_edits(plan, rules, request, self.offline, known)
        if not edits:
            asker.by_rules("edits", "no change that was proposed could be carried out")
            return rules
        told = [phrases_of(rules.language).changes.format(goal=plan.goal)] if plan.goal else []
        sure = max(rules.confidence, self.settings.confidence_threshold)
        spoken = any(edit.op in ("add_line", "set_line") for edit in edits)
        return rules.model_copy(
            update={
                "kind": "edit",
                "topic": "",
                "edits": [*rules.edits, *edits],
                "assumptions": [*rules.assumptions, *told] if rules.edits else told,
                "questions": [],
                "confidence": sure,
                "outputs": _film(spoken or any(shot.dialogue for shot in board.shots))
                if not rules.edits
                else rules.outputs,
            }
        )

    # -- compose, revise, answer --------------------------------------------------------------------------------------

    def compose(self, intent: Intent, request: PlanRequest) -> Composition:
        """Write a storyboard for an intent of kind `scene`."""
        asker = self._asker(request, intent)
        if not isinstance(asker, Asker):
            return self.offline.compose(intent, request)
        leeway = leeway_of(request, self.offline.vocabulary)
        made = StoryWriter(asker, self.offline, self.settings, leeway).write(intent, request)
        board = made.storyboard
        if {"image", "video"} & set(intent.outputs) or not intent.outputs:
            board = prompted(board, asker)
        told = self._misses(asker, intent)
        return replace(made, storyboard=board, remarks=[*made.remarks, *told])

    def revise(self, storyboard: Storyboard, intent: Intent, request: PlanRequest) -> Composition:
        """Carry out the edits of an intent of kind `edit`; they were proven when it was read."""
        return self.offline.revise(storyboard, intent, request)

    def answer(self, intent: Intent, request: PlanRequest) -> str:
        """Answer a question or small talk in the user's language."""
        ground = self.offline.answer(intent, request)
        asker = self._asker(request, intent)
        if asker is None or not is_open_question(intent, request):
            return ground
        if isinstance(asker, str):
            return "\n".join([ground, asker])
        text = replied(intent, request, ground, asker)
        return "\n".join([text, *self._misses(asker, intent)])

    # -- asking -------------------------------------------------------------------------------------------------------

    def _asker(self, request: PlanRequest, intent: Intent) -> Asker | str | None:
        """Who asks in this turn; None where nobody may be asked, a sentence where the setting is no use.

        Raises:
            InvalidInput: the planner was set to `chat_model`, and the primary cannot be asked.
        """
        if request.turn is None:
            return None
        try:
            if self.models.of("primary", request.turn) is None:
                return None
        except InvalidInput as problem:
            if self.settings.planner == "chat_model":
                raise
            return phrases_of(intent.language).not_asked.format(why=problem)
        return Asker(self.models, request.turn, self._kept, request.take)

    def _with_misses(self, intent: Intent, asker: Asker) -> Intent:
        told = self._misses(asker, intent)
        return intent.model_copy(update={"remarks": [*intent.remarks, *told]}) if told else intent

    def _misses(self, asker: Asker, intent: Intent) -> list[str]:
        """What the user is told of pieces that came to nothing."""
        used = any(thought.kind == "piece" and thought.source not in ("", "offline") for thought in asker.turn.thoughts)
        return missed_sentences(asker.missed, intent.language, nothing_used=not used)


def _film(spoken: bool) -> list[str]:
    return ["image", "voice", "music", "subtitles", "video"] if spoken else ["image", "music", "video"]
