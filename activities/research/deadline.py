"""Has a subject had its time? Waiting for a turn, for a worker or for somebody else's call is not its time."""

from activities.research.ports import Tried
from schemas.research import Overdue, Remaining

# The window's timer starts a moment before the first try: whoever has but this left has had their time.
ALMOST_S = 0.5


def remaining(overdue: Overdue, subjects: list[Tried]) -> Remaining:
    """Who has had the whole limit, and how long until the next of the others could have.

    `moving` is false when none of the others has begun and nobody else is served either: then perhaps no worker is
    there to try.
    """
    left = {one.subject_id: _left_s(overdue, one) for one in subjects}
    others = [one for one in subjects if left[one.subject_id] > ALMOST_S]
    return Remaining(
        over=tuple(subject_id for subject_id, seconds in left.items() if seconds <= ALMOST_S),
        seconds=min((left[one.subject_id] for one in others), default=0.0),
        moving=any(one.first_start is not None or one.queue_moves for one in others),
    )


def _left_s(overdue: Overdue, one: Tried) -> float:
    if one.first_start is None:
        return overdue.limit_s
    tried_s = (overdue.now - one.first_start).total_seconds() - one.waited_s
    return min(overdue.limit_s - tried_s, overdue.limit_s)
