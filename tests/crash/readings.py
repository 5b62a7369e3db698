"""A reading that is interrupted: nothing of it is lost, nothing is done twice, and whoever must hear of it does."""

from collections.abc import Sequence
from typing import ClassVar

from schemas.calendars import Reason
from tests.crash.stories import Story, in_days

READING = frozenset(
    {
        *("place", "lose_place", "tokens", "google.events", "take", "untold", "to-meeting", "told"),
        *("lease", "refreshed", "google.refresh"),
    }
)


class ReadingStory(Story):
    """Several pages of changes, from where the last reading ended."""

    name: ClassVar[str] = "reading"
    points: ClassVar[frozenset[str]] = READING
    effects: ClassVar[frozenset[str]] = frozenset({"take 1", "take 3", "to-meeting 1", "told 1"})

    async def invite(self) -> None:
        self._renamed, self._held = self.add("Standing", 3, "kim"), self.add("Held", 4, "kim")
        self._moved, self._gone = (self.add(title, self.later(5), "kim") for title in ("Moved", "Gone"))

    async def begin(self) -> None:
        await super().begin()
        calendar = self.diary.calendar
        self.add("New, with a newcomer", 8, "kim", "mia")
        self.add("New, and later", self.later(9), "kim")
        calendar.move(self._moved, in_days(self.later(11)))
        calendar.cancel(self._held)
        calendar.edit(self._renamed, title="Called otherwise")
        await self.diary.ring(Reason.POLL)

    async def struck(self, trail: Sequence[str]) -> None:
        """Something happens just then, and is told."""
        await super().struck(trail)
        self.add("At the kill", self.later(12), "mia")
        await self.diary.ring(Reason.POLL)


class FullReadingStory(ReadingStory):
    """The same, of everything: the place from which to read on is lost, and something is gone without a trace."""

    name: ClassVar[str] = "full reading"
    effects: ClassVar[frozenset[str]] = frozenset({"lose_place", "place 2", "take 1", "take 3"})

    async def begin(self) -> None:
        del self.lane.sandbox.google.state.events[self._gone]
        self.diary.calendar.expire_sync_tokens()
        await super().begin()
