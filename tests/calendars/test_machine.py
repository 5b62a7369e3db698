"""People do what they like to their calendars, the provider and the workers fail as they like, and after quiet our rows
are what the people made: no more, no less, and every meeting's workflow knows.

people ─▶ the pretended provider ─▶ notifications, lost, doubled, late, forged ─▶ Webhooks ─▶ readings that may die ─▶ rows
  └─────▶ People: what ought to be ───────────────────────── compared ──────────────────────────────────────────────┘

For a long search raise EXAMPLES and STEPS and run this file alone with `--timeout=0`.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar, TypeVar
from uuid import uuid4

import aiohttp
import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from temporalio.exceptions import ApplicationError

from activities.access import Access
from activities.pacing import Pacing
from activities.ports import Grant
from activities.providers.google import GoogleCalendar
from activities.providers.google_accounts import CALENDAR, SIGN_IN, GoogleAccounts
from activities.sealing import Sealer
from activities.store.channels import ChannelStore
from activities.store.connections import ConnectionStore
from activities.store.database import Database
from activities.store.paces import PaceStore
from activities.store.subscriptions import SubscriptionStore
from activities.store.tenants import TenantStore
from activities.subscriptions import SubscriptionActivities
from sandbox import Sandbox, running
from sandbox.google.diary import Calendar
from sandbox.google.push import Message
from sandbox.google.state import State
from sandbox.world import World as Providers
from schemas.calendars import Polling, Read, Reading, ReadingFailed, Reason, Ring
from schemas.settings import Google
from schemas.subscriptions import Opening, Retiring
from schemas.tenants import Tenant, User
from starter.web.metrics import Metrics
from starter.web.webhooks import Webhooks
from temporalio.testing import ActivityEnvironment
from tests.calendars.people import ADA, BERLIN, CAST, CROWD, KIM, KIM_AWAY, MARKERS, OUTSIDE, ROBIN, ROBIN_AWAY, ROOMS
from tests.calendars.people import People, Shown
from tests.calendars.processes import Ended, Fate, Meetings, Process, StillClock, Turns, World
from tests.stage import CAMPAIGN, TOKEN_KEYS

EXAMPLES, STEPS = 25, 20

T = TypeVar("T")

AHEAD = timedelta(days=30)
FOR_EVER_S = 60.0
SCOPES = (*SIGN_IN, *CALENDAR)

# Hours from now: over, under way, soon, and around the thirty days from which a meeting is looked after.
WHEN = st.sampled_from([-30, -2, 0, 1, 5, 26, 5 * 24, 29 * 24, 31 * 24, 45 * 24])
PICK = st.integers(0, 99)
WHO = st.sampled_from(CAST)
TITLES = st.sampled_from(["Introduction", "Introduction", "Review"])
FATE = st.builds(
    Fate,
    nth=st.integers(1, 20),
    side=st.sampled_from(["before", "inside", "after"]),
    how=st.sampled_from(["killed", "killed", "cancelled"]),
)
KINDS = st.sampled_from(["plain"] * 4 + ["all day", "private", "marker", "crowd", "theirs"])
SERIES = st.sampled_from([None, None, None, (1, 3), (7, 4)])
EDITS = st.sampled_from(
    [
        {"title": "Renamed"},
        {"private": True},
        {"private": False},
        {"hidden": True},
        {"hidden": False},
        {"kind": "focusTime"},
        {"kind": "default"},
    ]
)
TROUBLES = st.sampled_from(
    ["expired", "gone on a page", "token over", "revoked", "503", "429", "401", "garbage", "truncated", "drop"]
)
FORGERIES = st.sampled_from(["token", "resource", "channel", "nothing"])


@dataclass(frozen=True)
class Row:
    """A meeting as it is kept."""

    id: str
    event: str
    title: str
    starts_at: datetime
    ends_at: datetime
    prospects: frozenset[str]
    withdrawn: str | None
    revision: int

    def says(self, shown: Shown) -> bool:
        facts = (self.title, self.starts_at, self.ends_at, self.prospects)
        return self.withdrawn is None and facts == (shown.title, shown.starts_at, shown.ends_at, shown.prospects)


@dataclass
class Read_:
    """A calendar that is read: whose account it is in, and our ids."""

    account: str
    user_id: str
    connection_id: str
    calendar_id: str


class Ground:
    """What all examples stand on: one Postgres, one pretended provider, one loop that does the work."""

    def __init__(
        self, database: Database, sandbox: Sandbox, clock: StillClock, google: GoogleCalendar, accounts: GoogleAccounts
    ) -> None:
        self.database = database
        self.sandbox = sandbox
        self.clock = clock
        self.google = google
        self.accounts = accounts
        self._loop = asyncio.get_running_loop()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Hypothesis is not async: it runs in a thread, and the work in the tests' loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


@pytest.fixture
async def ground(database: Database) -> AsyncIterator[Ground]:
    clock = StillClock(datetime.now(UTC))
    async with AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(running(world=Providers(clock)))
        pretended = Google.pretended(sandbox.google_url)
        google = GoogleCalendar(pretended, notifications_url="http://127.0.0.1:1/", channel_s=604_800)
        stack.callback(google.close)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        yield Ground(database, sandbox, clock, google, GoogleAccounts(session, pretended))
