"""What is worked on by workflows of its own, a line for each noun: the table that reconciliation goes by.

The next noun is one more entry in `nouns`: which rows are open, what their workflow is called, what mends one.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date

from temporalio.client import Client
from temporalio.service import RPCError

from activities import errors
from activities.reconciliation import DEAD, WHY, Noun, Row
from activities.store.database import Database
from activities.store.reconciliation import Ended, ReconciliationStore
from activities.store.records import RecordStore
from activities.store.situations import SituationStore
from activities.store.stuck_bootstraps import StuckBootstraps
from activities.store.stuck_digests import StuckDigests
from activities.store.stuck_documents import StuckDocuments
from activities.store.stuck_skills import StuckSkills
from schemas.base import RowId
from schemas.batches import Waiting
from schemas.documents import RunStatus as DocumentStatus
from schemas.documents import Work
from schemas.erasures import Erasure
from schemas.meetings import Look
from schemas.notices import NoticeKind, NoticeOrder, skill_key, unread_key
from schemas.reconciliation import Comparing, Done, Life
from schemas.skills import RunStatus
from starter import bootstraps, documents, skills, start
from workflows import ids

# A request that no workflow was ever begun for.
NEVER_BEGUN = "nobody has begun it"


def nouns(database: Database, client: Client) -> tuple[Noun, ...]:
    store, digests, mending = ReconciliationStore(database), StuckDigests(database), Mending(database, client)
    runs, reviews = StuckSkills(database), StuckDocuments(database)
    return (
        Noun(
            "research",
            store.researches,
            lambda row: ids.research(row.tenant_id, row.id),
            mending.research,
            workflow="Research",
            ended=store.research_ended,
        ),
        Noun(
            "calls",
            store.calls,
            lambda row: ids.transcript(row.tenant_id, row.id),
            mending.call,
            workflow="Transcript",
            ended=store.call_ended,
        ),
        Noun("digests", digests.open, lambda row: ids.digest(row.tenant_id, *_morning(row)), mending.digest),
        Noun(
            "skills",
            runs.open,
            lambda row: ids.skill(row.tenant_id, row.id),
            mending.skill,
            workflow="SkillRun",
            ended=runs.ended,
        ),
        Noun(
            "documents", reviews.open, lambda row: ids.document(row.tenant_id, *_about(row), row.id), mending.document
        ),
        # One workflow for all: it takes one after the other.
        Noun("bootstraps", StuckBootstraps(database).open, lambda _row: ids.BOOTSTRAPS, mending.bootstrap),
        Noun("erasures", store.erasures, lambda row: ids.erasure(row.tenant_id, row.id), mending.erasure),
        Noun("notices", store.notices, lambda row: ids.notice(row.tenant_id, row.key), mending.notice),
        # Whoever looks after a meeting may have found that there is nothing to do.
        Noun(
            "meetings",
            store.meetings,
            lambda row: ids.meeting(row.tenant_id, row.id),
            mending.meeting,
            dead=DEAD - {Life.COMPLETED},
            needs=mending.is_to_be_prepared,
        ),
        # A batch that lives may not have heard of all that it is to insert.
        Noun(
            "received events",
            mending.collected,
            lambda row: ids.batch(row.tenant_id, row.id),
            mending.batch,
            dead=frozenset(Life),
            needs=mending.is_collected,
        ),
        Noun("deliveries", store.deliveries, lambda row: ids.delivery(row.tenant_id), mending.delivery),
    )


class Mending:
    """What is done about a row that nobody works on. Each is safe to run twice: who is begun again is joined."""

    def __init__(self, database: Database, client: Client) -> None:
        self._store = ReconciliationStore(database)
        self._situations = SituationStore(database)
        self._digests = StuckDigests(database)
        self._skills = StuckSkills(database)
        self._bootstraps = StuckBootstraps(database)
        self._documents = StuckDocuments(database)
        self._records = RecordStore(database)
        self._client = client
        self._bell = start.Doorbell(client)

    async def research(self, row: Row, life: Life, comparing: Comparing) -> Done | None:
        """Whoever asked is told, as the run itself would have; a meeting's workflow decides what is next."""
        why = NEVER_BEGUN if row.status == "requested" and life in (Life.GONE, Life.COMPLETED) else WHY[life]
        ended = await self._store.end_research(row, why, comparing.now)
        if ended is None:
            return None
        async with _reached():
            if ended.looked_after:
                await self._bell.meeting(row.tenant_id, row.id)
            elif _is_told(ended):
                key = f"failed/{row.id}/{row.version}"
                await self._order(row, key, NoticeKind.RESEARCH_FAILED, research_id=row.id)
        return ended.done

    async def call(self, row: Row, life: Life, comparing: Comparing) -> Done | None:
        """One that waits for its transcript goes on waiting, unless somebody has ended that."""
        if row.status == "waiting" and life is Life.GONE:
            if not await self._store.still_waits(row):
                return None
            async with _reached():
                await self._bell.call(row.tenant_id, row.id)
            return Done.BEGUN
        ended = await self._store.end_call(row, WHY[life], comparing.now)
        if ended is not None and _is_told(ended):
            async with _reached():
                await self._order(row, unread_key(row.id, row.version), NoticeKind.CALL_FAILED, call_id=row.id)
        return ended.done if ended else None

    async def digest(self, row: Row, life: Life, comparing: Comparing) -> Done | None:
        """One that was asked for, and that nobody began, is begun."""
        if row.status != "requested" or life is not Life.GONE:
            return await self._digests.end(row, WHY[life], comparing.now)
        if not await self._digests.still_waits(row):
            return None
        async with _reached():
            await start.digest(self._client, row.tenant_id, *_morning(row))
        return Done.BEGUN

    async def skill(self, row: Row, life: Life, comparing: Comparing) -> Done | None:
        """One that was asked for, and that nobody began, is begun. Of one that has failed its user hears, once."""
        if row.status != RunStatus.QUEUED or life is not Life.GONE:
            return await self._end_skill(row, WHY[life], comparing)
        order = await self._skills.order(row)
        if order is None:
            return None
        async with _reached():
            await skills.begin(self._client, order)
        return Done.BEGUN

    async def _end_skill(self, row: Row, why: str, comparing: Comparing) -> Done | None:
        ended = await self._skills.end(row, why, comparing.now)
        if ended is None:
            return None
        async with _reached():
            for channel_id in (*([None] if ended.by_mail else []), *ended.channels):
                key, about = skill_key(row.id, channel_id), {"skill_run_id": row.id, "channel_id": channel_id}
                await self._order(row, key, NoticeKind.SKILL, **about)
        return Done.FAILED

    async def document(self, row: Row, life: Life, comparing: Comparing) -> Done | None:
        """One that was asked for, for the first time or again, and that nobody took, is begun."""
        if row.status != DocumentStatus.QUEUED:
            return Done.FAILED if await self._documents.end(row, WHY[life], comparing.now) else None
        order = await self._documents.order(row)
        if order is None:
            return None
        async with _reached():
            await documents.begin(self._client, order)
        return Done.BEGUN

    async def bootstrap(self, row: Row, _life: Life, _comparing: Comparing) -> Done | None:
        """It is gone on with: of its sources those that have ended stay so."""
        if not await self._bootstraps.still_waits(row):
            return None
        async with _reached():
            await bootstraps.ring(self._client)
        return Done.BEGUN

    async def erasure(self, row: Row, _life: Life, _comparing: Comparing) -> Done | None:
        """Whoever asked to be forgotten is forgotten, whoever has ended that."""
        if not await self._store.unfinished(row):
            return None
        async with _reached():
            await start.erasure(self._client, Erasure(tenant_id=row.tenant_id, erasure_id=row.id))
        return Done.BEGUN

    async def notice(self, row: Row, _life: Life, _comparing: Comparing) -> Done | None:
        order = await self._store.notice(row)
        if order is None:
            return None
        async with _reached():
            await start.notice(self._client, order)
        return Done.BEGUN

    async def is_to_be_prepared(self, row: Row, _life: Life, comparing: Comparing) -> bool:
        """There is something to be done for a meeting: somebody comes, and its campaign runs."""
        look = Look(tenant_id=row.tenant_id, meeting_id=row.id, now=comparing.now)
        return not (await self._situations.situation(look)).idle

    async def meeting(self, row: Row, _life: Life, _comparing: Comparing) -> Done | None:
        async with _reached():
            await self._bell.meeting(row.tenant_id, row.id)
        return Done.BEGUN

    async def collected(self, comparing: Comparing, after: Row | None) -> Sequence[Row]:
        """Whose events of which name wait; there are few names, and so one page."""
        if after is not None:
            return ()
        return [Row(tenant_id, name) for tenant_id, name in await self._records.stranded(comparing.before)]

    async def is_collected(self, row: Row, life: Life, comparing: Comparing) -> bool:
        return bool(await self._waiting(row, life, comparing))

    async def _waiting(self, row: Row, life: Life, comparing: Comparing) -> list[Waiting]:
        """A batch that lives has some time to insert what it heard of."""
        before = comparing.asked_before if life is Life.LIVE else comparing.before
        return await self._records.waiting(row.tenant_id, row.id, before)

    async def batch(self, row: Row, life: Life, comparing: Comparing) -> Done | None:
        """They are told to their batch again."""
        waiting = await self._waiting(row, life, comparing)
        if not waiting:
            return None
        async with _reached():
            await start.collect(self._client, row.tenant_id, row.id, waiting)
        return Done.BEGUN

    async def delivery(self, row: Row, _life: Life, _comparing: Comparing) -> Done | None:
        async with _reached():
            await self._bell.delivery(row.tenant_id)
        return Done.BEGUN

    async def _order(self, row: Row, key: str, kind: NoticeKind, **about: str | None) -> None:
        await start.notice(self._client, NoticeOrder(tenant_id=row.tenant_id, key=key, kind=kind, **about))


def _morning(row: Row) -> tuple[RowId, date]:
    """Whose digest it is, and of which day."""
    user_id, _, day = row.key.partition("/")
    return user_id, date.fromisoformat(day)


def _about(row: Row) -> tuple[RowId, Work]:
    """Which document it is about, and what is done with that."""
    document_id, _, work = row.key.partition("/")
    return document_id, Work(work)


def _is_told(ended: Ended) -> bool:
    return ended.done is Done.FAILED and ended.owned


@asynccontextmanager
async def _reached() -> AsyncIterator[None]:
    """Inside the block Temporal is told something; that it is away is an answer that comes later."""
    try:
        yield
    except (RPCError, RuntimeError, OSError) as error:
        raise errors.unreachable("Temporal", error) from None
