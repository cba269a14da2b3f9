"""Names of the families of models, and how each is told to a person."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FAMILY_NAMES", "Family", "base_of_width"]

FAMILY_NAMES = {
    "sdxl": "SDXL",
    "sdxl_refiner": "SDXL refiner",
    "sd15": "Stable Diffusion 1.5",
    "sd2": "Stable Diffusion 2",
    "sd3": "Stable Diffusion 3",
    "sd": "Stable Diffusion (1.5 or XL)",
    "flux": "FLUX",
    "svd": "Stable Video Diffusion",
    "ltx": "LTX-Video",
    "ltx2": "LTX-2",
    "wan": "Wan",
    "lora": "LoRA",
    "controlnet": "ControlNet",
    "control_lora": "Control-LoRA",
    "ip_adapter": "IP-Adapter",
    "instantid": "InstantID adapter",
    "textual_inversion": "textual inversion",
    "vae": "VAE",
    "clip": "CLIP encoder",
    "t5": "T5 text encoder",
    "depth": "depth model",
    "vitpose": "ViTPose",
    "musicgen": "MusicGen",
    "parler": "Parler-TTS",
    "whisper": "Whisper",
    "wav2vec2": "wav2vec2",
    "vision_language": "vision-language model",
    "language": "language model",
    "embedding": "text embedding model",
    "face": "face recognition model",
    "unknown": "file of weights that the studio does not know",
}


@dataclass(frozen=True)
class Family:
    """What a file of weights is.

    Attributes:
        name: one of `FAMILY_NAMES`.
        part: of the model: `checkpoint` (all in one file), `unet`, `transformer`, `text`, `image`, `union` ...
        base: for what is added to a model, the family of that; for a model its own. Empty where nothing tells.
        style: which layout or variant: `kohya`, `diffusers`, `peft`; `base`, `plus`, `full_face`, `faceid`,
            `faceid_plus`; `inpaint`.
    """

    name: str
    part: str = ""
    base: str = ""
    style: str = ""

    def __str__(self) -> str:
        extras = [word.replace("_", " ") for word in (self.part, self.style) if word]
        of = f" for {FAMILY_NAMES.get(self.base, self.base)}" if self.base and self.base != self.name else ""
        return FAMILY_NAMES.get(self.name, self.name) + of + (f" ({', '.join(extras)})" if extras else "")


def base_of_width(width: int) -> str:
    """The family by the width of the text that its cross-attention reads; empty for a width of no published model.

    768 is CLIP-L (Stable Diffusion 1), 1024 OpenCLIP-H (2), 2048 CLIP-L and bigG together (SDXL), 1280 bigG alone
    (its refiner).
    """
    return {768: "sd15", 1024: "sd2", 2048: "sdxl", 1280: "sdxl_refiner"}.get(width, "")
