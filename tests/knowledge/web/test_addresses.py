"""S2, first half: what may be asked by its looks, and which IP addresses are public."""

from __future__ import annotations

import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.web.addresses import is_public, read_address
from knowledge.web.problems import AddressRefused

ODD = [
    # Loopback and friends in every notation that some parser takes.
    "http://2130706433/", "http://0x7f000001/", "http://0x7f.0.0.1/", "http://0177.0.0.1/", "http://017700000001/",
    "http://127.1/", "http://127.0.1/", "http://0/", "http://0x0/", "http://127.0.0.1.", "http://127.0.0.1./",
    "http://127.000.000.001/", "http://127.0.0.01/", "http://1.2.3.4.5/", "http://256.1.1.1/", "http://1.2.3/",
    "http://０x7f.0.0.1/", "http://①②⑦.⓪.⓪.①/", "http://127。0。0。1:x/", "http://0x7f。1/", "http://１２７.1/",
    "http://[::1%25lo]/", "http://[::1%lo]/", "http://[127.0.0.1]/", "http://[::ffff:127.0.0.1/", "http://[::1]x/",
    "http://[]/", "http://[fe80::1%eth0]/", "http://::1/",
    # Names of this machine and of the house's network.
    "http://localhost/", "http://LOCALHOST/", "http://localhost./", "http://a.localhost/", "http://printer/",
    "http://router.local/", "http://metadata.google.internal/", "http://x.lan/", "http://x.home.arpa/", "http://x.onion/",
    "http://ｌｏｃａｌｈｏｓｔ/", "http://x.internal./", "http://example.com./", "http://a..example/", "http://.example/",
    # Other schemes and no schemes.
    "file:///etc/passwd", "ftp://site.example/", "gopher://site.example/", "data:text/html,hi", "javascript:alert(1)",
    "jar:http://site.example!/", "ws://site.example/", "//site.example/", "site.example", "", "http:", "http:///", "http://",
    "http:site.example", "http:/site.example", "unix:/var/run/docker.sock", "http+unix://%2Fvar%2Frun/x",
    # Two readings of one address.
    "http://user@site.example/", "http://user:pw@site.example/", "http://site.example@127.0.0.1/", "http://@site.example/",
    "http://site.example\\@127.0.0.1/", "http://127.0.0.1\\.site.example/", "http://site.example\t/", "http://si\nte.example/",
    "http://site.example /", " http://site.example/", "http://site.example/\r\nHost: x", "http://127.0.0.1%00.site.example/",
    "http://127.0.0.1%2f.site.example/", "http://%31%32%37.0.0.1/", "http://site.example%23@127.0.0.1/", "http://si\x00te.example/",
    "http://site.example\u202e/", "http://a\u200bb.example/", "http://xn--/", "http://-a.example/", "http://a-.example/",
    # Ports of other services.
    "http://site.example:22/", "http://site.example:6379/", "http://site.example:99999/", "http://site.example:-1/",
    "http://site.example:0/", "http://site.example:/", "http://site.example:８０8/", "https://site.example:8443/",
    "http://site.example:80:80/", "http://" + "a" * 300 + ".example/", "http://site.example/" + "a" * 3000,
]  # fmt: skip

PLAIN_BUT_NOT_PUBLIC = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200",
    "127.0.0.1", "127.255.255.254", "169.254.169.254",
    "169.254.170.2", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1", "192.88.99.1",
    "192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250",
    "240.0.0.1", "255.255.255.255", "168.63.129.16",
    "::", "::1", "::127.0.0.1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:8.8.8.8", "::ffff:0:127.0.0.1",
    "64:ff9b::127.0.0.1", "64:ff9b::8.8.8.8", "64:ff9b:1::1", "100::1", "2001::1", "2001:0:7f00:1::", "2001:10::1",
    "2001:20::1", "2001:db8::1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254",
    "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "2606:4700::5efe:7f00:1", "2606:4700::200:5efe:10.0.0.1",
    "", "site.example", "127.1", "0x7f.0.0.1",
]  # fmt: skip

PUBLIC = ["8.8.8.8", "1.1.1.1", "93.184.216.34", "172.15.0.1", "172.32.0.1", "100.63.0.1", "100.128.0.1", "192.0.1.1",
          "223.255.255.254", "2606:4700:4700::1111", "2a00:1450:4001:81b::200e", "2001:4860:4860::8888"]  # fmt: skip


@pytest.mark.parametrize("url", ODD)
def test_odd_addresses_are_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        read_address(url)


@pytest.mark.parametrize("ip", PLAIN_BUT_NOT_PUBLIC)
def test_addresses_that_are_not_public(ip: str) -> None:
    assert not is_public(ip)


@pytest.mark.parametrize("ip", PUBLIC)
def test_public_addresses(ip: str) -> None:
    assert is_public(ip)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://site.example", "http://site.example/"),
        ("HTTPS://Site.Example:443/A%20b?q=a+b&c=%C3%A9#part", "https://site.example/A%20b?q=a+b&c=%C3%A9"),
        ("http://site.example:443/", "http://site.example:443/"),
        ("https://bücher.example/straße?x=ü", "https://xn--bcher-kva.example/stra%C3%9Fe?x=%C3%BC"),
        ("http://site。example/", "http://site.example/"),
        ("http://93.184.216.34/", "http://93.184.216.34/"),
        ("http://[2606:4700:4700::1111]:80/x", "http://[2606:4700:4700::1111]/x"),
        ("https://a_b.example/x(y)~z!", "https://a_b.example/x(y)~z!"),
        ("https://en.example.org/wiki/A/../B?x[]=1", "https://en.example.org/wiki/A/../B?x[]=1"),
    ],
)
def test_plain_addresses_are_read(url: str, told: str) -> None:
    assert read_address(url).url == told
    assert read_address(told).url == told


def test_a_number_is_read_the_way_the_system_reads_it_or_not_at_all() -> None:
    for url in ("http://127.1/", "http://0x7f.1/", "http://2130706433/", "http://017700000001/"):
        # The control: the system does take these for loopback.
        assert socket.inet_ntoa(socket.inet_aton(url[7:-1])) == "127.0.0.1"
        with pytest.raises(AddressRefused):
            read_address(url)


@given(st.ip_addresses())
def test_what_python_calls_local_is_never_public(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    if is_public(str(ip)):
        assert not any([ip.is_private, ip.is_loopback, ip.is_link_local, ip.is_multicast, ip.is_unspecified])


@given(st.text(max_size=60), st.sampled_from(["", "http://", "https://", "http://a.example/", "http://[", "http://a@"]))
def test_any_text_is_read_or_refused(text: str, start: str) -> None:
    try:
        address = read_address(start + text)
    except AddressRefused:
        return
    assert address.scheme in ("http", "https")
    assert address.port in (80, 443)
    assert address.url.isascii()
    assert not set(address.url) & set(" \r\n\t\\@<>") - {"@"}
    assert "@" not in address.origin
    assert read_address(address.url) == address


@given(st.text(max_size=60))
def test_any_link_is_joined_or_refused(link: str) -> None:
    try:
        address = read_address("https://site.example/a/b").join(link)
    except AddressRefused:
        return
    assert read_address(address.url) == address
