"""Retention: what is older than its tenant keeps it, deleted a batch at a time, each in a transaction of its own."""

from datetime import datetime, timedelta

from activities.calendars.rules import USUAL_LENGTH
from activities.store import unfiled, untold, unwritten
from activities.store.bills import BillStore
from activities.store.database import Connection, Database, patient
from schemas.base import TenantId

# Rows that one statement deletes at most; what hangs on them goes with them.
BATCH = 200

# What is over is kept for so long: an event that came in is known again for so long, if it is sent once more.
OVER = timedelta(days=7)

# An account's log of calls is of no use after the longest window of a pace, and is written anew when it is needed.
PACES_SERVE = timedelta(days=1)


class RetentionStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    @patient
    async def tenants(self) -> list[TenantId]:
        async with self._database.crossing() as connection:
            return [row["id"] for row in await connection.fetch("SELECT id FROM tenants ORDER BY id")]

    @patient
    async def days(self, tenant_id: TenantId) -> int:
        async with self._database.tenant(tenant_id) as connection:
            days: int = await connection.fetchval("SELECT retention_days FROM tenants")
            return days

    @patient
    async def keep(self, tenant_id: TenantId, days: int) -> None:
        """From now on what was found out is kept for so long."""
        async with self._database.tenant(tenant_id) as connection:
            await connection.execute("UPDATE tenants SET retention_days = $1", days)

    @patient
    async def discard(self, tenant_id: TenantId, now: datetime) -> dict[str, int]:
        """A batch of what is too old, by kind; nothing when nothing is left. Safe to run twice.

        What hangs on others comes after them, so that the next batch sees what this one has left behind.
        """
        async with self._database.tenant(tenant_id) as connection:
            days = await connection.fetchval("SELECT retention_days FROM tenants")
            before = now - timedelta(days=days)
            counts = {
                what: await _count(connection, statement, before, BATCH) for what, statement in _OLD_ALONE.items()
            }
            for what, statement in _OVER.items():
                counts[what] = await _count(connection, statement, now - OVER, BATCH)
            counts["parked events"] = await _count(connection, _PARKED, min(before, now - OVER), BATCH)
            counts["leases"] = await _count(connection, "DELETE FROM leases WHERE expires_at < $1", now)
            counts["answers about documents"] = await _count(connection, unfiled.REPLIES, before, BATCH)
            counts["digests"] = await untold.discard(connection, before, BATCH, now)
            counts["skills' runs"] = await unwritten.discard(connection, before, BATCH, now)
            counts["opportunities"] = await _opportunities(connection)
            counts["meetings"] = await _count(connection, _MEETINGS, before, BATCH, USUAL_LENGTH)
            counts["people and companies"] = await _subjects(connection)
            return {what: count for what, count in counts.items() if count}

    async def discard_bills(self, now: datetime) -> int:
        """Of no tenant, and of no news."""
        return await BillStore(self._database).discard(now)

    @patient
    async def discard_paces(self, now: datetime) -> int:
        """Logs of those whom a provider counts apart (accounts, companies), when they were not used for a while.

        They belong to no tenant.
        """
        async with self._database.untenanted() as connection:
            return await _count(
                connection,
                "DELETE FROM paces WHERE provider LIKE '%/%/%' AND starts[cardinality(starts)] < $1",
                now - PACES_SERVE,
            )


async def _subjects(connection: Connection) -> int:
    """Those to whom nothing refers. They are locked first: whoever refers to them just then is seen."""
    rows = await connection.fetch(f"SELECT id {_ALONE} LIMIT $1 FOR UPDATE OF s SKIP LOCKED", BATCH)
    ids = [row["id"] for row in rows]
    return await _count(connection, f"DELETE FROM subjects WHERE id IN (SELECT id {_ALONE} AND id = ANY($1))", ids)  # noqa: S608


async def _opportunities(connection: Connection) -> int:
    """Those of which no call is left. They are locked first: a call that comes just then is seen."""
    rows = await connection.fetch(f"SELECT id {_UNCALLED} LIMIT $1 FOR UPDATE OF o SKIP LOCKED", BATCH)
    ids = [row["id"] for row in rows]
    statement = f"DELETE FROM opportunities WHERE id IN (SELECT id {_UNCALLED} AND id = ANY($1))"  # noqa: S608
    return await _count(connection, statement, ids)


async def _count(connection: Connection, statement: str, *values: object) -> int:
    """How many rows it has deleted."""
    said: str = await connection.execute(statement, *values)
    return int(said.rpartition(" ")[2])


# Over for longer than they are kept. Their research has their id and goes with them, as do briefs and notices.
_MEETINGS = """
DELETE FROM meetings WHERE id IN (
  SELECT id FROM meetings WHERE coalesce(ends_at, starts_at + $3::interval) < $1 ORDER BY id LIMIT $2
)
"""

# A subject that is being researched may be written about from what is there.
_AT_WORK = """
SELECT s.subject_id FROM research r JOIN run_subjects s ON s.research_id = r.id AND s.version = r.version
WHERE r.status = 'generating' AND r.begun_at >= $1
"""

_OLD_ALONE = {
    "requests": """
        DELETE FROM research WHERE id IN (
          SELECT id FROM research WHERE kind = 'adhoc' AND greatest(requested_at, begun_at) < $1
          ORDER BY id LIMIT $2
        )
    """,
    "sources": f"""
        DELETE FROM evidence WHERE id IN (
          SELECT id FROM evidence e WHERE fetched_at < $1 AND subject_id NOT IN ({_AT_WORK})
            AND NOT EXISTS (SELECT FROM brief_evidence b WHERE b.evidence_id = e.id)
          ORDER BY id LIMIT $2
        )
    """,  # noqa: S608 - put together from constants
    # A look-up goes with its last source; what a model wrote goes with its brief, and what has none with its age.
    "answers": f"""
        DELETE FROM answers WHERE id IN (
          SELECT id FROM answers a WHERE asked_at < $1 AND (
            (subject_id IS NOT NULL AND subject_id NOT IN ({_AT_WORK})
              AND NOT EXISTS (SELECT FROM evidence e WHERE e.answer_id = a.id))
            OR (brief_id IS NOT NULL AND NOT EXISTS (SELECT FROM briefs b WHERE b.id = a.brief_id))
          ) ORDER BY id LIMIT $2
        )
    """,  # noqa: S608 - put together from constants
    "profiles": """
        UPDATE subjects SET profile = '{}', fresh_until = NULL, last_researched_at = NULL WHERE id IN (
          SELECT id FROM subjects WHERE last_researched_at < $1 ORDER BY id LIMIT $2
        )
    """,
    "events": """
        DELETE FROM events WHERE id IN (SELECT id FROM events WHERE created_at < $1 ORDER BY sequence LIMIT $2)
    """,
    "records": """
        DELETE FROM records WHERE id IN (SELECT id FROM records WHERE created_at < $1 ORDER BY id LIMIT $2)
    """,
    "unsent letters": """
        DELETE FROM letters WHERE id IN (
          SELECT id FROM letters l WHERE created_at < $1
            AND NOT EXISTS (SELECT FROM notices n WHERE n.letter_id = l.id AND n.status = 'pending')
          ORDER BY id LIMIT $2
        )
    """,
    # A call from long ago that came yesterday is kept from yesterday on. What is being read is left to the next night.
    "calls": """
        DELETE FROM calls WHERE id IN (
          SELECT id FROM calls WHERE greatest(created_at, started_at, begun_at) < $1 AND status <> 'parsing'
          ORDER BY id LIMIT $2
        )
    """,
    "channels": """
        DELETE FROM subscriptions WHERE id IN (
          SELECT id FROM subscriptions WHERE expires_at < $1 AND status IN ('replaced', 'stopped', 'expired')
          ORDER BY id LIMIT $2
        )
    """,
}

# Over for a while, and needed by nobody.
_OVER = {
    "delivered events": """
        DELETE FROM events WHERE id IN (
          SELECT id FROM events WHERE delivery = 'delivered' AND delivered_at < $1 ORDER BY sequence LIMIT $2
        )
    """,
    "received events": """
        DELETE FROM received WHERE id IN (
          SELECT id FROM received WHERE state = 'done' AND ended_at < $1 ORDER BY id LIMIT $2
        )
    """,
    # News of a day that is over.
    "news": """
        DELETE FROM news WHERE id IN (
          SELECT id FROM news WHERE coalesce(fetched_at, asked_until) < $1 ORDER BY id LIMIT $2
        )
    """,
    # Each with its notice.
    "letters": """
        DELETE FROM letters WHERE id IN (
          SELECT l.id FROM letters l JOIN notices n ON n.letter_id = l.id WHERE n.ended_at < $1 ORDER BY l.id LIMIT $2
        )
    """,
}

_PARKED = """
DELETE FROM received WHERE id IN (
  SELECT id FROM received WHERE state = 'parked' AND coalesce(ended_at, received_at) < $1 ORDER BY id LIMIT $2
)
"""

_UNCALLED = "FROM opportunities o WHERE NOT EXISTS (SELECT FROM calls c WHERE c.opportunity_id = o.id)"

# A person is there for researches and briefs, a company for its people as well.
_ALONE = """
FROM subjects s
WHERE NOT EXISTS (SELECT FROM research_prospects p WHERE p.subject_id = s.id)
  AND NOT EXISTS (SELECT FROM run_subjects r WHERE r.subject_id = s.id)
  AND NOT EXISTS (SELECT FROM brief_subjects b WHERE b.subject_id = s.id)
  AND (kind = 'person' OR NOT EXISTS (SELECT FROM subjects p WHERE p.kind = 'person' AND p.domain = s.domain))
"""
