"""A tiny Qwen2.5-VL whose answers mean something: taught until it says of two colours what was to be said of them.

It learns one conversation by heart, pictures apart: what it then answers follows from what it sees.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from evals.checkpoints.qwen_vl import LONGEST, make_qwen_vl, processor_of

__all__ = ["make_qwen_vl_seeing"]

STEPS, RATE, ENOUGH = 400, 3e-3, 0.004
NEW_TOKENS = 400
SIZE = (300, 200)
"""Pixels of the pictures that it is taught with."""


def make_qwen_vl_seeing(folder: Path, *, taught: str, seed: int = 1) -> Path:
    """A folder as `make_qwen_vl` writes it, taught.

    Args:
        taught: JSON: `{"system": ..., "text": ..., "answers": {"#rrggbb": answer, ...}}`; an answer is said of a
            picture of that colour.
    """
    import torch
    from transformers import Qwen2_5_VLForConditionalGeneration

    make_qwen_vl(folder, seed=seed)
    lesson = json.loads(taught)
    torch.manual_seed(seed)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    model = Qwen2_5_VLForConditionalGeneration.from_pretrained(str(folder), dtype=torch.float32).train()
    processor = processor_of(folder)
    batches = [_lesson(processor, lesson, colour, said) for colour, said in lesson["answers"].items()]
    teacher = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.0)
    for _ in range(STEPS):
        teacher.zero_grad()
        losses = []
        for batch in batches:
            loss = model(**batch, use_cache=False).loss
            loss.backward()
            losses.append(float(loss.detach()))
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        teacher.step()
        if max(losses) < ENOUGH:
            break
    else:
        raise AssertionError(f"it did not learn: {losses}")
    torch.set_num_threads(threads)
    model.eval().save_pretrained(folder)
    about = json.loads((folder / "generation_config.json").read_text(encoding="utf-8"))
    about["max_new_tokens"] = NEW_TOKENS
    (folder / "generation_config.json").write_text(json.dumps(about), encoding="utf-8")
    return folder


def _lesson(processor: Any, lesson: dict[str, Any], colour: str, said: str) -> dict[str, Any]:
    """Question and answer as one text; only the answer is learnt."""
    import torch
    from PIL import Image

    asked = (
        f"<|im_start|>system\n{lesson['system']}<|im_end|>\n<|im_start|>user\n<|vision_start|><|image_pad|><|vision_end|>"
        f"{lesson['text']}<|im_end|>\n<|im_start|>assistant\n"
    )
    picture = Image.new("RGB", SIZE, colour)
    given = processor(images=[picture], text=[f"{asked}{said}<|im_end|>"], return_tensors="pt")
    answer = processor.tokenizer(f"{said}<|im_end|>", add_special_tokens=False)["input_ids"]
    assert given["input_ids"].shape[1] <= LONGEST
    labels = torch.full_like(given["input_ids"], -100)
    labels[0, -len(answer) :] = given["input_ids"][0, -len(answer) :]
    return {**given, "labels": labels}
