"""Record the lives of meetings and calendars for later code to replay: `python -m tests.replay.lives FOLDER`.

Real workflows over real rows and pretended providers, on a server that skips time. Only ever add.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

from temporalio.client import Client

from schemas.erasures import Keeping
from schemas.subscriptions import Renewal
from starter import start
from starter.dev.postgres import Urls
from tests.diary import ADA, TOMAS, Diary
from tests.erasures.people import begun
from tests.meetings.life import Life
from tests.replay.ground import keep, lasting, recorded, skipping, staged
from tests.stage import Stage
from workflows import ids, policies, queues
from workflows.erasures import RetentionWorkflow

Told = Callable[[Life], Awaitable[str]]


async def whole(life: Life) -> str:
    """Researched, moved, renewed, delivered, over."""
    starts = await life.in_(days=3)
    event = life.diary.calendar.add("Introduction", starts, attendees=[ADA])
    await life.read()
    life.diary.calendar.move(event, starts + timedelta(days=1))
    life.diary.calendar.invite(event, TOMAS)
    await life.read()
    await life.until(starts + timedelta(days=1, hours=2))
    return event


async def cancelled(life: Life) -> str:
    """Withdrawn in the middle of its research."""
    life.stage.sandbox.delays["perplexity"] = 2.0
    event = life.diary.calendar.add("Introduction", await life.in_(days=2), attendees=[ADA])
    with life.environment.auto_time_skipping_disabled():
        await life.diary.read()
        life.diary.calendar.cancel(event)
        await life.diary.read()
    await life.rest()
    return event


async def failed(life: Life) -> str:
    """No provider is there; the user is told, and asks by hand."""
    for provider in ("perplexity", "anthropic"):
        life.stage.sandbox.faults.put(provider, "status", status=503, times=None)
    starts = await life.in_(hours=10)
    event = life.diary.calendar.add("Introduction", starts, attendees=[ADA])
    await life.read()
    await life.research_now(event)
    await life.until(starts + timedelta(hours=2))
    return event


SCENARIOS: dict[str, Told] = {"whole": whole, "cancelled": cancelled, "failed": failed}


async def record(urls: Urls, folder: Path) -> None:
    for name, tell in SCENARIOS.items():
        async with skipping() as environment, staged(urls, environment) as stage, stage.working():
            life = Life(environment, stage, await Diary.connected(stage))
            meeting_id = await life.meeting_id(await tell(life))
            await _keep_all(environment.client, life, name, meeting_id, folder)
    async with lasting() as environment, staged(urls, environment) as stage, stage.working():
        await stage.research(ADA)
        await _forget(environment.client, stage, folder)


async def _forget(client: Client, stage: Stage, folder: Path) -> None:
    """Somebody is forgotten, and what is old goes. Both wait for Temporal itself, whose server deletes in real time."""
    order = await begun(stage, ADA)
    await (await start.erasure(client, order)).result()
    await keep(client, ids.erasure(order.tenant_id, order.erasure_id), "erasure", folder)
    await client.execute_workflow(
        RetentionWorkflow.run,
        Keeping(),
        id="retention",
        task_queue=queues.WORKFLOWS,
        task_timeout=policies.WORKFLOW_TASK,
    )
    await keep(client, "retention", "retention", folder)


async def _keep_all(client: Client, life: Life, name: str, meeting_id: str, folder: Path) -> None:
    tenant_id, calendar_id = life.stage.tenant.id, life.diary.calendar_id
    await keep(client, ids.meeting(tenant_id, meeting_id), f"meeting-{name}", folder)
    await keep(client, ids.calendar(tenant_id, calendar_id), f"calendar-{name}", folder)
    async with life.stage.database.tenant(tenant_id) as connection:
        notices = await connection.fetch("SELECT key, kind FROM notices")
    for row in notices:
        await keep(client, ids.notice(tenant_id, row["key"]), f"notice-{row['kind']}-{name}", folder)
    with life.environment.auto_time_skipping_disabled():
        await (await start.renewal(client, Renewal(tenant_id=tenant_id, calendar_id=calendar_id))).result()
    await keep(client, ids.subscription(tenant_id, calendar_id), f"subscription-{name}", folder)


if __name__ == "__main__":
    recorded(record)
