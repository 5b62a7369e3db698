"""Row 5: whoever stops work on a document, or deletes it, at any step: it stops within 5 s, and leaves nothing behind."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import ActivityEnvironment

from activities.documents import parsing
from activities.objects import ObjectActivities
from activities.providers import made
from activities.store.unneeded import UnneededStore
from schemas.documents import CANCELLED, DELETED, Against, AskedRun, Role, RunStatus, Work
from schemas.erasures import Outdated
from starter import documents
from starter.office import Office
from tests.documents.reviewing_whole import TEXT, Reviewing, another
from tests.stage import Stage
from tests.waiting import until

WITHIN_S = 5.0
# Longer than anything is waited for here: whoever is not stopped is found out.
HELD_S = 60.0
# What hangs on a run, and on a document.
OF_RUN = ("document_findings", "document_differences", "document_proposals", "document_replies")
# The process that reads a file has this in its command line while it is held.
MARK = "held-by-test-stopping"


@pytest.fixture
def reviewing(stage: Stage, tmp_path: Path) -> Reviewing:
    return Reviewing(stage, tmp_path)


def held_processes() -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if MARK in path.read_text(errors="replace"):
                found.append(path.parent.name)
        except OSError:
            continue
    return found


async def prepared(reviewing: Reviewing, work: Work) -> list[str]:
    """Two documents, one to be cancelled and one to be deleted, ready for this work."""
    made_of = [await reviewing.upload(another()) for _ in range(2)]
    if work is Work.COMPARISON:
        rules = another(TEXT.replace("seven (7)", "two (2)"))
        await reviewing.upload(rules, "playbook.txt", Role.PLAYBOOK, ours=False)
    if work is Work.REDLINE:
        await asyncio.gather(*(reviewing.run(one) for one in made_of))
    return made_of


async def left(reviewing: Reviewing, run: AskedRun) -> dict[str, int]:
    """Rows that are there of a run, and of its document; what is not there is left out."""
    counted = {f"{table} of the run": f"SELECT count(*) FROM {table} WHERE document_run_id = $1" for table in OF_RUN}
    about = {
        "documents": "SELECT count(*) FROM documents WHERE id = $1",
        "texts": "SELECT count(*) FROM documents WHERE id = $1 AND text IS NOT NULL",
        "clauses": "SELECT count(*) FROM clauses WHERE document_id = $1",
        "vectors": "SELECT count(*) FROM clauses WHERE document_id = $1 AND embedding IS NOT NULL",
        "runs": "SELECT count(*) FROM document_runs WHERE document_id = $1",
    }
    async with reviewing.stage.database.tenant(reviewing.tenant_id) as connection:
        found = {name: await connection.fetchval(sql, run.run_id) for name, sql in counted.items()}
        found |= {name: await connection.fetchval(sql, run.document_id) for name, sql in about.items()}
    return {name: number for name, number in found.items() if number}


async def swept(reviewing: Reviewing) -> None:
    """As it is done every night."""
    objects = made.objects(reviewing.office.settings)
    owner = ObjectActivities(UnneededStore(reviewing.stage.database), objects)
    await ActivityEnvironment().run(owner.sweep, Outdated(now=datetime.now(UTC)))


def provider(reviewing: Reviewing, name: str, calls: int = 2) -> Callable[[], Awaitable[bool]]:
    async def under_way() -> bool:
        return len(reviewing.stage.sandbox.journal.running(name)) >= calls

    return under_way


async def reading() -> bool:
    return len(held_processes()) >= 2


STEPS = [
    (Work.ANALYSIS, "parse"),
    (Work.ANALYSIS, "embed"),
    (Work.ANALYSIS, "analyse"),
    (Work.COMPARISON, "compare"),
    (Work.REDLINE, "propose"),
    (Work.REDLINE, "draw"),
]


@pytest.mark.parametrize(("work", "step"), STEPS)
async def test_it_stops_within_five_seconds_and_leaves_nothing(
    reviewing: Reviewing, monkeypatch: pytest.MonkeyPatch, work: Work, step: str
) -> None:
    async with reviewing.working():
        mine, theirs = await prepared(reviewing, work)
        held = provider(reviewing, "voyage" if step == "embed" else "anthropic")
        if step in ("parse", "draw"):
            slow = f"import time\ntime.sleep({HELD_S}) # {MARK}\n"
            monkeypatch.setattr(parsing, "_BOUNDED", slow)
            held = reading
        elif step == "embed":
            reviewing.stage.sandbox.delays["voyage"] = HELD_S
        else:
            reviewing.stage.sandbox.delays["anthropic"] = HELD_S
        wish = {"against": Against.PLAYBOOK} if work is Work.COMPARISON else {}
        first, second = [await reviewing.ask(one, work, **wish) for one in (mine, theirs)]
        await until(held)
        began = time.monotonic()
        assert await documents.cancel(reviewing.office, reviewing.tenant_id, first.run_id)
        assert await documents.delete(reviewing.office, reviewing.tenant_id, theirs)

        async def stopped() -> bool:
            return not reviewing.stage.sandbox.journal.running() and not held_processes()

        await until(stopped)
        took = time.monotonic() - began
        ends = [await reviewing.settled(one) for one in (first, second)]
        view = await reviewing.run_view(first.run_id)

    assert took < WITHIN_S, f"it took {took:.1f} s"
    assert ends == [WorkflowExecutionStatus.CANCELED] * 2
    assert (view.status, view.failure_reason, view.retryable) == (RunStatus.CANCELLED, CANCELLED, True)
    assert await left(reviewing, second) == {}
    reviewed = {"texts", "clauses", "vectors"} if work is Work.REDLINE else set()
    assert set(await left(reviewing, first)) == {"documents", "runs", *reviewed}
    failed = [one.payload for one in await reviewing.told() if one.name.endswith(".failed")]
    assert sorted((one["analysisId"], one["failureReason"], one["retryable"]) for one in failed) == sorted(
        [(first.run_id, CANCELLED, True), (second.run_id, DELETED, False)]
    )
    await swept(reviewing)
    originals = [one for one in reviewing.files() if mine in one or theirs in one]
    assert originals == [f"{reviewing.tenant_id}/documents/{mine}/original"]


async def test_one_that_nobody_has_begun_is_stopped_and_deleted_at_once(reviewing: Reviewing) -> None:
    mine, theirs = [await reviewing.upload(another()) for _ in range(2)]
    first, second = [await reviewing.ask(one) for one in (mine, theirs)]
    assert await documents.cancel(reviewing.office, reviewing.tenant_id, first.run_id)
    assert not await documents.cancel(reviewing.office, reviewing.tenant_id, first.run_id), "there is nothing left"
    assert await documents.delete(reviewing.office, reviewing.tenant_id, theirs)
    assert not await documents.delete(reviewing.office, reviewing.tenant_id, theirs)
    async with reviewing.working():
        ends = [await reviewing.settled(one) for one in (first, second)]

    assert ends == [WorkflowExecutionStatus.CANCELED] * 2
    assert (await left(reviewing, first), await left(reviewing, second)) == ({"documents": 1, "runs": 1}, {})
    assert await reviewing.names() == ["document/analysis.failed"] * 2
    assert reviewing.stage.calls("anthropic") == []


async def test_one_that_waits_for_a_seat_is_stopped_within_five_seconds(reviewing: Reviewing) -> None:
    """Two for one seat: the second stands in line behind the first."""
    async with reviewing.working(analysis_at_once=1):
        reviewing.stage.sandbox.delays["anthropic"] = HELD_S
        asked = [await reviewing.ask(await reviewing.upload(another())) for _ in range(2)]
        await until(provider(reviewing, "anthropic", 1))

        async def both() -> bool:
            views = [await reviewing.run_view(one.run_id) for one in asked]
            return all(one.percent >= 25 for one in views)

        await until(both)
        began = time.monotonic()
        for one in asked:
            assert await documents.cancel(reviewing.office, reviewing.tenant_id, one.run_id)

        async def free() -> bool:
            async with reviewing.stage.database.untenanted() as connection:
                seats = await connection.fetchval(
                    "SELECT count(*) FROM seats WHERE provider LIKE '%/' || $1", reviewing.tenant_id
                )
            return not seats and not reviewing.stage.sandbox.journal.running()

        await until(free)
        took = time.monotonic() - began

    assert took < WITHIN_S, f"it took {took:.1f} s"


async def test_with_temporal_away_the_rows_are_gone_and_the_workflow_ends_at_its_next_store(
    reviewing: Reviewing,
) -> None:
    nowhere = await Client.connect("127.0.0.1:1", lazy=True, data_converter=pydantic_data_converter)
    away = Office(reviewing.office.settings, reviewing.stage.database, nowhere)
    async with reviewing.working():
        reviewing.stage.sandbox.delays["anthropic"] = 1.0
        mine, theirs = [await reviewing.upload(another()) for _ in range(2)]
        first, second = [await reviewing.ask(one) for one in (mine, theirs)]
        await until(provider(reviewing, "anthropic"))
        assert await documents.cancel(away, reviewing.tenant_id, first.run_id)
        assert await documents.delete(away, reviewing.tenant_id, theirs)
        assert await left(reviewing, second) == {}
        ends = [await reviewing.settled(one) for one in (first, second)]

    assert ends == [WorkflowExecutionStatus.FAILED] * 2
    assert await left(reviewing, second) == {}
    assert set(await left(reviewing, first)) == {"documents", "runs"}
    assert (await reviewing.run_view(first.run_id)).status is RunStatus.CANCELLED
    assert await reviewing.names() == ["document/analysis.failed"] * 2


async def test_what_is_asked_for_with_temporal_away_is_written_down(reviewing: Reviewing) -> None:
    """Whoever looks after runs begins it."""
    nowhere = await Client.connect("127.0.0.1:1", lazy=True, data_converter=pydantic_data_converter)
    away = Office(reviewing.office.settings, reviewing.stage.database, nowhere)
    document_id = await reviewing.upload(another())
    here, reviewing.office = reviewing.office, away
    asked = await reviewing.ask(document_id)
    reviewing.office = here
    assert (asked.status, asked.fresh) == (RunStatus.QUEUED, True)
    async with reviewing.working():
        assert not (await reviewing.ask(document_id)).fresh, "it is begun all the same"
        assert (await reviewing.ended(asked.run_id)).status is RunStatus.COMPLETED
