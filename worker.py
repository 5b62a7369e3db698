"""The composition root: settings ─▶ clients ─▶ activities ─▶ one Worker for each queue."""

import asyncio
import inspect
import signal
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any

import aiohttp
import structlog
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from activities import coding
from activities.access import Access
from activities.calendars import CalendarActivities
from activities.deliveries import DeliveryActivities
from activities.demo import DemoActivities
from activities.erasures import ErasureActivities, Runs
from activities.interception import TellingByType
from activities.meetings import MeetingActivities
from activities.notices import NoticeActivities
from activities.pacing import Pacing
from activities.people import PersonKeys
from activities.providers import made, models
from activities.reconciliation import ReconciliationActivities
from activities.recorders import RecorderActivities
from activities.records import RecordActivities
from activities.research import ResearchActivities
from activities.retention import RetentionActivities
from activities.sealing import Sealer, SealError, new_key
from activities.spending import Treasurer
from activities.store.briefs import BriefStore
from activities.store.calendars import CalendarStore
from activities.store.calls import CallStore
from activities.store.connections import ConnectionStore
from activities.store.database import Database
from activities.store.deliveries import DeliveryStore
from activities.store.demos import DemoStore
from activities.store.erasures import ErasureStore
from activities.store.listening import listening
from activities.store.lookups import LookUpStore
from activities.store.notices import NoticeStore
from activities.store.paces import PaceStore
from activities.store.readings import ReadingStore
from activities.store.recorders import RecorderStore
from activities.store.records import RecordStore
from activities.store.research import ResearchStore
from activities.store.retention import RetentionStore
from activities.store.situations import SituationStore
from activities.store.spending import SpendingStore
from activities.store.subscriptions import SubscriptionStore
from activities.subscriptions import SubscriptionActivities
from activities.transcripts import TranscriptActivities
from schemas.settings import Settings
from starter import bootstrapping, codec, digesting, documenting, schedules, skilling
from starter.histories import Histories
from starter.lives import Lives
from starter.nouns import nouns
from starter.show.letters import Letters
from starter.start import Doorbell
from starter.ways import ways
from starter.words import NotReadyError
from workflows import every, policies, queues

log = structlog.get_logger("worker")

WORKFLOWS = every.WORKFLOWS

# Said once, here, and not in each workflow module: a schema imported both inside and outside the sandbox becomes two
# classes, and pydantic refuses one where it expects the other. The pages of constants pass too, and how a run is told;
# what decides does not.
SANDBOX = SandboxedWorkflowRunner(
    restrictions=SandboxRestrictions.default.with_passthrough_modules(
        "schemas", "activities", "workflows.ids", "workflows.policies", "workflows.queues", "workflows.story"
    )
)

# A cancellation reaches an activity with a heartbeat, so heartbeats are not held back for long.
HEARTBEAT_THROTTLE = timedelta(seconds=2)

# Short steps beside the workflows: Postgres's pool is what bounds them.
WORKFLOW_SLOTS = 100

# What a stopping worker lets its calls have to end by themselves.
GRACE = timedelta(seconds=20)


@asynccontextmanager
async def activities(
    settings: Settings, bell: Doorbell | None = None, runs: Runs | None = None
) -> AsyncIterator[list[object]]:
    """Everything that is done, with its clients open until the block ends; without a bell, what rings nobody."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(
            Database.opened(settings.database_url, settings.database_crossing_url)
        )
        session = await stack.enter_async_context(
            # Slots bound how many calls there are; the pool need not.
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                headers={"accept-encoding": "identity"},
                auto_decompress=False,
            )
        )
        pacing = Pacing(PaceStore(database), settings.paces())
        owners = _by_themselves(settings, database, session, stack, pacing)
        if bell is not None:
            owners += _ringing(settings, database, session, stack, pacing, bell)
            if runs is not None:
                people = PersonKeys(settings.hash_key.get_secret_value())
                owners.append(ErasureActivities(ErasureStore(database), runs, bell, people))
                owners.append(ReconciliationActivities(nouns(database, bell.client), Lives(bell.client)))
        yield owners


def _by_themselves(
    settings: Settings, database: Database, session: aiohttp.ClientSession, stack: AsyncExitStack, pacing: Pacing
) -> list[object]:
    """What needs nothing but its stores and providers."""
    ledger = SpendingStore(database)
    treasurer = Treasurer(ledger, settings.prices, settings.caps())
    search, writers = made.web_search(settings, session), models.language_models(settings, stack)
    reader, parser = models.transcript_reader(settings, session, stack), documenting.reader(settings)
    return [
        ResearchActivities(
            ResearchStore(database),
            LookUpStore(database),
            BriefStore(database),
            search,
            writers,
            pacing,
            treasurer,
        ),
        MeetingActivities(SituationStore(database)),
        NoticeActivities(
            NoticeStore(database), Letters(settings), made.mail_server(settings), ways(settings, database, session)
        ),
        RetentionActivities(RetentionStore(database), ledger),
        TranscriptActivities(ReadingStore(database), reader, pacing, treasurer),
        DeliveryActivities(DeliveryStore(database, sealer(settings)), made.webhooks(settings)),
        RecordActivities(RecordStore(database)),
        DemoActivities(DemoStore(database)),
        *digesting.owners(settings, database, session, writers[0], pacing, treasurer),
        *skilling.owners(settings, database, stack, pacing, treasurer),
        *bootstrapping.owners(settings, database, session, pacing, treasurer, parser),
        *documenting.owners(settings, database, session, stack, pacing, treasurer, parser),
    ]


def _ringing(
    settings: Settings,
    database: Database,
    session: aiohttp.ClientSession,
    stack: AsyncExitStack,
    pacing: Pacing,
    bell: Doorbell,
) -> list[object]:
    """What wakes others."""
    access = Access(ConnectionStore(database, sealer(settings)), made.accounts(settings, session), pacing)
    calendar = made.calendar_service(settings, stack)
    channel, dark_after = timedelta(seconds=settings.google_channel_s), timedelta(seconds=settings.dark_after_s)
    people = PersonKeys(settings.hash_key.get_secret_value())
    recorders = RecorderStore(database, sealer(settings))
    return [
        CalendarActivities(CalendarStore(database), access, calendar, bell, people, dark_after),
        SubscriptionActivities(SubscriptionStore(database), access, calendar, bell, channel),
        RecorderActivities(recorders, CallStore(database, people), made.recorder(settings, session), bell, pacing),
    ]


def sealer(settings: Settings) -> Sealer:
    """Whoever has no keys opens nothing, and is told so when it tries: queues without accounts need none."""
    return Sealer(settings.token_keys.get_secret_value() or new_key())


def build_worker(client: Client, owners: Iterable[object], *, task_queue: str, **overrides: Any) -> Worker:
    """A worker for one queue. Each has all activities; workflows run on their own queue alone."""
    return Worker(
        client,
        task_queue=task_queue,
        workflows=WORKFLOWS if task_queue.endswith(queues.WORKFLOWS) else [],
        activities=[method for owner in owners for method in activity_methods(owner)],
        workflow_runner=SANDBOX,
        interceptors=[TellingByType()],
        max_heartbeat_throttle_interval=HEARTBEAT_THROTTLE,
        sticky_queue_schedule_to_start_timeout=policies.STICKY,
        graceful_shutdown_timeout=GRACE,
        **overrides,
    )


def _slots(settings: Settings, queue: str) -> int:
    slots = {
        queues.SEARCH: settings.search_slots,
        queues.MODEL: settings.model_slots,
        queues.CALENDAR: settings.calendar_slots,
        queues.MAIL: settings.mail_slots,
        queues.CALLS: settings.call_slots,
        queues.READING: settings.reading_slots,
        queues.DELIVERY: settings.delivery_slots,
        queues.NEWS: settings.news_slots,
        queues.AUDIO: settings.audio_slots,
        queues.SKILLS: settings.skill_slots,
        queues.DOCUMENTS: settings.document_slots,
        queues.VECTORS: settings.vector_slots,
    }
    return slots.get(queue, WORKFLOW_SLOTS)


async def _ensure(client: Client, settings: Settings) -> None:
    """Have the clock begin what it is to begin. Without that there is still work to be done."""
    try:
        await schedules.ensure(client, settings)
    except RPCError as error:
        log.warning("schedules are not ensured", status=error.status.name)


def activity_methods(owner: object) -> list[Callable[..., Any]]:
    """The methods of an owner that are activities."""
    members = inspect.getmembers(owner, callable)
    return [method for _, method in members if hasattr(method, "__temporal_activity_definition")]


async def run(settings: Settings, client: Client, queue_names: Sequence[str]) -> None:
    """Work on these queues until told to stop; what is under way may end, or is handed to the next worker.

    NotReadyError for a worker that was given what it has no key for: others are to do it.
    """
    stop, unread = asyncio.Event(), list[SealError]()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)

    def unfit(why: SealError) -> None:
        log.error("a task came that cannot be read: ending, so that others do it", why=str(why))
        unread.append(why)
        stop.set()

    hands = coding.for_hands(client, unfit)
    async with activities(settings, Doorbell(client), Histories(client)) as owners, AsyncExitStack() as workers:
        working = [
            await workers.enter_async_context(
                build_worker(
                    client if name == queues.WORKFLOWS else hands,
                    owners,
                    task_queue=name,
                    max_concurrent_activities=_slots(settings, name),
                )
            )
            for name in queue_names
        ]
        if queues.WORKFLOWS in queue_names:
            await _ensure(client, settings)
            urls = (settings.database_url, settings.database_crossing_url)
            await workers.enter_async_context(listening(*urls, Doorbell(client)))
        for unpriced in settings.unpriced():
            log.warning("no price is known, so it is not called: set GREENROOM_PRICES", model=unpriced)
        log.info("working", queues=list(queue_names), namespace=client.namespace)
        await stop.wait()
        log.info("stopping")
        # All at once: one after another, the last would take new work for as long as the others have grace.
        await asyncio.gather(*(worker.shutdown() for worker in working))
    if unread:
        raise NotReadyError(f"A task came that cannot be read here: {unread[0]}", codec.PUT_BACK)
