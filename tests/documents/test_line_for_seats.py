"""Whoever waits for a seat stands in line: first come, first served, and only the first looks whether there is one."""

import asyncio
from dataclasses import dataclass, field

import pytest

from activities import seats as module
from activities.seats import Seats
from tests.digests.voices import Chairs


@dataclass
class Asked(Chairs):
    """Who asked for a seat, in order."""

    looks: list[str] = field(default_factory=list)

    async def take(self, provider: str, holder: str, most: int, kept_for: object) -> bool:
        self.looks.append(holder)
        return await super().take(provider, holder, most, kept_for)  # type: ignore[arg-type]


async def test_only_the_first_in_line_looks_and_they_are_served_in_the_order_in_which_they_came(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LOOK_AGAIN", module.LOOK_AGAIN / 50)
    chairs, served, leave = Asked(), list[int](), asyncio.Event()
    seats = Seats(chairs, {"analysis": 1})

    async def come(number: int) -> None:
        async with seats.seat("analysis", "a"):
            served.append(number)
            await leave.wait()

    coming = [asyncio.create_task(come(number)) for number in range(20)]
    while len(chairs.looks) < 10:
        await asyncio.sleep(0.005)
    assert len(set(chairs.looks)) == 2, "who is seated, and the first in line"
    coming[1].cancel()
    coming[5].cancel()
    leave.set()
    await asyncio.gather(*coming, return_exceptions=True)
    assert served == [number for number in range(20) if number not in (1, 5)]
    assert chairs.taken == {"analysis/a": set()}


async def test_lines_are_of_one_name_and_gone_with_the_last_in_them() -> None:
    chairs = Asked()
    seats = Seats(chairs, {"analysis": 1, "parsing": 1})
    async with seats.seat("analysis", "a"), seats.seat("analysis", "b"), seats.seat("parsing", "a"):
        assert len(chairs.taken) == 3
    assert len(seats._lines) == 0
