"""The nightly cleanup: what is over for a week goes, what waits for somebody stays as long as its tenant keeps anything."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from temporalio.client import Client

from activities.store.retention import RetentionStore
from schemas.erasures import LEAST_DAYS, Discarded
from starter import schedules
from tests.deliveries.receiver import Tenant
from tests.erasures.test_retention import NOW, sweep

KEPT, WEEK, MOMENT = timedelta(days=180), timedelta(days=7), timedelta(microseconds=1)


async def keys(tenant: Tenant, table: str) -> set[str]:
    async with tenant.stage.database.tenant(tenant.id) as connection:
        return {row["key"] for row in await connection.fetch(f"SELECT key FROM {table}")}


def _own(swept: Discarded) -> dict[str, int]:
    """Without the logs of accounts: they are nobody's, and other tests leave some."""
    return {what: count for what, count in swept.counts.items() if what != "paces"}


async def test_delivered_events_go_after_a_week_and_what_waits_stays(tenant: Tenant) -> None:
    for key, delivery, delivered_at, created_at in (
        ("delivered", "delivered", NOW - WEEK - MOMENT, NOW - WEEK - MOMENT),
        ("just delivered", "delivered", NOW - WEEK, NOW - timedelta(days=30)),
        ("pending", "pending", None, NOW - KEPT),
        ("parked", "parked", None, NOW - KEPT),
        ("nobody's", None, None, NOW - KEPT),
        ("old and pending", "pending", None, NOW - KEPT - MOMENT),
    ):
        await tenant.sql(
            """
            INSERT INTO events (tenant_id, name, key, payload, created_at, delivery, delivered_at)
            VALUES (current_tenant(), 'n', $1, '{}', $2, $3, $4)
            """,
            *(key, created_at, delivery, delivered_at),
        )
    assert _own(await sweep(tenant.stage)) == {"events": 1, "delivered events": 1}
    assert await keys(tenant, "events") == {"just delivered", "pending", "parked", "nobody's"}


@pytest.mark.parametrize("days", [180, LEAST_DAYS])
async def test_an_event_that_came_in_is_known_again_for_a_week(tenant: Tenant, days: int) -> None:
    await RetentionStore(tenant.stage.database).keep(tenant.id, days)
    parked = NOW - max(timedelta(days=days), WEEK)
    for key, state, ended_at in (
        ("done", "done", NOW - WEEK - MOMENT),
        ("just done", "done", NOW - WEEK),
        ("parked", "parked", parked),
        ("parked long ago", "parked", parked - MOMENT),
        ("collected", "collected", None),
        ("taken", "taken", None),
    ):
        await tenant.sql(
            """
            INSERT INTO received (tenant_id, name, key, state, received_at, ended_at)
            VALUES (current_tenant(), 'n', $1, $2, $3, $4)
            """,
            *(key, state, NOW - WEEK - WEEK, ended_at),
        )
    assert _own(await sweep(tenant.stage)) == {"received events": 1, "parked events": 1}
    assert await keys(tenant, "received") == {"just done", "parked", "collected", "taken"}


async def test_letters_go_a_week_after_they_were_sent(tenant: Tenant) -> None:
    for key, status, ended_at, created_at in (
        ("sent", "sent", NOW - WEEK - MOMENT, NOW - WEEK - WEEK),
        ("just sent", "sent", NOW - WEEK, NOW - WEEK - WEEK),
        ("waits", "pending", None, NOW - KEPT - MOMENT),
    ):
        await tenant.sql(
            """
            WITH letter AS (
              INSERT INTO letters (tenant_id, user_id, subject, body, created_at)
              VALUES (current_tenant(), $1, 's', 'b', $2) RETURNING id
            )
            INSERT INTO notices (tenant_id, key, kind, user_id, letter_id, status, message_id, created_at, ended_at)
            SELECT current_tenant(), $3, 'letter', $1, id, $4, 'm', $2, $5 FROM letter
            """,
            *(tenant.stage.user.id, created_at, key, status, ended_at),
        )
    assert _own(await sweep(tenant.stage)) == {"letters": 1}
    assert await keys(tenant, "notices") == {"just sent", "waits"}


async def test_calls_go_by_their_age_with_all_that_hangs_on_them(tenant: Tenant) -> None:
    old, young = NOW - KEPT - MOMENT, NOW - KEPT
    for key, created_at, status in (("old", old, "parsed"), ("young", young, "parsed"), ("read", old, "parsing")):
        await tenant.sql(
            """
            WITH whose AS (
              INSERT INTO opportunities (tenant_id, key, name, created_at) VALUES (current_tenant(), $1, $1, $2)
              RETURNING id
            ), called AS (
              INSERT INTO calls (tenant_id, source, source_key, opportunity_id, status, started_at, created_at)
              SELECT current_tenant(), 'upload', $1, id, $3, $2, $2 FROM whose RETURNING id, opportunity_id
            ), spoke AS (
              INSERT INTO speakers (tenant_id, call_id, key, position)
              SELECT current_tenant(), id, 's', 1 FROM called RETURNING call_id
            ), said AS (
              INSERT INTO transcripts (tenant_id, call_id, hash, format, timed, turns, characters, created_at)
              SELECT current_tenant(), id, 'h', 'vtt', true, '[]', 0, $2 FROM called
            )
            INSERT INTO opportunity_history (tenant_id, opportunity_id, call_id, transcript_hash, happened_at, created_at)
            SELECT current_tenant(), opportunity_id, id, 'h', $2, $2 FROM called
            """,
            *(key, created_at, status),
        )
        await tenant.sql(
            "INSERT INTO records (tenant_id, collection, key, data, created_at) VALUES (current_tenant(), 'c', $1, '{}', $2)",
            *(key, created_at),
        )
    assert _own(await sweep(tenant.stage)) == {"calls": 1, "opportunities": 1, "records": 2}
    assert await keys(tenant, "opportunities") == {"young", "read"}
    assert [await tenant.stage.count(one) for one in ("calls", "speakers", "transcripts", "opportunity_history")] == [
        2
    ] * 4
    assert await keys(tenant, "records") == {"young"}


async def test_leases_that_ran_out_go(tenant: Tenant) -> None:
    await tenant.stage.request("ada@lovelace.example")
    await tenant.sql(
        """
        INSERT INTO leases (tenant_id, subject_id, holder, expires_at)
        SELECT current_tenant(), id, 'h', CASE WHEN kind = 'person' THEN $1::timestamptz ELSE $2 END FROM subjects
        """,
        (now := datetime.now(UTC)) - MOMENT,
        now,
    )
    left = await tenant.stage.count("leases") - 1
    assert _own(await sweep(tenant.stage, now)) == {"leases": 1}
    assert await tenant.stage.count("leases") == left


async def test_logs_of_companies_that_nobody_calls_go_and_those_of_providers_stay(tenant: Tenant) -> None:
    old, new, whole = f"some/day/{uuid4()}", f"some/company/{uuid4()}", f"some/{uuid4()}"
    async with tenant.stage.database.untenanted() as connection:
        await connection.executemany(
            "INSERT INTO paces VALUES ($1, ARRAY[$2::timestamptz])",
            [(old, NOW - timedelta(days=2)), (new, NOW - timedelta(hours=2)), (whole, NOW - timedelta(days=2))],
        )
    await sweep(tenant.stage)
    async with tenant.stage.database.untenanted() as connection:
        rows = await connection.fetch(
            "DELETE FROM paces WHERE provider = ANY($1) RETURNING provider", [old, new, whole]
        )
    assert {row["provider"] for row in rows} == {new, whole}


async def test_it_is_begun_every_night_at_midnight(temporal: Client, tenant: Tenant) -> None:
    settings = tenant.stage.settings()
    await schedules.ensure(temporal, settings)
    try:
        (planned,) = [one for one in await schedules.listed(temporal) if one.id == schedules.RETENTION]
        assert planned.every_s == 86_400
        assert planned.next_at is not None
        midnight = planned.next_at.astimezone(UTC)
        assert midnight.hour == 0
        assert midnight > datetime.now(UTC)
        spec = (await temporal.get_schedule_handle(schedules.RETENTION).describe()).schedule.spec
        assert (spec.intervals, len(spec.calendars)) == ([], 1)
    finally:
        for name in schedules.NAMES:
            await temporal.get_schedule_handle(name).delete()
