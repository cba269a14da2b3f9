"""S2, second half: where connections go; and what is taken of an answer."""

# ruff: noqa: ARG005 - servers and resolvers keep the shape of what they stand for.
from __future__ import annotations

import gzip
import ssl
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from knowledge.web import dialling
from knowledge.web.addresses import is_public
from knowledge.web.fetch import USER_AGENT, Limits
from knowledge.web.problems import AddressRefused, NotReached, PageRefused, WebProblem, WrongType
from tests.knowledge.web.sites import PUBLIC, Request, Site, answer, moved, serving
from tests.knowledge.web.test_addresses import ODD, PLAIN_BUT_NOT_PUBLIC

NOT_PUBLIC = [ip for ip in PLAIN_BUT_NOT_PUBLIC if ip and ip[0] in "0123456789:f" and "x" not in ip and ip != "127.1"]
SECRET = "<p>the secret of an inner service"


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(Site()) as served:
        yield served


def literal(ip: str) -> str:
    return f"http://[{ip}]/" if ":" in ip else f"http://{ip}/"


def attacks(site: Site) -> list[str]:
    """Addresses that lead, or try to lead, to where nothing public is; the site plays the inner service."""
    site.pages["/"] = answer(SECRET)
    urls = [*ODD, *[literal(ip) for ip in NOT_PUBLIC]]
    for at, ip in enumerate(NOT_PUBLIC):
        site.names[f"one{at}.example"] = [[ip]]
        site.names[f"mixed{at}.example"] = [[PUBLIC, ip]]
        # Good when it is looked at, bad ever after: what is resolved twice is lost.
        site.names[f"turns{at}.example"] = [[PUBLIC], [ip]]
        site.pages[f"turns{at}.example/"] = moved(f"http://turns{at}.example/inner")
        site.pages[f"hop{at}.example/"] = moved(literal(ip))
        site.pages[f"hops{at}.example/"] = moved(f"http://one{at}.example/")
        urls += [f"http://{kind}{at}.example/" for kind in ("one", "mixed", "turns", "hop", "hops")]
    for at, odd in enumerate(ODD):
        if odd.isascii() and "\r" not in odd and "\n" not in odd and odd:
            site.pages[f"odd{at}.example/"] = moved(odd)
            urls.append(f"http://odd{at}.example/")
    return urls


def run_attacks(site: Site) -> tuple[int, int]:
    """How many pages were had, and how many connections went to addresses that are not public."""
    had = 0
    fetcher = site.fetcher()
    for url in attacks(site):
        try:
            page = fetcher.fetch(url)
        except WebProblem:
            continue
        had += SECRET.encode() in page.data and not url.startswith("http://odd")
    return had, sum(not is_public(ip) for ip, _ in site.dialled)


def test_no_connection_goes_to_an_address_that_is_not_public(site: Site) -> None:
    had, connections = run_attacks(site)
    assert (had, connections) == (0, 0)
    assert len(site.dialled) > 100, "the control: first hops were really dialled"


def test_the_same_attacks_succeed_without_the_check(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialling, "is_public", lambda ip: True)
    had, connections = run_attacks(site)
    assert had >= 150
    assert connections >= 150


def test_a_name_is_resolved_once_a_hop(site: Site) -> None:
    site.names["turns.example"] = [[PUBLIC], ["127.0.0.1"]]
    site.pages["turns.example/"] = answer("<p>hello")
    assert site.fetcher().fetch("http://turns.example/").data == b"<p>hello"
    assert site.asked == ["turns.example"]
    assert site.dialled == [(PUBLIC, 80)]


def test_redirects_are_followed_and_checked_each(site: Site) -> None:
    site.pages |= {
        "a.example/": moved("/next", 301), "a.example/next": moved("//b.example/x", 303),
        "b.example/x": moved("http://c.example:80/y?q=1", 307), "c.example/y?q=1": answer("<p>there"),
    }  # fmt: skip
    page = site.fetcher().fetch("http://a.example/")
    assert (page.url, page.data, page.type, page.charset) == (
        "http://c.example/y?q=1", b"<p>there", "text/html", "utf-8",
    )  # fmt: skip
    assert site.asked == ["a.example", "a.example", "b.example", "c.example"]


@pytest.mark.parametrize("path", ["http://loop.example/", "http://grow.example/"])
def test_redirects_that_do_not_end_are_given_up(site: Site, path: str) -> None:
    site.pages |= {"loop.example/": moved("/b"), "loop.example/b": moved("/")}
    site.pages["grow.example/"] = lambda request: moved("/x")
    for n in range(1, 40):
        site.pages[f"grow.example/{'x' * n}"] = moved("/" + "x" * (n + 1))
    with pytest.raises(PageRefused, match="redirects"):
        site.fetcher().fetch(path)
    assert len(site.requests) <= Limits().redirects + 1


def test_what_is_sent_is_plain_and_tells_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    site.pages["a.example/"] = answer("<p>x", Set_Cookie="id=1")
    fetcher = site.fetcher()
    fetcher.fetch("http://a.example/")
    fetcher.fetch("http://a.example/#part")
    for request in site.requests:
        assert request.method == "GET"
        assert request.headers == {
            "host": "a.example", "user-agent": USER_AGENT, "accept": "application/xhtml+xml, text/html, text/plain",
            "accept-encoding": "gzip, deflate", "connection": "close",
        }  # fmt: skip


@pytest.mark.parametrize(
    "kind", ["video/mp4", "image/png", "application/json", "application/pdf", "", "text", "text/css"]
)
def test_other_types_are_not_read(site: Site, kind: str) -> None:
    site.pages["/"] = answer("x", kind=kind)
    with pytest.raises(WrongType):
        site.fetcher().fetch("http://a.example/")


@pytest.mark.parametrize("status", [204, 206, 304, 400, 401, 403, 404, 429, 500, 503])
def test_other_answers_are_no_pages(site: Site, status: int) -> None:
    site.pages["/"] = answer("" if status in (204, 304) else "x", status=status)
    with pytest.raises(PageRefused, match=str(status)):
        site.fetcher().fetch("http://a.example/")


BIG = b"<p>" + b"a" * 3_000_000


def chunked(data: bytes) -> bytes:
    head = b"HTTP/1.1 200 X\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = b"".join(
        b"%x\r\n%s\r\n" % (len(data[at : at + 9000]), data[at : at + 9000]) for at in range(0, len(data), 9000)
    )
    return head + chunks + b"0\r\n\r\n"


@pytest.mark.parametrize(
    "page",
    [
        answer(BIG),
        chunked(BIG),
        b"HTTP/1.1 200 X\r\nContent-Type: text/html\r\n\r\n" + BIG,
        answer(gzip.compress(BIG), Content_Encoding="gzip"),
        answer(zlib.compress(b"\0" * 400_000_000, 9), Content_Encoding="deflate"),
        answer(gzip.compress(gzip.compress(BIG)), Content_Encoding="gzip, gzip"),
        answer(b"x" * 100, Content_Encoding="br"),
        answer(b"x" * 100, Content_Encoding="gzip"),
        answer(gzip.compress(b"<p>hello" * 1000)[:30], Content_Encoding="gzip"),
    ],
    ids=["length", "chunked", "until the end", "gzip", "bomb", "twice", "brotli", "damaged", "cut"],
)
def test_what_is_too_large_or_damaged_is_refused(site: Site, page: bytes) -> None:
    site.pages["/"] = page
    with pytest.raises((PageRefused, NotReached)):
        site.fetcher().fetch("http://a.example/")


@pytest.mark.parametrize(
    "page",
    [
        answer(b"<p>hello" * 9),
        chunked(b"<p>hello" * 9),
        answer(gzip.compress(b"<p>hello" * 9), Content_Encoding="GZIP"),
        answer(zlib.compress(b"<p>hello" * 9), Content_Encoding="deflate"),
        answer(zlib.compress(b"<p>hello" * 9)[2:-4], Content_Encoding="deflate"),
        answer(b"<p>hello" * 9, kind="TEXT/HTML"),
    ],
)
def test_good_answers_come_whole(site: Site, page: bytes) -> None:
    site.pages["/"] = page
    assert site.fetcher().fetch("http://a.example/").data == b"<p>hello" * 9


def test_headers_without_end_are_given_up(site: Site) -> None:
    def endless(request: Request) -> bytes:
        for _ in range(2_000):
            request.connection.sendall(b"HTTP/1.1 100 Continue\r\nX: " + b"y" * 2_000 + b"\r\n\r\n")
        return answer("<p>x")

    site.pages["/"] = endless
    with pytest.raises((PageRefused, NotReached)):
        site.fetcher().fetch("http://a.example/")


def test_a_dead_address_before_a_live_one(site: Site) -> None:
    site.names["a.example"] = [["2606:4700:4700::1111", PUBLIC]]
    site.pages["/"] = answer("<p>x")
    dial = site.dial

    def first_is_dead(ip: str, port: int, seconds: float):
        stream = dial(ip, port, seconds)
        if ":" in ip:
            stream.close()
            raise dialling.httpcore2.ConnectError("unreachable")
        return stream

    site.dial = first_is_dead  # type: ignore[method-assign]
    assert site.fetcher().fetch("http://a.example/").data == b"<p>x"
    assert [ip for ip, _ in site.dialled] == ["2606:4700:4700::1111", PUBLIC]


# -- robots.txt -------------------------------------------------------------------------------------------------------


def test_robots_are_asked_once_and_obeyed(site: Site) -> None:
    rules = "User-agent: animation-studio\nDisallow: /private\n\nUser-agent: *\nDisallow: /all"
    site.pages |= {
        "/robots.txt": answer(rules, kind="text/plain"),
        "/private/x": answer("<p>x"),
        "/all": answer("<p>y"),
    }
    fetcher = site.fetcher(robots=True)
    with pytest.raises(PageRefused, match=r"robots\.txt"):
        fetcher.fetch("http://a.example/private/x")
    assert fetcher.fetch("http://a.example/all").data == b"<p>y"
    assert [request.target for request in site.requests] == ["/robots.txt", "/all"]


@pytest.mark.parametrize(
    ("robots", "read"),
    [
        (answer("no", status=404), True), (answer("<p>a page"), True), (answer(b"\x89PNG", kind="image/png"), True),
        (answer("no", status=403), True), (answer("no", status=500), False), (answer("no", status=429), False),
        (answer(b"#" * 600_000, kind="text/plain"), False),
        (answer(b"\xff\x00\nDisallow: /" * 50, kind="text/plain"), True),
        (moved("http://127.0.0.1/robots.txt"), False),
    ],
)  # fmt: skip
def test_sites_without_readable_rules(site: Site, robots: bytes, read: bool) -> None:
    site.pages |= {"/robots.txt": robots, "/": answer("<p>x")}
    if read:
        assert site.fetcher(robots=True).fetch("http://a.example/").data == b"<p>x"
    else:
        with pytest.raises(WebProblem):
            site.fetcher(robots=True).fetch("http://a.example/")
        assert "/" not in [request.target for request in site.requests]
    assert all(is_public(ip) for ip, _ in site.dialled)


# -- https ------------------------------------------------------------------------------------------------------------


def certificate(folder: Path, *names: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context with a certificate for these names, and a client's that trusts it."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1)).not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(one) for one in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = folder / "cert.pem"
    plain = serialization.NoEncryption()
    shape = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM) + key.private_bytes(*shape))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    return server, ssl.create_default_context(cafile=str(pem))


def test_https_keeps_the_name_for_host_and_certificate(site: Site, tmp_path: Path) -> None:
    server, client = certificate(tmp_path, "good.example")
    asked: list[str | None] = []
    server.sni_callback = lambda _socket, name, _context: asked.append(name)
    site.tls = server
    site.pages |= {"good.example/": answer("<p>x"), "good.example/down": moved("http://good.example/")}
    fetcher = site.fetcher(ssl_context=client)
    assert fetcher.fetch("https://good.example/").data == b"<p>x"
    assert asked == ["good.example"]
    assert site.dialled == [(PUBLIC, 443)]
    with pytest.raises(AddressRefused, match="https to http"):
        fetcher.fetch("https://good.example/down")
    with pytest.raises(NotReached):
        fetcher.fetch("https://other.example/")  # The certificate is not for this name.
    with pytest.raises(NotReached):
        site.fetcher().fetch("https://good.example/")  # Nobody whom the system trusts has signed it.
    assert len(site.requests) == 2
