"""How a call comes in: one row however often it is told of, and what it belongs to."""

import asyncio
from datetime import UTC, datetime, timedelta

from activities.ports import Recorded
from schemas.meetings import Attendee, MeetingFacts, Standing
from schemas.transcripts import CallStatus, Source, Speaker
from tests.transcripts.twins import ADA, HELD, ROBIN, Calls, spoken


async def meeting(calls: Calls, *, at: datetime = HELD, key: str = "m", with_whom: str = "ada@lovelace.example") -> str:
    return await calls.stage.meeting(
        MeetingFacts(
            source="test",
            source_key=key,
            title="Planning",
            starts_at=at,
            ends_at=at + timedelta(minutes=30),
            attendees=(
                Attendee(email=with_whom),
                Attendee(email="robin@harbour.example", standing=Standing.SELF),
            ),
        )
    )


async def test_a_call_is_one_row_and_what_is_known_stays(calls: Calls) -> None:
    first = await calls.take(None, source_key="g-1", title="First call", started_at=None)
    later = await calls.take(
        spoken(), source=Source.RECORDER, source_key="g-1", title="Another", url="https://x.example/1"
    )

    assert (first.new, later.new, later.call_id) == (True, False, first.call_id)
    row = await calls.row(first.call_id)
    assert (row["title"], row["url"], row["started_at"]) == ("First call", "https://x.example/1", HELD)
    assert later.status is CallStatus.WAITING
    assert await calls.stage.count("transcripts") == 1


async def test_a_call_told_of_by_many_at_once_is_one_row(calls: Calls) -> None:
    taken = await asyncio.gather(*(calls.take(spoken(), source_key="once") for _ in range(20)))

    assert len({one.call_id for one in taken}) == 1
    assert [one.new for one in taken].count(True) == 1
    assert await calls.stage.count("transcripts") == 1
    assert await calls.stage.count("speakers") == 2


async def test_its_transcript_stays_when_another_comes(calls: Calls) -> None:
    taken = await calls.take(spoken(), source_key="same")
    await calls.take(spoken(promise="Something else was said altogether"), source_key="same")

    rows = await calls.rows("SELECT hash FROM transcripts WHERE call_id = $1", taken.call_id)
    assert [one["hash"] for one in rows] == [spoken().digest()]


async def test_whoever_is_one_of_us_is_told_by_their_address(calls: Calls) -> None:
    guests = (Speaker(key="g", email="zoe@freemail.example"), Speaker(key="n", name="Nobody knows"))
    taken = await calls.take(spoken(), speakers=guests)

    rows = await calls.rows("SELECT key, ours FROM speakers WHERE call_id = $1", taken.call_id)
    assert {one["key"]: one["ours"] for one in rows} == {
        "Robin Marsh": True,
        "Ada Lovelace": False,
        "g": False,
        "n": None,
    }


async def test_its_owner_is_a_user_of_the_tenant_or_nobody(calls: Calls) -> None:
    mine = await calls.take(spoken())
    nobody_s = await calls.take(spoken(), owner_email="stranger@lovelace.example")

    assert (await calls.row(mine.call_id))["user_id"] == calls.stage.user.id
    assert (await calls.row(nobody_s.call_id))["user_id"] is None


async def test_it_belongs_to_the_meeting_at_that_time_with_the_same_people(calls: Calls) -> None:
    held = await meeting(calls, at=HELD - timedelta(minutes=10))
    taken = await calls.take(spoken())
    assert (await calls.row(taken.call_id))["meeting_id"] == held


async def test_the_one_with_more_of_the_same_people_is_its_meeting(calls: Calls) -> None:
    """Back to back: in both is whoever is in all their meetings."""
    await meeting(calls, at=HELD - timedelta(minutes=30), key="before", with_whom="tomas@brightwater.example")
    held = await meeting(calls, key="right")
    taken = await calls.take(spoken())
    assert (await calls.row(taken.call_id))["meeting_id"] == held


async def test_of_two_that_are_as_good_it_belongs_to_none(calls: Calls) -> None:
    await meeting(calls, key="one")
    await meeting(calls, key="other")
    taken = await calls.take(spoken())
    assert (await calls.row(taken.call_id))["meeting_id"] is None


async def test_neither_another_time_nor_other_people_are_its_meeting(calls: Calls) -> None:
    await meeting(calls, at=HELD + timedelta(minutes=16), key="later")
    taken = await calls.take(spoken())
    strangers = Speaker(key="s", email="sam@elsewhere.example")
    alone = await calls.take(None, speakers=(strangers,), started_at=HELD + timedelta(minutes=20))

    assert (await calls.row(taken.call_id))["meeting_id"] is None
    assert (await calls.row(alone.call_id))["meeting_id"] is None


async def test_its_opportunity_is_what_its_source_says_or_the_company_that_was_met(calls: Calls) -> None:
    said = await calls.take(spoken(), opportunity="CRM-7")
    met = await calls.take(spoken())
    free = await calls.take(None, speakers=(Speaker(key="f", email="someone@gmail.com"),))
    several = await calls.take(spoken(), speakers=(Speaker(key="o", email="sam@elsewhere.example"),))

    keys = {one["id"]: one["key"] for one in await calls.rows("SELECT id, key FROM opportunities")}
    of = {one: (await calls.row(one.call_id))["opportunity_id"] for one in (said, met, free, several)}
    assert [keys.get(of[one]) for one in (said, met, free, several)] == ["CRM-7", "lovelace.example", None, None]


async def test_what_its_recorder_tells_later_is_added(calls: Calls) -> None:
    held = await meeting(calls)
    taken = await calls.take(None, title="", started_at=None, owner_email=None)
    told = Recorded(
        id="g", title="Planning", started_at=HELD, owner_email="Robin@harbour.example", speakers=(ADA, ROBIN)
    )
    for _ in range(2):
        await calls.store.keep(calls.stage.tenant.id, taken.call_id, told, spoken(), datetime.now(UTC))

    row = await calls.row(taken.call_id)
    assert (row["title"], row["user_id"], row["meeting_id"]) == ("Planning", calls.stage.user.id, held)
    assert await calls.stage.count("transcripts") == 1
