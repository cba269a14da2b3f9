"""A production's folder: `productions/<slug>/`.

storyboard.yaml      what a person edits
manifest.json        how each piece was made
artifacts/           the store; everything below is taken from it
film.mp4 film.srt    what a person looks at: hard links into the store where the disk allows, else copies
stills/ voices/ ...
.request             which request the folder belongs to
.lock                held by the process that writes here now
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from tools.artifact import Artifact, fsync_dir, hash_file
from tools.errors import InvalidInput, ProductionBusy
from tools.runtime.storage.disk import storage_errors
from tools.runtime.storage.locks import FileLock
from tools.runtime.storage.manifest import Manifest, load_manifest, save_manifest
from tools.runtime.storage.store import ArtifactStore

__all__ = ["Production"]

_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_REQUEST = ".request"
_EXPORT_PART = re.compile(r"\w[\w .,()+-]{0,119}")
_MOST_OF_ONE_SLUG = 1000
_CLAIM_S = 600.0
_NO_LINKS = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOSYS)
"""What disks say that know no hard links."""
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Production:
    """One production on disk. Make it with `open`, `found`, `claim` or `at`.

    Attributes:
        path: its folder.
        request_id: of the request that the folder belongs to; empty where that is not known.
        store: its artifacts.
    """

    def __init__(self, path: Path, request_id: str) -> None:
        self.path = path
        self.request_id = request_id
        self.store = ArtifactStore(path / "artifacts")
        self._check_inside(path / "artifacts")

    @property
    def slug(self) -> str:
        return self.path.name

    @property
    def storyboard_path(self) -> Path:
        return self.path / "storyboard.yaml"

    @property
    def manifest_path(self) -> Path:
        return self.path / "manifest.json"

    @classmethod
    def open(cls, root: Path, slug: str) -> Production:
        """A production that is there already.

        Raises:
            InvalidInput: the slug is none, there is no such production, or its folder lies elsewhere by a link.
        """
        path = _folder(root, slug)
        if not path.is_dir():
            raise InvalidInput(f"there is no production {slug!r} in {root}")
        return cls(path, _owner(path) or "")

    @classmethod
    def found(cls, path: Path) -> Production:
        """The production whose folder this is; one that `at` made may have any name.

        Raises:
            InvalidInput: there is none.
        """
        with storage_errors(f"cannot open {path}"):
            path = path.resolve()
            owner = _owner(path)
            if owner is None and not (path / "manifest.json").is_file():
                raise InvalidInput(f"there is no production in {path}.")
            return cls(path, owner or "")

    @classmethod
    def claim(cls, root: Path, slug: str, request_id: str) -> Production:
        """The folder of a request: its own from before, or a new one (`slug`, else `slug_2`, `slug_3`, ...).

        Raises:
            InvalidInput: the slug is none.
            StorageFailed: the folder cannot be made.
        """
        for number in range(1, _MOST_OF_ONE_SLUG):
            path = _folder(root, slug if number == 1 else f"{slug[: 63 - len(str(number))]}_{number}")
            if _take(path, request_id):
                return cls(path, request_id)
        raise InvalidInput(f"there are {_MOST_OF_ONE_SLUG} productions called {slug!r} in {root}")

    @classmethod
    def at(cls, path: Path, request_id: str) -> Production:
        """A production in a folder that a person named (`--out`): empty, new, or that of the same request.

        Raises:
            InvalidInput: the folder belongs to another production, or holds other things.
            StorageFailed: it cannot be made.
        """
        hint = "Name a new or an empty folder."
        with storage_errors(f"cannot make {path}"):
            if path.exists() and not path.is_dir():
                raise InvalidInput(f"{path} is a file; a production needs a folder.")
            path = path.resolve()
            for around in path.parents:
                if _owner(around) is not None:
                    raise InvalidInput(f"{path} lies inside the production {around}.", hint=hint)
            if not _take(path, request_id):
                whose = "belongs to another production" if _owner(path) is not None else "holds other files"
                raise InvalidInput(f"{path} {whose}.", hint=hint)
            return cls(path, request_id)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Be the one writer of this production. Given back by the system if this process dies.

        Raises:
            ProductionBusy: another process is writing here; says which.
        """
        lock = FileLock(self.path / ".lock", signed=True)
        if not lock.try_acquire():
            pid = lock.holder()
            by = f"process {pid}" if pid else "another process"
            raise ProductionBusy(f"{self.slug} is being written by {by}.", hint="Wait for it, or stop it.")
        try:
            self._sweep()
            yield
        finally:
            self.store.close()
            lock.release()

    def _sweep(self) -> None:
        """Remove what writers that died left half-written. We hold the lock: nobody else writes here."""
        self.store.sweep()
        # Exports lie up to two folders deep: `v2/stills/s1.png`.
        for depth in ("", "[!.]*/", "v*/[!.]*/"):
            for temp in self.path.glob(f"{depth}.*.tmp"):
                if temp.is_relative_to(self.store.root):
                    continue
                # It harms nobody where the disk is read-only.
                with suppress(OSError):
                    temp.unlink()

    def manifest(self) -> Manifest:
        """The manifest; empty where there is none yet, rebuilt from the artifacts where it is torn."""
        manifest = load_manifest(self.manifest_path, self.store)
        manifest.request_id = manifest.request_id or self.request_id
        return manifest

    def save_manifest(self, manifest: Manifest) -> None:
        """Write the manifest atomically."""
        save_manifest(manifest, self.manifest_path)

    def export(self, artifact: Artifact, file: str, name: str) -> Path:
        """Put a file of an artifact where a person looks for it, as `film.mp4` or `stills/s1.png`.

        What is there is replaced in one step: at every moment there is the old file or the new one. A hard link where
        the disk allows, else a copy.

        Raises:
            InvalidInput: `name` leads out of the production or is used by the studio itself.
            StorageFailed: the disk refuses; what was there is still there.
        """
        source, target = artifact.file(file), self._exported(name)
        with storage_errors(f"cannot write {target}"):
            if target.is_file() and not target.is_symlink() and target.samefile(source):
                return target
            target.parent.mkdir(parents=True, exist_ok=True)
            with self._folder_of(target) as folder:
                _replace_by_link(source, folder, target.name)
        return target

    def take_down(self, artifact: Artifact | None, file: str, name: str) -> None:
        """Remove a file of `export`; one that a person has replaced or changed since stays.

        Raises:
            InvalidInput: `name` leads out of the production or is used by the studio itself.
            StorageFailed: the disk refuses.
        """
        target = self._exported(name)
        if artifact is None or file not in artifact.record.files:
            return
        made = artifact.record.files[file]
        with storage_errors(f"cannot remove {target}"):
            if target.is_file() and target.stat().st_size == made.size and hash_file(target) == made.sha256:
                with self._folder_of(target) as folder:
                    os.unlink(target.name, dir_fd=folder)

    def _exported(self, name: str) -> Path:
        """Where a file of this name is put, checked: it is a plain name, and no link leads elsewhere."""
        parts = PurePosixPath(name).parts
        if not parts or not all(_EXPORT_PART.fullmatch(part) for part in parts) or parts[0] == "artifacts":
            raise InvalidInput(f"{name!r} cannot be the name of a file in a production.")
        target = self.path.joinpath(*parts)
        self._check_inside(target.parent)
        return target

    @contextmanager
    def _folder_of(self, target: Path) -> Iterator[int]:
        """The folder of an export, held open from the production downwards, no link followed.

        What is done in it happens there and nowhere else, also where somebody puts a link in its place meanwhile.
        """
        held = os.open(self.path, _FOLDER)
        try:
            for part in target.parent.relative_to(self.path).parts:
                try:
                    inner = os.open(part, _FOLDER, dir_fd=held)
                except OSError as error:
                    if error.errno not in (errno.ELOOP, errno.ENOTDIR):
                        raise
                    raise InvalidInput(f"{target.parent} leads out of the production by a link") from error
                os.close(held)
                held = inner
            yield held
        finally:
            os.close(held)

    def _check_inside(self, path: Path) -> None:
        if not path.resolve().is_relative_to(self.path.resolve()):
            raise InvalidInput(f"{path} leads out of the production by a link")


def _folder(root: Path, slug: str) -> Path:
    """`root/slug`, checked: the slug is one, and no link leads elsewhere."""
    if not _SLUG.fullmatch(slug):
        raise InvalidInput(f"{slug[:80]!r} cannot be the name of a production", hint="Lower case letters, digits, _ -.")
    path = root.resolve() / slug
    if path.is_symlink():
        raise InvalidInput(f"{path} is a link; a production must be a folder of its own")
    return path


def _owner(path: Path) -> str | None:
    """The request a folder belongs to, or None where it belongs to none."""
    try:
        return (path / _REQUEST).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None


def _take(path: Path, request_id: str) -> bool:
    """Make the folder ours; False where it is somebody else's.

    A new folder is renamed into place with the request already in it, so that no crash leaves one without an owner,
    and of two processes one wins. An empty one that is there is not replaced: somebody may stand in it, or it may be
    where a disk is mounted.
    """
    with storage_errors(f"cannot make {path}"):
        if path.is_dir():
            return _take_empty(path, request_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep_claims(path.parent)
        temp = path.parent / f".claim-{secrets.token_hex(6)}"
        temp.mkdir()
        try:
            _write_request(temp / _REQUEST, request_id)
            temp.rename(path)
        except OSError as error:
            shutil.rmtree(temp, ignore_errors=True)
            if error.errno in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
                return _owner(path) == request_id
            raise
        fsync_dir(path.parent)
    return True


def _take_empty(path: Path, request_id: str) -> bool:
    owner = _owner(path)
    if owner is not None:
        return owner == request_id
    if any(not one.name.startswith(f"{_REQUEST}.") for one in path.iterdir()):
        return False
    temp = path / f"{_REQUEST}.{secrets.token_hex(6)}.tmp"
    try:
        _write_request(temp, request_id)
        # A link is made whole or not at all, and not twice.
        os.link(temp, path / _REQUEST)
    except OSError as error:
        if error.errno == errno.EEXIST:
            return _owner(path) == request_id
        if error.errno not in _NO_LINKS:
            raise
        temp.rename(path / _REQUEST)
    finally:
        temp.unlink(missing_ok=True)
    fsync_dir(path)
    return True


def _write_request(file: Path, request_id: str) -> None:
    with file.open("x", encoding="utf-8") as stream:
        stream.write(request_id + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    fsync_dir(file.parent)


def _sweep_claims(root: Path) -> None:
    """Remove the folders of claims that died half-way; a living claim takes milliseconds."""
    for claim in root.glob(".claim-*"):
        with suppress(OSError):
            if time.time() - claim.stat().st_mtime > _CLAIM_S:
                shutil.rmtree(claim, ignore_errors=True)


def _replace_by_link(source: Path, folder: int, name: str) -> None:
    """Put a file under a name in an open folder, in one step."""
    temp = f".{name}.{secrets.token_hex(4)}.tmp"
    try:
        try:
            os.link(source, temp, dst_dir_fd=folder)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            made = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666, dir_fd=folder)
            with source.open("rb") as there, os.fdopen(made, "wb") as here:
                shutil.copyfileobj(there, here, 1 << 20)
                here.flush()
                os.fsync(here.fileno())
        os.rename(temp, name, src_dir_fd=folder, dst_dir_fd=folder)
        os.fsync(folder)
    finally:
        # Where source and target were one file already, rename leaves the temporary name standing.
        with suppress(FileNotFoundError):
            os.unlink(temp, dir_fd=folder)
