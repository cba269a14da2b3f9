"""Why something on a network could not be reached, in plain words with what to do: never the words of a library.

Libraries say the same in their own ways (the errors of OpenSSL, hyper and the C library, read here), so the text is
looked at, and the chain of what it was raised from.
"""

from __future__ import annotations

import re

__all__ = ["why_unreached"]

_PLAIN = (
    (r"\bdns\b|name resolution|getaddrinfo|resolv|not known|nodename|no address",
     "its name could not be resolved; is this machine online?"),
    (r"certificate|\bcert\b|hostname mismatch",
     "its certificate is not trusted; look at the clock of this machine, and whether a proxy stands between"),
    (r"refused|err(or|no) (61|111)\b|connection attempts failed", "nobody answers there; is it up? Try again later"),
    (r"unreachable|no route|err(or|no) (100|101|113)\b", "there is no way to it; is this machine online?"),
    (r"timed out|timeout|took too long", "it did not answer in time; try again later"),
    (r"\bssl\b|\btls\b|handshake|wrong version", "no secure connection came about; does a proxy stand between?"),
    (r"reset|broken pipe|closed|disconnect|incomplete|eof\b|aborted|without sending",
     "the connection broke off; try again later"),
    (r"proxy|tunnel", "the proxy that is set does not let it through; look at HTTPS_PROXY"),
)  # fmt: skip
"""What libraries say, and what it means; the first that fits."""
_ADDRESS = re.compile(r"https?://\S+|Name\([^)]*\)|host='[^']*'")
_DEEPEST = 8


def why_unreached(error: BaseException) -> str:
    """The reason in a few words, for after a colon; no full stop.

    Args:
        error: as a library raised it.
    """
    said: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(said) < _DEEPEST:
        said.append(f"{type(cause).__name__} {cause}")
        cause = cause.__cause__ or cause.__context__
    # An address may hold any of these words, too.
    text = _ADDRESS.sub(" ", " ".join(said))
    for pattern, plain in _PLAIN:
        if re.search(pattern, text, re.IGNORECASE):
            return plain
    return f"the connection failed ({type(error).__name__}); try again later"
