"""A small XTTS from config, made by the interpreter of the stack `xtts`, as coqui publishes it: model.pth and settings.

Its language model is a few channels wide and long; HiFi-GAN and the speaker encoder have the library's fixed widths
(about 20 million parameters).
"""

from __future__ import annotations

from pathlib import Path

from evals.checkpoints.stacks import run_in_stack

__all__ = ["make_xtts", "make_xtts_pickle"]


def _in_stack(python: str, code: str) -> None:
    run_in_stack(python, code, "the small XTTS")


def make_xtts_pickle(folder: Path, python: str, seed: int = 1) -> Path:
    """A folder with model.pth (its settings as an object in it, as in the published one), config.json, vocab.json.

    Args:
        python: interpreter of the stack.
    """
    _in_stack(python, f"from evals.checkpoints.xtts import write; write({str(folder)!r}, {seed})")
    return folder


def make_xtts(folder: Path, python: str, pickled: Path) -> Path:
    """The same, converted by the studio's own converter in the stack."""
    _in_stack(
        python,
        "from pathlib import Path; from tools.voice.xtts_convert import convert; "
        f"convert(Path({str(pickled)!r}), Path({str(folder / 'xtts')!r}))",
    )
    return folder / "xtts"


def write(folder: str, seed: int) -> None:
    """Runs in the stack."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from TTS.tts.configs.xtts_config import XttsArgs, XttsConfig
    from TTS.tts.models.xtts import Xtts

    from evals.checkpoints.common import seeded

    signs = ["[STOP]", "[UNK]", "[SPACE]", "[START]", "[en]", "[it]", "[de]", "[es]", "[fr]"]
    letters = [*signs, *"abcdefghijklmnopqrstuvwxyzàèéìòùáíóúñäöüß.,;:!?'-"]
    words = Tokenizer(models.BPE({letter: at for at, letter in enumerate(letters)}, [], unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    words.add_special_tokens(signs)
    words.save(f"{folder}/vocab.json")
    args = XttsArgs(
        gpt_max_audio_tokens=64, gpt_max_text_tokens=402, gpt_layers=1, gpt_n_model_channels=64, gpt_n_heads=2,
        gpt_number_text_tokens=len(letters), gpt_start_text_token=3, gpt_stop_text_token=0, gpt_num_audio_tokens=66,
        gpt_start_audio_token=64, gpt_stop_audio_token=65, gpt_use_perceiver_resampler=True, decoder_input_dim=64,
    )  # fmt: skip
    config = XttsConfig(model_args=args, gpt_cond_len=6, gpt_cond_chunk_len=3, languages=["en", "it", "de", "es", "fr"])
    torch.manual_seed(seed)
    model = Xtts(config)
    # Wide enough apart that what was heard and read decides what is said.
    seeded(model.gpt, seed, 3.0)
    with torch.no_grad():
        # It never ends by itself: lines have the length of the longest.
        model.gpt.mel_head.bias[65] = -1e4
    torch.save({"model": model.state_dict(), "config": config, "step": 1}, f"{folder}/model.pth")
    config.save_json(f"{folder}/config.json")
