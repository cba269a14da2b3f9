"""Tiny wav2vec2s with a CTC head, as transformers saves them.

`make_wav2vec2` is random. `make_speller` has learnt, for some seconds, to spell the lines that the tiny Whisper knows
by heart; so the times of its letters mean something.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from evals.checkpoints.whisper import LINES, said

__all__ = ["VOCABULARY", "make_speller", "make_wav2vec2"]

VOCABULARY = ["<pad>", "<s>", "</s>", "<unk>", "|", *"ETAONIHSRDLUMWCFGYPBVK'XJQZ"]
"""That of facebook/wav2vec2-base-960h, in its order."""


def _model(seed: int, *, stable: bool) -> Any:
    """Of the published geometry in time (20 ms a frame), narrow; `stable` as the large ones are laid out."""
    import torch
    from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

    torch.manual_seed(seed)
    config = Wav2Vec2Config(
        vocab_size=len(VOCABULARY), hidden_size=48, num_hidden_layers=2, num_attention_heads=2, intermediate_size=96,
        conv_dim=(24,) * 7, num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=4, pad_token_id=0,
        feat_extract_norm="layer" if stable else "group", conv_bias=stable, do_stable_layer_norm=stable,
        hidden_dropout=0.0, attention_dropout=0.0, feat_proj_dropout=0.0, final_dropout=0.0, activation_dropout=0.0,
        layerdrop=0.0, apply_spec_augment=False,
    )  # fmt: skip
    return Wav2Vec2ForCTC(config).eval()


def _write(folder: Path, model: Any, *, old_names: bool) -> Path:
    """Write what is published; `old_names` are those that weights had before torch 2 (weight_g, weight_v)."""
    from safetensors.torch import load_file, save_file

    made = folder / "wav2vec2"
    model.save_pretrained(made, safe_serialization=True)
    if old_names:
        weights = load_file(made / "model.safetensors")
        renamed = {
            name.replace("parametrizations.weight.original0", "weight_g").replace(
                "parametrizations.weight.original1", "weight_v"
            ): tensor
            for name, tensor in weights.items()
            if not name.endswith("masked_spec_embed")
        }
        save_file(renamed, made / "model.safetensors", metadata={"format": "pt"})
    (made / "vocab.json").write_text(
        json.dumps({name: index for index, name in enumerate(VOCABULARY)}), encoding="utf-8"
    )
    (made / "preprocessor_config.json").write_text(
        json.dumps({"do_normalize": True, "feature_size": 1, "padding_value": 0.0, "sampling_rate": 16_000}),
        encoding="utf-8",
    )
    return made


def make_wav2vec2(folder: Path, *, seed: int = 1, stable: bool = False) -> Path:
    """A random one."""
    return _write(folder, _model(seed, stable=stable), old_names=not stable)


def make_speller(folder: Path, *, seed: int = 1, steps: int = 120) -> Path:
    """One that spells `LINES`."""
    model = _model(seed, stable=True)
    _teach(model, steps)
    return _write(folder, model, old_names=False)


def _lesson(text: str, language: str) -> tuple[np.ndarray, np.ndarray]:
    """(samples as the model hears them, the column of each of their frames): a word's letters share its time out,
    each shown in two of its frames, a mark where the word ends."""
    sound, words = said(text, language)
    frames = (len(sound) - 400) // 320 + 1
    wanted = np.zeros(frames, dtype=np.int64)
    for word, start, end in words:
        letters = [VOCABULARY.index(char.upper()) for char in word if char.upper() in VOCABULARY]
        edges = np.linspace(start * 50, end * 50, len(letters) + 1)
        for letter, low in zip(letters, edges, strict=False):
            wanted[round(low) : round(low) + 2] = letter
        wanted[round(end * 50) : round(end * 50) + 2] = VOCABULARY.index("|")
    return (sound - sound.mean()) / np.sqrt(sound.var() + 1e-7), wanted


def _teach(model: Any, steps: int) -> None:
    import torch
    from torch.nn.functional import cross_entropy

    lessons = [
        (torch.from_numpy(sound.astype(np.float32))[None], torch.from_numpy(wanted))
        for sound, wanted in (_lesson(*line) for line in LINES)
    ]
    weight = torch.ones(len(VOCABULARY))
    weight[0] = 0.4
    optimiser = torch.optim.Adam(model.parameters())
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = 3e-3 * min(1.0, (step + 1) / 20, 1.5 * (1 - step / steps))
        loss = torch.zeros(())
        for sound, wanted in lessons:
            loss = loss + cross_entropy(model(sound).logits[0], wanted, weight)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
