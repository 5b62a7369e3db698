"""A Research that has been changed without a patch: it asks before it has taken its row."""

from temporalio import workflow

from activities.research import ResearchActivities
from schemas.research import ResearchOutcome, ResearchRequest, Start
from workflows import policies


@workflow.defn(name="Research")
class ChangedResearch:
    @workflow.run
    async def run(self, request: ResearchRequest) -> ResearchOutcome:
        await workflow.sleep(1)
        start = Start(**request.model_dump(), run_id=workflow.info().run_id, now=workflow.now())
        begun = await workflow.execute_local_activity_method(ResearchActivities.begin, start, **policies.DATABASE)
        return ResearchOutcome(brief_id=begun.brief_id, version=begun.version, confidence="", cost_micro_usd=0)
