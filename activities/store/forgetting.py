"""What goes with a person: every row that is about them, and every one that names them. Within one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from activities.calendars.rules import USUAL_LENGTH
from activities.store import unfiled, unsaid, untold, unwritten
from activities.store.database import Connection
from activities.store.mentions import Mentions
from activities.store.suppressions import GONE, UNTITLED
from activities.store.unsaid import BARE
from schemas.base import Email, RowId


async def names(connection: Connection, email: Email) -> list[str]:
    """What they are called: in calendars, in their own row, and by the sources when it was sure that these meant them."""
    rows = await connection.fetch(
        f"""
        SELECT DISTINCT btrim(name) AS name FROM (
          SELECT name FROM attendees WHERE {BARE} = $1 AND standing NOT IN ('room', 'group') UNION ALL
          SELECT name FROM subjects WHERE kind = 'person' AND {BARE} = $1 UNION ALL
          SELECT name FROM speakers WHERE {BARE} = $1 UNION ALL
          SELECT b.name FROM brief_subjects b JOIN subjects s ON s.id = b.subject_id
          WHERE s.kind = 'person' AND {BARE} = $1 AND b.identity IN ('confirmed', 'probable')
        ) called WHERE btrim(name) LIKE '% %'
        """,  # noqa: S608 - put together from constants
        email,
    )
    return [row["name"] for row in rows]


@dataclass(frozen=True)
class Traces:
    """All that a person has left behind: rows about them, rows that name them, and the researches of both, locked."""

    email: Email
    named: Mentions
    people: list[RowId]
    # Meetings to which they are invited, prospect or not.
    meetings: list[RowId]
    # Researches that were about them: their runs know their key.
    researches: list[RowId]
    briefs: list[RowId]
    # Researches that lose what they were last about: their brief, or a run that ended without one.
    undone: list[RowId]
    # Calls in which they spoke, or were spoken of by name.
    calls: list[RowId]
    # Documents that name them.
    documents: list[RowId]

    @classmethod
    async def of(cls, connection: Connection, email: Email, named: Mentions) -> "Traces":
        """Rows are locked in the order in which a reading of a calendar locks them."""
        people = await _ids(connection, f"SELECT id FROM subjects WHERE kind = 'person' AND {BARE} = $1", email)  # noqa: S608
        meetings = await _ids(connection, _ATTENDED, email)
        researches = await _ids(connection, _ABOUT, people)
        briefs = await _ids(connection, _BRIEFS, people, named.rows["briefs"], named.rows["evidence"])
        undone = await _ids(connection, _UNDONE, people, briefs)
        calls = await unsaid.calls(connection, email, named)
        documents = await unfiled.documents(connection, named)
        return cls(email, named, people, meetings, researches, briefs, undone, calls, documents)

    async def busy(self, connection: Connection) -> list[asyncpg.Record]:
        """Researches under way that know of them, or may learn of them from what is about to go."""
        rows: list[asyncpg.Record] = await connection.fetch(
            """
            SELECT r.id, r.run_id FROM research r
            WHERE r.status = 'generating' AND r.run_id IS NOT NULL AND (
              r.id = ANY($1) OR EXISTS (
                SELECT FROM run_subjects s JOIN evidence e ON e.subject_id = s.subject_id
                WHERE s.research_id = r.id AND s.version = r.version AND e.id = ANY($2)
              )
            )
            ORDER BY r.id
            """,
            [*self.researches, *self.undone],
            self.named.rows["evidence"],
        )
        return rows

    async def unwritten(self, connection: Connection, now: datetime) -> list[RowId]:
        """Of the researches without a brief now, those of people to be met that no meeting's workflow writes again."""
        return await _ids(
            connection,
            """
            SELECT r.id FROM research r LEFT JOIN meetings m ON m.id = r.meeting_id
            WHERE r.id = ANY($1) AND (m.id IS NULL OR (m.calendar_id IS NULL AND m.starts_at > $2))
              AND EXISTS (SELECT FROM research_prospects p WHERE p.research_id = r.id)
            """,
            self.undone,
            now,
        )


async def forget(connection: Connection, traces: Traces, now: datetime) -> tuple[dict[str, int], list[RowId]]:
    """Delete it all. How much that was, by kind, and which meetings' workflows are to be told."""
    counts = await _forget_runs(connection, traces, now)
    counts |= await _forget_texts(connection, traces)
    counts |= await _forget_meetings(connection, traces)
    counts |= await _forget_people(connection, traces)
    counts |= await unsaid.forget(connection, traces.calls, traces.named)
    counts |= await untold.forget(connection, traces.named, traces.meetings, now)
    counts |= await unfiled.forget(connection, traces.documents, traces.named, now)
    await _undo(connection, traces)
    return counts, await _changed(connection, traces, now)


async def _forget_runs(connection: Connection, traces: Traces, now: datetime) -> dict[str, int]:
    """Skills' runs, while it is still known which company was theirs."""
    return await unwritten.forget(
        connection,
        traces.named,
        people=traces.people,
        meetings=traces.meetings,
        read=[*traces.briefs, *traces.calls, *traces.documents],
        now=now,
    )


async def _forget_texts(connection: Connection, traces: Traces) -> dict[str, int]:
    """Briefs and what they were made of. Of an answer about somebody else only the sources that name them go."""
    named, gone = traces.named.rows, {}
    gone["marks"] = await _count(connection, _MARKS, traces.people, named["marks"], traces.briefs)
    gone["model answers"] = await _count(connection, _DRAFTS, traces.people, named["drafts"], traces.briefs)
    gone["look-ups"] = await _count(connection, "DELETE FROM answers WHERE subject_id = ANY($1)", traces.people)
    gone["look-ups of others, emptied"] = await _count(
        connection, "UPDATE answers SET said = '{}' WHERE id = ANY($1) AND subject_id IS NOT NULL", named["look_ups"]
    )
    gone["sources of others that named them"] = await _count(
        connection, "DELETE FROM evidence WHERE id = ANY($1)", named["evidence"]
    )
    gone["briefs"] = await _count(connection, "DELETE FROM briefs WHERE id = ANY($1)", traces.briefs)
    gone["profiles of others, shortened"] = 0
    for row_id, old, new in traces.named.profiles:
        gone["profiles of others, shortened"] += await _count(
            connection,
            "UPDATE subjects SET profile = $3 WHERE id = $1 AND profile = $2 AND NOT id = ANY($4)",
            *(row_id, old, new, traces.people),
        )
    return gone


async def _forget_meetings(connection: Connection, traces: Traces) -> dict[str, int]:
    """They were not invited. A title may name them by their first name alone: it goes with them."""
    prospects = await connection.fetch(
        f"SELECT meeting_id FROM attendees WHERE {BARE} = $1 AND standing = 'prospect'",  # noqa: S608
        traces.email,
    )
    invitations = await _count(connection, f"DELETE FROM attendees WHERE {BARE} = $1", traces.email)  # noqa: S608
    titles = await _count(
        connection,
        "UPDATE meetings SET title = $2, title_erased = true WHERE id = ANY($1) AND title <> $2",
        [*traces.meetings, *traces.named.rows["meetings"]],
        UNTITLED,
    )
    withdrawn = await _count(
        connection,
        """
        UPDATE meetings m SET withdrawn = $2, cancelled = true WHERE id = ANY($1) AND withdrawn IS NULL
          AND NOT EXISTS (SELECT FROM attendees a WHERE a.meeting_id = m.id AND a.standing = 'prospect')
        """,
        [row["meeting_id"] for row in prospects],
        GONE,
    )
    return {"invitations": invitations, "meeting titles": titles, "meetings with nobody else": withdrawn}


async def _forget_people(connection: Connection, traces: Traces) -> dict[str, int]:
    """Their row and all that hangs on it; requests that were about nobody else; their company, if nobody else is there."""
    requests = await _count(
        connection,
        """
        DELETE FROM research r WHERE kind = 'adhoc' AND id = ANY($1)
          AND NOT EXISTS (SELECT FROM research_prospects p WHERE p.research_id = r.id AND NOT p.subject_id = ANY($2))
        """,
        traces.researches,
        traces.people,
    )
    # Asked for by a hash of all its addresses: it is not found by them any more.
    await connection.execute(
        "UPDATE research SET request_key = 'erased/' || id WHERE kind = 'adhoc' AND id = ANY($1)", traces.researches
    )
    await connection.execute(
        """
        DELETE FROM run_subjects r USING run_subjects theirs
        WHERE theirs.subject_id = ANY($1) AND (r.research_id, r.version) = (theirs.research_id, theirs.version)
        """,
        traces.people,
    )
    await connection.execute("DELETE FROM tries WHERE subject_id = ANY($1)", traces.people)
    companies = await connection.fetch(
        """
        WITH gone AS (DELETE FROM subjects WHERE id = ANY($1) RETURNING domain)
        DELETE FROM subjects c WHERE kind = 'company' AND domain IN (SELECT domain FROM gone) AND NOT EXISTS (
          SELECT FROM subjects p WHERE p.kind = 'person' AND p.domain = c.domain AND NOT p.id = ANY($1)
        ) RETURNING id
        """,
        traces.people,
    )
    return {"requests": requests, "people": len(traces.people), "companies": len(companies)}


async def _undo(connection: Connection, traces: Traces) -> None:
    """As if they had not been worked on yet. Their versions go on."""
    await connection.execute(
        """
        UPDATE research SET status = 'requested', brief_id = NULL, next_brief_id = NULL, run_id = NULL, begun_at = NULL,
          ended_at = NULL, failed_step = NULL, failure_reason = NULL, cancelled = false, economies = '{}'
        WHERE id = ANY($1)
        """,
        traces.undone,
    )


async def _changed(connection: Connection, traces: Traces, now: datetime) -> list[RowId]:
    """Meetings that are not what they were. Those to come that a workflow looks after already are to be told."""
    rows = await connection.fetch(
        """
        UPDATE meetings SET revision = revision + 1 WHERE id = ANY($1)
        RETURNING id, calendar_id IS NOT NULL AND told <> 0 AND coalesce(ends_at, starts_at + $3::interval) > $2 AS waiting
        """,
        [*traces.meetings, *traces.undone],
        now,
        USUAL_LENGTH,
    )
    return [row["id"] for row in rows if row["waiting"]]


async def _ids(connection: Connection, query: str, *values: Sequence[RowId] | str | datetime) -> list[RowId]:
    return [row["id"] for row in await connection.fetch(query, *values)]


async def _count(connection: Connection, statement: str, *values: object) -> int:
    """How many rows it has changed."""
    said: str = await connection.execute(statement, *values)
    return int(said.rpartition(" ")[2])


_ATTENDED = f"""
SELECT id FROM meetings WHERE id IN (SELECT meeting_id FROM attendees WHERE {BARE} = $1) ORDER BY id FOR UPDATE
"""  # noqa: S608 - put together from constants

_ABOUT = """
SELECT id FROM research r
WHERE EXISTS (SELECT FROM research_prospects p WHERE p.research_id = r.id AND p.subject_id = ANY($1))
  OR EXISTS (SELECT FROM run_subjects s WHERE s.research_id = r.id AND s.subject_id = ANY($1))
  OR EXISTS (SELECT FROM briefs b JOIN brief_subjects s ON s.brief_id = b.id
    WHERE b.research_id = r.id AND s.subject_id = ANY($1))
ORDER BY id FOR UPDATE
"""

# About them, in words that name them, or with a fact that rests on a source which does.
_BRIEFS = """
SELECT id FROM briefs b
WHERE id = ANY($2)
  OR EXISTS (SELECT FROM brief_subjects s WHERE s.brief_id = b.id AND s.subject_id = ANY($1))
  OR EXISTS (SELECT FROM claims c WHERE c.brief_id = b.id AND (c.subject_id = ANY($1) OR c.evidence_id = ANY($3)))
ORDER BY id
"""

_UNDONE = """
SELECT id FROM research r
WHERE brief_id = ANY($2)
  OR EXISTS (SELECT FROM run_subjects s WHERE s.research_id = r.id AND s.version = r.version AND s.subject_id = ANY($1))
ORDER BY id FOR UPDATE
"""

_MARKS = """
DELETE FROM marks WHERE subject_id = ANY($1) OR id = ANY($2)
  OR (subject_id IS NULL AND claim_id IN (SELECT id FROM claims WHERE brief_id = ANY($3)))
"""

# Also those of runs that ended without a brief.
_DRAFTS = """
DELETE FROM answers a WHERE brief_id IS NOT NULL AND (
  brief_id = ANY($3) OR id = ANY($2) OR EXISTS (
    SELECT FROM run_subjects s WHERE s.research_id = a.research_id AND s.version = a.version AND s.subject_id = ANY($1)
  )
)
"""
