"""What a notice of a run, or of a channel that is off, says: as its rows say when it is sent."""

from datetime import timedelta

import pytest

from activities.reconciliation import Row
from activities.store.database import Database
from activities.store.notices import NoticeStore
from activities.store.reconciliation import ReconciliationStore
from schemas.notices import Matter, NoticeKind, NoticeOrder, channel_key, skill_key
from tests.skills.run_rows import NOW, Workshop


@pytest.fixture
async def shop(database: Database) -> Workshop:
    shop = Workshop(database)
    await shop.set_up()
    return shop


async def claimed(shop: Workshop, order: NoticeOrder) -> Matter:
    matter = await NoticeStore(shop.database).claim(order, "m", NOW)
    assert isinstance(matter, Matter)
    return matter


async def test_of_a_run_it_says_what_came_of_it(shop: Workshop) -> None:
    channel_id = await shop.channels.add(shop.tenant.id, shop.user.id, "telegram", "1", "mine", NOW)
    done = await shop.made("Call them.")
    order = NoticeOrder(
        tenant_id=shop.tenant.id,
        key=skill_key(done.run_id, channel_id),
        kind=NoticeKind.SKILL,
        skill_run_id=done.run_id,
        channel_id=channel_id,
    )
    matter = await claimed(shop, order)
    assert (matter.to, matter.skill, matter.run, matter.preview) == (
        "robin@harbour.example",
        "follow-up",
        "completed",
        "Call them.",
    )
    assert (matter.skill_run_id, matter.output_id, matter.sandbox) == (done.run_id, done.output_id, True)
    assert (matter.channel_id, matter.channel, matter.channel_status) == (channel_id, "telegram", "on")
    ((notice_id,),) = [list(row.values()) for row in await shop.rows("SELECT id FROM notices")]
    again = await ReconciliationStore(shop.database).notice(Row(shop.tenant.id, notice_id))
    assert again == order.model_copy(update={"user_id": shop.user.id}), "it is ordered again as it was"


async def test_of_one_that_failed_it_says_why(shop: Workshop) -> None:
    step = await shop.begun()
    await shop.runs.fail(shop.failure(step))
    order = NoticeOrder(
        tenant_id=shop.tenant.id,
        key=skill_key(step.run_id, None),
        kind=NoticeKind.SKILL,
        skill_run_id=step.run_id,
    )
    await shop.rows("UPDATE users SET skills_by_mail = false")
    matter = await claimed(shop, order)
    assert (matter.run, matter.failed_step, matter.failure_reason) == ("failed", "execute", "execute: no")
    assert (matter.output_id, matter.channel_id, matter.skills_by_mail) == (None, None, False)


async def test_of_a_channel_that_is_off_it_says_which_and_why(shop: Workshop) -> None:
    off, other = [
        await shop.channels.add(shop.tenant.id, shop.user.id, "slack", address, "work", NOW) for address in "12"
    ]
    since = NOW + timedelta(seconds=1)
    await shop.channels.off(shop.tenant.id, off, "it is archived", since)
    order = NoticeOrder(
        tenant_id=shop.tenant.id,
        key=channel_key(off, since, other),
        kind=NoticeKind.CHANNEL_OFF,
        channel_id=off,
        by_channel_id=other,
    )
    matter = await claimed(shop, order)
    assert (matter.channel, matter.channel_label, matter.channel_status, matter.channel_reason) == (
        "slack",
        "work",
        "off",
        "it is archived",
    )
    ((notice_id,),) = [list(row.values()) for row in await shop.rows("SELECT id FROM notices")]
    again = await ReconciliationStore(shop.database).notice(Row(shop.tenant.id, notice_id))
    assert again is not None and again.way == other
