"""Runs that show how work goes here: they have no row, and tell of their end."""

from activities.store import events
from activities.store.database import Database, patient
from schemas.demo import DemoEnding


class DemoStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    @patient
    async def completed(self, ending: DemoEnding) -> None:
        """Safe to run twice: it is told once."""
        payload = {"demoId": ending.demo_id, "steps": ending.steps, "continued": ending.continued}
        key = f"demo/{ending.demo_id}/ended"
        async with self._database.tenant(ending.tenant_id) as connection:
            await events.record(connection, "demo/run.completed", key, payload, ending.now)
