"""Reconciliation: every few minutes all rows that say that they are being worked on are compared with their workflows.

clock ─▶ rows that are being worked on ─▶ whose workflow is not there: failed and told, or begun again
"""

from datetime import datetime

from temporalio import workflow

from activities.reconciliation import ReconciliationActivities
from schemas.reconciliation import Comparing, Reconcile, Reconciled
from workflows import policies


@workflow.defn(name="Reconciliation")
class ReconciliationWorkflow:
    """After it no row says that it is being worked on while nobody does. What is merely slow is left alone."""

    @workflow.run
    async def run(self, _order: Reconcile) -> Reconciled:
        found = await workflow.execute_activity_method(
            ReconciliationActivities.sweep,
            comparing(workflow.now()),
            summary="compare rows with their workflows",
            **policies.RECONCILE,
        )
        workflow.set_current_details(told(found))
        return found


def comparing(now: datetime) -> Comparing:
    return Comparing(
        now=now,
        before=now - policies.RECONCILE_GRACE,
        asked_before=now - policies.REQUEST_GRACE,
        soon=now + policies.LIFE_WITHIN,
    )


def told(found: Reconciled) -> str:
    """A report in Markdown: what was looked at, what was stuck, and what was done about it."""
    lines = [
        f"- **{noun}**: {number} looked at, {found.stuck.get(noun, 0)} stuck"
        for noun, number in found.looked_at.items()
    ]
    rows = [f"- {one.noun} {one.row_id}: {one.done.value} ({one.why})" for one in found.rows]
    return "\n".join(["## Compared with their workflows", "", *lines, *(["", "## Stuck", "", *rows] if rows else [])])
