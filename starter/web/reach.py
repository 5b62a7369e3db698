"""A change that somebody saved reaches the meetings that it is about."""

from collections.abc import Sequence

from schemas.base import RowId
from starter.errands import wake
from starter.web.parts import Parts
from starter.web.visits import Visit


class Reach:
    """Wakes the meetings that a change has reached. Those that are not woken are found by the next poll."""

    def __init__(self, parts: Parts) -> None:
        self._errands = parts.errands

    async def tell(self, visit: Visit, meetings: Sequence[RowId]) -> str:
        """The word for what has become of it."""
        told = await wake(self._errands, visit.member.tenant_id, meetings)
        return "saved" if told else "saved-later"
