"""Runs a notebook in a kernel and a folder of its own, and keeps its outputs as a reader should see them."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

__all__ = ["FOLDER", "execute", "notebooks", "tidy"]

FOLDER = Path(__file__).parent
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


class _ThisPython(KernelSpecManager):
    """The interpreter that runs this, whatever kernels are installed on the machine."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:  # noqa: ARG002
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name="Python 3", language="python")


class _Kernel(AsyncKernelManager):
    """A kernel of this interpreter, spoken to by files in a folder of its own and not by ports of the machine."""

    def __init__(self, home: Path) -> None:
        file = str(home / "kernel.json")
        super().__init__(kernel_spec_manager=_ThisPython(), connection_file=file, transport="ipc")


def notebooks() -> list[Path]:
    """Every notebook of this folder, in the order to read them."""
    return sorted(FOLDER.glob("*.ipynb"))


def execute(path: Path, folder: Path, *, environment: Mapping[str, str] | None = None) -> nbformat.NotebookNode:
    """Run a notebook from its first cell to its last.

    Args:
        path: the notebook, which is not changed.
        folder: the kernel's working folder; what the notebook makes lies there.
        environment: of the kernel, besides what it needs; settings of the studio around it are not handed on.

    Returns:
        The notebook with its outputs.

    Raises:
        CellExecutionError: a cell failed; names it with its traceback.
    """
    book = nbformat.read(path, as_version=4)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("STUDIO_")}
    with tempfile.TemporaryDirectory(prefix="kernel_") as home:
        # No history and no connection files in the person's own folders.
        homes = dict.fromkeys(("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR"), home)
        about = {"metadata": {"path": str(folder)}}
        client = NotebookClient(book, timeout=300, resources=about, km=_Kernel(Path(home)))
        client.owns_km = True  # It ends the kernel, too.
        client.execute(env={**kept, **homes, **(environment or {})})
    return book


def tidy(book: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The same notebook without what differs from run to run and machine to machine: times, kernels, ids."""
    book.metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    for number, cell in enumerate(book.cells, 1):
        cell.id = f"cell-{number}"
        cell.metadata = {}
    return book
