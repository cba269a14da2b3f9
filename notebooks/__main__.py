"""`python -m notebooks [NAME ...]`: run the notebooks and keep their outputs in them. Needs the extra `notebooks`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import nbformat

from notebooks.execution import execute, notebooks, tidy


def main(names: list[str]) -> None:
    """Run those whose names hold one of `names`; all of them without any."""
    for path in notebooks():
        if not names or any(name in path.stem for name in names):
            with tempfile.TemporaryDirectory(prefix="notebook_") as folder:
                book = tidy(execute(path, Path(folder)))
            nbformat.write(book, path)
            print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main(sys.argv[1:])
