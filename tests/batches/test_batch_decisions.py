"""Who is inserted together, and when: decisions alone."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from schemas.batches import Waiting
from workflows import policies
from workflows.batches import batch, due, enough

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
MIB = 1 << 20


def waiting(*sizes: int, urgent: bool = False, ago_s: float = 0) -> list[Waiting]:
    since = NOW - timedelta(seconds=ago_s)
    return [Waiting(received_id=str(uuid4()), size=size, urgent=urgent, since=since) for size in sizes]


def test_the_bounds_are_those_of_the_seeds() -> None:
    assert (policies.BATCH_ROWS, policies.BATCH_BYTES, policies.BATCH_MOST_BYTES) == (100, MIB, 10 * MIB)
    assert timedelta(seconds=10) == policies.BATCH_TIME


@pytest.mark.parametrize(
    ("rows", "full"),
    [
        (waiting(*[1] * 99), False),
        (waiting(*[1] * 100), True),
        (waiting(MIB - 1), False),
        (waiting(MIB // 2, MIB // 2), True),
        (waiting(1, urgent=True), True),
        ([], False),
    ],
)
def test_there_is_enough_by_rows_or_by_bytes_or_when_it_is_urgent(rows: list[Waiting], full: bool) -> None:
    assert enough(rows) is full
    assert (due(rows, NOW) == NOW) is (full or not rows) or not rows


@pytest.mark.parametrize(("ago_s", "left_s"), [(0, 10), (4, 6), (10, 0), (4000, 0)])
def test_the_first_has_waited_longest(ago_s: float, left_s: float) -> None:
    rows = [*waiting(1, ago_s=ago_s), *waiting(1)]
    assert (due(rows, NOW) - NOW).total_seconds() == left_s


def test_who_has_waited_for_an_earlier_run_keeps_their_place() -> None:
    """Of what nobody has dated yet the time begins now."""
    assert due([Waiting(received_id=str(uuid4()))], NOW) == NOW + policies.BATCH_TIME


@pytest.mark.parametrize(
    ("sizes", "chosen"),
    [
        ([1] * 250, 100),
        ([MIB // 4] * 8, 4),
        # What makes it enough comes along, unless that would be more than the most.
        ([MIB - 1, 8 * MIB, 1], 2),
        ([MIB - 1, 10 * MIB, 1], 1),
        ([11 * MIB, 1], 1),
        ([], 0),
    ],
)
def test_a_batch_is_bounded_in_rows_and_bytes(sizes: list[int], chosen: int) -> None:
    rows = waiting(*sizes)
    assert batch(rows) == tuple(rows[:chosen])


def test_urgent_ones_go_alone_and_first() -> None:
    usual, urgent = waiting(*[1] * 99), waiting(1, 1, urgent=True)
    assert batch([*usual, *urgent]) == tuple(urgent)
    assert len(batch(waiting(*[1] * 150, urgent=True))) == policies.BATCH_ROWS
