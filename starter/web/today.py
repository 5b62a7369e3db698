"""Today and the coming days, each meeting with its brief; and one meeting with all that is known of it."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import groupby

from aiohttp import web

from schemas.agenda import MeetingLine, MeetingView
from schemas.research import Progress
from starter.errands import AwayError
from starter.web import screens
from starter.web.answers import plain
from starter.web.parts import Parts
from starter.web.standing import GENERATING, LAST_FAILED, Standing, standing
from starter.web.visits import Fields, Members, Visit, is_row_id
from workflows import policies

DAYS = 14
# Guests that a list names; the others are counted.
MOST_GUESTS = 3


@dataclass(frozen=True)
class Row:
    """A meeting in the list."""

    line: MeetingLine
    standing: Standing
    over: bool


@dataclass(frozen=True)
class Course:
    """How a research goes, for the page and for its script. `busy` says that it is worth asking again."""

    status: str
    phase: str
    busy: bool
    version: int
    reason: str
    people: tuple[tuple[str, str], ...] = ()


class Today:
    def __init__(self, members: Members, parts: Parts) -> None:
        self._members = members
        self._agenda = parts.agenda
        self._errands = parts.errands

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", self._members.shown(self.days)),
            web.get("/meetings/{id}", self._members.shown(self.meeting)),
            web.get("/meetings/{id}/progress", self._members.told(self.progress)),
            web.post("/meetings/{id}/research", self._members.taken(self.research, self.meeting_again)),
        ]

    async def days(self, visit: Visit) -> web.Response:
        """From this midnight of the user's on."""
        midnight = datetime.combine(visit.now.astimezone(visit.zone).date(), time(), visit.zone)
        ids = visit.member.tenant_id, visit.member.id
        lines, outlook = await asyncio.gather(
            self._agenda.meetings(*ids, midnight, midnight + timedelta(days=DAYS)), self._agenda.outlook(*ids)
        )
        rows = [_row(line, visit.now) for line in lines]
        days = [
            (name, list(group))
            for name, group in groupby(
                rows, key=lambda row: screens.day_name(row.line.starts_at, visit.zone, visit.now)
            )
        ]
        return visit.page(
            "today.html",
            title="Your meetings",
            days=days,
            outlook=outlook,
            coming=DAYS,
            most=MOST_GUESTS,
            note=screens.note(visit.request),
            sandbox=outlook.sandbox or any(line.sandbox for line in lines),
        )

    async def meeting(self, visit: Visit) -> web.Response:
        return await self._meeting(visit, screens.note(visit.request), 200)

    async def meeting_again(self, visit: Visit, _fields: Fields, sentence: str, status: int) -> web.Response:
        return await self._meeting(visit, sentence, status)

    async def progress(self, visit: Visit) -> web.Response:
        """What the script on the meeting's page asks for, every other second."""
        found = await self._view(visit)
        if found is None:
            return plain(visit.request, 404)
        course = await self._course(visit, found.line)
        return web.json_response(
            {
                "status": course.status,
                "phase": course.phase,
                "busy": course.busy,
                "version": course.version,
                "reason": course.reason,
                "subjects": [{"label": label, "state": state} for label, state in course.people],
            }
        )

    async def research(self, visit: Visit, _fields: Fields) -> web.Response:
        """Asked of the meeting's own workflow, which begins when it sleeps. What it says no to is said."""
        found = await self._view(visit)
        if found is None:
            return plain(visit.request, 404)
        asked = await self._errands.research_now(visit.member.tenant_id, found.line.id)
        if not asked.begun:
            sentence = f"Nothing was begun: {asked.reason or 'there is nobody to research'}."
            return await self._meeting(visit, sentence, 409)
        return screens.elsewhere(f"/meetings/{found.line.id}?after={found.line.version}", "asked")

    async def _meeting(self, visit: Visit, sentence: str, status: int) -> web.Response:
        found = await self._view(visit)
        if found is None:
            return plain(visit.request, 404)
        course = await self._course(visit, found.line)
        return visit.page(
            "meeting.html",
            status=status,
            scripted=True,
            title=found.line.title or "A meeting without a title",
            found=found,
            standing=standing(found.line, visit.now, policies.AHEAD),
            course=course,
            note=sentence if status == 200 else "",
            problem="" if status == 200 else sentence,
            open=_open(found.line, visit.now),
            sandbox=found.line.sandbox or any(version.sandbox for version in found.versions),
        )

    async def _view(self, visit: Visit) -> MeetingView | None:
        meeting_id = visit.request.match_info["id"]
        if not is_row_id(meeting_id):
            return None
        return await self._agenda.meeting(visit.member.tenant_id, visit.member.id, meeting_id)

    async def _course(self, visit: Visit, line: MeetingLine) -> Course:
        """By the row; while a run is under way, with what the run itself says."""
        after = visit.request.query.get("after", "")
        begun = not (after.isdecimal() and len(after) < 10 and line.version <= int(after))
        if line.status == GENERATING:
            return course(line, await self._told(visit, line))
        return course(line, None) if begun else Course("asked", "Waiting for its turn", True, line.version, "")

    async def _told(self, visit: Visit, line: MeetingLine) -> Progress | None:
        try:
            return await self._errands.progress(visit.member.tenant_id, line.id)
        except AwayError:
            return None


def course(line: MeetingLine, told: Progress | None) -> Course:
    """A row that says it is being worked on, and what its run adds to that."""
    status = line.status or "requested"
    reason = (line.failure_reason or "") if status == LAST_FAILED else ""
    if status != GENERATING:
        return Course(status, "", False, line.version, reason)
    if told is None:
        return Course(status, "Under way", True, line.version, "")
    people = tuple((label, state.value.replace("_", " ")) for label, state in (*told.prospects, *told.companies))
    return Course(status, told.phase.value.capitalize(), True, line.version, "", people)


def _row(line: MeetingLine, now: datetime) -> Row:
    return Row(line, standing(line, now, policies.AHEAD), (line.ends_at or line.starts_at) <= now)


def _open(line: MeetingLine, now: datetime) -> bool:
    """There is still something to get ready for."""
    return not line.withdrawn and (line.ends_at or line.starts_at) > now
