"""Tiny Stable Video Diffusion: the topology of the real one with narrow layers. torch is imported inside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

__all__ = ["make_svd"]

WIDTH = 32
"""Of the picture's embedding."""


def make_unet(seed: int) -> Any:
    """A UNet that listens; channels in multiples of 32, as its norms want."""
    import torch
    from diffusers import UNetSpatioTemporalConditionModel

    torch.manual_seed(seed)
    unet = UNetSpatioTemporalConditionModel(
        sample_size=8, block_out_channels=(32, 32, 32, 32), layers_per_block=1, num_attention_heads=(1, 1, 1, 1),
        addition_time_embed_dim=8, projection_class_embeddings_input_dim=24, cross_attention_dim=WIDTH,
        transformer_layers_per_block=1, num_frames=25,
    )  # fmt: skip
    with torch.no_grad():
        for name, weight in unet.named_parameters():
            if name.endswith("weight") and ("attn2" in name or "time_emb" in name):
                weight.mul_(3.0)
            if name.endswith("weight") and "add_embedding" in name:
                weight.mul_(12.0)
    return unet


def make_svd(folder: Path, seed: int = 1) -> Path:
    """A folder as `stabilityai/stable-video-diffusion-img2vid-xt` has it."""
    import torch
    from diffusers import AutoencoderKLTemporalDecoder, EulerDiscreteScheduler, StableVideoDiffusionPipeline
    from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

    unet = make_unet(seed)
    torch.manual_seed(seed)
    vae = AutoencoderKLTemporalDecoder(
        block_out_channels=(32, 32, 32, 32), layers_per_block=1, latent_channels=4, force_upcast=True,
        down_block_types=("DownEncoderBlock2D",) * 4,
    )  # fmt: skip
    encoder = CLIPVisionModelWithProjection(
        CLIPVisionConfig(hidden_size=32, intermediate_size=32, projection_dim=WIDTH, num_hidden_layers=2,
                         num_attention_heads=2, image_size=224, patch_size=56)
    )  # fmt: skip
    scheduler = EulerDiscreteScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", prediction_type="v_prediction",
        sigma_min=0.002, sigma_max=700.0, timestep_spacing="leading", timestep_type="continuous",
        use_karras_sigmas=True, steps_offset=1,
    )  # fmt: skip
    pipeline = StableVideoDiffusionPipeline(
        vae=vae, image_encoder=encoder, unet=unet, scheduler=scheduler,
        feature_extractor=CLIPImageProcessor(size=224, crop_size=224),
    )  # fmt: skip
    pipeline.save_pretrained(folder)
    return folder
