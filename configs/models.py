"""The schema of models.yaml: every model that the studio knows, where it comes from, its sizes and its licence.

Sizes and times are what is assumed until this machine has measured its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from configs.engines import ClassPath, Name
from configs.yaml_file import load_yaml_model

__all__ = ["MODELS_YAML", "ModelEntry", "ModelsFile", "Purpose", "load_models"]

MODELS_YAML = Path(__file__).with_name("models.yaml")

Width = Literal["fp32", "fp16", "bf16", "int8", "int4"]
Purpose = Literal[
    "image", "identity", "control", "voice", "music", "hearing", "video", "language", "vision", "search", "other"
]
RepoFile = Annotated[str, Field(pattern=r"^[A-Za-z0-9*_.\-][A-Za-z0-9*_.\-/ ]*$")]
"""A path in a repository; `*` stands for anything within one name."""


class ModelEntry(BaseModel):
    """A model: where its files come from, what they may be used for, and how it is loaded.

    Attributes:
        about: one line, what it is for.
        purpose: which part of the studio it serves.
        weights: the class that reads them; empty while no engine of this version does.
        stack: which worker they live in; the engines that use them live there, too.
        source: folder, file or repository they are read from, where nothing was pulled or registered.
        weights_gb: GiB on the device by width; widths that are not listed cannot be loaded.
        working_gb: GiB that a call of it needs besides, at most.
        load_s: seconds from host memory to the device; 0 reckons with `copy_gb_s` of the file.
        cold_s: seconds from disk to host memory; 0 reckons with `disk_gb_s` of the file.
        repo: repository on the Hugging Face Hub, as `owner/name`.
        revision: commit that is pulled; `main` where none is pinned: the commit is recorded when it is pulled.
        files: of the repository that are needed, and the only ones that are pulled.
        download_gb: GB (10^9 bytes) that these take on disk, about.
        licence: of the weights, by SPDX name where there is one.
        commercial: whether that allows commercial use; `unclear` where it depends on who uses it, and for what.
        gated: whether the Hub wants an account that has accepted the licence.
        family, base, style: what the file is, as `tools.models.kinds` names it; empty where it is not checked.
        by_hand: why it is not pulled, and what to do instead; empty where it is pulled.
        note: what else to know.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    about: str = Field(min_length=1)
    purpose: Purpose = "other"
    weights: ClassPath | Literal[""] = ""
    stack: Name = "core"
    source: str = ""
    weights_gb: dict[Width, Annotated[float, Field(gt=0.0)]] = Field(default_factory=dict)
    working_gb: float = Field(0.0, ge=0.0)
    load_s: float = Field(0.0, ge=0.0)
    cold_s: float = Field(0.0, ge=0.0)
    repo: str = Field("", pattern=r"^([A-Za-z0-9_.\-]+/[A-Za-z0-9_.\-]+)?$")
    revision: str = Field("main", pattern=r"^(main|[0-9a-f]{40})$")
    files: tuple[RepoFile, ...] = ()
    download_gb: float = Field(0.0, ge=0.0)
    licence: str = ""
    commercial: bool | Literal["unclear"] = "unclear"
    gated: bool = False
    family: str = ""
    base: str = ""
    style: str = ""
    by_hand: str = ""
    note: str = ""

    @model_validator(mode="after")
    def _complete(self) -> ModelEntry:
        if self.weights and not self.weights_gb:
            raise ValueError("weights_gb: what is loaded needs its size on the device")
        if self.repo and not self.licence:
            raise ValueError("licence: what comes from a repository needs its licence")
        if self.repo and not (self.files or self.by_hand):
            raise ValueError("files: say which are pulled, or in by_hand why none are")
        for name in self.files:
            if ".." in name.split("/") or name.endswith((".bin", ".pt", ".pth", ".ckpt", ".pkl", ".py")) != (
                name.endswith("model.bin") and self.style == "ctranslate2"
            ):
                raise ValueError(f"files: {name} leads out of the repository, or is a pickle or a program")
        return self

    @property
    def pullable(self) -> bool:
        """Whether `studio models pull` can get it."""
        return bool(self.repo) and not self.by_hand


class ModelsFile(BaseModel):
    """models.yaml.

    Attributes:
        copy_gb_s: GiB a second from pinned host memory to the device.
        disk_gb_s: GiB a second from disk.
        models: by name.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    copy_gb_s: float = Field(20.0, gt=0.0)
    disk_gb_s: float = Field(1.0, gt=0.0)
    models: dict[Name, ModelEntry] = Field(default_factory=dict)

    @property
    def loadable(self) -> dict[str, ModelEntry]:
        """Those that an engine of this version loads."""
        return {name: entry for name, entry in self.models.items() if entry.weights}


def load_models(path: Path = MODELS_YAML) -> ModelsFile:
    """Read models.yaml.

    Raises:
        YamlProblem: with file and line.
    """
    return load_yaml_model(path, ModelsFile)
