"""Bills of a congress: public, of no tenant, told apart by their ids."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import date, datetime, timedelta

import asyncpg

from activities.digests.ports import Bill
from activities.store.database import Connection, Database, patient, storable

# A bill of which nothing has been heard for so long is no news in anybody's digest.
KEPT = timedelta(days=400)

_COLUMNS = tuple(field.name for field in fields(Bill))


class BillStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    @patient
    async def load(self, bills: Sequence[Bill], now: datetime, *, sandbox: bool) -> int:
        """How many of them are new or have changed. Safe to run twice: what is older than what is here changes nothing.

        A pretended bill never takes a real one's place, and makes room for it.
        """
        newest = {bill.id: bill for bill in sorted(bills, key=lambda bill: bill.updated_on)}
        columns = [[storable(getattr(bill, name)) for bill in newest.values()] for name in _COLUMNS]
        async with self._database.untenanted() as connection:
            rows = await connection.fetch(_LOAD, *columns, sandbox, now)
            return len(rows)

    @patient
    async def newest(self, *, sandbox: bool) -> date | None:
        """When the newest of them was changed: what is older is here."""
        async with self._database.untenanted() as connection:
            day: date | None = await connection.fetchval(
                "SELECT max(updated_on) FROM bills WHERE sandbox = $1", sandbox
            )
            return day

    @patient
    async def list(self, words: str = "", most: int = 50) -> tuple[Bill, ...]:
        """The newest first; with words, those that have them all."""
        async with self._database.untenanted() as connection:
            rows = await connection.fetch(
                """
                SELECT * FROM bills WHERE $1 = '' OR search @@ plainto_tsquery('english', $1)
                ORDER BY updated_on DESC, id LIMIT $2
                """,
                storable(words.strip()),
                most,
            )
            return tuple(map(bill, rows))

    @patient
    async def discard(self, now: datetime) -> int:
        """Those of which nothing has been heard for long."""
        async with self._database.untenanted() as connection:
            said: str = await connection.execute("DELETE FROM bills WHERE updated_on < $1", (now - KEPT).date())
            return int(said.rpartition(" ")[2])


async def about(connection: Connection, words: str, since: date, most: int, *, sandbox: bool) -> list[Bill]:
    """Bills about an interest that have changed since then, the most fitting first. Pretended ones serve no real digest."""
    rows = await connection.fetch(
        """
        SELECT b.* FROM bills b, plainto_tsquery('english', $1) AS wanted
        WHERE b.search @@ wanted AND b.updated_on >= $2 AND (NOT b.sandbox OR $4)
        ORDER BY ts_rank(b.search, wanted) DESC, b.updated_on DESC, b.id LIMIT $3
        """,
        words,
        since,
        most,
        sandbox,
    )
    return [bill(row) for row in rows]


def bill(row: asyncpg.Record) -> Bill:
    return Bill(**{name: row[name] for name in _COLUMNS})


_LOAD = """
INSERT INTO bills AS old (id, title, chamber, action, acted_on, updated_on, url, summary, sandbox, loaded_at)
SELECT b.*, $9, $10
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::date[], $6::date[], $7::text[], $8::text[]) AS b
ORDER BY 1
ON CONFLICT (id) DO UPDATE SET title = excluded.title, chamber = excluded.chamber, action = excluded.action,
  acted_on = excluded.acted_on, updated_on = excluded.updated_on, url = excluded.url,
  summary = coalesce(nullif(excluded.summary, ''), old.summary), sandbox = excluded.sandbox,
  loaded_at = excluded.loaded_at
WHERE (old.sandbox AND NOT excluded.sandbox) OR (old.sandbox = excluded.sandbox AND (
    excluded.updated_on > old.updated_on OR (excluded.updated_on = old.updated_on AND (
      excluded.title, excluded.chamber, excluded.action, excluded.acted_on, excluded.url,
      coalesce(nullif(excluded.summary, ''), old.summary)
    ) IS DISTINCT FROM (old.title, old.chamber, old.action, old.acted_on, old.url, old.summary))
  ))
RETURNING 1
"""
