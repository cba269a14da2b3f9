"""Errors of the network are told in plain words, whatever a library calls them; an address in them decides nothing."""

from __future__ import annotations

import errno
import socket
import ssl

import pytest

from configs.unreached import why_unreached

SAID = [
    ("error sending request for url (https://html.duckduckgo.com/html/) > client error (Connect) > tcp connect error > "
     "Connection refused (os error 111)", "nobody answers there"),
    ("error sending request for url (http://a.b/) > dns error > error resolving DNS > DNS error: no records found for "
     'Query { name: Name("a.b."), query_type: A, query_class: IN }', "online"),
    ("[Errno -3] Temporary failure in name resolution", "online"),
    ("[Errno -2] Name or service not known", "online"),
    ("All connection attempts failed", "nobody answers there"),
    ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate", "certificate"),
    ("[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1000)", "no secure connection"),
    ("[Errno 101] Network is unreachable", "no way to it"),
    ("[Errno 104] Connection reset by peer", "broke off"),
    ("Server disconnected without sending a response.", "broke off"),
    ("peer closed connection without sending complete message body (incomplete chunked read)", "broke off"),
    ("The read operation timed out", "in time"),
    ("error sending request for url (http://timeout.reset.ssl:111/)", "connection failed (ConnectionError)"),
    ("", "connection failed (ConnectionError)"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "means"), SAID)
def test_what_a_library_says_becomes_plain_words(said: str, means: str) -> None:
    told = why_unreached(ConnectionError(said))
    assert means in told
    assert not any(mark in told for mark in ("Errno", "os error", "://", " > ", "_ssl"))
    assert not told.endswith(".")


def test_the_cause_is_looked_at_where_the_error_itself_says_nothing() -> None:
    error = RuntimeError("Connection error.")
    error.__cause__ = OSError(errno.ECONNREFUSED, "Connection refused")
    assert "nobody answers" in why_unreached(error)


def test_the_errors_that_this_machine_itself_makes() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(OSError, match="refused") as refused:
        socket.create_connection(("127.0.0.1", port), timeout=5)
    assert "nobody answers" in why_unreached(refused.value)
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        socket.create_connection(silent.getsockname(), timeout=0.05) as asks,
        pytest.raises(TimeoutError) as late,
    ):
        asks.recv(1)
    assert "in time" in why_unreached(late.value)
    assert "secure" in why_unreached(ssl.SSLError(1, "[SSL: TLSV1_ALERT_INTERNAL_ERROR] tlsv1 alert internal error"))
