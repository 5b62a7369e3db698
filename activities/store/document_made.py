"""What the parts of a run came to, and what a model answered for them: paid for once. Within one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import asyncpg

from activities.documents import keys
from activities.documents.ports import BoughtBy, Differs, Extract, Found, KeptAnswer, Proposed
from activities.ports import ModelAnswer, Usage
from activities.spending import Purchase
from activities.store import spending
from activities.store.database import Connection, storable, storable_all
from activities.store.scripts import unneeded
from schemas.base import RowId
from schemas.documents import PartStep, Passage, Risk, RunStatus, Work

# What code adds at the end stands behind all parts.
AT_THE_END = 1_000_000


async def kept(connection: Connection, run_id: RowId) -> Mapping[str, KeptAnswer]:
    rows = await connection.fetch("SELECT * FROM document_replies WHERE document_run_id = $1", run_id)
    return {row["asked"]: _kept(row) for row in rows}


async def keep(
    connection: Connection,
    run: asyncpg.Record | None,
    step: PartStep,
    asked: str,
    answer: ModelAnswer,
    bought: Purchase,
    by: BoughtBy,
) -> None:
    """With what it cost. Of a run that is gone meanwhile, or was cancelled, it is paid and not kept."""
    bill = await spending.bill(connection, bought, by.provider, answer)
    new = await connection.fetchval(
        """
        INSERT INTO document_replies AS old (tenant_id, document_run_id, asked, version, part, reply, provider, model,
          input_tokens, output_tokens, cost_micro_usd, workflow_id, run_id, sandbox, created_at)
        SELECT current_tenant(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14 WHERE $15
        ON CONFLICT (tenant_id, document_run_id, asked) DO UPDATE SET version = excluded.version, part = excluded.part,
          reply = excluded.reply, provider = excluded.provider, model = excluded.model,
          input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens,
          cost_micro_usd = excluded.cost_micro_usd, workflow_id = excluded.workflow_id, run_id = excluded.run_id,
          sandbox = excluded.sandbox, created_at = excluded.created_at
        WHERE old.sandbox <> excluded.sandbox OR old.version <> excluded.version
        RETURNING true
        """,
        step.run_id,
        asked,
        step.version,
        step.part,
        storable_all(asdict(answer)),
        by.provider,
        answer.model,
        bill.input_tokens,
        bill.output_tokens,
        bill.micro_usd,
        by.workflow_id,
        by.run_id,
        by.sandbox,
        step.now,
        run is not None and run["status"] != RunStatus.CANCELLED,
    )
    await spending.settle(connection, bill, step.now, new=bool(new))
    await count(connection, step.run_id, sandbox=by.sandbox)


async def count(connection: Connection, run_id: RowId, *, sandbox: bool = False) -> None:
    """What it has cost up to now: what was answered and not kept is paid as well."""
    await connection.execute(
        """
        UPDATE document_runs SET sandbox = sandbox OR $2, cost_micro_usd = (
          SELECT coalesce(sum(micro_usd), 0) FROM spending WHERE work_id = $1 AND state = 'settled'
        ) WHERE id = $1
        """,
        run_id,
        sandbox,
    )


async def write(connection: Connection, step: PartStep, extract: Extract) -> None:
    """What came of a part, in place of what there was of it."""
    await _delete(connection, step.run_id, step.part)
    await add_findings(connection, step.run_id, step.part, extract.findings)
    await _add_differences(connection, step.run_id, step.part, extract.differences)
    await _add_proposals(connection, step.run_id, step.part, extract.proposals)
    await connection.execute(
        "UPDATE document_runs SET dropped = dropped || jsonb_build_object($2::text, $3::int) WHERE id = $1",
        step.run_id,
        str(step.part),
        extract.dropped,
    )


async def add_findings(connection: Connection, run_id: RowId, part: int, findings: Sequence[Found]) -> None:
    await connection.executemany(
        """
        INSERT INTO document_findings (tenant_id, document_run_id, part, position, topic, rule, risk, said, clause,
          start_at, end_at, quote)
        VALUES (current_tenant(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        """,
        [
            (
                *(run_id, part, position, one.topic, one.rule, one.risk.value, storable(one.said)),
                *((None,) * 4 if (at := one.passage) is None else (at.clause, at.start, at.end, at.quote)),
            )
            for position, one in enumerate(findings)
        ],
    )


async def _add_differences(connection: Connection, run_id: RowId, part: int, differences: Sequence[Differs]) -> None:
    await connection.executemany(
        """
        INSERT INTO document_differences (tenant_id, document_run_id, part, position, topic, change, matters, said, ours,
          theirs, theirs_document_id)
        SELECT current_tenant(), $1, $2, $3, $4, $5, $6, $7, $8, $9, (SELECT id FROM documents WHERE id = $10)
        """,
        [
            (
                *(run_id, part, position, one.topic, one.change, one.matters.value, storable(one.said)),
                *(_said(one.ours), _said(one.theirs), one.theirs_document_id),
            )
            for position, one in enumerate(differences)
        ],
    )


async def _add_proposals(connection: Connection, run_id: RowId, part: int, proposals: Sequence[Proposed]) -> None:
    await connection.executemany(
        """
        INSERT INTO document_proposals (tenant_id, document_run_id, part, position, passage, replacement, reason, finding_id)
        VALUES (current_tenant(), $1, $2, $3, $4, $5, $6, $7)
        """,
        [
            (
                *(run_id, part, position, _said(one.passage), storable(one.replacement), storable(one.reason)),
                one.finding_id,
            )
            for position, one in enumerate(proposals)
        ],
    )


async def result(connection: Connection, run: asyncpg.Record) -> Extract:
    """What all parts came to, in order, without what code added."""
    findings, differences, proposals = [
        await connection.fetch(
            f"SELECT * FROM {table} WHERE document_run_id = $1 AND part < {AT_THE_END} ORDER BY part, position",  # noqa: S608
            run["id"],
        )
        for table in ("document_findings", "document_differences", "document_proposals")
    ]
    return Extract(
        findings=tuple(
            Found(row["topic"], row["rule"], Risk(row["risk"]), row["said"], passage(row)) for row in findings
        ),
        differences=tuple(map(_differs, differences)),
        proposals=tuple(
            Proposed(Passage(**row["passage"]), row["replacement"], row["reason"], row["finding_id"])
            for row in proposals
        ),
        dropped=sum(run["dropped"].values()),
    )


def passage(row: asyncpg.Record) -> Passage | None:
    if row["quote"] is None:
        return None
    return Passage(clause=row["clause"], start=row["start_at"], end=row["end_at"], quote=row["quote"])


async def undo(connection: Connection, run: asyncpg.Record, now: datetime, *, replies: bool) -> None:
    """Nothing of what this version made is left; its file, perhaps put away by a try that died before it could say so,
    is to be deleted."""
    await _delete(connection, run["id"])
    if replies:
        await connection.execute("DELETE FROM document_replies WHERE document_run_id = $1", run["id"])
    await unneeded(connection, files(run), now)
    await connection.execute(
        "UPDATE document_runs SET pairs = NULL, dropped = '{}', object_key = NULL WHERE id = $1", run["id"]
    )


def files(run: asyncpg.Record) -> list[str]:
    """Where the file of a redline lies, or may."""
    if run["work"] != Work.REDLINE:
        return []
    return [keys.redline(run["tenant_id"], run["document_id"], run["id"], run["version"])]


async def _delete(connection: Connection, run_id: RowId, part: int | None = None) -> None:
    for table in ("document_findings", "document_differences", "document_proposals"):
        await connection.execute(
            f"DELETE FROM {table} WHERE document_run_id = $1 AND part = coalesce($2, part)",  # noqa: S608
            run_id,
            part,
        )


def _kept(row: asyncpg.Record) -> KeptAnswer:
    said: dict[str, Any] = row["reply"]
    usage = Usage(**said["usage"]) if said["usage"] else None
    answer = ModelAnswer(text=said["text"], stopped=said["stopped"], model=said["model"], usage=usage)
    return KeptAnswer(answer, row["version"], row["part"], sandbox=row["sandbox"])


def _differs(row: asyncpg.Record) -> Differs:
    ours, theirs = (Passage(**row[side]) if row[side] else None for side in ("ours", "theirs"))
    return Differs(
        row["topic"], row["change"], Risk(row["matters"]), row["said"], ours, theirs, row["theirs_document_id"]
    )


def _said(at: Passage | None) -> dict[str, Any] | None:
    return None if at is None else at.model_dump()
