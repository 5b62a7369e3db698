"""Erasures and keeping: what is to be forgotten because somebody asks, and what because it is old.

erase ─▶ rows of the person ─▶ workflow runs with their key ─▶ a last look, and the address itself
clock ─▶ what is older than its tenant keeps it ─▶ files that nothing needs any more
"""

from temporalio import workflow

from activities.erasures import ErasureActivities
from activities.objects import ObjectActivities
from activities.retention import RetentionActivities
from schemas.erasures import Discarded, Erased, Erasure, Forgetting, Keeping, Outdated
from workflows import policies


@workflow.defn(name="Erasure")
class ErasureWorkflow:
    """In the end the person is nowhere. It is tried until that is so."""

    @workflow.run
    async def run(self, erasure: Erasure) -> Erased:
        await workflow.execute_activity_method(
            ErasureActivities.forget, _step(erasure), summary="delete what is stored", **policies.ERASE
        )
        await workflow.execute_activity_method(
            ErasureActivities.delete_runs, _step(erasure), summary="delete workflow runs", **policies.ERASE
        )
        if workflow.patched("objects"):
            await _sweep_objects(policies.ERASE)
        return await workflow.execute_activity_method(
            ErasureActivities.finish, _step(erasure), summary="look once more, and report", **policies.ERASE
        )


@workflow.defn(name="Retention")
class RetentionWorkflow:
    """Nothing is kept for longer than its tenant wants it."""

    @workflow.run
    async def run(self, _keeping: Keeping) -> Discarded:
        discarded = await workflow.execute_activity_method(
            RetentionActivities.sweep, Outdated(now=workflow.now()), summary="delete what is old", **policies.KEEP
        )
        if not workflow.patched("objects"):
            return discarded
        objects = await _sweep_objects(policies.KEEP)
        return discarded.model_copy(update={"counts": {**discarded.counts, **objects.counts}})


async def _sweep_objects(step: policies.Step) -> Discarded:
    return await workflow.execute_activity_method(
        ObjectActivities.sweep, Outdated(now=workflow.now()), summary="delete files that nothing needs", **step
    )


def _step(erasure: Erasure) -> Forgetting:
    return Forgetting(tenant_id=erasure.tenant_id, erasure_id=erasure.erasure_id, now=workflow.now())
