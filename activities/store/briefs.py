"""Briefs: what they are written from, and the writing of them."""

from datetime import datetime
from typing import Any

import asyncpg

from activities import errors
from activities.ports import ModelAnswer, Prompt
from activities.research.economy import SMALLER_MODEL
from activities.research.paying import purchase
from activities.research.ports import WrittenBy
from activities.store import earlier, events, marks, promises, spending, tries
from activities.store.database import Connection, Database, patient
from activities.store.lookups import subject
from activities.store.research import WRITTEN_NOW, progress, terminal_key, written
from schemas.briefs import Campaign, Company, Composed, Kept, Material, Person
from schemas.research import Writing, Written


class BriefStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    @patient
    async def material(self, order: Writing, *, sandbox: bool, now: datetime, queued_s: float) -> Material:
        """All that the brief is written from; from here the writing's clock runs.

        Run twice it takes the queued time off twice: the deadline is a little later, never earlier.
        """
        async with self._database.tenant(order.tenant_id) as connection:
            await tries.begin(connection, order.research_id, order.version, order.brief_id, now, queued_s)
            row = await _occasion(connection, order)
            evidence = await _evidence(connection, order, sandbox=sandbox)
            promised = await promises.last_time(connection, order)
            subjects = [subject(one) for one in await _subjects(connection, order)]
            material = Material(
                brief_id=order.brief_id,
                title=row["title"] or "",
                starts_at=row["starts_at"],
                campaign=Campaign.model_validate(
                    {field: row[field] for field in ("name", "offering", "target_customer", "pain_points")}
                ),
                people=tuple(one for one in subjects if isinstance(one, Person)),
                companies=tuple(one for one in subjects if isinstance(one, Company)),
                evidence=tuple(earlier.piece(piece) for piece in evidence),
                answers=await _answers(connection, order),
                last_meeting=await earlier.last_meeting(
                    connection, order, row["starts_at"] or order.now, sandbox=sandbox
                ),
                last_version=await earlier.last_version(connection, order),
                marks=await marks.bearing_on(connection, order),
                promises=promised,
                sandbox=any(piece["sandbox"] for piece in evidence) or await promises.pretended(connection, promised),
            )
            await progress(connection, order.research_id, order.version, WRITTEN_NOW, now)
            return material

    @patient
    async def wait(self, order: Writing, wait_s: float) -> None:
        """The turn to write comes in `wait_s` seconds: until then the deadline stands still."""
        async with self._database.tenant(order.tenant_id) as connection:
            await tries.wait(connection, order.research_id, order.version, order.brief_id, wait_s)

    @patient
    async def keep_answer(
        self, order: Writing, prompt: Prompt, answer: ModelAnswer, by: WrittenBy, *, now: datetime
    ) -> None:
        """Store a paid answer, good or bad, before anything is made of it, and settle what it cost.

        Safe to run twice: an ask has one answer. One about somebody who was forgotten meanwhile is paid, and not kept.
        """
        async with self._database.tenant(order.tenant_id) as connection:
            await _note(connection, order, by.economy)
            bill = await spending.bill(connection, purchase(order), by.provider, answer)
            new = await connection.fetchval(
                """
                INSERT INTO answers (tenant_id, brief_id, research_id, version, asked, provider, model, said,
                  input_tokens, output_tokens, cost_micro_usd, sandbox, asked_at, fresh_until, prompt, workflow_id, run_id)
                SELECT current_tenant(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $14, $15, $16
                WHERE (SELECT count(*) FROM answers WHERE brief_id = $1) < $13
                  AND EXISTS (SELECT FROM run_subjects WHERE research_id = $2 AND version = $3) RETURNING true
                """,
                order.brief_id,
                order.research_id,
                order.version,
                prompt.asked,
                by.provider,
                answer.model,
                {"text": answer.text, "stopped": answer.stopped},
                bill.input_tokens,
                bill.output_tokens,
                bill.micro_usd,
                by.sandbox,
                now,
                order.ask,
                by.origin.prompt,
                by.origin.workflow_id,
                by.origin.run_id,
            )
            await spending.settle(connection, bill, now, new=bool(new))

    @patient
    async def finish(self, order: Writing, brief: Composed, model: str, sandbox: bool, now: datetime) -> Written:
        """The brief, the status and the event, in one transaction.

        Safe to run twice: a version that is ready stays as it is, one that was given up is not brought back.
        """
        async with self._database.tenant(order.tenant_id) as connection:
            run_id = await connection.fetchval(
                """
                UPDATE research SET status = 'ready', brief_id = $3, ended_at = $4
                WHERE id = $1 AND version = $2 AND status = 'generating' RETURNING run_id
                """,
                order.research_id,
                order.version,
                order.brief_id,
                now,
            )
            if run_id is None:
                return await written(connection, order.research_id, order.version) or _refuse()
            cost = await _insert_brief(connection, order, brief, model, sandbox, now)
            await _insert_content(connection, order, brief)
            await spending.release(connection, order.research_id, now, version=order.version)
            payload = {"researchId": order.research_id, "briefId": order.brief_id, "confidence": brief.confidence.value}
            await events.record(connection, "research/generate.completed", terminal_key(run_id), payload, now)
            return Written(confidence=brief.confidence.value, claims=len(brief.claims), cost_micro_usd=cost)


async def _note(connection: Connection, order: Writing, economy: str | None) -> None:
    """Who wrote what is kept last, if it was not the best. One at a time keeps answers of a research."""
    await connection.execute(
        """
        UPDATE research SET economies =
          CASE WHEN version = $2 THEN array_remove(economies, $3) || $4::text[] ELSE economies END
        WHERE id = $1
        """,
        order.research_id,
        order.version,
        SMALLER_MODEL,
        [economy] if economy else [],
    )


def _refuse() -> Written:
    raise errors.superseded()


async def _occasion(connection: Connection, order: Writing) -> asyncpg.Record:
    row = await connection.fetchrow(
        """
        SELECT m.title, m.starts_at, c.name, c.offering, c.target_customer, c.pain_points
        FROM research r JOIN campaigns c ON c.id = r.campaign_id LEFT JOIN meetings m ON m.id = r.meeting_id
        WHERE r.id = $1 AND r.version = $2
        """,
        order.research_id,
        order.version,
    )
    if row is None:
        raise errors.superseded()
    return row


async def _subjects(connection: Connection, order: Writing) -> list[asyncpg.Record]:
    rows: list[asyncpg.Record] = await connection.fetch(
        """
        SELECT s.* FROM run_subjects r JOIN subjects s ON s.id = r.subject_id
        WHERE r.research_id = $1 AND r.version = $2 ORDER BY r.position
        """,
        order.research_id,
        order.version,
    )
    return rows


async def _evidence(connection: Connection, order: Writing, *, sandbox: bool) -> list[asyncpg.Record]:
    """The sources of each subject's newest answer that has any. Pretended ones serve no real run."""
    rows: list[asyncpg.Record] = await connection.fetch(
        """
        WITH newest AS (
          SELECT DISTINCT ON (a.subject_id) a.id, a.sandbox
          FROM run_subjects r JOIN answers a ON a.subject_id = r.subject_id
          WHERE r.research_id = $1 AND r.version = $2 AND a.sandbox = $3
            AND EXISTS (SELECT FROM evidence e WHERE e.answer_id = a.id)
          ORDER BY a.subject_id, a.asked_at DESC
        )
        SELECT e.*, n.sandbox FROM newest n JOIN evidence e ON e.answer_id = n.id ORDER BY e.subject_id, e.position
        """,
        order.research_id,
        order.version,
        sandbox,
    )
    return rows


async def _answers(connection: Connection, order: Writing) -> tuple[Kept, ...]:
    rows = await connection.fetch(
        "SELECT said, model FROM answers WHERE brief_id = $1 ORDER BY asked_at", order.brief_id
    )
    return tuple(Kept(model=row["model"], **row["said"]) for row in rows)


async def _insert_brief(
    connection: Connection, order: Writing, brief: Composed, model: str, sandbox: bool, now: datetime
) -> int:
    """The brief's own row; what its run has paid in all is returned, in millionths of a dollar."""
    cost: int = await connection.fetchval(
        """
        INSERT INTO briefs (tenant_id, id, research_id, version, confidence, reasons, what_changed, dropped, gaps,
          cost_micro_usd, model, sandbox, written_at, last_met_at, compared_with, new_claims, new_people, facts_digest,
          conflicts, economies, promises)
        VALUES (current_tenant(), $1, $2, $3, $4, $5, $6, $7, $8,
          (SELECT coalesce(sum(cost_micro_usd), 0) FROM answers WHERE research_id = $2 AND version = $3), $9, $10, $11,
          $12, $13, $14, $15, $16, $17, (SELECT economies FROM research WHERE id = $2), $18)
        RETURNING cost_micro_usd
        """,
        order.brief_id,
        order.research_id,
        order.version,
        brief.confidence.value,
        list(brief.reasons),
        brief.what_changed,
        brief.dropped,
        [gap.model_dump(mode="json") for gap in brief.gaps],
        model,
        sandbox,
        now,
        brief.changes.last_met_at,
        brief.changes.compared_with,
        list(brief.changes.new_claims),
        list(brief.changes.new_people),
        brief.facts_digest,
        brief.conflicts,
        list(brief.promises),
    )
    return cost


async def _insert_content(connection: Connection, order: Writing, brief: Composed) -> None:
    await connection.execute(
        """
        INSERT INTO brief_evidence (tenant_id, brief_id, evidence_id, position)
        SELECT current_tenant(), $1, e.id, e.position
        FROM unnest($2::uuid[]) WITH ORDINALITY AS e(id, position)
        """,
        order.brief_id,
        list(brief.evidence_ids),
    )
    await connection.execute(
        """
        INSERT INTO brief_subjects (tenant_id, brief_id, subject_id, position, kind, name, detail, identity, candidates)
        SELECT current_tenant(), $1, s.id, s.position, s.kind, s.name, s.detail, s.identity, s.candidates
        FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::jsonb[]) WITH ORDINALITY
          AS s(id, kind, name, detail, identity, candidates, position)
        """,
        order.brief_id,
        *_columns(brief.subjects, "id", "kind", "name", "detail", "identity", "candidates"),
    )
    await connection.executemany(
        """
        INSERT INTO claims (tenant_id, id, brief_id, position, section, nature, subject_id, text, as_of, evidence_id,
          quote, rests_on, topic, current)
        VALUES (current_tenant(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        """,
        [
            (
                claim.id,
                order.brief_id,
                position,
                claim.section.value,
                claim.nature.value,
                claim.subject_id,
                claim.text,
                claim.as_of,
                claim.evidence_id,
                claim.quote,
                list(claim.rests_on),
                claim.topic.value,
                claim.current,
            )
            for position, claim in enumerate(brief.claims)
        ],
    )


def _columns(rows: tuple[Any, ...], *names: str) -> list[list[Any]]:
    return [[getattr(row, name) for row in rows] for name in names]
