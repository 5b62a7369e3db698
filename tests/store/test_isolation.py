"""The doorway: one tenant's rows are seen by that tenant alone, and by nobody who names none."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
import pytest
from temporalio.client import Client

from activities.store.database import Database
from activities.store.library import Library
from activities.store.tenants import TenantStore
from sandbox import running
from schemas.meetings import Attendee, MeetingFacts
from starter.dev.postgres import Cluster, Urls
from tests.diary import Diary
from tests.stage import Stage
from tests.store.probe import TABLES, Probe, count, tables

# What a brief and a connected calendar do not leave behind by themselves.
ROWS = (
    "INSERT INTO leases SELECT current_tenant(), id, 'somebody', '2099-01-01' FROM subjects LIMIT 1",
    """
    INSERT INTO subscriptions (tenant_id, id, calendar_id, status, token_hash, created_at, expires_at)
    SELECT current_tenant(), gen_random_uuid(), id, 'active', 'hash', '2026-01-01', '2099-01-01' FROM calendars
    """,
    """
    INSERT INTO notices (tenant_id, key, kind, user_id, message_id, created_at)
    SELECT current_tenant(), 'key', 'brief', id, 'message', '2026-01-01' FROM users
    """,
    "INSERT INTO budgets (tenant_id) SELECT current_tenant() ON CONFLICT DO NOTHING",
    "INSERT INTO months (tenant_id, month, micro_usd) SELECT current_tenant(), '2026-01-01', 1 ON CONFLICT DO NOTHING",
    """
    INSERT INTO spending (tenant_id, month, work_id, version, purpose, provider, model, state, micro_usd,
      reserved_at)
    SELECT current_tenant(), '2026-01-01', id, 0, 'purpose', 'provider', 'model', 'reserved', 1, '2026-01-01' FROM research LIMIT 1
    """,
    """
    INSERT INTO marks (tenant_id, user_id, research_id, claim_id, verdict, text, created_at)
    SELECT current_tenant(), user_id, id, id, 'wrong', 'text', '2026-01-01' FROM research LIMIT 1
    """,
    "INSERT INTO suppressions SELECT current_tenant(), 'key', '2026-01-01'",
    """
    INSERT INTO erasures (tenant_id, email, requested_at)
    SELECT current_tenant(), 'somebody@nowhere.example', '2026-01-01'
    """,
    """
    INSERT INTO event_keys (tenant_id, name, key_hash, key_id, sealed, created_at)
    SELECT current_tenant(), 'name', convert_to(current_tenant()::text, 'UTF8'), 'key', '', '2026-01-01'
    """,
    """
    INSERT INTO received (tenant_id, key, name, state, received_at)
    SELECT current_tenant(), 'key', 'name', 'done', '2026-01-01'
    """,
    """
    INSERT INTO records (tenant_id, collection, key, data, created_at)
    SELECT current_tenant(), 'collection', 'key', '{}', '2026-01-01'
    """,
    """
    INSERT INTO endpoints (tenant_id, url, key_id, sealed, created_at)
    SELECT current_tenant(), 'https://nowhere.example', 'key', '', '2026-01-01'
    """,
    """
    INSERT INTO letters (tenant_id, user_id, subject, body, created_at)
    SELECT current_tenant(), id, 'subject', 'body', '2026-01-01' FROM users
    """,
    """
    INSERT INTO recorders (tenant_id, provider, base_url, key_id, sealed, sandbox, created_at)
    SELECT current_tenant(), 'gong', 'https://nowhere.example', 'key', '', true, '2026-01-01'
    """,
    "INSERT INTO opportunities (tenant_id, key, name, created_at) SELECT current_tenant(), 'key', 'name', '2026-01-01'",
    """
    INSERT INTO calls (tenant_id, source, source_key, opportunity_id, created_at)
    SELECT current_tenant(), 'upload', 'key', id, '2026-01-01' FROM opportunities
    """,
    "INSERT INTO speakers (tenant_id, call_id, key, position) SELECT current_tenant(), id, 'key', 1 FROM calls",
    """
    INSERT INTO transcripts (tenant_id, call_id, hash, format, timed, turns, characters, created_at)
    SELECT current_tenant(), id, 'hash', 'plain', true, '[]', 0, '2026-01-01' FROM calls
    """,
    """
    INSERT INTO readings (tenant_id, call_id, asked, answer, stopped, provider, model, prompt, input_tokens, output_tokens,
      cost_micro_usd, workflow_id, run_id, sandbox, created_at)
    SELECT current_tenant(), id, 'asked', 'answer', 'end_turn', 'p', 'm', '', 0, 0, 0, '', '', true, '2026-01-01' FROM calls
    """,
    """
    INSERT INTO findings (tenant_id, call_id, position, kind, text, speaker, quote, at_ms)
    SELECT current_tenant(), id, 1, 'pain', 'text', 'key', 'quote', 0 FROM calls
    """,
    """
    INSERT INTO opportunity_history (tenant_id, opportunity_id, call_id, transcript_hash, happened_at, created_at)
    SELECT current_tenant(), opportunity_id, id, 'hash', '2026-01-01', '2026-01-01' FROM calls
    """,
    "INSERT INTO interests (tenant_id, user_id, key, topic, position) SELECT current_tenant(), id, 'key', 'topic', 1 FROM users",
    """
    INSERT INTO news (tenant_id, key, day, asked_for, asked_until, sandbox)
    SELECT current_tenant(), 'key', '2026-01-01', current_tenant(), '2026-01-01', true
    """,
    "INSERT INTO digests (tenant_id, user_id, day, created_at) SELECT current_tenant(), id, '2026-01-01', '2026-01-01' FROM users",
    """
    INSERT INTO digest_items (tenant_id, digest_id, position, kind, key, topic, title, text, url, source)
    SELECT current_tenant(), id, 1, 'news', 'key', 'topic', 'title', 'text', '', 'source' FROM digests
    """,
    """
    INSERT INTO digest_lines (tenant_id, digest_id, position, turn, voice, text, quote)
    SELECT current_tenant(), id, 1, 1, 1, 'text', 'quote' FROM digests
    """,
    """
    INSERT INTO digest_answers (tenant_id, digest_id, asked, version, answer, stopped, provider, model, prompt, input_tokens,
      output_tokens, cost_micro_usd, workflow_id, run_id, sandbox, created_at)
    SELECT current_tenant(), id, 'asked', 1, 'answer', 'end_turn', 'p', 'm', '', 0, 0, 0, '', '', true, '2026-01-01' FROM digests
    """,
    """
    INSERT INTO digest_pieces (tenant_id, digest_id, hash, object_key, duration_ms, provider, model, characters,
      cost_micro_usd, workflow_id, run_id, sandbox, created_at)
    SELECT current_tenant(), id, 'hash', 'object', 0, 'p', 'm', 0, 0, '', '', true, '2026-01-01' FROM digests
    """,
    """
    INSERT INTO user_channels (tenant_id, user_id, kind, label, key_id, sealed, address_hash, created_at)
    SELECT current_tenant(), id, 'telegram', 'label', 'key', '', 'hash', '2026-01-01' FROM users
    """,
    """
    INSERT INTO skill_runs (tenant_id, user_id, skill, message, turn_at, created_at)
    SELECT current_tenant(), id, 'skill', 'message', '2026-01-01', '2026-01-01' FROM users
    """,
    """
    INSERT INTO skill_replies (tenant_id, skill_run_id, asked, reply, provider, model, input_tokens, output_tokens,
      cost_micro_usd, workflow_id, run_id, sandbox, created_at)
    SELECT current_tenant(), id, 'asked', '{}', 'p', 'm', 0, 0, 0, '', '', true, '2026-01-01' FROM skill_runs
    """,
    """
    INSERT INTO outputs (tenant_id, skill_run_id, title, format, preview, size_bytes, object_key, created_at)
    SELECT current_tenant(), id, 'title', 'markdown', 'preview', 0, 'key', '2026-01-01' FROM skill_runs
    """,
    """
    INSERT INTO feedback (tenant_id, skill_run_id, user_id, overall, created_at)
    SELECT current_tenant(), id, user_id, 3, '2026-01-01' FROM skill_runs
    """,
    """
    INSERT INTO documents (tenant_id, user_id, role, name, kind, size_bytes, sha256, object_key, created_at)
    SELECT current_tenant(), id, 'review', 'name', 'text', 0, 'hash', 'key', '2026-01-01' FROM users
    """,
    "INSERT INTO clauses (tenant_id, document_id, ordinal, start_at, end_at) SELECT current_tenant(), id, 0, 0, 1 FROM documents",
    """
    INSERT INTO document_runs (tenant_id, document_id, work, created_at, asked_at)
    SELECT current_tenant(), id, 'analysis', '2026-01-01', '2026-01-01' FROM documents
    """,
    """
    INSERT INTO document_findings (tenant_id, document_run_id, part, position, topic, risk, said)
    SELECT current_tenant(), id, 1, 1, 'term', 'low', 'said' FROM document_runs
    """,
    """
    INSERT INTO document_differences (tenant_id, document_run_id, part, position, topic, change, matters, said)
    SELECT current_tenant(), id, 1, 1, 'term', 'same', 'low', 'said' FROM document_runs
    """,
    """
    INSERT INTO document_proposals (tenant_id, document_run_id, part, position, passage, replacement, reason)
    SELECT current_tenant(), id, 1, 1, '{}', 'words', 'reason' FROM document_runs
    """,
    """
    INSERT INTO document_replies (tenant_id, document_run_id, asked, version, part, reply, provider, model, input_tokens,
      output_tokens, cost_micro_usd, workflow_id, run_id, sandbox, created_at)
    SELECT current_tenant(), id, 'asked', 1, 1, '{}', 'p', 'm', 0, 0, 0, '', '', true, '2026-01-01' FROM document_runs
    """,
    "INSERT INTO bootstraps (tenant_id, created_at) SELECT current_tenant(), '2026-01-01'",
    """
    INSERT INTO bootstrap_sources (tenant_id, bootstrap_id, source)
    SELECT current_tenant(), id, 'source' FROM bootstraps
    """,
    "INSERT INTO unneeded_objects (tenant_id, key, since) SELECT current_tenant(), 'key', '2026-01-01'",
)


@pytest.fixture(scope="module")
async def theirs(database: Database, temporal: Client, urls: Urls) -> AsyncIterator[Stage]:
    """A tenant with a row in every table."""
    async with running() as sandbox:
        stage = Stage(database, temporal, sandbox, urls, tenant_id=str(uuid4()))
        await stage.set_up(datetime.now(UTC))
        await Diary.connected(stage)
        async with stage.working():
            await stage.meeting(_meeting())
            await stage.research("ada@lovelace.example")
        async with database.tenant(stage.tenant.id) as connection:
            for row in ROWS:
                await connection.execute(row)
        yield stage


def _meeting() -> MeetingFacts:
    return MeetingFacts(
        source="test",
        source_key="1",
        title="t",
        starts_at=datetime.now(UTC),
        attendees=(Attendee(email="a@b.example"),),
    )


@pytest.fixture
async def ours(database: Database) -> str:
    """Another tenant, with nothing."""
    return str(uuid4())


async def test_every_table_holds_a_row_to_be_hidden(theirs: Stage, database: Database) -> None:
    async with database.tenant(theirs.tenant.id) as connection:
        assert [table for table in await tables(connection) if not await count(connection, table)] == []


async def test_another_tenant_sees_no_row_of_any_table(theirs: Stage, ours: str, database: Database) -> None:
    async with database.tenant(ours) as connection:
        assert {table: n for table in await tables(connection) if (n := await count(connection, table))} == {}


async def test_whoever_names_no_tenant_sees_no_row(theirs: Stage, database: Database) -> None:
    """Nor on a connection on which a tenant was named before."""
    async with database.tenant(theirs.tenant.id):
        pass
    async with database.untenanted() as connection:
        assert {table: n for table in await tables(connection) if (n := await count(connection, table))} == {}


async def test_another_tenant_changes_and_deletes_no_row(theirs: Stage, ours: str, database: Database) -> None:
    async with database.tenant(ours) as connection:
        for table in await tables(connection):
            own = "id" if table == "tenants" else "tenant_id"
            assert await connection.execute(f"UPDATE {table} SET {own} = {own}") == "UPDATE 0"
            if table != "tenants":
                assert await connection.execute(f"DELETE FROM {table}") == "DELETE 0"


@pytest.mark.parametrize("table", ["subjects", "campaigns", "events", "connections", "notices"])
async def test_nobody_writes_a_row_for_another_tenant(theirs: Stage, ours: str, database: Database, table: str) -> None:
    values = {
        "subjects": "(tenant_id, kind, domain) VALUES ($1, 'company', 'x.example')",
        "campaigns": "(tenant_id, user_id, name, offering, target_customer, pain_points, created_at)"
        " VALUES ($1, $1, 'n', 'o', 't', 'p', '2026-01-01')",
        "connections": "(tenant_id, user_id, provider, account, scopes, key_id, sealed, expires_at, sandbox, connected_at)"
        " VALUES ($1, $1, 'google', 'a', '{}', 'k', '', '2026-01-01', true, '2026-01-01')",
        "notices": "(tenant_id, key, kind, user_id, message_id, created_at) VALUES ($1, 'k', 'k', $1, 'm', '2026-01-01')",
        "events": "(tenant_id, name, key, payload, created_at) VALUES ($1, 'n', 'k', '{}', '2026-01-01')",
    }
    async with database.tenant(ours) as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(f"INSERT INTO {table} {values[table]}", theirs.tenant.id)


async def test_a_brief_of_another_tenant_is_not_found(theirs: Stage, ours: str, database: Database) -> None:
    brief = (await theirs.library.briefs(theirs.tenant.id, 1))[0]
    library = Library(database)
    assert await library.brief(theirs.tenant.id, brief.id) is not None
    assert await library.brief(ours, brief.id) is None
    assert await library.briefs(ours, 10) == []
    assert await library.runs(ours, 10) == []


async def test_the_application_owns_nothing_and_bypasses_nothing(urls: Urls) -> None:
    connection = await asyncpg.connect(urls.application)
    try:
        roles = await connection.fetch(
            """
            SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles
            WHERE rolname IN ('greenroom_app', 'greenroom_crossing')
            """
        )
        assert len(roles) == 2
        assert not any(any(list(role)[1:]) for role in roles)
        owned = await connection.fetchval(
            "SELECT count(*) FROM pg_class WHERE pg_get_userbyid(relowner) IN ('greenroom_app', 'greenroom_crossing')"
        )
        assert owned == 0
        for statement in ("ALTER TABLE claims DISABLE ROW LEVEL SECURITY", "DROP POLICY tenant ON claims"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()


async def test_every_table_is_fenced_for_its_owner_too(database: Database) -> None:
    async with database.untenanted() as connection:
        open_tables = await connection.fetch(
            f"SELECT relname FROM pg_class WHERE relname IN ({TABLES.replace('ORDER BY 1', '')}) "
            "AND NOT (relrowsecurity AND relforcerowsecurity)"
        )
    assert open_tables == []


async def test_who_crosses_tenants_sees_ids_and_no_text(theirs: Stage, database: Database) -> None:
    assert theirs.tenant.slug in await TenantStore(database).slugs()
    for statement in ("SELECT name FROM tenants", "SELECT failure_reason FROM research", "SELECT * FROM subjects"):
        async with database.crossing() as connection:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.fetch(statement)


async def test_a_tenant_does_not_stay_behind_after_a_failure_or_a_cancellation(theirs: Stage, urls: Urls) -> None:
    """One connection, so that whatever stays behind is met."""
    async with Database.opened(urls.application, urls.crossing, size=1) as single:
        with pytest.raises(asyncpg.PostgresError):
            async with single.tenant(theirs.tenant.id) as connection:
                await connection.execute("SELECT 1/0")

        async def slow() -> None:
            async with single.tenant(theirs.tenant.id) as connection:
                await connection.execute("SELECT pg_sleep(30)")

        task = asyncio.create_task(slow())
        await asyncio.sleep(0.2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        async with single.untenanted() as connection:
            assert await count(connection, "subjects") == 0


# What a policy is left as, and what the probe must then say of its table. Dropped, row security lets nobody in.
FLAWS = {
    "dropped": ("DROP POLICY tenant ON {0}", "its own tenant does not see it"),
    "shows everything": ("ALTER POLICY tenant ON {0} USING (true)", "another tenant sees it"),
    "lets everything be written": (
        "ALTER POLICY tenant ON {0} WITH CHECK (true)",
        "rows are written for another tenant",
    ),
    "switched off": ("ALTER TABLE {0} DISABLE ROW LEVEL SECURITY", "another tenant sees it"),
    "not for the owner": ("ALTER TABLE {0} NO FORCE ROW LEVEL SECURITY", "its owner sees it"),
    "one too many": ("CREATE POLICY more ON {0} USING (true)", "another tenant sees it"),
}


@asynccontextmanager
async def undone(cluster: Cluster) -> AsyncIterator[asyncpg.Connection]:
    """A superuser in a transaction of which nothing stays."""
    connection = await asyncpg.connect(cluster.url("postgres", "greenroom_test"))
    transaction = connection.transaction()
    await transaction.start()
    try:
        yield connection
    finally:
        await transaction.rollback()
        await connection.close()


async def test_the_fence_of_every_table_holds(theirs: Stage, cluster: Cluster) -> None:
    async with undone(cluster) as connection:
        probe = Probe(connection, theirs.tenant.id)
        leaks = {table: await probe.leaks(table) for table in await tables(connection)}
    assert {table: said for table, said in leaks.items() if said} == {}


async def test_every_table_of_a_tenant_has_its_policy(theirs: Stage, cluster: Cluster) -> None:
    async with undone(cluster) as connection:
        fenced = {
            row["tablename"]
            for row in await connection.fetch(
                """
                SELECT tablename FROM pg_policies WHERE policyname = 'tenant' AND cmd = 'ALL' AND roles = '{public}'
                  AND qual LIKE '%current_tenant()%' AND with_check LIKE '%current_tenant()%'
                """
            )
        }
        assert fenced == set(await tables(connection))


@pytest.mark.parametrize("flaw", FLAWS)
async def test_the_probe_sees_each_policy_that_is_gone_or_weak(theirs: Stage, cluster: Cluster, flaw: str) -> None:
    """Each in its turn; what it was is restored before the next."""
    statement, leak = FLAWS[flaw]
    async with undone(cluster) as connection:
        probe = Probe(connection, theirs.tenant.id)
        unseen = []
        for table in await tables(connection):
            savepoint = connection.transaction()
            await savepoint.start()
            await connection.execute(statement.format(table))
            if leak not in await probe.leaks(table):
                unseen.append(table)
            await savepoint.rollback()
            assert await probe.leaks(table) == set()
    assert unseen == []


async def test_the_probe_sees_each_crossing_policy_that_is_gone(theirs: Stage, cluster: Cluster) -> None:
    async with undone(cluster) as connection:
        probe = Probe(connection, theirs.tenant.id)
        crossed = [
            row["tablename"]
            for row in await connection.fetch("SELECT tablename FROM pg_policies WHERE policyname = 'crossing'")
        ]
        assert len(crossed) >= 5
        for table in crossed:
            savepoint = connection.transaction()
            await savepoint.start()
            await connection.execute(f"DROP POLICY crossing ON {table}")
            granted = await connection.fetchval(
                "SELECT has_any_column_privilege('greenroom_crossing', $1, 'SELECT')", table
            )
            assert await probe.leaks(table) == ({"who crosses tenants is kept out"} if granted else set())
            await savepoint.rollback()


async def test_no_policy_is_of_another_kind(theirs: Stage, cluster: Cluster) -> None:
    """Or the tests above would not have dropped it."""
    async with undone(cluster) as connection:
        rows = await connection.fetch("SELECT policyname, cmd, roles::text AS roles FROM pg_policies")
    assert {tuple(row) for row in rows} == {
        ("tenant", "ALL", "{public}"),
        ("crossing", "SELECT", "{greenroom_crossing}"),
    }
