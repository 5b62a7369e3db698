"""Erasures: the request, and the deletion of all that is stored of a person, in transactions that can be done again.

request ─▶ begin: suppressed ─▶ sweep: (busy | rows deleted, counted with them)* ─▶ finish: the address itself
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg

from activities import errors
from activities.attendance import unplussed
from activities.erasures import Run, Swept
from activities.mentions import Named
from activities.store import forgetting, mentions, suppressions
from activities.store.database import Connection, Database, patient
from activities.store.forgetting import Traces
from schemas.base import Email, PersonKey, RowId, TenantId
from schemas.erasures import Erasure, ErasureReport

# Texts that users wrote are not ours to change: they are counted.
LEFT = "campaigns"


class MemberError(Exception):
    """The address is that of a user, or of an account that is read: whose it is still works here."""


class ErasureStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    @patient
    async def request(self, tenant_id: TenantId, email: Email, now: datetime) -> RowId:
        """The row that asks for it. Safe to run twice: one that is not done yet is the same. MemberError for a member."""
        async with self._database.tenant(tenant_id) as connection:
            await _refuse_members(connection, email)
            await connection.execute("SELECT FROM tenants FOR NO KEY UPDATE")
            erasure_id: RowId = await connection.fetchval(
                """
                WITH pending AS (SELECT id FROM erasures WHERE email = $1 LIMIT 1), made AS (
                  INSERT INTO erasures (tenant_id, email, requested_at)
                  SELECT current_tenant(), $1, $2 WHERE NOT EXISTS (SELECT FROM pending) RETURNING id
                )
                SELECT id FROM pending UNION ALL SELECT id FROM made
                """,
                email,
                now,
            )
            return erasure_id

    @patient
    async def allow(self, tenant_id: TenantId, key: PersonKey) -> bool:
        """Whether they were suppressed; now they are not. Safe to run twice."""
        async with self._database.tenant(tenant_id) as connection:
            return await suppressions.lift(connection, key)

    @patient
    async def report(self, erasure: Erasure) -> ErasureReport:
        async with self._database.tenant(erasure.tenant_id) as connection:
            row = await _row(connection, erasure)
            said = row["report"] or {}
            return ErasureReport(
                id=row["id"],
                requested_at=row["requested_at"],
                finished_at=row["finished_at"],
                counts=said.get("counts", {}),
                unwritten=said.get("unwritten", ()),
            )

    @patient
    async def email(self, erasure: Erasure) -> str | None:
        """Whom it is about; None once it is done."""
        async with self._database.tenant(erasure.tenant_id) as connection:
            email: str | None = (await _row(connection, erasure))["email"]
            return email

    @patient
    async def begin(self, erasure: Erasure, key: PersonKey, now: datetime) -> None:
        """They are stored no more, and their names are known while they are looked for. Safe to run twice."""
        async with self._database.tenant(erasure.tenant_id) as connection:
            row = await _row(connection, erasure, lock=True)
            if row["email"] is None:
                return
            await suppressions.add(connection, key, now)
            names = await forgetting.names(connection, unplussed(row["email"]))
            await connection.execute(
                "UPDATE erasures SET names = $2 WHERE id = $1", row["id"], sorted({*row["names"], *names})
            )

    @patient
    async def sweep(self, erasure: Erasure, now: datetime) -> Swept:
        """Everything that is found goes, in one transaction, unless a research that may write of it is under way.

        Safe to run twice: what went is counted in the same transaction.
        """
        async with self._database.tenant(erasure.tenant_id) as connection:
            row = await _row(connection, erasure)
        if row["email"] is None:
            return Swept()
        person = Named(row["email"], tuple(row["names"]))
        named = await mentions.find(self._database, erasure.tenant_id, person, but=frozenset({LEFT}))
        async with self._database.tenant(erasure.tenant_id) as connection:
            # One at a time: a step that was taken for dead may still be at it.
            await _row(connection, erasure, lock=True)
            traces = await Traces.of(connection, unplussed(person.email), named)
            if busy := await traces.busy(connection):
                return Swept(busy=tuple(Run(one["id"], one["run_id"]) for one in busy))
            return await _forget(connection, erasure, traces, now)

    @patient
    async def stopped(self, tenant_id: TenantId, runs: Sequence[Run], now: datetime) -> None:
        """These runs are over, whatever they could still say. Safe to run twice, and late: another run's row stays."""
        async with self._database.tenant(tenant_id) as connection:
            await connection.execute(
                """
                UPDATE research r SET status = 'failed', failed_step = 'research', cancelled = true, ended_at = $3,
                  failure_reason = 'research: the run was ended from outside'
                FROM unnest($1::uuid[], $2::text[]) AS s(id, run_id)
                WHERE r.id = s.id AND r.run_id = s.run_id AND r.status = 'generating'
                """,
                [run.research_id for run in runs],
                [run.run_id for run in runs],
                now,
            )

    @patient
    async def researches(self, erasure: Erasure) -> list[RowId]:
        """Those that were about them, and whose runs are still to be deleted."""
        async with self._database.tenant(erasure.tenant_id) as connection:
            said = (await _row(connection, erasure))["report"] or {}
            return list(said.get("researches", []))

    @patient
    async def deleted(self, erasure: Erasure, research_id: RowId, runs: int) -> None:
        """Safe to run twice: it is counted once."""
        async with self._database.tenant(erasure.tenant_id) as connection:
            said = (await _row(connection, erasure, lock=True))["report"] or {}
            if research_id in said.get("researches", []):
                left = [one for one in said["researches"] if one != research_id]
                await _note(connection, erasure, {**_added(said, {"workflow runs": runs}), "researches": left})

    @patient
    async def finish(self, erasure: Erasure, now: datetime) -> dict[str, int]:
        """The address is nowhere now. Safe to run twice: the report stays."""
        async with self._database.tenant(erasure.tenant_id) as connection:
            row = await _row(connection, erasure, lock=True)
            said = row["report"] or {}
            if row["email"] is None:
                return dict(said.get("counts", {}))
            if said.get("researches"):
                raise errors.unfinished("workflow runs are left")
            await connection.execute(
                "UPDATE erasures SET email = NULL, names = '{}', finished_at = $2, report = $3 WHERE id = $1",
                erasure.erasure_id,
                now,
                {"counts": said.get("counts", {}), "unwritten": said.get("unwritten", [])},
            )
            return dict(said.get("counts", {}))


async def _refuse_members(connection: Connection, email: Email) -> None:
    rows = await connection.fetch("SELECT email FROM users UNION SELECT account FROM connections")
    if unplussed(email) in {unplussed(row["email"].lower()) for row in rows}:
        raise MemberError


async def _row(connection: Connection, erasure: Erasure, *, lock: bool = False) -> asyncpg.Record:
    query = "SELECT * FROM erasures WHERE id = $1"
    row = await connection.fetchrow(query + " FOR UPDATE" if lock else query, erasure.erasure_id)
    if row is None:
        raise errors.not_found("erasure")
    return row


async def _forget(connection: Connection, erasure: Erasure, traces: Traces, now: datetime) -> Swept:
    counts, meetings = await forgetting.forget(connection, traces, now)
    row = await _row(connection, erasure)
    said = _added(row["report"] or {}, counts)
    said["researches"] = sorted({*said.get("researches", []), *traces.researches})
    unwritten = await traces.unwritten(connection, now)
    said["unwritten"] = sorted({*said.get("unwritten", []), *unwritten})
    await _note(connection, erasure, said)
    return Swept(changed=any(counts.values()), meetings=tuple(meetings))


def _added(said: dict[str, Any], counts: dict[str, int]) -> dict[str, Any]:
    total = dict(said.get("counts", {}))
    for what, count in counts.items():
        if count:
            total[what] = total.get(what, 0) + count
    return {**said, "counts": total}


async def _note(connection: Connection, erasure: Erasure, said: dict[str, Any]) -> None:
    await connection.execute("UPDATE erasures SET report = $2 WHERE id = $1", erasure.erasure_id, said)
