"""Fault row 29: an address that came from data reaches the public internet, over TLS by its name, and nothing of ours."""

import asyncio
import datetime as dt
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from temporalio.exceptions import ApplicationError

from activities.providers.guarded import LONGEST_BODY, ForbiddenError, Guarded, checked, public
from tests.deliveries.receiver import Receiver, raw

PUBLIC = "93.184.215.14"


class FakeResolver(AbstractResolver):
    """Says one list of addresses after another; the last from then on."""

    def __init__(self, *answers: Sequence[str], port: int | None = None) -> None:
        self._answers = list(answers)
        self._port = port
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        self.asked.append(host)
        found = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return [
            ResolveResult(
                hostname=host,
                host=one,
                port=self._port or port,
                family=socket.AF_INET6 if ":" in one else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for one in found
        ]

    async def close(self) -> None:
        """There is nothing to close."""


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://127.0.0.1:443/",
        "https://10.0.0.8/",
        "https://169.254.169.254/latest/meta-data/",
        "https://168.63.129.16/",
        "https://100.64.0.1/",
        "https://192.168.1.1/",
        "https://0.0.0.0/",
        "https://255.255.255.255/",
        "https://224.0.0.1/",
        "https://0x7f.1/",
        "https://0x7f000001/",
        "https://127.1/",
        "https://2130706433/",
        "https://0177.0.0.1/",
        "https://127.0.0.01/",
        "https://a.b.0x1f/",
        "https://[::1]/",
        "https://[::]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:93.184.215.14]/",
        "https://[::127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[64:ff9b::a9fe:a9fe]/",
        "https://[64:ff9b:1::1]/",
        "https://[2002:7f00:1::]/",
        "https://[2001:0:7f00:1::]/",
        "https://[2001:db8::1]/",
        "https://[fe80::1]/",
        "https://[fe80::1%25eth0]/",
        "https://[fd00:ec2::254]/",
        "https://[ff02::1]/",
        "https://localhost/",
        "https://intranet/",
        "https://hooks.acme.example./",
        "https://127.0.0.1./",
        "https://user@hooks.acme.example/",
        "https://user:secret@hooks.acme.example/",
        "https://hooks.acme.example@127.0.0.1/",
        "https://hooks.acme.example\\@127.0.0.1/",
        "https://127.0.0.1#@hooks.acme.example/",
        "https://hooks.acme.example/#fragment",
        "https://hooks.acme.example:22/",
        "https://hooks.acme.example:80/",
        "https://hooks.acme.example:99999/",
        "https://hooks.acme.example:/",
        "https://hooks..acme.example/",
        "https://.acme.example/",
        "https://127%2e0%2e0%2e1/",
        "https://①②⑦.0.0.1/",
        "https://hooks。acme.example/",
        "https://hooks.acme.example/ x",
        "https://hooks.acme.example/\r\nHost: x",
        "https://hooks.acme.example/\x00",
        "https:///hook",
        "https:hooks.acme.example",
        "//hooks.acme.example/",
        "http://hooks.acme.example/",
        "file:///etc/passwd",
        "gopher://hooks.acme.example/",
        "javascript:alert(1)",
        "",
        "https://hooks.acme.example/" + "x" * 2000,
    ],
)
async def test_what_is_no_plain_public_address_is_refused_before_anything_is_asked(url: str) -> None:
    resolver = FakeResolver([PUBLIC])
    with pytest.raises(ForbiddenError):
        checked(url, private=False)
    with pytest.raises(ApplicationError) as raised:
        await Guarded(timeout_s=2, resolver=resolver).ask("the endpoint", "POST", url, {})
    assert raised.value.type == "ProviderRefused"
    assert resolver.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.acme.example/greenroom?key=a%20b&c=[1]",
        "https://HOOKS.acme.example",
        "https://hooks.acme.example:8443/x",
        "https://hooks.acme.example?x=1",
        "https://3com.example/",
        "https://xn--mnchen-3ya.example/",
        "https://8.8.8.8/",
        "https://[2606:4700::1111]/",
    ],
)
def test_plain_public_addresses_pass_as_they_are(url: str) -> None:
    assert checked(url, private=False).host


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/hook", "http://localhost:8000/", "https://10.0.0.1/"])
def test_private_ones_pass_where_that_is_allowed(url: str) -> None:
    assert checked(url, private=True).host
    with pytest.raises(ForbiddenError):
        checked(url, private=False)


def test_nat64_is_judged_by_what_it_leads_to() -> None:
    assert public("64:ff9b::5db8:d70e")
    assert not public("64:ff9b::7f00:1")
    assert not public("no address")
    assert not public("fe80::1%eth0")


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        [PUBLIC, "127.0.0.1"],
        ["::1"],
        ["::ffff:10.0.0.1"],
        ["169.254.169.254"],
        ["fe80::1%1"],
        ["0.0.0.0"],
    ],
)
async def test_a_name_for_something_of_ours_is_refused(addresses: list[str]) -> None:
    met: list[str] = []

    async def note(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        met.append("somebody came")

    async with raw(note) as url:
        port = int(url.split(":")[2].split("/")[0])
        resolver = FakeResolver(addresses, port=port)
        with pytest.raises(ApplicationError, match="not on the public internet"):
            await Guarded(timeout_s=2, resolver=resolver).ask("x", "POST", "https://hooks.acme.example/", {})
    assert resolver.asked == ["hooks.acme.example"]
    assert met == []


async def test_a_name_that_changes_its_mind_is_resolved_once(receiver: Receiver) -> None:
    """Rebinding: public when it is looked at, ours when it is gone to. Where it goes is what was looked at."""
    port = int(receiver.url.split(":")[2].split("/")[0])
    went: list[tuple[str, int]] = []
    loop = asyncio.get_running_loop()
    connect = loop.sock_connect

    async def noted(sock: socket.socket, address: tuple[str, int]) -> None:
        went.append(address[:2])
        if address[0] != PUBLIC:
            await connect(sock, address)
        raise ConnectionRefusedError

    resolver = FakeResolver([PUBLIC], ["127.0.0.1"], port=port)
    loop.sock_connect = noted  # type: ignore[method-assign,assignment]
    try:
        with pytest.raises(ApplicationError, match="did not answer"):
            await Guarded(timeout_s=2, resolver=resolver).ask("x", "POST", "https://hooks.acme.example/", {})
    finally:
        loop.sock_connect = connect  # type: ignore[method-assign]
    assert went == [(PUBLIC, port)]
    assert resolver.asked == ["hooks.acme.example"]
    assert receiver.posts == []
    with pytest.raises(ApplicationError, match="not on the public internet"):
        await Guarded(timeout_s=2, resolver=resolver).ask("x", "POST", "https://hooks.acme.example/", {})


def certificate(name: str, folder: Path) -> Path:
    """Of an authority of its own; key and all in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@asynccontextmanager
async def over_tls(pem: Path, asked_for: list[str | None]) -> AsyncIterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    context.sni_callback = lambda _socket, name, _context: asked_for.append(name)

    async def answer(request: web.Request) -> web.Response:
        return web.Response(text=request.host)

    app = web.Application()
    app.router.add_post("/hook", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    try:
        yield site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    finally:
        await runner.cleanup()


async def test_tls_is_by_the_name_and_not_by_the_address(tmp_path: Path) -> None:
    names: list[str | None] = []
    pem = certificate("hooks.acme.example", tmp_path)
    async with over_tls(pem, names) as port:
        resolver = FakeResolver(["127.0.0.1"], port=port)
        trusting = ssl.create_default_context(cafile=pem)
        trusting.verify_flags &= ~ssl.VERIFY_X509_STRICT
        client = Guarded(timeout_s=5, private=True, resolver=resolver, tls=trusting)
        answer = await client.ask("x", "POST", "https://hooks.acme.example/hook", {}, b"{}")
        assert (answer.status, answer.body) == (200, b"hooks.acme.example")
        assert names == ["hooks.acme.example"]
        with pytest.raises(ApplicationError, match="did not answer"):
            await client.ask("x", "POST", "https://other.example/hook", {}, b"{}")
        unknown = Guarded(timeout_s=5, private=True, resolver=resolver)
        with pytest.raises(ApplicationError, match="did not answer"):
            await unknown.ask("x", "POST", "https://hooks.acme.example/hook", {}, b"{}")


async def test_proxies_of_the_environment_are_not_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, receiver.url)
    with pytest.raises(ApplicationError, match="did not answer"):
        await Guarded(timeout_s=2, private=True).ask("x", "POST", "http://127.0.0.1:1/hook", {}, b"{}")
    assert receiver.posts == []


async def test_a_body_is_read_so_far_and_no_farther() -> None:
    async def much(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + b"x" * (4 * LONGEST_BODY))
        await writer.drain()

    async with raw(much) as url:
        answer = await Guarded(timeout_s=3, private=True).ask("x", "GET", url, {})
    assert (answer.status, len(answer.body)) == (200, LONGEST_BODY)


def test_every_private_range_is_one() -> None:
    for net in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "240.0.0.0/4"):
        network = ipaddress.ip_network(net)
        assert not public(str(network[0]))
        assert not public(str(network[-1]))
