"""Which addresses may be asked: http and https, on the public web, written in the one plain way.

Parsers disagree about odd spellings (`http://0x7f.1/`, `http://a@b/`, `http://example.com\\@127.0.0.1/`), and attacks
live on that: what is not written plainly is refused, not interpreted. A name is checked here as it is written; what it
resolves to is checked by `is_public`, by whoever connects.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

from knowledge.web.problems import AddressRefused

__all__ = ["PORTS", "Address", "is_public", "read_address"]

PORTS = frozenset({80, 443})

_MOST_CHARACTERS = 2_000
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_ODD = re.compile(r"[\x00-\x20\x7f-\x9f\\<>\"`{|}^\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_LOCAL_NAMES = frozenset(
    {"localhost", "local", "localdomain", "internal", "intranet", "private", "lan", "home", "corp", "arpa", "onion"}
    | {"invalid", "test"}
)
"""Last labels that never name a public site (RFC 6761, RFC 6762, RFC 8375, ICANN's reserved ones)."""

_CLOSED_4 = [
    ipaddress.IPv4Network(net)
    for net in (
        # The IANA IPv4 Special-Purpose Address Registry, multicast and class E.
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
        # Looks public, and is the control channel of every machine in one large cloud.
        "168.63.129.16/32",
    )
]  # fmt: skip
_OPEN_6 = ipaddress.IPv6Network("2000::/3")
"""All global unicast addresses; loopback, mapped, NAT64, unique local, link-local and multicast lie outside."""
_CLOSED_6 = [
    ipaddress.IPv6Network(net)
    # Protocol assignments with Teredo, benchmarking and ORCHID; documentation; 6to4; documentation.
    for net in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
]
_ISATAP = (0x00005EFE, 0x02005EFE)


@dataclass(frozen=True)
class Address:
    """An address that may be asked, if what its host resolves to may be.

    Attributes:
        scheme: `http` or `https`.
        host: a name in ASCII and lower case, or an IP address (IPv6 without brackets).
        port: the one to connect to.
        target: path and query, as they are sent.
    """

    scheme: str
    host: str
    port: int
    target: str

    @property
    def host_header(self) -> str:
        """The host as HTTP names it, with the port where it is not the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _USUAL[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"{self.scheme}://{self.host_header}"

    @property
    def url(self) -> str:
        """The whole address."""
        return self.origin + self.target

    @property
    def literal(self) -> bool:
        """Whether the host is an IP address and no name."""
        return ":" in self.host or self.host.replace(".", "").isdigit()

    def join(self, link: str, *, ports: Collection[int] = PORTS) -> Address:
        """The address that a link on this page, or a redirect, leads to.

        Raises:
            AddressRefused: it may not be asked.
        """
        if _ODD.search(link):
            raise AddressRefused(f"leads to an address with odd characters: {_shown(link)}")
        try:
            joined = urljoin(self.url, link)
        except ValueError:
            raise AddressRefused(f"leads to what is no address: {_shown(link)}") from None
        return read_address(joined, ports=ports)


_USUAL = {"http": 80, "https": 443}


def read_address(url: str, *, ports: Collection[int] = PORTS) -> Address:
    """Read an address.

    Args:
        url: as a search, a page or a person gave it.
        ports: those that may be asked.

    Raises:
        AddressRefused: it may not be asked; says why.
    """
    if len(url) > _MOST_CHARACTERS:
        raise AddressRefused("the address is too long")
    if _ODD.search(url):
        # Browsers drop some of these silently, and then ask another address than the one that was checked.
        raise AddressRefused(f"odd characters in the address: {_shown(url)}")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise AddressRefused(f"no address: {_shown(url)}") from None
    scheme = parts.scheme.lower()
    if scheme not in _USUAL:
        raise AddressRefused(f"only http and https are asked: {_shown(url)}")
    if "@" in parts.netloc:
        raise AddressRefused(f"a user's name in the address: {_shown(url)}")
    if parts.netloc.endswith(":") or (port is not None and port not in ports):
        raise AddressRefused(f"only the ports {', '.join(map(str, sorted(ports)))} are asked: {_shown(url)}")
    host = _read_host(parts.netloc, url)
    target = quote(parts.path or "/", safe="%/:=&~+!$,;'@()*-._[]")
    target = target if target.startswith("/") else f"/{target}"
    if parts.query:
        target += "?" + quote(parts.query, safe="%/:=&~+!$,;'@()*-._?[]")
    return Address(scheme, host, port if port is not None else _USUAL[scheme], target)


def _read_host(netloc: str, url: str) -> str:
    """The host in its one form: ASCII, lower case, without brackets."""
    if netloc.startswith("["):
        inside, _, rest = netloc[1:].partition("]")
        if (rest and not re.fullmatch(r":\d+", rest)) or not re.fullmatch(r"[0-9a-fA-F:.]+", inside):
            raise AddressRefused(f"no host: {_shown(url)}")
        try:
            return str(ipaddress.IPv6Address(inside))
        except ValueError:
            raise AddressRefused(f"no host: {_shown(url)}") from None
    name = netloc.partition(":")[0]
    if not name.isascii():
        name = _ascii_name(name, url)
    name = name.lower()
    labels = name.split(".")
    if _is_number(labels[-1]):
        # One to four numbers, octal, hexadecimal, digits in circles: only the plain four are no riddle.
        try:
            if netloc.isascii():
                return str(ipaddress.IPv4Address(name))
        except ValueError:
            pass
        raise AddressRefused(f"an oddly written number for a host: {_shown(url)}")
    if len(labels) < 2 or labels[-1] in _LOCAL_NAMES:
        raise AddressRefused(f"not a name of the public web: {_shown(url)}")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise AddressRefused(f"no host: {_shown(url)}")
    return name


def _ascii_name(name: str, url: str) -> str:
    """A name with letters of all the world as it is resolved; look-alike digits and dots become plain ones."""
    import idna

    try:
        return idna.encode(name, uts46=True, std3_rules=True).decode("ascii")
    except (idna.IDNAError, UnicodeError, ValueError):
        raise AddressRefused(f"no host: {_shown(url)}") from None


def _is_number(label: str) -> bool:
    """As the URL standard has it: such a last label makes the whole host an IPv4 address."""
    return bool(re.fullmatch(r"\d+|0x[0-9a-f]*", label))


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet, and no door to another one.

    Refused are loopback, private, shared (CGNAT), link-local (metadata services), multicast, reserved and documentation
    addresses, and every IPv6 form that carries an IPv4 address inside: mapped, compatible, 6to4, Teredo, NAT64, ISATAP.
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return not any(ip in net for net in _CLOSED_4)
    if ip.scope_id is not None or ip not in _OPEN_6 or any(ip in net for net in _CLOSED_6):
        return False
    return (int(ip) >> 32) & 0xFFFFFFFF not in _ISATAP


def _shown(url: str) -> str:
    """An address as it may be shown: short, and without power over a terminal."""
    plain = "".join(c if c.isprintable() else "?" for c in url)
    return plain if len(plain) <= 120 else f"{plain[:117]}..."
