"""The limit: the same briefs from a plain asyncio script, in a process of its own.

The very activities of the worker, so the same calls, prompts, checks and writes, joined by `asyncio.gather` and by
nothing that outlives this process. It listens on a socket: a request a line, "done" when the brief is stored.
"""

import asyncio
import itertools
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import uuid4

from temporalio.testing import ActivityEnvironment

from activities import errors
from activities.research import LAST_QUESTION, ResearchActivities
from schemas.research import Begun, Found, Gap, LookUp, ResearchRequest, Start, State, Subject, Writing, Written
from starter.cli import do
from starter.environment import load_settings
from worker import activities
from workflows import policies

T = TypeVar("T")

DONE = b"done\n"
BACKLOG = 1000


class Script:
    """One brief, from its row to the stored claims."""

    def __init__(self, owner: ResearchActivities, request: ResearchRequest) -> None:
        self._owner = owner
        self._row = request.model_dump()
        self._run_id = str(uuid4())
        self._steps = itertools.count(1)

    async def brief(self) -> Written:
        begun = await self._do(self._owner.begin, Start(**self._row, run_id=self._run_id, now=_now()))
        stale = [
            subject for subject in (*begun.prospects, *begun.companies) if not subject.fresh and not subject.left_out
        ]
        found = await asyncio.gather(*(self._find(begun, subject) for subject in stale))
        gaps = tuple(Gap(subject_id=one.subject_id, state=State.NOT_FOUND) for one in found if not one.evidence)
        return await self._write(begun, gaps)

    async def _find(self, begun: Begun, subject: Subject) -> Found:
        look_up = LookUp(**self._row, version=begun.version, subject=subject, now=_now())
        found = await self._do(self._owner.look_up, look_up)
        for number in range(2, LAST_QUESTION + 1):
            if found.evidence or subject.key is None:
                break
            found = await self._do(self._owner.look_up, look_up.model_copy(update={"question": number}))
        return found

    async def _write(self, begun: Begun, gaps: tuple[Gap, ...]) -> Written:
        order = Writing(**self._row, version=begun.version, brief_id=begun.brief_id, gaps=gaps, now=_now())
        written = Written()
        for number in range(1, policies.ASKS + 1):
            written = await self._do(self._owner.write, order.model_copy(update={"ask": number}))
            if written.problem is None:
                return written
        raise errors.no_valid_answer(written.problem)

    async def _do(self, step: Callable[[Any], Awaitable[T]], message: object) -> T:
        """Call an activity. It asks who and when it is, and gets an answer, but no heartbeat and no retry."""
        environment, now = ActivityEnvironment(), _now()
        environment.info = replace(
            environment.info,
            activity_id=str(next(self._steps)),
            workflow_run_id=self._run_id,
            started_time=now,
            current_attempt_scheduled_time=now,
        )
        return await environment.run(step, message)


def _now() -> datetime:
    return datetime.now(UTC)


async def serve(path: str) -> None:
    """A brief for each line, as many at once as there are connections, until we are ended."""
    async with activities(load_settings()) as owners:
        owner = next(one for one in owners if isinstance(one, ResearchActivities))

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            request = ResearchRequest.model_validate_json(await reader.readline())
            try:
                await Script(owner, request).brief()
                writer.write(DONE)
            finally:
                writer.close()

        async with await asyncio.start_unix_server(answer, path, backlog=BACKLOG) as server:
            await server.serve_forever()


if __name__ == "__main__":
    do(serve(sys.argv[1]))
