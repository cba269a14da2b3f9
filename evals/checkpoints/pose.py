"""Tiny ViTPose and RT-DETR in folders as they are published; the detector sees people wherever it looks."""

from __future__ import annotations

from pathlib import Path

__all__ = ["make_person_detector", "make_vitpose"]


def make_vitpose(folder: Path, seed: int = 21) -> Path:
    """17 joints from boxes brought to 64 x 48; its heatmaps are strong enough to count."""
    import torch
    from transformers import VitPoseBackboneConfig, VitPoseConfig, VitPoseForPoseEstimation, VitPoseImageProcessorPil

    torch.manual_seed(seed)
    backbone = VitPoseBackboneConfig(
        image_size=[64, 48], patch_size=[16, 16], hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        out_indices=[2],
    )  # fmt: skip
    config = VitPoseConfig(backbone_config=backbone, scale_factor=4, use_simple_decoder=True)
    # The decoder has as many outputs as there are labels.
    config.num_labels = 17
    model = VitPoseForPoseEstimation(config).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() > 1:
                weight.normal_(std=0.3 if "head" in name else 0.1)
    model.save_pretrained(folder)
    VitPoseImageProcessorPil(size={"height": 64, "width": 48}).save_pretrained(folder)
    return folder


def make_person_detector(folder: Path, seed: int = 22, *, label: str = "person") -> Path:
    """Finds several boxes of class 0 in every picture; `label` is what that class is called."""
    import torch
    from transformers import RTDetrConfig, RTDetrForObjectDetection, RTDetrImageProcessorPil
    from transformers.models.rt_detr.configuration_rt_detr_resnet import RTDetrResNetConfig

    torch.manual_seed(seed)
    backbone = RTDetrResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 1, 1], layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],
    )  # fmt: skip
    config = RTDetrConfig(
        backbone_config=backbone, encoder_hidden_dim=32, encoder_in_channels=[16, 24, 32], feat_strides=[8, 16, 32],
        encoder_layers=1, encoder_ffn_dim=32, encoder_attention_heads=2, d_model=32, num_queries=12,
        decoder_in_channels=[32, 32, 32], decoder_ffn_dim=32, decoder_layers=2, decoder_attention_heads=2,
        num_denoising=0, id2label={0: label, 1: "bicycle"}, label2id={label: 0, "bicycle": 1},
    )  # fmt: skip
    model = RTDetrForObjectDetection(config).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "class_embed" in name and name.endswith("bias"):
                weight.copy_(torch.tensor([2.0, -4.0])[: weight.numel()])
    model.save_pretrained(folder)
    RTDetrImageProcessorPil(size={"height": 64, "width": 64}).save_pretrained(folder)
    return folder
