"""A renewal that is interrupted: no moment without a channel, no change that is lost, and one channel in the end."""

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from activities.store.channels import ChannelRow, ChannelStore
from sandbox.google.state import Channel
from schemas.calendars import Reason
from schemas.subscriptions import Renewal
from starter import start
from tests.crash.doomed_worker import Point
from tests.crash.lanes import Lane
from tests.crash.readings import READING
from tests.crash.stories import Story, Weather

LIVES_AT_LEAST = timedelta(days=6)
GLANCE_S = 0.25

OPENING = frozenset({"opened", "calendar", "begin", "activate", "google.watch"})
RETIRING = frozenset({"leftovers", "retire", "google.stop", "to-calendar"})


class RenewalStory(Story):
    """A calendar whose channel is about to end gets another. No notification arrives: the catch-up finds what there is."""

    name: ClassVar[str] = "renewal"
    points: ClassVar[frozenset[str]] = OPENING | RETIRING | READING
    effects: ClassVar[frozenset[str]] = frozenset(
        {"begin", "google.watch", "activate", "google.stop", "retire", "to-calendar", "take"}
    )

    def __init__(self, lane: Lane, weather: Weather) -> None:
        super().__init__(lane, weather)
        self._channels = ChannelStore(lane.database)
        self._guard: asyncio.Task[None] | None = None
        self._gaps = 0
        self._unheard: list[str] = []

    @classmethod
    def mine(cls, point: Point) -> bool:
        """Not the research that begins when the catch-up has found something."""
        return super().mine(point) and (point.name, point.nth) != ("begin", 2)

    async def prepare(self) -> None:
        await super().prepare()
        if not self.weather.first_channel:
            await (await start.renewal(self.lane.client, self._order())).result()

    async def begin(self) -> None:
        """A change of which nobody has heard, and the order."""
        await super().begin()
        self.add("Before", self.later(5), "kim")
        if not self.weather.first_channel:
            self._guard = asyncio.create_task(self._watch_for_gaps())
        await start.renewal(self.lane.client, self._order())

    async def struck(self, trail: Sequence[str]) -> None:
        """A change at the moment of the kill. What comes after the catch-up has read is for the channel to tell."""
        await super().struck(trail)
        self.add("At the kill", 5, "kim")
        heard = await self._heard()
        if not heard and (not self.weather.first_channel or "call google.watch 1 after" in trail):
            self._unheard.append("no channel that is ours was there at the kill")
        if heard and "transaction take 1 after" in trail:
            await self.diary.ring(Reason.PUSH)

    async def afterwards(self) -> None:
        """One sweep: whoever could not be stopped is stopped by now."""
        if self._guard is not None:
            self._guard.cancel()
            await asyncio.gather(self._guard, return_exceptions=True)
        await start.renewals(self.lane.client)

    async def close(self) -> None:
        if self._guard is not None:
            self._guard.cancel()
            await asyncio.gather(self._guard, return_exceptions=True)
        await super().close()

    async def complaints(self) -> list[str]:
        rows = await self.fetch("SELECT * FROM subscriptions ORDER BY created_at, id")
        active = [row for row in rows if row["status"] == "active"]
        live = self.diary.calendar.channels
        said = await super().complaints() + self._unheard
        said += [f"for {self._gaps} glances no channel was there that is ours"] * bool(self._gaps)
        said += [f"{len(active)} channels are active"] * (len(active) != 1)
        if {channel.id for channel in live} != {row["id"] for row in active}:
            said.append(f"{len(live)} channels live at the provider: {_by_status(rows, live)}")
        for row in active:
            if row["expires_at"] <= datetime.now(UTC) + LIVES_AT_LEAST:
                said.append(f"the channel ends {row['expires_at']}")
        if left := [row["status"] for row in rows if row["status"] in ("creating", "replaced")]:
            said.append(f"channels are left behind: {left}")
        if not await self._heard():
            said.append("the notifications of the channel would not be taken")
        return said

    def _order(self) -> Renewal:
        return Renewal(tenant_id=self.stage.tenant.id, calendar_id=self.diary.calendar_id)

    async def _watch_for_gaps(self) -> None:
        while True:
            self._gaps += not await self._heard()
            await asyncio.sleep(GLANCE_S)

    async def _heard(self) -> bool:
        """Some channel lives whose notifications the web app would act on."""
        for channel in self.diary.calendar.channels:
            row = await self._channels.find(channel.id)
            if row is not None and _taken(channel, row):
                return True
        return False


def _taken(channel: Channel, row: ChannelRow) -> bool:
    """As the web app has it: the channel's own token and resource, while the channel counts."""
    genuine = row.token_hash == hashlib.sha256((channel.token or "").encode()).digest()
    return genuine and row.resource_id in (None, channel.resource_id) and row.open(datetime.now(UTC))


def _by_status(rows: Sequence[Any], live: Sequence[Channel]) -> list[str]:
    known = {row["id"]: row["status"] for row in rows}
    return [known.get(channel.id, "unknown to us") for channel in live]
