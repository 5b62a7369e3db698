"""The effects of recorders: get what was said in a call, and find the calls of which nobody told us.

fetch: call ─▶ transcript ─▶ who was there ─▶ kept      sweep: page ─▶ those unread ─▶ taken ─▶ rung ─▶ the next page
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import errors
from activities.liveness import heartbeating
from activities.pacing import Pacing
from activities.ports import CallBell, CallPage, CallRecorder, Recorded, RecorderAccess, UnauthorizedError
from activities.transcripts.ports import CallIntake, NewCall
from schemas.base import RowId, TenantId
from schemas.recorders import Fetched, Fetching, Listed, Listing, Sweeping, Swept
from schemas.transcripts import CallStatus, Source, Spoken

# A call is listed by when it began, and may be there only hours after: so much is looked through again.
OVERLAP = timedelta(hours=24)
# The longest that a turn is waited for while a worker's slot is held; a day's budget that is spent takes longer.
LONGEST_TURN = timedelta(seconds=60)
# Calls of a page that are taken at once, and recorders that a sweep hears of at once.
TAKEN_AT_ONCE, LISTED_AT_ONCE = 8, 500
# A sweep has no more pages than this: a million calls.
MOST_PAGES = 10_000

NOT_LET_IN = "its key was refused"

T = TypeVar("T")


class Recorder(Protocol):
    """A recorder as it is kept, with what lets us in."""

    @property
    def id(self) -> RowId: ...
    @property
    def status(self) -> str: ...
    @property
    def access(self) -> RecorderAccess: ...
    @property
    def sandbox(self) -> bool: ...
    @property
    def swept_until(self) -> datetime | None: ...
    @property
    def version(self) -> bytes: ...


class Store(Protocol):
    async def recorder(self, tenant_id: TenantId, recorder_id: RowId) -> Recorder: ...
    async def of_call(self, tenant_id: TenantId, call_id: RowId) -> tuple[Recorder, str]: ...
    async def listed(self, after: RowId | None, limit: int) -> Listed: ...
    async def seen(self, tenant_id: TenantId, source: Source, keys: Sequence[str]) -> frozenset[str]: ...
    async def swept(self, tenant_id: TenantId, recorder_id: RowId, until: datetime) -> None: ...
    async def refused(self, tenant_id: TenantId, recorder_id: RowId, version: bytes, reason: str) -> bool: ...


class Calls(CallIntake, Protocol):
    async def keep(
        self, tenant_id: TenantId, call_id: RowId, recorded: Recorded | None, spoken: Spoken, now: datetime
    ) -> None: ...


class RecorderActivities:
    def __init__(self, store: Store, calls: Calls, recorder: CallRecorder, bell: CallBell, pacing: Pacing) -> None:
        self._store = store
        self._calls = calls
        self._recorder = recorder
        self._bell = bell
        self._pacing = pacing
        self._source = Source.RECORDER

    @activity.defn(name="calls.fetch")
    async def fetch(self, order: Fetching) -> Fetched:
        """Safe to run twice: a call keeps the transcript that it has."""
        async with heartbeating():
            whose, key = await self._store.of_call(order.tenant_id, order.call_id)
            try:
                spoken = await self._ask(order.tenant_id, whose, lambda one: one.transcript(whose.access, key))
                if spoken is None:
                    return Fetched(ready=False)
                told = await self._ask(order.tenant_id, whose, lambda one: one.call(whose.access, key))
            except ApplicationError as error:
                # As much as for a transcript that is not there yet: a day's budget comes back within the day.
                if errors.is_limited(error, LONGEST_TURN):
                    return Fetched(ready=False)
                raise
            await self._calls.keep(order.tenant_id, order.call_id, told, introduced(spoken, told), order.now)
            return Fetched(ready=True)

    @activity.defn(name="calls.sweep")
    async def sweep(self, order: Sweeping) -> Swept:
        """Safe to run twice: a call is taken once, and whoever is rung again while they read joins.

        How far it came is kept at its end alone: within it, pages are in an order of their own.
        """
        async with heartbeating():
            whose = await self._store.recorder(order.tenant_id, order.recorder_id)
            since = (whose.swept_until or order.now) - OVERLAP
            swept, cursor, gone = Swept(), None, set[str]()
            for _ in range(MOST_PAGES):
                page = await self._page(order, whose, since, cursor)
                swept = await self._take(order, whose, page, swept)
                cursor = page.cursor
                if cursor is None or cursor in gone:
                    break
                gone.add(cursor)
            if cursor is not None:
                raise errors.nonsense(self._recorder.name, "pages without an end")
            await self._store.swept(order.tenant_id, order.recorder_id, order.now)
            return swept

    @activity.defn(name="calls.recorders")
    async def recorders(self, listing: Listing) -> Listed:
        """Only reads."""
        return await self._store.listed(listing.after, LISTED_AT_ONCE)

    async def _page(self, order: Sweeping, whose: Recorder, since: datetime, cursor: str | None) -> CallPage:
        return await self._ask(order.tenant_id, whose, lambda one: one.calls(whose.access, since, order.now, cursor))

    async def _take(self, order: Sweeping, whose: Recorder, page: CallPage, before: Swept) -> Swept:
        """Those that nobody has begun to read. One that was taken and not rung for is rung for now."""
        known = await self._store.seen(order.tenant_id, self._source, [one.id for one in page.calls])
        unread = {one.id: one for one in page.calls if one.id not in known}
        room = asyncio.Semaphore(TAKEN_AT_ONCE)

        async def take(recorded: Recorded) -> tuple[bool, bool]:
            async with room:
                call = new_call(recorded, self._source, whose.id, sandbox=whose.sandbox)
                taken = await self._calls.take(order.tenant_id, call, None, order.now)
                waits = taken.status is CallStatus.WAITING
                if waits:
                    await self._bell.call(order.tenant_id, taken.call_id)
                return taken.new, waits

        done = await asyncio.gather(*map(take, unread.values()))
        return Swept(
            seen=before.seen + len(page.calls),
            taken=before.taken + sum(new for new, _ in done),
            rung=before.rung + sum(waits for _, waits in done),
        )

    async def _ask(self, tenant_id: TenantId, whose: Recorder, ask: Callable[[CallRecorder], Awaitable[T]]) -> T:
        """What the recorder says, in our turn. One that lets us in no more is not asked again until it is connected."""
        if whose.status != "active":
            raise errors.disconnected() if whose.status == "disconnected" else errors.reauth_required()
        await self._turn(whose.id)
        try:
            return await ask(self._recorder)
        except UnauthorizedError:
            if await self._store.refused(tenant_id, whose.id, whose.version, NOT_LET_IN):
                raise errors.reauth_required() from None
            raise errors.unfinished("it has been connected anew meanwhile") from None

    async def _turn(self, recorder_id: RowId) -> None:
        """The day's first. A turn that is hours away is not taken: what is reserved and not used is lost."""
        day, company = (f"{self._recorder.name}/{of}" for of in ("day", "company"))
        away = timedelta(seconds=await self._pacing.away(day, recorder_id))
        if away > LONGEST_TURN:
            raise errors.spent(self._recorder.name, away)
        await (await self._pacing.turn(day, recorder_id)).come()
        await (await self._pacing.turn(company, recorder_id)).come()


def new_call(recorded: Recorded, source: Source, recorder_id: RowId, *, sandbox: bool) -> NewCall:
    """A call that is to be read, from what its recorder tells of it."""
    return NewCall(
        source=source,
        source_key=recorded.id,
        title=recorded.title,
        url=recorded.url,
        started_at=recorded.started_at,
        duration_s=recorded.duration_s,
        recorder_id=recorder_id,
        owner_email=recorded.owner_email,
        speakers=recorded.speakers,
        sandbox=sandbox,
    )


def introduced(spoken: Spoken, recorded: Recorded | None) -> Spoken:
    """A transcript that knows its speakers by what the call tells of them; others were there and said nothing."""
    told = {one.key: one for one in recorded.speakers} if recorded else {}
    known = tuple(told.get(one.key, one) for one in spoken.speakers)
    spoke = {one.key for one in spoken.speakers}
    silent = tuple(one for one in told.values() if one.key not in spoke)
    return spoken.model_copy(update={"speakers": (*known, *silent)})
