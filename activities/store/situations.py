"""How a meeting stands: what its workflow decides by."""

from datetime import datetime, timedelta

import asyncpg

from activities import errors
from activities.calendars.rules import USUAL_LENGTH
from activities.store.database import Connection, Database, patient
from schemas.base import RowId
from schemas.meetings import BriefStanding, Look, Situation
from schemas.notices import brief_key, failed_key

# A brief of this confidence is tried again before the meeting.
THIN = "LOW"


class SituationStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    @patient
    async def situation(self, look: Look) -> Situation:
        async with self._database.tenant(look.tenant_id) as connection:
            row = await _meeting(connection, look.meeting_id)
            brief = await _brief(connection, look.meeting_id, row["starts_at"])
            told = await _ended(connection, failed_key(look.meeting_id, row["starts_at"]))
            return Situation(
                meeting_id=look.meeting_id,
                revision=row["revision"],
                user_id=row["user_id"],
                starts_at=row["starts_at"],
                ends_at=row["ends_at"] or row["starts_at"] + USUAL_LENGTH,
                idle=_idle(row),
                premium=row["premium"],
                deliver_before_s=timedelta(minutes=row["deliver_before_min"]).total_seconds(),
                by_mail=row["briefs_by_mail"],
                brief=brief,
                tried_at=row["begun_at"] if row["tried_all"] and not row["called_off"] else None,
                busy=row["status"] == "generating",
                failed=row["status"] == "failed" and not row["called_off"],
                told=told,
            )


async def _meeting(connection: Connection, meeting_id: RowId) -> asyncpg.Record:
    row = await connection.fetchrow(
        """
        SELECT m.revision, m.user_id, m.starts_at, m.ends_at, m.withdrawn, c.active, t.premium, u.deliver_before_min,
          u.briefs_by_mail, r.begun_at, r.status, r.cancelled AS called_off,
          EXISTS (SELECT FROM research_prospects p WHERE p.research_id = m.id) AS anybody,
          NOT EXISTS (
            SELECT FROM research_prospects p WHERE p.research_id = m.id AND NOT EXISTS (
              SELECT FROM run_subjects s WHERE s.research_id = m.id AND s.version = r.version
                AND s.subject_id = p.subject_id
            )
          ) AS tried_all
        FROM meetings m JOIN users u ON u.id = m.user_id JOIN campaigns c ON c.id = m.campaign_id
        JOIN tenants t ON t.id = m.tenant_id JOIN research r ON r.id = m.id
        WHERE m.id = $1
        """,
        meeting_id,
    )
    if row is None:
        raise errors.not_found("meeting")
    return row


def _idle(row: asyncpg.Record) -> str:
    """The first reason for doing nothing."""
    reasons = (
        (row["withdrawn"] is not None, row["withdrawn"]),
        (not row["anybody"], "nobody from outside"),
        (not row["active"], "its campaign is not active"),
    )
    return next((reason for holds, reason in reasons if holds), "")


async def _brief(connection: Connection, meeting_id: RowId, starts_at: datetime) -> BriefStanding | None:
    """The newest finished brief. What nobody could find out counts as asked when its question was."""
    row = await connection.fetchrow(
        """
        SELECT b.id, b.confidence, b.facts_digest,
          NOT EXISTS (
            SELECT FROM research_prospects p WHERE p.research_id = r.id AND NOT EXISTS (
              SELECT FROM brief_subjects s WHERE s.brief_id = b.id AND s.subject_id = p.subject_id
            )
          ) AS covers,
          (SELECT min(s.last_researched_at) FROM research_prospects p JOIN subjects s ON s.id = p.subject_id
           WHERE p.research_id = r.id) AS people_asked_at,
          (SELECT min(s.last_researched_at) FROM brief_subjects bs JOIN subjects s ON s.id = bs.subject_id
           WHERE bs.brief_id = b.id AND s.kind = 'company') AS companies_asked_at
        FROM research r JOIN briefs b ON b.id = r.brief_id WHERE r.id = $1
        """,
        meeting_id,
    )
    if row is None:
        return None
    return BriefStanding(
        brief_id=row["id"],
        covers=row["covers"],
        thin=row["confidence"] == THIN,
        digest=row["facts_digest"],
        delivered=await _ended(connection, brief_key(meeting_id, row["facts_digest"], starts_at)),
        people_asked_at=row["people_asked_at"],
        companies_asked_at=row["companies_asked_at"],
    )


async def _ended(connection: Connection, key: str) -> bool:
    """The notice was sent, skipped or given up: nothing more is to be done about it."""
    ended: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM notices WHERE key = $1 AND status <> 'pending')", key
    )
    return ended
