"""As of when a fact is, and whether that is still how things are."""

from datetime import date, timedelta
from typing import Any

import pytest

from activities.freshness import CURRENT, current
from activities.research.claims import Checked, check
from activities.research.drafts import Aliases, Draft
from schemas.briefs import Nature, Section, Topic
from tests.research.material import NOW, PERSON_ID, WORK, draft, evidence, fact, material

TODAY = NOW.date()


@pytest.mark.parametrize(
    ("topic", "days", "is_current"),
    [
        (Topic.ROLE, 548, True),
        (Topic.ROLE, 549, False),
        (Topic.SIZE, 549, False),
        (Topic.FUNDING, 549, False),
        (Topic.OTHER, 549, False),
        (Topic.NEWS, 90, True),
        (Topic.NEWS, 91, False),
        (Topic.ACTIVITY, 365, True),
        (Topic.ACTIVITY, 366, False),
        (Topic.BACKGROUND, 20_000, True),
        (Topic.INDUSTRY, 20_000, True),
    ],
)
def test_how_old_a_source_may_be(topic: Topic, days: int, is_current: bool) -> None:
    assert current(topic, TODAY - timedelta(days=days), None, TODAY) is is_current


def test_every_topic_has_its_time() -> None:
    assert set(CURRENT) == set(Topic)


@pytest.mark.parametrize(
    ("topic", "published", "own", "is_current"),
    [
        # A new page that tells old news.
        (Topic.NEWS, TODAY, date(2024, 3, 6), False),
        (Topic.SIZE, TODAY, date(2020, 12, 31), False),
        (Topic.NEWS, None, date(2024, 3, 6), False),
        # Since when somebody has a role makes it no older.
        (Topic.ROLE, TODAY, date(2015, 1, 1), True),
        (Topic.NEWS, TODAY, date(2027, 9, 1), True),
        # Not known to be old.
        (Topic.NEWS, None, None, True),
    ],
)
def test_what_the_sentence_itself_dates(
    topic: Topic, published: date | None, own: date | None, is_current: bool
) -> None:
    assert current(topic, published, own, TODAY) is is_current


def checked(published: date | None, topic: str = "role", **sections: Any) -> Checked:
    pieces = (evidence(1, PERSON_ID, WORK, published=published),)
    said = Draft.model_validate(draft(fact(topic=topic), **sections))
    return check(said, Aliases(material(evidence=pieces)), TODAY)


def test_a_fact_is_as_of_the_day_its_page_was_published_or_else_read() -> None:
    dated, undated = checked(date(2026, 5, 12)), checked(None)
    assert [one.as_of for one in dated.claims if one.nature is Nature.FACT] == [date(2026, 5, 12)]
    assert [(one.as_of, one.current) for one in undated.claims if one.nature is Nature.FACT] == [(TODAY, True)]


def test_what_rests_on_nothing_but_old_facts_says_so() -> None:
    line = {"text": "Ask about planning.", "rests_on": ["f1"]}
    old = checked(date(2023, 5, 12), questions=[line])
    assert not any(one.current for one in old.claims)
    assert {one.section for one in old.claims} == {Section.HEADLINE, Section.PEOPLE, Section.QUESTIONS}
    assert all(one.current for one in checked(date(2026, 5, 12), questions=[line]).claims)
