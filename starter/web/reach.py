"""A change that somebody saved reaches the meetings that it is about."""

import asyncio
from collections.abc import Iterable, Sequence

from schemas.base import RowId
from starter.errands import AwayError
from starter.web.parts import Parts
from starter.web.visits import Visit

# Told at once, while somebody waits for the page; the poll tells the others.
MOST_TOLD = 200


class Reach:
    """Wakes the meetings that a change has reached. Those that are not woken are found by the next poll."""

    def __init__(self, parts: Parts) -> None:
        self._errands = parts.errands

    async def tell(self, visit: Visit, meetings: Iterable[Sequence[RowId]]) -> str:
        """The word for what has become of it."""
        ids = list(dict.fromkeys(one for some in meetings for one in some))
        try:
            await asyncio.gather(*(self._errands.meeting(visit.member.tenant_id, one) for one in ids[:MOST_TOLD]))
        except AwayError:
            return "saved-later"
        return "saved" if len(ids) <= MOST_TOLD else "saved-later"
