"""Who watches a run from the outside: a log of every change in Postgres, the sandbox's journal, Temporal's word."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from sandbox import Sandbox

# Kept by the test's database alone: which row of a run changed, when, and to which status.
LOG = """
CREATE TABLE seen_changes (
  n bigint GENERATED ALWAYS AS IDENTITY, at timestamptz NOT NULL DEFAULT clock_timestamp(),
  tenant_id uuid, relation text, operation text, subject_id uuid, asked text, status text, version integer
);
CREATE FUNCTION see_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE seen jsonb := CASE WHEN TG_OP = 'DELETE' THEN to_jsonb(OLD) ELSE to_jsonb(NEW) END;
BEGIN
  INSERT INTO seen_changes (tenant_id, relation, operation, subject_id, asked, status, version) VALUES (
    (seen ->> 'tenant_id')::uuid, TG_TABLE_NAME, TG_OP, (seen ->> 'subject_id')::uuid, seen ->> 'asked',
    seen ->> 'status', (seen ->> 'version')::integer
  );
  RETURN NULL;
END $$;
"""
WATCHED = ("research", "tries", "leases", "answers", "evidence", "briefs", "events")

ROWS = {
    "research": "SELECT status, version, brief_id FROM research WHERE tenant_id = $1",
    "briefs": "SELECT id, version FROM briefs WHERE tenant_id = $1",
    "events": "SELECT name, key FROM events WHERE tenant_id = $1",
    "answers": """
        SELECT a.id, a.asked, CASE
          WHEN s.kind = 'person' THEN 'person:' || split_part(s.email, '@', 1) || '@' || s.domain
            || CASE WHEN EXISTS (
              SELECT FROM answers o
              WHERE o.tenant_id = a.tenant_id AND o.subject_id = s.id AND o.asked <> a.asked AND o.asked_at < a.asked_at
            ) THEN ' again' ELSE '' END
          WHEN s.kind = 'company' THEN 'company:' || s.domain ELSE 'brief' END AS about
        FROM answers a
        LEFT JOIN subjects s ON s.tenant_id = a.tenant_id AND s.id = a.subject_id
        WHERE a.tenant_id = $1
    """,
    "evidence": "SELECT subject_id, url, position FROM evidence WHERE tenant_id = $1",
    "leases": "SELECT subject_id FROM leases WHERE tenant_id = $1",
    "tries": "SELECT subject_id FROM tries WHERE tenant_id = $1",
    "claims": "SELECT brief_id, position FROM claims WHERE tenant_id = $1",
    "subjects": """
        SELECT id FROM subjects WHERE tenant_id = $1
    """,
    "ledger": """
        SELECT s.purpose, s.state, s.micro_usd, (SELECT micro_usd FROM months m WHERE m.tenant_id = $1) AS month
        FROM spending s WHERE s.tenant_id = $1
    """,
    "paid": "SELECT coalesce(sum(cost_micro_usd), 0)::bigint AS micro_usd FROM answers WHERE tenant_id = $1",
    "changes": "SELECT * FROM seen_changes WHERE tenant_id = $1 ORDER BY n",
}


@dataclass(frozen=True)
class Call:
    """A call as the sandbox got it: about whom, and which question about them."""

    about: str
    started: float


@dataclass(frozen=True)
class Seen:
    """A run from the outside, when it is over. Rows by table, the calls, and how the workflow ended."""

    rows: dict[str, list[dict[str, Any]]]
    calls: list[Call]
    workflow: str
    restarts: int = 1

    def bought(self) -> Counter[str]:
        return Counter(call.about for call in self.calls)

    def stored_at(self) -> dict[str, float]:
        """When each question's first answer was stored."""
        asked = {row["asked"]: row["about"] for row in self.rows["answers"]}
        kept = [change for change in self.rows["changes"] if change["relation"] == "answers"]
        return {asked[change["asked"]]: change["at"].timestamp() for change in reversed(kept)}

    def next_effect(self, after: datetime) -> datetime | None:
        """The first change or call after a moment."""
        changes = [row["at"].timestamp() for row in self.rows["changes"]]
        calls = [call.started for call in self.calls]
        later = [moment for moment in (*changes, *calls) if moment > after.timestamp()]
        return datetime.fromtimestamp(min(later), after.tzinfo) if later else None


class Witness:
    """Reads as the superuser, past row security."""

    def __init__(self, pool: asyncpg.Pool, sandbox: Sandbox) -> None:
        self._pool = pool
        self._sandbox = sandbox

    @classmethod
    @asynccontextmanager
    async def watching(cls, url: str, sandbox: Sandbox) -> AsyncIterator["Witness"]:
        async with asyncpg.create_pool(url, min_size=0, max_size=2) as pool:
            yield cls(pool, sandbox)

    async def begin(self) -> None:
        """From here every change is logged. Once for each database."""
        async with self._pool.acquire() as connection:
            if await connection.fetchval("SELECT to_regclass('seen_changes') IS NOT NULL"):
                return
            await connection.execute(LOG)
            for table in WATCHED:
                await connection.execute(
                    f"CREATE TRIGGER seen AFTER INSERT OR UPDATE OR DELETE ON {table} "
                    "FOR EACH ROW EXECUTE FUNCTION see_change()"
                )

    async def rows(self, tenant_id: str) -> dict[str, list[dict[str, Any]]]:
        async with self._pool.acquire() as connection:
            return {
                name: [dict(row) for row in await connection.fetch(query, tenant_id)] for name, query in ROWS.items()
            }

    def calls(self, domain: str) -> list[Call]:
        """Those about this domain, ended or not, in order."""
        journal = self._sandbox.journal
        mine = [
            Call(_question(record), record["started"])
            for record in (*journal.records(), *journal.running())
            if domain in str(record["about"])
        ]
        return sorted(mine, key=lambda call: call.started)


def _question(record: dict[str, Any]) -> str:
    """`person:kim@acme.example`, `... again` for the second question, `company:acme.example` or `brief`."""
    if record["provider"] == "anthropic":
        return "brief"
    again = " again" if '"question": 2' in str(record["request"]["input"][1]["content"]) else ""
    return str(record["about"]) + again
