"""How something is asked to be done with a document: the same is one row, however often. Within one transaction."""

from datetime import datetime

import asyncpg

from activities import errors
from activities.store import document_made
from activities.store.database import Connection, storable
from schemas.base import RowId
from schemas.documents import ENDED, Against, AskedRun, NewRun, RunStatus, Work


class UnfitRunError(Exception):
    """What is asked for cannot be done with this document; its text says why, to whoever asked."""


NO_PLAYBOOK = "There is no playbook yet: upload one first"
NO_ANALYSIS = "A document is reviewed before changes are proposed: ask for its review first"
ITSELF = "A document is not compared with itself"
NEEDED = "Changes are being proposed that rest on this: wait for them, or cancel them first"
NO_REFERENCES = "There are no references yet: take them in first"
NOTHING_TO_COMPARE = "Say which document it is to be compared with"


async def ask(connection: Connection, new: NewRun, now: datetime) -> AskedRun:
    """One at a time for a document."""
    other_id = await _other(connection, new)
    await _refuse_unfit(connection, new)
    row = await _row(connection, new, other_id)
    if row is None:
        return await _asked(connection, await _write(connection, new, other_id, now), fresh=True)
    again = new.again or row["status"] != RunStatus.COMPLETED or await _is_outdated(connection, row)
    if row["status"] in ENDED and again:
        await _refuse_needed(connection, new)
        return await _asked(connection, await _anew(connection, row, new, now), fresh=True)
    if new.urgent and row["status"] == RunStatus.QUEUED:
        await connection.execute("UPDATE document_runs SET urgent = true WHERE id = $1", row["id"])
    return await _asked(connection, row["id"], fresh=False)


async def playbook(connection: Connection, user_id: RowId | None) -> RowId | None:
    document_id: RowId | None = await connection.fetchval(
        """
        SELECT id FROM documents WHERE role = 'playbook' AND (user_id IS NULL OR user_id = $1)
        ORDER BY user_id IS NULL, created_at DESC, id LIMIT 1
        """,
        user_id,
    )
    return document_id


async def _other(connection: Connection, new: NewRun) -> RowId | None:
    """What it is compared with, both locked. A document of somebody else's is not found."""
    owner = await connection.fetchrow("SELECT user_id FROM documents WHERE id = $1", new.document_id)
    if owner is None:
        raise errors.not_found("document")
    user_id = owner["user_id"]
    other_id = new.other_id if new.work is Work.COMPARISON and new.against is not Against.NEAREST else None
    if new.work is Work.COMPARISON and new.against is Against.PLAYBOOK and other_id is None:
        other_id = await playbook(connection, user_id)
        if other_id is None:
            raise UnfitRunError(NO_PLAYBOOK)
    if new.work is Work.COMPARISON and new.against is not Against.NEAREST and other_id is None:
        raise UnfitRunError(NOTHING_TO_COMPARE)
    if other_id == new.document_id:
        raise UnfitRunError(ITSELF)
    rows = await connection.fetch(_LOCKED, [one for one in (new.document_id, other_id) if one])
    owners = {row["id"]: row["user_id"] for row in rows}
    if new.document_id not in owners:
        raise errors.not_found("document")
    if other_id is not None and (other_id not in owners or not _may_see(user_id, owners[other_id])):
        raise errors.not_found("document")
    return other_id


# In one order everywhere: documents by their ids, then runs.
_LOCKED = "SELECT id, user_id FROM documents WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE"


def _may_see(user_id: RowId | None, owner: RowId | None) -> bool:
    """A tenant's own document is compared with whatever its operator names."""
    return user_id is None or owner is None or owner == user_id


async def _refuse_unfit(connection: Connection, new: NewRun) -> None:
    if new.work is Work.REDLINE and not await _is_reviewed(connection, new.document_id):
        raise UnfitRunError(NO_ANALYSIS)
    if new.work is Work.COMPARISON and new.against is Against.NEAREST and not await _are_references(connection):
        raise UnfitRunError(NO_REFERENCES)


async def _are_references(connection: Connection) -> bool:
    return bool(
        await connection.fetchval("SELECT EXISTS (SELECT FROM documents WHERE role = 'reference' AND searchable)")
    )


async def _is_outdated(connection: Connection, row: asyncpg.Record) -> bool:
    """The references that are nearest may be others since it began."""
    if row["against"] != Against.NEAREST:
        return False
    return bool(
        await connection.fetchval(
            "SELECT EXISTS (SELECT FROM bootstraps WHERE status = 'completed' AND ended_at > $1)",
            row["started_at"] or row["asked_at"],
        )
    )


async def _is_reviewed(connection: Connection, document_id: RowId) -> bool:
    return bool(
        await connection.fetchval(
            """
            SELECT EXISTS (SELECT FROM document_runs WHERE document_id = $1 AND work = 'analysis' AND status = 'completed')
            """,
            document_id,
        )
    )


async def _refuse_needed(connection: Connection, new: NewRun) -> None:
    """What a redline that is under way rests on stays as it is until that has ended."""
    rests = new.work is Work.ANALYSIS or (new.work is Work.COMPARISON and new.against is Against.PLAYBOOK)
    if rests and await connection.fetchval(
        """
        SELECT EXISTS (SELECT FROM document_runs WHERE document_id = $1 AND work = 'redline' AND status IN ('queued', 'running'))
        """,
        new.document_id,
    ):
        raise UnfitRunError(NEEDED)


async def refuse_unfounded(connection: Connection, run: asyncpg.Record) -> None:
    """A redline that is under way without what was found proposes nothing: whoever asks for it again comes after that."""
    under_way = run["work"] == Work.REDLINE and run["status"] == RunStatus.RUNNING
    if under_way and not await _is_reviewed(connection, run["document_id"]):
        raise errors.unfinished("the document is being reviewed anew")


async def _row(connection: Connection, new: NewRun, other_id: RowId | None) -> asyncpg.Record | None:
    row: asyncpg.Record | None = await connection.fetchrow(
        """
        SELECT * FROM document_runs WHERE document_id = $1 AND work = $2 AND against IS NOT DISTINCT FROM $3
          AND other_id IS NOT DISTINCT FROM $4 FOR UPDATE
        """,
        new.document_id,
        new.work.value,
        _against(new),
        other_id,
    )
    return row


def _against(new: NewRun) -> str | None:
    return new.against.value if new.work is Work.COMPARISON and new.against else None


async def _write(connection: Connection, new: NewRun, other_id: RowId | None, now: datetime) -> RowId:
    run_id: RowId = await connection.fetchval(
        """
        INSERT INTO document_runs (tenant_id, document_id, work, against, other_id, urgent, reason, version, created_at, asked_at)
        SELECT current_tenant(), $1, $2, $3, $4, $5, $6, 1, $7, $7 RETURNING id
        """,
        new.document_id,
        new.work.value,
        _against(new),
        other_id,
        new.urgent,
        storable(new.reason),
        now,
    )
    return run_id


async def _anew(connection: Connection, row: asyncpg.Record, new: NewRun, now: datetime) -> RowId:
    """As another version. What it cost stays; of one that ended well, a model is asked afresh."""
    await document_made.undo(connection, row, now, replies=row["status"] == RunStatus.COMPLETED)
    await connection.execute(
        """
        UPDATE document_runs SET status = 'queued', version = version + 1, run_id = NULL, urgent = $2, reason = $3,
          step = '', percent = 0, message = '', risk = NULL, summary = '[]', notes = '[]', dropped = '{}', object_key = NULL,
          letter = '', failed_step = '', failure_reason = '', retryable = false, asked_at = $4, started_at = NULL,
          ended_at = NULL
        WHERE id = $1
        """,
        row["id"],
        new.urgent,
        storable(new.reason),
        now,
    )
    run_id: RowId = row["id"]
    return run_id


async def _asked(connection: Connection, run_id: RowId, *, fresh: bool) -> AskedRun:
    row = await connection.fetchrow(
        """
        SELECT r.id AS run_id, r.document_id, r.work, r.status, r.urgent, t.premium
        FROM document_runs r, tenants t WHERE r.id = $1
        """,
        run_id,
    )
    assert row is not None, "it is locked"
    return AskedRun(**row, fresh=fresh)
