"""Whoever is forgotten is in no digest either, in writing or aloud; and digests go with time."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.digests.ports import Spoken
from activities.retention import RetentionActivities
from activities.store.dossiers import DossierStore
from activities.store.retention import RetentionStore
from schemas.digests import DigestEnding, DigestStep, Sound
from schemas.erasures import Discarded, Outdated
from schemas.meetings import Attendee, MeetingFacts
from tests.diary import ADA, TOMAS
from tests.digests.rows import DAY, HARBOUR, NOW, House, item, script
from tests.erasures.people import NAME, dump, forgotten, key_of
from tests.stage import Stage


@pytest.fixture
async def house(stage: Stage) -> House:
    """The stage's tenant."""
    house = House(stage.database)
    house.tenant, house.user = stage.tenant, stage.user
    await house.wish()
    return house


async def made(house: House, text: str, day: date = DAY, **fields: Any) -> DigestStep:
    """A digest of a day, spoken."""
    step = await house.step(f"run-{day}")
    await house.answer(step, text)
    bought = await house.buy(step, "piece/h", 100)
    await house.digests.keep_piece(step, "h", Spoken(f"{day}/piece.mp3", 1000, 10), bought, house.by())
    sound = Sound(key=f"{day}/whole.mp3", duration_ms=1000, size=16_000)
    await house.digests.finish(DigestEnding(**step.model_dump()), script(item(1, text=text, **fields)), sound)
    await house.rows("UPDATE digests SET day = $2 WHERE id = $1", step.digest_id, day)
    return step


async def objects(house: House) -> set[str]:
    return {row["key"] for row in await house.rows("SELECT key FROM unneeded_objects")}


async def test_digests_that_name_them_are_emptied_and_their_audio_goes(stage: Stage, house: House) -> None:
    hers = await made(house, f"{NAME} opens the harbour.", DAY - timedelta(days=1))
    others = await made(house, "The harbour is open.")
    await house.news(others, found=[HARBOUR, HARBOUR.__class__(**{**vars(HARBOUR), "text": f"{NAME} was there."})])
    report = await forgotten(stage, NOW)

    assert NAME.lower() not in await dump(stage)
    rows = {
        row["id"]: (row["status"], row["failed_step"], row["audio"])
        for row in await house.rows("SELECT * FROM digests")
    }
    assert rows == {hers.digest_id: ("failed", "erased", "none"), others.digest_id: ("ready", None, "ready")}
    assert await objects(house) == {f"{DAY - timedelta(days=1)}/piece.mp3", f"{DAY - timedelta(days=1)}/whole.mp3"}
    assert (report.counts["digests, emptied"], report.counts["news that named them"]) == (1, 1)
    for table in ("digest_items", "digest_lines", "digest_answers", "digest_pieces"):
        assert {row["digest_id"] for row in await house.rows(f"SELECT digest_id FROM {table}")} == {others.digest_id}


async def test_a_digest_of_a_meeting_with_them_is_emptied(stage: Stage, house: House) -> None:
    """Its title may name them by their first name alone."""
    met = {who: await stage.meeting(_meeting(who)) for who in (ADA, TOMAS)}
    hers = await made(house, "Coffee with A.", DAY - timedelta(days=1), kind="meeting", meeting_id=met[ADA])
    others = await made(house, "Coffee with T.", kind="meeting", meeting_id=met[TOMAS])
    await forgotten(stage, NOW)
    rows = {row["id"]: row["status"] for row in await house.rows("SELECT id, status FROM digests")}
    assert rows == {hers.digest_id: "failed", others.digest_id: "ready"}


def _meeting(who: str) -> MeetingFacts:
    return MeetingFacts(
        source="test",
        source_key=who,
        title="Coffee",
        starts_at=datetime(2030, 1, 1, tzinfo=UTC),
        attendees=(Attendee(email=who),),
    )


async def test_a_run_that_makes_one_writes_no_more_of_it(stage: Stage, house: House) -> None:
    step = await house.step()
    await house.digests.keep_script(step, script(item(1, text=f"{NAME} opens the harbour.")))
    await forgotten(stage, NOW)

    bought = await house.buy(step, "piece/h", 100)
    await house.digests.keep_piece(step, "h", Spoken("late.mp3", 1000, 10), bought, house.by())
    await house.answer(step, f"{NAME} again")
    for late in (
        house.digests.keep_script(step, script(item(1, text=NAME))),
        house.digests.finish(DigestEnding(**step.model_dump()), script(item(1, text=NAME)), None),
        house.begin("run-2"),
    ):
        with pytest.raises(ApplicationError, match="newer run"):
            await late
    assert NAME.lower() not in await dump(stage)
    assert await objects(house) == {"late.mp3"}
    assert {state for _, state, _ in await house.spending()} == {"settled"}, "what was paid is written down"


async def test_what_is_kept_of_them_in_digests_is_in_the_export(stage: Stage, house: House) -> None:
    step = await made(house, f"Write to {ADA} about it.")
    await house.news(step, found=[HARBOUR.__class__(**{**vars(HARBOUR), "text": f"Write to {ADA}."})])
    found = await DossierStore(stage.database).dossier(stage.tenant.id, ADA, key_of(stage))
    assert sorted(one.kind for one in found.came) == ["digest", "news"]
    assert ADA in str(found.came)


async def sweep(stage: Stage, now: datetime) -> Discarded:
    """Of this tenant alone: others' rows are theirs."""

    class Alone(RetentionStore):
        async def tenants(self) -> list[str]:
            return [stage.tenant.id]

    return await ActivityEnvironment().run(RetentionActivities(Alone(stage.database)).sweep, Outdated(now=now))


async def test_digests_go_with_time_and_leave_their_audio_to_be_deleted(stage: Stage, house: House) -> None:
    await made(house, "The harbour is open.")
    young = await house.add("ana")
    await house.step("run-2", user=young)
    await house.rows(
        "UPDATE digests SET created_at = $2, begun_at = $2 WHERE user_id = $1", young.id, NOW + timedelta(days=9)
    )
    kept = NOW + timedelta(days=180)

    assert "digests" not in (await sweep(stage, kept)).counts, "to the microsecond it is still kept"
    assert (await sweep(stage, kept + timedelta(microseconds=1))).counts["digests"] == 1
    assert [row["user_id"] for row in await house.rows("SELECT user_id FROM digests")] == [young.id]
    assert await objects(house) == {f"{DAY}/piece.mp3", f"{DAY}/whole.mp3"}


async def test_one_that_is_being_made_stays(stage: Stage, house: House) -> None:
    await house.step()
    assert "digests" not in (await sweep(stage, NOW + timedelta(days=400))).counts


async def test_news_of_a_day_that_is_over_goes(stage: Stage, house: House) -> None:
    await house.news(await house.step())
    assert "news" not in (await sweep(stage, NOW + timedelta(days=7))).counts
    assert (await sweep(stage, NOW + timedelta(days=7, seconds=1))).counts["news"] == 1


async def test_an_interest_is_a_users_own_word(stage: Stage, house: House) -> None:
    """As a campaign's text is: it is not changed."""
    await house.wish(topics=(NAME,))
    await forgotten(stage, NOW)
    assert (await house.wishes.wishes(house.tenant.id, house.user.id)).topics == (NAME,)
