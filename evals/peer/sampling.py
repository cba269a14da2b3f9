"""Random JSON that a schema allows, by constrained sampling with llguidance: what a model without sense answers on a
server that constrains it.

The tokenizer is made here (256 bytes, some words, an end): nothing is downloaded. Grammars are compiled once a schema.
Keywords that llguidance does not know (`not`, `if`, `contains`, `uniqueItems`, ...) raise `UnknownKeyword`, as vLLM
answers 400 for them (https://github.com/guidance-ai/llguidance/blob/main/docs/json_schema.md).
"""

from __future__ import annotations

import json
import threading
from decimal import Decimal
from random import Random
from typing import Any

import numpy as np
from llguidance import LLMatcher, LLTokenizer, TokenizerWrapper

__all__ = ["WORDS", "Sampler", "UnknownKeyword", "bounded", "words"]

WORDS = (
    "the", "a", "of", "and", "in", "on", "with", "under", "over", "little", "old", "wet", "bright", "quiet",
    "storm", "harbour", "boat", "lamp", "wind", "wave", "gull", "child", "friend", "fish", "stone", "cellar",
    "window", "bread", "rain", "light", "shadow", "morning", "evening", "runs", "laughs", "waits", "opens", "holds",
    "turns", "looks", "falls", "close", "wide", "slow", "sudden", "blue", "green", "amber", "tide", "rope",
    "market", "bell", "song", "letter", "cat", "tower", "bridge", "snow",
)  # fmt: skip
SOFT_TOKENS = 600
"""After as many, whatever ends a value soonest is taken."""
HARD_TOKENS = 20_000
"""What asks for more than this (ten thousand items at least) is not answered."""
JSON_OPTIONS = {
    "whitespace_flexible": False,
    "key_separator": ": ",
    "item_separator": ", ",
    "coerce_one_of": True,
    "lenient": False,
}
FREE_ITEMS, FREE_LETTERS, DEEP = 3, 90, 12
EXACT = 2**53
"""llguidance reads the numbers of a schema as doubles, the fast way: right up to these digits and an exponent of 22,
one digit off beyond; -2**63 ends the process."""


class UnknownKeyword(ValueError):
    """The schema is wrong, or asks for what cannot be sampled."""


class Words:
    """The vocabulary in the shape that `llguidance.TokenizerWrapper` asks for."""

    def __init__(self) -> None:
        plain = [bytes([value]) for value in range(256)]
        self.tokens = [*plain, *(word.encode() for word in WORDS), *(f" {word}".encode() for word in WORDS), b"<end>"]
        self.eos_token_id = len(self.tokens) - 1
        self.bos_token_id = None
        self.special_token_ids = [self.eos_token_id]

    def __call__(self, text: str | bytes) -> list[int]:
        return list(text.encode() if isinstance(text, str) else text)


def bounded(schema: Any) -> Any:
    """The same schema with ends: short lists, short texts, no properties but the named, numbers up to `EXACT`.

    What fits it fits the first.

    Raises:
        UnknownKeyword: the schema asks for numbers beyond `EXACT` and no others.
    """
    if isinstance(schema, list):
        return [bounded(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {"enum", "const", "default", "examples", "required"}
    made = {key: value if key in kept else bounded(value) for key, value in schema.items() if key != "discriminator"}
    for names in ("properties", "$defs", "definitions"):
        if isinstance(schema.get(names), dict):
            made[names] = {name: bounded(part) for name, part in schema[names].items()}
    kinds = made.get("type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if "array" in kinds:
        made.setdefault("maxItems", max(FREE_ITEMS, int(made.get("minItems", 0))))
    if "string" in kinds and not {"pattern", "format", "enum", "const"} & made.keys():
        made.setdefault("maxLength", max(FREE_LETTERS, int(made.get("minLength", 0))))
    if made.get("properties") and not made.get("additionalProperties"):
        made["additionalProperties"] = False
    return _exact(made)


def _exact(made: dict[str, Any]) -> dict[str, Any]:
    """With the numbers that can be written digit for digit: bounds drawn in, values beyond left out."""
    beyond = UnknownKeyword("it asks for numbers that lose digits")
    if "const" in made and not _is_exact(made["const"]):
        raise beyond
    if isinstance(made.get("enum"), list):
        made["enum"] = [value for value in made["enum"] if _is_exact(value)]
        if not made["enum"]:
            raise beyond
    for name in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"):
        bound = made.get(name)
        if isinstance(bound, int | float) and abs(bound) > EXACT:
            below = name in ("maximum", "exclusiveMaximum")
            if name == "multipleOf" or (bound < 0) == below:
                raise beyond
            made[name] = EXACT if below else -EXACT
    return made


def _is_exact(value: Any) -> bool:
    """Whether every number in it is read and written without loss."""
    if isinstance(value, dict):
        return all(map(_is_exact, value.values()))
    if isinstance(value, list):
        return all(map(_is_exact, value))
    if isinstance(value, bool) or not isinstance(value, int | float):
        return True
    _, digits, exponent = Decimal(repr(value)).as_tuple()
    within = isinstance(exponent, int) and abs(exponent) <= 22
    return within and abs(value) <= EXACT and int("".join(map(str, digits))) <= EXACT


class Sampler:
    """Grammars of the schemas seen so far, and samples of them. Threads may share it."""

    def __init__(self) -> None:
        words = Words()
        self._lock = threading.Lock()
        self._tokenizer: LLTokenizer = LLTokenizer(TokenizerWrapper(words), n_vocab=len(words.tokens))
        self._tokens, self._end = words.tokens, words.eos_token_id
        self._grammars: dict[str, LLMatcher] = {}
        self._plain, self._text, self._first, self._closing = self._weights()

    def compiled(self, schema: dict[str, Any]) -> LLMatcher:
        """The grammar of a schema at its start.

        Raises:
            UnknownKeyword: llguidance refuses it.
        """
        key = json.dumps(schema, sort_keys=True)
        with self._lock:
            if key not in self._grammars:
                self._grammars[key] = self._compile(schema)
            return self._grammars[key].deep_copy()

    def _compile(self, schema: dict[str, Any]) -> LLMatcher:
        try:
            grammar = LLMatcher.grammar_from_json_schema(json.dumps(bounded(schema)), overrides=JSON_OPTIONS)
        except (ValueError, TypeError) as error:
            raise UnknownKeyword(str(error)) from error
        matcher = LLMatcher(self._tokenizer, grammar, log_level=0)
        if matcher.is_error():
            raise UnknownKeyword(matcher.get_error().splitlines()[0])
        return matcher

    def text(self, schema: dict[str, Any], rng: Random) -> str:
        """Random JSON text that the schema allows.

        Raises:
            UnknownKeyword: the schema cannot be sampled, or it asks for endless answers.
        """
        matcher = self.compiled(schema)
        out = bytearray()
        place = _Place()
        for step in range(HARD_TOKENS):
            forced = matcher.compute_ff_tokens()
            if forced:
                matcher.consume_tokens(forced)
                added = b"".join(self._tokens[token] for token in forced)
            else:
                if matcher.is_stopped():
                    break
                token = self._pick(matcher, place, step, rng)
                if token == self._end:
                    break
                matcher.consume_token(token)
                added = self._tokens[token]
            if matcher.is_error():
                raise UnknownKeyword(matcher.get_error().splitlines()[0])
            out += added
            place.read(added)
        else:
            raise UnknownKeyword(f"an answer to this schema has more than {HARD_TOKENS} tokens")
        return out.decode()

    def value(self, schema: dict[str, Any], rng: Random) -> Any:
        """The same, read."""
        return json.loads(self.text(schema, rng))

    def _pick(self, matcher: LLMatcher, place: _Place, step: int, rng: Random) -> int:
        mask = np.frombuffer(matcher.compute_bitmask(), dtype=np.uint8)
        allowed = np.unpackbits(mask, bitorder="little")[: len(self._tokens)].astype(bool)
        late = step > SOFT_TOKENS or place.depth > DEEP
        table = self._plain if not place.in_string else self._text if place.length else self._first
        weights = np.where(allowed, table, 0.0)
        if late or place.length > rng.choice((2, 8, 24, 60)):
            ending = np.where(allowed, self._closing[place.in_string], 0.0)
            if ending.any() and (late or rng.random() < 0.7):
                weights = ending
        total = np.cumsum(weights)
        if total[-1] <= 0.0:
            raise UnknownKeyword(matcher.get_error() or "nothing may follow")
        return int(np.searchsorted(total, rng.random() * total[-1], side="right"))

    def _weights(self) -> tuple[Any, Any, Any, dict[bool, Any]]:
        """How likely a token is outside strings, inside them, at their start, and when the value should end."""
        count = len(self._tokens)
        plain, text = np.ones(count), np.full(count, 0.02)
        closing = {True: np.zeros(count), False: np.zeros(count)}
        for index, token in enumerate(self._tokens):
            if token.startswith(b" "):
                text[index] = 4.0
            elif token.isalnum():
                text[index] = 0.6
            if token == b'"':
                text[index] = 12.0
                closing[True][index] = 1e6
            elif token in (b"@", b".", b"-", b":"):
                # What a format or a pattern waits for before its text may end, as an address for its @.
                closing[True][index] = 1e3 if token == b"@" else 1.0
            if token in (b"]", b"}", b"n", b",", b":", b" "):
                closing[False][index] = {b"]": 1e4, b"}": 1e4, b"n": 1e3}.get(token, 1.0)
        plain[ord("-")] = 0.3
        text[ord("\\")] = 0.1
        first = text.copy()
        first[256 : 256 + len(WORDS)], first[256 + len(WORDS) :] = 4.0, 0.1
        first[ord('"')] = 1.0
        closing[False][self._end] = 1e5
        plain[self._end] = text[self._end] = 1.0
        return plain, text, first, closing


class _Place:
    """Where in a JSON text one is: depth, whether in a string, letters of the value so far."""

    def __init__(self) -> None:
        self.depth = self.length = 0
        self.in_string = self._escaped = False

    def read(self, added: bytes) -> None:
        for value in added:
            self.length += 1
            if self._escaped:
                self._escaped = False
            elif self.in_string and value == 0x5C:
                self._escaped = True
            elif value == 0x22:
                self.in_string, self.length = not self.in_string, 0
            elif not self.in_string and value in b"{[":
                self.depth, self.length = self.depth + 1, 0
            elif not self.in_string and value in b"]},:":
                self.depth -= value in b"]}"
                self.length = 0


def words(rng: Random, count: int) -> str:
    """Random words, as a model without sense writes."""
    said = " ".join(rng.choice(WORDS) for _ in range(count))
    return said[:1].upper() + said[1:] + "."
