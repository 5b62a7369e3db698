"""Look-ups: what has been asked about a person or company, by whom just now, and what came back."""

from datetime import datetime, timedelta

import asyncpg

from activities import errors, freshness
from activities.ports import Question
from activities.research.paying import purchase
from activities.research.ports import Ask, Bought, Claimed
from activities.store import spending, tries
from activities.store.database import Connection, Database, patient
from activities.store.spending import Bill
from schemas.base import RowId
from schemas.briefs import Company, Person, Profile
from schemas.research import LookUp, Subject

# How long a look-up is left to whoever began it, beyond waiting for its turn: one call's time-out and some more.
LEASE = timedelta(seconds=75)


class LookUpStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    @patient
    async def claim(
        self,
        look_up: LookUp,
        ask: Ask,
        *,
        sandbox: bool,
        holder: str,
        now: datetime,
        queued_s: float,
    ) -> Claimed:
        """Find a kept answer to the question, or take the right to ask it; neither means that somebody else asks.

        Safe to run twice: the same holder takes the lease again.
        """
        async with self._database.tenant(look_up.tenant_id) as connection:
            question = ask(await _subject(connection, look_up.subject), look_up.question)
            known = await _known(connection, look_up, question, sandbox=sandbox)
            ours = known is None and await _lease(connection, look_up.subject.subject_id, holder, now)
            if ours and (known := await _known(connection, look_up, question, sandbox=sandbox)) is not None:
                # Kept by the lease's last holder, for whose end we waited.
                await _release(connection, look_up.subject.subject_id, holder)
                ours = False
            if ours:
                await tries.begin(
                    connection, look_up.research_id, look_up.version, look_up.subject.subject_id, now, queued_s
                )
            return Claimed(question, known, ours)

    @patient
    async def wait(self, look_up: LookUp, holder: str, wait_s: float) -> None:
        """Our turn comes in `wait_s` seconds: until then the deadline stands still and the lease is kept.

        Run twice it waits twice in the books: the deadline is a little later, never earlier.
        """
        async with self._database.tenant(look_up.tenant_id) as connection:
            subject_id = look_up.subject.subject_id
            await connection.execute(
                "UPDATE leases SET expires_at = expires_at + $3 WHERE subject_id = $1 AND holder = $2",
                subject_id,
                holder,
                timedelta(seconds=wait_s),
            )
            await tries.wait(connection, look_up.research_id, look_up.version, subject_id, wait_s)

    @patient
    async def release(self, look_up: LookUp, holder: str) -> None:
        """Let somebody else ask."""
        async with self._database.tenant(look_up.tenant_id) as connection:
            await _release(connection, look_up.subject.subject_id, holder)

    @patient
    async def keep(self, look_up: LookUp, question: Question, bought: Bought, *, holder: str, now: datetime) -> None:
        """Store a paid answer with its sources, in the transaction that ends the lease and settles what it cost.

        Safe to run twice: an answer that is already there is left alone. So is one that another attempt bought while
        this one was taken for dead.
        """
        async with self._database.tenant(look_up.tenant_id) as connection:
            await _lock(connection, look_up.subject.subject_id)
            bill = await spending.bill(connection, purchase(look_up), bought.provider, bought.answer)
            answer_id = await _keep_answer(connection, look_up, question, bought, bill, now)
            if answer_id is not None:
                await _keep_sources(connection, look_up, answer_id, bought, now)
                await _keep_profile(connection, look_up, bought, now)
            await _release(connection, look_up.subject.subject_id, holder)
            await spending.settle(connection, bill, now, new=answer_id is not None)


async def _subject(connection: Connection, wanted: Subject) -> Person | Company:
    row = await connection.fetchrow("SELECT * FROM subjects WHERE id = $1", wanted.subject_id)
    if row is None:
        raise errors.not_found("subject")
    return subject(row)


def subject(row: asyncpg.Record) -> Person | Company:
    """From a row of `subjects`."""
    if row["kind"] == "company":
        return Company(id=row["id"], domain=row["domain"], name=row["profile"].get("name") or "")
    return Person(
        id=row["id"],
        name=row["name"],
        hint=row["email"].partition("@")[0],
        company_domain=row["domain"],
        profile=Profile.model_validate(row["profile"]),
    )


async def _known(connection: Connection, look_up: LookUp, question: Question, *, sandbox: bool) -> int | None:
    """How much evidence the newest answer to the question has, of those that still serve.

    What readers said is about somebody else is none: the next question is asked when nothing is left.
    """
    known: int | None = await connection.fetchval(
        """
        SELECT (SELECT count(*) FROM evidence e WHERE e.answer_id = a.id AND NOT EXISTS (
          SELECT FROM marks WHERE subject_id = e.subject_id AND url = e.url AND verdict = 'wrong_person'
        )) FROM answers a WHERE subject_id = $1 AND asked = $2 AND fresh_until > $3 AND sandbox = $4 AND asked_at > $5
        ORDER BY asked_at DESC LIMIT 1
        """,
        look_up.subject.subject_id,
        question.asked,
        look_up.now,
        sandbox,
        _since(look_up),
    )
    return known


def _since(look_up: LookUp) -> datetime:
    """Older answers do not serve, fresh or not: a company's news ages before what else is known of it."""
    company = look_up.subject.key is None
    return look_up.now - (freshness.NEWS if company and look_up.latest else freshness.PERSON)


async def _lease(connection: Connection, subject_id: RowId, holder: str, now: datetime) -> bool:
    taken = await connection.fetchval(
        """
        INSERT INTO leases AS l (tenant_id, subject_id, holder, expires_at) VALUES (current_tenant(), $1, $2, $3)
        ON CONFLICT (tenant_id, subject_id) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
        WHERE l.expires_at <= $4 OR l.holder = excluded.holder
        RETURNING true
        """,
        subject_id,
        holder,
        now + LEASE,
        now,
    )
    return bool(taken)


async def _release(connection: Connection, subject_id: RowId, holder: str) -> None:
    await connection.execute("DELETE FROM leases WHERE subject_id = $1 AND holder = $2", subject_id, holder)


async def _lock(connection: Connection, subject_id: RowId) -> None:
    """One at a time keeps answers about a subject."""
    await connection.execute("SELECT FROM subjects WHERE id = $1 FOR UPDATE", subject_id)


async def _keep_answer(
    connection: Connection, look_up: LookUp, question: Question, bought: Bought, bill: Bill, now: datetime
) -> RowId | None:
    """The new row's id; none when there is one that serves: a lost reply made us come twice, or another asked too."""
    row_id: RowId | None = await connection.fetchval(
        """
        INSERT INTO answers (tenant_id, subject_id, research_id, version, asked, provider, model, said, input_tokens,
          output_tokens, cost_micro_usd, sandbox, asked_at, fresh_until, prompt, workflow_id, run_id)
        SELECT current_tenant(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $15, $16, $17
        WHERE NOT EXISTS (SELECT FROM answers WHERE subject_id = $1 AND asked = $4 AND sandbox = $11 AND fresh_until > $12
          AND asked_at > $14)
        ON CONFLICT (tenant_id, subject_id, asked, asked_at) DO NOTHING RETURNING id
        """,
        look_up.subject.subject_id,
        look_up.research_id,
        look_up.version,
        question.asked,
        bought.provider,
        bought.answer.model,
        bought.answer.said,
        bill.input_tokens,
        bill.output_tokens,
        bill.micro_usd,
        bought.sandbox,
        now,
        bought.until,
        _since(look_up),
        bought.origin.prompt,
        bought.origin.workflow_id,
        bought.origin.run_id,
    )
    return row_id


async def _keep_sources(
    connection: Connection, look_up: LookUp, answer_id: RowId, bought: Bought, now: datetime
) -> None:
    sources = bought.answer.sources
    await connection.execute(
        """
        INSERT INTO evidence (tenant_id, answer_id, subject_id, position, url, title, text, published, fetched_at)
        SELECT current_tenant(), $1, $2, s.position, s.url, s.title, s.text, s.published, $3
        FROM unnest($4::text[], $5::text[], $6::text[], $7::date[]) WITH ORDINALITY
          AS s(url, title, text, published, position)
        """,
        answer_id,
        look_up.subject.subject_id,
        now,
        [source.url for source in sources],
        [source.title for source in sources],
        [source.text for source in sources],
        [source.published for source in sources],
    )


async def _keep_profile(connection: Connection, look_up: LookUp, bought: Bought, now: datetime) -> None:
    """What the subject's row knows of itself; fresh only when no further question is worth asking."""
    await connection.execute(
        """
        UPDATE subjects SET profile = $2, fresh_until = $3, fresh_sandbox = $4, last_researched_at = $5 WHERE id = $1
        """,
        look_up.subject.subject_id,
        bought.profile,
        bought.until if bought.settled else None,
        bought.sandbox,
        now,
    )
