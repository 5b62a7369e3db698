"""Preferences: in which zone times are shown, what is mailed and when, and where else a user is told."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from zoneinfo import available_timezones

from aiohttp import web

from schemas.agenda import Preferences
from schemas.base import RowId, TenantId
from starter import setup as rules
from starter.web import screens
from starter.web.answers import plain
from starter.web.parts import Parts
from starter.web.reach import Reach
from starter.web.visits import Fields, Members, Visit, is_row_id
from starter.words import UsageError
from workflows import policies

LEADS = (
    ("0", "when it starts"),
    ("15", "15 minutes before"),
    ("30", "half an hour before"),
    ("60", "an hour before"),
    ("120", "2 hours before"),
    ("240", "4 hours before"),
    ("720", "12 hours before"),
    ("1440", "a day before"),
)
LONGEST_LEAD_MIN = 10_080
# How a kind of channel is called, and what an address of it is.
KINDS = {"telegram": "Telegram: the number of a chat", "slack": "Slack: the address of a webhook"}

Doing = Callable[[TenantId, RowId, RowId], Awaitable[bool]]


class Preferred:
    def __init__(self, members: Members, parts: Parts) -> None:
        self._members = members
        self._users = parts.users
        self._meetings = parts.meetings
        self._channels = parts.user_channels
        self._reach = Reach(parts)

    def routes(self) -> list[web.RouteDef]:
        taken = self._members.taken
        return [
            web.get("/preferences", self._members.shown(self.page)),
            web.post("/preferences", taken(self.save, self.again)),
            web.post("/preferences/channels", taken(self.add, self.add_again)),
            web.post("/preferences/channels/{id}/remove", taken(self.remove, self.add_again)),
            web.post("/preferences/channels/{id}/on", taken(self.switch_on, self.add_again)),
        ]

    async def page(self, visit: Visit) -> web.Response:
        return await self._page(visit, screens.note(visit.request), 200)

    async def again(self, visit: Visit, fields: Fields, sentence: str, status: int) -> web.Response:
        return await self._page(visit, sentence, status, fields=fields)

    async def add_again(self, visit: Visit, fields: Fields, sentence: str, status: int) -> web.Response:
        return await self._page(visit, sentence, status, adding=fields)

    async def save(self, visit: Visit, fields: Fields) -> web.Response:
        lead = fields.get("deliver_before_min", "")
        if not (lead.isascii() and lead.isdecimal() and int(lead[:8]) <= LONGEST_LEAD_MIN):
            raise UsageError("When the brief is mailed must be one of the times that are listed")
        chosen = Preferences(
            time_zone=rules.time_zone(fields.get("time_zone", "")),
            deliver_before_min=int(lead),
            briefs_by_mail="briefs_by_mail" in fields,
            calls_by_mail="calls_by_mail" in fields,
            skills_by_mail="skills_by_mail" in fields,
        )
        tenant_id, user_id = visit.member.tenant_id, visit.member.id
        await self._users.prefer(tenant_id, user_id, chosen)
        reached = await self._meetings.revise(tenant_id, user_id, visit.now, visit.now + policies.AHEAD)
        return screens.elsewhere("/preferences", await self._reach.tell(visit, reached))

    async def add(self, visit: Visit, fields: Fields) -> web.Response:
        kind, address, label = (fields.get(name, "") for name in ("kind", "address", "label"))
        if kind not in self._channels.kinds():
            raise UsageError("Choose one of the kinds that are listed")
        await self._channels.add(visit.member.tenant_id, visit.member.id, kind, address, label, visit.now)
        return screens.elsewhere("/preferences", "channel-added")

    async def remove(self, visit: Visit, _fields: Fields) -> web.Response:
        return await self._done(visit, self._channels.remove, "channel-removed")

    async def switch_on(self, visit: Visit, _fields: Fields) -> web.Response:
        return await self._done(visit, self._channels.on, "channel-on")

    async def _done(self, visit: Visit, what: Doing, note: str) -> web.Response:
        """To a channel of theirs."""
        wanted = visit.request.match_info["id"]
        if not is_row_id(wanted) or not await what(visit.member.tenant_id, visit.member.id, wanted):
            return plain(visit.request, 404)
        return screens.elsewhere("/preferences", note)

    async def _page(
        self, visit: Visit, sentence: str, status: int, *, fields: Fields | None = None, adding: Fields | None = None
    ) -> web.Response:
        there = await self._channels.list(visit.member.tenant_id, visit.member.id)
        kinds = [(kind, KINDS[kind]) for kind in self._channels.kinds()]
        shown: dict[str, Any] = {"channels": there, "kinds": kinds, "adding": adding or {}}
        return _preferences(visit, _preferred(visit) if fields is None else fields, sentence, status, shown)


def _preferred(visit: Visit) -> dict[str, str]:
    member = visit.member
    said = {"time_zone": member.time_zone, "deliver_before_min": str(member.deliver_before_min)}
    ticked = {name: getattr(member, name) for name in ("briefs_by_mail", "calls_by_mail", "skills_by_mail")}
    return said | {name: "on" for name, on in ticked.items() if on}


def _preferences(visit: Visit, fields: Fields, sentence: str, status: int, channels: Mapping[str, Any]) -> web.Response:
    lead = fields.get("deliver_before_min", "")
    own = ((lead, f"{lead} minutes before"),) if lead.isdecimal() and lead not in dict(LEADS) else ()
    return visit.page(
        "preferences.html",
        status=status,
        title="Preferences",
        fields=fields,
        leads=(*LEADS, *own),
        zones=sorted(available_timezones()),
        **channels,
        note=sentence if status == 200 else "",
        problem="" if status == 200 else sentence,
    )
