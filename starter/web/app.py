"""The app put together, and served.

settings ─▶ stores, provider, Temporal: Parts ─▶ build_app ─▶ listening ─▶ until told to stop
"""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import aiohttp
import structlog
from aiohttp import web

from activities.providers import made
from activities.providers.google_accounts import GoogleAccounts
from activities.sealing import Sealer
from activities.skills.ports import Shelf
from activities.store.agenda import AgendaStore
from activities.store.callbook import CallBook
from activities.store.calls import CallStore
from activities.store.channels import ChannelStore
from activities.store.connections import ConnectionStore
from activities.store.digests import DigestStore
from activities.store.documents import DocumentStore
from activities.store.event_keys import EventKeyStore
from activities.store.explanations import ExplanationStore
from activities.store.feedback import FeedbackStore
from activities.store.library import Library
from activities.store.marks import MarkStore
from activities.store.meetings import MeetingStore
from activities.store.received import ReceivedStore
from activities.store.recorders import RecorderStore
from activities.store.skill_runs import SkillRunStore
from activities.store.tenants import TenantStore
from activities.store.wishes import WishStore
from schemas.settings import Settings
from starter import ways
from starter.dispatch import Dispatcher
from starter.environment import connect, open_database
from starter.errands import Errands
from starter.inbox import Inbox
from starter.intake import person_keys
from starter.links import Links
from starter.office import Office
from starter.runs import RunPages
from starter.start import Doorbell
from starter.web import openapi
from starter.web.bounds import BACKLOG, Bounds, Connection, Door, make_room
from starter.web.calendars import Calendars
from starter.web.calls import Calls
from starter.web.campaigns import Campaigns
from starter.web.codec import Opened
from starter.web.desk import Desk
from starter.web.digests import Digested
from starter.web.document import Read
from starter.web.document_desk import Reviewing
from starter.web.document_runs import Made
from starter.web.documents import Reviewed
from starter.web.documents_door import DocumentsDoor
from starter.web.events import Events
from starter.web.feeds import Feeds
from starter.web.following import Following
from starter.web.gong import CallNotices
from starter.web.guard import Guard
from starter.web.health import Health, temporal
from starter.web.marks import Marks, Readers
from starter.web.metrics import Metrics
from starter.web.pages import Pages
from starter.web.parts import Parts
from starter.web.ports import Sounds
from starter.web.preferences import Preferred
from starter.web.runs import Runs
from starter.web.sessions import Cookies
from starter.web.signin import SignIn
from starter.web.skill_runs import Written
from starter.web.skills import Skilled
from starter.web.sounds import Silence
from starter.web.today import Today
from starter.web.visits import Members
from starter.web.watching import Watching
from starter.web.webhooks import Webhooks
from starter.words import NotReadyError

log = structlog.get_logger("web")

HOST = "127.0.0.1"
# A webhook is some hundred bytes and a form some thousand.
LARGEST_BODY = 64 * 1024
GRACE_S = 10.0
# Two calls to the provider of accounts, while somebody waits.
CONSENT_S = 3.0


def build_app(parts: Parts) -> web.Application:
    """The app, with what it reads from and what it cannot do without."""
    settings, metrics, cookies = parts.settings, Metrics(), Cookies(parts.settings)
    guard, health = Guard(metrics, settings.web_url), Health(parts.checks)
    members = Members(parts.users, cookies, settings.web_url, parts.clock)
    links = Links(settings)
    readers = Readers(links, members, parts)
    pages = Pages(links, readers, parts.briefs, metrics)
    payloads = Opened(members, parts)
    webhooks = Webhooks(parts.channels, parts.bell, metrics)
    events = Events(parts.event_keys, parts.inbox, metrics)
    told = CallNotices(parts.recorders, parts.call_intake, parts.call_bell, metrics, settings.web_url)
    watching = Watching(parts.skill_runs, parts.sounds)
    runs = Runs(watching, parts)
    following, brought = Following(parts.documents), DocumentsDoor(parts)
    around = [guard.around, events.around, told.around, runs.around, brought.around]
    app = web.Application(middlewares=around, client_max_size=LARGEST_BODY)
    app.on_shutdown.extend((watching.close, following.close))
    app.on_response_prepare.extend((guard.signed_off, payloads.signed_off))
    app.router.add_get("/briefs/{id}", pages.brief)
    app.router.add_routes(Marks(readers, members, parts, metrics).routes())
    app.router.add_get("/static/{name}", pages.file)
    app.router.add_get("/openapi.json", openapi.handle)
    app.router.add_post("/webhooks/google-calendar", webhooks.calendar)
    app.router.add_routes(events.routes())
    app.router.add_routes(told.routes())
    app.router.add_get("/healthz", health.alive)
    app.router.add_get("/readyz", health.ready)
    app.router.add_get("/metrics", metrics.handle)
    app.router.add_routes(payloads.routes())
    app.router.add_routes(SignIn(members, cookies, parts).routes())
    app.router.add_routes(Calls(members, cookies, parts).routes())
    app.router.add_routes(Feeds(parts).routes())
    app.router.add_routes(runs.routes())
    app.router.add_routes(Written(members, watching, parts).routes())
    app.router.add_routes(Skilled(members, cookies, parts).routes())
    app.router.add_routes(brought.routes())
    app.router.add_routes(Reviewed(members, cookies, parts).routes())
    app.router.add_routes(Read(members, following, parts).routes())
    app.router.add_routes(Made(members, parts).routes())
    for signed_in in (Today, Calendars, Campaigns, Preferred, Digested):
        app.router.add_routes(signed_in(members, parts).routes())
    return app


async def serve(settings: Settings, port: int, host: str = HOST) -> None:
    """Serve until told to stop. Most pages need Postgres alone: without Temporal they read, save, and say what waits."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with real_parts(settings) as parts, listening(build_app(parts), port, host) as taken:
        log.info("serving", port=taken)
        await stop.wait()
        log.info("stopping")


@asynccontextmanager
async def real_parts(settings: Settings) -> AsyncIterator[Parts]:
    """What the app is made of outside of tests."""
    async with open_database(settings) as database, aiohttp.ClientSession() as session:
        client = await connect(settings, lazy=True)
        yield Parts(
            settings=settings,
            briefs=Library(database),
            explanations=ExplanationStore(database),
            marks=MarkStore(database),
            runs=RunPages(settings, client.namespace).of,
            users=TenantStore(database),
            agenda=AgendaStore(database),
            calls=CallBook(database),
            digests=DigestStore(database),
            wishes=WishStore(database),
            meetings=MeetingStore(database),
            connections=ConnectionStore(database, sealer(settings)),
            consent=GoogleAccounts(session, settings.google(), timeout_s=CONSENT_S),
            errands=Errands(client),
            channels=ChannelStore(database),
            bell=Doorbell(client),
            event_keys=EventKeyStore(database, sealer(settings)),
            inbox=Inbox(ReceivedStore(database), Dispatcher(settings, database, client)),
            recorders=RecorderStore(database, sealer(settings)),
            call_intake=CallStore(database, person_keys(settings)),
            call_bell=Doorbell(client),
            sounds=sounds(settings),
            skill_shelf=skill_shelf(settings),
            skill_runs=SkillRunStore(database),
            opinions=FeedbackStore(database),
            skill_desk=Desk(Office(settings, database, client)),
            documents=DocumentStore(database),
            document_desk=Reviewing(Office(settings, database, client)),
            user_channels=ways.Channels(
                settings, ways.channels(settings, database), ways.ways(settings, database, session)
            ),
            checks={"postgres": database.answers, "temporal": temporal(client)},
        )


def sounds(settings: Settings) -> Sounds:
    try:
        return made.objects(settings) or Silence()
    except ValueError as error:
        raise NotReadyError(f"GREENROOM_OBJECTS_URL: {error}") from None
    except OSError as error:
        raise NotReadyError(f"GREENROOM_OBJECTS_URL: its folder cannot be made ({type(error).__name__})") from None


def skill_shelf(settings: Settings) -> Shelf:
    try:
        return made.skill_shelf(settings)
    except ValueError as error:
        raise NotReadyError(f"GREENROOM_SKILLS_URL: {error}") from None


def sealer(settings: Settings) -> Sealer:
    try:
        return Sealer(settings.token_keys.get_secret_value())
    except ValueError as error:
        raise NotReadyError(str(error)) from None


@asynccontextmanager
async def listening(
    app: web.Application, port: int, host: str = HOST, bounds: Bounds | None = None
) -> AsyncIterator[int]:
    """The app on a port, 0 for any that is free; by default for this machine alone. Requests under way may end."""
    door = Door(bounds or Bounds())
    make_room(door.bounds.connections)
    app.middlewares.append(door.whole)
    runner = web.AppRunner(app, shutdown_timeout=GRACE_S)
    await runner.setup()
    assert runner.server is not None, "set up above"
    loop = asyncio.get_running_loop()
    connection = partial(Connection, runner.server, door, loop)
    try:
        server = await loop.create_server(connection, host, port, backlog=BACKLOG)
    except OSError:
        await runner.cleanup()
        raise NotReadyError(f"Port {port} is taken by another program", "choose another with --port") from None
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await runner.cleanup()
