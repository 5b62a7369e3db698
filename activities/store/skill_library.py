"""What skills may read: briefs and calls of their user's, and whom a run is about, as text.

As on the pages: a user sees the briefs and meetings that are theirs, and calls that are theirs or nobody's.
"""

import re
from datetime import datetime, tzinfo

import asyncpg

from activities.digests import mornings
from activities.store import skill_texts
from activities.store.database import Connection, Database, patient
from schemas.base import RowId, TenantId

MOST_LISTED = 30
# Of a company so many of its newest calls are read to a skill.
MOST_CALLS = 5

ROW_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class SkillLibrary:
    """A Library. What is pretended is there for those alone who may read it: `sandbox`."""

    def __init__(self, database: Database, *, sandbox: bool = True) -> None:
        self._database = database
        self._sandbox = sandbox

    @patient
    async def briefs(self, tenant_id: TenantId, user_id: RowId) -> str:
        """The newest first, a line for each."""
        async with self._database.tenant(tenant_id) as connection:
            zone = await _zone(connection, user_id)
            rows = await connection.fetch(
                f"{_BRIEFS} ORDER BY b.written_at DESC, b.id LIMIT $3", user_id, self._sandbox, MOST_LISTED
            )
            return "\n".join(skill_texts.brief_line(row, zone) for row in rows) or "There are no briefs yet."

    @patient
    async def brief(self, tenant_id: TenantId, user_id: RowId, brief_id: str) -> str | None:
        """Whatever a model takes for an id."""
        if not ROW_ID.fullmatch(brief_id):
            return None
        async with self._database.tenant(tenant_id) as connection:
            row = await connection.fetchrow(f"{_BRIEFS} AND b.id = $3", user_id, self._sandbox, brief_id)
            return None if row is None else await _brief(connection, row, await _zone(connection, user_id))

    @patient
    async def calls(self, tenant_id: TenantId, user_id: RowId) -> str:
        """Those that were read, the newest first, a line for each."""
        async with self._database.tenant(tenant_id) as connection:
            zone = await _zone(connection, user_id)
            rows = await connection.fetch(f"{_CALLS} {_NEWEST} LIMIT $3", user_id, self._sandbox, MOST_LISTED)
            return "\n".join(skill_texts.call_line(row, zone) for row in rows) or "There are no calls yet."

    @patient
    async def call(self, tenant_id: TenantId, user_id: RowId, call_id: str) -> str | None:
        """Likewise."""
        if not ROW_ID.fullmatch(call_id):
            return None
        async with self._database.tenant(tenant_id) as connection:
            row = await connection.fetchrow(f"{_CALLS} AND c.id = $3", user_id, self._sandbox, call_id)
            return None if row is None else await _call(connection, row, await _zone(connection, user_id))

    @patient
    async def documents(self, tenant_id: TenantId, user_id: RowId) -> str:
        """Theirs and the tenant's, the newest first, a line for each."""
        async with self._database.tenant(tenant_id) as connection:
            zone = await _zone(connection, user_id)
            rows = await connection.fetch(
                f"{_DOCUMENTS} ORDER BY d.created_at DESC, d.id LIMIT $3", user_id, self._sandbox, MOST_LISTED
            )
            return "\n".join(skill_texts.document_line(row, zone) for row in rows) or "There are no documents yet."

    @patient
    async def document(self, tenant_id: TenantId, user_id: RowId, document_id: str) -> str | None:
        """Likewise."""
        if not ROW_ID.fullmatch(document_id):
            return None
        async with self._database.tenant(tenant_id) as connection:
            row = await connection.fetchrow(f"{_DOCUMENTS} AND d.id = $3", user_id, self._sandbox, document_id)
            return None if row is None else await _document(connection, row, await _zone(connection, user_id))


async def company(connection: Connection, named: str) -> tuple[RowId, str] | None:
    """One that we know by its id or by its domain, and what it is called."""
    row = await connection.fetchrow(
        """
        SELECT id, coalesce(nullif(profile->>'name', ''), domain) AS name FROM subjects
        WHERE kind = 'company' AND (id::text = $1 OR domain = $1)
        """,
        _typed(named),
    )
    return None if row is None else (row["id"], row["name"])


async def meeting(connection: Connection, user_id: RowId, named: str, now: datetime) -> RowId | None:
    """A meeting of theirs by its id; by the word "next" the next that is on."""
    meeting_id: RowId | None = await connection.fetchval(
        """
        SELECT id FROM meetings WHERE user_id = $1 AND (id::text = $2 OR (
          $2 = 'next' AND starts_at >= $3 AND NOT cancelled AND withdrawn IS NULL
        )) ORDER BY starts_at, id LIMIT 1
        """,
        user_id,
        _typed(named),
        now,
    )
    return meeting_id


async def about_company(connection: Connection, run: asyncpg.Record) -> str:
    """The company of a run: its newest brief, and what came of its newest calls."""
    there = await connection.fetchrow("SELECT id, domain, profile FROM subjects WHERE id = $1", run["client_id"])
    if there is None:
        return run["client"] or ""
    user_id, sandbox = run["user_id"], run["sandbox"]
    zone = await _zone(connection, user_id)
    brief = await connection.fetchrow(
        f"""
        {_BRIEFS} AND EXISTS (SELECT FROM brief_subjects s WHERE s.brief_id = b.id AND s.subject_id = $3)
        ORDER BY b.written_at DESC, b.id LIMIT 1
        """,
        user_id,
        sandbox,
        there["id"],
    )
    calls = await connection.fetch(
        f"""
        {_CALLS} AND (o.key = $3 OR EXISTS (
          SELECT FROM speakers s WHERE s.call_id = c.id AND split_part(s.email, '@', 2) = $3
        )) {_NEWEST} LIMIT $4
        """,
        user_id,
        sandbox,
        there["domain"],
        MOST_CALLS,
    )
    return skill_texts.joined(
        [
            skill_texts.company(there),
            await _brief(connection, brief, zone) if brief else "",
            *[await _call(connection, one, zone) for one in calls],
        ]
    )


async def about_meeting(connection: Connection, run: asyncpg.Record) -> str:
    """The meeting of a run, with its brief, and what came of its calls."""
    user_id, sandbox, meeting_id = run["user_id"], run["sandbox"], run["meeting_id"]
    there = await connection.fetchrow(
        """
        SELECT title, starts_at, cancelled OR withdrawn IS NOT NULL AS off FROM meetings
        WHERE id = $2 AND user_id = $1
        """,
        user_id,
        meeting_id,
    )
    if there is None:
        return ""
    zone = await _zone(connection, user_id)
    attendees = await connection.fetch(
        "SELECT name, email, standing FROM attendees WHERE meeting_id = $1 ORDER BY standing, email", meeting_id
    )
    brief = await connection.fetchrow(f"{_BRIEFS} AND b.id = r.brief_id AND m.id = $3", user_id, sandbox, meeting_id)
    calls = await connection.fetch(
        f"{_CALLS} AND c.meeting_id = $3 {_NEWEST} LIMIT $4", user_id, sandbox, meeting_id, MOST_CALLS
    )
    return skill_texts.joined(
        [
            skill_texts.meeting(there, attendees, zone),
            await _brief(connection, brief, zone) if brief else "",
            *[await _call(connection, one, zone) for one in calls],
        ]
    )


_BRIEFS = """
SELECT b.id, b.written_at, b.confidence, b.sandbox, m.title, m.starts_at, coalesce((
    SELECT string_agg(coalesce(nullif(s.name, ''), s.detail), ', ' ORDER BY s.position) FROM brief_subjects s
    WHERE s.brief_id = b.id AND s.kind = 'person'
  ), '') AS people
FROM briefs b JOIN research r ON r.id = b.research_id LEFT JOIN meetings m ON m.id = r.meeting_id
WHERE r.user_id = $1 AND (NOT b.sandbox OR $2)
"""

_CALLS = """
SELECT c.id, c.title, c.started_at, c.sandbox, coalesce(o.name, '') AS opportunity
FROM calls c LEFT JOIN opportunities o ON o.id = c.opportunity_id
WHERE (c.user_id IS NULL OR c.user_id = $1) AND c.status = 'parsed' AND (NOT c.sandbox OR $2)
"""

# With its review, if one ended well. A review that is pretended is none for those who may not read it.
_DOCUMENTS = """
SELECT d.id, d.name, d.role, d.sandbox OR coalesce(r.sandbox, false) AS sandbox, r.id AS run_id, r.ended_at, r.risk, r.summary
FROM documents d LEFT JOIN document_runs r ON r.document_id = d.id AND r.work = 'analysis' AND r.status = 'completed'
  AND (NOT r.sandbox OR $2)
WHERE (d.user_id = $1 OR (d.user_id IS NULL AND d.role <> 'review')) AND (d.role <> 'reference' OR d.searchable)
  AND (NOT d.sandbox OR $2)
"""

_NEWEST = "ORDER BY coalesce(c.started_at, c.created_at) DESC, c.id"


async def _brief(connection: Connection, row: asyncpg.Record, zone: tzinfo) -> str:
    """What a reader said is wrong is left out."""
    subjects = await connection.fetch(
        "SELECT name, detail, identity FROM brief_subjects WHERE brief_id = $1 ORDER BY position", row["id"]
    )
    claims = await connection.fetch(
        """
        SELECT c.section, c.nature, c.text, c.as_of, c.quote, coalesce(e.url, '') AS url
        FROM claims c LEFT JOIN evidence e ON e.id = c.evidence_id
        WHERE c.brief_id = $1 AND NOT EXISTS (
          SELECT FROM marks m WHERE m.claim_id = c.id AND m.verdict IN ('wrong', 'wrong_person')
        ) ORDER BY c.position
        """,
        row["id"],
    )
    return skill_texts.brief(row, subjects, claims, zone)


async def _call(connection: Connection, row: asyncpg.Record, zone: tzinfo) -> str:
    speakers = await connection.fetch(
        "SELECT key, name, email, role, ours FROM speakers WHERE call_id = $1 ORDER BY position, key", row["id"]
    )
    findings = await connection.fetch(
        """
        SELECT f.kind, f.text, f.owner, f.due, f.quote, f.at_ms, coalesce(nullif(s.name, ''), s.key) AS who
        FROM findings f JOIN speakers s ON s.call_id = f.call_id AND s.key = f.speaker
        WHERE f.call_id = $1 ORDER BY f.position
        """,
        row["id"],
    )
    return skill_texts.call(row, speakers, findings, zone)


async def _document(connection: Connection, row: asyncpg.Record, zone: tzinfo) -> str:
    findings = await connection.fetch(
        """
        SELECT topic, risk, said, quote FROM document_findings WHERE document_run_id = $1
        ORDER BY start_at NULLS LAST, part, position
        """,
        row["run_id"],
    )
    return skill_texts.document(row, findings, zone)


async def _zone(connection: Connection, user_id: RowId) -> tzinfo:
    name: str | None = await connection.fetchval("SELECT time_zone FROM users WHERE id = $1", user_id)
    return mornings.zone_of(name or "UTC")


def _typed(named: str) -> str:
    return named.replace("\x00", "").encode(errors="replace").decode().strip().lower()
