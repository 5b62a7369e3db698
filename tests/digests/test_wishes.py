"""Wishes, and who is to have a digest by them; and the feed's address."""

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from temporalio.exceptions import ApplicationError

from schemas.digests import DigestEnding, DigestOrder, DigestPaging, Quiet, Wishes
from schemas.tenants import User
from tests.digests.rows import DAY, NOW, House, script


async def test_wishes_are_as_they_were_said_last(house: House) -> None:
    assert await house.wishes.wishes(house.tenant.id, house.user.id) == Wishes()
    said = Wishes(topics=("Railway", "Clean energy"), sales=True, days=3, quiet=Quiet.NONE, audio=False, by_mail=False)
    for wishes in (Wishes(topics=("Wolves",)), said, said):
        await house.wishes.wish(house.tenant.id, house.user.id, wishes)
    assert await house.wishes.wishes(house.tenant.id, house.user.id) == said


async def test_interests_that_say_nothing_or_the_same_are_left_out(house: House) -> None:
    await house.wish(topics=("Zoning", "\x00", "ZONING", "  ", "a\ud800b"))
    kept = (await house.wishes.wishes(house.tenant.id, house.user.id)).topics
    assert kept == ("Zoning", "ab")


async def test_two_who_wish_at_once_leave_one_of_both(house: House) -> None:
    await asyncio.gather(*(house.wish(topics=(f"Topic {n}", "Same")) for n in range(10)))
    topics = (await house.wishes.wishes(house.tenant.id, house.user.id)).topics
    assert len(topics) == 2 and topics[1] == "Same"


async def test_a_user_of_another_tenant_is_not_there(house: House) -> None:
    strangers = str(uuid4())
    for asked in (
        house.wishes.wishes(strangers, house.user.id),
        house.wishes.wish(strangers, house.user.id, Wishes()),
        house.wishes.reset_feed(strangers, house.user.id),
    ):
        with pytest.raises(ApplicationError, match="no such user"):
            await asked
    assert await house.wishes.feed_version(strangers, house.user.id) is None


async def test_a_feed_gets_another_address(house: House) -> None:
    assert await house.wishes.feed_version(house.tenant.id, house.user.id) == 1
    assert await house.wishes.reset_feed(house.tenant.id, house.user.id) == 2
    assert await house.wishes.feed_version(house.tenant.id, house.user.id) == 2


async def due(house: House, at: datetime = NOW, most: int = 1000) -> list[DigestOrder]:
    """Of this tenant alone, whatever others' tests have left; all pages."""
    orders: list[DigestOrder] = []
    after: str | None = None
    while True:
        page = await house.digests.due(DigestPaging(at=at, after=after, most=most))
        orders += [order for order in page.orders if order.tenant_id == house.tenant.id]
        after = page.after
        if after is None:
            return orders


def named(orders: list[DigestOrder], *users: User) -> set[str]:
    by_id = {user.id: user.name for user in users}
    return {by_id[order.user_id] for order in orders}


async def test_who_wishes_for_something_is_due(house: House) -> None:
    topics, sales = await house.add("topics"), await house.add("sales", topics=(), sales=True)
    nothing = await house.add("nothing", topics=())
    weekends = await house.add("weekends", days=0b1100000)
    never = await house.add("never", days=0)
    orders = await due(house)
    assert named(orders, house.user, topics, sales, nothing, weekends, never) == {"topics", "sales"}
    assert {(order.day, order.not_before) for order in orders} == {(DAY, None)}

    saturday = datetime(2026, 11, 28, 6, tzinfo=UTC)
    assert named(await due(house, saturday), topics, sales, nothing, weekends, never) == {"weekends"}


async def test_their_day_is_the_day_of_their_next_morning(house: House) -> None:
    await house.add("tokyo", "Asia/Tokyo")
    (order,) = await due(house)
    assert (order.day.isoformat(), order.not_before) == ("2026-11-24", datetime(2026, 11, 23, 21, tzinfo=UTC))


@pytest.mark.parametrize(
    ("status", "is_due"),
    [("requested", True), ("failed", True), ("generating", False), ("ready", False), ("skipped", False)],
)
async def test_who_has_one_of_the_day_is_left_out(house: House, status: str, is_due: bool) -> None:
    await house.wish()
    digest_id = await house.digests.ask(house.tenant.id, house.user.id, DAY, None, NOW)
    await house.rows("UPDATE digests SET status = $2 WHERE id = $1", digest_id, status)
    assert bool(await due(house)) is is_due


async def test_yesterdays_leaves_nobody_out(house: House) -> None:
    await house.wish()
    step = await house.step()
    await house.digests.finish(DigestEnding(**step.model_dump()), script(), None)
    assert await due(house) == []
    assert len(await due(house, datetime(2026, 11, 24, 6, tzinfo=UTC))) == 1


async def test_pages_hold_everybody_once(house: House) -> None:
    users = [await house.add(f"u{n}") for n in range(7)]
    paged, whole = await due(house, most=2), await due(house)
    assert paged == whole
    assert sorted(order.user_id for order in paged) == sorted(user.id for user in users)


async def test_users_of_two_tenants_with_one_id_are_both_due(house: House) -> None:
    """Whoever pages by the id meets both, at the end of a page too."""
    other = House(house.database)
    other.user = other.user.model_copy(update={"id": house.user.id})
    await other.set_up()
    for one in (house, other):
        await one.wish()
    first = await house.digests.due(DigestPaging(at=NOW, after=_before(house.user.id), most=1))
    ours = {order.tenant_id for order in first.orders if order.user_id == house.user.id}
    assert ours == {house.tenant.id, other.tenant.id}
    assert first.after == house.user.id


def _before(user_id: str) -> str:
    return user_id[:-12] + f"{int(user_id[-12:], 16) - 1:012x}"
