"""What a model answered for a run, and what is made of it: paid for once. Within one transaction."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

import asyncpg

from activities.ports import ModelAnswer, Usage
from activities.skills.ports import BoughtBy, KeptReply, Reply, ToolCall, Written
from activities.spending import Purchase
from activities.store import spending
from activities.store.database import Connection, storable_all
from schemas.base import RowId
from schemas.skills import ERASED


async def kept(connection: Connection, run_id: RowId, *, sandbox: bool) -> Mapping[str, Reply]:
    rows = await connection.fetch(
        "SELECT asked, reply FROM skill_replies WHERE skill_run_id = $1 AND sandbox = $2", run_id, sandbox
    )
    return {row["asked"]: _reply(row["reply"]) for row in rows}


async def keep(connection: Connection, kept: KeptReply, bought: Purchase, by: BoughtBy, now: datetime) -> None:
    """With what it cost. Of a run that is gone meanwhile, or was emptied, it is paid and not kept."""
    there = await connection.fetchval(
        "SELECT failed_step IS DISTINCT FROM $2 FROM skill_runs WHERE id = $1 FOR UPDATE", bought.work_id, ERASED
    )
    reply = kept.reply
    answer = ModelAnswer(text=reply.text, stopped=reply.stopped, model=reply.model, usage=reply.usage)
    bill = await spending.bill(connection, bought, by.provider, answer)
    new = await connection.fetchval(
        """
        INSERT INTO skill_replies AS old (tenant_id, skill_run_id, asked, reply, provider, model, input_tokens,
          output_tokens, cost_micro_usd, workflow_id, run_id, sandbox, created_at)
        SELECT current_tenant(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12 WHERE $13
        ON CONFLICT (tenant_id, skill_run_id, asked) DO UPDATE SET reply = excluded.reply, provider = excluded.provider,
          model = excluded.model, input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens,
          cost_micro_usd = excluded.cost_micro_usd, workflow_id = excluded.workflow_id, run_id = excluded.run_id,
          sandbox = excluded.sandbox, created_at = excluded.created_at
        WHERE old.sandbox <> excluded.sandbox
        RETURNING true
        """,
        bought.work_id,
        kept.asked,
        storable_all(asdict(reply)),
        by.provider,
        reply.model,
        bill.input_tokens,
        bill.output_tokens,
        bill.micro_usd,
        by.workflow_id,
        by.run_id,
        by.sandbox,
        now,
        bool(there),
    )
    await spending.settle(connection, bill, now, new=bool(new))
    await count(connection, bought.work_id)


async def count(connection: Connection, run_id: RowId) -> None:
    """What it has used up to now: what was answered and not kept is paid as well."""
    await connection.execute(
        """
        UPDATE skill_runs SET
          tokens_in = (SELECT coalesce(sum(input_tokens), 0) FROM skill_replies WHERE skill_run_id = $1),
          tokens_out = (SELECT coalesce(sum(output_tokens), 0) FROM skill_replies WHERE skill_run_id = $1),
          cost_micro_usd = (
            SELECT coalesce(sum(micro_usd), 0) FROM spending WHERE work_id = $1 AND state = 'settled'
          )
        WHERE id = $1
        """,
        run_id,
    )


async def write(connection: Connection, run_id: RowId, written: Written) -> None:
    await connection.execute(
        "UPDATE skill_runs SET written = $2, skill_version = $3, draft = $4 WHERE id = $1",
        run_id,
        storable_all(asdict(written)),
        written.skill_version,
        storable_all(written.text),
    )


def written(row: asyncpg.Record) -> Written | None:
    return Written(**row["written"]) if row["written"] else None


def _reply(said: Mapping[str, Any]) -> Reply:
    return Reply(
        text=said["text"],
        calls=tuple(ToolCall(**call) for call in said["calls"]),
        stopped=said["stopped"],
        model=said["model"],
        usage=Usage(**said["usage"]) if said["usage"] else None,
    )
