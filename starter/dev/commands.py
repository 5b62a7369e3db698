"""make dev and make demo: the stack, and a sample job through all of it."""

import asyncio
import os
import signal
from datetime import UTC, datetime
from urllib.parse import quote

from activities.store.tenants import TenantStore
from starter import intake
from starter.cli import research
from starter.cli.briefs import link_to
from starter.cli.options import console, progress
from starter.cli.waiting import Handle, finish
from starter.desk import Desk, database_there, desk
from starter.dev import sample
from starter.dev.stack import Plan, Stack
from starter.environment import load_settings
from starter.show import terminal
from starter.words import FailedError


async def dev() -> None:
    """The stack until Ctrl-C."""
    stack = Stack(Plan.read())
    progress.print("Starting Postgres, Temporal, the sandbox, the worker and the web app ...")
    async with stack.started():
        _addresses(stack)
        await _until_stopped(stack)


async def demo(*, once: bool) -> None:
    """The stack, a sample meeting researched, its brief, and where to look at both."""
    stack = Stack(Plan.read())
    progress.print("Starting Postgres, Temporal, the sandbox, the worker and the web app ...")
    async with stack.started():
        await _sample()
        if not once:
            _addresses(stack)
            await _until_stopped(stack)


async def _sample() -> None:
    """A new version of the sample meeting's brief; what is fresh of the last one is used again."""
    settings, now = load_settings(), datetime.now(UTC)
    async with database_there(settings) as database:
        await TenantStore(database).create(sample.TENANT, sample.USER, sample.CAMPAIGN, now)
    async with desk(sample.TENANT.slug) as at:
        campaign = await at.campaign(sample.CAMPAIGN.name)
        entry = intake.Intake(at.meetings, settings)
        meeting_id = await entry.meeting(at.tenant.id, campaign, sample.meeting(now), now)
        handle = await research.begin_meeting(at, meeting_id)
        progress.print("Researching the sample meeting ...")
        brief = await finish(at, handle, watch=True)
        terminal.show(brief, console)
        _links(at, handle, brief.id)


def _links(at: Desk, handle: Handle, brief_id: str) -> None:
    namespace = os.environ.get("TEMPORAL_NAMESPACE", "greenroom")
    run = f"{at.settings.temporal_ui_url}/namespaces/{namespace}/workflows/{quote(handle.id, safe='')}"
    console.print(f"\nThe brief:       {link_to(at, brief_id)}", soft_wrap=True, markup=False)
    console.print(f"Its run:         {run}/{handle.first_execution_run_id}/history", soft_wrap=True)


def _addresses(stack: Stack) -> None:
    environment = stack.environment
    console.print(f"Temporal Web UI: {environment['GREENROOM_TEMPORAL_UI_URL']}")
    console.print(f"Pages:           {environment['GREENROOM_WEB_URL']}")
    console.print(f"Sandbox:         {environment['GREENROOM_SANDBOX_URL']}/sandbox/journal")
    console.print("In another terminal: .venv/bin/greenroom research ada@lovelace.example --watch")
    console.print("Ctrl-C stops everything.")


async def _until_stopped(stack: Stack) -> None:
    """Until Ctrl-C; a part that ends by itself is told, and ends the rest."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    stopped, died = asyncio.create_task(stop.wait()), asyncio.create_task(stack.died())
    done, waiting = await asyncio.wait([stopped, died], return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
    if died in done:
        part = died.result()
        raise FailedError(f"The {part.name} ended by itself", f"its log is {part.log}")
    progress.print("Stopping ...")
