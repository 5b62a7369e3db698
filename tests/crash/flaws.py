"""Bugs to plant: stores that break one promise each, so that the harness can show that it would see it."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import worker
from activities.research.ports import Claimed
from activities.store.briefs import BriefStore
from activities.store.lookups import LookUpStore
from activities.store.research import ResearchStore
from schemas.briefs import Composed
from schemas.research import Begun, LookUp, Start, Writing, Written

LATE = timedelta(seconds=7)


class ForgetfulLookUps(LookUpStore):
    """Never finds a stored answer."""

    async def claim(self, look_up: LookUp, *rest: Any, **more: Any) -> Claimed:
        later = look_up.model_copy(update={"now": look_up.now + timedelta(days=999)})
        return await super().claim(later, *rest, **more)


class RestartingRuns(ResearchStore):
    """Takes the row anew each time it is asked to begin."""

    async def begin(self, start: Start, **more: Any) -> Begun:
        async with self._database.tenant(start.tenant_id) as connection:
            await connection.execute(
                "UPDATE research SET status = 'requested', run_id = NULL WHERE id = $1", start.research_id
            )
        return await super().begin(start, **more)


class RepeatingBriefs(BriefStore):
    """Writes another brief when it is asked to finish what is finished."""

    async def finish(self, order: Writing, brief: Composed, model: str, sandbox: bool, now: datetime) -> Written:
        async with self._database.tenant(order.tenant_id) as connection:
            version = await connection.fetchval(
                """
                UPDATE research SET status = 'generating', version = version + 1
                WHERE id = $1 AND status = 'ready' RETURNING version
                """,
                order.research_id,
            )
        if version is not None:
            order = order.model_copy(update={"version": version, "brief_id": str(uuid4())})
        return await super().finish(order, brief, model, sandbox, now)


class RepeatingLookUps(LookUpStore):
    """Stores an answer and its sources twice."""

    async def keep(self, look_up: LookUp, *rest: Any, **more: Any) -> None:
        await super().keep(look_up, *rest, **more)
        async with self._database.tenant(look_up.tenant_id) as connection:
            await connection.execute(
                """
                WITH again AS (
                  INSERT INTO answers (tenant_id, subject_id, research_id, version, asked, provider, model, said,
                    input_tokens, output_tokens, cost_micro_usd, sandbox, asked_at, fresh_until)
                  SELECT tenant_id, subject_id, research_id, version, asked, provider, model, said, input_tokens,
                    output_tokens, cost_micro_usd, sandbox, asked_at + interval '1 s', fresh_until
                  FROM answers WHERE subject_id = $1 RETURNING id
                )
                INSERT INTO evidence (tenant_id, answer_id, subject_id, position, url, title, text, fetched_at)
                SELECT e.tenant_id, again.id, e.subject_id, e.position, e.url, e.title, e.text, e.fetched_at
                FROM evidence e, again WHERE e.subject_id = $1
                """,
                look_up.subject.subject_id,
            )


class LateLookUps(LookUpStore):
    """No bug: another attempt, taken for dead, comes with an answer of its own."""

    async def keep(self, look_up: LookUp, *rest: Any, now: datetime, **more: Any) -> None:
        await super().keep(look_up, *rest, now=now, **more)
        await super().keep(look_up, *rest, now=now + LATE, **more)


class LateBriefs(BriefStore):
    """Likewise for writing."""

    async def keep_answer(self, order: Writing, *rest: Any, now: datetime, **more: Any) -> None:
        await super().keep_answer(order, *rest, now=now, **more)
        await super().keep_answer(order, *rest, now=now + LATE, **more)


FLAWS: dict[str, dict[str, type]] = {
    "forgets answers": {"LookUpStore": ForgetfulLookUps},
    "begins again": {"ResearchStore": RestartingRuns},
    "finishes twice": {"BriefStore": RepeatingBriefs},
    "stores answers twice": {"LookUpStore": RepeatingLookUps},
    "comes late": {"LookUpStore": LateLookUps, "BriefStore": LateBriefs},
}


def plant(flaw: str | None) -> None:
    """Into the composition root of this process."""
    if flaw is not None:
        vars(worker).update(FLAWS[flaw])
