"""Marks: what readers said of claims. A claim goes with its brief; what it said, and of whom, stays with the mark."""

from datetime import datetime

from activities.store.database import Connection, Database, patient
from schemas.base import RowId, TenantId
from schemas.briefs import Mark, Verdict
from schemas.marks import Said
from schemas.research import Writing

# Of the marks that bear on a brief: the newest.
MOST_MARKS = 500


class MarkStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    @patient
    async def mark(self, tenant_id: TenantId, user_id: RowId, claim_id: RowId, verdict: Verdict, now: datetime) -> bool:
        """Note what somebody says of a claim, in place of what they said before; whether there is such a claim.

        Somebody who is not who we took them for is looked up again: their freshness is dropped. Safe to run twice.
        """
        async with self._database.tenant(tenant_id) as connection:
            marked = await connection.fetchval(
                """
                INSERT INTO marks AS m (tenant_id, user_id, research_id, claim_id, subject_id, verdict, text, url, quote,
                  created_at)
                SELECT current_tenant(), $1, b.research_id, c.id, coalesce(c.subject_id, (
                    SELECT min(f.subject_id::text)::uuid FROM claims f WHERE f.id = ANY(c.rests_on)
                    HAVING count(DISTINCT f.subject_id) = 1
                  )), $3, c.text, coalesce(e.url, ''), coalesce(c.quote, ''), $4
                FROM claims c JOIN briefs b ON b.id = c.brief_id LEFT JOIN evidence e ON e.id = c.evidence_id
                WHERE c.id = $2
                ON CONFLICT (tenant_id, user_id, claim_id)
                  DO UPDATE SET verdict = excluded.verdict, created_at = excluded.created_at
                RETURNING true
                """,
                user_id,
                claim_id,
                verdict.value,
                now,
            )
            if marked and verdict is Verdict.WRONG_PERSON:
                await _ask_again(connection, claim_id, now)
            return bool(marked)

    @patient
    async def unmark(self, tenant_id: TenantId, user_id: RowId, claim_id: RowId) -> bool:
        """Take back what somebody said; whether they had said anything."""
        async with self._database.tenant(tenant_id) as connection:
            gone = await connection.fetchval(
                "DELETE FROM marks WHERE user_id = $1 AND claim_id = $2 RETURNING true", user_id, claim_id
            )
            return bool(gone)

    @patient
    async def has(self, tenant_id: TenantId, brief_id: RowId, claim_id: RowId) -> bool:
        """This tenant has such a brief, and that has such a claim."""
        async with self._database.tenant(tenant_id) as connection:
            row = await connection.fetchrow("SELECT FROM claims WHERE brief_id = $1 AND id = $2", brief_id, claim_id)
            return row is not None

    @patient
    async def said(self, tenant_id: TenantId, brief_id: RowId) -> tuple[Said, ...]:
        """What has been said of a brief's claims, by whom, the oldest first."""
        async with self._database.tenant(tenant_id) as connection:
            rows = await connection.fetch(
                """
                SELECT m.claim_id, m.user_id, u.name AS user, m.verdict
                FROM claims c JOIN marks m ON m.claim_id = c.id JOIN users u ON u.id = m.user_id
                WHERE c.brief_id = $1 ORDER BY m.created_at, m.id
                """,
                brief_id,
            )
            return tuple(Said(**row) for row in rows)


async def bearing_on(connection: Connection, order: Writing) -> tuple[Mark, ...]:
    """What any member said of claims about these subjects, and of earlier versions of this brief; the newest first."""
    rows = await connection.fetch(
        """
        SELECT subject_id, verdict, text, url, quote FROM marks
        WHERE research_id = $1
          OR subject_id IN (SELECT subject_id FROM run_subjects WHERE research_id = $1 AND version = $2)
        ORDER BY created_at DESC, id LIMIT $3
        """,
        order.research_id,
        order.version,
        MOST_MARKS,
    )
    return tuple(Mark(**row) for row in rows)


async def _ask_again(connection: Connection, claim_id: RowId, now: datetime) -> None:
    """The next run looks up whom the claim is about. An answer of which something is left serves no more.

    One of which nothing is left still stands for its question, so that the next one is asked.
    """
    subjects = [
        row["subject_id"]
        for row in await connection.fetch(
            """
            SELECT DISTINCT f.subject_id FROM claims c JOIN claims f ON f.id = c.id OR f.id = ANY(c.rests_on)
            JOIN subjects s ON s.id = f.subject_id AND s.kind = 'person' WHERE c.id = $1
            """,
            claim_id,
        )
    ]
    await connection.execute("UPDATE subjects SET fresh_until = NULL WHERE id = ANY($1::uuid[])", subjects)
    await connection.execute(
        """
        UPDATE answers a SET fresh_until = $2 WHERE a.subject_id = ANY($1::uuid[]) AND a.fresh_until > $2 AND EXISTS (
          SELECT FROM evidence e WHERE e.answer_id = a.id AND NOT EXISTS (
            SELECT FROM marks m WHERE m.subject_id = e.subject_id AND m.url = e.url AND m.verdict = 'wrong_person'
          )
        )
        """,
        subjects,
        now,
    )
