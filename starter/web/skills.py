"""Skills: what there is, how well each does, and a form for each that is made from its schema.

skill ─▶ form ─▶ what it says, or a sentence about what is wrong with it ─▶ the desk ─▶ a run
"""

import asyncio
import uuid
from datetime import timedelta

from aiohttp import web

from activities.plain import clean
from activities.store.skill_asking import TooManyRunsError
from schemas.agenda import MeetingLine
from schemas.base import RowId
from schemas.skills import LONGEST_MESSAGE, MOST_STARTS, NewRun, Skill
from starter.web import forms, screens
from starter.web.answers import plain
from starter.web.bounds import takes
from starter.web.parts import Parts
from starter.web.sessions import Cookies
from starter.web.shelved import Shelved
from starter.web.skill_runs import PHASES, stored
from starter.web.visits import Fields, Members, Visit, is_row_id
from starter.words import UsageError

MOST_RUNS = 20
# A message of the longest kind, as a form writes it.
LARGEST_FORM = 512 * 1024
FORM_S = 20.0
# Meetings to choose from: those before are what is followed up, those to come what is prepared.
BEFORE, AHEAD = timedelta(days=21), timedelta(days=14)
LONGEST_TITLE, LONGEST_CLIENT = 90, 253


class Skilled:
    def __init__(self, members: Members, cookies: Cookies, parts: Parts) -> None:
        self._members = members
        self._cookies = cookies
        self._skills = Shelved(parts.skill_shelf)
        self._runs = parts.skill_runs
        self._opinions = parts.opinions
        self._desk = parts.skill_desk
        self._agenda = parts.agenda

    def routes(self) -> list[web.RouteDef]:
        shown, taken = self._members.shown, self._members.taken
        asking = takes(LARGEST_FORM, FORM_S, self._signed_in)(taken(self.ask, self.form_again))
        return [
            web.get("/skills", shown(self.page)),
            web.get("/skills/{name}", shown(self.form)),
            web.post("/skills/{name}", asking),
        ]

    async def page(self, visit: Visit) -> web.Response:
        tenant_id = visit.member.tenant_id
        skills, health, runs = await asyncio.gather(
            self._skills.all(),
            self._opinions.health(tenant_id),
            self._runs.list(tenant_id, visit.member.id, MOST_RUNS),
        )
        return visit.page(
            "skills.html",
            title="Skills",
            skills=skills,
            health=health,
            runs=runs,
            phases=PHASES,
            spelled=forms.spelled,
            note=screens.note(visit.request),
            sandbox=any(one.sandbox for one in runs),
        )

    async def form(self, visit: Visit) -> web.Response:
        skill = await self._skill(visit)
        if skill is None:
            return plain(visit.request, 404)
        questions = forms.asked(skill.inputs)
        given = await self._again(visit, skill, questions) or forms.given(questions)
        return await self._form(visit, skill, given | {"run": str(uuid.uuid4())}, "", 200)

    async def form_again(self, visit: Visit, fields: Fields, sentence: str, status: int) -> web.Response:
        skill = await self._skill(visit)
        if skill is None:
            return plain(visit.request, 404)
        return await self._form(visit, skill, fields, sentence, status)

    async def ask(self, visit: Visit, fields: Fields) -> web.Response:
        """The form has the id of its run: sent twice, it is one."""
        skill = await self._skill(visit)
        if skill is None:
            return plain(visit.request, 404)
        wanted = await self._wanted(visit, skill, fields)
        try:
            asked = await self._desk.ask(visit.member.tenant_id, wanted)
        except TooManyRunsError as error:
            return await self._form(visit, skill, fields, too_many(error), 429)
        return screens.elsewhere(f"/skills/runs/{asked.run_id}")

    async def _again(
        self, visit: Visit, skill: Skill, questions: tuple[forms.Question, ...] | None
    ) -> dict[str, str] | None:
        """The form as it was for a run of theirs."""
        wanted = visit.request.query.get("from", "")
        ids = visit.member.tenant_id, visit.member.id
        found = await self._runs.view(*ids, wanted.lower()) if is_row_id(wanted.lower()) else None
        if found is None or found.skill != skill.name:
            return None
        about = {"message": found.message, "meeting": found.meeting_id or "", "client": found.client_domain}
        return forms.again(questions, found.inputs) | about

    async def _skill(self, visit: Visit) -> Skill | None:
        shown = await self._skills.one(visit.request.match_info["name"])
        return shown.skill if shown else None

    async def _wanted(self, visit: Visit, skill: Skill, fields: Fields) -> NewRun:
        """What a form asks for, or a sentence about the first thing that is wrong with it."""
        questions = forms.asked(skill.inputs)
        message = stored(fields.get("message", ""), LONGEST_MESSAGE, "What else it should know")
        inputs = forms.told(questions, fields)
        met = [inputs.get(one.name) for one in questions or () if one.kind is forms.Kind.MEETING]
        meeting_id = next((one for one in (*met, fields.get("meeting", "")) if one), None)
        if meeting_id is not None and not is_row_id(str(meeting_id)):
            raise UsageError("The meeting must be one of what is listed")
        run = fields.get("run", "")
        return NewRun(
            id=run if is_row_id(run) else None,
            user_id=visit.member.id,
            skill=skill.name,
            message=message,
            inputs=inputs,
            client_id=await self._client(visit, fields.get("client", "")),
            meeting_id=meeting_id,
        )

    async def _client(self, visit: Visit, said: str) -> RowId | None:
        named = clean(said, LONGEST_CLIENT)
        if not named:
            return None
        known = await self._runs.client(visit.member.tenant_id, named.lower())
        if known is None:
            raise UsageError(f"No company is known by “{named}”; its domain is meant, such as lovelace.example")
        return known[0]

    async def _form(self, visit: Visit, skill: Skill, fields: Fields, sentence: str, status: int) -> web.Response:
        questions = forms.asked(skill.inputs)
        health = (await self._opinions.health(visit.member.tenant_id)).get(skill.name)
        return visit.page(
            "skill.html",
            status=status,
            title=forms.spelled(skill.name),
            skill=skill,
            questions=questions,
            has_meeting=any(one.kind is forms.Kind.MEETING for one in questions or ()),
            meetings=await self._meetings(visit),
            whole=forms.WHOLE,
            health=health,
            longest=LONGEST_MESSAGE,
            fields=fields,
            problem=sentence,
        )

    async def _meetings(self, visit: Visit) -> list[tuple[str, str]]:
        """A user's meetings: those to come first, then those that were, each with its time."""
        ids = visit.member.tenant_id, visit.member.id
        lines = await self._agenda.meetings(*ids, visit.now - BEFORE, visit.now + AHEAD)
        coming = [one for one in lines if one.starts_at >= visit.now]
        before = [one for one in reversed(lines) if one.starts_at < visit.now]
        return [(one.id, _meeting(one, visit)) for one in (*coming, *before) if one.withdrawn is None]

    def _signed_in(self, request: web.Request) -> bool:
        return self._cookies.session(request, self._members.now()) is not None


def too_many(error: TooManyRunsError) -> str:
    minutes = max(1, -(-error.after_s // 60))
    return (
        f"You have begun {MOST_STARTS} runs within an hour, and there may be no more. "
        f"The next can begin in {minutes} minute{'' if minutes == 1 else 's'}."
    )


def _meeting(one: MeetingLine, visit: Visit) -> str:
    when = screens.short_time(one.starts_at, visit.zone, visit.now)
    return f"{when}: {clean(one.title, LONGEST_TITLE) or 'a meeting without a title'}"
