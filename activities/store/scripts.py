"""Scripts: what a digest tells of, what is said, what a model wrote for it, and what has been spoken."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import asyncpg

from activities.digests.ports import BoughtBy, KeptAnswer, Spoken
from activities.ports import ModelAnswer, Prompt
from activities.spending import Purchase
from activities.store import spending
from activities.store.database import Connection, storable
from schemas.base import RowId
from schemas.digests import Item, Line, Script

# What the failed step of a digest is called that was emptied. What its run still does is not kept.
ERASED = "erased"

_ITEM = ("kind", "key", "topic", "title", "text", "url", "source", "published", "starts_at", "meeting_id", "brief_id")
_LINE = ("turn", "voice", "text", "item", "quote", "start_ms", "end_ms")


async def of(connection: Connection, digest: asyncpg.Record) -> Script | None:
    """The script of a digest, if it is written. One of a quiet day may say nothing."""
    rows = await connection.fetch("SELECT * FROM digest_lines WHERE digest_id = $1 ORDER BY position", digest["id"])
    if not rows and not digest["quiet"]:
        return None
    return Script(
        items=await items(connection, digest["id"]),
        lines=tuple(Line(**{name: row[name] for name in _LINE}) for row in rows),
        quiet=digest["quiet"],
        dropped=digest["dropped"],
    )


async def items(connection: Connection, digest_id: RowId) -> tuple[Item, ...]:
    rows = await connection.fetch("SELECT * FROM digest_items WHERE digest_id = $1 ORDER BY position", digest_id)
    return tuple(Item(**{name: row[name] for name in _ITEM}) for row in rows)


async def save_items(connection: Connection, digest_id: RowId, items: Sequence[Item]) -> None:
    """In place of what it told of before. A meeting that is gone meanwhile is told of all the same."""
    await connection.execute("DELETE FROM digest_items WHERE digest_id = $1", digest_id)
    rows = [(digest_id, position, *_columns(one, _ITEM)) for position, one in enumerate(items, 1)]
    await connection.executemany(
        """
        INSERT INTO digest_items (tenant_id, digest_id, position, kind, key, topic, title, text, url, source, published,
          starts_at, meeting_id, brief_id)
        VALUES (current_tenant(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,
          (SELECT id FROM meetings WHERE id = $12), $13)
        """,
        rows,
    )


async def save(connection: Connection, digest_id: RowId, script: Script) -> None:
    """In place of what was said before."""
    await save_items(connection, digest_id, script.items)
    await connection.execute("DELETE FROM digest_lines WHERE digest_id = $1", digest_id)
    rows = [(digest_id, n, *_columns(one, _LINE)) for n, one in enumerate(script.lines, 1)]
    await connection.executemany(
        """
        INSERT INTO digest_lines (tenant_id, digest_id, position, turn, voice, text, item, quote, start_ms, end_ms)
        VALUES (current_tenant(), $1, $2, $3, $4, $5, $6, $7, $8, $9)
        """,
        rows,
    )
    await connection.execute(
        "UPDATE digests SET quiet = $2, dropped = $3 WHERE id = $1", digest_id, script.quiet, script.dropped
    )


async def clear(connection: Connection, digest_id: RowId) -> None:
    """As if nothing had been gathered yet."""
    for table in ("digest_lines", "digest_items"):
        await connection.execute(f"DELETE FROM {table} WHERE digest_id = $1", digest_id)  # noqa: S608 - constants
    await connection.execute("UPDATE digests SET quiet = false, dropped = 0 WHERE id = $1", digest_id)


async def kept(connection: Connection, digest: asyncpg.Record, *, sandbox: bool) -> Mapping[str, KeptAnswer]:
    rows = await connection.fetch(
        "SELECT asked, answer, stopped, model, version FROM digest_answers WHERE digest_id = $1 AND sandbox = $2",
        digest["id"],
        sandbox,
    )
    return {row["asked"]: _kept(row, digest["version"]) for row in rows}


async def spoken(connection: Connection, digest_id: RowId, *, sandbox: bool) -> Mapping[str, Spoken]:
    rows = await connection.fetch(
        """
        SELECT hash, object_key, duration_ms, characters FROM digest_pieces WHERE digest_id = $1 AND sandbox = $2
        """,
        digest_id,
        sandbox,
    )
    return {row["hash"]: Spoken(row["object_key"], row["duration_ms"], row["characters"]) for row in rows}


async def keep_answer(
    connection: Connection, bought: Purchase, prompt: Prompt, answer: ModelAnswer, by: BoughtBy
) -> None:
    """Good or bad, with what it cost. Of a digest that is gone meanwhile it is paid, and not kept."""
    there = await _is_there(connection, bought.work_id)
    bill = await spending.bill(connection, bought, by.provider, answer)
    new = await connection.fetchval(
        """
        INSERT INTO digest_answers AS old (tenant_id, digest_id, asked, version, answer, stopped, provider, model, prompt,
          input_tokens, output_tokens, cost_micro_usd, workflow_id, run_id, sandbox, created_at)
        SELECT current_tenant(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15 WHERE $16
        ON CONFLICT (tenant_id, digest_id, asked) DO UPDATE SET version = excluded.version, answer = excluded.answer,
          stopped = excluded.stopped, provider = excluded.provider, model = excluded.model,
          input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens,
          cost_micro_usd = excluded.cost_micro_usd, workflow_id = excluded.workflow_id, run_id = excluded.run_id,
          sandbox = excluded.sandbox, created_at = excluded.created_at
        WHERE old.sandbox <> excluded.sandbox OR old.version <> excluded.version
        RETURNING true
        """,
        bought.work_id,
        prompt.asked,
        bought.version,
        storable(answer.text),
        answer.stopped,
        by.provider,
        answer.model,
        by.prompt,
        bill.input_tokens,
        bill.output_tokens,
        bill.micro_usd,
        by.workflow_id,
        by.run_id,
        by.sandbox,
        by.now,
        there,
    )
    await spending.settle(connection, bill, by.now, new=bool(new))


async def keep_piece(
    connection: Connection,
    piece: Purchase,
    hash: str,  # noqa: A002 - as everybody calls it
    spoken: Spoken,
    by: BoughtBy,
    *,
    paid: bool,
) -> None:
    """With what it cost: all that was set aside, for it is paid by the letter. Found without a row, it was paid by a try
    that died, whose money may still be set aside. Of a digest that is gone meanwhile nothing needs it."""
    there = await _is_there(connection, piece.work_id)
    answer = ModelAnswer(text="", stopped="", model=by.model, usage=None)
    bill = replace(await spending.bill(connection, piece, by.provider, answer), assumed=False)
    new = await connection.fetchval(
        """
        INSERT INTO digest_pieces AS old (tenant_id, digest_id, hash, object_key, duration_ms, provider, model, characters,
          cost_micro_usd, workflow_id, run_id, sandbox, created_at)
        SELECT current_tenant(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12 WHERE $13
        ON CONFLICT (tenant_id, digest_id, hash) DO UPDATE SET object_key = excluded.object_key,
          duration_ms = excluded.duration_ms, provider = excluded.provider, model = excluded.model,
          characters = excluded.characters, cost_micro_usd = excluded.cost_micro_usd, workflow_id = excluded.workflow_id,
          run_id = excluded.run_id, sandbox = excluded.sandbox, created_at = excluded.created_at
        WHERE old.sandbox <> excluded.sandbox
        RETURNING true
        """,
        piece.work_id,
        hash,
        spoken.key,
        spoken.duration_ms,
        by.provider,
        by.model,
        spoken.characters,
        bill.micro_usd,
        by.workflow_id,
        by.run_id,
        by.sandbox,
        by.now,
        there,
    )
    if not there:
        await unneeded(connection, [spoken.key], by.now)
    await spending.settle(connection, bill, by.now, new=bool(new) and paid)


async def unneeded(connection: Connection, keys: Sequence[str], now: datetime) -> None:
    """These are to be deleted from where objects are kept."""
    await connection.execute(
        """
        INSERT INTO unneeded_objects (tenant_id, key, since) SELECT current_tenant(), k, $2 FROM unnest($1::text[]) AS k
        ON CONFLICT DO NOTHING
        """,
        keys,
        now,
    )


async def _is_there(connection: Connection, digest_id: RowId) -> bool:
    there: bool | None = await connection.fetchval(
        "SELECT failed_step IS DISTINCT FROM $2 FROM digests WHERE id = $1 FOR UPDATE", digest_id, ERASED
    )
    return bool(there)


def _columns(one: Item | Line, names: Sequence[str]) -> list[object]:
    return [storable(getattr(one, name)) for name in names]


def _kept(row: asyncpg.Record, version: int) -> KeptAnswer:
    answer = ModelAnswer(text=row["answer"], stopped=row["stopped"], model=row["model"], usage=None)
    return KeptAnswer(answer=answer, ours=row["version"] == version)
