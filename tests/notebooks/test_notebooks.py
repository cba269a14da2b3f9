"""Every notebook runs from its first cell to its last, offline, without a word on stderr, by public names alone."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_notebook

from notebooks.execution import execute, notebooks, tidy

PUBLIC = {
    "agent",
    "agent.workbench",
    "evals.commands",
    "evals.result",
    "tools.base",
    "tools.errors",
    "tools.image.draft",
    "tools.registry",
    "tools.storyboard",
}
"""Modules of the studio that a notebook may import; docs/extending.md names them to the reader."""
LIBRARIES = {"IPython.display", "numpy", "os", "pathlib", "pydantic", "skia"}
EXPECTED = [
    "1_quickstart",
    "2_add_a_tool",
    "3_add_a_character_and_a_place",
    "4_reading_a_trace",
    "5_running_evals",
]
BOOKS = notebooks()
ids = [path.stem for path in BOOKS]
NO_NETWORK = """
import socket
def _connect(self, address, _real=socket.socket.connect):
    if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
        raise OSError(f"a notebook went to the network: {address}")
    return _real(self, address)
socket.socket.connect = _connect
"""


def code_of(book: nbformat.NotebookNode) -> Iterator[tuple[int, str]]:
    """Cells of code by number, without the magic in their first line; YAML that is written to a file is none."""
    for number, cell in enumerate(book.cells, 1):
        if cell.cell_type == "code" and not re.match(r"%%writefile .*\.yaml", cell.source):
            yield number, re.sub(r"^%%.*\n", "", cell.source)


def unfit(code: str) -> list[str]:
    """What a reader could not rely on: imports that are not public, names that begin with an underscore."""
    found = []
    for node in ast.walk(ast.parse(code)):
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or "."]
            found += [alias.name for alias in node.names if alias.name.startswith("_") or alias.name == "*"]
        elif isinstance(node, ast.Attribute) and node.attr.startswith("_"):
            found.append(node.attr)
        found += [one for one in modules if one not in PUBLIC | LIBRARIES]
    return found


def outputs(book: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]


def pictures(book: nbformat.NotebookNode) -> list[str]:
    return [kind for output in outputs(book) for kind in output.get("data", {}) if kind.startswith("image/")]


def words(book: nbformat.NotebookNode) -> str:
    shown = [output.get("text", "") or output.get("data", {}).get("text/plain", "") for output in outputs(book)]
    return "\n".join(shown)


def problems(book: nbformat.NotebookNode) -> list[str]:
    """What a reader of the outputs would stumble over."""
    found = [f"stderr: {one.text[:300]}" for one in outputs(book) if one.get("name") == "stderr"]
    found += [f"error: {one.evalue}" for one in outputs(book) if one.output_type == "error"]
    found += [f"path: {path}" for path in re.findall(r"(?<![\w:.])/(?:[\w.-]+/)+[\w.-]+", words(book))]
    found += [f"noise: {word}" for word in ("Warning", "Traceback", "\x1b[") if word in words(book)]
    return found if pictures(book) else [*found, "no picture"]


def test_there_are_five_in_the_order_to_read_them() -> None:
    assert ids == EXPECTED


@pytest.mark.slow
@pytest.mark.parametrize("path", BOOKS, ids=ids)
def test_it_runs_in_a_fresh_kernel_and_folder(path: Path, tmp_path: Path) -> None:
    guard = tmp_path / "guard"
    guard.mkdir()
    (guard / "sitecustomize.py").write_text(NO_NETWORK)
    folder = tmp_path / "here"
    folder.mkdir()
    before = path.read_bytes()
    made = tidy(execute(path, folder, environment={"PYTHONPATH": str(guard)}))
    assert problems(made) == []
    assert path.read_bytes() == before
    kept = nbformat.read(path, as_version=4)
    assert pictures(made) == pictures(kept), "`python -m notebooks` renews the outputs that are committed"


@pytest.mark.parametrize("path", BOOKS, ids=ids)
def test_it_reads_well_as_it_is_committed(path: Path) -> None:
    book = nbformat.read(path, as_version=4)
    assert problems(book) == [], "`python -m notebooks` renews the outputs"
    assert path.stat().st_size < 300_000
    assert book.cells[0].cell_type == "markdown"
    assert book.cells[0].source.startswith("# ")
    for number, cell in enumerate(book.cells, 1):
        assert len(cell.source.splitlines()) <= 18, f"cell {number} is long"
        assert cell.cell_type == "markdown" or cell.execution_count, f"cell {number} was not run"


@pytest.mark.parametrize("path", BOOKS, ids=ids)
def test_it_imports_public_names_alone(path: Path) -> None:
    for number, code in code_of(nbformat.read(path, as_version=4)):
        assert unfit(code) == [], f"cell {number}"


@pytest.mark.parametrize("path", BOOKS, ids=ids)
def test_links_lead_somewhere(path: Path) -> None:
    text = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown")
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (path.parent / target).is_file(), target


# -- the controls -----------------------------------------------------------------------------------------------------


def test_a_cell_that_fails_fails_the_run(tmp_path: Path) -> None:
    broken = tmp_path / "broken.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell("1 + 1"), new_code_cell("1 / 0")]), broken)
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        execute(broken, tmp_path)


def test_what_a_reader_would_stumble_over_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIO_PROFILE", "16gb")
    noisy = tmp_path / "noisy.ipynb"
    cells = [
        "import sys, os, pathlib; print('oh', file=sys.stderr); print(pathlib.Path.cwd() / 'film.mp4')",
        "import warnings; warnings.warn('careful')",
        f"print([one for one in os.environ if one.startswith('STUDIO_')], sys.executable == {sys.executable!r})",
        "import socket; socket.create_connection(('192.0.2.1', 80), timeout=1)",
    ]
    nbformat.write(new_notebook(cells=[new_code_cell(one) for one in cells[:3]]), noisy)
    book = execute(noisy, tmp_path, environment={})
    found = " ".join(problems(book))
    assert "stderr: oh" in found
    assert "UserWarning: careful" in found
    assert "film.mp4" in found
    assert "no picture" in found
    assert "[] True" in words(book), "no settings of the studio around it, and the interpreter of these tests"
    (tmp_path / "sitecustomize.py").write_text(NO_NETWORK)
    nbformat.write(new_notebook(cells=[new_code_cell(cells[3])]), noisy)
    with pytest.raises(CellExecutionError, match="a notebook went to the network"):
        execute(noisy, tmp_path, environment={"PYTHONPATH": str(tmp_path)})


@pytest.mark.parametrize(
    "code",
    [
        "from tests.agent import boards",
        "import tools.runtime.executor",
        "from agent.workbench import _hidden",
        "from agent import *",
        "agent._graph",
        "from . import x",
    ],
)
def test_what_is_not_public_is_found(code: str) -> None:
    assert unfit(code)
