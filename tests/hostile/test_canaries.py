"""Canary secrets and canary people go through everything: secrets are nowhere, people in tenants' rows alone."""

import asyncio
import json
import traceback
from collections.abc import AsyncIterator
from uuid import uuid4

import aiohttp
import asyncpg
import pytest

from activities.errors import ApplicationError
from activities.store.database import Database
from schemas.calendars import Reason
from starter.dev.postgres import Cluster
from tests.diary import soon
from tests.hostile.corpus import EVERYTHING, hidden
from tests.hostile.ground import ECHOED, EMAIL, NAME, PEOPLE, SECRETS, TITLE, Ground, connected, ground, settings
from tests.hostile.scan import Places, spelt

PATIENCE_S = 60.0
# Rows of these are tenants': everything in them is behind the fence.
FENCED = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND rowsecurity"


@pytest.fixture(scope="module")
async def lived(cluster: Cluster) -> AsyncIterator[Ground]:
    """Everything has happened that can: a brief, failures that quote us, forged calls, commands with and without luck."""
    async with ground(cluster) as there:
        diary = await connected(there)
        diary.calendar.add(
            TITLE, soon(hours=20), attendees=[{"email": EMAIL, "name": NAME}], description=EVERYTHING[:500]
        )
        diary.calendar.add("Call", soon(minutes=40), attendees=[{"email": ECHOED, "name": "Wolfgang Unterschnitzel"}])
        diary.calendar.add(
            EVERYTHING[:250], soon(hours=30), attendees=[{"email": "kim@owned.example", "name": EVERYTHING[:250]}]
        )
        await diary.ring()
        await _strangers(there)
        await _ended(there, 3)
        await _commands(there)
        yield there


async def _ended(there: Ground, number: int) -> None:
    """All researches have ended, and somebody is mailed, which a server that knows no passwords refuses."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            async with there.stage.database.tenant(there.stage.tenant.id) as connection:
                ended = await connection.fetchval("SELECT count(*) FROM research WHERE status IN ('ready', 'failed')")
                mailed = await connection.fetchval("SELECT count(*) FROM notices")
            if ended >= number and mailed:
                return
            await asyncio.sleep(0.2)


async def _strangers(there: Ground) -> None:
    """Calls of people who are not let in, with what they should have kept to themselves."""
    headers = {"X-Goog-Channel-ID": str(uuid4()), "X-Goog-Channel-Token": SECRETS["GREENROOM_LINK_KEY"]}
    headers |= {"X-Goog-Resource-ID": "quibblewick", "X-Goog-Resource-State": "exists", "X-Goog-Message-Number": "1"}
    cookies = {"greenroom": SECRETS["GREENROOM_SESSION_KEY"], "session": SECRETS["GREENROOM_SESSION_KEY"]}
    async with aiohttp.ClientSession(there.web_url, cookies=cookies) as session:
        for path in (
            f"/briefs/{uuid4()}?t={SECRETS['GREENROOM_LINK_KEY']}",
            f"/sign-in/google?code={SECRETS['GOOGLE_CLIENT_SECRET']}&state=quibblewick",
            f"/quibblewick/{SECRETS['GREENROOM_HASH_KEY']}",
            "/preferences",
            "/readyz",
        ):
            async with session.get(path, allow_redirects=False) as response:
                there.places.text("answers", f"{await response.text()}")
        async with session.post("/webhooks/google-calendar", headers=headers) as response:
            assert response.status < 500


async def _commands(there: Ground) -> None:
    """What an operator runs, with everything in order and with the wrong addresses."""
    gone = {
        name: value.replace("host=", "host=/nowhere")
        for name, value in there.environment.items()
        if "_URL" in name and "postgres" in value
    }
    password = SECRETS["database password"]
    await asyncio.gather(
        there.command("doctor"),
        there.command("doctor", "--json", **gone),
        there.command(
            "doctor", DATABASE_URL=f"postgres://app:{password}@127.0.0.1:1/x", TEMPORAL_ADDRESS="127.0.0.1:1"
        ),
        there.command("config", "show", "--json", **gone),
        there.command("worker", TEMPORAL_ADDRESS="127.0.0.1:1", TEMPORAL_API_KEY=SECRETS["Temporal's key"]),
        there.command("worker", GREENROOM_TOKEN_KEYS=SECRETS["token key"]),
        there.command("web", "--port=0", DATABASE_URL=password),
    )


async def test_the_canaries_were_there(lived: Ground) -> None:
    """Or nothing would be proved: the providers were asked, and there is a brief and a failure."""
    async with lived.stage.database.tenant(lived.stage.tenant.id) as connection:
        assert await connection.fetchval("SELECT count(*) FROM research WHERE status = 'ready'")
        assert await connection.fetchval("SELECT count(*) FROM research WHERE failure_reason LIKE '%said 401%'")
    calls = lived.stage.sandbox.journal.records()
    assert "quibblewick" in json.dumps(calls).lower()
    said = lived.places.found["commands"].decode()
    assert "not set" in said or "nobody is let in" in said
    assert lived.folder.joinpath("temporal.db").stat().st_size > 100_000


async def test_secrets_are_nowhere(lived: Ground) -> None:
    places = await lived.look()
    assert {"table connections", "histories", "descriptions", "metrics of the web", "metrics of the worker"} <= set(
        places.found
    )
    assert {"file web.log", "file worker.log", "file temporal.db"} <= set(places.found)
    assert places.hits(lived.secrets.values()) == {}


async def test_people_are_in_rows_of_their_tenant_alone(lived: Ground) -> None:
    hits = (await lived.look()).hits(PEOPLE)
    connection = await asyncpg.connect(lived.superuser)
    fenced = {f"table {row['tablename']}" for row in await connection.fetch(FENCED)}
    await connection.close()
    assert {"table subjects", "table attendees", "table meetings"} <= set(hits), "or there would be nothing to find"
    # A listing that its user asked for is the user's; what was asked of us by a stranger was the stranger's.
    assert set(hits) - fenced == set()


def test_each_line_of_a_log_is_one_document_with_nothing_of_anybody_s(lived: Ground) -> None:
    lines = lived.logs()
    assert len(lines) >= 10
    for line in lines:
        document = json.loads(line)
        assert {"event", "level", "logger"} <= set(document), line
        assert not hidden(line), line
        assert not {value for value in document.values() if isinstance(value, str) and hidden(value) - {"\n"}}
    said = "\n".join(lines)
    for word in ("owned.example", "evil.example", "<script", "javascript:", "DROP TABLE", "sesame", "Bcc:"):
        assert word not in said


def test_settings_print_no_secret(lived: Ground) -> None:
    known = settings(lived.environment)
    assert SECRETS["database password"] in known.database_url
    for shown in map(repr, (known, str(known), known.provider("perplexity"), known.google())):
        assert not [secret for secret in SECRETS.values() if secret in shown]


async def test_a_failure_s_text_and_traceback_tell_no_secret(lived: Ground) -> None:
    wrong = f"postgres://app:{SECRETS['database password']}@127.0.0.1:1/x"
    async with Database.opened(wrong, wrong) as database:
        with pytest.raises((ApplicationError, OSError)) as raised:
            await asyncio.wait_for(database.tenant(lived.stage.tenant.id).__aenter__(), 20)
    told = "".join(traceback.format_exception(raised.value)) + repr(raised.value)
    assert not [secret for secret in SECRETS.values() if secret in told]


async def test_after_an_erasure_the_person_is_nowhere_at_all(lived: Ground) -> None:
    """Not even in what Temporal keeps on its disk; and a calendar that still names them changes nothing."""
    assert "table subjects" in (await lived.look()).hits(["quibblewick"])
    said = await lived.command("erase", EMAIL, "--yes", "--tenant", lived.stage.tenant.slug)
    lived.places = Places()
    assert lived.diary is not None
    await lived.diary.read(Reason.ASKED)
    assert (await lived.look()).hits(["quibblewick", "zephyrine"]) == {}, said


def test_the_search_finds_a_word_however_it_is_spelt() -> None:
    """Otherwise the tests above would prove nothing."""
    import base64  # noqa: PLC0415

    word = "canary-2718281828"
    for text in (
        f"x {word.upper()} y",
        f"x={word.encode().hex()}",
        base64.b64encode(f"{{'key': '{word}'}}".encode()).decode(),
        base64.b64encode(f"{{'key' : '{word}'}}".encode()).decode(),
        base64.b64encode(f"{{'key'  : '{word}'}}".encode()).decode(),
    ):
        places = Places()
        places.text("there", text)
        assert places.hits([word]) == {"there": {word}}, text
    assert len(spelt("a b/c d")) >= 4
