"""The one client for addresses that came from data: it reaches public hosts, and nothing of ours.

address ─▶ its text is plain ─▶ resolved once ─▶ all that it resolves to is public ─▶ exactly there, over TLS by its name

What a name resolves to is checked where the connection is made, so it cannot be another place by then (rebinding).
"""

import asyncio
import ipaddress
import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from activities import errors

LONGEST_URL = 2000
LONGEST_BODY = 64 * 1024
PORTS = {443, 8443}

# What an address may look like: a name of labels or a literal address, and no user, blank, backslash or fragment. It
# leaves nothing that two parsers could read in two ways.
SHAPE = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?:[/?][a-z0-9._~!$&'()*+,;=:@/?%\[\]-]*)?",
    re.IGNORECASE,
)
# A last label like this makes a number of the whole name, for whoever resolves it: 127.1, 0x7f.1, 2130706433.
NUMBER = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)", re.IGNORECASE)

# IPv6 that is routed on the internet; within it are ranges for other ends, some of which carry an IPv4 address.
PUBLIC_V6 = ipaddress.ip_network("2000::/3")
SPECIAL_V6 = tuple(map(ipaddress.ip_network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
NAT64 = ipaddress.ip_network("64:ff9b::/96")
# Beside what is not global: relays of 6to4, and a cloud's own services at a public address.
SPECIAL_V4 = tuple(map(ipaddress.ip_network, ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32")))


class ForbiddenError(Exception):
    """An address that is not for us to reach. Its text is ours: it says what is wrong."""


@dataclass(frozen=True)
class Answer:
    """What came back: of the body only what came in time, and no more than LONGEST_BODY."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Guarded:
    """Asks once: no redirection is followed, no proxy used, no cookie kept, and all of it ends after `timeout_s`.

    `private` lets what is on this machine or in its network pass, and http: for development.
    """

    def __init__(
        self,
        *,
        timeout_s: float,
        private: bool = False,
        resolver: AbstractResolver | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._timeout_s = timeout_s
        self._private = private
        self._resolver = resolver
        self._tls = tls

    async def ask(
        self, whom: str, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> Answer:
        """The answer of `whom`; raises what `errors` makes when there is none, or the address is forbidden."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._ask(method, checked(url, private=self._private), headers, body)
        except ForbiddenError as error:
            raise errors.impossible(whom, str(error)) from None
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise errors.unreachable(whom, error) from None

    async def _ask(self, method: str, url: URL, headers: Mapping[str, str], body: bytes | None) -> Answer:
        ends = asyncio.get_running_loop().time() + self._timeout_s
        async with (
            self._session() as session,
            session.request(method, url, data=body, headers=headers, allow_redirects=False) as response,
        ):
            # What it says stands already: a body that never ends takes nothing of it back.
            return Answer(response.status, dict(response.headers), await _part(response, ends - GRACE_S))

    def _session(self) -> aiohttp.ClientSession:
        """One for each time: nothing is shared between those whom it asks."""
        resolver = _Checking(self._resolver or aiohttp.ThreadedResolver(), private=self._private)
        connector = aiohttp.TCPConnector(
            resolver=resolver, use_dns_cache=False, force_close=True, ssl=self._tls if self._tls is not None else True
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"accept-encoding": "identity", "user-agent": "Greenroom"},
            auto_decompress=False,
            trust_env=False,
            timeout=aiohttp.ClientTimeout(total=self._timeout_s),
        )


# What is left for the rest when a body is cut off.
GRACE_S = 0.5


class _Checking(AbstractResolver):
    """Resolves for a connection that is about to be made: it goes to what was checked, and to nothing else."""

    def __init__(self, resolver: AbstractResolver, *, private: bool) -> None:
        self._resolver = resolver
        self._private = private

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        if not self._private and not all(public(one["host"]) for one in found):
            raise ForbiddenError("it is not on the public internet")
        return found

    async def close(self) -> None:
        await self._resolver.close()


def checked(url: str, *, private: bool) -> URL:
    """An address as it may be asked; ForbiddenError says what is wrong with it. What its name resolves to comes later."""
    shape = SHAPE.fullmatch(url) if len(url) <= LONGEST_URL else None
    if shape is None:
        raise ForbiddenError("it is no plain address such as https://hooks.acme.example/greenroom")
    host = shape["host"].strip("[]").lower()
    literal = _literal(host)
    if not 0 < int(shape["port"] or 443) < 65536:
        raise ForbiddenError("its port is none")
    parsed = URL(url, encoded=True)
    if (parsed.raw_host or "").lower() != host:
        raise ForbiddenError("its host can be read in two ways")
    if private:
        return parsed
    if parsed.scheme != "https":
        raise ForbiddenError("it is not https")
    if parsed.port not in PORTS:
        raise ForbiddenError("its port is neither 443 nor 8443")
    if literal is None and "." not in host:
        raise ForbiddenError("it is not on the public internet")
    if literal is not None and not public(str(literal)):
        raise ForbiddenError("it is not on the public internet")
    return parsed


def public(address: str) -> bool:
    """Whether a literal address is of the internet at large: neither ours, nor anybody's inside."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return _public_v4(ip)
    if ip.scope_id is not None:
        return False
    if ip in NAT64:
        return _public_v4(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
    return ip in PUBLIC_V6 and ip.is_global and not any(ip in net for net in SPECIAL_V6)


def _public_v4(ip: ipaddress.IPv4Address) -> bool:
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and not any(ip in net for net in SPECIAL_V4)


def _literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a host is; None for a name. A number that is no plain address is refused."""
    if ":" not in host and not NUMBER.fullmatch(host.rpartition(".")[2]):
        return None
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        raise ForbiddenError("its host is a number that is no plain address") from None


async def _part(response: aiohttp.ClientResponse, until: float) -> bytes:
    """What of a body comes in time and is not too much. What breaks off is worth as much as it is."""
    body = bytearray()
    try:
        async with asyncio.timeout_at(until):
            while len(body) < LONGEST_BODY and (chunk := await response.content.read(LONGEST_BODY - len(body))):
                body += chunk
    except (TimeoutError, aiohttp.ClientError, OSError):
        pass
    return bytes(body)
