"""Bootstraps in Postgres: one at a time of all tenants, each source once, all of it searched at once or nothing of it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio.exceptions import ApplicationError

from activities.store.database import Database
from activities.store.unneeded import UnneededStore
from schemas.bootstraps import (
    BootstrapFailure,
    BootstrapStatus,
    BootstrapTaking,
    NewBootstrap,
    SourceFailure,
    SourcesListing,
    SourceStatus,
)
from tests.bootstraps.rows import BY, NOW, Shelf, now, shelved, staged

LATER = NOW + timedelta(minutes=1)


@pytest.fixture
async def shelf(database: Database) -> AsyncIterator[Shelf]:
    async with shelved(database) as one:
        yield one


@pytest.fixture
async def another(database: Database) -> AsyncIterator[Shelf]:
    async with shelved(database) as one:
        yield one


def failure(step: object, reason: str = "too large") -> SourceFailure:
    return SourceFailure(**step.model_dump(), reason=reason)  # type: ignore[attr-defined]


async def test_the_same_that_waits_is_joined_and_another_is_not(shelf: Shelf) -> None:
    first = await shelf.ask("b", "a", "a")
    assert await shelf.ask("a", "b") == first
    assert len({first, await shelf.ask("a"), await shelf.ask(), await shelf.ask("a", "b", force=True)}) == 4
    await shelf.take(first)
    assert await shelf.ask("a", "b") != first, "what is under way may have passed what has changed"


async def test_what_is_asked_for_under_one_id_is_one(shelf: Shelf) -> None:
    wanted = NewBootstrap(id=str(uuid4()), sources=("a",))
    asked = [await shelf.store.ask(shelf.tenant_id, wanted, NOW) for _ in range(2)]
    assert [(one.bootstrap_id, one.fresh) for one in asked] == [(wanted.id, True), (wanted.id, False)]
    await shelf.take(asked[0].bootstrap_id)
    assert not (await shelf.store.ask(shelf.tenant_id, wanted, NOW)).fresh


async def test_one_at_a_time_of_all_tenants_the_oldest_first(shelf: Shelf, another: Shelf) -> None:
    second = await another.ask("x", at=LATER)
    first = await shelf.ask("x")
    assert (await shelf.view(first)).position is not None
    positions = [(await shelf.view(first)).position or 0, (await another.view(second)).position or 0]
    assert positions[1] - positions[0] == 1
    turn = await shelf.take(first)
    again = await shelf.take(first)
    assert (again, turn.version) == (turn, 1), "the same run takes the same"
    assert (await shelf.take(first, "r2")).version == 2
    step = now(await shelf.take(first, "r2"))
    await shelf.store.fail(BootstrapFailure(**step.model_dump(), reason="no"))
    assert (await another.take(second)).tenant_id == another.tenant_id
    assert (await another.view(second)).position is None


async def test_a_run_that_was_replaced_does_nothing_more(shelf: Shelf) -> None:
    old = await shelf.running("a")
    new = now(await shelf.take(old.bootstrap_id, "r2"))
    for call in (shelf.store.named, shelf.store.publish, shelf.store.taken_in, shelf.store.finish):
        with pytest.raises(ApplicationError, match="newer run"):
            await call(old)
    assert (await shelf.store.fail(BootstrapFailure(**old.model_dump(), reason="no"))).status is BootstrapStatus.RUNNING
    assert await shelf.store.named(new) is None, "its sources are written down"


async def test_sources_are_written_down_once_and_paged_in_one_order(shelf: Shelf) -> None:
    step = await shelf.running("c", "a", "b")
    assert await shelf.store.write_down(step, ("d",)) == 3
    page = await shelf.store.page(SourcesListing(**step.model_dump(), most=2))
    assert (len(page.source_ids), page.left) == (2, 1)
    sources = await shelf.sources(step)
    assert page.source_ids == (sources["a"].source_id, sources["b"].source_id)
    await shelf.store.fail_source(failure(sources["a"]))
    page = await shelf.store.page(SourcesListing(**step.model_dump(), most=2))
    assert (page.source_ids, page.left) == ((sources["b"].source_id, sources["c"].source_id), 0)


async def test_nothing_is_searched_before_all_is_and_then_all_of_it(shelf: Shelf) -> None:
    step = await shelf.running("a", "b")
    sources = await shelf.sources(step)
    documents = {name: await shelf.taken_in(one) for name, one in sources.items()}
    assert await shelf.searched() == {}
    assert await shelf.publish(step) == 2
    assert await shelf.searched() == documents
    assert [row["indexed"] for row in await shelf.sql("SELECT indexed FROM clauses")] == [True] * 4
    done = await shelf.store.finish(step)
    assert (done.status, done.completed, done.failed) == (BootstrapStatus.COMPLETED, 2, 0)
    assert await shelf.store.finish(step) == done
    view = await shelf.view(step.bootstrap_id)
    assert (view.sandbox, view.counts, view.indexed_at) == (True, {SourceStatus.COMPLETED: 2}, NOW)
    told = [(one.name, one.payload.get("status") or one.payload.get("completed")) for one in await shelf.events()]
    assert told == [("bootstrap/source.completed", "completed")] * 2 + [("bootstrap/ingest.completed", 2)]


async def test_what_is_taken_in_anew_replaces_what_was_and_a_failure_does_not(shelf: Shelf) -> None:
    first = await shelf.running("a", "b")
    before = {name: await shelf.taken_in(one) for name, one in (await shelf.sources(first)).items()}
    await shelf.publish(first)
    await shelf.store.finish(first)
    second = await shelf.running("a", "b", force=True)
    sources = await shelf.sources(second)
    task = await shelf.store.begin(sources["a"])
    assert task.force and task.known is not None and task.known.embedded_by == BY
    anew = await shelf.taken_in(sources["a"], "One. Other.")
    await shelf.store.stage(sources["b"], staged("One. Other."))
    assert await shelf.searched() == before, "until all have ended"
    await shelf.store.fail_source(failure(sources["b"]))
    await shelf.publish(second)
    assert await shelf.searched() == {"a": anew, "b": before["b"]}
    assert await shelf.count("documents") == 2
    assert len(await UnneededStore(shelf.database).unneeded(shelf.tenant_id, NOW)) == 2
    done = await shelf.store.finish(second)
    assert (done.completed, done.failed) == (1, 1)
    assert [one.failure_reason for one in (await shelf.view(second.bootstrap_id)).failed] == ["too large"]


async def test_what_something_was_compared_with_stays_and_is_not_searched(shelf: Shelf) -> None:
    first = await shelf.running("a", "b")
    before = {name: await shelf.taken_in(one) for name, one in (await shelf.sources(first)).items()}
    await shelf.publish(first)
    await shelf.store.finish(first)
    (own,) = await shelf.sql(
        """
        INSERT INTO documents (tenant_id, role, name, kind, size_bytes, sha256, object_key, created_at)
        VALUES (current_tenant(), 'review', 'n', 'text', 1, 's', 'k', $1) RETURNING id
        """,
        NOW,
    )
    for against, other_id in (("document", before["a"]), ("nearest", None)):
        await shelf.sql(
            """
            INSERT INTO document_runs (tenant_id, document_id, work, against, other_id, status, created_at, asked_at)
            VALUES (current_tenant(), $1, 'comparison', $2, $3, 'completed', $4, $4)
            """,
            own["id"],
            against,
            other_id,
            NOW,
        )
    await shelf.sql(
        """
        INSERT INTO document_differences (tenant_id, document_run_id, part, position, topic, change, matters, said, theirs,
          theirs_document_id)
        SELECT current_tenant(), id, 1, 1, 'term', 'changed', 'low', 's', '{"quote": "One."}', $1
        FROM document_runs WHERE against = 'nearest'
        """,
        before["b"],
    )
    second = await shelf.running("a", "b", force=True)
    anew = {name: await shelf.taken_in(one, "One. Other.") for name, one in (await shelf.sources(second)).items()}
    await shelf.publish(second)
    assert await shelf.searched() == anew
    await shelf.store.cancel(shelf.tenant_id, first.bootstrap_id, NOW)
    left = {row["id"] for row in await shelf.sql("SELECT id FROM documents")}
    assert left == {own["id"], before["a"], *anew.values()}
    (kept,) = await shelf.sql("SELECT theirs, theirs_document_id FROM document_differences")
    assert (kept["theirs"]["quote"], kept["theirs_document_id"]) == ("One.", None)


async def test_a_source_goes_on_where_an_earlier_try_was(shelf: Shelf) -> None:
    step = (await shelf.sources(await shelf.running("folder/a.txt")))["folder/a.txt"]
    assert (await shelf.store.begin(step)).document_id is None
    document_id = await shelf.store.stage(step, staged())
    assert await shelf.store.stage(step, staged()) == document_id
    task = await shelf.store.begin(step)
    assert (task.document_id, task.sha256) == (document_id, staged().sha256)
    assert await shelf.store.unembedded(step, document_id, BY) == [(0, "One. "), (1, "Two.")]
    await shelf.embed(step, document_id)
    await shelf.embed(step, document_id)
    assert await shelf.store.unembedded(step, document_id, BY) == []
    assert len(await shelf.store.unembedded(step, document_id, "another/model")) == 2
    other = await shelf.store.stage(step, staged("One. Changed."))
    assert [row["id"] for row in await shelf.sql("SELECT id FROM documents")] == [other]
    assert [row["name"] for row in await shelf.sql("SELECT name FROM documents")] == ["a.txt"]
    done = await shelf.store.end(step, other, BY)
    assert await shelf.store.end(step, other, BY) == done
    assert (await shelf.store.begin(step)).done == done
    assert (await shelf.store.fail_source(failure(step))).status is SourceStatus.COMPLETED
    assert len(await shelf.events()) == 1


async def test_vectors_are_paid_once_even_of_a_document_that_is_gone(shelf: Shelf) -> None:
    step = await shelf.running("a")
    source = (await shelf.sources(step))["a"]
    document_id = await shelf.store.stage(source, staged())
    await shelf.store.cancel(shelf.tenant_id, step.bootstrap_id, NOW)
    with pytest.raises(ApplicationError, match="no such document"):
        await shelf.embed(source, document_id)
    (row,) = await shelf.sql("SELECT state, micro_usd FROM spending")
    assert (row["state"], row["micro_usd"]) == ("settled", 7)


async def test_one_that_is_cancelled_leaves_nothing_and_takes_nothing_in(shelf: Shelf) -> None:
    step = await shelf.running("a", "b", "c")
    sources = await shelf.sources(step)
    await shelf.taken_in(sources["a"])
    staying = await shelf.store.stage(sources["b"], staged())
    assert await shelf.store.cancel(shelf.tenant_id, step.bootstrap_id, NOW) is True
    assert (await shelf.count("documents"), await shelf.count("clauses")) == (0, 0)
    assert len(await UnneededStore(shelf.database).unneeded(shelf.tenant_id, NOW)) == 2
    for late in (
        shelf.store.stage(sources["c"], staged()),
        shelf.store.page(SourcesListing(**step.model_dump(), most=1)),
    ):
        with pytest.raises(ApplicationError, match="newer run"):
            await late
    ended = [
        (await shelf.store.begin(sources["c"])).done,
        await shelf.store.end(sources["b"], staying, BY),
        await shelf.store.end(sources["c"], None),
        await shelf.store.fail_source(failure(sources["c"])),
    ]
    assert [one and one.status for one in ended] == [SourceStatus.FAILED] * 4, "with its bootstrap"
    assert await shelf.store.cancel(shelf.tenant_id, step.bootstrap_id, NOW) is False
    view = await shelf.view(step.bootstrap_id)
    assert (view.status, view.failure_reason) == (BootstrapStatus.CANCELLED, "cancelled")
    assert view.counts == {SourceStatus.COMPLETED: 1, SourceStatus.FAILED: 2}, "none is under way"
    assert [(one.source, one.failure_reason) for one in view.failed] == [("b", "cancelled"), ("c", "cancelled")]
    assert [one.name for one in await shelf.events()][1:] == ["bootstrap/ingest.failed"]


async def test_what_can_be_searched_is_not_cancelled_any_more(shelf: Shelf) -> None:
    step = await shelf.running("a")
    document_id = await shelf.taken_in((await shelf.sources(step))["a"])
    await shelf.publish(step)
    assert await shelf.store.cancel(shelf.tenant_id, step.bootstrap_id, NOW) is False
    assert await shelf.searched() == {"a": document_id}


async def test_one_of_which_nothing_could_be_taken_in_has_failed(shelf: Shelf) -> None:
    step = await shelf.running("a")
    await shelf.store.fail_source(failure((await shelf.sources(step))["a"]))
    await shelf.publish(step)
    assert (await shelf.store.finish(step)).status is BootstrapStatus.FAILED
    (source, whole) = await shelf.events()
    assert source.payload["failureReason"] == "too large"
    assert whole.payload["failureReason"] == "none of its 1 sources could be taken in"


async def test_what_failed_leaves_what_was_there_and_none_of_its_own(shelf: Shelf) -> None:
    step = await shelf.running("a")
    await shelf.taken_in((await shelf.sources(step))["a"])
    done = await shelf.store.fail(BootstrapFailure(**step.model_dump(), reason="the library is away"))
    assert (done.status, await shelf.count("documents")) == (BootstrapStatus.FAILED, 0)
    assert await shelf.store.fail(BootstrapFailure(**step.model_dump(), reason="again")) == done
    assert (await shelf.view(step.bootstrap_id)).failure_reason == "the library is away"


async def test_another_tenant_sees_none_of_it(shelf: Shelf, another: Shelf) -> None:
    step = await shelf.running("a")
    assert await another.store.view(another.tenant_id, step.bootstrap_id) is None
    assert await another.store.cancel(another.tenant_id, step.bootstrap_id, NOW) is None
    assert await another.store.list(another.tenant_id) == ()
    assert [one.id for one in await shelf.store.list(shelf.tenant_id)] == [step.bootstrap_id]
    (source,) = (await shelf.sources(step)).values()
    with pytest.raises(ApplicationError, match="newer run"):
        await another.store.begin(source.model_copy(update={"tenant_id": another.tenant_id}))


async def test_nothing_waits_and_nobody_is_taken(shelf: Shelf) -> None:
    taking = BootstrapTaking(temporal_run_id="r", now=NOW)
    while (turn := (await shelf.store.take(taking)).turn) is not None:
        await shelf.store.fail(BootstrapFailure(**now(turn).model_dump(), reason="of another test"))
    assert (await shelf.store.take(taking)).turn is None
