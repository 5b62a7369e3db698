"""A run of a skill: written before its user's eyes, then read, and judged.

run ─▶ its page ─▶ events, while it is written ─▶ its page: the output, safe to read ─▶ an opinion
"""

import asyncio
import json
from datetime import datetime

from aiohttp import web
from markupsafe import Markup

from schemas.payloads import storable
from schemas.skills import BEST_SCORE, CANCELLED, ENDED, LEAST_SCORE, STARTS, Opinion, RunStatus, RunView
from starter.show import written
from starter.web import forms, screens
from starter.web.answers import plain
from starter.web.parts import Parts
from starter.web.visits import Fields, Members, Visit, is_row_id
from starter.web.watching import Watching
from starter.words import UsageError

LONGEST_ISSUES = 2000
PHASES = {
    RunStatus.QUEUED: "Waiting for its turn",
    RunStatus.RUNNING: "Being written",
    RunStatus.COMPLETED: "Ready",
    RunStatus.FAILED: "Came to nothing",
}
SCORES = tuple(range(LEAST_SCORE, BEST_SCORE + 1))
STOPPED = "It was stopped."
UNREAD = "Its text cannot be read just now; this is how it begins."


class Written:
    def __init__(self, members: Members, watching: Watching, parts: Parts) -> None:
        self._members = members
        self._watching = watching
        self._runs = parts.skill_runs
        self._opinions = parts.opinions
        self._desk = parts.skill_desk

    def routes(self) -> list[web.RouteDef]:
        taken = self._members.taken
        return [
            web.get("/skills/runs/{id}", self._members.shown(self.one)),
            web.get("/skills/runs/{id}/events", self._members.told(self.events)),
            web.post("/skills/runs/{id}/cancel", taken(self.cancel, self.one_again)),
            web.post("/skills/runs/{id}/feedback", taken(self.judge, self.one_again)),
        ]

    async def one(self, visit: Visit) -> web.Response:
        return await self._one(visit, {}, screens.note(visit.request), 200)

    async def one_again(self, visit: Visit, fields: Fields, sentence: str, status: int) -> web.Response:
        return await self._one(visit, fields, sentence, status)

    async def events(self, visit: Visit) -> web.Response:
        """What the script on a run's page listens to."""
        found = await self._view(visit)
        if found is None:
            return plain(visit.request, 404)
        if self._watching.full(visit.member.tenant_id, found.id):
            return plain(visit.request, 503, {"Retry-After": "5"})
        return self._watching.answer(visit.request, visit.member.tenant_id, found.id)

    async def cancel(self, visit: Visit, _fields: Fields) -> web.Response:
        found = await self._view(visit)
        if found is None:
            return plain(visit.request, 404)
        stopped = await self._desk.cancel(visit.member.tenant_id, found.id, visit.member.id)
        return screens.elsewhere(f"/skills/runs/{found.id}", "run-stopped" if stopped else "run-over")

    async def judge(self, visit: Visit, fields: Fields) -> web.Response:
        found = await self._view(visit)
        if found is None:
            return plain(visit.request, 404)
        ids = visit.member.tenant_id, visit.member.id, found.id
        if await self._opinions.say(*ids, opinion(fields), visit.now) is None:
            raise UsageError("Only what was written can be judged, and there is nothing yet")
        return screens.elsewhere(f"/skills/runs/{found.id}", "judged")

    async def _one(self, visit: Visit, fields: Fields, sentence: str, status: int) -> web.Response:
        found = await self._view(visit)
        if found is None:
            return plain(visit.request, 404)
        made, unread = await self._made(found)
        return visit.page(
            "skill_run.html",
            status=status,
            scripted=True,
            script=screens.WATCH.path,
            title=found.output.title if found.output else forms.spelled(found.skill),
            skill=forms.spelled(found.skill),
            found=found,
            made=made,
            unread=unread,
            phase=PHASES[found.status],
            why=STOPPED if found.failure_reason == CANCELLED else found.failure_reason,
            busy=found.status not in ENDED,
            turn=_turn(found, visit.now),
            draft=screens.as_written(written.seen(found.draft)),
            message=screens.as_written(written.seen(found.message)),
            # Its meeting is shown as such, and not by its id.
            inputs=[(name, _plain(value)) for name, value in found.inputs.items() if not _is(value, found.meeting_id)],
            took=_took(found),
            spelled=forms.spelled,
            scores=SCORES,
            fields=fields or _judged(found),
            judged=any(found.opinions),
            note=sentence if status == 200 else "",
            problem="" if status == 200 else sentence,
            sandbox=found.sandbox,
        )

    async def _made(self, found: RunView) -> tuple[Markup, str]:
        """The output to be read, and a sentence when there is only its beginning."""
        if found.output is None:
            return Markup(), ""
        text = await self._watching.text(found)
        # In a thread, so that a text of many marks keeps no other page waiting.
        made = await asyncio.to_thread(written.html, found.output.preview if text is None else text)
        return made, UNREAD if text is None else ""

    async def _view(self, visit: Visit) -> RunView | None:
        run_id = visit.request.match_info["id"]
        return await self._runs.view(visit.member.tenant_id, visit.member.id, run_id) if is_row_id(run_id) else None


def opinion(fields: Fields) -> Opinion:
    """What a form says of an output."""
    overall = _score("What you think of it", fields.get("overall", ""))
    if overall is None:
        raise UsageError(f"Say what you think of it, from {LEAST_SCORE} to {BEST_SCORE}")
    return Opinion(
        overall=overall,
        accuracy=_score("Whether it is right", fields.get("accuracy", "")),
        quality=_score("How well it is written", fields.get("quality", "")),
        issues=stored(fields.get("issues", ""), LONGEST_ISSUES, "What is wrong with it"),
    )


def _score(of: str, said: str) -> int | None:
    if not said:
        return None
    if said not in set(map(str, SCORES)):
        raise UsageError(f"{of} must be from {LEAST_SCORE} to {BEST_SCORE}")
    return int(said)


def stored(said: str, longest: int, of: str) -> str:
    """Words as a row can hold them."""
    text = said.replace("\r\n", "\n").strip()
    if len(text) > longest:
        raise UsageError(f"{of} has at most {longest} letters; there are {len(text)}")
    try:
        return storable(text)
    except ValueError:
        raise UsageError(f"{of} holds characters that are no text") from None


def _turn(found: RunView, now: datetime) -> str:
    """What is said of a run that waits."""
    if found.status is not RunStatus.QUEUED or found.position is None:
        return ""
    begins = screens.ago(found.turn_at, now)
    return f"At most {STARTS} of your runs begin in a minute. This one is number {found.position} in line, and begins {begins}."


def _took(found: RunView) -> str:
    return screens.lasting(found.ended_at - found.started_at) if found.started_at and found.ended_at else ""


def _is(value: object, meeting_id: str | None) -> bool:
    return meeting_id is not None and isinstance(value, str) and value.strip().lower() == meeting_id


def _plain(value: object) -> str:
    """An input in words."""
    match value:
        case bool():
            return "yes" if value else "no"
        case str():
            return value
        case list() if all(isinstance(one, str) for one in value):
            return ", ".join(value)
    return json.dumps(value, ensure_ascii=False)


def _judged(found: RunView) -> dict[str, str]:
    """The form as its user filled it last."""
    if not found.opinions:
        return {}
    last = found.opinions[-1]
    said = {"overall": last.overall, "accuracy": last.accuracy, "quality": last.quality}
    return {name: str(score) for name, score in said.items() if score is not None} | {"issues": last.issues}
