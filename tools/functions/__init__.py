"""Functions that a model can call: schemas from type hints and docstrings, and what it sent made right or refused."""

from __future__ import annotations

from tools.functions.coercion import coerce
from tools.functions.function import Answer, Effect, Function, MadeFile, function, function_of_tool
from tools.functions.schema import estimate_tokens, function_schema, simplify, strict_schema

__all__ = [
    "Answer",
    "Effect",
    "Function",
    "MadeFile",
    "coerce",
    "estimate_tokens",
    "function",
    "function_of_tool",
    "function_schema",
    "simplify",
    "strict_schema",
]
