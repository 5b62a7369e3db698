"""The doorway to Postgres: who may see what is decided here, and only here.

feature store ─▶ tenant(id) ─▶ one transaction that sees one tenant's rows
sweeps        ─▶ crossing() ─▶ one transaction that sees the ids of all tenants
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import wraps
from typing import Any, ParamSpec, Self, TypeAlias, TypeVar

import asyncpg
import stamina
from asyncpg.pool import PoolConnectionProxy
from pydantic_core import from_json, to_json

from activities import errors

# How long an absent Postgres is waited for before a step counts it as a failure of its own: long enough for a
# restart, short enough that three attempts of a step end within a minute.
PATIENCE_S = 15.0

# Connections of the crossing role in each process. Whoever can be made to look up much bounds itself below that.
CROSSING = 13

GONE = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InterfaceError,
)

Connection: TypeAlias = PoolConnectionProxy
P = ParamSpec("P")
R = TypeVar("R")

# stamina tells structlog about each retry, with the arguments of the call: people and text, in a log.
stamina.instrumentation.set_on_retry_hooks([])


def away(error: Exception) -> bool:
    """Postgres is not there, or went away in mid-sentence. Anything else it says is an answer."""
    return isinstance(error, GONE)


def patient(transaction: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Do the transaction again while Postgres is away. It must be safe to do twice.

    What Postgres says no to is told by its code alone: its own words quote the row.
    """
    again = stamina.retry(on=away, attempts=None, timeout=PATIENCE_S, wait_initial=0.1, wait_max=1.0, wait_jitter=0.1)(
        transaction
    )

    @wraps(transaction)
    async def told(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await again(*args, **kwargs)
        except asyncpg.PostgresError as error:
            raise errors.database_failed(error.sqlstate) from None
        except GONE as error:
            raise errors.database_failed(type(error).__name__) from None

    return told


def storable(value: Any) -> Any:
    """Text that a row can hold: no NUL, no half letter. Anything else as it is."""
    return value.replace("\x00", "").encode(errors="replace").decode() if isinstance(value, str) else value


def storable_all(value: Any) -> Any:
    """The same of whatever JSON can be, for a column of jsonb: of its keys too."""
    if isinstance(value, dict):
        return {storable(key): storable_all(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [storable_all(one) for one in value]
    return storable(value)


class Database:
    """Two pools, one for each role that works: the application's and the crossing one's."""

    def __init__(self, application: asyncpg.Pool, crossing: asyncpg.Pool) -> None:
        self._application = application
        self._crossing = crossing

    @classmethod
    @asynccontextmanager
    async def opened(cls, application_url: str, crossing_url: str, size: int = 10) -> AsyncIterator[Self]:
        """Connections are made when they are first needed, so this succeeds while Postgres is away."""
        async with _pool(application_url, size) as application, _pool(crossing_url, CROSSING) as crossing:
            yield cls(application, crossing)

    async def answers(self) -> bool:
        """Postgres lets both roles in, now."""
        try:
            async with asyncio.timeout(5):
                async with self._application.acquire(), self._crossing.acquire():
                    return True
        except (asyncpg.PostgresError, *GONE):
            return False

    @asynccontextmanager
    async def tenant(self, tenant_id: str) -> AsyncIterator[Connection]:
        """One transaction as the application role, in which row security shows this tenant's rows alone."""
        async with self._application.acquire() as connection, connection.transaction():
            await connection.execute("SELECT set_config('app.tenant_id', $1, true)", tenant_id)
            yield connection

    @asynccontextmanager
    async def untenanted(self) -> AsyncIterator[Connection]:
        """One transaction as the application role with no tenant: for what belongs to nobody, such as pacing."""
        async with self._application.acquire() as connection, connection.transaction():
            yield connection

    @asynccontextmanager
    async def crossing(self) -> AsyncIterator[Connection]:
        """One transaction as the role that sees ids of all tenants, and nothing else of them."""
        async with self._crossing.acquire() as connection, connection.transaction():
            yield connection


@asynccontextmanager
async def hearing(url: str, channel: str, told: Callable[[str], None]) -> AsyncIterator[asyncpg.Connection]:
    """A connection of its own: `told` gets what is notified on the channel, and nothing when the connection has ended."""
    connection = await asyncpg.connect(url, timeout=10, command_timeout=10)
    try:
        connection.add_termination_listener(lambda _connection: told(""))
        await connection.add_listener(channel, lambda _connection, _pid, _channel, said: told(said))
        yield connection
    finally:
        connection.terminate()


def _pool(url: str, size: int) -> asyncpg.Pool:
    return asyncpg.create_pool(
        url, min_size=0, max_size=size, init=_speak_json_and_text, command_timeout=30, timeout=10
    )


async def _speak_json_and_text(connection: asyncpg.Connection) -> None:
    """Row ids are text on our side, and jsonb is what pydantic reads and writes."""
    await connection.set_type_codec("uuid", schema="pg_catalog", encoder=str, decoder=str)
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=lambda value: to_json(value).decode(), decoder=from_json
    )
