"""The ArcFace engines of `compare_faces`: on the CPU by the registered pack, or on the device as a model."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from configs.characters import load_characters
from configs.yaml_file import YamlProblem
from tools.artifact import Artifact, hash_file
from tools.base import Engine, EngineContext
from tools.errors import BadOutput, InvalidInput
from tools.identity.attribution import attribute
from tools.identity.face_pack import FacePack, check_face_libraries, pack_files, placed_pack
from tools.identity.tool import CompareFaces, FaceMatch, FaceReference, PictureFaces
from tools.image.tool import GenerateImage

if TYPE_CHECKING:
    import numpy as np

    from tools.identity.face_pack import Face

__all__ = ["ArcFace", "ArcFaceOnDevice", "likeness"]

USUAL_THRESHOLD = 0.65
"""For who is not in characters.yaml; the same as its default."""
_KEPT = 256
"""Embeddings of reference pictures that are kept, by the content of the file."""


class ArcFace(Engine[CompareFaces.Input, CompareFaces.Output]):
    """Compares on the CPU: about 0.2 s a picture, and no model has to leave the device for it."""

    tool: ClassVar = CompareFaces
    name: ClassVar[str] = "arcface"
    version: ClassVar[str] = "1"

    def __init__(self) -> None:
        self._pack: FacePack | None = None
        self._known: OrderedDict[str, np.ndarray | None] = OrderedDict()

    def source(self) -> str:
        """The folder of the pack."""
        return placed_pack()

    def check(self) -> None:
        check_face_libraries()
        pack_files(self.source())

    def unload(self) -> None:
        self._pack = None
        self._known.clear()

    def fingerprint(self, args: CompareFaces.Input) -> str:
        """Digest of the pack's files, and of the thresholds that the arguments do not say."""
        digest = hashlib.sha256()
        for file in pack_files(self.source()):
            known = file.stat()
            digest.update(f"{file.name}\0{known.st_size}\0{known.st_mtime_ns}\n".encode())
        for name in sorted({reference.character for reference in args.references}):
            digest.update(f"{name} {_threshold(args, name)}\n".encode())
        return digest.hexdigest()

    def pack(self, ctx: EngineContext) -> FacePack:  # noqa: ARG002 - the one on the device is in it
        """The networks, read once."""
        if self._pack is None:
            self._pack = FacePack(self.source())
        return self._pack

    def run(self, args: CompareFaces.Input, ctx: EngineContext) -> CompareFaces.Output:
        ctx.progress(0.0, "reading the face pack")
        pack = self.pack(ctx)
        known, notes = self._references(pack, args.references, ctx)
        found = []
        for number, ref in enumerate(args.pictures):
            ctx.progress(0.3 + 0.7 * number / len(args.pictures), f"picture {number + 1} of {len(args.pictures)}")
            found.append(_compare(pack, ref.call, ctx.open(ref), known, args))
        ranking = sorted(range(len(found)), key=lambda number: (_lacking(found[number]), number))
        kept = [number for number in ranking if _is_kept(found[number])]
        return CompareFaces.Output(pictures=found, ranking=ranking, kept=kept, notes=notes)

    def _references(
        self, pack: FacePack, references: Sequence[FaceReference], ctx: EngineContext
    ) -> tuple[dict[str, dict[str, np.ndarray]], list[str]]:
        """By character and picture the embedding of its face; and notes on pictures in which none was found."""
        known: dict[str, dict[str, np.ndarray]] = {}
        notes = []
        for number, reference in enumerate(references):
            ctx.progress(0.1 + 0.2 * number / len(references), "looking at the references")
            embedding = self._embedding(pack, Path(reference.image).expanduser())
            of = known.setdefault(reference.character, {})
            if embedding is None:
                notes.append(f"No face was found in the reference {reference.image} of {reference.character}.")
            else:
                of[reference.image] = embedding
        return known, notes

    def _embedding(self, pack: FacePack, path: Path) -> np.ndarray | None:
        """Of the largest face of a reference picture; None where it has none."""
        from tools.image.reference.photo import read_photo

        picture = read_photo(path)
        key = hash_file(path)
        if key not in self._known:
            faces = pack.faces(picture)
            largest = max(faces, key=lambda face: face.found.area, default=None)
            self._known[key] = None if largest is None else largest.embedding
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        return self._known[key]


class ArcFaceOnDevice(ArcFace):
    """The same on the graphics card, as a model that the studio brings there and takes away."""

    name: ClassVar[str] = "arcface_cuda"

    def pack(self, ctx: EngineContext) -> FacePack:
        pack = ctx.model("arcface").pack
        if not isinstance(pack, FacePack):
            raise InvalidInput("the face pack is not on the device", where="models.yaml: arcface")
        return pack


def likeness(face: np.ndarray, references: Mapping[str, np.ndarray], rule: str) -> tuple[float, str]:
    """Similarity of a face to a character's references, and the reference it is most like.

    Args:
        face: its embedding, of length 1.
        references: embeddings of length 1 by picture; at least one.
        rule: `best`: the highest similarity; `mean`: the similarity to the mean of the references.
    """
    import numpy as np

    single = {image: float(np.clip(face @ one, -1.0, 1.0)) for image, one in references.items()}
    nearest = max(single, key=lambda image: (single[image], image))
    if rule == "best":
        return single[nearest], nearest
    mean = np.mean(list(references.values()), axis=0)
    length = float(np.linalg.norm(mean))
    return (float(np.clip(face @ mean / length, -1.0, 1.0)) if length > 0.0 else 0.0), nearest


def _threshold(args: CompareFaces.Input, name: str) -> float:
    if name in args.thresholds:
        return args.thresholds[name]
    try:
        sheet = load_characters().get(name)
    except YamlProblem as problem:
        raise InvalidInput(problem.message, where=problem.where) from problem
    return sheet.identity_threshold if sheet is not None else USUAL_THRESHOLD


def _compare(
    pack: FacePack,
    call: str,
    artifact: Artifact,
    known: Mapping[str, Mapping[str, np.ndarray]],
    args: CompareFaces.Input,
) -> PictureFaces:
    from tools.image.reference.photo import MAX_SIDE, decode_photo

    if artifact.record.tool != "generate_image":
        raise InvalidInput(f"{artifact.record.tool} makes no picture of characters", where=call)
    made = GenerateImage.Output.model_validate(artifact.output)
    try:
        # The studio's own, by its record: no process of its own for each.
        files = {name: artifact.file(name) for name in (made.image, *made.masks.values())}
        shown = {name: decode_photo(path.read_bytes(), str(path), longest=MAX_SIDE) for name, path in files.items()}
        picture = shown[made.image]
        masks = {name: shown[file][..., 0] for name, file in made.masks.items()}
    except OSError as error:
        raise BadOutput(f"{call}: its picture cannot be read: {error.strerror or error}") from error
    except InvalidInput as error:
        raise BadOutput(f"{call}: {error.message}") from error
    faces = pack.faces(picture)
    boxes = {name: seen.face for name, seen in made.on_stage.items()}
    whose = attribute([face.found for face in faces], masks, boxes)
    matches = {}
    for name in masks:
        face = faces[whose[name]] if name in whose else None
        turned = name in made.on_stage and made.on_stage[name].facing_back
        matches[name] = _match(name, face, known.get(name), args, len(faces), turned=turned)
    measured = [one.similarity - one.threshold for one in matches.values() if one.similarity is not None]
    return PictureFaces(
        call=call, key=artifact.key, faces=matches, strangers=len(faces) - len(whose),
        passed=all(one.status != "failed" for one in matches.values()),
        margin=round(min(measured), 6) if measured else None,
    )  # fmt: skip


def _match(
    name: str,
    face: Face | None,
    references: Mapping[str, np.ndarray] | None,
    args: CompareFaces.Input,
    seen: int,
    *,
    turned: bool,
) -> FaceMatch:
    limit = _threshold(args, name)
    box = None if face is None else tuple(round(value, 1) for value in face.found.box)
    if not references:
        why = "no reference picture was given" if references is None else "no reference picture has a face"
        why = f"{why} of {name}"
        return FaceMatch(status="not_run", threshold=limit, box=box, detail=f"not run: {why}")
    if face is None and turned:
        return FaceMatch(status="not_run", threshold=limit, detail=f"not run: {name} is turned away")
    if face is None:
        told = f"{seen} elsewhere in the picture" if seen else "none in the whole picture"
        why = f"ArcFace found {told}; a drawing often has no face that it knows"
        return FaceMatch(status="no_face", threshold=limit, detail=f"no face found of {name}: {why}")
    value, nearest = likeness(face.embedding, references, args.rule)
    return FaceMatch(
        status="passed" if value >= limit else "failed",
        similarity=round(value, 6), threshold=limit, box=box, reference=nearest,
        detail=f"{name} is {value:.2f} like {Path(nearest).name} (at least {limit:g}; "
        f"{len(references)} reference{'s' if len(references) > 1 else ''}, {args.rule})",
    )  # fmt: skip


def _lacking(found: PictureFaces) -> tuple[bool, int, float]:
    """Sorts pictures: where faces were measured before where none was, then by missing faces, then by margin."""
    missing = sum(one.status == "no_face" for one in found.faces.values())
    return found.margin is None, missing, -(found.margin or 0.0)


def _is_kept(found: PictureFaces) -> bool:
    unmeasured, missing, _ = _lacking(found)
    return found.passed and not unmeasured and not missing
