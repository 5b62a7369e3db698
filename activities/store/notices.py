"""Notices: one row for each key, what it is about, and what became of it."""

from datetime import datetime

import asyncpg

from activities import errors
from activities.store.database import Connection, Database, patient
from activities.store.digests import DigestStore
from activities.store.library import Library
from schemas.base import RowId, TenantId
from schemas.briefs import Brief
from schemas.digests import DigestView
from schemas.notices import FirstTry, Matter, NoticeOrder, Sent


class NoticeStore:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._library = Library(database)
        self._digests = DigestStore(database)

    @patient
    async def claim(self, order: NoticeOrder, message_id: str, now: datetime) -> Matter | Sent:
        """What the notice is to say, or what became of it. Safe to run twice: a key has one row."""
        async with self._database.tenant(order.tenant_id) as connection:
            await _begin(connection, order, message_id, now)
            row = await connection.fetchrow(_MATTER, order.key, order.connection_id)
            if row is None:
                raise errors.not_found("user to be told")
            return _matter(order, row) if row["status"] == "pending" else _sent(row)

    async def brief(self, tenant_id: TenantId, brief_id: RowId) -> Brief | None:
        return await self._library.brief(tenant_id, brief_id)

    async def digest(self, tenant_id: TenantId, digest_id: RowId) -> DigestView | None:
        return await self._digests.view(tenant_id, None, digest_id)

    @patient
    async def end(self, order: NoticeOrder, sent: Sent, now: datetime, *, sandbox: bool) -> Sent:
        """Safe to run twice: what was sent stays so. That it was given up meanwhile does not bring a mail back."""
        async with self._database.tenant(order.tenant_id) as connection:
            await connection.execute(
                """
                UPDATE notices SET status = $2, reason = nullif($3, ''), sandbox = $4, ended_at = $5
                WHERE key = $1 AND (status = 'pending' OR (status = 'failed' AND $2 = 'sent'))
                """,
                order.key,
                sent.status,
                sent.reason,
                sandbox,
                now,
            )
            return await _ended(connection, order) or sent

    @patient
    async def leave(self, order: NoticeOrder, sent: Sent) -> Sent:
        """Safe to run twice: what is still to be sent is forgotten, and what has ended stays."""
        async with self._database.tenant(order.tenant_id) as connection:
            await connection.execute("DELETE FROM notices WHERE key = $1 AND status = 'pending'", order.key)
            return await _ended(connection, order) or sent

    @patient
    async def give_up(self, order: NoticeOrder, message_id: str, reason: str, now: datetime) -> Sent:
        """Safe to run twice. A notice that was never tried has a row all the same, unless its user is gone."""
        async with self._database.tenant(order.tenant_id) as connection:
            await _begin(connection, order, message_id, now)
            await connection.execute(
                """
                UPDATE notices SET status = 'failed', reason = $2, ended_at = $3 WHERE key = $1 AND status = 'pending'
                """,
                order.key,
                reason,
                now,
            )
            return await _ended(connection, order) or Sent(status="failed", reason=reason)

    @patient
    async def first_try(self, order: NoticeOrder) -> FirstTry:
        async with self._database.tenant(order.tenant_id) as connection:
            return FirstTry(at=await connection.fetchval("SELECT created_at FROM notices WHERE key = $1", order.key))


async def _begin(connection: Connection, order: NoticeOrder, message_id: str, now: datetime) -> None:
    """The row of this key, if there is none yet. What it is about may be gone, and so may its user: then there is none."""
    await connection.execute(
        """
        INSERT INTO notices (tenant_id, key, kind, user_id, meeting_id, research_id, message_id, created_at, call_id,
          letter_id, digest_id, skill_run_id, channel_id, by_channel_id)
        SELECT current_tenant(), $1, $2, u.id, coalesce(m.id, r.meeting_id), r.id, $7, $8, c.id, l.id, d.id, s.id, y.id, b.id
        FROM users u LEFT JOIN meetings m ON m.id = $4 LEFT JOIN research r ON r.id = coalesce($5, $4)
        LEFT JOIN calls c ON c.id = $9 LEFT JOIN letters l ON l.id = $10
        LEFT JOIN digests d ON d.id = $11 LEFT JOIN skill_runs s ON s.id = $12
        LEFT JOIN user_channels y ON y.id = $13 LEFT JOIN user_channels b ON b.id = $14
        WHERE u.id = coalesce(
          $3,
          (SELECT user_id FROM research WHERE id = $5),
          (SELECT user_id FROM meetings WHERE id = $4),
          (SELECT user_id FROM connections WHERE id = $6),
          (SELECT user_id FROM calls WHERE id = $9),
          (SELECT user_id FROM letters WHERE id = $10),
          (SELECT user_id FROM digests WHERE id = $11),
          (SELECT user_id FROM skill_runs WHERE id = $12),
          (SELECT user_id FROM user_channels WHERE id = $13)
        )
        ON CONFLICT (tenant_id, key) DO NOTHING
        """,
        order.key,
        order.kind.value,
        order.user_id,
        order.meeting_id,
        order.research_id,
        order.connection_id,
        message_id,
        now,
        order.call_id,
        order.letter_id,
        order.digest_id,
        order.skill_run_id,
        order.channel_id,
        order.by_channel_id,
    )


# A meeting's connection says whether it is pretended, and so does a call. A letter has the id of the event that asked for it.
_MATTER = """
SELECT n.status, n.reason, n.message_id, n.meeting_id, n.research_id, u.email, u.time_zone, u.briefs_by_mail,
  u.calls_by_mail, n.call_id, coalesce(t.status, '') AS call,
  u.digests_by_mail, n.digest_id, coalesce(g.status, '') AS digest, g.day,
  u.skills_by_mail, n.skill_run_id, coalesce(x.skill, '') AS skill, coalesce(x.status, '') AS run, o.id AS output_id,
  coalesce(o.preview, '') AS preview, n.channel_id, coalesce(y.kind, '') AS channel, coalesce(y.label, '') AS channel_label,
  coalesce(y.status, '') AS channel_status, coalesce(y.reason, '') AS channel_reason,
  coalesce(l.subject, '') AS subject, coalesce(l.body, '') AS body, coalesce(a.name, '') AS application,
  coalesce(m.title, t.title, (
    SELECT string_agg(coalesce(nullif(s.name, ''), s.email), ', ' ORDER BY p.position)
    FROM research_prospects p JOIN subjects s ON s.id = p.subject_id WHERE p.research_id = r.id
  ), '') AS title,
  coalesce(m.starts_at, t.started_at) AS starts_at, m.ends_at, coalesce(m.cancelled OR m.withdrawn IS NOT NULL, false) AS off,
  coalesce(r.status, '') AS research, r.brief_id, coalesce(r.failed_step, t.failed_step, g.failed_step, x.failed_step, '') AS failed_step,
  coalesce(r.failure_reason, t.failure_reason, g.failure_reason, x.failure_reason, '') AS failure_reason,
  coalesce(c.account, '') AS account, coalesce(c.status, '') AS connection, coalesce(c.sandbox, false) OR coalesce(t.sandbox, false) OR coalesce(g.sandbox, false) OR coalesce(x.sandbox, false) AS sandbox,
  EXISTS (
    SELECT FROM calendars k WHERE k.connection_id = c.id AND k.watched AND NOT EXISTS (
      SELECT FROM subscriptions s WHERE s.calendar_id = k.id AND s.status = 'active' AND s.renewal_failures = 0
    )
  ) AS unheard,
  (SELECT min(k.failing_since) FROM calendars k WHERE k.connection_id = c.id AND k.watched) AS dark_since
FROM notices n JOIN users u ON u.id = n.user_id
LEFT JOIN meetings m ON m.id = n.meeting_id
LEFT JOIN research r ON r.id = n.research_id
LEFT JOIN calls t ON t.id = n.call_id
LEFT JOIN letters l ON l.id = n.letter_id
LEFT JOIN digests g ON g.id = n.digest_id
LEFT JOIN skill_runs x ON x.id = n.skill_run_id LEFT JOIN outputs o ON o.skill_run_id = x.id
LEFT JOIN user_channels y ON y.id = n.channel_id
LEFT JOIN received e ON e.id = l.id
LEFT JOIN event_keys a ON a.id = e.event_key_id
LEFT JOIN connections c
  ON c.id = coalesce($2, (SELECT k.connection_id FROM calendars k WHERE k.id = m.calendar_id))
WHERE n.key = $1
"""


def _matter(order: NoticeOrder, row: asyncpg.Record) -> Matter:
    said = {field: row[field] for field in Matter.model_fields if field not in ("order", "to")}
    return Matter(order=order, to=row["email"], **said)


def _sent(row: asyncpg.Record) -> Sent:
    return Sent(status=row["status"], reason=row["reason"] or "")


async def _ended(connection: Connection, order: NoticeOrder) -> Sent | None:
    row = await connection.fetchrow("SELECT status, reason FROM notices WHERE key = $1", order.key)
    return None if row is None else _sent(row)
