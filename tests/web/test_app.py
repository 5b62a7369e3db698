"""The app answers those who hold a link, tells the others nothing, and keeps its own counsel in logs and metrics."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from activities.store.database import Database
from starter.links import Links
from starter.show.page import ICON, STYLE
from starter.web import app, guard
from starter.web.answers import HEADERS
from starter.web.health import temporal
from starter.words import NotReadyError
from tests.web.conftest import Shelf, Site, app_of, settings
from tests.web.reading import assert_inert
from tests.web.samples import CORPUS, OTHER_TENANT, TENANT, hostile, rich, row

EVERYWHERE = ("/healthz", "/readyz", "/metrics", "/", "/nowhere", "/planted", "/briefs/x", "/static/x", STYLE.path)


async def test_who_holds_the_link_sees_the_brief(site: Site) -> None:
    status, body, headers = await site.get(site.link(rich()))

    assert status == 200
    assert "Ada Lovelace" in body
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert headers["cache-control"] == "private, no-store"
    assert "set-cookie" not in headers


def refused(site: Site) -> dict[str, str]:
    """Every way of not holding the link."""
    link, brief = site.link(rich()), rich()
    path, _, token = link.partition("?t=")
    stranger = brief.model_copy(update={"id": row("stranger")})
    site.shelf.put(stranger, OTHER_TENANT)
    return {
        "no token": path,
        "empty token": f"{path}?t=",
        "forged": link[:-3],
        "truncated": f"{path}?t={token[:20]}",
        "garbage": f"{path}?t=%00%ff%F0%9F%94%91",
        "long": f"{path}?t={'A' * 7000}",
        "another brief's": f"/briefs/{stranger.id}?t={token}",
        "another tenant's": site.link(stranger),
        "unknown brief": site.link(brief.model_copy(update={"id": row("unknown")})),
        "rubbish id": f"/briefs/..%2f..%2fetc?t={token}",
        "not even an id": f"/briefs/'%20or%201=1?t={token}",
        "in capitals": f"/briefs/{brief.id.upper()}?t={token}",
        "nowhere": "/nowhere",
        "no file": "/static/none.css",
    }


async def test_every_refusal_is_the_same_answer(site: Site) -> None:
    answers = {name: await site.get(path) for name, path in refused(site).items()}
    one = answers["no token"]

    assert one[0] == 404
    for name, (status, body, headers) in answers.items():
        assert (status, body) == one[:2], name
        assert {**headers, "date": ""} == {**one[2], "date": ""}, name


async def test_only_a_token_of_ours_reaches_the_database(site: Site) -> None:
    for name in ("no token", "forged", "another brief's", "rubbish id", "in capitals"):
        await site.get(refused(site)[name])

    assert site.shelf.asked == []


async def test_an_expired_link_of_ours_says_so(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    then = datetime.now(UTC) - timedelta(days=15)
    monkeypatch.setattr("itsdangerous.timed.time.time", then.timestamp)
    link = site.link(rich())
    monkeypatch.undo()
    status, body, _ = await site.get(link)
    forged, _, _ = await site.get(link[:-3])

    assert (status, forged) == (410, 404)
    assert "This link has expired. Ask whoever sent it for a new one." in body
    assert site.shelf.asked == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS", "TRACE", "BREW"])
@pytest.mark.parametrize("path", EVERYWHERE)
async def test_every_answer_has_our_headers(site: Site, path: str, method: str) -> None:
    site.there["postgres"] = False
    _, _, headers = await site.get(path, method)

    kept = {"cache-control"} if path == STYLE.path else set()
    for name, value in HEADERS.items():
        assert headers[name.lower()] == value or name.lower() in kept, (path, name)


async def test_the_policy_lets_nothing_in_but_our_own_files(site: Site) -> None:
    _, _, headers = await site.get(site.link(rich()))
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))

    assert policy["default-src"] == "'none'"
    assert set(policy) >= {"base-uri", "form-action", "frame-ancestors"}
    assert "unsafe" not in headers["content-security-policy"]
    assert "script-src" not in policy
    assert headers["server"] == "greenroom"


@pytest.mark.parametrize(
    "sent",
    [
        b"rubbish\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /briefs/x?t=" + b"A" * 10_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"A" * 10_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
    ids=["no http", "version", "long line", "long header", "length", "smuggled"],
)
async def test_what_cannot_be_read_gets_our_headers_and_no_echo(site: Site, sent: bytes) -> None:
    with capture_logs() as logs:
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(sent)
        answer = (await asyncio.wait_for(reader.read(), 5)).decode()
        writer.close()

    assert answer.startswith("HTTP/1.0 400 ")
    assert answer.endswith("\r\n\r\nBad Request.\n")
    assert "Server: greenroom\r\n" in answer
    assert "Content-Security-Policy: " in answer
    assert [log["event"] for log in logs] == ["unreadable"]
    assert "AAAA" not in str(logs)


async def test_a_port_that_is_taken_is_one_sentence(site: Site) -> None:
    with pytest.raises(NotReadyError, match=f"Port {site.port} is taken by another program; choose another"):
        async with app.listening(app_of(Shelf()), site.port):
            pass


async def test_a_failure_shows_no_stack_and_logs_no_words(site: Site) -> None:
    with capture_logs() as logs:
        status, body, _ = await site.get("/planted")

    assert status == 500
    assert "Something went wrong on our side" in body
    assert "Traceback" not in body
    assert "private" not in body + str(logs)
    assert logs[0] | {"at": ""} == {
        "event": "failed",
        "route": "/planted",
        "error": "ValueError",
        "at": "",
        "log_level": "error",
    }
    assert str(logs[0]["at"]).startswith("conftest.py:")


async def test_while_postgres_is_away_the_page_says_when_to_come_back(site: Site) -> None:
    site.shelf.fails = ApplicationError("postgres failed (OSError)", type="DatabaseFailed")
    status, body, headers = await site.get(site.link(rich()))

    assert (status, headers["retry-after"]) == (503, "30")
    assert "Try again in a minute" in body
    assert "postgres" not in body


async def test_nobody_waits_for_ever(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_ids: str) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(guard, "LONGEST_S", 0.05)
    monkeypatch.setattr(site.shelf, "brief", never)
    async with asyncio.timeout(5):
        status, _, _ = await site.get(site.link(rich()))

    assert status == 503


@pytest.mark.parametrize(
    ("path", "method", "status"), [("/nowhere", "GET", 404), ("/healthz", "POST", 405), ("/planted", "GET", 500)]
)
async def test_who_asks_for_json_gets_one_sentence_of_it(site: Site, path: str, method: str, status: int) -> None:
    got, body, headers = await site.get(path, method, Accept="application/json")

    assert got == status
    assert headers["content-type"] == "application/json; charset=utf-8"
    assert set(json.loads(body)) == {"error"}
    assert json.loads(body)["error"].endswith((".", "one."))


async def test_what_may_not_be_done_says_what_may(site: Site) -> None:
    status, body, headers = await site.get("/healthz", "DELETE")

    assert (status, headers["allow"]) == (405, "GET,HEAD")
    assert "can be read, and nothing else" in body


async def test_a_style_sheet_is_kept_for_long(site: Site) -> None:
    for file in (STYLE, ICON):
        status, body, headers = await site.get(file.path)
        assert (status, body) == (200, file.text)
        assert headers["content-type"].startswith(file.kind)
        assert headers["cache-control"] == "public, max-age=31536000, immutable"


async def test_health_is_about_the_process_alone(site: Site) -> None:
    site.there.update(postgres=False, temporal=False)

    assert (await site.get("/healthz"))[0] == 200


@pytest.mark.parametrize("away", ["postgres", "temporal"])
async def test_not_ready_while_something_is_away(site: Site, away: str) -> None:
    assert (await site.get("/readyz"))[0] == 200
    site.there[away] = False
    status, body, _ = await site.get("/readyz")

    other = {"postgres", "temporal"} - {away}
    assert status == 503
    assert json.loads(body) == {"status": "not ready", "checks": {away: "away", other.pop(): "ok"}}


async def test_a_postgres_and_a_temporal_that_are_not_there_are_away(unused_tcp_port: int) -> None:
    nowhere = f"127.0.0.1:{unused_tcp_port}"
    async with Database.opened(f"postgresql://x@{nowhere}/x", f"postgresql://x@{nowhere}/x") as database:
        assert not await database.answers()
    assert not await temporal(await Client.connect(nowhere, lazy=True))()


async def test_logs_name_the_route_and_never_the_token(site: Site) -> None:
    link = site.link(rich())
    with capture_logs() as logs:
        await site.get(link)
        await site.get(link[:-3])
        await site.get(f"/nowhere{link}")

    assert [(log["event"], log["route"], log["status"]) for log in logs] == [
        ("answered", "/briefs/{id}", 200),
        ("answered", "/briefs/{id}", 404),
        ("answered", "none", 404),
    ]
    assert link.partition("?t=")[2][:20] not in str(logs)
    assert rich().id not in str(logs)


async def test_metrics_count_without_naming_anybody(site: Site) -> None:
    for path in (site.link(rich()), *refused(site).values()):
        await site.get(path)
    _, body, headers = await site.get("/metrics")
    lines = [line for line in body.splitlines() if not line.startswith("#")]

    assert headers["content-type"].startswith("text/plain; version=")
    assert "greenroom_web_briefs_shown_total 1.0" in lines
    assert 'greenroom_web_links_refused_total{reason="unknown"} 2.0' in lines
    assert 'greenroom_web_links_refused_total{reason="missing"} 2.0' in lines
    assert 'greenroom_web_requests_total{route="/briefs/{id}",status="200"} 1.0' in lines
    assert 'greenroom_web_requests_total{route="none",status="404"} 1.0' in lines
    assert not [text for text in (rich().id, row("stranger"), TENANT, "Ada", "nowhere") if text in body]


@pytest.mark.parametrize("name", CORPUS)
async def test_a_hostile_brief_is_served_inert(site: Site, name: str) -> None:
    status, body, _ = await site.get(site.link(site.shelf.put(hostile(CORPUS[name]))))

    assert status == 200
    assert_inert(body)


def test_over_https_browsers_are_told_to_stay_there() -> None:
    secure = guard.Guard(guard.Metrics(), "https://greenroom.example")

    assert "Strict-Transport-Security" in secure._headers
    assert (
        Links(settings(web_url="https://greenroom.example/"))
        .brief(TENANT, row("brief"))
        .startswith("https://greenroom.example/briefs/")
    )
