"""A calendar that is connected, and what is known of its channels on either side."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

from activities.store.connections import Connected
from activities.store.subscriptions import SubscriptionStore
from activities.subscriptions import SubscriptionActivities
from schemas.subscriptions import Errand, Renewal, RenewalOutcome
from starter import start
from tests.stage import ACCOUNT, Stage
from worker import activities, build_worker
from workflows import policies, queues


class Watched:
    """The calendar of a stage's user."""

    def __init__(self, stage: Stage, connected: Connected) -> None:
        self.stage = stage
        self.connected = connected

    @property
    def calendar_id(self) -> str:
        return self.connected.calendar_id

    def order(self, errand: Errand = Errand.RENEW) -> Renewal:
        return Renewal(tenant_id=self.stage.tenant.id, calendar_id=self.calendar_id, errand=errand)

    async def renew(self, errand: Errand = Errand.RENEW) -> RenewalOutcome:
        return await (await start.renewal(self.stage.temporal, self.order(errand))).result()

    async def failure(self, errand: Errand = Errand.RENEW) -> ApplicationError:
        try:
            await self.renew(errand)
        except WorkflowFailureError as error:
            assert isinstance(error.cause, ApplicationError)
            return error.cause
        raise AssertionError("the renewal did not fail")

    async def rows(self, *statuses: str) -> list[dict[str, Any]]:
        """Its channels as we know them, oldest first."""
        async with self.stage.database.tenant(self.stage.tenant.id) as connection:
            rows = await connection.fetch("SELECT * FROM subscriptions ORDER BY created_at, id")
        return [dict(row) for row in rows if not statuses or row["status"] in statuses]

    async def active(self) -> dict[str, Any]:
        (row,) = await self.rows("active")
        return row

    def live(self) -> list[str]:
        """Its channels as their provider knows them."""
        return [channel.id for channel in self.stage.sandbox.calendar(ACCOUNT).channels]

    async def ends_in(self, left: timedelta) -> None:
        async with self.stage.database.tenant(self.stage.tenant.id) as connection:
            await connection.execute(
                "UPDATE subscriptions SET expires_at = $1 WHERE status = 'active'", datetime.now(UTC) + left
            )

    async def notices(self) -> list[dict[str, Any]]:
        async with self.stage.database.tenant(self.stage.tenant.id) as connection:
            return [dict(row) for row in await connection.fetch("SELECT * FROM notices ORDER BY created_at")]

    def calls(self, about: str = "") -> list[str]:
        records = self.stage.sandbox.journal.records(provider="google")
        return [call["about"] for call in records if (call["about"] or "").startswith(about)]

    @asynccontextmanager
    async def working(self, store: SubscriptionStore | None = None, **changes: Any) -> AsyncIterator[None]:
        """Workers for all queues; another store may stand in for that of the subscriptions."""
        bell = start.Doorbell(self.stage.temporal)
        async with activities(self.stage.settings(**changes), bell) as owners, AsyncExitStack() as workers:
            for owner in owners:
                if isinstance(owner, SubscriptionActivities) and store is not None:
                    owner._store = store
            for queue in queues.ALL:
                await workers.enter_async_context(build_worker(self.stage.temporal, owners, task_queue=queue))
            yield


@pytest.fixture
async def watched(stage: Stage) -> Watched:
    return Watched(stage, await stage.connect())


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many tries as ever, with short pauses."""
    policy = RetryPolicy(initial_interval=timedelta(milliseconds=50), backoff_coefficient=1, maximum_attempts=3)
    monkeypatch.setitem(policies.RENEW, "retry_policy", policy)
