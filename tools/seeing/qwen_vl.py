"""`see_picture` by Qwen2.5-VL on this machine's device, taking turns with the models that draw."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING, Any, ClassVar

from tools.base import Engine, EngineContext
from tools.errors import BadOutput
from tools.models.libraries import require_libraries
from tools.seeing.asking import Question
from tools.seeing.looking import look
from tools.seeing.qwen_vl_weights import LIBRARIES, QwenVlModel
from tools.seeing.tool import SeePicture

if TYPE_CHECKING:
    import torch

__all__ = ["QwenVlLook", "answer", "inputs_of"]

MOST_TOKENS = 1_500
"""Of an answer; a dozen questions take about 700."""
LONGEST = 1024


class QwenVlLook(Engine[SeePicture.Input, SeePicture.Output]):
    """Looks by the weights of `qwen_vl_7b`; always answers the same to the same picture and question."""

    tool: ClassVar = SeePicture
    name: ClassVar[str] = "qwen_vl"
    version: ClassVar[str] = "1"
    model: ClassVar[str] = "qwen_vl_7b"

    def check(self) -> None:
        require_libraries("Qwen2.5-VL needs", LIBRARIES)

    def load(self) -> None:
        import transformers  # noqa: F401 - with torch

    def fingerprint(self, args: SeePicture.Input) -> str:  # noqa: ARG002
        return hashlib.sha256(f"{MOST_TOKENS} {LONGEST}".encode()).hexdigest()

    def run(self, args: SeePicture.Input, ctx: EngineContext) -> SeePicture.Output:
        """Look at the picture.

        Raises:
            InvalidInput: no picture, or one that is not read.
            BadOutput: no usable judgement, also when asked to mend it.
            Cancelled: within one token.
        """
        net: QwenVlModel = ctx.model(self.model)

        def asker(picture: bytes) -> Callable[[Question, str, str], tuple[str, int]]:
            shown = _opened(picture, LONGEST >> ctx.placing.smaller)

            def ask(asked: Question, bad: str, wrong: str) -> tuple[str, int]:
                turns = [("user", asked.text)]
                if wrong:
                    told = f"This is not valid: {wrong} Answer again, complete, with the JSON object alone."
                    turns += [("assistant", bad), ("user", told)]
                return answer(net, shown, asked.system, turns, ctx)

            return ask

        return look(args, ctx, f"weights/{self.model}", asker)


def inputs_of(net: QwenVlModel, picture: Any, system: str, turns: list[tuple[str, str]]) -> dict[str, torch.Tensor]:
    """A conversation about a picture as tensors; the picture stands before the first words of the user.

    Marks inside the texts are taken apart: what a storyboard or a model wrote opens no turn and shows no picture.
    """
    import torch

    seen = net.pictures(images=[picture], return_tensors="pt")
    count = int(seen["image_grid_thw"][0].prod()) // net.pictures.merge_size**2
    vocabulary = net.tokenizer.get_vocab()

    def words(text: str) -> list[int]:
        plain: list[int] = net.tokenizer(text.replace("<|", "< |"), add_special_tokens=False)["input_ids"]
        return plain

    def turn(role: str, text: str, before: list[int]) -> list[int]:
        start, end = vocabulary["<|im_start|>"], vocabulary["<|im_end|>"]
        return [start, *words(f"{role}\n"), *before, *words(text), end, *words("\n")]

    shown = [vocabulary["<|vision_start|>"], *[vocabulary["<|image_pad|>"]] * count, vocabulary["<|vision_end|>"]]
    ids = turn("system", system, [])
    for number, (role, text) in enumerate(turns):
        ids += turn(role, text, shown if number == 0 else [])
    ids += [vocabulary["<|im_start|>"], *words("assistant\n")]
    tokens = torch.tensor([ids])
    kinds = (tokens == vocabulary["<|image_pad|>"]).int()
    return {
        "input_ids": tokens,
        "attention_mask": torch.ones_like(tokens),
        "mm_token_type_ids": kinds,
        "pixel_values": seen["pixel_values"],
        "image_grid_thw": seen["image_grid_thw"],
    }


def answer(
    net: QwenVlModel, picture: Any, system: str, turns: list[tuple[str, str]], ctx: EngineContext
) -> tuple[str, int]:
    """The likeliest answer, and the tokens of question and answer together.

    Raises:
        BadOutput: the model gave values that are no numbers.
        Cancelled: the call should stop.
    """
    import torch
    from transformers import StoppingCriteria, StoppingCriteriaList

    given = inputs_of(net, picture, system, turns)
    dtype = net.model.model.visual.patch_embed.proj.weight.dtype
    given["pixel_values"] = given["pixel_values"].to(dtype)
    given = {name: tensor.to(ctx.placing.device) for name, tensor in given.items()}
    asked = given["input_ids"].shape[1]

    class Watched(StoppingCriteria):  # type: ignore[misc]
        """Reports at every token, and stops by raising where the call is cancelled."""

        def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
            said = input_ids.shape[1] - asked
            ctx.progress(min(0.95, 0.15 + 0.8 * said / MOST_TOKENS), f"{said} tokens")
            bad = scores is not None and len(scores) > 0 and not bool(torch.isfinite(scores[-1]).any())
            if bad:
                raise BadOutput("the vision model gave values that are no numbers.")
            return torch.zeros(input_ids.shape[0], dtype=torch.bool, device=input_ids.device)

    end = net.tokenizer.get_vocab()["<|im_end|>"]
    with torch.inference_mode():
        found = net.model.generate(
            **given, max_new_tokens=MOST_TOKENS, do_sample=False, temperature=None, top_p=None, top_k=None,
            eos_token_id=end, pad_token_id=end, stopping_criteria=StoppingCriteriaList([Watched()]),
        )  # fmt: skip
    said = found[0, asked:].tolist()
    if said and said[-1] != end:
        # Cut off at its limit: no judgement, even where it reads as one.
        return "", len(said) + asked
    return net.tokenizer.decode([token for token in said if token != end]), len(said) + asked


def _opened(data: bytes, longest: int) -> Any:
    from PIL import Image

    with Image.open(BytesIO(data), formats=("JPEG",)) as opened:
        shown = opened.convert("RGB")
    shown.thumbnail((longest, longest))
    return shown
