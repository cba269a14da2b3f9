"""Wav2Lip's generator with random weights, as its authors publish it: a pickle with the optimizer's state beside."""

from __future__ import annotations

from pathlib import Path

__all__ = ["make_wav2lip_pickle", "make_wav2lip_weights"]


def make_wav2lip_pickle(folder: Path, *, channels: int = 1, seed: int = 0) -> Path:
    """`wav2lip.pth`: `state_dict` in the names of several cards (`module.`), and where its training stood.

    Random, but lively: its mouths are pictures, and follow what it hears and sees.
    """
    import torch

    from tools.video.lip.network import build_network

    torch.manual_seed(seed)
    network = build_network(channels)
    for parameter in network.parameters():
        if parameter.ndim > 1:
            torch.nn.init.kaiming_normal_(parameter)
    with torch.no_grad():
        # What it hears must come through thirteen layers to be seen.
        network.audio_encoder[-1].conv_block[0].weight *= 4.0
        network.output_block[1].weight *= 2.0
    state = {f"module.{name}": tensor for name, tensor in network.state_dict().items()}
    path = folder / "wav2lip.pth"
    whole = {"state_dict": state, "optimizer": {"state": {}, "param_groups": []}, "global_step": 1, "global_epoch": 0}
    torch.save(whole, path)
    return path


def make_wav2lip_weights(folder: Path, *, channels: int = 1, seed: int = 0) -> Path:
    """The same, converted as a person does it: `wav2lip.safetensors`."""
    from tools.video.lip.convert import convert

    pickle = make_wav2lip_pickle(folder, channels=channels, seed=seed)
    path = convert(pickle, folder / "wav2lip.safetensors")
    pickle.unlink()
    return path
