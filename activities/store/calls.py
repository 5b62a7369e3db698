"""Calls: how they come in, from wherever, and what they belong to.

webhook │ sweep │ event │ file ─▶ the call's row ─▶ its owner, its meeting, its opportunity
                                       └─▶ who spoke, and what was said, once that is there
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import asyncpg

from activities import errors
from activities.attendance import unplussed
from activities.domains import company_domain
from activities.people import PersonKeys
from activities.ports import Recorded
from activities.store import suppressions, unsaid
from activities.store.database import Connection, Database, patient
from activities.transcripts.ports import NewCall, Taken
from schemas.base import RowId, TenantId
from schemas.transcripts import CallStatus, Speaker, Spoken, Turn

# A call begins a little before or after its meeting was to.
NEARLY = timedelta(minutes=15)

# A meeting of unknown length.
AN_HOUR = timedelta(hours=1)

# What a transcript calls somebody.
LONGEST_KEY = 200


class CallStore:
    """A CallIntake."""

    def __init__(self, database: Database, people: PersonKeys) -> None:
        self._database = database
        self._people = people

    @patient
    async def take(self, tenant_id: TenantId, call: NewCall, spoken: Spoken | None, now: datetime) -> Taken:
        """Write a call down, with its transcript when that is there already.

        Safe to run twice: the same call is the same row, what is known of it stays, and what was not is added.
        """
        async with self._database.tenant(tenant_id) as connection:
            there = (*call.speakers, *(spoken.speakers if spoken else ()))
            forgotten = await self._forgotten(connection, tenant_id, there)
            row = await _enter(connection, replace(call, title="", url="") if forgotten else call, now)
            if forgotten or row["erased"]:
                await unsaid.empty(connection, [row["id"]])
                return Taken(call_id=row["id"], new=row["new"], status=CallStatus.FAILED, erased=True)
            await _hear(connection, row["id"], call.speakers, spoken, now)
            await _link(connection, row["id"], call.opportunity, now)
            return Taken(call_id=row["id"], new=row["new"], status=CallStatus(row["status"]))

    @patient
    async def keep(
        self, tenant_id: TenantId, call_id: RowId, recorded: Recorded | None, spoken: Spoken, now: datetime
    ) -> None:
        """A call's transcript has come, with what its recorder tells of the call.

        Safe to run twice: a call has one transcript, and what is known of it stays.
        """
        async with self._database.tenant(tenant_id) as connection:
            there = (*(recorded.speakers if recorded else ()), *spoken.speakers)
            forgotten = await self._forgotten(connection, tenant_id, there)
            row = await connection.fetchrow(_LOCKED, call_id)
            if row is None:
                raise errors.not_found("call")
            if forgotten or row["erased"]:
                await unsaid.empty(connection, [call_id])
                return
            if recorded is not None:
                await _add(connection, call_id, recorded)
            await _hear(connection, call_id, recorded.speakers if recorded else (), spoken, now)
            await _link(connection, call_id, None, now)

    async def _forgotten(self, connection: Connection, tenant_id: TenantId, there: Sequence[Speaker]) -> bool:
        """Somebody of these asked to be forgotten: nothing of the call is kept but that it was."""
        emails = [one.email for one in there if one.email]
        return bool(await suppressions.among(connection, emails, self._people.all(tenant_id, emails)))


_ERASED = f"failed_step IS NOT DISTINCT FROM '{unsaid.ERASED}' AS erased"
_LOCKED = f"SELECT {_ERASED} FROM calls WHERE id = $1 FOR UPDATE"  # noqa: S608 - put together from constants


async def _enter(connection: Connection, call: NewCall, now: datetime) -> asyncpg.Record:
    """Its row, locked; `new` when it was not there."""
    row = await connection.fetchrow(
        f"""
        INSERT INTO calls AS old (tenant_id, source, source_key, recorder_id, title, url, started_at, duration_s, user_id,
          sandbox, created_at)
        VALUES (current_tenant(), $1, $2, $3, $4, $5, $6, $7, (SELECT id FROM users WHERE email = $8), $9, $10)
        ON CONFLICT (tenant_id, source, source_key) DO UPDATE SET
          recorder_id = coalesce(old.recorder_id, excluded.recorder_id),
          title = coalesce(nullif(old.title, ''), excluded.title),
          url = coalesce(nullif(old.url, ''), excluded.url),
          -- The day of a call is part of what is asked about it.
          started_at = CASE WHEN old.status = 'parsing' THEN old.started_at
            ELSE coalesce(old.started_at, excluded.started_at) END,
          duration_s = coalesce(old.duration_s, excluded.duration_s),
          user_id = coalesce(old.user_id, excluded.user_id),
          sandbox = old.sandbox OR excluded.sandbox
        RETURNING id, status, xmax = 0 AS new, {_ERASED}
        """,  # noqa: S608 - put together from constants
        call.source.value,
        call.source_key,
        call.recorder_id,
        call.title,
        call.url,
        call.started_at,
        call.duration_s,
        call.owner_email,
        call.sandbox,
        now,
    )
    assert row is not None, "an upsert returns its row"
    return row


async def _add(connection: Connection, call_id: RowId, recorded: Recorded) -> None:
    """What was not known of it yet."""
    await connection.execute(
        """
            UPDATE calls SET title = coalesce(nullif(title, ''), $2), url = coalesce(nullif(url, ''), $3),
              started_at = coalesce(started_at, $4), duration_s = coalesce(duration_s, $5),
              user_id = coalesce(user_id, (SELECT id FROM users WHERE email = $6))
            WHERE id = $1
            """,
        call_id,
        recorded.title,
        recorded.url,
        recorded.started_at,
        recorded.duration_s,
        recorded.owner_email and recorded.owner_email.strip().lower(),
    )


async def _hear(
    connection: Connection, call_id: RowId, there: Sequence[Speaker], spoken: Spoken | None, now: datetime
) -> None:
    """Who was there, and the transcript, unless it has one."""
    await _save_speakers(connection, call_id, [*there, *(speakers_of(spoken) if spoken else ())])
    if spoken is None:
        return
    await connection.execute(
        """
        INSERT INTO transcripts (tenant_id, call_id, hash, format, timed, turns, characters, created_at)
        VALUES (current_tenant(), $1, $2, $3, $4, $5, $6, $7) ON CONFLICT (tenant_id, call_id) DO NOTHING
        """,
        call_id,
        spoken.digest(),
        spoken.format,
        spoken.timed,
        [[turn.speaker[:LONGEST_KEY], turn.start_ms, turn.end_ms, turn.text, turn.times] for turn in spoken.turns],
        sum(len(turn.text) for turn in spoken.turns),
        now,
    )


def speakers_of(spoken: Spoken) -> tuple[Speaker, ...]:
    """Everybody who is named in a transcript, those among them whom it does not introduce."""
    known = {one.key: one for one in spoken.speakers}
    for turn in spoken.turns:
        key = turn.speaker[:LONGEST_KEY]
        known.setdefault(key, Speaker(key=key, name=key))
    return tuple(known.values())


async def _save_speakers(connection: Connection, call_id: RowId, speakers: Sequence[Speaker]) -> None:
    """What is known of somebody stays. Whoever is one of us has a user's address, or one at our domains.

    While a call is read nobody comes: what is asked about its parts would be another question.
    """
    once = list({one.key: one for one in reversed(speakers)}.values())[::-1]
    us = await connection.fetchrow(
        """
        SELECT t.domains, ARRAY(SELECT email FROM users) AS users FROM tenants t WHERE t.id = current_tenant()
        """
    )
    assert us is not None, "a tenant sees its own row"
    await connection.execute(
        """
        INSERT INTO speakers AS old (tenant_id, call_id, key, name, email, role, ours, position)
        SELECT current_tenant(), $1, s.key, s.name, s.email, s.role, s.ours,
          (SELECT count(*) FROM speakers WHERE call_id = $1) + s.position
        FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::boolean[]) WITH ORDINALITY
          AS s(key, name, email, role, ours, position)
        WHERE NOT EXISTS (SELECT FROM calls WHERE id = $1 AND status = 'parsing')
        ON CONFLICT (tenant_id, call_id, key) DO UPDATE SET
          name = coalesce(nullif(old.name, ''), excluded.name), email = coalesce(old.email, excluded.email),
          role = coalesce(nullif(old.role, ''), excluded.role), ours = coalesce(old.ours, excluded.ours)
        """,
        call_id,
        [one.key for one in once],
        [one.name for one in once],
        [one.email for one in once],
        [one.role for one in once],
        [_ours(one, frozenset(us["users"]), frozenset(us["domains"])) for one in once],
    )


def _ours(one: Speaker, users: frozenset[str], domains: frozenset[str]) -> bool | None:
    """Whether they are one of us: what their source says, or what their address does."""
    if one.ours is not None or one.email is None:
        return one.ours
    return unplussed(one.email) in users or company_domain(one.email) in domains


async def _link(connection: Connection, call_id: RowId, opportunity: str | None, now: datetime) -> None:
    """To its meeting and its opportunity, unless it has them."""
    await connection.execute(
        "UPDATE calls SET meeting_id = $2 WHERE id = $1 AND meeting_id IS NULL",
        call_id,
        await _meeting(connection, call_id),
    )
    key = opportunity or await _company(connection, call_id)
    if key is None:
        return
    await connection.execute(
        """
        WITH entered AS (
          INSERT INTO opportunities (tenant_id, key, name, created_at) VALUES (current_tenant(), $2, $2, $3)
          ON CONFLICT (tenant_id, key) DO UPDATE SET key = excluded.key RETURNING id
        )
        UPDATE calls SET opportunity_id = (SELECT id FROM entered) WHERE id = $1 AND opportunity_id IS NULL
        """,
        call_id,
        key,
        now,
    )


async def _meeting(connection: Connection, call_id: RowId) -> RowId | None:
    """The one at that time with most of the same people, its owner's before others'. None when two are as good."""
    rows = await connection.fetch(
        """
        SELECT m.id, m.user_id IS NOT DISTINCT FROM c.user_id AS own, count(*) AS common
        FROM calls c
        JOIN meetings m ON m.starts_at <= c.started_at + $2 AND coalesce(m.ends_at, m.starts_at + $3) >= c.started_at - $2
        JOIN attendees a ON a.meeting_id = m.id
        JOIN speakers s ON s.call_id = c.id AND s.email = a.email
        WHERE c.id = $1 AND NOT m.cancelled AND m.withdrawn IS NULL
        GROUP BY m.id, own ORDER BY own DESC, common DESC LIMIT 2
        """,
        call_id,
        NEARLY,
        AN_HOUR,
    )
    if len(rows) == 2 and (rows[0]["own"], rows[0]["common"]) == (rows[1]["own"], rows[1]["common"]):
        return None
    return rows[0]["id"] if rows else None


async def _company(connection: Connection, call_id: RowId) -> str | None:
    """The domain of the company that was met. Of several none: nobody knows which of them buys."""
    rows = await connection.fetch("SELECT email FROM speakers WHERE call_id = $1 AND ours IS FALSE", call_id)
    domains = {company_domain(row["email"]) for row in rows if row["email"]} - {None}
    return domains.pop() if len(domains) == 1 else None


async def spoken(connection: Connection, call_id: RowId) -> Spoken | None:
    """What was said in a call, by whom."""
    row = await connection.fetchrow("SELECT format, timed, turns FROM transcripts WHERE call_id = $1", call_id)
    if row is None:
        return None
    turns = tuple(turn(*one) for one in row["turns"])
    people = await speakers(connection, call_id)
    return Spoken(format=row["format"], timed=row["timed"], speakers=people, turns=turns)


def turn(speaker: str, start_ms: int, end_ms: int, text: str, times: Sequence[Sequence[int]] = ()) -> Turn:
    """As it is kept. An earlier release kept no times beside its beginning."""
    return Turn(speaker=speaker, start_ms=start_ms, end_ms=end_ms, text=text, times=tuple((at, ms) for at, ms in times))


async def speakers(connection: Connection, call_id: RowId) -> tuple[Speaker, ...]:
    rows = await connection.fetch(
        "SELECT key, name, email, role, ours FROM speakers WHERE call_id = $1 ORDER BY position, key", call_id
    )
    return tuple(Speaker(**row) for row in rows)
