"""The Hugging Face Hub as far as the studio needs it: what a repository holds at a commit, with sizes and hashes."""

from __future__ import annotations

import hashlib
import importlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from configs.unreached import why_unreached
from tools.errors import Cancelled, InvalidInput, MissingPrerequisite, ToolError
from tools.models.shelf import hash_of

__all__ = ["Hub", "PullFailed", "RemoteFile"]

_ANSWER_S = 20.0


class PullFailed(ToolError):
    """The Hub could not be reached, or broke off; what came is kept, and the same command goes on."""

    retryable = True


@dataclass(frozen=True)
class RemoteFile:
    """A file of a repository.

    Attributes:
        name: its path there.
        size: bytes.
        sha256: of its content, where it is stored as a large file.
        blob: its git object id (a sha1 over `blob SIZE\\0` and the content) where it is not.
    """

    name: str
    size: int
    sha256: str = ""
    blob: str = ""

    @property
    def digest(self) -> str:
        """Whichever hash is known."""
        return self.sha256 or self.blob

    def is_of(self, path: Path, cancelled: Callable[[], bool] = lambda: False) -> bool:
        """Whether a file has this content."""
        if path.stat().st_size != self.size:
            return False
        if self.sha256:
            return hash_of(path, lambda _: None, cancelled) == self.sha256
        with path.open("rb") as stream:
            content = stream.read()
        return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest() == self.blob


class Hub:
    """The Hub, over huggingface_hub. Nothing is imported or asked before a method is called.

    Args:
        endpoint: its address; empty takes HF_ENDPOINT, or the public one.
    """

    def __init__(self, endpoint: str = "") -> None:
        self.endpoint = (endpoint or os.environ.get("HF_ENDPOINT") or "").rstrip("/") or None

    @property
    def _library(self) -> Any:
        # It reads this when it is imported: with it, nobody is told what was asked for, and by which program.
        os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
        try:
            import huggingface_hub
        except ImportError:
            raise MissingPrerequisite(
                "pulling models needs huggingface_hub.", command='pip install "huggingface-hub>=1,<3"'
            ) from None
        return huggingface_hub

    def files(self, repo: str, revision: str) -> tuple[str, list[RemoteFile]]:
        """The commit that a revision stands for, and what the repository holds there.

        Raises:
            InvalidInput: there is no such repository or revision, or it names a file that leads elsewhere.
            MissingPrerequisite: it wants a login, or offline mode is on.
            PullFailed: the Hub cannot be reached.
        """
        with self.errors(repo, revision):
            api = self._library.HfApi(endpoint=self.endpoint)
            info = api.model_info(repo, revision=revision, files_metadata=True, timeout=_ANSWER_S)
        found = [_remote(sibling) for sibling in info.siblings or []]
        for file in found:
            parts = Path(file.name).parts
            if ".." in parts or Path(file.name).is_absolute() or "\\" in file.name or "\0" in file.name:
                raise InvalidInput(f"the repository names the file {file.name[:80]!r}", where=repo)
        return str(info.sha or revision), [file for file in found if file.digest]

    def url(self, repo: str, name: str, commit: str) -> str:
        """The address of a file."""
        return str(self._library.hf_hub_url(repo, name, revision=commit, endpoint=self.endpoint))

    @contextmanager
    def open(self, url: str, begin: int) -> Iterator[Any]:
        """A response whose body is read piece by piece.

        Args:
            begin: the first byte that is wanted; the answer says whether it begins there (status 206).

        Raises:
            ToolError: as `files`.
        """
        from huggingface_hub.utils import build_hf_headers, hf_raise_for_status

        # Compressed, a part could not be continued.
        headers = {**build_hf_headers(), "Accept-Encoding": "identity"}
        if begin:
            headers["Range"] = f"bytes={begin}-"
        with (
            self.errors(url, ""),
            self._library.get_session().stream(
                "GET", url, headers=headers, timeout=_ANSWER_S, follow_redirects=True
            ) as response,
        ):
            if response.status_code != 416:
                hf_raise_for_status(response)
            yield response

    @contextmanager
    def errors(self, what: str, revision: str) -> Iterator[None]:
        """Errors of the library as errors of ours."""
        errors = importlib.import_module(f"{self._library.__name__}.errors")
        # httpx or httpx2, whichever the library was built on.
        transport = next(base for base in errors.HfHubHTTPError.__mro__ if base.__name__ == "HTTPError")
        try:
            yield
        except (ToolError, Cancelled):
            raise
        except errors.GatedRepoError:
            raise MissingPrerequisite(
                f"{what}: the Hub wants its licence accepted by an account.",
                command="accept it on the model's page, then: hf auth login",
            ) from None
        except errors.RevisionNotFoundError:
            raise InvalidInput(f"the repository has no revision {revision}", where=what) from None
        except errors.RepositoryNotFoundError:
            raise InvalidInput(
                "the Hub has no such repository, or it is private", where=what, hint="For a private one: hf auth login"
            ) from None
        except errors.EntryNotFoundError:
            raise InvalidInput("the repository has no such file", where=what) from None
        except errors.OfflineModeIsEnabled:
            raise MissingPrerequisite(f"{what}: offline mode is on.", command="unset HF_HUB_OFFLINE") from None
        except transport as error:
            status = getattr(getattr(error, "response", None), "status_code", None)
            told = f"it answered {status}" if status else f"{why_unreached(error)}"
            raise PullFailed(
                f"{what}: the Hub could not be reached ({told}).", hint="The same command goes on from here."
            ) from error


def _remote(sibling: Any) -> RemoteFile:
    sha256 = sibling.lfs.sha256 if sibling.lfs is not None else ""
    return RemoteFile(str(sibling.rfilename), int(sibling.size or 0), str(sha256), str(sibling.blob_id or ""))
