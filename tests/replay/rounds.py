"""Record what goes round by itself for later code to replay: `python -m tests.replay.rounds FOLDER`. Only ever add.

Deliveries to an endpoint, sweeps of recorders and of calendars, and the comparing of rows with their workflows.
"""

import asyncio
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import aiohttp
from aiohttp import web
from temporalio.client import WorkflowFailureError
from temporalio.testing import WorkflowEnvironment

from activities.sealing import Sealer
from activities.store.recorders import RecorderStore
from schemas.calendars import Poll
from schemas.recorders import CallSweep, Listed
from starter import start
from starter.dev.postgres import Urls
from starter.schedules import POLLS
from tests.deliveries.receiver import PATIENCE_S, Receiver, Tenant, receiving
from tests.diary import ADA
from tests.recorders.conftest import Ours, Scene
from tests.replay.ground import keep, lasting, recorded, skipping, staged
from tests.stage import TOKEN_KEYS
from workflows import ids, queues
from workflows.calendars import CalendarPollsWorkflow
from workflows.recorders import CallSweepsWorkflow

Told = Callable[[WorkflowEnvironment, Tenant, Receiver], Awaitable[None]]

OTHER_KEYS = "other:" + urlsafe_b64encode(b"o" * 32).decode()


# --- deliveries ---


async def _whole(_environment: WorkflowEnvironment, tenant: Tenant, receiver: Receiver) -> None:
    """Rung for again while it sends."""

    async def answer(_request: web.Request) -> web.Response:
        receiver.answer = None
        await tenant.ring()
        return web.Response(status=204)

    receiver.answer = answer
    await tenant.happened(3)
    await tenant.told_all()


async def _away(environment: WorkflowEnvironment, tenant: Tenant, receiver: Receiver) -> None:
    """Waited for, longer each time; a ring does not hurry it, somebody does; and then it is back."""
    receiver.says(503, 503, 503, 503, 204)
    await tenant.happened(2)
    await tenant.ring()
    await _tried(tenant, receiver, 1)
    await environment.sleep(timedelta(seconds=6))
    await _tried(tenant, receiver, 2)
    await tenant.ring()
    await tenant.ring(anew=True)
    await _tried(tenant, receiver, 3)
    await tenant.handle().result()


async def _failed(_environment: WorkflowEnvironment, tenant: Tenant, _receiver: Receiver) -> None:
    """Nobody has the key of its secret any more."""
    await tenant.happened()
    await tenant.ring()
    with suppress(WorkflowFailureError):
        await asyncio.wait_for(tenant.handle().result(), PATIENCE_S)


async def _tried(tenant: Tenant, receiver: Receiver, times: int) -> None:
    """So often, and what came of it is noted: it waits."""

    async def waits() -> bool:
        there = (await tenant.handle().describe()).raw_description
        return len(receiver.posts) >= times and not (
            there.pending_activities or there.HasField("pending_workflow_task")
        )

    await tenant.until(waits)


DELIVERIES: dict[str, Told] = {"whole": _whole, "away": _away, "failed": _failed}


async def _record_deliveries(urls: Urls, folder: Path) -> None:
    for name, tell in DELIVERIES.items():
        keys = {"token_keys": OTHER_KEYS} if name == "failed" else {}
        async with (
            skipping() as environment,
            staged(urls, environment) as stage,
            receiving() as receiver,
            stage.working(private_endpoints=True, **keys),
        ):
            tenant = Tenant(stage)
            await tenant.hears_at(receiver)
            await tell(environment, tenant, receiver)
            await keep(environment.client, ids.delivery(tenant.id), f"delivery-{name}", folder)


async def _record_a_long_delivery(urls: Urls, folder: Path) -> None:
    """An endpoint that is away so often that another history goes on; what is kept is the first."""
    async with (
        lasting("limit.historyCount.suggestContinueAsNew=20") as environment,
        staged(urls, environment) as stage,
        receiving() as receiver,
        stage.working(private_endpoints=True),
    ):
        tenant = Tenant(stage)
        await tenant.hears_at(receiver)
        receiver.says(503)
        await tenant.happened()
        await tenant.ring()
        first = (await tenant.handle().describe()).run_id
        times = 0
        while (await tenant.handle().describe()).run_id == first:
            await _tried(tenant, receiver, times := times + 1)
            await tenant.ring(anew=True)
        receiver.answer = None
        await tenant.ring(anew=True)
        await tenant.handle().result()
        await keep(environment.client, ids.delivery(tenant.id), "delivery-continued", folder, run_id=first)


# --- sweeps of recorders ---


class Everybody(Ours):
    """Nobody else is in this database. A page is so long."""

    page = 500

    async def listed(self, after: str | None, _limit: int) -> Listed:
        return await RecorderStore.listed(self, after, self.page)


async def _record_sweeps(urls: Urls, folder: Path) -> None:
    """Two recorders, one of which does not answer; then a page for each, so that another history goes on from the first."""
    async with (
        skipping() as environment,
        staged(urls, environment) as stage,
        staged(urls, environment) as another,
        aiohttp.ClientSession() as session,
    ):
        scene, silent = Scene(stage, session), Scene(another, session)
        everybody = Everybody(stage.database, Sealer(TOKEN_KEYS))
        scene.store = everybody
        for one in (scene, silent):
            await one.connect()
            one.gong.flood(2)
        another.sandbox.faults.put("gong", "status", status=400, times=1)
        async with scene.working():
            await start.call_sweeps(environment.client)
            await keep(environment.client, ids.CALL_SWEEP, "call-sweeps-whole", folder)
            everybody.page = 1
            first = await environment.client.start_workflow(
                CallSweepsWorkflow.run, CallSweep(), id=ids.CALL_SWEEP, task_queue=queues.WORKFLOWS
            )
            await first.result()
            await keep(
                environment.client, ids.CALL_SWEEP, "call-sweeps-continued", folder, run_id=first.first_execution_run_id
            )


# --- sweeps of calendars ---


async def _record_calendars(urls: Urls, folder: Path) -> None:
    """A calendar that has no channel yet, and that nobody has read."""
    async with skipping() as environment, staged(urls, environment) as stage, stage.working():
        await stage.connect()
        await (await start.sweep(environment.client)).result()
        await keep(environment.client, ids.SWEEP, "renewals", folder)
        await environment.client.execute_workflow(
            CalendarPollsWorkflow.run, Poll(every_s=60), id=POLLS, task_queue=queues.WORKFLOWS
        )
        await keep(environment.client, POLLS, "polls", folder)


# --- comparing rows with their workflows ---


async def _record_comparing(urls: Urls, folder: Path) -> None:
    """A row says that it is being worked on, and nobody is."""
    async with lasting() as environment, staged(urls, environment) as stage, stage.working():
        research_id = await stage.request(ADA)
        async with stage.database.tenant(stage.tenant.id) as connection:
            await connection.execute("UPDATE research SET status = 'generating' WHERE id = $1", research_id)
        found = await start.reconciliation(environment.client)
        assert [one.row_id for one in found.rows] == [research_id]
        await keep(environment.client, ids.RECONCILIATION, "reconciliation-stuck", folder)


async def record(urls: Urls, folder: Path) -> None:
    await _record_comparing(urls, folder)
    await _record_calendars(urls, folder)
    await _record_sweeps(urls, folder)
    await _record_deliveries(urls, folder)
    await _record_a_long_delivery(urls, folder)


if __name__ == "__main__":
    recorded(record)
