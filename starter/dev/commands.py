"""make dev and make demo: the stack, and a sample job through all of it."""

import asyncio
import os
import signal
from datetime import UTC, datetime
from urllib.parse import quote

from activities.store.tenants import TenantStore
from activities.store.wishes import WishStore
from starter.cli.briefs import link_to
from starter.cli.options import console, progress
from starter.cli.waiting import finish
from starter.desk import Desk, database_there, desk
from starter.dev import diary, sample
from starter.dev.stack import PRETENDED, Plan, Stack
from starter.environment import load_settings
from starter.show import terminal
from starter.ways import channels
from starter.words import FailedError
from workflows import ids


async def dev() -> None:
    """The stack until Ctrl-C."""
    stack = Stack(Plan.read())
    progress.print("Starting Postgres, Temporal, the sandbox, the worker and the web app ...")
    async with stack.started():
        _addresses(stack)
        await _until_stopped(stack)


async def demo(*, once: bool) -> None:
    """The stack, a sample meeting put into a calendar, the brief that follows, and where to look at every hop."""
    # The sample user has no account but a pretended one.
    os.environ |= dict.fromkeys(("GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET"), "")
    stack = Stack(Plan.read())
    progress.print("Starting Postgres, Temporal, the sandbox, the worker and the web app ...")
    async with stack.started():
        # The stack's worker pretends for whoever has no key, and so do we.
        os.environ |= PRETENDED
        await _sample()
        if not once:
            _addresses(stack)
            await _until_stopped(stack)


async def _sample() -> None:
    """The sample meeting in the calendar, and its brief; what is fresh of the last time is used again."""
    settings, now = load_settings(), datetime.now(UTC)
    async with database_there(settings) as database:
        await TenantStore(database).create(sample.TENANT, sample.USER, sample.CAMPAIGN, now)
        await WishStore(database).wish(sample.TENANT.id, sample.USER.id, sample.WISHES)
        told = channels(settings, database)
        await told.add(sample.TENANT.id, sample.USER.id, "telegram", sample.CHAT, sample.CHAT_LABEL, now)
        async with desk(sample.TENANT.slug) as at:
            progress.print("The sample user connects their calendar ...")
            calendar_id = await diary.connect(at, database)
            progress.print("The sample meeting is put into it; everything else follows by itself ...")
            event_id = await diary.invite(settings, now)
            meeting_id = await diary.meeting(at, calendar_id, event_id)
            progress.print("The calendar was read, and the meeting is there. Its research:")
            handle = await diary.research(at, meeting_id)
            brief = await finish(at, handle, watch=True)
            terminal.show(brief, console)
            _links(at, calendar_id, meeting_id, brief.id)


def _links(at: Desk, calendar_id: str, meeting_id: str, brief_id: str) -> None:
    """The brief, and each workflow on its way."""
    namespace = os.environ.get("TEMPORAL_NAMESPACE", "greenroom")
    runs = f"{at.settings.temporal_ui_url}/namespaces/{namespace}/workflows"
    lines = {
        "The brief": link_to(at, brief_id),
        "Its research": f"{runs}/{quote(ids.research(at.tenant.id, meeting_id), safe='')}",
        "Its meeting": f"{runs}/{quote(ids.meeting(at.tenant.id, meeting_id), safe='')}",
        "The calendar": f"{runs}/{quote(ids.calendar(at.tenant.id, calendar_id), safe='')}",
        "Sign in": f"{at.settings.web_url}/ as {sample.USER.email}",
    }
    console.print()
    for what, where in lines.items():
        console.print(f"{what + ':':<14} {where}", soft_wrap=True, markup=False)


def _addresses(stack: Stack) -> None:
    environment = stack.environment
    console.print(f"Temporal Web UI: {environment['GREENROOM_TEMPORAL_UI_URL']}")
    console.print(f"Pages:           {environment['GREENROOM_WEB_URL']}")
    console.print(f"Payloads:        {environment['GREENROOM_WEB_URL']}/codec says how the Web UI gets to read them")
    console.print(f"Sandbox:         {environment['GREENROOM_SANDBOX_URL']}/sandbox/journal")
    console.print("In another terminal: .venv/bin/greenroom sandbox calendar list")
    console.print("                     .venv/bin/greenroom research ada@lovelace.example --watch")
    console.print("                     .venv/bin/greenroom digest run --user sample")
    console.print("                     .venv/bin/greenroom skill run follow-up --meeting next --watch")
    console.print("                     .venv/bin/greenroom document review FILE --watch")
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
