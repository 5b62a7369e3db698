"""What a meeting's workflow looks at: the meeting, its research and what was told of it, as they stand now."""

from typing import Protocol

from temporalio import activity

from schemas.meetings import Look, Situation


class Store(Protocol):
    async def situation(self, look: Look) -> Situation: ...


class MeetingActivities:
    def __init__(self, store: Store) -> None:
        self._store = store

    @activity.defn(name="meetings.look")
    async def look(self, look: Look) -> Situation:
        """Only reads."""
        return await self._store.situation(look)
