"""The endpoint opens what is a member's own, for the pages of Temporal's Web UI, and nothing for anybody else."""

import json
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from google.protobuf.json_format import MessageToDict, ParseDict
from structlog.testing import capture_logs
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.converter import WorkflowSerializationContext

from starter.web.app import LARGEST_BODY
from tests.codec.keys import NEW, OLD, sealing
from tests.web.browser import CHROMIUM, browsing
from tests.web.house import House, Visitor
from tests.web.samples import row
from workflows import ids

UI = "http://127.0.0.1:8233"
SECRET = "Prospect 2 at nightjar.example"
PLAIN = Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(SECRET).encode())
DECODE = "/codec/decode"


@pytest.fixture
async def open_house(house: House) -> AsyncIterator[House]:
    """The app with keys."""
    async with house.open(payload_codec="on", payload_keys=f"{NEW},{OLD}"):
        yield house


async def sealed(tenant: str, keys: str = OLD) -> Payload:
    codec = sealing(keys)
    context = WorkflowSerializationContext("default", ids.research(tenant, row("somebody")))
    (payload,) = await (codec.with_context(context) if tenant else codec).encode([PLAIN])
    return payload


@asynccontextmanager
async def asked(
    visitor: Visitor, body: bytes, method: str = "POST", **headers: str
) -> AsyncIterator[aiohttp.ClientResponse]:
    named = {"Origin": UI, "Content-Type": "application/json", "X-Namespace": "greenroom"}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    async with visitor.session.request(
        method, DECODE, data=body, headers={name: value for name, value in named.items() if value}
    ) as response:
        yield response


def body(*payloads: Payload) -> bytes:
    return json.dumps(MessageToDict(Payloads(payloads=payloads))).encode()


async def decoded(visitor: Visitor, *payloads: Payload, **headers: str) -> list[Payload]:
    async with asked(visitor, body(*payloads), **headers) as response:
        assert response.status == 200
        assert response.content_type == "application/json"
        return list(ParseDict(await response.json(), Payloads()).payloads)


def may_read(response: aiohttp.ClientResponse) -> bool:
    """The browser shows the answer to the Web UI's page."""
    told = response.headers
    return told.get("Access-Control-Allow-Origin") == UI and told.get("Access-Control-Allow-Credentials") == "true"


async def test_a_member_sees_what_is_theirs_and_nothing_else(open_house: House) -> None:
    mine, old_key, theirs, nobodys = (
        await sealed(open_house.tenant.id, NEW),
        await sealed(open_house.tenant.id),
        await sealed(open_house.other_tenant.id),
        await sealed(""),
    )
    given = [mine, theirs, PLAIN, nobodys, old_key]

    assert await decoded(await open_house.sign_in(), *given) == [PLAIN, theirs, PLAIN, nobodys, PLAIN]
    stranger = await open_house.sign_in(open_house.stranger.email)
    assert await decoded(stranger, *given) == [mine, PLAIN, PLAIN, nobodys, old_key]


async def test_a_payload_that_says_to_be_mine_is_not(open_house: House) -> None:
    forged = await sealed(open_house.other_tenant.id)
    forged.metadata["tenant"] = open_house.tenant.id.encode()

    assert await decoded(await open_house.sign_in(), forged) == [forged]


async def test_what_no_key_opens_stays_and_the_rest_is_shown(open_house: House) -> None:
    lost = await sealed(open_house.tenant.id, "lost:" + b64encode(b"l" * 32).decode())

    assert await decoded(await open_house.sign_in(), lost, await sealed(open_house.tenant.id)) == [lost, PLAIN]


async def test_nobody_who_is_not_signed_in_sees_anything_and_the_web_ui_may_read_why(open_house: House) -> None:
    async with asked(
        await open_house.visitor(), body(await sealed(open_house.tenant.id)), Accept="application/json"
    ) as response:
        assert response.status == 401
        assert set(await response.json()) == {"error"}
        assert may_read(response)


async def test_whoever_signed_out_sees_nothing_any_more(open_house: House) -> None:
    visitor = await open_house.sign_in()
    copy = dict(visitor.cookies)
    open_house.now = open_house.now.replace(minute=30)
    await visitor.send("/sign-out", "/preferences")
    for name, value in copy.items():
        visitor.put_cookie(name, value)
    async with asked(visitor, body(await sealed(open_house.tenant.id))) as response:
        assert response.status == 401


@pytest.mark.parametrize(
    "came_from",
    ["https://evil.example", "http://127.0.0.1:8234", "https://127.0.0.1:8233", "null", "http://[", UI + "0"],
)
async def test_the_pages_of_other_sites_get_nothing(open_house: House, came_from: str) -> None:
    visitor = await open_house.sign_in()
    for method in ("POST", "OPTIONS"):
        async with asked(visitor, body(await sealed(open_house.tenant.id)), method, Origin=came_from) as response:
            assert response.status == 403
            assert SECRET not in await response.text()
            assert not {name for name in response.headers if name.startswith("Access-Control")}


async def test_a_program_says_nothing_of_where_it_is(open_house: House) -> None:
    assert await decoded(await open_house.sign_in(), await sealed(open_house.tenant.id), Origin="") == [PLAIN]


async def test_the_browser_asks_first_and_needs_no_session_for_that(open_house: House) -> None:
    async with asked(await open_house.visitor(), b"", "OPTIONS", Content_Type="") as response:
        assert response.status == 204
        assert may_read(response)
        assert "Origin" in response.headers["Vary"]
        assert response.headers["Access-Control-Allow-Methods"] == "POST, OPTIONS"
        assert response.headers["Access-Control-Allow-Headers"] == "content-type,x-namespace"


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"payloads": 3}',
        b'{"payloads": [3]}',
        b'{"payloads": [{"data": 3}]}',
        b'{"payloads": {"data": ""}}',
        b'{"payloads": [[]]}',
        b'{"payloads": [{"metadata": []}]}',
        b"3",
        b'{"payloads": [{"metadata": {"encoding": 1}}]}',
        b"[" * 60_000,
        b'{"payloads":' * 5_000,
    ],
    ids=lambda text: repr(text[:30]),
)
async def test_garbage_is_one_sentence(open_house: House, garbage: bytes) -> None:
    async with asked(await open_house.sign_in(), garbage, Accept="application/json") as response:
        assert response.status == 400
        assert await response.json() == {"error": "That request could not be read."}
        assert may_read(response)


async def test_what_is_not_known_of_a_payload_does_not_hinder(open_house: House) -> None:
    more = json.loads(body(await sealed(open_house.tenant.id))) | {"new": 1}
    async with asked(await open_house.sign_in(), json.dumps(more).encode()) as response:
        assert (response.status, len((await response.json())["payloads"])) == (200, 1)


@pytest.mark.parametrize(("size", "status"), [(LARGEST_BODY, 200), (LARGEST_BODY + 1, 413)])
async def test_a_body_has_a_bound(open_house: House, size: int, status: int) -> None:
    async with asked(await open_house.sign_in(), b"{}" + b" " * (size - 2)) as response:
        assert response.status == status
        assert may_read(response)


async def test_only_json_is_taken(open_house: House) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        async with asked(await open_house.sign_in(), body(PLAIN), Content_Type=kind) as response:
            assert response.status == 415


async def test_nothing_is_sealed_for_anybody(open_house: House) -> None:
    visitor = await open_house.sign_in()
    async with visitor.session.post("/codec/encode", data=body(PLAIN), headers={"Origin": UI}) as response:
        assert response.status == 404


async def test_logs_count_and_tell_nothing(open_house: House) -> None:
    visitor = await open_house.sign_in()
    with capture_logs() as logs:
        await decoded(visitor, await sealed(open_house.tenant.id), await sealed(""))
    said = json.dumps(logs, default=str)

    (told,) = (line for line in logs if line["event"] == "payloads opened")
    assert (told["asked"], told["opened"]) == (2, 1)
    for private in (SECRET, "nightjar", open_house.tenant.id, open_house.user.email):
        assert private not in said


async def test_the_page_says_what_the_web_ui_is_told(open_house: House) -> None:
    nobody = await open_house.visitor()
    assert (await nobody.get("/codec")).to == "/sign-in?to=%2Fcodec"
    got = await (await open_house.sign_in()).get("/codec")

    assert got.status == 200
    for said in ("http://127.0.0.1:8080/codec", "Include cross-origin credentials", open_house.tenant.name, UI):
        assert got.says(said), said
    assert not got.says("is off")


async def test_without_the_codec_payloads_pass_and_the_page_says_so(house: House) -> None:
    visitor, theirs = await house.sign_in(), await sealed(house.tenant.id)
    assert await decoded(visitor, theirs, PLAIN) == [theirs, PLAIN]
    assert (await visitor.get("/codec")).says("GREENROOM_PAYLOAD_CODEC is off")


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed here")
async def test_a_page_of_the_web_ui_reads_it_in_a_real_browser(house: House, tmp_path: Path) -> None:
    """Another port of the same host: the session's cookie goes along when the page asks for that, and only then."""

    async def blank(_request: web.Request) -> web.Response:
        return web.Response(text="<!doctype html><title>UI</title>", content_type="text/html")

    app = web.Application()
    app.router.add_get("/", blank)
    runners: list[web.AppRunner] = []
    ports = []
    for _ in range(2):
        runners.append(web.AppRunner(app if not runners else web.Application()))
        await runners[-1].setup()
        site = web.TCPSite(runners[-1], "127.0.0.1", 0)
        await site.start()
        ports.append(site._server.sockets[0].getsockname()[1])  # type: ignore[union-attr]
    ui, foreign = (f"http://127.0.0.1:{port}" for port in ports)
    foreign_app = foreign
    try:
        async with house.open(payload_codec="on", payload_keys=OLD, temporal_ui_url=ui) as base:
            cookies = (await house.sign_in()).cookies
            sent = json.loads(body(await sealed(house.tenant.id)))
            async with browsing(tmp_path, base, cookies) as tab:
                found: dict[str, Any] = {}
                for where, credentials in ((ui, "include"), (ui, "omit"), (foreign_app, "include")):
                    await tab.visit(f"{where}/")
                    found[f"{where} {credentials}"] = await tab.says(
                        f"fetch({json.dumps(base + DECODE)}, {{method: 'POST', credentials: '{credentials}', "
                        f"headers: {{'Content-Type': 'application/json', 'X-Namespace': 'n'}}, "
                        f"body: JSON.stringify({json.dumps(sent)})}})"
                        ".then(async a => [a.status, await a.text()]).catch(e => [0, String(e)])"
                    )
    finally:
        for runner in runners:
            await runner.cleanup()

    assert found[f"{ui} include"][0] == 200
    assert ParseDict(json.loads(found[f"{ui} include"][1]), Payloads()).payloads == [PLAIN]
    assert found[f"{ui} omit"][0] == 401
    assert found[f"{foreign} include"][0] == 0, "the browser keeps the answer from it"
