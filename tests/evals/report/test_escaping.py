"""Nothing that a scenario, a message or a model says becomes markup, and the page asks for nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.requests import without_controls
from evals.report import markup
from evals.report.page import draw_report
from evals.report.pictures import Album
from evals.result import EvalResult
from tests.evals.report.results import read, result

HOSTILE = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</style></title></pre></details><img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "<!--",
    "]]><?php",
    "&lt;script&gt;",
    '<meta http-equiv="refresh" content="0;url=http://elsewhere.example">',
    "\u202e\x1b[2J\x00<b>",
]
OURS = {
    "html", "head", "meta", "title", "style", "body", "header", "h1", "h2", "h4", "h5", "p", "b", "div", "span",
    "section", "details", "summary", "table", "thead", "tbody", "tr", "td", "th", "main", "button", "select", "option",
    "input", "dl", "dt", "dd", "mark", "ol", "ul", "li", "q", "br", "pre", "figure", "img", "figcaption", "footer",
    "script", "a",
}  # fmt: skip


def draw(one: EvalResult, folder: Path) -> str:
    return draw_report(one, Album(folder))


def foreign(html: str, plain: str) -> list[str]:
    """What is in a page beyond the elements that the same result with a plain text has."""
    page, control = read(html), read(plain)
    found = [tag for tag, _ in page.elements if tag not in OURS]
    # A text may be split into words that are marked: these, and only these, can be more.
    for tag in ("script", "style", "img", "meta", "a", "input", "section", "details", "table"):
        found += [tag] * abs(len(page.all(tag)) - len(control.all(tag)))
    for tag, held in page.elements:
        found += [f"{tag} {name}" for name in held if name.startswith("on") or name == "style"]
        for name in ("src", "href"):
            if held.get(name) and not str(held[name]).startswith(("data:image/jpeg;base64,", "#s-")):
                found.append(f"{tag} {name} {held[name]}")
    return found


@pytest.mark.parametrize("text", HOSTILE)
def test_text_of_others_stays_text(text: str, tmp_path: Path) -> None:
    html = draw(result(text=text), tmp_path)
    assert not foreign(html, draw(result(), tmp_path))
    shown = without_controls(text)
    assert read(html).text.count(shown) > 20, "it is shown, and as it stands"


@settings(max_examples=60, deadline=None)
@given(text=st.text(alphabet="<>&\"'/=!- abconclickscriptimgs\n\x00\u2028", min_size=1, max_size=40))
def test_whatever_is_said_adds_no_element(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.getbasetemp()
    assert not foreign(draw(result(text=text), folder), draw(result(), folder))


def test_the_twin_that_does_not_escape_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = draw(result(), tmp_path)
    monkeypatch.setattr(markup, "escape", lambda text: text)
    for text in HOSTILE[:4]:
        assert foreign(draw(result(text=text), tmp_path), plain), text


def test_only_our_own_script_and_style_may_run_and_nothing_is_loaded(tmp_path: Path) -> None:
    page = read(draw(result(), tmp_path))
    policy = str(page.all("meta", http_equiv="Content-Security-Policy")[0]["content"])
    assert policy.startswith("default-src 'none';")
    for name in ("script", "style"):
        digest = base64.b64encode(hashlib.sha256(page.inside[name].encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy
    assert "://" not in page.inside["script"] + page.inside["style"]
    assert not page.all("link")
    assert not page.all("iframe")
