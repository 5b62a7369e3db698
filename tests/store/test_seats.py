"""Seats: no more at once than there are, over all workers; who dies leaves theirs, and who works on keeps it."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio.exceptions import ApplicationError

from activities import errors, seats
from activities.seats import Seats
from activities.store.database import Database
from activities.store.seats import SeatStore
from starter.dev.postgres import Urls

LONG, GONE = timedelta(minutes=1), timedelta(milliseconds=-1)


@pytest.fixture
def provider() -> str:
    return str(uuid4())


async def test_two_workers_together_have_no_more_than_there_are(database: Database, urls: Urls, provider: str) -> None:
    seated, most, served = 0, 0, 0

    async def call(seats_of: Seats) -> None:
        nonlocal seated, most, served
        async with seats_of.seat(provider):
            seated += 1
            most = max(most, seated)
            await asyncio.sleep(0.02)
            seated -= 1
            served += 1

    async with Database.opened(urls.application, urls.crossing) as another:
        workers = [Seats(SeatStore(one), {provider: 3}) for one in (database, another)]
        await asyncio.gather(*(call(workers[n % 2]) for n in range(20)))
    assert (most, served) == (3, 20)
    assert await count(database, provider) == 0


async def test_seats_of_one_provider_are_not_another_s(database: Database, provider: str) -> None:
    store = SeatStore(database)
    assert await store.take(provider, str(uuid4()), 1, LONG)
    assert not await store.take(provider, str(uuid4()), 1, LONG)
    assert await store.take(str(uuid4()), str(uuid4()), 1, LONG)


async def test_who_is_seated_has_one_seat_however_often_it_is_taken(database: Database, provider: str) -> None:
    store, holder = SeatStore(database), str(uuid4())
    for _ in range(3):
        assert await store.take(provider, holder, 1, LONG)
    assert await count(database, provider) == 1
    for _ in range(2):
        await store.leave(provider, holder)
    assert await store.take(provider, str(uuid4()), 1, LONG)


async def test_a_seat_that_is_not_kept_is_taken_over_and_one_that_is_kept_is_not(
    database: Database, provider: str
) -> None:
    store, dead, alive = SeatStore(database), str(uuid4()), str(uuid4())
    assert await store.take(provider, dead, 2, GONE)
    assert await store.take(provider, alive, 2, GONE)
    await store.keep(provider, alive, LONG)
    assert await store.take(provider, str(uuid4()), 2, LONG)
    assert not await store.take(provider, str(uuid4()), 2, LONG)


async def test_who_was_thought_dead_is_counted_again(database: Database, provider: str) -> None:
    store, slow, other = SeatStore(database), str(uuid4()), str(uuid4())
    assert await store.take(provider, slow, 1, GONE)
    assert await store.take(provider, other, 1, LONG)
    await store.keep(provider, slow, LONG)
    await store.leave(provider, other)
    assert not await store.take(provider, str(uuid4()), 1, LONG)


async def test_a_call_that_lasts_longer_than_a_seat_is_kept_keeps_it(
    database: Database, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seats, "KEPT_FOR", timedelta(seconds=0.6))
    monkeypatch.setattr(seats, "KEEP_EVERY", timedelta(seconds=0.1))
    store = SeatStore(database)
    async with Seats(store, {provider: 1}).seat(provider):
        until = asyncio.get_running_loop().time() + 1.2
        while asyncio.get_running_loop().time() < until:
            assert not await store.take(provider, str(uuid4()), 1, LONG)
            await asyncio.sleep(0.05)
    assert await store.take(provider, str(uuid4()), 1, LONG)


async def test_a_seat_is_left_whatever_happens(database: Database, provider: str) -> None:
    seats_of = Seats(SeatStore(database), {provider: 1})
    with pytest.raises(ApplicationError):
        async with seats_of.seat(provider):
            raise errors.unfinished("it went wrong")
    waiting = asyncio.Event()

    async def call() -> None:
        async with seats_of.seat(provider):
            waiting.set()
            await asyncio.Event().wait()

    calling = asyncio.create_task(call())
    await waiting.wait()
    calling.cancel()
    await asyncio.gather(calling, return_exceptions=True)
    assert await count(database, provider) == 0


async def test_who_stops_waiting_has_no_seat(database: Database, provider: str) -> None:
    seats_of, store, holder = Seats(SeatStore(database), {provider: 1}), SeatStore(database), str(uuid4())
    assert await store.take(provider, holder, 1, LONG)

    async def call() -> None:
        async with seats_of.seat(provider):
            raise AssertionError("there was none")

    calling = asyncio.create_task(call())
    await asyncio.wait({calling}, timeout=0.3)
    calling.cancel()
    assert isinstance((await asyncio.gather(calling, return_exceptions=True))[0], asyncio.CancelledError)
    await store.leave(provider, holder)
    assert await count(database, provider) == 0


async def test_who_does_not_count_calls_is_not_waited_for() -> None:
    entered = False
    async with Seats(_NoStore(), {"x": 1}).seat("y"):
        entered = True
    assert entered


async def test_a_database_that_is_away_when_a_seat_is_left_spoils_nothing() -> None:
    store, done = _Forgetful(), False
    async with Seats(store, {"x": 1}).seat("x"):
        done = True
    assert done
    assert store.asked == ["take", "leave"]


async def count(database: Database, provider: str) -> int:
    async with database.untenanted() as connection:
        found: int = await connection.fetchval("SELECT count(*) FROM seats WHERE provider = $1", provider)
        return found


class _NoStore:
    async def take(self, provider: str, holder: str, most: int, kept_for: timedelta) -> bool:
        raise AssertionError("nobody counts here")

    async def keep(self, provider: str, holder: str, kept_for: timedelta) -> None:
        raise AssertionError("nobody counts here")

    async def leave(self, provider: str, holder: str) -> None:
        raise AssertionError("nobody counts here")


class _Forgetful:
    def __init__(self) -> None:
        self.asked: list[str] = []

    async def take(self, provider: str, holder: str, most: int, kept_for: timedelta) -> bool:
        self.asked.append("take")
        return True

    async def keep(self, provider: str, holder: str, kept_for: timedelta) -> None:
        raise errors.database_failed("OSError")

    async def leave(self, provider: str, holder: str) -> None:
        self.asked.append("leave")
        raise errors.database_failed("OSError")
