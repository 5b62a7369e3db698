"""When somebody's morning is, and what they want to hear of. Pure rules."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from activities.digests.ports import Topic
from activities.plain import clean, tokens
from schemas.digests import LONGEST_TOPIC, MOST_TOPICS

# From then on a digest is of today; whoever's clock shows more than that hears of tomorrow.
BEGINS, ENDS = time(6), time(10)


def morning(at: datetime, time_zone: str) -> tuple[date, datetime | None]:
    """Of which day a digest is that is ordered now, and before when it is not to be made: None for at once."""
    zone = zone_of(time_zone)
    local = at.astimezone(zone)
    if BEGINS <= local.time() < ENDS:
        return local.date(), None
    day = local.date() + timedelta(days=local.time() >= ENDS)
    return day, datetime.combine(day, BEGINS, zone).astimezone(UTC)


def is_wanted(day: date, days: int) -> bool:
    """`days` are bits, Monday the lowest."""
    return bool(days >> day.weekday() & 1)


def topics(said: Iterable[str]) -> tuple[Topic, ...]:
    """Interests as they are asked about: each once, however it is written, and no more than there may be."""
    known: dict[str, Topic] = {}
    for words in (clean(one, LONGEST_TOPIC) for one in said):
        if key := " ".join(tokens(words)):
            known.setdefault(key, Topic(key, words))
    return tuple(known.values())[:MOST_TOPICS]


def zone_of(name: str) -> ZoneInfo:
    """UTC for one that is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")
