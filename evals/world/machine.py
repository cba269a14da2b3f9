"""The machine of a world: how much memory it has, and a card that is none: a CPU computes what that card is to.

The account of a card is the studio's own: its budget, its lease, its plans, what is loaded and what has to leave. Only
where a model's tensors lie is different, and how long a call takes. Calls tell the device `cpu` then, and no metric
takes their seconds for those of a GPU.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from tools.runtime.device.hardware import Gpu, Hardware

if TYPE_CHECKING:
    from configs.models import ModelsFile

__all__ = ["CardOfCpu", "Machine", "hardware_of", "published_sizes"]


class Machine(BaseModel):
    """What a world's machine is said to have.

    Attributes:
        memory_gb: GiB of host memory; models on a CPU may take six tenths of it.
        card_gb: GiB of a graphics card whose part the CPU plays; None: there is no card.
        sizes: what plans reckon with before a model was loaded: those of its `files`, or the `published` ones of
            models.yaml, as if the whole model lay there.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    memory_gb: float = Field(64.0, ge=4.0, le=1024.0)
    card_gb: float | None = Field(None, ge=4.0, le=192.0)
    sizes: Literal["files", "published"] = "files"


@dataclass(frozen=True)
class CardOfCpu(Gpu):
    """A card by its account, a CPU by what computes."""

    @property
    def device(self) -> str:
        """Where tensors go."""
        return "cpu"


def hardware_of(machine: Machine, here: Hardware) -> Hardware:
    """The hardware of a world.

    Args:
        here: this machine.
    """
    cards: tuple[Gpu, ...] = ()
    if machine.card_gb is not None:
        size = machine.card_gb
        cards = (CardOfCpu("a CPU in the place of a card", size, "none", uuid="eval-card", free_gb=size),)
    return Hardware(here.system, here.python, here.cpus, machine.memory_gb, cards)


def published_sizes(placed: ModelsFile, listed: ModelsFile) -> ModelsFile:
    """Models where they lie on this machine, with the sizes of models.yaml whatever their files take.

    Args:
        placed: `Shelf.placed()`; listed: models.yaml.
    """
    sizes = ("weights_gb", "working_gb")
    models = {
        name: entry.model_copy(update={size: getattr(listed.models[name], size) for size in sizes})
        if name in listed.models
        else entry
        for name, entry in placed.models.items()
    }
    return placed.model_copy(update={"models": models})
