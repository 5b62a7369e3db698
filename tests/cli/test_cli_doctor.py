"""greenroom doctor: each check sees what it is there to see."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from activities.store.health import Role
from sandbox import Sandbox
from schemas.settings import Settings
from starter import checks, contact, schedules
from starter.dev.postgres import Cluster
from tests.cli.conftest import Beside, Greenroom
from tests.stage import TOKEN_KEYS, Stage
from workflows.story import SEARCH_ATTRIBUTES

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
WELL = checks.Check("clock", ok=True, said="")
DECLARED = {key.name: int(key.indexed_value_type) for key in SEARCH_ATTRIBUTES}


@pytest.mark.parametrize(
    ("keys", "said"),
    [("", "is not set"), ("k:short", "must be id:key"), (TOKEN_KEYS, "seals with test")],
)
def test_tokens_have_keys(folder: Path, keys: str, said: str) -> None:
    found = checks.token_keys(settings(token_keys=keys))

    assert (found.ok, said in found.said) == (keys == TOKEN_KEYS, True)
    assert "short" not in found.said


def role(**changes: Any) -> Role:
    return Role(**{"name": "r", "bypasses": False, "owns": 0, "unfenced": (), "now": NOW} | changes)


def settings(**values: Any) -> Settings:
    return Settings(**values, _env_file=None)


@pytest.mark.parametrize(("length", "ok"), [(0, False), (31, False), (32, True)])
def test_our_own_keys_are_long_enough(folder: Path, length: int, ok: bool) -> None:
    found = checks.keys(settings(link_key="k" * length, hash_key="k" * 32))

    assert [check.ok for check in found[:2]] == [ok, True]


@pytest.mark.parametrize(
    ("values", "stack", "ok", "said"),
    [
        ({}, False, False, "no key is set"),
        ({"sandbox": True}, False, True, "SANDBOX DATA"),
        ({}, True, True, "SANDBOX DATA"),
        ({"perplexity_api_key": "k", "sandbox": True}, True, True, "own key"),
    ],
)
def test_a_provider_has_a_key_or_is_pretended(
    folder: Path, values: dict[str, Any], stack: bool, ok: bool, said: str
) -> None:
    found = checks.providers(settings(**values), stack=stack)[0]

    assert (found.name, found.ok, said in found.said) == ("perplexity", ok, True)
    assert ok == ("pace 10/60s+1s" in found.said)


@pytest.mark.parametrize(
    ("values", "ok", "warning", "said"),
    [
        ({}, True, True, "no mail is sent: briefs are on the pages alone"),
        ({"smtp_url": "http://mail.example:25"}, False, False, "GREENROOM_SMTP_URL must look like"),
        ({"smtp_url": "smtp://robin:secret-word@mail.example:no"}, False, False, "GREENROOM_SMTP_URL must look like"),
        ({"smtp_url": "smtp://robin:secret-word@127.0.0.1:1"}, False, False, "127.0.0.1:1: "),
        ({"smtp_url": "smtp://127.0.0.1:1", "mail_from": "nobody"}, False, False, "GREENROOM_MAIL_FROM must look like"),
        ({"sandbox": True, "sandbox_smtp_url": "smtp://127.0.0.1:1"}, False, False, "127.0.0.1:1: "),
    ],
)
async def test_mail_is_looked_at(folder: Path, values: dict[str, Any], ok: bool, warning: bool, said: str) -> None:
    found = await contact.mail(settings(**values))

    assert (found.name, found.ok, found.warning, said in found.said) == ("mail", ok, warning, True), found
    assert "secret-word" not in found.said + found.remedy
    assert found.remedy


async def test_a_mail_server_that_answers_is_said(folder: Path, sandbox: Sandbox) -> None:
    found = await contact.mail(settings(smtp_url=f"smtp://127.0.0.1:{sandbox.smtp_port}"))

    assert (found.ok, found.said) == (True, f"127.0.0.1:{sandbox.smtp_port} lets us in")
    assert sandbox.mailbox.all() == []


async def test_a_mail_server_that_says_nothing_or_rubbish_is_found_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def speak(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\xff\x00HTTP/1.1 200 OK\r\n\r\n")
        writer.close()

    monkeypatch.setattr(contact, "PATIENCE_S", 1.0)
    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert not (await contact.mail(settings(smtp_url=f"smtp://127.0.0.1:{port}"))).ok


@pytest.mark.parametrize(
    ("values", "ok"),
    [
        ({"google_client_secret": "s"}, False),
        ({"google_client_secret": "s", "web_url": "https://greenroom.example"}, True),
        ({"google_client_secret": "s", "webhook_url": "https://hooks.example/x"}, True),
        ({"google_client_secret": "s", "webhook_url": "https:///x"}, False),
        ({"google_client_secret": "s", "webhook_url": "https://[::"}, False),
        ({"google_client_secret": "s", "sandbox": True, "webhook_url": "http://hooks.example"}, False),
        ({"sandbox": True}, True),
    ],
)
def test_real_calendars_notify_https_addresses_alone(folder: Path, values: dict[str, Any], ok: bool) -> None:
    found = contact.notifications(settings(**values))

    assert (found.name, found.ok) == ("notifications", ok)
    assert ok or "GREENROOM_WEBHOOK_URL" in found.remedy


@pytest.mark.parametrize(
    ("name", "changes", "problem"),
    [
        ("DATABASE_URL", {}, ""),
        ("DATABASE_URL", {"bypasses": True}, "passes row security"),
        ("DATABASE_URL", {"owns": 3}, "owns 3 tables"),
        ("DATABASE_CROSSING_URL", {"owns": 1}, "owns 1 tables"),
        ("DATABASE_OWNER_URL", {"owns": 18}, ""),
        ("DATABASE_OWNER_URL", {"owns": 18, "unfenced": ("claims",)}, "off for claims"),
    ],
)
def test_a_role_is_only_as_strong_as_it_must_be(name: str, changes: dict[str, Any], problem: str) -> None:
    found = checks.logged_in(name, role(**changes), WELL)

    assert [problem in check.said for check in found if not check.ok] == ([True] if problem else [])


@pytest.mark.parametrize(
    ("theirs", "ok"), [(-3.0, False), (-1.9, True), (0.0, True), (0.5, True), (2.4, True), (3.1, False)]
)
def test_clocks_may_be_two_seconds_apart(theirs: float, ok: bool) -> None:
    """Read between a look at ours and another, half a second later."""
    found = checks.clock("clock", NOW + timedelta(seconds=theirs), NOW, NOW + timedelta(seconds=0.5))

    assert found.ok is ok


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (DECLARED, "all as declared"),
        ({**DECLARED, "CostMicroUsd": 1}, "CostMicroUsd"),
        ({name: kind for name, kind in DECLARED.items() if name != "Phase"}, "Phase"),
    ],
)
def test_search_attributes_are_compared_by_name_and_type(known: dict[str, int], said: str) -> None:
    found = checks.attributes(known)

    assert (found.ok, said in found.said) == (known == DECLARED, True)
    assert found.ok or found.remedy.startswith("temporal operator search-attribute create --name")


async def test_the_stack_of_these_tests_is_well_but_for_its_workers_and_pages(wired: Stage, beside: Beside) -> None:
    await schedules.ensure(wired.temporal, wired.settings())
    async with wired.working():
        ended = await beside("doctor", "--json")
    for name in schedules.NAMES:
        await wired.temporal.get_schedule_handle(name).delete()

    report = ended.document
    assert (ended.code, report["ok"]) == (4, False)
    assert [one["name"] for one in report["checks"] if not one["ok"]] == ["web app"]


async def test_a_superuser_and_a_database_without_tables_are_found_out(
    wired: Stage, cluster: Cluster, beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = await cluster.create("greenroom_empty")
    connection = await asyncpg.connect(cluster.url("postgres", "greenroom_empty"))
    await connection.execute("CREATE ROLE mighty LOGIN SUPERUSER NOBYPASSRLS")
    await connection.close()
    monkeypatch.setenv("DATABASE_URL", cluster.url("mighty", "greenroom_empty"))
    monkeypatch.setenv("DATABASE_CROSSING_URL", "postgres://nobody@127.0.0.1:1/x")
    monkeypatch.setenv("DATABASE_OWNER_URL", empty.owner)

    ended = await beside("doctor")

    assert ended.code == 4
    assert "DATABASE_URL: logs in as mighty, which passes row security" in ended.out
    assert "DATABASE_CROSSING_URL: nobody is let in" in ended.out
    assert "migrations: not applied: 2026" in ended.out


def test_settings_that_cannot_be_read_are_the_first_problem(
    greenroom: Greenroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GREENROOM_LINK_DAYS", "soon")

    ended = greenroom("doctor")

    assert ended.code == 4
    assert ended.out.startswith("problem  settings: ")
    assert ended.out.count("\n") == 1
