"""Suppressions: people who asked to be forgotten. They are known by a hash, and never stored again.

A transaction that stores people looks here first; one that adds somebody waits for those that have looked.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from activities.attendance import unplussed
from activities.calendars.rules import Withdrawal
from activities.store.database import Connection
from schemas.base import PersonKey
from schemas.meetings import MeetingFacts

# In the place of a title that may name them.
UNTITLED = "Meeting"
GONE = Withdrawal.NOBODY.value


class SuppressedError(Exception):
    """Somebody who is to be stored asked to be forgotten; `emails` says who."""

    def __init__(self, emails: frozenset[str]) -> None:
        super().__init__("somebody asked to be forgotten")
        self.emails = emails


async def among(connection: Connection, emails: Iterable[str], keys: Mapping[str, PersonKey]) -> frozenset[str]:
    """Who of these is suppressed, under whichever +tag. Nobody becomes so until the transaction has ended."""
    wanted = sorted({email for email in emails if unplussed(email) in keys})
    if not wanted:
        return frozenset()
    await connection.execute(
        "SELECT pg_advisory_xact_lock_shared(hashtextextended($1::text || current_tenant(), 0))", _LOCK
    )
    rows = await connection.fetch(
        """
        SELECT p.email FROM unnest($1::text[], $2::text[]) AS p(email, key)
        JOIN suppressions s ON s.key = encode(sha256(convert_to('suppressed/' || p.key, 'UTF8')), 'hex')
        """,
        wanted,
        [keys[unplussed(email)] for email in wanted],
    )
    return frozenset(row["email"] for row in rows)


def without(meeting: MeetingFacts, suppressed: frozenset[str]) -> MeetingFacts:
    """The meeting as if they were not there."""
    left = tuple(one for one in meeting.attendees if one.email not in suppressed)
    if len(left) == len(meeting.attendees):
        return meeting
    return meeting.model_copy(update={"attendees": left, "title": UNTITLED})


async def add(connection: Connection, key: PersonKey, now: datetime) -> None:
    """From the end of this transaction nobody stores them. Whoever was about to has ended before."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1::text || current_tenant(), 0))", _LOCK)
    await connection.execute(
        """
        INSERT INTO suppressions (tenant_id, key, created_at)
        VALUES (current_tenant(), encode(sha256(convert_to('suppressed/' || $1, 'UTF8')), 'hex'), $2)
        ON CONFLICT (tenant_id, key) DO NOTHING
        """,
        key,
        now,
    )


async def lift(connection: Connection, key: PersonKey) -> bool:
    """Whether they were suppressed; now they are not."""
    lifted = await connection.fetchval(
        """
        DELETE FROM suppressions WHERE key = encode(sha256(convert_to('suppressed/' || $1, 'UTF8')), 'hex')
        RETURNING true
        """,
        key,
    )
    return bool(lifted)


_LOCK = "suppressions/"
