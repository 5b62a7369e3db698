"""Campaigns: what is sold, to whom, and against which pain."""

from collections.abc import Callable

from aiohttp import web

from schemas.tenants import CampaignRow, NewCampaign
from starter import setup as rules
from starter.web import screens
from starter.web.answers import plain
from starter.web.parts import Parts
from starter.web.reach import Reach
from starter.web.visits import Fields, Members, Visit
from starter.words import UsageError
from workflows import policies

TEXTS = ("offering", "target_customer", "pain_points")


class Campaigns:
    def __init__(self, members: Members, parts: Parts) -> None:
        self._members = members
        self._users = parts.users
        self._reach = Reach(parts)

    def routes(self) -> list[web.RouteDef]:
        shown, taken = self._members.shown, self._members.taken
        return [
            web.get("/campaigns", shown(self.page)),
            web.get("/campaigns/new", shown(self.new)),
            web.post("/campaigns/new", taken(self.add, self.new_again)),
            web.get("/campaigns/{id}", shown(self.one)),
            web.post("/campaigns/{id}", taken(self.edit, self.one_again)),
        ]

    async def page(self, visit: Visit) -> web.Response:
        return visit.page(
            "campaigns.html",
            title="Campaigns",
            campaigns=await self._users.campaigns(visit.member.tenant_id),
            note=screens.note(visit.request),
        )

    async def new(self, visit: Visit) -> web.Response:
        return _form(visit, None, {}, "", 200)

    async def new_again(self, visit: Visit, fields: Fields, sentence: str, status: int) -> web.Response:
        return _form(visit, None, fields, sentence, status)

    async def add(self, visit: Visit, fields: Fields) -> web.Response:
        campaign = written(fields)
        await self._free(visit, campaign.name)
        tenant_id = visit.member.tenant_id
        _, reached = await self._users.add_campaign(
            tenant_id, visit.member.id, campaign, visit.now, visit.now + policies.AHEAD
        )
        return screens.elsewhere("/campaigns", await self._reach.tell(visit, reached))

    async def one(self, visit: Visit) -> web.Response:
        campaign = await self._campaign(visit)
        if campaign is None:
            return plain(visit.request, 404)
        return _form(visit, campaign, _said(campaign), screens.note(visit.request), 200)

    async def one_again(self, visit: Visit, fields: Fields, sentence: str, status: int) -> web.Response:
        campaign = await self._campaign(visit)
        return plain(visit.request, 404) if campaign is None else _form(visit, campaign, fields, sentence, status)

    async def edit(self, visit: Visit, fields: Fields) -> web.Response:
        campaign = await self._campaign(visit)
        if campaign is None:
            return plain(visit.request, 404)
        new = written(fields)
        await self._free(visit, new.name, but=campaign.id)
        changed = campaign.model_copy(update={**new.model_dump(), "active": "active" in fields})
        tenant_id = visit.member.tenant_id
        reached = await self._users.edit_campaign(tenant_id, changed, visit.now, visit.now + policies.AHEAD)
        return screens.elsewhere("/campaigns", await self._reach.tell(visit, reached))

    async def _campaign(self, visit: Visit) -> CampaignRow | None:
        campaigns = await self._users.campaigns(visit.member.tenant_id)
        return next((one for one in campaigns if one.id == visit.request.match_info["id"]), None)

    async def _free(self, visit: Visit, name: str, but: str = "") -> None:
        campaigns = await self._users.campaigns(visit.member.tenant_id)
        if any(one.name.casefold() == name.casefold() and one.id != but for one in campaigns):
            raise UsageError(f"There is a campaign {name} already", "give this one another name")


def written(fields: Fields) -> NewCampaign:
    """The campaign that a form says, or a sentence about the first thing that is wrong with it."""
    said = {"name": _checked(rules.name, fields, "name", "Name")}
    labels = ("What you sell", "Who it is for", "What hurts them today")
    said |= {text: _checked(rules.text, fields, text, label) for text, label in zip(TEXTS, labels, strict=True)}
    return rules.campaign(**said)


def _checked(check: Callable[[str], str], fields: Fields, field: str, label: str) -> str:
    try:
        return check(fields.get(field, ""))
    except UsageError as error:
        raise UsageError(f"{label}: {error}") from None


def _said(campaign: CampaignRow) -> dict[str, str]:
    texts = {text: getattr(campaign, text) for text in ("name", *TEXTS)}
    return texts | ({"active": "on"} if campaign.active else {})


def _form(visit: Visit, campaign: CampaignRow | None, fields: Fields, sentence: str, status: int) -> web.Response:
    return visit.page(
        "campaign.html",
        status=status,
        title=campaign.name if campaign else "New campaign",
        campaign=campaign,
        fields=fields,
        note=sentence if status == 200 else "",
        problem="" if status == 200 else sentence,
    )
