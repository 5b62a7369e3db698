"""Times as text transcripts tell them: since the call began, or as the clock on the wall."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from activities.transcripts.formats.utterances import Utterance

TIME = r"(?P<time>(?:[0-9]{1,2}:)?[0-9]{1,2}:[0-5][0-9](?:[.,][0-9]{1,3})?(?: ?[AaPp]\.?[Mm]\.?)?)"
_HALF = re.compile(r" ?([AaPp])\.?[Mm]\.?$")
_HOUR, _DAY = 3_600_000, 24 * 3_600_000


def milliseconds(told: str) -> int:
    """`0:05`, `00:00:05.2` or `10:02:03 PM`; with a half of the day two numbers are hours and minutes."""
    half = _HALF.search(told)
    numbers, _, fraction = (told[: half.start()] if half else told).replace(",", ".").partition(".")
    parts = [int(number) for number in numbers.split(":")]
    if len(parts) == 2:
        parts = [*parts, 0] if half else [0, *parts]
    hours, minutes, seconds = parts
    if half:
        hours = hours % 12 + 12 * (half[1] in "Pp")
    return (hours * 60 + minutes) * 60_000 + seconds * 1000 + int(fraction.ljust(3, "0"))


def elapsed(utterances: Iterable[Utterance]) -> Iterator[Utterance]:
    """Since the first one, where a clock was told: nobody is silent for the first hour of a call.

    What seems to go back by half a day went over midnight.
    """
    first: int | None = None
    last = days = 0
    for one in utterances:
        if one.start_ms is None:
            yield one
            continue
        if first is None:
            first = one.start_ms if one.start_ms >= _HOUR else 0
        if first and one.start_ms + days + _DAY // 2 < last:
            days += _DAY
        last = one.start_ms + days
        yield replace(one, start_ms=last - first)
