"""Preferences: in which zone times are shown, and when briefs are mailed."""

from zoneinfo import available_timezones

from aiohttp import web

from schemas.agenda import Preferences
from starter import setup as rules
from starter.web import screens
from starter.web.parts import Parts
from starter.web.reach import Reach
from starter.web.visits import Fields, Members, Visit
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


class Preferred:
    def __init__(self, members: Members, parts: Parts) -> None:
        self._members = members
        self._users = parts.users
        self._meetings = parts.meetings
        self._reach = Reach(parts)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/preferences", self._members.shown(self.page)),
            web.post("/preferences", self._members.taken(self.save, self.again)),
        ]

    async def page(self, visit: Visit) -> web.Response:
        return _preferences(visit, _preferred(visit), screens.note(visit.request), 200)

    async def again(self, visit: Visit, fields: Fields, sentence: str, status: int) -> web.Response:
        return _preferences(visit, fields, sentence, status)

    async def save(self, visit: Visit, fields: Fields) -> web.Response:
        lead = fields.get("deliver_before_min", "")
        if not (lead.isascii() and lead.isdecimal() and int(lead[:8]) <= LONGEST_LEAD_MIN):
            raise UsageError("When the brief is mailed must be one of the times that are listed")
        chosen = Preferences(
            time_zone=rules.time_zone(fields.get("time_zone", "")),
            deliver_before_min=int(lead),
            briefs_by_mail="briefs_by_mail" in fields,
            calls_by_mail="calls_by_mail" in fields,
        )
        tenant_id, user_id = visit.member.tenant_id, visit.member.id
        await self._users.prefer(tenant_id, user_id, chosen)
        reached = await self._meetings.revise(tenant_id, user_id, visit.now, visit.now + policies.AHEAD)
        return screens.elsewhere("/preferences", await self._reach.tell(visit, reached))


def _preferred(visit: Visit) -> dict[str, str]:
    member = visit.member
    said = {"time_zone": member.time_zone, "deliver_before_min": str(member.deliver_before_min)}
    ticked = {"briefs_by_mail": member.briefs_by_mail, "calls_by_mail": member.calls_by_mail}
    return said | {name: "on" for name, on in ticked.items() if on}


def _preferences(visit: Visit, fields: Fields, sentence: str, status: int) -> web.Response:
    lead = fields.get("deliver_before_min", "")
    own = ((lead, f"{lead} minutes before"),) if lead.isdecimal() and lead not in dict(LEADS) else ()
    return visit.page(
        "preferences.html",
        status=status,
        title="Preferences",
        fields=fields,
        leads=(*LEADS, *own),
        zones=sorted(available_timezones()),
        note=sentence if status == 200 else "",
        problem="" if status == 200 else sentence,
    )
