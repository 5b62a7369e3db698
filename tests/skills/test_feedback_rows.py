"""What users say of outputs, and how well a skill does by that."""

from datetime import timedelta
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from activities.store.database import Database
from schemas.skills import Health, Opinion
from tests.skills.run_rows import NOW, Workshop


@pytest.fixture
async def shop(database: Database) -> Workshop:
    shop = Workshop(database)
    await shop.set_up()
    return shop


async def rate(shop: Workshop, *scores: int, skill: str = "follow-up", after: int = 0) -> list[str]:
    """An opinion of an output each, a minute after one another."""
    runs = []
    for n, score in enumerate(scores, after):
        shop.now = NOW + timedelta(minutes=n)
        runs.append((await shop.made(skill=skill)).run_id)
        said = Opinion(overall=score)
        assert await shop.feedback.say(shop.tenant.id, shop.user.id, runs[-1], said, shop.now)
    return runs


async def test_without_scores_there_is_no_health(shop: Workshop) -> None:
    await shop.made()
    assert await shop.feedback.health(shop.tenant.id) == {}


async def test_health_is_the_mean_of_the_last_ten(shop: Workshop) -> None:
    await rate(shop, 5, 5, 5, *[2] * 8, 5, 5)
    await rate(shop, 4, skill="account-plan")
    assert await shop.feedback.health(shop.tenant.id) == {
        "follow-up": Health(score=2.6, scores=10, low=True),
        "account-plan": Health(score=4.0, scores=1, low=False),
    }


async def test_three_is_not_low(shop: Workshop) -> None:
    await rate(shop, 1, 5)
    assert (await shop.feedback.health(shop.tenant.id))["follow-up"] == Health(score=3.0, scores=2, low=False)


async def test_a_skill_that_does_badly_is_warned_of(shop: Workshop) -> None:
    with capture_logs() as logs:
        await rate(shop, 3, 2)
    (warned,) = logs
    assert (warned["log_level"], warned["skill"], warned["score"], warned["scores"]) == ("warning", "follow-up", 2.5, 2)


async def test_whoever_says_it_again_changes_what_they_said(shop: Workshop) -> None:
    (run_id,) = await rate(shop, 1)
    said = Opinion(overall=5, accuracy=4, quality=3, issues="Nothing\x00 at all")
    first = await shop.rows("SELECT id FROM feedback")
    again = await shop.feedback.say(shop.tenant.id, shop.user.id, run_id, said, NOW + timedelta(hours=1))
    assert [{"id": again}] == first
    (told,) = (await shop.view(run_id)).opinions
    assert told == said.model_copy(update={"issues": "Nothing at all"})
    assert (await shop.feedback.health(shop.tenant.id))["follow-up"].score == 5.0


async def test_of_what_is_not_theirs_or_has_no_output_nothing_is_said(shop: Workshop) -> None:
    run_id = (await shop.made()).run_id
    ana = await shop.add("ana")
    said = Opinion(overall=1)
    assert await shop.feedback.say(shop.tenant.id, ana.id, run_id, said, NOW) is None
    assert await shop.feedback.say(shop.tenant.id, shop.user.id, str(uuid4()), said, NOW) is None
    assert await shop.feedback.say(shop.tenant.id, shop.user.id, (await shop.begun()).run_id, said, NOW) is None
    assert await shop.rows("SELECT FROM feedback") == []


async def test_an_opinion_is_found_by_its_id_alone(shop: Workshop, database: Database) -> None:
    await rate(shop, 4)
    ((feedback_id,),) = [list(row.values()) for row in await shop.rows("SELECT id FROM feedback")]
    assert await shop.feedback.of(shop.tenant.id, f" {feedback_id.upper()} ") == "follow-up"
    for garbage in ("", "1", str(uuid4()), "'; drop table feedback", "\x00", "\ud800"):
        assert await shop.feedback.of(shop.tenant.id, garbage) is None
    theirs = Workshop(database)
    await theirs.set_up()
    assert await shop.feedback.of(theirs.tenant.id, feedback_id) is None
    assert await shop.feedback.health(theirs.tenant.id) == {}
