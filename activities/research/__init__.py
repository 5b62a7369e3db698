"""The effects research needs: begin, ask the web, write the brief, say how it ended.

begin:   take the row ─▶ plan what the budget lasts for, and set it aside
look-up: claim ─▶ (kept answer | somebody else asks: wait | ours) ─▶ pace ─▶ reserve ─▶ ask ─▶ keep and settle
brief:   material ─▶ (kept answer | pace ─▶ reserve ─▶ ask the model ─▶ keep and settle) ─▶ check every claim
         ─▶ brief, status and event
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import errors, freshness
from activities.liveness import Clock, heartbeating, surely
from activities.pacing import Pacing
from activities.ports import LanguageModel, Question, SearchAnswer, WebSearch
from activities.research import deadline, drafts, paying, questions
from activities.research.compose import UNWRITTEN, compose
from activities.research.counting import count_claims
from activities.research.economy import SMALLER_MODEL
from activities.research.ports import Bought, Briefs, Claimed, LookUps, Origin, Runs, WrittenBy
from activities.spending import Treasurer
from schemas.briefs import Kept, Material
from schemas.research import Begun, Failure, Found, LookUp, Overdue, Remaining, Start, Writing, Written

LAST_QUESTION = 2

# Somewhere it is tomorrow already.
A_DAY = timedelta(days=1)

# How often we look whether somebody else's answer has come.
GLANCE_S = 0.5


class ResearchActivities:
    """`models` write, the best first; the others when the budget does not last for it."""

    def __init__(
        self,
        runs: Runs,
        look_ups: LookUps,
        briefs: Briefs,
        search: WebSearch,
        models: Sequence[LanguageModel],
        pacing: Pacing,
        treasurer: Treasurer,
    ) -> None:
        self._runs = runs
        self._look_ups = look_ups
        self._briefs = briefs
        self._search = search
        self._models = models
        self._pacing = pacing
        self._treasurer = treasurer

    @activity.defn(name="research.begin")
    async def begin(self, start: Start) -> Begun:
        """Safe to run twice: a run takes its row once, and what it sets aside takes the place of what it had."""
        thrift = paying.thrift(self._treasurer, self._search, self._models)
        return await self._runs.begin(start, thrift, sandbox=self._search.sandbox)

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
                answer = await self._ask(look_up, claimed.question, holder, clock)
                answer = _found(answer, clock.now().date() + A_DAY)
                bought = self._bought(look_up, claimed.question, answer, clock)
                await surely(self._look_ups.keep(look_up, claimed.question, bought, holder=holder, now=clock.now()))
            except BaseException:
                await self._release(look_up, holder)
                raise
            return Found(subject_id=look_up.subject.subject_id, evidence=len(answer.sources))

    @activity.defn(name="research.overdue")
    async def overdue(self, overdue: Overdue) -> Remaining:
        """Only reads."""
        provider = self._models[0].name if overdue.writing else self._search.name
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
            brief = draft if isinstance(draft, str) else compose(material, draft, order.gaps, order.now, count_claims)
            if isinstance(brief, str):
                return Written(problem=brief)
            sandbox = material.sandbox or self._search.sandbox or self._models[0].sandbox
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

    async def _ask(self, look_up: LookUp, question: Question, holder: str, clock: Clock) -> SearchAnswer:
        turn = await self._pacing.turn(self._search.name)
        if turn.wait_s:
            await self._look_ups.wait(look_up, holder, turn.wait_s)
            await turn.come()
        offer = self._treasurer.offer(self._search, self._search.size(question))
        async with self._treasurer.paying(paying.purchase(look_up), [offer], clock.now):
            return await self._search.ask(question)

    async def _release(self, look_up: LookUp, holder: str) -> None:
        """Whoever waits for our answer may ask themselves; if even that cannot be told, the lease runs out."""
        with suppress(ApplicationError):
            await surely(self._look_ups.release(look_up, holder))

    def _bought(self, look_up: LookUp, question: Question, answer: SearchAnswer, clock: Clock) -> Bought:
        person = look_up.subject.key is not None
        serves = freshness.PERSON if person else freshness.COMPANY
        return Bought(
            answer=answer,
            provider=self._search.name,
            sandbox=self._search.sandbox,
            until=clock.now() + (serves if answer.sources else freshness.NOBODY),
            profile=questions.profile("person" if person else "company", answer.said),
            settled=bool(answer.sources) or not person or look_up.question == LAST_QUESTION,
            origin=_origin(f"{question.name}/{questions.VERSION}"),
        )

    async def _written(self, order: Writing, material: Material, clock: Clock) -> Kept:
        """This ask's answer: kept from an attempt that died, or bought now."""
        if len(material.answers) >= order.ask:
            return material.answers[order.ask - 1]
        prompt = drafts.prompt(material, order.now, self._problem(order, material))
        turn = await self._pacing.turn(self._models[0].name)
        if turn.wait_s:
            await self._briefs.wait(order, turn.wait_s)
            await turn.come()
        models = paying.writers(self._treasurer, self._models)
        offers = [self._treasurer.offer(model, model.size(prompt)) for model in models]
        async with self._treasurer.paying(paying.purchase(order), offers, clock.now) as offer:
            model = models[offers.index(offer)]
            answer = await model.write(prompt)
        by = WrittenBy(
            provider=model.name,
            sandbox=model.sandbox,
            economy=None if model is self._models[0] else SMALLER_MODEL,
            origin=_origin(f"brief/{drafts.VERSION}"),
        )
        await surely(self._briefs.keep_answer(order, prompt, answer, by, now=clock.now()))
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


def _found(answer: SearchAnswer, latest: date) -> SearchAnswer:
    """An answer that says that nobody was found has no sources: what the search returned is about others.

    A day that has not come is no day on which a page can have been published.
    """
    if answer.said.get("found") is False:
        return replace(answer, sources=())
    dated = (
        one if one.published is None or one.published <= latest else replace(one, published=None)
        for one in answer.sources
    )
    return replace(answer, sources=tuple(dated))


def _origin(prompt: str) -> Origin:
    info = activity.info()
    return Origin(prompt, info.workflow_id or "", info.workflow_run_id or "")
