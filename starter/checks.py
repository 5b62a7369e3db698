"""Is everything there, and if not, what mends it: the checks behind `doctor` and the stack's readiness.

settings ─▶ keys, providers ─▶ Postgres as each role ─▶ Temporal and its namespace ─▶ workers ─▶ pages
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import aiohttp
import asyncpg
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.taskqueue.v1 import PollerInfo, TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    DescribeTaskQueueRequest,
    PollActivityTaskQueueRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError

from activities.people import SHORTEST_KEY
from activities.sealing import Sealer
from activities.store import health
from activities.store.database import GONE
from schemas.brands import KEYS, VARIABLES
from schemas.settings import STACK_FILE, Settings
from starter import migrate, schedules
from starter.environment import connect
from starter.needs import OPTIONAL, wanted
from starter.words import NotReadyError
from workflows import queues, story

START = "start the stack with: make dev"
NEW_KEY = "make one with: python3 -c 'import secrets; print(secrets.token_hex(32))'"
MAKE_ONE = "make one with: greenroom keys new"
MOST_SKEW = timedelta(seconds=2)
PATIENCE_S = 5.0

# Temporal refuses polls that are shorter than some seconds.
LONG_POLL = timedelta(seconds=30)


@dataclass(frozen=True)
class Check:
    """One line of `doctor`: what was looked at, how it stands, and what mends it when it is not well."""

    name: str
    ok: bool
    said: str
    remedy: str = ""
    warning: bool = False


async def everything(settings: Settings) -> AsyncIterator[Check]:
    """All checks, in the order in which things depend on each other."""
    for check in (*keys(settings), *providers(settings, stack=STACK_FILE.exists())):
        yield check
    async for check in postgres(settings):
        yield check
    async for check in temporal(settings):
        yield check
    if in_sandbox(settings, stack=STACK_FILE.exists()):
        yield await answers("sandbox", f"{settings.sandbox_url}/healthz", START)
    yield await answers("web app", f"{settings.web_url}/readyz", "start it with: greenroom web (or make dev)")


def keys(settings: Settings) -> list[Check]:
    """Our own keys are long enough to be worth something."""
    named = {
        "GREENROOM_LINK_KEY": settings.link_key,
        "GREENROOM_HASH_KEY": settings.hash_key,
        "GREENROOM_SESSION_KEY": settings.session_key,
    }
    lengths = {name: len(key.get_secret_value()) for name, key in named.items()}
    long = [
        Check(name, length >= SHORTEST_KEY, f"{length} characters of at least {SHORTEST_KEY}", NEW_KEY)
        for name, length in lengths.items()
    ]
    return [*long, token_keys(settings)]


def token_keys(settings: Settings) -> Check:
    """Tokens of accounts can be sealed."""
    try:
        current = Sealer(settings.token_keys.get_secret_value()).current
    except ValueError as error:
        return Check("GREENROOM_TOKEN_KEYS", ok=False, said=str(error).partition(";")[0], remedy=MAKE_ONE)
    return Check("GREENROOM_TOKEN_KEYS", ok=True, said=f"seals with {current}")


def in_sandbox(settings: Settings, *, stack: bool) -> bool:
    """Some provider is pretended. A development stack tells its own worker so, and leaves its file for us."""
    return (settings.sandbox or stack) and any(not _key(settings, name) for name in wanted(settings))


def providers(settings: Settings, *, stack: bool) -> list[Check]:
    """Each provider has a key, or is pretended and says so; with its pace."""
    return [_provider(settings, name, stack=stack) for name in wanted(settings)]


def _provider(settings: Settings, name: str, *, stack: bool) -> Check:
    users = settings.paces().get(f"{name}/user")
    if name not in settings.paces():
        pace = f"at most {settings.elevenlabs_at_once} calls at once"
    else:
        pace = f"pace {settings.paces()[name]}" + (f", {users} for each user" if users else "")
    if unpriced := [one for one in settings.unpriced() if one.startswith(f"{name}/")]:
        return Check(name, ok=False, said=f"no price is known for {', '.join(unpriced)}", remedy="set GREENROOM_PRICES")
    if _key(settings, name):
        return Check(name, ok=True, said=f"own key, {settings.provider(name).base_url}, {pace}")
    if settings.sandbox or stack:
        return Check(name, ok=True, said=f"SANDBOX DATA from {settings.sandbox_url}, {pace}")
    remedy = f"set {VARIABLES[name]}, or GREENROOM_SANDBOX=1 for pretended data"
    if name in OPTIONAL:
        return Check(name, ok=True, warning=True, said=f"no key is set: {OPTIONAL[name]}", remedy=remedy)
    return Check(name, ok=False, said="no key is set", remedy=remedy)


def _key(settings: Settings, name: str) -> str:
    key: str = getattr(settings, KEYS[name]).get_secret_value()
    return key


async def postgres(settings: Settings) -> AsyncIterator[Check]:
    """Each role logs in, the two that work cannot pass the fence, the clock is right and the schema the newest."""
    for name, url in (
        ("DATABASE_URL", settings.database_url),
        ("DATABASE_CROSSING_URL", settings.database_crossing_url),
        ("DATABASE_OWNER_URL", settings.database_owner_url),
    ):
        if not url:
            yield Check(name, ok=False, said="not set", remedy=f"{START} (or set it)")
            continue
        began = datetime.now(UTC)
        try:
            role = await health.role(url)
        except (asyncpg.PostgresError, ValueError, *GONE) as error:
            said = f"nobody is let in ({type(error).__name__})"
            yield Check(name, ok=False, said=said, remedy=f"{START} (or correct the URL)")
            continue
        for check in logged_in(name, role, clock(f"{name} clock", role.now, began, datetime.now(UTC))):
            yield check
    if settings.database_owner_url:
        yield await asyncio.to_thread(_migrations, settings.database_owner_url)


def logged_in(name: str, role: health.Role, time: Check) -> list[Check]:
    """What a role may be: the owner owns, and the clock is looked at once, as the owner; the others own nothing."""
    if name == "DATABASE_OWNER_URL":
        fenced = Check(
            "row security",
            not role.unfenced,
            "forced on every table of tenants" if not role.unfenced else f"off for {', '.join(role.unfenced)}",
            "greenroom migrate",
        )
        said = "there" if role.vectors else "Postgres does not have this extension"
        vectors = Check(
            "pgvector",
            role.vectors,
            said,
            "install it beside Postgres, such as with the package postgresql-VERSION-pgvector",
        )
        return [Check(name, ok=True, said=f"logs in as {role.name}"), fenced, vectors, time]
    strong = [
        *(["passes row security"] if role.bypasses else []),
        *([f"owns {role.owns} tables"] if role.owns else []),
    ]
    return [
        Check(
            name,
            not strong,
            f"logs in as {role.name}, which " + (" and ".join(strong) or "owns nothing and passes no fence"),
            "use a role of its own, such as the ones that the migrations make",
        )
    ]


def _migrations(owner_url: str) -> Check:
    missing = migrate.pending(owner_url)
    said = f"not applied: {', '.join(missing)}" if missing else "all applied"
    return Check("migrations", not missing, said, "greenroom migrate")


def clock(name: str, theirs: datetime, before: datetime, after: datetime) -> Check:
    """Their clock, read between two looks at ours, is not far from it."""
    apart = max(before - theirs, theirs - after, timedelta())
    said = f"{apart.total_seconds():.1f} s apart from this machine's"
    return Check(name, apart < MOST_SKEW, said, "let both machines get their time from NTP")


async def temporal(settings: Settings) -> AsyncIterator[Check]:
    """The server answers, the namespace knows what we attach to runs, and each queue has a worker. Needs no key."""
    try:
        client = await asyncio.wait_for(connect(settings.without_codec()), PATIENCE_S)
    except (NotReadyError, TimeoutError) as error:
        yield Check("Temporal", ok=False, said=getattr(error, "sentence", "no answer"), remedy=START)
        return
    said = f"answers at {client.service_client.config.target_host}"
    yield Check("Temporal", ok=True, said=said)
    try:
        await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=client.namespace))
    except RPCError as error:
        remedy = f"temporal operator namespace create --namespace {client.namespace} (or set TEMPORAL_NAMESPACE)"
        yield Check("namespace", ok=False, said=f"{client.namespace}: {error.message[:80]}", remedy=remedy)
        return
    yield Check("namespace", ok=True, said=client.namespace)
    yield await _attributes(client)
    yield await _clock(client)
    yield await _schedules(client)
    for queue in queues.ALL:
        there = await polled(client, queue)
        said = "a worker asks for work" if there else "no worker asks for its work"
        yield Check(f"queue {queue}", there, said, f"greenroom worker --queue {queue}")


async def _attributes(client: Client) -> Check:
    try:
        known = await client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=client.namespace)
        )
    except RPCError as error:
        return Check("search attributes", ok=False, said=f"could not be listed ({error.message[:80]})", remedy=START)
    return attributes(known.custom_attributes)


async def _schedules(client: Client) -> Check:
    """The clock begins what it is to begin; a pause is an operator's, and told."""
    there = {planned.id: planned for planned in await schedules.listed(client)}
    missing = [name for name in schedules.NAMES if name not in there]
    paused = [name for name, planned in there.items() if planned.paused]
    said = ", ".join([*(f"{name} is missing" for name in missing), *(f"{name} is paused" for name in paused)])
    return Check("schedules", not missing, said or "all there", "greenroom schedules ensure")


def attributes(known: Mapping[str, int]) -> Check:
    """The namespace has every search attribute that runs carry, of the right type."""
    wrong = [key for key in story.SEARCH_ATTRIBUTES if known.get(key.name) != key.indexed_value_type]
    said = "missing, or of another type: " + ", ".join(key.name for key in wrong) if wrong else "all as declared"
    flags = " ".join(f"--name {key.name} --type {_type(key.indexed_value_type.name)}" for key in wrong)
    return Check("search attributes", not wrong, said, f"temporal operator search-attribute create {flags}")


def _type(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


async def _clock(client: Client) -> Check:
    """Temporal tells no time, but it notes when a poller was last there: so be one for a moment, where nobody works."""
    queue, me = TaskQueue(name="greenroom-doctor"), f"doctor-{uuid4()}"
    began = datetime.now(UTC)
    poll = PollActivityTaskQueueRequest(namespace=client.namespace, task_queue=queue, identity=me)
    asking = asyncio.create_task(client.workflow_service.poll_activity_task_queue(poll, timeout=LONG_POLL))
    try:
        seen = await _seen(client, queue.name, me)
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    if not seen:
        return Check("Temporal clock", ok=True, said="could not be read")
    return clock("Temporal clock", seen, began, datetime.now(UTC))


async def _seen(client: Client, queue: str, poller: str) -> datetime | None:
    """When Temporal says that this poller came; it comes just now."""
    for _ in range(20):
        await asyncio.sleep(0.1)
        for one in await _pollers(client, queue):
            if one.identity == poller:
                return one.last_access_time.ToDatetime(tzinfo=UTC)
    return None


async def answers(name: str, url: str, remedy: str) -> Check:
    """A server of ours says that it is well."""
    try:
        timeout = aiohttp.ClientTimeout(total=PATIENCE_S)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as response:
            return Check(name, response.status == 200, f"{url} says {response.status}", remedy)
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return Check(name, ok=False, said=f"nobody answers at {url}", remedy=remedy)


async def polled(client: Client, queue: str) -> bool:
    """A worker asks for the work of this queue: workflows on the main one, activities on the others."""
    return len(await _pollers(client, queue)) > 0


async def _pollers(client: Client, name: str) -> Sequence[PollerInfo]:
    kind = (
        TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW if name == queues.WORKFLOWS else TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
    )
    answer = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(namespace=client.namespace, task_queue=TaskQueue(name=name), task_queue_type=kind)
    )
    return answer.pollers
