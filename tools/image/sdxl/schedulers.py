"""Samplers by name. Names follow what ComfyUI and A1111 users know; classes and options are diffusers'."""

from __future__ import annotations

from typing import Any

from tools.errors import InvalidInput

__all__ = ["SAMPLERS", "make_scheduler"]

SAMPLERS: dict[str, tuple[str, dict[str, Any]]] = {
    "dpmpp_2m": ("DPMSolverMultistepScheduler", {}),
    "dpmpp_2m_karras": ("DPMSolverMultistepScheduler", {"use_karras_sigmas": True}),
    "dpmpp_2m_sde": ("DPMSolverMultistepScheduler", {"algorithm_type": "sde-dpmsolver++"}),
    "dpmpp_2m_sde_karras": (
        "DPMSolverMultistepScheduler",
        {"algorithm_type": "sde-dpmsolver++", "use_karras_sigmas": True},
    ),
    "dpmpp_sde": ("DPMSolverSinglestepScheduler", {}),
    "euler": ("EulerDiscreteScheduler", {}),
    "euler_a": ("EulerAncestralDiscreteScheduler", {}),
    "euler_trailing": ("EulerDiscreteScheduler", {"timestep_spacing": "trailing"}),
    "heun": ("HeunDiscreteScheduler", {}),
    "ddim": ("DDIMScheduler", {"clip_sample": False, "set_alpha_to_one": False}),
    "lms": ("LMSDiscreteScheduler", {}),
    "unipc": ("UniPCMultistepScheduler", {}),
    "lcm": ("LCMScheduler", {}),
}
"""`euler_trailing` is what SDXL-Lightning asks for (ByteDance/SDXL-Lightning, model card)."""


def make_scheduler(name: str, config: Any) -> Any:
    """A fresh scheduler: it keeps state, so every call has its own.

    Args:
        name: one of `SAMPLERS`.
        config: of the checkpoint's own scheduler.

    Raises:
        InvalidInput: there is none of that name.
    """
    import diffusers

    if name not in SAMPLERS:
        raise InvalidInput(
            f"there is no scheduler {name!r}", where="scheduler", hint=f"There are: {', '.join(SAMPLERS)}."
        )
    kind, options = SAMPLERS[name]
    return getattr(diffusers, kind).from_config(config, **options)
