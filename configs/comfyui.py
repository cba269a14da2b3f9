"""The schema of comfyui.yaml: a person's own ComfyUI workflows, and where in them the studio's inputs go."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from configs.engines import Name
from configs.yaml_file import load_yaml_model

__all__ = ["COMFYUI_YAML", "ComfyFile", "NodeInput", "PersonSlot", "Workflow", "load_comfyui"]

COMFYUI_YAML = Path(__file__).with_name("comfyui.yaml")

Target = Annotated[str, Field(pattern=r"^[^\s.][^\s]{0,63}\.[A-Za-z_][A-Za-z0-9_]{0,63}$")]
"""`node.input`, as `6.text`: the id of a node in the workflow file, and the name of one of its inputs."""
ControlKind = Literal["openpose", "depth", "canny", "line", "segmentation"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class NodeInput(_Model):
    """An input of a node of a workflow."""

    node: str
    input: str

    @classmethod
    def of(cls, target: str) -> NodeInput:
        """`6.text` read apart."""
        node, _, name = target.rpartition(".")
        return cls(node=node, input=name)


class PersonSlot(_Model):
    """Where a workflow takes one person of the picture; the first slot is the leftmost person's.

    Attributes:
        prompt: the person's own words.
        mask: of a LoadImage node: white where the layout shows the person.
        reference: of a LoadImage node: the first reference picture of the character.
    """

    prompt: Target | Literal[""] = ""
    mask: Target | Literal[""] = ""
    reference: Target | Literal[""] = ""


class Workflow(_Model):
    """One workflow.

    Attributes:
        about: one line.
        file: the workflow as ComfyUI exports it for its API (Workflow > Export (API)); relative to comfyui.yaml.
        prompt, negative, seed, steps, guidance, width, height: where each of these goes; `prompt` must go somewhere.
        start: of a LoadImage node: the picture to begin from.
        strength: how much of that may change (`denoise`).
        reference: of a LoadImage node: the first reference picture that shows everybody.
        controls: by kind, of a LoadImage node: the layout's map, or the person's own.
        people: slots for several people.
        output: id of the node whose picture is taken; empty where one node alone gives pictures.
        megapixels: area that the workflow draws well; the picture is brought to the size asked for.
        multiple_of: what its width and height must be multiples of.
    """

    about: str = Field(min_length=1)
    file: str = Field(min_length=1, max_length=1024, pattern=r"^[^\x00]+$")
    prompt: Target
    negative: Target | Literal[""] = ""
    seed: Target | Literal[""] = ""
    steps: Target | Literal[""] = ""
    guidance: Target | Literal[""] = ""
    width: Target | Literal[""] = ""
    height: Target | Literal[""] = ""
    start: Target | Literal[""] = ""
    strength: Target | Literal[""] = ""
    reference: Target | Literal[""] = ""
    controls: dict[ControlKind, Target] = Field(default_factory=dict)
    people: tuple[PersonSlot, ...] = Field((), max_length=8)
    output: str = Field("", max_length=64)
    megapixels: float = Field(1.0, gt=0.05, le=16.0)
    multiple_of: int = Field(8, ge=1, le=256)

    @model_validator(mode="after")
    def _in_pairs(self) -> Workflow:
        if bool(self.width) != bool(self.height):
            raise ValueError("name the inputs of both width and height, or of neither")
        return self


class ComfyFile(_Model):
    """comfyui.yaml.

    Attributes:
        default: the workflow that draws; empty while there is none.
        remote: name in services.yaml of a server on another machine, for the engine comfyui_remote.
        limit_s: seconds that one picture may take once the server works on it.
        queue_s: seconds that it may wait there for others.
        workflows: by name.
    """

    default: Name | Literal[""] = ""
    remote: Name | Literal[""] = ""
    limit_s: float = Field(600.0, gt=0.0, le=7200.0)
    queue_s: float = Field(1800.0, gt=0.0, le=86400.0)
    workflows: dict[Name, Workflow] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _default_exists(self) -> ComfyFile:
        if self.default and self.default not in self.workflows:
            raise ValueError(f"default: there is no workflow {self.default!r}")
        return self


def load_comfyui(path: Path = COMFYUI_YAML) -> ComfyFile:
    """Read comfyui.yaml.

    Raises:
        YamlProblem: with file and line.
    """
    return load_yaml_model(path, ComfyFile)
