"""Engines and weights from their `module:Class` names, in a worker process; only allowed modules are imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tools.base import Engine
    from tools.model import Weights

__all__ = ["construct", "construct_weights"]


def construct(path: str, allow: tuple[str, ...]) -> Engine[Any, Any]:
    """An engine from `module:Class`.

    Raises:
        InvalidInput: the module is not allowed, is not there, or holds no such engine.
        MissingPrerequisite: a library that the module imports is not installed.
    """
    from tools.base import Engine, Tool
    from tools.errors import InvalidInput

    found = _find(path, allow)
    if not (isinstance(found, type) and issubclass(found, Engine)):
        raise InvalidInput(f"engine {path}: is not a tools.base.Engine")
    if not isinstance(getattr(found, "version", None), str) or not issubclass(found.tool, Tool):
        raise InvalidInput(f"engine {path}: names no tool or no version")
    return found()


def construct_weights(path: str, allow: tuple[str, ...]) -> Weights:
    """A model's `Weights` from `module:Class`; raises what `construct` does."""
    from tools.errors import InvalidInput
    from tools.model import Weights

    found = _find(path, allow)
    if not (isinstance(found, type) and issubclass(found, Weights)):
        raise InvalidInput(f"model {path}: is not a tools.model.Weights")
    return found()


def _find(path: str, allow: tuple[str, ...]) -> Any:
    import importlib

    from configs.own import OWN_PACKAGE, open_own_package
    from tools.errors import InvalidInput, MissingPrerequisite

    module, _, name = path.partition(":")
    if not module.startswith(allow):
        raise InvalidInput(f"{path}: modules under {', '.join(allow)} only")
    if module.startswith(f"{OWN_PACKAGE}."):
        open_own_package()
    try:
        return getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("tools", "tests", OWN_PACKAGE, ""):
            raise InvalidInput(f"{path}: {error}") from error
        raise MissingPrerequisite(f"{path} needs {package}.", command=f"pip install {package}") from error
    except AttributeError:
        raise InvalidInput(f"{path}: there is no {name} in {module}") from None
