"""What the clock begins: the renewal of push channels, the polls that find what no notification told, the digests of a
morning, the loading of bills, and the end of what is too old.

worker starts ─▶ ensure ─▶ made, or brought up to date; an operator's pause stays
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

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

from schemas.base import Content, Message
from schemas.bills import BillSweep
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
from workflows.reconciliation import ReconciliationWorkflow
from workflows.recorders import CallSweepsWorkflow
from workflows.subscriptions import SubscriptionRenewalsWorkflow

RENEWALS, POLLS, RETENTION, CALL_SWEEPS = "subscription-renewals", "calendar-polls", "retention", "call-sweeps"
RECONCILIATION, DIGESTS, BILLS = "reconciliation", "digests", "bills"
NAMES = (RENEWALS, POLLS, RETENTION, CALL_SWEEPS, RECONCILIATION, DIGESTS, BILLS)

# Not every installation at the same second; and never a noticeable part of the period.
JITTER_PART = 60


class Planned(Content):
    """A schedule as it stands on the server. `next_at` is None while it is paused."""

    id: str
    every_s: float
    paused: bool
    note: str
    last_at: datetime | None
    next_at: datetime | None


@dataclass(frozen=True)
class When:
    """What the clock goes by. `period` is how long after a tick that nobody was there for it is made up for, once."""

    spec: ScheduleSpec
    period: timedelta


def wanted(settings: Settings) -> dict[str, Schedule]:
    """Every schedule that there is to be: when, what it begins, and as what the Web UI shows it."""
    polls, sweeps = timedelta(seconds=settings.poll_every_s), timedelta(seconds=settings.call_sweep_every_s)
    nightly = _daily(policies.KEEP_AT, policies.KEEP_EVERY, policies.KEEP_EVERY / JITTER_PART)
    # Who was away for days makes up for one morning, the last; the others are over.
    mornings = _daily(policies.DIGESTS_AT, policies.DIGESTS_EVERY, policies.DIGESTS_JITTER)
    begun: dict[str, tuple[When, Any, Message, str]] = {
        RENEWALS: (
            _every(policies.RENEWAL_EVERY),
            SubscriptionRenewalsWorkflow.run,
            Sweep(),
            "Renew the channels that end",
        ),
        POLLS: (
            _every(polls),
            CalendarPollsWorkflow.run,
            Poll(every_s=settings.poll_every_s),
            "Ring the silent calendars",
        ),
        CALL_SWEEPS: (_every(sweeps), CallSweepsWorkflow.run, CallSweep(), "Look for calls that nobody told of"),
        RETENTION: (nightly, RetentionWorkflow.run, Keeping(), "Delete what is too old"),
        RECONCILIATION: (
            _every(policies.RECONCILE_EVERY),
            ReconciliationWorkflow.run,
            Reconcile(),
            "Compare rows with their workflows",
        ),
        DIGESTS: (mornings, DigestsWorkflow.run, DigestSweep(), "Begin the digests of this morning"),
        # Who has no key for a congress loads nothing, and needs no other schedule for that.
        BILLS: (
            _every(timedelta(seconds=settings.bills_every_s)),
            BillsWorkflow.run,
            BillSweep(),
            "Load bills that have changed",
        ),
    }
    return {name: _schedule(name, *what) for name, what in begun.items()}


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


def _schedule(name: str, when: When, run: Any, message: Message, said: str) -> Schedule:
    """One run at a time."""
    return Schedule(
        action=ScheduleActionStartWorkflow(
            run,
            message,
            id=name,
            task_queue=queues.WORKFLOWS,
            task_timeout=policies.WORKFLOW_TASK,
            static_summary=said,
        ),
        spec=when.spec,
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=when.period),
    )


def _every(period: timedelta) -> When:
    return When(ScheduleSpec(intervals=[ScheduleIntervalSpec(every=period)], jitter=period / JITTER_PART), period)


def _daily(cron: str, period: timedelta, jitter: timedelta) -> When:
    """By the clock on the wall, in UTC."""
    return When(ScheduleSpec(cron_expressions=[cron], jitter=jitter, time_zone_name="UTC"), period)


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
