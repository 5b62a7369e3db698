"""What the clock begins: the renewal of push channels, the polls that find what no notification told, and the end of
what is too old.

worker starts ─▶ ensure ─▶ made, or brought up to date; an operator's pause stays
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError, RPCStatusCode

from schemas.bills import BillSweep
from schemas.briefs import Document
from schemas.calendars import Poll
from schemas.digests import DigestSweep
from schemas.erasures import Keeping
from schemas.reconciliation import Reconcile
from schemas.recorders import CallSweep
from schemas.settings import Settings
from schemas.subscriptions import Sweep
from workflows import policies, queues
from workflows.bills import BillsWorkflow
from workflows.calendars import CalendarPollsWorkflow
from workflows.digests import DigestsWorkflow
from workflows.erasures import RetentionWorkflow
from workflows.policies import digests as patience
from workflows.reconciliation import ReconciliationWorkflow
from workflows.recorders import CallSweepsWorkflow
from workflows.subscriptions import SubscriptionRenewalsWorkflow

RENEWALS, POLLS, RETENTION, CALL_SWEEPS = "subscription-renewals", "calendar-polls", "retention", "call-sweeps"
RECONCILIATION, DIGESTS, BILLS = "reconciliation", "digests", "bills"
NAMES = (RENEWALS, POLLS, RETENTION, CALL_SWEEPS, RECONCILIATION, DIGESTS, BILLS)

# Not every installation at the same second; and never a noticeable part of the period.
JITTER_PART = 60


class Planned(Document):
    """A schedule as it stands on the server. `next_at` is None while it is paused."""

    id: str
    every_s: float
    paused: bool
    note: str
    last_at: datetime | None
    next_at: datetime | None


def wanted(settings: Settings) -> dict[str, Schedule]:
    """Every schedule that there is to be."""
    return {
        RENEWALS: _schedule(
            policies.RENEWAL_EVERY,
            ScheduleActionStartWorkflow(
                SubscriptionRenewalsWorkflow.run,
                Sweep(),
                id=RENEWALS,
                task_queue=queues.WORKFLOWS,
                task_timeout=policies.WORKFLOW_TASK,
                static_summary="Renew the channels that end",
            ),
        ),
        POLLS: _schedule(
            timedelta(seconds=settings.poll_every_s),
            ScheduleActionStartWorkflow(
                CalendarPollsWorkflow.run,
                Poll(every_s=settings.poll_every_s),
                id=POLLS,
                task_queue=queues.WORKFLOWS,
                task_timeout=policies.WORKFLOW_TASK,
                static_summary="Ring the silent calendars",
            ),
        ),
        CALL_SWEEPS: _schedule(
            timedelta(seconds=settings.call_sweep_every_s),
            ScheduleActionStartWorkflow(
                CallSweepsWorkflow.run,
                CallSweep(),
                id=CALL_SWEEPS,
                task_queue=queues.WORKFLOWS,
                task_timeout=policies.WORKFLOW_TASK,
                static_summary="Look for calls that nobody told of",
            ),
        ),
        RETENTION: _nightly(
            ScheduleActionStartWorkflow(
                RetentionWorkflow.run,
                Keeping(),
                id=RETENTION,
                task_queue=queues.WORKFLOWS,
                task_timeout=policies.WORKFLOW_TASK,
                static_summary="Delete what is too old",
            ),
        ),
        RECONCILIATION: _schedule(
            policies.RECONCILE_EVERY,
            ScheduleActionStartWorkflow(
                ReconciliationWorkflow.run,
                Reconcile(),
                id=RECONCILIATION,
                task_queue=queues.WORKFLOWS,
                task_timeout=policies.WORKFLOW_TASK,
                static_summary="Compare rows with their workflows",
            ),
        ),
        DIGESTS: _mornings(),
        BILLS: _loads(timedelta(seconds=settings.bills_every_s)),
    }


async def ensure(client: Client, settings: Settings) -> None:
    """They are there and as they should be. Safe to do often, and by many at once."""
    for name, schedule in wanted(settings).items():
        try:
            await client.create_schedule(name, schedule)
        except ScheduleAlreadyRunningError:
            await client.get_schedule_handle(name).update(_updater(schedule))


async def listed(client: Client) -> list[Planned]:
    """Those of ours that the server knows."""
    return [planned for name in NAMES if (planned := await _planned(client, name)) is not None]


def _schedule(every: timedelta, action: ScheduleActionStartWorkflow) -> Schedule:
    """One run at a time. A tick that nobody was there for is made up for, once."""
    return Schedule(
        action=action,
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)], jitter=every / JITTER_PART),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=every),
    )


def _nightly(action: ScheduleActionStartWorkflow) -> Schedule:
    """The same by the clock on the wall: S4's `0 0 * * *`."""
    schedule = _schedule(policies.KEEP_EVERY, action)
    return replace(
        schedule,
        spec=ScheduleSpec(cron_expressions=[policies.KEEP_AT], jitter=schedule.spec.jitter, time_zone_name="UTC"),
    )


def _mornings() -> Schedule:
    """S2's `0 6 * * *`. Who was away for days makes up for one morning, the last; the others are over."""
    return Schedule(
        action=ScheduleActionStartWorkflow(
            DigestsWorkflow.run,
            DigestSweep(),
            id=DIGESTS,
            task_queue=queues.WORKFLOWS,
            task_timeout=policies.WORKFLOW_TASK,
            static_summary="Begin the digests of this morning",
        ),
        spec=ScheduleSpec(cron_expressions=[patience.AT], jitter=patience.JITTER, time_zone_name="UTC"),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=patience.EVERY),
    )


def _loads(every: timedelta) -> Schedule:
    """Who has no key for a congress loads nothing, and needs no other schedule for that."""
    return _schedule(
        every,
        ScheduleActionStartWorkflow(
            BillsWorkflow.run,
            BillSweep(),
            id=BILLS,
            task_queue=queues.WORKFLOWS,
            task_timeout=policies.WORKFLOW_TASK,
            static_summary="Load bills that have changed",
        ),
    )


def _updater(schedule: Schedule) -> Callable[[ScheduleUpdateInput], ScheduleUpdate]:
    """What it becomes; whether it is paused, and why, stays."""
    return lambda there: ScheduleUpdate(replace(schedule, state=there.description.schedule.state))


async def _planned(client: Client, name: str) -> Planned | None:
    try:
        found = await client.get_schedule_handle(name).describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise
    intervals, state, info = found.schedule.spec.intervals, found.schedule.state, found.info
    return Planned(
        id=name,
        # What has no interval is begun at an hour of the day.
        every_s=(intervals[0].every if intervals else policies.KEEP_EVERY).total_seconds(),
        paused=state.paused,
        note=state.note or "",
        last_at=info.recent_actions[-1].started_at if info.recent_actions else None,
        next_at=info.next_action_times[0] if info.next_action_times and not state.paused else None,
    )
