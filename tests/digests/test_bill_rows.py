"""Bills: public, found by what they are about, each as its congress says it last."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta

import pytest

from activities.digests.ports import Bill
from activities.store import bills
from activities.store.bills import BillStore
from activities.store.database import Database
from tests.digests.rows import DAY, NOW

ENERGY = Bill(
    id="200-hr-1",
    title="Coastal Wind Energy Permits Act",
    chamber="House",
    action="Referred to the Committee on Harbours.",
    acted_on=date(2026, 11, 20),
    updated_on=date(2026, 11, 21),
    url="https://congress.example/200/hr/1",
    summary="Sets a time limit for permits of wind farms.",
)
ZONING = replace(ENERGY, id="200-s-2", title="Zoning Review Act", summary="", chamber="Senate")


@pytest.fixture
async def store(database: Database) -> AsyncIterator[BillStore]:
    """Bills belong to everybody: each test begins and ends with none."""
    await _empty(database)
    yield BillStore(database)
    await _empty(database)


async def _empty(database: Database) -> None:
    async with database.untenanted() as connection:
        await connection.execute("DELETE FROM bills")


async def about(database: Database, words: str, *, sandbox: bool = True, since: date = DAY) -> list[str]:
    async with database.untenanted() as connection:
        found = await bills.about(connection, words, since - timedelta(days=7), 5, sandbox=sandbox)
    return [bill.id for bill in found]


async def test_what_has_changed_is_counted_and_kept(store: BillStore) -> None:
    assert await store.load([ENERGY, ZONING], NOW, sandbox=True) == 2
    assert await store.load([ENERGY, ZONING], NOW, sandbox=True) == 0
    passed = replace(ENERGY, action="Passed.", updated_on=date(2026, 11, 22))
    assert await store.load([ENERGY, passed, ENERGY], NOW, sandbox=True) == 1
    assert await store.load([ENERGY], NOW, sandbox=True) == 0, "what comes late changes nothing"
    assert await store.list() == (passed, ZONING)
    assert await store.newest(sandbox=True) == date(2026, 11, 22)
    assert await store.newest(sandbox=False) is None


async def test_a_summary_that_is_not_sent_again_stays(store: BillStore) -> None:
    await store.load([ENERGY], NOW, sandbox=True)
    assert await store.load([replace(ENERGY, summary="")], NOW, sandbox=True) == 0
    assert (await store.list())[0].summary == ENERGY.summary


async def test_a_pretended_bill_makes_room_for_a_real_one(store: BillStore) -> None:
    await store.load([ENERGY], NOW, sandbox=True)
    older = replace(ENERGY, title="As it is", updated_on=date(2026, 1, 1))
    assert await store.load([older], NOW, sandbox=False) == 1
    assert await store.load([ENERGY], NOW, sandbox=True) == 0
    assert await store.list() == (older,)


async def test_bills_are_found_by_what_they_are_about(store: BillStore, database: Database) -> None:
    await store.load([ENERGY, ZONING], NOW, sandbox=True)
    assert await about(database, "wind permit") == [ENERGY.id], "other forms of the words"
    assert await about(database, "harbours") == [ENERGY.id, ZONING.id], "what was done about them"
    assert await about(database, "wind zoning") == []
    assert await about(database, "wind", sandbox=False) == []
    assert await about(database, "wind", since=DAY + timedelta(days=10)) == []
    assert [bill.id for bill in await store.list("zoning")] == [ZONING.id]


@pytest.mark.parametrize(
    "words", ["the of and", "", "'", "a & | !(", "x:*", "\\", "%", "DROP TABLE bills; --", "é" * 500]
)
async def test_no_words_break_the_search(store: BillStore, database: Database, words: str) -> None:
    await store.load([ENERGY], NOW, sandbox=True)
    assert await about(database, words) == []
    assert await about(database, "wind") == [ENERGY.id]


async def test_rubbish_can_be_kept(store: BillStore) -> None:
    odd = replace(ENERGY, title="\x00\ud800 Act", summary="word " * 50_000, acted_on=None)
    assert await store.load([odd], NOW, sandbox=True) == 1
    assert await store.load([], NOW, sandbox=True) == 0
    assert (await store.list("act"))[0].title == "? Act"


async def test_those_of_which_nothing_is_heard_for_long_go(store: BillStore) -> None:
    await store.load([ENERGY, replace(ZONING, updated_on=date(2025, 1, 1))], NOW, sandbox=True)
    assert (await store.discard(NOW), await store.discard(NOW)) == (1, 0)
    assert await store.list() == (ENERGY,)
