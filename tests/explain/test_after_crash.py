"""A worker is killed in mid-brief: the brief of its heir can be explained all the way, and nothing was bought twice."""

from collections import Counter

import pytest

from activities.store.explanations import ExplanationStore
from schemas.explanations import Explanation
from tests.crash.crash import ARRIVES_WITHIN_S, DIES_WITHIN_S
from tests.crash.doomed_worker import Point
from tests.crash.ground import Ground, Run
from workflows import ids

# Each dies when what was asked for is paid for and kept, and nobody has been told; or before the last step ends.
POINTS = (
    Point("transaction", "keep", 2, "after"),
    Point("transaction", "keep_answer", 1, "after"),
    Point("transaction", "finish", 1, "before"),
)

# One prospect and their company: a look-up each, and the brief.
LEAST = Counter({"perplexity": 2, "anthropic": 1})

pytestmark = pytest.mark.timeout(180)


async def explained(run: Run) -> Explanation:
    (brief,) = (await run.seen()).rows["briefs"]
    told = await ExplanationStore(run.ground.database).explain(run.stage.tenant.id, str(brief["id"]))
    assert told is not None
    return told


def bought(run: Run) -> Counter[str]:
    """What the providers were asked for, as they have written it down."""
    return Counter(
        "anthropic" if call.about == "brief" else "perplexity" for call in run.ground.witness.calls(run.name)
    )


@pytest.mark.parametrize("point", POINTS, ids=str)
async def test_every_claim_is_explained_to_its_run_and_every_answer_was_bought_once(
    ground: Ground, point: Point
) -> None:
    async with ground.run("kim") as run:
        async with run.worker(point).running() as doomed:
            assert await doomed.ended(DIES_WITHIN_S) == -9, "killed where it was told to be"
            run.restarts += 1
        # Two answers are kept side by side: when one is, the other may die with its worker, and is asked for again.
        lost = bought(run).total() - len((await run.seen()).rows["answers"])
        assert lost <= 1
        async with run.worker().running():
            await run.brief(ARRIVES_WITHIN_S)
        told = await explained(run)

        assert bought(run).total() == LEAST.total() + lost
        assert told.claims
        for claim in told.claims:
            chain = told.chain(claim.id)
            assert chain is not None
            assert chain.complete, f"{claim.nature.value}: {chain.model_dump_json(indent=1)}"
            assert {call.version for call in chain.writing} == {told.version}
        paid = {call.id: call for call in (*told.calls, *told.writing)}
        assert Counter("anthropic" if call in told.writing else "perplexity" for call in paid.values()) == LEAST
        own = ids.research(run.stage.tenant.id, told.research_id)
        for call in paid.values():
            assert call.workflow_id == own or call.workflow_id.startswith(f"{own}/prospect/")
            handle = run.client.get_workflow_handle(call.workflow_id, run_id=call.run_id)
            assert (await handle.describe()).run_id == call.run_id, "the run is there to be looked at"
        assert told.run_id == (await run.handle.describe()).run_id
