"""The sample user's calendar: connected as a person would connect it, and then the sample meeting is put into it.

consent page ─▶ Allow ─▶ code ─▶ tokens ─▶ connection ─▶ push channel ─▶ an event ─▶ (everything else follows by itself)
"""

import asyncio
import secrets
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import aiohttp
from temporalio.service import RPCError

from activities.providers.google_accounts import CALENDAR, GoogleAccounts
from activities.sealing import Sealer
from activities.store.connections import ConnectionStore
from activities.store.database import Database
from schemas.base import RowId
from schemas.settings import Settings
from schemas.subscriptions import Renewal
from starter import start
from starter.cli.waiting import Handle
from starter.desk import Desk
from starter.dev import sample
from starter.web.signin import CALLBACK, challenge
from starter.words import FailedError
from workflows import ids

PATIENCE_S = 30.0
GLANCE_S = 0.2


async def connect(at: Desk, database: Database) -> RowId:
    """The sample user says yes; their calendar, read and watched from now on."""
    settings = at.settings
    async with aiohttp.ClientSession() as session:
        accounts = GoogleAccounts(session, settings.google(), timeout_s=settings.google_timeout_s)
        verifier, redirect = secrets.token_urlsafe(48), settings.web_url + CALLBACK
        url = accounts.consent_url("sample", challenge(verifier), redirect, CALENDAR, sample.USER.email)
        grant = await accounts.exchange(await _allow(session, url), verifier, redirect)
    store = ConnectionStore(database, Sealer(settings.token_keys.get_secret_value()))
    made = await store.connect(
        at.tenant.id,
        sample.USER.id,
        sample.USER.email,
        grant,
        provider=accounts.name,
        sandbox=accounts.sandbox,
        now=datetime.now(UTC),
    )
    client = await at.temporal()
    watching = await start.renewal(client, Renewal(tenant_id=at.tenant.id, calendar_id=made.calendar_id))
    await watching.result()
    return made.calendar_id


async def _allow(session: aiohttp.ClientSession, url: str) -> str:
    """The code with which the consent page sends the browser back."""
    form = [("decision", "allow"), ("account", sample.USER.email), *(("scope", scope) for scope in CALENDAR)]
    async with session.post(url, data=form, allow_redirects=False) as response:
        code = parse_qs(urlsplit(response.headers.get("Location", "")).query).get("code")
    if not code:
        raise FailedError(f"The sandbox did not let the sample user in (it said {response.status})")
    return code[0]


async def invite(settings: Settings, now: datetime) -> str:
    """The sample meeting, tomorrow at this hour, in place of the one of last time; its event's id."""
    calendar = f"{settings.sandbox_url}/sandbox/calendar/{sample.USER.email}/events"
    async with aiohttp.ClientSession(raise_for_status=True) as session:
        async with session.get(calendar) as response:
            events = (await response.json())["events"]
        for event in events:
            if event.get("summary") == sample.TITLE and event["status"] != "cancelled":
                async with session.post(f"{calendar}/{event['id']}/cancel"):
                    pass
        order = {
            "title": sample.TITLE,
            "start": (now + timedelta(days=1)).replace(minute=0, second=0, microsecond=0).isoformat(),
            "minutes": 45,
            "attendees": [{"email": one.email, "name": one.name, "resource": one.room} for one in sample.INVITED],
        }
        async with session.post(calendar, json=order) as response:
            event_id: str = (await response.json())["id"]
            return event_id


async def meeting(at: Desk, calendar_id: RowId, event_id: str) -> RowId:
    """The meeting that the event has become."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while (  # noqa: ASYNC110 - others are at work
                found := await at.meetings.of_event(at.tenant.id, f"{calendar_id}/{event_id}")
            ) is None:
                await asyncio.sleep(GLANCE_S)
            return found
    except TimeoutError:
        raise FailedError(
            "The sample meeting was not found in the calendar", "greenroom calendars list says why"
        ) from None


async def research(at: Desk, meeting_id: RowId) -> Handle:
    """The research that the meeting has begun."""
    client, workflow_id = await at.temporal(), ids.research(at.tenant.id, meeting_id)
    try:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    return await start.newest(client, workflow_id)
                except RPCError:
                    await asyncio.sleep(GLANCE_S)
    except TimeoutError:
        raise FailedError(
            "The sample meeting's research did not begin", "the Temporal Web UI shows its meeting"
        ) from None
