"""Tiny Qwen2.5-VLs: the real topology (windowed vision tower, merger, multimodal rotary positions) with narrow layers.

Sizes: vision 2 blocks of 32 (patch 14, merge 2, so 28 x 28 pixels are one token), language 2 layers of 64 (4 heads, 2
of keys and values), 264 tokens (256 bytes and the eight marks of the chat template): 0.19 million parameters, 0.8 MB.
Pictures are scaled to 16 tokens at most (112 x 112 pixels). Random answers are printable ASCII, 24 tokens at most.

The picture's processor is the one without torchvision (`Qwen2VLImageProcessorPil`). `AutoProcessor` wants torchvision
for its video processor all the same: load with `processor_of(folder)`, which has none, or register `processor_class()`
as `AutoProcessor.register(Qwen2_5_VLConfig, processor_class(), exist_ok=True)` where something loads it by itself.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["CHAT", "MARKS", "make_qwen_vl", "processor_class", "processor_of"]

MARKS = (
    "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>",
    "<|video_pad|>", "<|endoftext|>",
)  # fmt: skip
"""The marks of Qwen's template, from id 256 on."""
CHAT = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}"
    "{% else %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' or 'image' in part or 'image_url' in part %}"
    "<|vision_start|><|image_pad|><|vision_end|>"
    "{% elif 'text' in part %}{{ part['text'] }}{% endif %}{% endfor %}{% endif %}"
    "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""Qwen2.5-VL's chat template without its default system prompt."""
HIDDEN, VISION, LONGEST = 64, 32, 4096
PIXELS = 112 * 112
NEW_TOKENS = 24


def _tokenizer() -> Any:
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import Qwen2TokenizerFast
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    letters = bytes_to_unicode()
    tokenizer = Tokenizer(models.BPE(vocab={letters[value]: value for value in range(256)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(mark, special=True, normalized=False) for mark in MARKS])
    return Qwen2TokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>", unk_token=None, bos_token=None,
        model_max_length=LONGEST, chat_template=CHAT,
    )  # fmt: skip


def _id(mark: str) -> int:
    return 256 + MARKS.index(mark)


def _model(seed: int) -> Any:
    import torch
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    torch.manual_seed(seed)
    config = Qwen2_5_VLConfig(
        text_config={
            "vocab_size": 256 + len(MARKS), "hidden_size": HIDDEN, "intermediate_size": 128, "num_hidden_layers": 2,
            "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": LONGEST,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [2, 3, 3]},
            "eos_token_id": _id("<|im_end|>"), "pad_token_id": _id("<|endoftext|>"), "bos_token_id": None,
        },
        vision_config={
            "depth": 2, "hidden_size": VISION, "intermediate_size": 64, "num_heads": 2, "out_hidden_size": HIDDEN,
            "patch_size": 14, "spatial_merge_size": 2, "temporal_patch_size": 2, "window_size": 56,
            "fullatt_block_indexes": [1],
        },
        image_token_id=_id("<|image_pad|>"), video_token_id=_id("<|video_pad|>"),
        vision_start_token_id=_id("<|vision_start|>"), vision_end_token_id=_id("<|vision_end|>"),
        tie_word_embeddings=False,
    )  # fmt: skip
    model = Qwen2_5_VLForConditionalGeneration(config).eval()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.mul_(4.0)
    return model


def make_qwen_vl(folder: Path, *, seed: int = 1) -> Path:
    """A folder as `Qwen/Qwen2.5-VL-7B-Instruct` has it, random."""
    return _write(folder, _model(seed), NEW_TOKENS)


def _write(folder: Path, model: Any, new_tokens: int) -> Path:
    printable = {10, *range(32, 127), _id("<|im_end|>")}
    generation = model.generation_config
    generation.max_new_tokens, generation.do_sample = new_tokens, False
    generation.eos_token_id, generation.pad_token_id = _id("<|im_end|>"), _id("<|endoftext|>")
    generation.suppress_tokens = [token for token in range(256 + len(MARKS)) if token not in printable]
    model.save_pretrained(folder)
    _tokenizer().save_pretrained(folder)
    (folder / "chat_template.jinja").write_text(CHAT, encoding="utf-8")
    # Without a processor_class, which would go before what `AutoProcessor.register` was told.
    pictures = {
        "image_processor_type": "Qwen2VLImageProcessorPil", "patch_size": 14, "temporal_patch_size": 2, "merge_size": 2,
        "size": {"shortest_edge": 28 * 28, "longest_edge": PIXELS},
        "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711],
    }  # fmt: skip
    (folder / "preprocessor_config.json").write_text(json.dumps(pictures), encoding="utf-8")
    return folder


def processor_class() -> Any:
    """Qwen2.5-VL's processor for text and pictures alone, with the loaders of the public one."""
    from transformers import ProcessorMixin, Qwen2_5_VLProcessor

    class PictureProcessor(Qwen2_5_VLProcessor):  # type: ignore[misc]
        """The parts of a processor are read from the names in its signature: here no video_processor."""

        def __init__(
            self, image_processor: Any = None, tokenizer: Any = None, chat_template: str | None = None
        ) -> None:
            self.image_token, self.video_token = "<|image_pad|>", "<|video_pad|>"
            self.image_token_id, self.video_token_id = _id(self.image_token), _id(self.video_token)
            ProcessorMixin.__init__(self, image_processor, tokenizer, chat_template=chat_template)

    return PictureProcessor


def processor_of(folder: Path) -> Any:
    """The processor of such a checkpoint; torchvision is not asked for."""
    return processor_class().from_pretrained(folder)
