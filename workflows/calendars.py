"""Calendars: each is read by one workflow at a time, which whoever hears of a change rings.

notification │ poll │ renewal │ person ─▶ ring ─▶ quiet ─▶ read ─▶ the meetings that changed are told
"""

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

from activities import errors
from activities.calendars import CalendarActivities
from schemas.calendars import CalendarOrder, Poll, Polled, Polling, Read, Reading, ReadingFailed, Reason, Ring, Troubles
from schemas.notices import NoticeKind, NoticeOrder, dark_key, lost_key
from workflows import policies, story
from workflows.steps import outliving
from workflows.telling import notify


@workflow.defn(name="CalendarSync")
class CalendarSyncWorkflow:
    """Reads a calendar until it is quiet. Rings that come in a burst are one; one that comes while it reads is the next."""

    @workflow.init
    def __init__(self, order: CalendarOrder) -> None:
        self._order = order
        self._ring: Ring | None = order.rung
        self._rings = 0

    @workflow.run
    async def run(self, order: CalendarOrder) -> Read:
        read = Read()
        while self._ring:
            await self._quiet()
            ring, self._ring = self._ring, None
            read = await self._read(ring)
            if read.more or (self._ring and workflow.info().is_continue_as_new_suggested()):
                workflow.continue_as_new(order.model_copy(update={"rung": self._ring or ring}))
        return read

    @workflow.signal(description="Something may have happened in this calendar")
    def ring(self, ring: Ring) -> None:
        self._ring, self._rings = ring, self._rings + 1

    async def _quiet(self) -> None:
        """A burst of notifications is waited out, though not for long; whoever else rings is served at once."""
        cap = workflow.now() + policies.LONGEST_QUIET
        while self._ring and self._ring.reason is Reason.PUSH and workflow.now() < cap:
            if not await self._rung_within(min(policies.QUIET, cap - workflow.now())):
                return

    async def _rung_within(self, quiet: timedelta) -> bool:
        seen = self._rings
        try:
            await workflow.wait_condition(
                lambda: self._rings != seen, timeout=quiet, timeout_summary="until notifications pause"
            )
        except TimeoutError:
            return False
        return True

    async def _read(self, ring: Ring) -> Read:
        """Read, or say why that failed; who rang meanwhile is served all the same."""
        try:
            return await self._step(ring)
        except ActivityError as error:
            kind, reason = story.why(error)
            await self._tell(reason)
            if self._ring is None:
                raise errors.run_failed(kind, reason) from error
            return Read()

    async def _step(self, ring: Ring) -> Read:
        reading = Reading(
            tenant_id=self._order.tenant_id,
            calendar_id=self._order.calendar_id,
            ring=ring,
            budget_s=policies.READING.total_seconds(),
            ahead=workflow.now() + policies.AHEAD,
            now=workflow.now(),
        )
        return await outliving(
            lambda: workflow.execute_activity_method(
                CalendarActivities.read, reading, summary=f"read ({ring.reason.value})", **policies.READ_CALENDAR
            )
        )

    async def _tell(self, reason: str) -> None:
        """The calendar's row says since when it is dark; its user hears of it when that is for them to mend, or long."""
        failure = ReadingFailed(
            tenant_id=self._order.tenant_id,
            calendar_id=self._order.calendar_id,
            reason=reason,
            now=workflow.now(),
        )
        troubles = await workflow.execute_local_activity_method(
            CalendarActivities.failed, failure, summary="say that it cannot be read", **policies.TELLING
        )
        order = notice(self._order, troubles)
        if order is not None:
            await notify(order)


def notice(order: CalendarOrder, troubles: Troubles) -> NoticeOrder | None:
    """What the user is to be told, if anything."""
    if troubles.lost is not None:
        return _notice(order, troubles, NoticeKind.RECONNECT, lost_key(troubles.connection_id, troubles.lost))
    if troubles.dark_since is not None:
        return _notice(order, troubles, NoticeKind.CALENDAR_DARK, dark_key(order.calendar_id, troubles.dark_since))
    return None


def _notice(order: CalendarOrder, troubles: Troubles, kind: NoticeKind, key: str) -> NoticeOrder:
    return NoticeOrder(
        tenant_id=order.tenant_id,
        key=key,
        kind=kind,
        user_id=troubles.user_id,
        connection_id=troubles.connection_id,
    )


@workflow.defn(name="CalendarPolls")
class CalendarPollsWorkflow:
    """Rings every calendar that was not read for a while: what no notification told is found by this."""

    @workflow.run
    async def run(self, poll: Poll) -> Polled:
        polling = Polling(before=poll.before(workflow.now()), now=workflow.now())
        return await workflow.execute_activity_method(
            CalendarActivities.poll, polling, summary="ring the silent calendars", **policies.SWEEP
        )
