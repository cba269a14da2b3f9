"""Chooses the engines of a scene.

The profile lists engines in the order to prefer them. The first that is ready makes the part; each one before it is
passed over with its reason. An engine that a person names is never replaced: what it lacks is an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Protocol

from agent.lineup import Lineup, Part, PassedOver
from tools.errors import InvalidInput, MissingPrerequisite
from tools.readiness import NO_GPU, Lack, Readiness
from tools.registry import EngineSpec, Registry
from tools.storyboard import Storyboard

__all__ = ["Voices", "check_preset", "draw_up", "read_wishes"]

NEEDED_FOR = {
    "generate_image": ("image", "video"),
    "compose_music": ("music",),
    "animate_shot": ("video",),
    "lip_sync": ("video",),
    "transcribe": ("voice", "subtitles"),
    "compare_faces": ("image", "video"),
    "see_picture": ("image", "video"),
}
"""Tools that have engines to choose between, and the outputs that call for them. Voices are chosen by line."""
ORDER = [
    "generate_image", "synthesize_speech", "compose_music", "animate_shot", "lip_sync", "transcribe", "compare_faces",
    "see_picture",
]  # fmt: skip
"""In which parts are told."""
SPOKEN = {"en": "English", "it": "Italian", "de": "German", "es": "Spanish", "fr": "French"}
OPTIONAL = ("lip_sync", "transcribe", "compare_faces", "see_picture")
"""Tools that a scene goes without where none of their engines is ready."""


class Voices(Protocol):
    """A person's own voices that may be used; `tools.voice.shelf` keeps them."""

    def get(self, character: str, kind: str) -> object | None:
        """The voice of a character for the engines of a kind; None where there is none.

        Raises:
            InvalidInput, MissingPrerequisite: there is one, and it must not be used.
        """


def read_wishes(words: Iterable[str], registry: Registry, where: str = "--engine") -> dict[str, str]:
    """`generate_image=sdxl` as a mapping; a name that only one tool's engine bears needs no tool.

    Args:
        words: as a person wrote them.
        registry: knows the names.
        where: they were written, for the errors.

    Raises:
        InvalidInput: no tool has such an engine, or several do; or one tool is to have two engines.
    """
    wishes: dict[str, str] = {}
    engines = [engine for spec in registry.tools() for engine in registry.engines(spec.name)]
    for word in words:
        tool, _, name = word.strip().rpartition("=")
        found = [engine for engine in engines if engine.name == name and tool in ("", engine.tool)]
        if len(found) != 1:
            what = f"several tools have an engine {name!r}" if found else f"there is no engine {word!r}."
            raise InvalidInput(what, where=where, hint=_known(tool, name, engines))
        before = wishes.setdefault(found[0].tool, name)
        if before != name:
            told = f"{found[0].tool} is to be made by {before} and by {name}."
            raise InvalidInput(told, where=where, hint="Name one engine a tool.")
    return wishes


def _known(tool: str, name: str, engines: list[EngineSpec]) -> str:
    """What may have been meant, then all there are: those of the tool, if there is such a tool."""
    close = get_close_matches(name, dict.fromkeys(engine.name for engine in engines), n=1)
    meant = f"Did you mean {close[0]}? " if close else ""
    by_tool: dict[str, list[str]] = {}
    for engine in engines:
        by_tool.setdefault(engine.tool, []).append(engine.name)
    listed = {tool: by_tool[tool]} if tool in by_tool else by_tool
    return f"{meant}Known: " + "; ".join(f"{one}={'|'.join(names)}" for one, names in listed.items()) + "."


def check_preset(name: str) -> None:
    """Refuse a preset that images.yaml does not have; the empty one is that which is taken by itself.

    Raises:
        InvalidInput: there is none of that name.
    """
    from configs.images import load_images

    if name and name not in (presets := load_images().presets):
        close = get_close_matches(name, presets, n=1)
        meant = f"Did you mean {close[0]}? " if close else ""
        raise InvalidInput(
            f"there is no preset {name!r}.", where="--preset", hint=f"{meant}Known: {', '.join(presets)}."
        )


def draw_up(
    board: Storyboard,
    outputs: Iterable[str],
    readiness: Readiness,
    voices: Voices | None = None,
    wishes: Mapping[str, str] | None = None,
) -> Lineup:
    """Settle who makes what.

    Args:
        board: what is to be made.
        outputs: of `image voice music subtitles video`.
        readiness: of this machine.
        voices: a person's own voices.
        wishes: engine by tool, as a person named them.

    Raises:
        MissingPrerequisite: a named engine lacks something; says what, and the command that mends it.
        InvalidInput: a named engine cannot make this: another language, say.
    """
    wanted, said = set(outputs), dict(wishes or {})
    draft = _Draft(readiness, voices, said)
    parts = [
        draft.part(tool)
        for tool, kinds in NEEDED_FOR.items()
        if wanted & set(kinds) and tool in readiness.registry.entries.tools and tool not in ("animate_shot", "lip_sync")
    ]
    if wanted & {"voice", "subtitles"}:
        spoken = dict.fromkeys((line.character, line.language) for shot in board.shots for line in shot.dialogue)
        parts += [draft.voice(character, language) for character, language in spoken]
    if "video" in wanted:
        stills = next((part for part in parts if part.tool == "generate_image"), None)
        parts.append(draft.motion(drawn=stills is None or stills.embedded))
        # The draft's figures move their lips by themselves.
        if parts[-1].from_still and "lip_sync" in readiness.registry.entries.tools:
            parts.append(draft.part("lip_sync"))
    return Lineup(parts=sorted(parts, key=lambda part: ORDER.index(part.tool)))


class _Draft:
    def __init__(self, readiness: Readiness, voices: Voices | None, wishes: Mapping[str, str]) -> None:
        self.readiness, self.registry, self.voices, self.wishes = readiness, readiness.registry, voices, wishes

    def order(self, tool: str) -> list[EngineSpec]:
        """Engines to try, the best first; those that cost money only where a person names them."""
        wish = self.wishes.get(tool)
        if wish:
            return [self.registry.pick(tool, wish)]
        engines = {engine.name: engine for engine in self.registry.engines(tool)}
        listed = (self.registry.profile.engines if self.registry.profile else {}).get(tool)
        if listed is None and tool in OPTIONAL:
            return [engine for engine in engines.values() if not engine.paid]
        names = listed or [self.registry.pick(tool).name]
        return [engines[name] for name in names if not engines[name].paid]

    def part(self, tool: str) -> Part:
        return self._first(tool, self.order(tool))

    def motion(self, *, drawn: bool) -> Part:
        """What sets the shots in motion.

        The draft's figures move by themselves, so its stills are not merely moved about by an embedded engine; other
        pictures are shown rather than drawn anew.
        """
        order = self.order("animate_shot")
        if "animate_shot" not in self.wishes:
            embedded = [engine for engine in self.registry.engines("animate_shot") if engine.embedded]
            embedded.sort(key=lambda engine: engine.from_still == drawn)
            order = [engine for engine in order if not engine.embedded] + embedded
        return self._first("animate_shot", order)

    def voice(self, character: str, language: str) -> Part:
        tool = "synthesize_speech"
        part = self._first(tool, self.order(tool), character, language)
        return part.model_copy(update={"character": character, "language": language})

    def _first(self, tool: str, order: list[EngineSpec], character: str = "", language: str = "") -> Part:
        passed: list[PassedOver] = []
        for engine in order:
            lack = self._lack(engine, character, language)
            if lack is None:
                return Part(
                    tool=tool, engine=engine.name, embedded=engine.embedded, from_still=engine.from_still,
                    paid=engine.paid, levers=list(engine.levers),
                    on_cpu=engine.device == "gpu" and not (self.readiness.gpu or engine.serves_cpu),
                    licence=self._licence(engine), passed_over=passed,
                )  # fmt: skip
            if tool in self.wishes:
                told = f"{engine.name} cannot make this: {lack.what}."
                raise MissingPrerequisite(told, command=lack.command) if lack.command else InvalidInput(told)
            if lack != NO_GPU:
                # Without a GPU nobody expects what needs one.
                passed.append(PassedOver(engine=engine.name, why=lack.what, command=lack.command))
        if tool in OPTIONAL:
            return Part(tool=tool, passed_over=passed)
        lacks = "; ".join(f"{one.engine}: {one.why}" for one in passed)
        command = next((one.command for one in passed if one.command), "studio doctor")
        raise MissingPrerequisite(f"no engine of {tool} is ready ({lacks}).", command=command)

    def _lack(self, engine: EngineSpec, character: str, language: str) -> Lack | None:
        if language and engine.languages and language not in engine.languages:
            return Lack(f"it does not speak {SPOKEN.get(language, language)}")
        lack = self.readiness.lack(engine, named=engine.tool in self.wishes)
        if lack is None and engine.voices and character:
            return self._voice_lack(engine, character)
        return lack

    def _voice_lack(self, engine: EngineSpec, character: str) -> Lack | None:
        try:
            if self.voices is not None and self.voices.get(character, engine.voices) is not None:
                return None
        except InvalidInput as error:
            # One damaged record is no reason to make no film; it is told.
            return Lack(str(error))
        except MissingPrerequisite as error:
            return Lack(error.message.rstrip("."), error.command)
        command = f"studio voice add {character} --kind {engine.voices}"
        return Lack(f"{character} has no voice for it", command)

    def _licence(self, engine: EngineSpec) -> str:
        entries = [(name, self.registry.models.models[name]) for name in engine.models]
        return "; ".join(f"{name}: {entry.licence}" for name, entry in entries if entry.commercial is False)
