"""What the pages, the feed and the command line show of digests. A user sees their own."""

import asyncpg

from activities.store import scripts
from activities.store.database import Connection
from schemas.base import RowId
from schemas.digests import AudioStatus, Chapter, DigestLine, DigestView, Script, Sound


async def lines(connection: Connection, user_id: RowId | None, most: int) -> tuple[DigestLine, ...]:
    rows = await connection.fetch(f"{_DIGESTS} ORDER BY d.day DESC, d.created_at DESC, d.id LIMIT $2", user_id, most)
    return tuple(DigestLine(**{field: row[field] for field in DigestLine.model_fields}) for row in rows)


async def view(connection: Connection, user_id: RowId | None, digest_id: RowId) -> DigestView | None:
    row = await connection.fetchrow(f"{_DIGESTS} AND d.id = $2", user_id, digest_id)
    return None if row is None else _view(row, await scripts.of(connection, row))


async def episodes(connection: Connection, user_id: RowId, most: int) -> tuple[DigestView, ...]:
    rows = await connection.fetch(f"{_DIGESTS} AND d.audio = 'ready' ORDER BY d.day DESC, d.id LIMIT $2", user_id, most)
    told = [Script(items=await scripts.items(connection, row["id"]), lines=()) for row in rows]
    return tuple(_view(row, script) for row, script in zip(rows, told, strict=True))


def _view(row: asyncpg.Record, script: Script | None) -> DigestView:
    said = {field: row[field] for field in DigestView.model_fields if field not in ("sound", "script")}
    return DigestView(**said, sound=_sound(row), script=script)


def _sound(row: asyncpg.Record) -> Sound | None:
    if row["audio"] != AudioStatus.READY:
        return None
    chapters = tuple(Chapter(**one) for one in row["chapters"])
    return Sound(key=row["audio_key"], duration_ms=row["duration_ms"], size=row["size"], chapters=chapters)


_DIGESTS = """
SELECT d.id, d.user_id, d.day, d.status, d.quiet, d.audio, d.audio_reason, d.audio_key, d.duration_ms, d.size, d.chapters,
  d.dropped, coalesce(d.failed_step, '') AS failed_step, coalesce(d.failure_reason, '') AS failure_reason, d.version,
  d.cost_micro_usd, d.sandbox, d.ended_at, coalesce((
    SELECT i.title FROM digest_items i WHERE i.digest_id = d.id ORDER BY i.position LIMIT 1
  ), '') AS title
FROM digests d WHERE ($1::uuid IS NULL OR d.user_id = $1)
"""
