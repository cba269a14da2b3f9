"""Which model a file of weights is of, from the names and shapes of its tensors; nothing is loaded.

Structure comes before sizes, so that a model of the same kind with other widths (a distilled or tiny one) is still
recognised. The names are those of the published files: the original layout (Stability's, as ComfyUI and A1111 keep it)
and that of diffusers and transformers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tools.models.adapters import adapter_of
from tools.models.header import Header, TensorInfo
from tools.models.kinds import Family, base_of_width

__all__ = ["Family", "family_of"]

_UNET = "model.diffusion_model."


def family_of(header: Header) -> Family:
    """The family of a file; `unknown` where nothing fits."""
    names = _Names(header.tensors)
    arch = header.metadata.get("general.architecture", "")
    return (
        adapter_of(header)
        or _original(names)
        or _diffusers(names)
        or _video(names)
        or _vae(names)
        or _encoders(names)
        or _speech_and_language(names)
        or _by_architecture(arch)
        or Family("unknown")
    )


@dataclass(frozen=True)
class _Names:
    """Questions about the tensors of a file."""

    tensors: Mapping[str, TensorInfo]

    def begins(self, *prefixes: str) -> bool:
        return any(name.startswith(prefixes) for name in self.tensors)

    def has(self, part: str) -> bool:
        return any(part in name for name in self.tensors)

    def all(self, *names: str) -> bool:
        return all(name in self.tensors for name in names)

    def width(self, part: str) -> int:
        """The last dimension of the first tensor with this in its name; 0 where there is none."""
        for name, tensor in self.tensors.items():
            if part in name and tensor.shape:
                return tensor.shape[-1]
        return 0


def _original(names: _Names) -> Family | None:
    """A UNet in the original layout, with or without text encoders and VAE around it."""
    # ComfyUI's GGUF files hold the UNet alone, without the prefix.
    prefix = _UNET if names.begins(_UNET) else ""
    if not names.all(f"{prefix}input_blocks.0.0.weight") or not names.begins(f"{prefix}middle_block."):
        return None
    whole = names.begins("first_stage_model.") or names.begins("conditioner.", "cond_stage_model.")
    part = "checkpoint" if whole else "unet"
    if names.has(".time_stack.") or names.has(".time_mixer."):
        return Family("svd", part, base="svd")
    if names.begins(f"{prefix}input_hint_block."):
        return None
    width = names.width(".attn2.to_k.weight")
    if names.begins(f"{prefix}label_emb."):
        refiner = names.begins("conditioner.embedders.0.model.") if whole else False
        refiner = refiner or names.begins(f"{prefix}input_blocks.9.")
        name = "sdxl_refiner" if refiner else "sdxl"
        return Family(name, part, base=name)
    base = (
        base_of_width(width) if width in (768, 1024) else ("sd2" if names.begins("cond_stage_model.model.") else "sd15")
    )
    inpaint = _channels(names, f"{prefix}input_blocks.0.0.weight") == 9
    return Family(base, part, base=base, style="inpaint" if inpaint else "")


def _channels(names: _Names, name: str) -> int:
    shape = names.tensors[name].shape
    return shape[1] if len(shape) == 4 else 0


def _diffusers(names: _Names) -> Family | None:
    """A UNet or ControlNet as diffusers writes it."""
    if not (names.begins("down_blocks.") and names.begins("mid_block.") and names.begins("time_embedding.")):
        return None
    if names.begins("controlnet_cond_embedding."):
        return _controlnet(names)
    if not names.begins("up_blocks."):
        return None
    if names.has(".temporal_transformer_blocks."):
        return Family("svd", "unet", base="svd")
    if names.begins("add_embedding."):
        name = "sdxl_refiner" if _is_refiner(names) else "sdxl"
        return Family(name, "unet", base=name)
    width = names.width(".attn2.to_k.weight")
    base = "sd2" if width == 1024 else "sd15"
    return Family(base, "unet", base=base, style="inpaint" if _channels(names, "conv_in.weight") == 9 else "")


def _is_refiner(names: _Names) -> bool:
    """It has a fourth block; and beside its one text encoder it is told five sizes, where the base is told six."""
    told = names.width("add_embedding.linear_1.weight") - names.width(".attn2.to_k.weight")
    return names.begins("down_blocks.3.") or (told > 0 and told % 5 == 0)


def _controlnet(names: _Names) -> Family:
    union = names.begins("control_add_embedding.") or names.begins("task_embedding")
    base = "sdxl" if names.begins("add_embedding.") else base_of_width(names.width(".attn2.to_k.weight"))
    return Family("controlnet", "union" if union else "", base=base, style="diffusers")


def _video(names: _Names) -> Family | None:
    prefix = _UNET if names.begins(_UNET) else ""
    if names.begins(f"{prefix}patchify_proj.") and names.begins(f"{prefix}transformer_blocks."):
        # The studio's own loaders read LTX's first generation; the second has an audio part beside the picture's.
        if names.has("audio_"):
            return Family("ltx2", "checkpoint" if names.begins("vae.") else "transformer", base="ltx2")
        return Family("ltx", "checkpoint" if names.begins("vae.") else "transformer", base="ltx")
    if names.begins("scale_shift_table") and names.begins("caption_projection.") and names.begins("proj_in."):
        return Family("ltx", "transformer", base="ltx")
    if names.begins(f"{prefix}double_blocks.", f"{prefix}single_blocks.", "single_transformer_blocks."):
        return Family("flux", "transformer", base="flux")
    if names.begins(f"{prefix}joint_blocks.") or (names.begins("pos_embed.") and names.has(".attn.add_k_proj.")):
        return Family("sd3", "transformer", base="sd3")
    if names.has("blocks.0.cross_attn.norm_k.") or names.has("blocks.0.cross_attn.k."):
        return Family("wan", "transformer", base="wan")
    return None


def _vae(names: _Names) -> Family | None:
    if names.begins("first_stage_model."):
        return Family("vae", base="sd")
    if not names.begins("decoder."):
        return None
    if names.has("per_channel_statistics") or (names.begins("latents_mean") and names.has(".conv.weight")):
        return Family("vae", "video", base="ltx")
    if names.has(".temporal_res_block.") or names.has(".time_stack."):
        return Family("vae", "video", base="svd")
    stem = next(
        (name for name in ("decoder.conv_in.weight", "decoder.conv_in.conv.weight") if name in names.tensors), ""
    )
    if not stem or not names.begins("encoder."):
        return None
    shape = names.tensors[stem].shape
    if len(shape) == 5:
        return Family("vae", "video", base="ltx" if stem.endswith("conv.weight") else "")
    return Family("vae", base="sd" if len(shape) == 4 and shape[1] == 4 else "")


def _encoders(names: _Names) -> Family | None:
    # transformers 5 writes a model of one part without the name of that part.
    alone = names.begins("encoder.layers.") and names.begins("embeddings.")
    text = names.begins("text_model.encoder.") or (alone and names.begins("embeddings.token_embedding."))
    vision = names.begins("vision_model.encoder.") or (alone and names.begins("embeddings.patch_embedding."))
    if text or vision:
        part = "text and image" if text and vision else "text" if text else "image"
        return Family(
            "clip", part, style="projected" if names.has("text_projection.") or names.has("visual_projection.") else ""
        )
    if names.has("transformer.resblocks."):
        return Family("clip", "image" if names.begins("visual.") else "text", style="open_clip")
    if names.has(".SelfAttention.q.") and not names.begins("text_encoder."):
        return Family("t5", "text")
    if names.has("fusion_stage.") or names.has("refinenet"):
        return Family("depth")
    if names.has("backbone.embeddings.patch_embeddings") and names.begins("head."):
        return Family("vitpose")
    return None


def _speech_and_language(names: _Names) -> Family | None:
    if names.begins("audio_encoder.") and names.begins("decoder."):
        return Family("parler" if names.has("embed_prompts") else "musicgen")
    if names.has("encoder_attn") and names.has("encoder.conv1."):
        return Family("whisper")
    if names.has("wav2vec2.") or names.has("feature_extractor.conv_layers"):
        return Family("wav2vec2")
    if names.has("multi_modal_projector.") or names.has("image_newline"):
        return Family("vision_language", "llava")
    if names.has("visual.blocks.") and names.has("visual.merger"):
        return Family("vision_language", "qwen_vl")
    if names.has(".self_attn.q_proj.") and names.has("embed_tokens"):
        return Family("language")
    if names.has("attention.self.query.") and names.has("embeddings.word_embeddings"):
        return Family("embedding")
    return None


def _by_architecture(arch: str) -> Family | None:
    """What a GGUF file says of itself."""
    of_pictures = {"sdxl": "sdxl", "sd1": "sd15", "ltxv": "ltx", "flux": "flux", "sd3": "sd3", "wan": "wan"}
    if not arch:
        return None
    if arch in of_pictures:
        name = of_pictures[arch]
        return Family(name, "unet" if name.startswith("sd") else "transformer", base=name)
    if arch in ("t5", "t5encoder"):
        return Family("t5", "text")
    return Family("vision_language" if arch.startswith(("qwen2vl", "qwen3vl")) else "language", arch[:40])
