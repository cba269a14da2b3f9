"""Strings that would lead somewhere else as a path, and a fenced piece of disk that tells whether one did."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st

__all__ = ["SECRET", "Jail", "hostile_names", "jail_in"]

SECRET = "sk-canary-of-the-neighbour"
RAN = "from pathlib import Path\nPath(__file__).with_name('ran').write_text('here I am')\n"
"""A module that leaves a mark where it is imported."""
_BITS = (
    "..", "../", "../../", "../../../../", "..\\", "/", "//", ".", "./", "~", "~root/", "\0", "\n", "\r", "\x1b[2J",
    ":", "|", "%2e%2e%2f", "%2e%2e/", "..%c0%af", "．．／", "‥/", "…/", "file://", "file:///", "C:\\",
    "\\\\host\\share\\", "CON", "nul", "$HOME/", "${HOME}/", "`id`", "$(id)", ";id", "-rf", "--out=", "*", "?",
    "[a]", "{a,b}",
    "out", "outside/", "link/", "secret.txt", "evil", ".lock", ".studio", ".request", "artifacts/", "a", "s1",
    "x" * 300, "é", "\u202e", "\ufeff", " ",
)  # fmt: skip


@dataclass(frozen=True)
class Jail:
    """A folder in a folder in a folder: what leads out of the innermost lands in one that is watched.

    Attributes:
        root: all that is watched.
        productions: within it, the only place where anything may change.
        studio: the other folders that the studio calls its own.
    """

    root: Path
    productions: Path
    studio: Path

    def outside(self) -> dict[str, bytes | str]:
        """Everything that lies outside of what is the studio's."""
        found: dict[str, bytes | str] = {}
        for folder, folders, files in os.walk(self.root):
            here = Path(folder)
            folders[:] = [one for one in folders if here / one not in (self.productions, self.studio)]
            for name in [*folders, *files]:
                path = here / name
                told = str(path.relative_to(self.root))
                found[told] = "a link" if path.is_symlink() else "a folder" if path.is_dir() else path.read_bytes()
        return found


def jail_in(folder: Path) -> Jail:
    """A new one: with secrets beside the productions, and links that lead to them."""
    root = folder / "jail"
    productions = root / "a" / "b" / "c" / "productions"
    studio = root / "a" / "b" / "c" / "studio"
    for one in (productions, studio, root / "outside", root / "home", root / "a" / "outside"):
        one.mkdir(parents=True)
    for place in (root / "outside", root / "home", root / "a" / "b" / "c", root / "a" / "b", root):
        (place / "secret.txt").write_text(SECRET)
        (place / "secret.yaml").write_text(f"title: {SECRET}\n")
        (place / "secret.py").write_text(RAN)
        (place / "secret").mkdir()
    (productions / "link").symlink_to(root / "outside", target_is_directory=True)
    return Jail(root, productions, studio)


def hostile_names(jail: Jail) -> st.SearchStrategy[str]:
    """Strings put together from what leads elsewhere; some name places that are there."""
    there = [str(jail.root / "outside" / "evil"), str(jail.root / "outside" / "secret.txt"), str(jail.root / "secret")]
    names = ("evil", "secret.txt", "secret", "outside/evil")
    up = [f"{'../' * depth}{name}" for depth in range(1, 6) for name in names]
    mixed = st.lists(st.sampled_from(_BITS), min_size=1, max_size=6).map("".join)
    links = ["link/evil", "link/secret.txt", "link"]
    return st.one_of(st.sampled_from(there + up + links), mixed, st.text(max_size=40))
