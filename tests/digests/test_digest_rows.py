"""A digest's row: who has it, what is kept of it, how it ends; each of these twice, late, and of another tenant."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio.exceptions import ApplicationError

from activities.digests.ports import Spoken
from activities.spending import Offer, Purchase
from schemas.budgets import Caps
from schemas.digests import (
    AudioStatus,
    Chapter,
    DigestEnding,
    DigestFailure,
    DigestStatus,
    DigestStep,
    Quiet,
    Script,
    Sound,
)
from tests.digests.rows import DAY, NOW, House, item, script

SOUND = Sound(key="k.mp3", duration_ms=2000, size=32_000, chapters=(Chapter(title="Hello", start_ms=0, end_ms=2000),))
QUIET = Script(items=(), lines=(), quiet=True)


def ending(step: DigestStep, **fields: str) -> DigestEnding:
    return DigestEnding(**step.model_dump(), **fields)


def failure(house: House, step: DigestStep | None = None, **fields: object) -> DigestFailure:
    said = {
        **house.start().model_dump(),
        "digest_id": step.digest_id if step else None,
        "version": step.version if step else None,
        "step": "script",
        "reason": "script: no",
        "started_at": NOW,
    }
    return DigestFailure.model_validate({**said, **fields})


async def test_a_run_takes_its_digest_once(house: House) -> None:
    await house.wish(audio=True)
    first = await house.begin()
    again = await house.begin()

    assert (first, first.version, first.unasked, first.spoken, first.by_mail) == (again, 1, 1, True, True)
    row = await house.row(first.digest_id)
    assert (row["status"], row["run_id"], row["begun_at"], row["audio"]) == ("generating", "run-1", NOW, "pending")
    assert len(await house.rows("SELECT FROM digests")) == 1


async def test_many_begin_at_once_and_one_row_is_there(house: House) -> None:
    await house.wish()
    begun = await asyncio.gather(*(house.begin("run-1") for _ in range(20)))
    assert {(one.digest_id, one.version) for one in begun} == {(begun[0].digest_id, 1)}


async def test_an_older_run_that_comes_late_is_refused(house: House) -> None:
    await house.wish()
    await house.begin("new")
    with pytest.raises(ApplicationError, match="newer run"):
        await house.digests.begin(house.start("old", now=NOW - timedelta(seconds=1)), speaks=True, sandbox=True)
    assert (await house.begin("newest")).version == 2


async def test_whose_wishes_have_no_audio_is_not_spoken_to(house: House) -> None:
    await house.wish(audio=False, by_mail=False)
    begun = await house.begin()
    assert (begun.spoken, begun.by_mail) == (False, False)
    assert (await house.row(begun.digest_id))["audio"] == "none"


async def test_a_user_who_is_not_there_has_none(house: House) -> None:
    start = house.start().model_copy(update={"user_id": str(uuid4())})
    with pytest.raises(ApplicationError, match="no such user"):
        await house.digests.begin(start, speaks=True, sandbox=True)
    with pytest.raises(ApplicationError, match="no such user"):
        await house.digests.ask(house.tenant.id, str(uuid4()), DAY, None, NOW)


async def test_it_ends_once_with_its_event(house: House) -> None:
    await house.wish()
    step = await house.step()
    told = script(item(1), item(2), dropped=3)
    done = await house.digests.finish(ending(step), told, SOUND)
    again = await house.digests.finish(ending(step), script(item(9)), None)

    assert done == again
    assert (done.status, done.audio) == (DigestStatus.READY, AudioStatus.READY)
    view = await house.digests.view(house.tenant.id, house.user.id, step.digest_id)
    assert view is not None
    assert (view.script, view.sound, view.day, view.ended_at) == (told, SOUND, DAY, NOW)
    assert await house.events() == [
        (
            "digest/generate.completed",
            {"digestId": step.digest_id, "date": "2026-11-23", "audio": "ready", "quiet": False},
        )
    ]
    assert (await house.begin("run-2")).done == done, "what is ready stays as it is"


async def test_without_audio_it_is_ready_and_says_why(house: House) -> None:
    await house.wish()
    step = await house.step()
    done = await house.digests.finish(ending(step, refused="no money"), script(item()), None)

    assert done.audio is AudioStatus.REFUSED
    view = await house.digests.view(house.tenant.id, house.user.id, step.digest_id)
    assert view is not None
    assert (view.status, view.audio_reason, view.sound) == (DigestStatus.READY, "no money", None)


async def test_of_a_quiet_day_who_wants_nothing_hears_nothing(house: House) -> None:
    await house.wish(quiet=Quiet.NONE)
    step = await house.step()
    await house.digests.keep_script(step, QUIET)
    morning = await house.digests.morning(step, sandbox=True)
    assert (morning.script, morning.quiet) == (QUIET, Quiet.NONE)
    done = await house.digests.finish(ending(step), QUIET, None)
    assert done.status is DigestStatus.SKIPPED
    assert (await house.digests.fail(failure(house, step))).done == done


async def test_a_quiet_day_that_failed_is_gathered_anew(house: House) -> None:
    await house.wish()
    step = await house.step()
    await house.digests.keep_script(step, QUIET)
    await house.digests.fail(failure(house, step))
    morning = await house.digests.morning(await house.step("run-2"), sandbox=True)
    assert morning.script is None


async def test_a_version_has_one_script_which_its_successors_keep(house: House) -> None:
    await house.wish()
    step = await house.step()
    await house.digests.keep_script(step, script(item(1)))
    await house.digests.keep_script(step, script(item(2)))
    assert (await house.digests.morning(step, sandbox=True)).script == script(item(1))

    await house.digests.fail(failure(house, step))
    later = await house.digests.morning(await house.step("run-2"), sandbox=True)
    assert (later.script, later.items) == (script(item(1)), (item(1),))


async def test_it_fails_once_and_says_why(house: House) -> None:
    await house.wish()
    step = await house.step()
    assert (await house.digests.fail(failure(house, step))).done is None
    await house.digests.fail(failure(house, step))

    row = await house.row(step.digest_id)
    assert (row["status"], row["failed_step"], row["failure_reason"], row["audio"]) == (
        "failed",
        "script",
        "script: no",
        "none",
    )
    said = {"digestId": step.digest_id, "date": "2026-11-23", "step": "script", "failureReason": "script: no"}
    assert await house.events() == [("digest/generate.failed", said)]
    with pytest.raises(ApplicationError, match="newer run"):
        await house.digests.finish(ending(step), script(item()), None)


async def test_a_run_that_never_had_a_row_leaves_one_that_says_why(house: House) -> None:
    await house.digests.fail(failure(house, step=None, reason="begin: away"))
    (row,) = await house.rows("SELECT * FROM digests")
    assert (row["status"], row["failure_reason"], row["day"]) == ("failed", "begin: away", DAY)


async def test_a_run_that_never_took_it_does_not_speak_for_a_later_one(house: House) -> None:
    step = await house.step("run-2")
    before = NOW - timedelta(hours=1)
    await house.digests.fail(failure(house, step=None, run_id="run-1", started_at=before))
    assert (await house.row(step.digest_id))["status"] == "generating"
    assert await house.events() == []


@pytest.mark.parametrize("what", ["unasked", "morning", "script", "finish"])
async def test_a_run_that_was_overtaken_does_nothing_more(house: House, what: str) -> None:
    await house.wish()
    old = await house.step("run-1")
    await house.begin("run-2")
    doing = {
        "unasked": lambda: house.digests.unasked(old),
        "morning": lambda: house.digests.morning(old, sandbox=True),
        "script": lambda: house.digests.keep_script(old, script(item())),
        "finish": lambda: house.digests.finish(ending(old), script(item()), None),
    }
    with pytest.raises(ApplicationError, match="newer run"):
        await doing[what]()


async def test_an_answer_is_paid_and_kept_once(house: House) -> None:
    await house.wish()
    step = await house.step()
    await house.answer(step, "first\x00")
    await house.answer(step, "second")

    kept = (await house.digests.morning(step, sandbox=True)).kept
    assert {asked: (one.answer.text, one.ours) for asked, one in kept.items()} == {"asked-1": ("first", True)}
    assert (await house.digests.morning(step, sandbox=False)).kept == {}, "a pretended answer serves no real run"
    assert await house.spending() == [("script/asked-1", "settled", 700)] * 2
    (answer,) = await house.rows("SELECT cost_micro_usd, input_tokens FROM digest_answers")
    assert answer == {"cost_micro_usd": 700, "input_tokens": 100}

    later = (await house.digests.morning(await house.step("run-2"), sandbox=True)).kept
    assert [one.ours for one in later.values()] == [False]


async def test_a_piece_is_paid_by_the_letter_and_kept_once(house: House) -> None:
    await house.wish()
    step = await house.step()
    spoken = Spoken("key.mp3", 60_000, 900)
    for _ in range(2):
        bought = await house.buy(step, "piece/h", 270_000)
        await house.digests.keep_piece(step, "h", spoken, bought, house.by())

    assert (await house.digests.morning(step, sandbox=True)).spoken == {"h": spoken}
    assert (await house.digests.morning(step, sandbox=False)).spoken == {}
    (row,) = await house.rows("SELECT characters, cost_micro_usd, model FROM digest_pieces")
    assert row == {"characters": 900, "cost_micro_usd": 270_000, "model": "model"}
    assert {state for _, state, _ in await house.spending()} == {"settled"}
    assert (await house.rows("SELECT assumed FROM spending"))[0] == {"assumed": False}


async def test_a_piece_that_was_found_settles_what_its_dead_try_set_aside(house: House) -> None:
    await house.wish()
    step = await house.step()
    await house.buy(step, "piece/h", 270_000)
    await house.digests.keep_piece(step, "h", Spoken("key.mp3", 60_000, 900), None, house.by())
    await house.digests.keep_piece(step, "other", Spoken("other.mp3", 1000, 9), None, house.by())
    assert await house.spending() == [("piece/h", "settled", 270_000)]


async def test_a_piece_of_a_digest_that_is_gone_is_not_needed(house: House) -> None:
    await house.wish()
    step = await house.step()
    bought = await house.buy(step, "piece/h", 270_000)
    await house.rows("DELETE FROM digests")
    await house.digests.keep_piece(step, "h", Spoken("key.mp3", 60_000, 900), bought, house.by())
    assert await house.rows("SELECT key FROM unneeded_objects") == [{"key": "key.mp3"}]
    assert await house.spending() == [("piece/h", "settled", 270_000)]


async def test_what_it_cost_is_written_with_its_end(house: House) -> None:
    await house.wish()
    step = await house.step()
    await house.news(step)
    await house.answer(step)
    await house.digests.finish(ending(step), script(item()), None)
    assert (await house.row(step.digest_id))["cost_micro_usd"] == 5700


async def test_asking_with_interests_of_its_own(house: House) -> None:
    await house.wish()
    asked = await house.digests.ask(house.tenant.id, house.user.id, DAY, ["Wolves ", "wolves", "!"], NOW)
    begun = await house.begin()
    assert begun.digest_id == asked
    assert [topic.words for topic in await house.digests.unasked(house.at(begun))] == ["Wolves"]

    again = await house.digests.ask(house.tenant.id, house.user.id, DAY, ["Bears"], NOW)
    assert again == asked
    assert (await house.row(asked))["topics"] == ["Wolves"], "it is being made"


async def test_one_that_failed_is_gathered_anew_for_other_interests(house: House) -> None:
    await house.wish()
    step = await house.step()
    await house.digests.keep_script(step, script(item()))
    await house.digests.fail(failure(house, step))
    await house.digests.ask(house.tenant.id, house.user.id, DAY, None, NOW)
    assert len(await house.rows("SELECT FROM digest_items")) == 1, "nothing else is wanted"
    await house.digests.ask(house.tenant.id, house.user.id, DAY, ["Bears"], NOW)
    assert await house.rows("SELECT FROM digest_items") == await house.rows("SELECT FROM digest_lines") == []


async def test_a_user_reads_their_own_digests(house: House) -> None:
    other = await house.add("ana")
    step, theirs = await house.step(), await house.step("run-2", user=other)
    await house.digests.finish(ending(step), script(item(1)), SOUND)
    await house.digests.finish(ending(theirs), script(item(2)), None)

    (mine,) = await house.digests.list(house.tenant.id, house.user.id)
    assert (mine.id, mine.title, mine.duration_ms, mine.audio) == (step.digest_id, "Report 1", 2000, AudioStatus.READY)
    assert len(await house.digests.list(house.tenant.id, None)) == 2
    assert await house.digests.view(house.tenant.id, other.id, step.digest_id) is None
    assert await house.digests.view(house.tenant.id, None, step.digest_id) is not None
    assert [one.id for one in await house.digests.episodes(house.tenant.id, house.user.id)] == [step.digest_id]
    assert await house.digests.episodes(house.tenant.id, other.id) == ()
    assert await house.digests.of_day(house.tenant.id, other.id, DAY) == theirs.digest_id
    assert await house.digests.of_day(house.tenant.id, other.id, DAY + timedelta(days=1)) is None


async def test_another_tenant_sees_nothing_of_it(house: House) -> None:
    step = await house.step()
    await house.digests.finish(ending(step), script(item(1)), SOUND)
    strangers = str(uuid4())
    assert await house.digests.view(strangers, None, step.digest_id) is None
    assert await house.digests.list(strangers, None) == ()
    with pytest.raises(ApplicationError, match="no such digest"):
        await house.digests.finish(ending(step.model_copy(update={"tenant_id": strangers})), script(item()), None)


@pytest.mark.parametrize("text", ["\x00 nothing", "half a letter \ud800", "“Quoted” 字"])
async def test_whatever_is_written_can_be_kept(house: House, text: str) -> None:
    await house.wish()
    step = await house.step()
    await house.digests.keep_script(step, script(item(1, title=text, text=text)))
    kept = (await house.digests.morning(step, sandbox=True)).script
    assert kept is not None
    assert kept.items[0].title.strip() == text.replace("\x00", "").replace("\ud800", "?").strip()


async def test_what_all_versions_cost_is_bounded_as_a_meetings(house: House) -> None:
    await house.wish()
    caps = Caps(run_micro_usd=1000, meeting_micro_usd=1500, month_micro_usd=1_000_000)
    offer = [Offer("seller", "model", 900)]
    for run_id in ("run-1", "run-2"):
        step = await house.step(run_id)
        purchase = Purchase(step.tenant_id, step.digest_id, step.version, "piece/h")
        if run_id == "run-2":
            with pytest.raises(ApplicationError, match="budget of this meeting"):
                await house.ledger.reserve(purchase, offer, caps, NOW)
        else:
            await house.ledger.reserve(purchase, offer, caps, NOW)
