"""Documents: one is reviewed, compared with what its tenant goes by, and a redline of it is written.

review:     read ─▶ its vectors, and its parts at the same time ─▶ findings
comparison: both read ─▶ vectors of both ─▶ what differs, part by part
redline:    what was found ─▶ proposals, part by part ─▶ a file with tracked changes
"""

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from activities.documents.reviewing import ReviewActivities
from schemas.documents import DocumentOrder, Progress, RunBegun, RunDone
from workflows import story
from workflows.document_life import READ, DocumentLife, together

# Whoever is told this of a step has nothing to go on with.
LOST = {"Superseded", "NotFound"}


@workflow.defn(name="DocumentAnalysis")
class DocumentAnalysisWorkflow:
    """A document is reviewed, though nobody may make vectors of it: then it says that it cannot be searched."""

    @workflow.init
    def __init__(self, order: DocumentOrder) -> None:
        self._life = DocumentLife(order)

    @workflow.run
    async def run(self, _order: DocumentOrder) -> RunDone:
        return await self._life.lived(self._review)

    @workflow.query
    def progress(self) -> Progress:
        return self._life.progress

    async def _review(self, _begun: RunBegun) -> tuple[str, ...]:
        parts = (await self._life.read()).parts
        notes, _ = await together(self._embed(), self._life.go_through("analyse", ReviewActivities.analyse, parts))
        return tuple(notes)

    async def _embed(self) -> tuple[str, ...]:
        try:
            await self._life.embed()
        except ActivityError as error:
            kind, reason = story.why(error)
            if kind in LOST or is_cancelled_exception(error):
                raise
            return (f"Similar clauses cannot be searched for: {reason}",)
        return ()


@workflow.defn(name="Comparison")
class ComparisonWorkflow:
    """A document is compared, clause by clause. Without vectors nobody knows which clauses belong together."""

    @workflow.init
    def __init__(self, order: DocumentOrder) -> None:
        self._life = DocumentLife(order)

    @workflow.run
    async def run(self, _order: DocumentOrder) -> RunDone:
        return await self._life.lived(self._compare)

    @workflow.query
    def progress(self) -> Progress:
        return self._life.progress

    async def _compare(self, begun: RunBegun) -> tuple[str, ...]:
        others = [begun.other_id] if begun.other_id else []
        read, *_ = await together(*(self._life.read(one) for one in (None, *others)))
        self._life.enter("embed", READ, "vectors are made")
        await together(*(self._life.embed(one) for one in (None, *others)))
        await self._life.go_through("compare", ReviewActivities.compare, read.parts)
        return ()


@workflow.defn(name="Generation")
class GenerationWorkflow:
    """Changes are proposed for what was found, and drawn into the document."""

    @workflow.init
    def __init__(self, order: DocumentOrder) -> None:
        self._life = DocumentLife(order)

    @workflow.run
    async def run(self, _order: DocumentOrder) -> RunDone:
        return await self._life.lived(self._propose)

    @workflow.query
    def progress(self) -> Progress:
        return self._life.progress

    async def _propose(self, _begun: RunBegun) -> tuple[str, ...]:
        parts = (await self._life.read()).parts
        await self._life.go_through("propose", ReviewActivities.propose, parts)
        await self._life.draw()
        return ()
