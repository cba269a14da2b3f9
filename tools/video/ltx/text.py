"""T5, which reads LTX's prompts: 9 GB in 16 bits that are on the device only while it reads.

Its weights stay in host memory. A call brings them to the device, has the prompts read, and lets go of them before the
first step: transformer and text encoder are never there together with what a step needs. The room it takes meanwhile is
working memory of the call.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from tools.errors import BadOutput, InvalidInput
from tools.model import Placing, Weights, torch_dtype
from tools.models.libraries import require_libraries
from tools.models.reading import local_path, reading
from tools.models.streaming import is_streamed, stream
from tools.models.whole import read_whole
from tools.video.checkpoints import (
    check_libraries,
    check_part,
    narrowed,
    settled,
)
from tools.video.ltx.weights import in_bf16

if TYPE_CHECKING:
    import torch

__all__ = ["LtxTextEncoder", "LtxWords", "TextReader"]

_REMEMBERED = 16
"""Prompts whose embeddings are kept in host memory, 2 MB each."""


@dataclass(frozen=True)
class LtxWords:
    """Prompts as LTX reads them, on the device.

    Attributes:
        embeds, negative: 1 x tokens x width.
        mask, negative_mask: 1 x tokens, which of them count.
        lost: the end of the prompt that was not read; empty where all was.
    """

    embeds: torch.Tensor
    mask: torch.Tensor
    negative: torch.Tensor
    negative_mask: torch.Tensor
    lost: str


class TextReader:
    """T5 with its tokenizer; `placing` says where it reads."""

    def __init__(self, encoder: Any, tokenizer: Any, placing: Placing) -> None:
        self.encoder, self.tokenizer = encoder, tokenizer
        self._placing = placing
        self._known: dict[tuple[str, int], tuple[Any, Any, str]] = {}

    def read(self, prompt: str, negative: str, tokens: int) -> LtxWords:
        """Read a prompt and what is to be avoided.

        Args:
            tokens: of each that are read at most.

        Raises:
            BadOutput: the encoder computed values that are not numbers.
        """
        import torch

        asked = [(prompt, tokens), (negative, tokens)]
        if any(one not in self._known for one in asked):
            with self._on_device(), torch.no_grad():
                found = {one: self._read(*one) for one in asked}
            # Another attempt at a shot, and the negative of all shots, are read once; newest last.
            self._known = dict([*self._known.items(), *found.items()][-_REMEMBERED:])
        device = self._placing.device
        embeds, mask, lost = self._known[asked[0]]
        avoided, avoided_mask, _ = self._known[asked[1]]
        return LtxWords(embeds.to(device), mask.to(device), avoided.to(device), avoided_mask.to(device), lost)

    def _read(self, text: str, tokens: int) -> tuple[Any, Any, str]:
        import torch

        taken = self.tokenizer(
            [text], padding="max_length", max_length=tokens, truncation=True, add_special_tokens=True,
            return_tensors="pt",
        )  # fmt: skip
        whole = self.tokenizer([text], add_special_tokens=True, verbose=False).input_ids[0]
        lost = self.tokenizer.decode(whole[tokens - 1 : -1]) if len(whole) > tokens else ""
        device = self._placing.device
        # What only fills the prompt up is masked from the encoder, as LTX's own code and diffusers' later pipeline do;
        # its first two let the encoder see it.
        mask = taken.attention_mask.bool().to(device)
        embeds = self.encoder(taken.input_ids.to(device), attention_mask=mask)[0]
        if not bool(torch.isfinite(embeds).all()):
            raise BadOutput("the text encoder computed values that are not numbers (NaN).", hint="bf16 has more room.")
        return embeds.to(torch_dtype(self._placing)).cpu(), mask.cpu(), lost.strip()

    @contextmanager
    def _on_device(self) -> Iterator[None]:
        """Have the weights on the device; afterwards the host's own hang where they hung. Nothing is copied back."""
        if is_streamed(self._placing) or self._placing.device == "cpu":
            yield
            return
        import torch

        tables = ("_parameters", "_buffers")
        hung = [
            (getattr(module, table), name, tensor)
            for module in self.encoder.modules() for table in tables
            for name, tensor in getattr(module, table).items() if tensor is not None
        ]  # fmt: skip
        there: dict[int, Any] = {}
        try:
            for place, name, tensor in hung:
                if id(tensor) not in there:
                    moved = tensor.to(self._placing.device)
                    is_weight = isinstance(tensor, torch.nn.Parameter)
                    there[id(tensor)] = torch.nn.Parameter(moved, requires_grad=False) if is_weight else moved
                place[name] = there[id(tensor)]
            yield
        finally:
            for place, name, tensor in hung:
                place[name] = tensor
            there.clear()


class LtxTextEncoder(Weights):
    """T5-XXL's encoder and tokenizer, from a folder that holds text_encoder/ and tokenizer/."""

    name: ClassVar[str] = "ltx_text_encoder"

    def __init__(self) -> None:
        self._reader: TextReader | None = None
        self._placing = Placing()

    def check(self, source: str) -> None:
        check_libraries()
        path = local_path(source, self.name, f"studio models pull {self.name}")
        hint = "Register the folder that holds text_encoder/ and tokenizer/."
        if path.is_file():
            raise InvalidInput("is a file", where=str(path), hint=hint)
        check_part(path / "text_encoder", "t5", hint)
        words = path / "tokenizer"
        if not (words / "tokenizer.json").is_file():
            if not (words / "spiece.model").is_file():
                raise InvalidInput("holds neither tokenizer.json nor spiece.model", where=str(words), hint=hint)
            require_libraries(f"{words / 'spiece.model'} needs", ["sentencepiece"])

    def load(self, source: str, placing: Placing) -> TextReader:
        from transformers import T5EncoderModel, T5TokenizerFast

        path = Path(source).expanduser()
        placing = in_bf16(placing)
        with reading(path, "T5"):
            encoder = read_whole(T5EncoderModel, path / "text_encoder", "T5", dtype=torch_dtype(placing))
            tokenizer = T5TokenizerFast.from_pretrained(str(path / "tokenizer"), local_files_only=True)
        self._check_words(path / "tokenizer", tokenizer, encoder)
        settled({"text_encoder": encoder}, path)
        narrowed(encoder, placing)
        if is_streamed(placing):
            stream({"text_encoder": encoder}, placing)
        self._placing = placing
        self._reader = TextReader(encoder, tokenizer, placing)
        return self._reader

    @staticmethod
    def _check_words(path: Path, tokenizer: Any, encoder: Any) -> None:
        """A tokenizer whose own file could not be read knows no words, and says so in the log alone."""
        known = tokenizer("a picture", add_special_tokens=False).input_ids
        if not known or all(one == tokenizer.unk_token_id for one in known):
            raise InvalidInput("the tokenizer knows no words", where=str(path), hint="Fetch it again.")
        if len(tokenizer) > encoder.config.vocab_size:
            raise InvalidInput(
                f"knows {len(tokenizer)} words, the text encoder {encoder.config.vocab_size}: they do not fit",
                where=str(path),
            )

    def modules(self) -> Mapping[str, Any]:
        # On the CPU host memory is the device. In 32 bits it is accounted for there as other models are; in 16 its room
        # is within the working memory that models.yaml says.
        if self._reader is None or self._placing.device != "cpu" or self._placing.width != "fp32":
            return {}
        return {"text_encoder": self._reader.encoder}

    def unload(self) -> None:
        self._reader = None
