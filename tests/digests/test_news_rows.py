"""News is asked for once a day for a tenant, however many of its users want to hear of it; and it is settled."""

import asyncio
from datetime import timedelta

import pytest
from temporalio.exceptions import ApplicationError

from activities.digests.ports import News, Topic
from activities.store import digests
from schemas.digests import DigestFailure, DigestStep, ItemKind
from tests.digests.rows import DAY, HARBOUR, NOW, RAILWAY, House

WOLVES = Topic("wolves", "Wolves")


async def test_what_is_kept_is_not_asked_again(house: House) -> None:
    ana = await house.add("ana", topics=("RAILWAY", "Wolves"))
    await house.wish()
    step = await house.step()
    assert await house.digests.unasked(step) == [RAILWAY]
    await house.news(step)

    assert await house.digests.unasked(step) == []
    theirs = await house.begin("run-2", user=ana)
    assert theirs.unasked == 1
    assert await house.digests.unasked(house.at(theirs)) == [WOLVES]
    assert await house.spending() == [("news/railway", "settled", 5000)]
    (row,) = await house.rows("SELECT key, day, cost_micro_usd, sandbox FROM news WHERE found IS NOT NULL")
    assert row == {"key": "railway", "day": DAY, "cost_micro_usd": 5000, "sandbox": True}


async def test_another_day_is_asked_again(house: House) -> None:
    await house.wish()
    await house.news(await house.step())
    await house.rows("UPDATE news SET day = day - 1")
    assert (await house.begin("run-2")).unasked == 1


async def test_pretended_news_serves_no_real_digest_and_real_news_serves_any(house: House) -> None:
    await house.wish()
    pretended = await house.step("run-1", sandbox=True)
    await house.news(pretended)
    real = await house.step("run-2", sandbox=False)
    assert await house.digests.unasked(real) == [RAILWAY]
    bought = await house.buy(real, "news/railway")
    await house.digests.keep_news(real, RAILWAY, [], bought, house.by(sandbox=False))
    assert await house.digests.unasked(real) == []

    await house.rows("DELETE FROM news WHERE sandbox")
    assert await house.digests.unasked(await house.step("run-3", sandbox=True)) == []


async def test_real_news_for_a_digest_with_a_pretended_voice_is_bought_once(house: House) -> None:
    await house.wish()
    step = await house.step(sandbox=True)
    await house.digests.unasked(step)
    await house.digests.keep_news(step, RAILWAY, [HARBOUR], await house.buy(step, "news/x"), house.by(sandbox=False))
    assert await house.digests.unasked(step) == []
    assert len(await house.rows("SELECT FROM news")) == 1


async def test_one_asks_and_the_others_wait(house: House) -> None:
    users = [await house.add(f"u{n}", topics=("Railway", f"Own {n}")) for n in range(5)]
    steps = [await house.step(f"run-{n}", user=user) for n, user in enumerate(users)]
    asked: list[str] = []

    async def news(step: DigestStep) -> None:
        for topic in await house.digests.unasked(step):
            asked.append(topic.key)
            await asyncio.sleep(0)
            await house.news(step, topic)

    await asyncio.gather(*map(news, steps))
    assert sorted(asked) == ["own 0", "own 1", "own 2", "own 3", "own 4", "railway"]
    assert {len(await house.digests.unasked(step)) for step in steps} == {0}


async def test_who_waits_too_long_is_tried_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digests, "LOOKS", 2)
    monkeypatch.setattr(digests, "BETWEEN_S", 0.0)
    ana = await house.add("ana")
    await house.wish()
    first = await house.step()
    await house.digests.unasked(first)
    theirs = await house.step("run-2", user=ana)
    with pytest.raises(ApplicationError, match="another digest asks") as raised:
        await house.digests.unasked(theirs)
    assert not raised.value.non_retryable

    assert await house.digests.unasked(first) == [RAILWAY], "a try that died asks again"
    await house.rows("UPDATE news SET asked_until = $1", NOW - timedelta(days=400))
    assert await house.digests.unasked(theirs) == [RAILWAY], "whoever asked is taken for dead"


@pytest.mark.parametrize("how", ["goes on", "fails"])
async def test_who_asks_no_more_keeps_nobody_waiting(house: House, how: str) -> None:
    ana = await house.add("ana")
    await house.wish()
    step = await house.step()
    await house.digests.unasked(step)
    if how == "goes on":
        await house.digests.morning(step, sandbox=True)
    else:
        said = {"step": "news", "reason": "news: no key", "started_at": NOW, **step.model_dump()}
        await house.digests.fail(DigestFailure.model_validate({**house.start().model_dump(), **said}))
    assert await house.digests.unasked(await house.step("run-2", user=ana)) == [RAILWAY]


async def test_news_that_comes_twice_is_paid_twice_and_kept_once(house: House) -> None:
    await house.wish()
    step = await house.step()
    await house.news(step)
    await house.news(step, found=())
    assert [money for _, _, money in await house.spending()] == [5000, 5000]
    (row,) = await house.rows("SELECT found FROM news")
    assert [one["title"] for one in row["found"]] == [HARBOUR.title]


async def test_news_of_a_digest_that_is_gone_is_paid_all_the_same(house: House) -> None:
    await house.wish()
    step = await house.step()
    bought = await house.buy(step, "news/railway")
    await house.rows("DELETE FROM digests")
    await house.digests.keep_news(step, RAILWAY, [HARBOUR], bought, house.by())
    assert await house.spending() == [("news/railway", "settled", 5000)]
    assert await house.rows("SELECT FROM news") == []


async def test_rubbish_can_be_kept(house: House) -> None:
    await house.wish()
    step = await house.step()
    rubbish = News(url="::::", title="\x00\ud800\u202e", text="\x00", source="")
    await house.news(step, found=[rubbish, HARBOUR])
    morning = await house.digests.morning(step, sandbox=True)
    # Bills are of no tenant: another test may have loaded some.
    assert [one.title for one in morning.items if one.kind is ItemKind.NEWS] == [HARBOUR.title, "?"]
