"""The effects that a digest needs: take it, find its news, have its script written, write what came of it, say how it
ended.

news:   interests nobody has asked about today ─▶ pace ─▶ reserve ─▶ ask ─▶ keep and settle
script: the morning's items ─▶ (kept answer | pace ─▶ reserve ─▶ ask the model ─▶ keep and settle) ─▶ check ─▶ compose
"""

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import errors
from activities.digests import script as scripts
from activities.digests.asking import follow
from activities.digests.pieces import pieces
from activities.digests.ports import BoughtBy, Digests, NewsSearch, Topic
from activities.liveness import Clock, heartbeating, surely
from activities.pacing import Pacing
from activities.ports import LanguageModel, ModelAnswer, Prompt, Seller, Size
from activities.spending import Purchase, Treasurer
from schemas.digests import (
    DigestBegun,
    DigestDone,
    DigestEnding,
    DigestFailed,
    DigestFailure,
    DigestPage,
    DigestPaging,
    DigestStart,
    DigestStep,
    Script,
    ScriptOrder,
    ScriptWritten,
)


class DigestActivities:
    """Without a search there is no news in a digest; without a manner of speaking it stays in writing. `sandbox` when any
    of those who make it is pretended."""

    def __init__(
        self,
        digests: Digests,
        model: LanguageModel,
        search: NewsSearch | None,
        pacing: Pacing,
        treasurer: Treasurer,
        manner: str | None = None,
        *,
        sandbox: bool = False,
    ) -> None:
        self._digests = digests
        self._model = model
        self._search = search
        self._pacing = pacing
        self._treasurer = treasurer
        self._manner = manner
        self._sandbox = sandbox or model.sandbox or (search is not None and search.sandbox)

    @activity.defn(name="digests.due")
    async def due(self, paging: DigestPaging) -> DigestPage:
        """Only reads."""
        return await self._digests.due(paging)

    @activity.defn(name="digests.begin")
    async def begin(self, start: DigestStart) -> DigestBegun:
        """Safe to run twice: a run takes its digest once."""
        begun = await self._digests.begin(start, speaks=self._manner is not None, sandbox=self._sandbox)
        if self._search is not None:
            return begun
        return begun.model_copy(update={"unasked": 0, "newsless": begun.unasked > 0})

    @activity.defn(name="digests.news")
    async def news(self, step: DigestStep) -> None:
        """Safe to run twice: what is asked about an interest on a day is bought once for a tenant, and kept.

        One that cannot be asked about keeps nobody from asking about the others.
        """
        if self._search is None:
            return
        async with heartbeating():
            clock, failed = Clock(), dict[str, ApplicationError]()
            while todo := [one for one in await self._digests.unasked(step) if one.key not in failed]:
                for topic in todo:
                    try:
                        await self._look(step, topic, self._search, clock)
                    except ApplicationError as error:
                        failed[topic.key] = error
            if failed:
                raise next((error for error in failed.values() if not error.non_retryable), next(iter(failed.values())))

    @activity.defn(name="digests.script")
    async def script(self, order: ScriptOrder) -> ScriptWritten:
        """Safe to run twice: an answer to this ask is bought once and kept, and a version has one script."""
        async with heartbeating():
            clock = Clock()
            morning = await self._digests.morning(order, sandbox=self._model.sandbox)
            if morning.script is not None:
                return self._written(morning.script)
            if not morning.items:
                return await self._keep(order, scripts.quiet(morning, newsless=order.newsless))
            # That there is no search is no news in the morning; that it failed is.
            newsless = order.newsless and self._search is not None
            read = follow(morning)
            kept = read.kept or read.problem
            if read.kept is None and read.asked < order.ask:
                kept = scripts.read(await self._ask(order, read.prompt, clock), morning.items)
            if isinstance(kept, str):
                return ScriptWritten(problem=kept)
            return await self._keep(order, scripts.compose(morning, kept, newsless=newsless))

    @activity.defn(name="digests.finish")
    async def finish(self, ending: DigestEnding) -> DigestDone:
        """Safe to run twice: a version is finished once."""
        try:
            script = (await self._digests.morning(ending, sandbox=self._model.sandbox)).script
        except ApplicationError as error:
            if error.type != "Superseded":
                raise
            # A try that died has perhaps finished it: then its end is told again, and nothing is written.
            script = Script(items=(), lines=())
        if script is None:
            raise errors.unfinished("its script is not written")
        return await self._digests.finish(ending, script, None)

    @activity.defn(name="digests.fail")
    async def fail(self, failure: DigestFailure) -> DigestFailed:
        """Safe to run twice: the same words on the same row, one event for each run."""
        return await self._digests.fail(failure)

    async def _look(self, step: DigestStep, topic: Topic, search: NewsSearch, clock: Clock) -> None:
        await (await self._pacing.turn(search.name)).come()
        purchase = Purchase(step.tenant_id, step.digest_id, step.version, f"news/{topic.key}")
        offer = self._treasurer.offer(search, Size(0, 0))
        async with self._treasurer.paying(purchase, [offer], clock.now):
            found = await search.news(topic.words)
        await surely(self._digests.keep_news(step, topic, found, purchase, self._by(search, "news", clock)))

    async def _ask(self, order: ScriptOrder, prompt: Prompt, clock: Clock) -> ModelAnswer:
        await (await self._pacing.turn(self._model.name)).come()
        purchase = Purchase(order.tenant_id, order.digest_id, order.version, f"script/{order.ask}")
        offer = self._treasurer.offer(self._model, self._model.size(prompt))
        async with self._treasurer.paying(purchase, [offer], clock.now):
            answer = await self._model.write(prompt)
        by = self._by(self._model, f"digest/{scripts.VERSION}", clock)
        await surely(self._digests.keep_answer(order, purchase, prompt, answer, by))
        return answer

    async def _keep(self, order: ScriptOrder, script: Script) -> ScriptWritten:
        await surely(self._digests.keep_script(order, script))
        return self._written(script)

    def _written(self, script: Script) -> ScriptWritten:
        count = 0 if self._manner is None else len(pieces(script, self._manner))
        return ScriptWritten(pieces=count, quiet=script.quiet)

    def _by(self, seller: Seller, prompt: str, clock: Clock) -> BoughtBy:
        info = activity.info()
        return BoughtBy(
            provider=seller.name,
            sandbox=seller.sandbox,
            prompt=prompt,
            workflow_id=info.workflow_id or "",
            run_id=info.workflow_run_id or "",
            now=clock.now(),
            model=seller.model,
        )
