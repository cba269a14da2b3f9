"""Keys and passwords are taken out of what a server says, in each form in which it may say them."""

from __future__ import annotations

import base64

from hypothesis import given
from hypothesis import strategies as st

from configs.secrets import secrets_of, shown_address, without_secrets

URL = "https://anna:pass%20word@example.org:8443/v1?x=1"


def test_an_address_is_shown_without_user_and_password() -> None:
    assert shown_address(URL) == "https://…@example.org:8443/v1?x=1"
    assert shown_address("http://127.0.0.1:8000/v1") == "http://127.0.0.1:8000/v1"
    assert "password" not in shown_address("http://u:password@[::1")


def test_what_lets_one_in_is_found_in_every_form() -> None:
    secrets = secrets_of(URL, "sk-0123456789")
    coded = base64.b64encode(b"anna:pass word").decode()
    key = base64.b64encode(b"sk-0123456789").decode()
    said = f"Bearer sk-0123456789, Basic {coded}, anna:pass word, pass%20word, {key}"
    clean = without_secrets(said, secrets)
    assert clean == "Bearer …, Basic …, …, …, …"


def test_a_user_without_a_password_is_a_token() -> None:
    secrets = secrets_of("https://tok-0123456789@example.org/v1", "")
    coded = base64.b64encode(b"tok-0123456789:").decode()
    assert without_secrets(f"tok-0123456789 and Basic {coded}", secrets) == "… and Basic …"


def test_short_words_are_no_secrets() -> None:
    assert secrets_of("http://127.0.0.1:1/v1", "none") == ()
    assert without_secrets("none of it", secrets_of("http://127.0.0.1:1/v1", "none")) == "none of it"


@given(st.text(min_size=6, max_size=40), st.text(max_size=80), st.text(max_size=80))
def test_no_key_is_left_in_any_text(key: str, before: str, after: str) -> None:
    assert key not in without_secrets(f"{before}{key}{after}", [key]) or key in f"{before}…{after}" or "…" in key
