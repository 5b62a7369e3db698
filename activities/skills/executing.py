"""A skill is carried out: a model is asked, reads what it may, and is asked again, until it has written.

conversation ─▶ (kept answer | pace ─▶ reserve ─▶ ask, streamed ─▶ keep and settle) ─▶ tools ─▶ again ─▶ a text
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import errors
from activities.liveness import Clock, surely
from activities.pacing import Pacing
from activities.plain import lines
from activities.skills import prompts
from activities.skills.ports import (
    BoughtBy,
    Conversation,
    Folder,
    KeptReply,
    Library,
    Reply,
    Runs,
    Talker,
    Task,
    Written,
)
from activities.skills.tools import Toolbox
from activities.spending import Purchase, Treasurer
from schemas.skills import SkillStep

# How often what has been written so far is shown to those who watch.
DRAFT_EVERY = timedelta(seconds=0.4)
DRAFT_WITHIN = timedelta(seconds=1)


class Execution:
    """One try to carry out a run. What an earlier one bought is not bought again."""

    def __init__(
        self,
        step: SkillStep,
        task: Task,
        *,
        runs: Runs,
        talker: Talker,
        pacing: Pacing,
        treasurer: Treasurer,
        clock: Clock,
    ) -> None:
        self._step = step
        self._task = task
        self._runs = runs
        self._talker = talker
        self._pacing = pacing
        self._treasurer = treasurer
        self._clock = clock
        self._tokens_in = 0
        self._tokens_out = 0

    async def write(self, folder: Folder, library: Library) -> Written:
        """What came of it. A refusal, and an answer without a word in it, are failures for good."""
        self._prefer(folder.skill.model)
        toolbox = Toolbox(folder, library, self._step.tenant_id, self._task.user_id)
        conversation = replace(prompts.opening(folder, self._task), tools=toolbox.kinds)
        for _ in range(folder.skill.limits.turns):
            reply = await self._reply(conversation)
            if reply.stopped != "tool_use" or not reply.calls:
                return self._written(folder, reply)
            results = [await toolbox.use(call) for call in reply.calls]
            conversation = prompts.answered(conversation, reply, results)
        return self._written(folder, await self._reply(prompts.closed(conversation)))

    def _prefer(self, model: str) -> None:
        """The model that the skill names, if it has a price here: a skill from elsewhere may name what there is not."""
        named = self._talker.named(model)
        if self._treasurer.knows(named):
            self._talker = named

    async def _reply(self, conversation: Conversation) -> Reply:
        asked = prompts.asked(self._talker, conversation)
        reply = self._task.kept.get(asked) or await self._buy(asked, conversation)
        if reply.usage is not None:
            self._tokens_in += reply.usage.input_tokens
            self._tokens_out += reply.usage.output_tokens
        return reply

    async def _buy(self, asked: str, conversation: Conversation) -> Reply:
        await (await self._pacing.turn(self._talker.name)).come()
        purchase = Purchase(self._step.tenant_id, self._step.run_id, self._task.version, f"reply/{asked}")
        offer = self._treasurer.offer(self._talker, self._talker.size(conversation))
        draft = _Draft(self._runs, self._step)
        async with (
            self._treasurer.paying(purchase, [offer], self._clock.now, lambda: any(draft.heard)),
            draft.shown(),
        ):
            reply = await self._talker.say(conversation, draft.heard.append)
            await surely(self._runs.keep(self._step, KeptReply(asked, reply), purchase, self._by()))
        return reply

    def _written(self, folder: Folder, reply: Reply) -> Written:
        if reply.stopped == "refusal":
            raise errors.impossible("the model", "it refused to write this")
        text = prompts.output(reply)
        if not text:
            raise errors.no_valid_answer("there was no word in it")
        return Written(
            title=f"{folder.skill.name} output",
            text=text,
            format=folder.skill.output,
            skill_version=folder.skill.version,
            tokens_in=self._tokens_in,
            tokens_out=self._tokens_out,
            sandbox=self._talker.sandbox,
        )

    def _by(self) -> BoughtBy:
        info = activity.info()
        return BoughtBy(
            provider=self._talker.name,
            workflow_id=info.workflow_id or "",
            run_id=info.workflow_run_id or "",
            sandbox=self._talker.sandbox,
        )


class _Draft:
    """What is heard of an answer, shown every now and then, and all of it in the end."""

    def __init__(self, runs: Runs, step: SkillStep) -> None:
        self.heard: list[str] = []
        self._shown = 0
        self._runs = runs
        self._step = step

    @asynccontextmanager
    async def shown(self) -> AsyncIterator[None]:
        showing = asyncio.create_task(self._show_on())
        try:
            yield
        finally:
            showing.cancel()
            await asyncio.gather(showing, return_exceptions=True)
            await self._show()

    async def _show_on(self) -> None:
        while True:
            await asyncio.sleep(DRAFT_EVERY.total_seconds())
            await self._show()

    async def _show(self) -> None:
        """Nobody needs a draft to go on: one that cannot be written at once is left out, and keeps no end waiting."""
        if len(self.heard) == self._shown:
            return
        self._shown = len(self.heard)
        with suppress(ApplicationError, TimeoutError):
            async with asyncio.timeout(DRAFT_WITHIN.total_seconds()):
                await self._runs.draft(self._step, lines("".join(self.heard)))
