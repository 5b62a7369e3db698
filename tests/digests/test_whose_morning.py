"""When it is morning where somebody is, which days they want, and what an interest is."""

import itertools
from datetime import UTC, date, datetime

import pytest

from activities.digests import mornings
from activities.digests.ports import Topic
from schemas.digests import EVERY_DAY, LONGEST_TOPIC, MOST_TOPICS, WEEKDAYS


def utc(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "zone", "day", "not_before"),
    [
        (utc(23, 6), "UTC", 23, None),
        (utc(23, 5, 59), "UTC", 23, utc(23, 6)),
        (utc(23, 9, 59), "UTC", 23, None),
        (utc(23, 10), "UTC", 24, utc(24, 6)),
        # 07:00 there.
        (utc(23, 6), "Europe/Berlin", 23, None),
        # 01:00 there, 22:00 the day before, 15:00, 20:00.
        (utc(23, 6), "America/New_York", 23, utc(23, 11)),
        (utc(23, 6), "America/Los_Angeles", 23, utc(23, 14)),
        (utc(23, 5), "America/Los_Angeles", 23, utc(23, 14)),
        (utc(23, 6), "Asia/Tokyo", 24, utc(23, 21)),
        (utc(23, 6), "Pacific/Kiritimati", 24, utc(23, 16)),
        (utc(23, 6), "Pacific/Pago_Pago", 23, utc(23, 17)),
        (utc(23, 6), "Asia/Kathmandu", 24, utc(24, 0, 15)),
        (utc(23, 6), "Nowhere/At_All", 23, None),
        (utc(23, 6), "../../etc/passwd", 23, None),
        (utc(23, 6), "", 23, None),
    ],
)
def test_their_morning(at: datetime, zone: str, day: int, not_before: datetime | None) -> None:
    assert mornings.morning(at, zone) == (date(2026, 11, day), not_before)


@pytest.mark.parametrize(
    ("month", "day", "zone", "begins"),
    [
        # Clocks go forward in New York on 8 March 2026, and back on 1 November.
        (3, 7, "America/New_York", 11),
        (3, 8, "America/New_York", 10),
        (10, 31, "America/New_York", 10),
        (11, 1, "America/New_York", 11),
    ],
)
def test_six_is_six_where_clocks_change(month: int, day: int, zone: str, begins: int) -> None:
    at = datetime(2026, month, day, 6, tzinfo=UTC)
    assert mornings.morning(at, zone) == (date(2026, month, day), at.replace(hour=begins))


def test_every_strike_of_a_year_orders_every_day_once() -> None:
    """In zones whose clocks change and in those at the end of the world."""
    for zone in (
        "Europe/London",
        "Europe/Lisbon",
        "Atlantic/Azores",
        "America/New_York",
        "Pacific/Auckland",
        "Asia/Dubai",
    ):
        strikes = [datetime.fromtimestamp(utc(1, 6, month=1).timestamp() + n * 86_400, UTC) for n in range(365)]
        days = [mornings.morning(at, zone)[0] for at in strikes]
        assert [(b - a).days for a, b in itertools.pairwise(days)] == [1] * 364, zone


def test_days_are_bits() -> None:
    week = [date(2026, 11, 23 + n) for n in range(7)]
    assert [mornings.is_wanted(day, WEEKDAYS) for day in week] == [True] * 5 + [False] * 2
    assert all(mornings.is_wanted(day, EVERY_DAY) for day in week)
    assert not any(mornings.is_wanted(day, 0) for day in week)
    assert [mornings.is_wanted(day, 0b1000000) for day in week] == [False] * 6 + [True]


def test_interests_are_known_however_they_are_written() -> None:
    said = ["  Clean   Energy ", "clean-energy", "", "?!", "\x00\u202e", "Über", "uber", "x" * 500]
    assert mornings.topics(said) == (
        Topic("clean energy", "Clean Energy"),
        Topic("uber", "Über"),
        Topic("x" * LONGEST_TOPIC, "x" * LONGEST_TOPIC),
    )
    assert len(mornings.topics(f"topic {n}" for n in range(50))) == MOST_TOPICS
