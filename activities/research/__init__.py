"""The effects research needs: begin, ask the web, write the brief, say how it ended.

look-up: claim ─▶ (kept answer | somebody else asks: wait | ours) ─▶ pace ─▶ ask ─▶ keep
brief:   material ─▶ (kept answer | pace ─▶ ask the model ─▶ keep) ─▶ check every claim ─▶ brief, status and event
"""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import replace
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import errors, freshness
from activities.liveness import Clock, heartbeating
from activities.pacing import Pacing
from activities.ports import LanguageModel, Question, SearchAnswer, WebSearch
from activities.research import deadline, drafts, questions
from activities.research.compose import UNWRITTEN, compose
from activities.research.ports import Bought, Briefs, Claimed, LookUps, Runs
from schemas.briefs import Kept, Material
from schemas.research import Begun, Failure, Found, LookUp, Overdue, Remaining, Start, Writing, Written

LAST_QUESTION = 2

# How often we look whether somebody else's answer has come.
GLANCE_S = 0.5


class ResearchActivities:
    def __init__(
        self, runs: Runs, look_ups: LookUps, briefs: Briefs, search: WebSearch, model: LanguageModel, pacing: Pacing
    ) -> None:
        self._runs = runs
        self._look_ups = look_ups
        self._briefs = briefs
        self._search = search
        self._model = model
        self._pacing = pacing

    @activity.defn(name="research.begin")
    async def begin(self, start: Start) -> Begun:
        """Safe to run twice: a run takes its row once."""
        return await self._runs.begin(start, sandbox=self._search.sandbox)

    @activity.defn(name="research.look_up")
    async def look_up(self, look_up: LookUp) -> Found:
        """Safe to run twice: the answer to the same question is bought once and kept."""
        async with heartbeating():
            # Whatever try or step of this run asks, the lease on the subject is the same.
            clock, holder = Clock(), activity.info().workflow_run_id or ""
            claimed = await self._claim(look_up, holder, clock)
            if claimed.known is not None:
                return Found(subject_id=look_up.subject.subject_id, evidence=claimed.known, reused=True)
            try:
                answer = _found(await self._ask(look_up, claimed.question, holder))
                bought = self._bought(look_up, answer, clock)
                await _surely(self._look_ups.keep(look_up, claimed.question, bought, holder=holder, now=clock.now()))
            except BaseException:
                await self._release(look_up, holder)
                raise
            return Found(subject_id=look_up.subject.subject_id, evidence=len(answer.sources))

    @activity.defn(name="research.overdue")
    async def overdue(self, overdue: Overdue) -> Remaining:
        """Only reads."""
        provider = self._model.name if overdue.writing else self._search.name
        return deadline.remaining(overdue, await self._runs.tried(overdue, provider))

    @activity.defn(name="research.write")
    async def write(self, order: Writing) -> Written:
        """Safe to run twice: an answer to this ask is bought once and kept, and a version is finished once."""
        async with heartbeating():
            clock = Clock()
            material = await self._briefs.material(
                order, sandbox=self._search.sandbox, now=clock.now(), queued_s=clock.queued_s()
            )
            if drafts.tellable(material):
                answer = await self._written(order, material, clock)
            elif drafts.undecided(material):
                answer = UNWRITTEN
            else:
                raise errors.nothing_found("what did is about others")
            draft = drafts.read(answer)
            brief = draft if isinstance(draft, str) else compose(material, draft, order.gaps, order.now)
            if isinstance(brief, str):
                return Written(problem=brief)
            sandbox = material.sandbox or self._search.sandbox or self._model.sandbox
            return await self._briefs.finish(order, brief, answer.model, sandbox, clock.now())

    @activity.defn(name="research.fail")
    async def fail(self, failure: Failure) -> Written:
        """Safe to run twice: the same words on the same row, one event for each run."""
        return await self._runs.fail(failure)

    async def _claim(self, look_up: LookUp, holder: str, clock: Clock) -> Claimed:
        """Until there is an answer, or it is ours to ask."""
        while True:
            claimed = await self._look_ups.claim(
                look_up,
                questions.about,
                sandbox=self._search.sandbox,
                holder=holder,
                now=clock.now(),
                queued_s=clock.queued_s(),
            )
            if claimed.ours or claimed.known is not None:
                return claimed
            await asyncio.sleep(GLANCE_S)

    async def _ask(self, look_up: LookUp, question: Question, holder: str) -> SearchAnswer:
        turn = await self._pacing.turn(self._search.name)
        if turn.wait_s:
            await self._look_ups.wait(look_up, holder, turn.wait_s)
            await turn.come()
        return await self._search.ask(question)

    async def _release(self, look_up: LookUp, holder: str) -> None:
        """Whoever waits for our answer may ask themselves; if even that cannot be told, the lease runs out."""
        with suppress(ApplicationError):
            await _surely(self._look_ups.release(look_up, holder))

    def _bought(self, look_up: LookUp, answer: SearchAnswer, clock: Clock) -> Bought:
        person = look_up.subject.key is not None
        serves = freshness.PERSON if person else freshness.COMPANY
        return Bought(
            answer=answer,
            provider=self._search.name,
            sandbox=self._search.sandbox,
            until=clock.now() + (serves if answer.sources else freshness.NOBODY),
            profile=questions.profile("person" if person else "company", answer.said),
            settled=bool(answer.sources) or not person or look_up.question == LAST_QUESTION,
        )

    async def _written(self, order: Writing, material: Material, clock: Clock) -> Kept:
        """This ask's answer: kept from an attempt that died, or bought now."""
        if len(material.answers) >= order.ask:
            return material.answers[order.ask - 1]
        prompt = drafts.prompt(material, order.now, self._problem(order, material))
        turn = await self._pacing.turn(self._model.name)
        if turn.wait_s:
            await self._briefs.wait(order, turn.wait_s)
            await turn.come()
        answer = await self._model.write(prompt)
        await _surely(
            self._briefs.keep_answer(
                order, prompt, answer, provider=self._model.name, sandbox=self._model.sandbox, now=clock.now()
            )
        )
        return Kept(text=answer.text, stopped=answer.stopped, model=answer.model)

    def _problem(self, order: Writing, material: Material) -> str | None:
        """What was wrong with the last answer, when this is a repair."""
        if not material.answers:
            return None
        draft = drafts.read(material.answers[-1])
        if isinstance(draft, str):
            return draft
        brief = compose(material, draft, order.gaps, order.now)
        return brief if isinstance(brief, str) else None


def _found(answer: SearchAnswer) -> SearchAnswer:
    """An answer that says that nobody was found has no sources: what the search returned is about others."""
    return replace(answer, sources=()) if answer.said.get("found") is False else answer


async def _surely(work: Coroutine[Any, Any, None]) -> None:
    """Finish what has been paid for, and only then be cancelled."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise
