"""Digests: who is to have one, who makes it just now, what it is made of, and what came of it."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import TypeAlias

import asyncpg

from activities import errors, liveness
from activities.digests import mornings
from activities.digests.ports import BoughtBy, Morning, News, Spoken, Topic
from activities.ports import ModelAnswer, Prompt
from activities.spending import Purchase
from activities.store import digestbook, dues, endings, gathered, news, scripts
from activities.store.database import Connection, Database, patient
from schemas.base import RowId, TenantId
from schemas.digests import (
    DigestBegun,
    DigestDone,
    DigestEnding,
    DigestFailed,
    DigestFailure,
    DigestLine,
    DigestPage,
    DigestPaging,
    DigestStart,
    DigestStatus,
    DigestStep,
    DigestView,
    Quiet,
    Script,
    Sound,
)

Topics: TypeAlias = list[Topic]

# How long and how often it is looked whether others have found what a digest waits for, before its step is tried again.
LOOKS, BETWEEN_S = 40, 0.5


class DigestStore:
    """A Digests, a Requests, and what a user reads of them. `clock` says for how long others are waited for."""

    def __init__(self, database: Database, clock: Callable[[], datetime] = liveness.now) -> None:
        self._database = database
        self._clock = clock

    @patient
    async def due(self, paging: DigestPaging) -> DigestPage:
        """Users with wishes whose day it is, less those whose digest is there or being made."""
        async with self._database.crossing() as connection:
            return await dues.page(connection, paging)

    @patient
    async def ask(
        self, tenant_id: TenantId, user_id: RowId, day: date, topics: Sequence[str] | None, now: datetime
    ) -> RowId:
        """Write down that somebody wants a digest; with topics of its own instead of the user's, when they are given.

        Safe to run twice: a user has one digest of a day. One that is there, or being made, stays as it is; one that
        failed and is wanted with other topics is gathered anew.
        """
        async with self._database.tenant(tenant_id) as connection:
            row = await _row(connection, user_id, day, now)
            wanted = None if topics is None else [topic.words for topic in mornings.topics(topics)]
            if row["status"] in (DigestStatus.REQUESTED, DigestStatus.FAILED) and row["topics"] != wanted:
                await connection.execute("UPDATE digests SET topics = $2 WHERE id = $1", row["id"], wanted)
                await scripts.clear(connection, row["id"])
            return str(row["id"])

    @patient
    async def begin(self, start: DigestStart, *, speaks: bool, sandbox: bool) -> DigestBegun:
        """Take the digest for this run: a new version, once for each run; an older run that comes late is refused.

        What was gathered and written is left as it is, unless that was a quiet day: it may be one no more.
        """
        async with self._database.tenant(start.tenant_id) as connection:
            row = await _row(connection, start.user_id, start.day, start.now)
            again = row["run_id"] == start.run_id
            if row["failed_step"] == scripts.ERASED:
                raise errors.superseded()
            if not again and row["begun_at"] is not None and row["begun_at"] > start.now:
                raise errors.superseded()
            if row["status"] in endings.DONE:
                return DigestBegun(digest_id=row["id"], version=row["version"], done=endings.done(row))
            if row["quiet"] and not again:
                await scripts.clear(connection, row["id"])
            spoken = speaks and row["digest_audio"]
            taken = await _take(connection, row["id"], start, spoken=spoken, sandbox=sandbox)
            unasked = await news.unasked(connection, taken)
            return DigestBegun(
                digest_id=taken["id"],
                version=taken["version"],
                unasked=len(unasked),
                spoken=spoken,
                by_mail=row["digests_by_mail"],
            )

    async def unasked(self, step: DigestStep) -> Topics:
        """The interests that are this digest's to ask about: nobody of its tenant has, nor does.

        Those of which others want to know at once are waited for: what they find is found for all. Safe to run twice,
        the same digest asks again; one that has died over it is asked for by others, after a while.
        """
        for _ in range(LOOKS):
            ours, others = await self._claim(step)
            if ours or not others:
                return ours
            await asyncio.sleep(BETWEEN_S)
        raise errors.unfinished("another digest asks about the same")

    @patient
    async def _claim(self, step: DigestStep) -> tuple[Topics, bool]:
        async with self._database.tenant(step.tenant_id) as connection:
            return await news.claim(connection, await _own(connection, step), self._clock())

    @patient
    async def keep_news(
        self, step: DigestStep, topic: Topic, found: Sequence[News], bought: Purchase, by: BoughtBy
    ) -> None:
        """Safe to run twice: an interest has one answer of a day. What was set aside is settled with it."""
        async with self._database.tenant(step.tenant_id) as connection:
            row = await connection.fetchrow("SELECT id, day FROM digests WHERE id = $1 FOR UPDATE", step.digest_id)
            await news.keep(connection, row, topic, found, bought, by)

    @patient
    async def morning(self, step: DigestStep, *, sandbox: bool) -> Morning:
        """All that it is made of. Its items are gathered, and fixed, when it is first asked for; safe to run twice."""
        async with self._database.tenant(step.tenant_id) as connection:
            row = await _own(connection, step)
            await news.let_go(connection, row["id"])
            script = await scripts.of(connection, row)
            items = script.items if script else await scripts.items(connection, row["id"])
            if script is None and not items:
                items = await gathered.items(connection, row)
                await scripts.save_items(connection, row["id"], items)
            return Morning(
                user_id=row["user_id"],
                name=row["name"],
                day=row["day"],
                time_zone=row["time_zone"],
                quiet=Quiet(row["digest_quiet"]),
                items=items,
                kept=await scripts.kept(connection, row, sandbox=sandbox),
                script=script,
                spoken=await scripts.spoken(connection, row["id"], sandbox=sandbox),
            )

    @patient
    async def keep_answer(
        self, step: DigestStep, bought: Purchase, prompt: Prompt, answer: ModelAnswer, by: BoughtBy
    ) -> None:
        """Store a paid answer, good or bad, before anything is made of it, and settle what it cost.

        Safe to run twice: an ask of a version has one answer.
        """
        async with self._database.tenant(step.tenant_id) as connection:
            await scripts.keep_answer(connection, bought, prompt, answer, by)

    @patient
    async def keep_script(self, step: DigestStep, script: Script) -> None:
        """Safe to run twice: what is written stays as it is."""
        async with self._database.tenant(step.tenant_id) as connection:
            row = await _own(connection, step)
            if await scripts.of(connection, row) is None:
                await scripts.save(connection, row["id"], script)

    @patient
    async def keep_piece(
        self,
        step: DigestStep,
        hash: str,  # noqa: A002 - the port's name
        spoken: Spoken,
        bought: Purchase | None,
        by: BoughtBy,
    ) -> None:
        """Safe to run twice: a piece is kept once. Without a purchase it was found where an earlier try had put it."""
        piece = bought or Purchase(step.tenant_id, step.digest_id, step.version, f"piece/{hash}")
        async with self._database.tenant(step.tenant_id) as connection:
            await scripts.keep_piece(connection, piece, hash, spoken, by, paid=bought is not None)

    @patient
    async def finish(self, ending: DigestEnding, script: Script, sound: Sound | None) -> DigestDone:
        """Status, lines with their times, chapters and event in one transaction.

        Safe to run twice: a version that is done stays as it is, one that was given up is not brought back.
        """
        async with self._database.tenant(ending.tenant_id) as connection:
            return await endings.finish(connection, ending, script, sound)

    @patient
    async def unless_needed(self, step: DigestStep, key: str) -> None:
        """What was put away for a digest that was emptied or given up meanwhile is to be deleted."""
        async with self._database.tenant(step.tenant_id) as connection:
            if not await connection.fetchval("SELECT true FROM digests WHERE audio_key = $1", key):
                await scripts.unneeded(connection, [key], step.now)

    @patient
    async def fail(self, failure: DigestFailure) -> DigestFailed:
        """Say why there is none. If this very version was done after all, that comes back instead.

        A run that never took the digest speaks for it all the same, unless a later one has. Safe to run twice: the row
        is the same, and the event's key is the run's.
        """
        async with self._database.tenant(failure.tenant_id) as connection:
            return await endings.fail(connection, failure)

    @patient
    async def list(self, tenant_id: TenantId, user_id: RowId | None, most: int = 30) -> tuple[DigestLine, ...]:
        """The newest first; without a user, the tenant's."""
        async with self._database.tenant(tenant_id) as connection:
            return await digestbook.lines(connection, user_id, most)

    @patient
    async def view(self, tenant_id: TenantId, user_id: RowId | None, digest_id: RowId) -> DigestView | None:
        """None when it is not there, or somebody else's."""
        async with self._database.tenant(tenant_id) as connection:
            return await digestbook.view(connection, user_id, digest_id)

    @patient
    async def episodes(self, tenant_id: TenantId, user_id: RowId, most: int = 30) -> tuple[DigestView, ...]:
        """Those that can be heard, the newest first, with what they tell of and without what is said."""
        async with self._database.tenant(tenant_id) as connection:
            return await digestbook.episodes(connection, user_id, most)

    @patient
    async def of_day(self, tenant_id: TenantId, user_id: RowId, day: date) -> RowId | None:
        async with self._database.tenant(tenant_id) as connection:
            digest_id: RowId | None = await connection.fetchval(
                "SELECT id FROM digests WHERE user_id = $1 AND day = $2", user_id, day
            )
            return digest_id


_DIGEST = """
SELECT d.*, u.name, u.time_zone, u.digest_sales, u.digest_quiet, u.digest_audio, u.digests_by_mail
FROM digests d JOIN users u ON u.id = d.user_id
"""


async def _row(connection: Connection, user_id: RowId, day: date, now: datetime) -> asyncpg.Record:
    """The digest of a user and day, locked; it is written down if it is not there."""
    await connection.execute(
        """
        INSERT INTO digests (tenant_id, user_id, day, created_at)
        SELECT current_tenant(), id, $2, $3 FROM users WHERE id = $1
        ON CONFLICT (tenant_id, user_id, day) DO NOTHING
        """,
        user_id,
        day,
        now,
    )
    row = await connection.fetchrow(f"{_DIGEST} WHERE d.user_id = $1 AND d.day = $2 FOR UPDATE OF d", user_id, day)
    if row is None:
        raise errors.not_found("user")
    return row


async def _take(
    connection: Connection, digest_id: RowId, start: DigestStart, *, spoken: bool, sandbox: bool
) -> asyncpg.Record:
    row = await connection.fetchrow(
        """
        UPDATE digests SET status = 'generating', version = version + (run_id IS DISTINCT FROM $2)::int, run_id = $2,
          begun_at = CASE WHEN run_id = $2 THEN begun_at ELSE $3 END, ended_at = NULL, failed_step = NULL,
          failure_reason = NULL, audio = $4, audio_reason = '', sandbox = $5
        WHERE id = $1 RETURNING *
        """,
        digest_id,
        start.run_id,
        start.now,
        "pending" if spoken else "none",
        sandbox,
    )
    assert row is not None, "it is locked"
    return row


async def _own(connection: Connection, step: DigestStep) -> asyncpg.Record:
    """Its row, locked, if it is this version's still."""
    row = await connection.fetchrow(f"{_DIGEST} WHERE d.id = $1 FOR UPDATE OF d", step.digest_id)
    if row is None or row["version"] != step.version or row["status"] != DigestStatus.GENERATING:
        raise errors.superseded()
    return row
