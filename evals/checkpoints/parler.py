"""A tiny Parler-TTS from config, made by the interpreter of the stack `parler`: its library is in no other environment.

As the published model, but for EnCodec in the place of DAC, whose widths are fixed in the library (76 million
parameters); Parler-TTS takes any codec by its config.
"""

from __future__ import annotations

from pathlib import Path

from evals.checkpoints.stacks import run_in_stack

__all__ = ["make_parler"]


def make_parler(folder: Path, python: str, seed: int = 1) -> Path:
    """A folder with config.json, model.safetensors, generation_config.json and the tokenizer.

    Args:
        python: interpreter of the stack.
    """
    code = f"from evals.checkpoints.parler import write; write({str(folder)!r}, {seed})"
    run_in_stack(python, code, "the tiny Parler-TTS")
    return folder


def write(folder: str, seed: int) -> None:
    """Runs in the stack."""
    from parler_tts import (
        ParlerTTSConfig,
        ParlerTTSDecoderConfig,
        ParlerTTSForConditionalGeneration,
    )
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import EncodecConfig, PreTrainedTokenizerFast, T5Config

    from evals.checkpoints.common import seeded

    letters = ["<pad>", "</s>", "<unk>", *"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,;:!?'- "]
    plain = Tokenizer(models.WordLevel({letter: at for at, letter in enumerate(letters)}, unk_token="<unk>"))
    plain.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    plain.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=plain, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", padding_side="left"
    )
    codes = 64
    text = T5Config(
        vocab_size=len(letters), d_model=24, d_kv=8, d_ff=32, num_layers=1, num_heads=4, is_encoder_decoder=False
    )
    audio = EncodecConfig(
        target_bandwidths=[2.0], sampling_rate=32_000, audio_channels=1, num_filters=4, num_residual_layers=1,
        upsampling_ratios=[8, 5, 4, 4], hidden_size=16, codebook_size=codes, codebook_dim=16, num_lstm_layers=1,
        use_causal_conv=False, normalize=False, chunk_length_s=None, overlap=None,
    )  # fmt: skip
    # As published: codes, then the end (1024), then the beginning (1025).
    decoder = ParlerTTSDecoderConfig(
        vocab_size=codes + 24, max_position_embeddings=2048, num_hidden_layers=2, ffn_dim=32, num_attention_heads=4,
        hidden_size=16, num_codebooks=4, pad_token_id=codes, eos_token_id=codes, bos_token_id=codes + 1,
    )  # fmt: skip
    config = ParlerTTSConfig.from_sub_models_config(text, audio, decoder, vocab_size=len(letters))
    config.pad_token_id, config.decoder_start_token_id = codes, codes + 1
    model = ParlerTTSForConditionalGeneration(config)
    seeded(model, seed, 2.0)
    _seed_codec(model.audio_encoder, seed)
    model.generation_config.update(
        do_sample=True, max_length=1500, min_new_tokens=100, pad_token_id=codes, eos_token_id=codes,
        bos_token_id=codes + 1, decoder_start_token_id=codes + 1,
    )  # fmt: skip
    model.eval().save_pretrained(folder, safe_serialization=True)
    tokenizer.save_pretrained(folder)


def _seed_codec(codec: object, seed: int) -> None:
    import torch

    for name, buffer in codec.named_buffers():  # type: ignore[attr-defined]
        if name.endswith(".embed"):
            generator = torch.Generator().manual_seed(seed + len(name) + int(name.split(".")[2]))
            buffer.copy_(torch.randn(buffer.shape, generator=generator))
