"""The ComfyUI engines of `generate_image`: the shot is laid out here, the picture drawn there by one's own workflow."""

from __future__ import annotations

import hashlib
import math
import re
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from configs.characters import CHARACTERS_FILE, load_characters
from configs.comfyui import COMFYUI_YAML, ComfyFile, Workflow, load_comfyui
from configs.images import IMAGES_YAML, load_images
from configs.services import SERVICES_YAML, load_services
from configs.yaml_file import YamlProblem
from tools.artifact import canonical_json
from tools.base import Engine, EngineContext
from tools.errors import BadOutput, InvalidInput, MissingPrerequisite
from tools.image.comfyui.client import ComfyClient, Limits
from tools.image.comfyui.workflow import Graph, filled, read_graph
from tools.image.rendering import Rendering
from tools.image.sdxl.words import Prompts, write_prompts
from tools.image.tool import GenerateImage
from tools.runtime.services.http import ServerHttp

if TYPE_CHECKING:
    import numpy as np

    from tools.image.layout import Layout

__all__ = ["ComfyImage", "ComfyRemoteImage"]

_LEAST_CONTRAST = 1.5
"""Standard deviation of 8-bit values below which a picture is blank: ComfyUI turns NaN into black."""
_MOST_SKEW = 0.05
"""By how much of itself the aspect may differ from what the workflow was told."""


class ComfyImage(Engine[GenerateImage.Input, GenerateImage.Output]):
    """Draws with the default workflow of comfyui.yaml on the server of services.yaml.

    The output has the form of the draft's: masks, maps and boxes are the layout's, `layout.png` is the draft.
    """

    tool: ClassVar = GenerateImage
    name: ClassVar[str] = "comfyui"
    version: ClassVar[str] = "1"
    comfyui: ClassVar[Path] = COMFYUI_YAML
    services: ClassVar[Path] = SERVICES_YAML
    polls: ClassVar[tuple[float, float]] = (0.1, 1.0)
    """Seconds between two looks at the server, at first and at most."""

    def check(self) -> None:
        known = self._known()
        read_graph(self._file(_chosen(known)), _chosen(known))

    def fingerprint(self, args: GenerateImage.Input) -> str:
        from tools.image.layout import layout_digest

        known = self._known()
        flow = _chosen(known)
        prompts = _prompts(args)
        parts = {
            "layout": layout_digest(args),
            "workflow": read_graph(self._file(flow), flow),
            "inputs": flow.model_dump(mode="json"),
            "prompts": [prompts.whole, prompts.negative, dict(prompts.people)],
        }
        return hashlib.sha256(canonical_json(parts)).hexdigest()

    def http(self, known: ComfyFile, ctx: EngineContext) -> ServerHttp:  # noqa: ARG002 - for the remote one
        """Where the server is."""
        http = ctx.model("comfyui").http
        if not isinstance(http, ServerHttp):
            raise InvalidInput("is no server", where="models.yaml: comfyui")
        return http

    def run(self, args: GenerateImage.Input, ctx: EngineContext) -> GenerateImage.Output:
        from tools.image.layout import lay_out
        from tools.layout.png import write_png

        known = self._known()
        flow = _chosen(known)
        graph = read_graph(self._file(flow), flow)
        wanted = args.model_copy(update={"maps": list(dict.fromkeys([*args.maps, *flow.controls]))})
        layout = lay_out(wanted, ctx.out, ctx.seed, _share(ctx.progress, 0.0, 0.08), image="layout.png")
        limits = Limits(queue=known.queue_s, work=known.limit_s, poll_first=self.polls[0], poll_last=self.polls[1])
        client = ComfyClient(self.http(known, ctx), limits)
        size = drawn_size(args.width, args.height, flow)
        values, notes = self._values(args, flow, layout, size, ctx)
        pictures = self._pictures(args, flow, layout, size, ctx, notes)
        for number, (target, picture) in enumerate(pictures.items()):
            ctx.progress(0.08 + 0.04 * number / len(pictures), "sending pictures")
            values[target] = client.upload(*_as_png(picture))
        data = client.draw(_apart(filled(graph, values), flow.output), flow.output, _share(ctx.progress, 0.12, 0.97))
        picture = _checked(data, flow, size, (args.width, args.height), notes)
        write_png(ctx.out / "still.png", layout.lay_words(picture))
        notes = [*layout.output.notes, *notes]
        plain = layout.write_plain(picture, ctx.out)
        told = list(dict.fromkeys(notes))
        return layout.output.model_copy(update={"image": "still.png", "plain": plain, "notes": told})

    # -- configuration ----------------------------------------------------------------------------------------------

    def _known(self) -> ComfyFile:
        try:
            return load_comfyui(self.comfyui)
        except YamlProblem as problem:
            raise InvalidInput(problem.message, where=problem.where) from problem

    def _file(self, flow: Workflow) -> Path:
        return self.comfyui.parent / Path(flow.file).expanduser()

    # -- what goes into the workflow --------------------------------------------------------------------------------

    def _values(
        self, args: GenerateImage.Input, flow: Workflow, layout: Layout, size: tuple[int, int], ctx: EngineContext
    ) -> tuple[dict[str, Any], list[str]]:
        """Words and numbers by `node.input`, and notes on what the workflow has no input for."""
        rendering = args.rendering or Rendering()
        prompts = _prompts(args)
        asked: dict[str, Any] = {
            "prompt": _comfy_weights(prompts.whole), "negative": _comfy_weights(prompts.negative), "seed": ctx.seed,
            "width": size[0], "height": size[1],
        }  # fmt: skip
        said = {"steps": rendering.steps, "guidance": rendering.guidance}
        if rendering.start is not None or rendering.start_image:
            said["strength"] = rendering.strength
        asked |= {name: value for name, value in said.items() if value is not None}
        values = {getattr(flow, name): value for name, value in asked.items() if getattr(flow, name)}
        notes = [
            f"The workflow has no input for {name}: {asked[name]} was not used."
            for name in ("steps", "guidance", "strength") if name in asked and not getattr(flow, name)
        ]  # fmt: skip
        for name in ("preset", "scheduler", "loras", "controls", "repair", "refine_from", "identity"):
            if getattr(rendering, name) not in (None, "", []):
                notes.append(f"The workflow decides about {name}: what was asked for was not used.")
        for slot, person in zip(flow.people, _by_place(args), strict=False):
            if slot.prompt:
                values[slot.prompt] = _comfy_weights(prompts.people.get(person, ""))
        for slot in flow.people[len(layout.masks) :]:
            if slot.prompt:
                values[slot.prompt] = ""
        if len(layout.masks) > len(flow.people) > 0:
            notes.append(f"The workflow has slots for {len(flow.people)} people; {len(layout.masks)} are in the shot.")
        return values, notes

    def _pictures(
        self,
        args: GenerateImage.Input,
        flow: Workflow,
        layout: Layout,
        size: tuple[int, int],
        ctx: EngineContext,
        notes: list[str],
    ) -> dict[str, np.ndarray]:
        """By `node.input` what is sent: maps, masks, references, the picture to begin from."""
        import numpy as np

        own = {given.kind: given.image for given in args.shot.control if given.kind != "reference"}
        found: dict[str, np.ndarray] = {}
        for kind, target in flow.controls.items():
            found[target] = _fit(_read(own.pop(kind)) if kind in own else layout.maps[kind], size)
        notes += [f"The {kind} picture {image} was not used: the workflow has no input." for kind, image in own.items()]
        people = _by_place(args)
        references = _references(args)
        for number, slot in enumerate(flow.people):
            person = people[number] if number < len(people) else ""
            if slot.mask:
                mask = layout.masks.get(person, np.zeros((args.height, args.width), np.uint8))
                found[slot.mask] = _fit(mask, size)
            if slot.reference and person in references:
                found[slot.reference] = _read(references.pop(person))
        if flow.reference and "" in references:
            found[flow.reference] = _read(references.pop(""))
        notes += [f"The reference {image} was not used: the workflow has no input." for image in references.values()]
        start = _start(args, ctx)
        if flow.start and start is not None:
            found[flow.start] = _fit(start, size)
        elif start is not None:
            raise InvalidInput("the workflow has no input for a picture to begin from", where="rendering.start")
        return found


class ComfyRemoteImage(ComfyImage):
    """The same on a server of another machine, which takes nothing of this one's device."""

    name: ClassVar[str] = "comfyui_remote"

    def check(self) -> None:
        super().check()
        self._entry(self._known())

    def http(self, known: ComfyFile, ctx: EngineContext) -> ServerHttp:  # noqa: ARG002 - no model of this machine
        return self._entry(known)

    def _entry(self, known: ComfyFile) -> ServerHttp:
        try:
            services = load_services(self.services).services
        except YamlProblem as problem:
            raise InvalidInput(problem.message, where=problem.where) from problem
        entry = services.get(known.remote)
        if entry is None or entry.kind != "comfyui":
            raise MissingPrerequisite(
                "no ComfyUI on another machine is named.",
                command="write a server of kind comfyui with `remote: true` into configs/services.yaml, "
                "and its name as `remote` into configs/comfyui.yaml",
            )
        return ServerHttp(known.remote, entry.url, remote=entry.remote)


def drawn_size(width: int, height: int, flow: Workflow) -> tuple[int, int]:
    """Width and height that the workflow draws: of the aspect asked for, of its own area, in its multiples."""
    scale = math.sqrt(flow.megapixels * 2**20 / (width * height))
    step = flow.multiple_of
    return max(1, round(width * scale / step)) * step, max(1, round(height * scale / step)) * step


def _chosen(known: ComfyFile) -> Workflow:
    if not known.default:
        raise MissingPrerequisite(
            "no ComfyUI workflow is named.",
            command="in ComfyUI: Workflow > Export (API), then name the file and its inputs in configs/comfyui.yaml",
        )
    return known.workflows[known.default]


def _prompts(args: GenerateImage.Input) -> Prompts:
    rendering = args.rendering or Rendering()
    try:
        images, sheets = load_images(IMAGES_YAML), load_characters(CHARACTERS_FILE)
    except YamlProblem as problem:
        raise InvalidInput(problem.message, where=problem.where) from problem
    return write_prompts(
        args.shot, args.cast, sheets, images, style=args.style, triggers=[], more=rendering.prompt,
        avoid=rendering.negative,
    )  # fmt: skip


def _comfy_weights(prompt: str) -> str:
    """`(word)1.3`, as prompts are written here, in ComfyUI's own way: `(word:1.3)`."""
    return re.sub(r"\(([^()]*)\)(\d+(?:\.\d+)?)", r"(\1:\2)", prompt)


def _by_place(args: GenerateImage.Input) -> list[str]:
    """The characters from left to right."""
    return [one.character for one in sorted(args.shot.placements, key=lambda one: one.x)]


def _references(args: GenerateImage.Input) -> dict[str, str]:
    """By character (empty: everybody) the first reference picture."""
    found: dict[str, str] = {}
    for use in args.rendering.references if args.rendering else ():
        found.setdefault(use.character, use.image)
    for given in args.shot.control:
        if given.kind == "reference":
            found.setdefault("", given.image)
    return found


def _read(image: str) -> np.ndarray:
    from tools.image.reference.photo import read_photo

    return read_photo(Path(image).expanduser())


def _start(args: GenerateImage.Input, ctx: EngineContext) -> np.ndarray | None:
    rendering = args.rendering or Rendering()
    if rendering.start is not None:
        artifact = ctx.open(rendering.start)
        return _read(str(artifact.file(GenerateImage.Output.model_validate(artifact.output).image)))
    return _read(rendering.start_image) if rendering.start_image else None


def _fit(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Brought to width and height; cut to their aspect, never stretched."""
    import numpy as np
    from PIL import Image, ImageOps

    return np.asarray(ImageOps.fit(Image.fromarray(np.ascontiguousarray(picture)), size, Image.Resampling.LANCZOS))


def _as_png(picture: np.ndarray) -> tuple[str, bytes]:
    """A name by its content, and the file: the same picture is not kept twice there."""
    import numpy as np

    from tools.layout.png import encode_png

    colours = np.repeat(picture[..., None], 3, axis=2) if picture.ndim == 2 else picture
    data = encode_png(np.ascontiguousarray(colours))
    return f"{hashlib.sha256(data).hexdigest()[:24]}.png", data


def _apart(graph: Graph, output: str) -> Graph:
    """With a file name of its own for what is saved: a workflow that ran before alike would give no picture again."""
    for number, node in graph.items():
        prefix = node["inputs"].get("filename_prefix")
        if isinstance(prefix, str) and output in ("", number):
            graph = filled(graph, {f"{number}.filename_prefix": f"studio/{secrets.token_hex(8)}"})
    return graph


def _checked(
    data: bytes, flow: Workflow, drawn: tuple[int, int], asked: tuple[int, int], notes: list[str]
) -> np.ndarray:
    """The picture it gave, of the size asked for.

    Raises:
        BadOutput: it is none, blank, or not of the aspect that the workflow was told.
    """
    from tools.image.reference.photo import MAX_SIDE, read_foreign_photo

    try:
        picture = read_foreign_photo(data, "the picture from ComfyUI", longest=MAX_SIDE)
    except InvalidInput as error:
        raise BadOutput(error.message) from error
    # Of a large picture a part of the pixels: all of them as numbers of 64 bit would take gigabytes.
    thin = max(1, max(picture.shape[:2]) // 1024)
    if float(picture[::thin, ::thin].std(axis=(0, 1)).max()) < _LEAST_CONTRAST:
        raise BadOutput("ComfyUI drew a blank picture.", hint="Another seed may help; black often means NaN there.")
    width, height = picture.shape[1], picture.shape[0]
    if flow.width and abs(width / height / (drawn[0] / drawn[1]) - 1.0) > _MOST_SKEW:
        raise BadOutput(f"ComfyUI drew {width}x{height} where {drawn[0]}x{drawn[1]} was asked for.")
    if (width, height) != asked:
        notes.append(f"Drawn at {width}x{height} and brought to {asked[0]}x{asked[1]}.")
    return _fit(picture, asked)


def _share(progress: Callable[[float, str], None], first: float, last: float) -> Callable[[float, str], None]:
    def report(fraction: float, text: str) -> None:
        progress(first + (last - first) * fraction, text)

    return report
