"""Calendars: which accounts are read, how well, and for which campaign."""

from datetime import timedelta

import structlog
from aiohttp import web
from temporalio.exceptions import ApplicationError

from schemas.agenda import CalendarLine, ConnectionLine
from schemas.base import TenantId
from schemas.calendars import Reason, Ring
from starter.errands import AwayError
from starter.web import screens
from starter.web.answers import plain
from starter.web.parts import Parts
from starter.web.reach import Reach
from starter.web.visits import Fields, Members, Visit
from starter.words import UsageError
from workflows import policies

log = structlog.get_logger("web")

# A calendar that was not read for this long although it is read every quarter of an hour is in trouble.
QUIET_FOR = timedelta(hours=1)


class Calendars:
    def __init__(self, members: Members, parts: Parts) -> None:
        self._members = members
        self._parts = parts
        self._reach = Reach(parts)

    def routes(self) -> list[web.RouteDef]:
        taken = self._members.taken
        return [
            web.get("/calendars", self._members.shown(self.page)),
            web.post("/calendars/{id}/campaign", taken(self.assign, self.again)),
            web.post("/calendars/{id}/read", taken(self.read, self.again)),
            web.post("/connections/{id}/disconnect", taken(self.disconnect, self.again)),
        ]

    async def page(self, visit: Visit) -> web.Response:
        return await self._page(visit, screens.note(visit.request), 200)

    async def again(self, visit: Visit, _fields: Fields, sentence: str, status: int) -> web.Response:
        return await self._page(visit, sentence, status)

    async def assign(self, visit: Visit, fields: Fields) -> web.Response:
        """A calendar of theirs, for a campaign of their tenant."""
        calendar, campaign_id = await self._calendar(visit), fields.get("campaign", "")
        if calendar is None:
            return plain(visit.request, 404)
        if not campaign_id:
            raise UsageError("Choose a campaign for this calendar")
        campaigns = await self._parts.users.campaigns(visit.member.tenant_id)
        if campaign_id not in {one.id for one in campaigns}:
            raise UsageError("There is no such campaign any more", "choose another")
        reached = await self._parts.meetings.assign(
            visit.member.tenant_id, calendar.id, campaign_id, visit.now, visit.now + policies.AHEAD
        )
        return screens.elsewhere("/calendars", await self._reach.tell(visit, reached))

    async def read(self, visit: Visit, _fields: Fields) -> web.Response:
        calendar = await self._calendar(visit)
        if calendar is None:
            return plain(visit.request, 404)
        if not calendar.watched:
            raise UsageError("This calendar is not watched, so it is not read", "reconnect it to have it watched again")
        ring = Ring(reason=Reason.ASKED, at=visit.now)
        await self._parts.errands.calendar(visit.member.tenant_id, calendar.id, ring)
        return screens.elsewhere("/calendars", "reading")

    async def disconnect(self, visit: Visit, _fields: Fields) -> web.Response:
        """Its channels are stopped while we are still let in, then we forget the way in, and give it back."""
        connection = await self._connection(visit)
        if connection is None:
            return plain(visit.request, 404)
        tenant_id = visit.member.tenant_id
        stopped = await self._stopped(tenant_id, connection)
        token = await self._parts.connections.disconnect(tenant_id, connection.id, visit.now)
        # What is researched for its meetings just now is for nobody any more.
        await self._reach.tell(visit, await self._parts.meetings.given_up(tenant_id, connection.id, visit.now))
        if token is not None:
            await self._give_back(token)
        return screens.elsewhere("/calendars", "disconnected" if stopped else "disconnected-later")

    async def _stopped(self, tenant_id: TenantId, connection: ConnectionLine) -> bool:
        """Nothing notifies us of its calendars any more."""
        try:
            return all([await self._parts.errands.unwatch(tenant_id, one.id) for one in connection.calendars])
        except AwayError:
            return False

    async def _give_back(self, token: str) -> None:
        """We have forgotten it; that its provider has too is a courtesy."""
        try:
            await self._parts.consent.revoke(token)
        except ApplicationError as error:
            log.warning("token not given back", error=error.type)

    async def _page(self, visit: Visit, sentence: str, status: int) -> web.Response:
        ids = visit.member.tenant_id, visit.member.id
        connections = await self._parts.agenda.connections(*ids)
        campaigns = await self._parts.users.campaigns(visit.member.tenant_id)
        live = [one for one in connections if one.status != "disconnected"]
        return visit.page(
            "calendars.html",
            status=status,
            title="Calendars",
            connections=live,
            campaigns=campaigns,
            health=lambda calendar: health(calendar, visit),
            note=sentence if status == 200 else "",
            problem="" if status == 200 else sentence,
            sandbox=any(one.sandbox for one in live),
        )

    async def _calendar(self, visit: Visit) -> CalendarLine | None:
        """Theirs, of an account that is still connected."""
        lines = await self._mine(visit)
        mine = [calendar for line in lines if line.status != "disconnected" for calendar in line.calendars]
        return next((one for one in mine if one.id == visit.request.match_info["id"]), None)

    async def _connection(self, visit: Visit) -> ConnectionLine | None:
        return next((one for one in await self._mine(visit) if one.id == visit.request.match_info["id"]), None)

    async def _mine(self, visit: Visit) -> list[ConnectionLine]:
        return await self._parts.agenda.connections(visit.member.tenant_id, visit.member.id)


def health(calendar: CalendarLine, visit: Visit) -> tuple[str, str]:
    """A colour and a sentence."""
    if not calendar.watched:
        return "waiting", "Not watched, so it is not read. Reconnect it to have it watched again"
    if calendar.failing_since is not None:
        since = screens.ago(calendar.failing_since, visit.now)
        return "failed", f"Not read since {since}: {calendar.failure or 'no answer'}"
    if calendar.read_at is None:
        return "working", "Being read for the first time"
    if visit.now - calendar.read_at > QUIET_FOR:
        return "waiting", f"Last read {screens.ago(calendar.read_at, visit.now)}, which is longer ago than it should be"
    return "ready", "Up to date"
