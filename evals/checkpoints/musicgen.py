"""A tiny MusicGen from config: T5, EnCodec and decoder a few channels wide, with a processor, as transformers saves it.

Rates are those of the published model: 32 kHz, 50 steps a second, 4 codebooks with a delay pattern.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evals.checkpoints.common import seeded

__all__ = ["make_musicgen"]

WORDS = (  # of the studio's own descriptions
    "calm gentle slow guitar flute strings cheerful sunny accordion mandolin playful pizzicato clarinet tender piano "
    "cello adventurous horns driving melancholy sparse minor tense ostinato mysterious celesta harp triumphant brass "
    "fanfare instrumental film score acoustic high quality studio recording drums seaside summer woodland "
    "and in a the with over , - bpm"
)


def make_musicgen(
    folder: Path, seed: int = 1, hidden: int = 16, codes: int = 64, codebooks: int = 4, channels: int = 1
) -> Path:
    """A folder with config.json, model.safetensors, generation_config.json and the processor.

    Args:
        codes: entries of a codebook.
        codebooks: of one channel.
        channels: 2 is laid out as the published stereo models.
    """
    from transformers import (
        EncodecConfig,
        EncodecModel,
        MusicgenConfig,
        MusicgenDecoderConfig,
        MusicgenForCausalLM,
        MusicgenForConditionalGeneration,
        T5Config,
        T5EncoderModel,
    )

    processor = _processor(channels)
    text = T5Config(
        vocab_size=len(processor.tokenizer), d_model=24, d_kv=4, d_ff=32, num_layers=1, num_heads=4,
        is_encoder_decoder=False, use_cache=False,
    )  # fmt: skip
    bits = (codes - 1).bit_length()
    audio = EncodecConfig(
        target_bandwidths=[codebooks * bits * 50 / 1000], sampling_rate=32_000, audio_channels=1, num_filters=4,
        num_residual_layers=1, upsampling_ratios=[8, 5, 4, 4], hidden_size=16, codebook_size=codes, codebook_dim=16,
        num_lstm_layers=1, use_causal_conv=False, normalize=False, chunk_length_s=None, overlap=None,
    )  # fmt: skip
    decoder = MusicgenDecoderConfig(
        vocab_size=codes, max_position_embeddings=2048, num_hidden_layers=2, ffn_dim=32, num_attention_heads=4,
        hidden_size=hidden, num_codebooks=codebooks * channels, audio_channels=channels, pad_token_id=codes,
        bos_token_id=codes,
    )  # fmt: skip
    config = MusicgenConfig(text_encoder=text, audio_encoder=audio, decoder=decoder)
    model = MusicgenForConditionalGeneration(
        config, T5EncoderModel(text), EncodecModel(audio), MusicgenForCausalLM(decoder)
    )
    seeded(model.text_encoder, seed, 2.0)
    seeded(model.enc_to_dec_proj, seed, 2.0)
    # Logits wide enough apart that what the decoder heard decides what is drawn.
    seeded(model.decoder, seed, 3.0)
    _seed_codec(model.audio_encoder, seed)
    settings = model.generation_config
    settings.update(
        do_sample=True, guidance_scale=3.0, max_length=1500, pad_token_id=codes, bos_token_id=codes,
        decoder_start_token_id=codes,
    )  # fmt: skip
    model.eval().save_pretrained(folder)
    settings.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def _seed_codec(codec: Any, seed: int) -> None:
    import torch

    seeded(codec, seed, 1.5)
    for name, buffer in codec.named_buffers():
        if name.endswith(".embed"):
            generator = torch.Generator().manual_seed(seed + len(name) + int(name.split(".")[2]))
            buffer.copy_(torch.randn(buffer.shape, generator=generator))


def _processor(channels: int) -> Any:
    """The words of the studio's own descriptions as single pieces, and every letter for the rest."""
    from transformers import EncodecFeatureExtractor, MusicgenProcessor, T5TokenizerFast

    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("\u2581", -4.0)]
    pieces += [(f"\u2581{word}", -2.0) for word in dict.fromkeys(WORDS.split())]
    pieces += [(sign, -6.0) for sign in "abcdefghijklmnopqrstuvwxyz0123456789,-"]
    tokenizer = T5TokenizerFast(vocab=pieces, extra_ids=0)
    extractor = EncodecFeatureExtractor(feature_size=channels, sampling_rate=32_000, padding_side="left")
    return MusicgenProcessor(extractor, tokenizer)
