"""Rows of documents and of their runs: how they come, go on, end and go; each of these twice, late, and of others."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio.exceptions import ApplicationError

from activities.documents import keys
from activities.documents.ports import Conclusion, Differs, Extract, Proposed
from activities.store import document_endings
from activities.store.database import Database
from activities.store.document_asking import ITSELF, NO_ANALYSIS, NO_PLAYBOOK, NO_REFERENCES, UnfitRunError
from schemas.documents import DELETED, Against, Clause, Risk, Role, RunStatus, Work
from tests.documents.file_room import CLAUSES, MODEL, NOW, TERM, TEXT, FileRoom, found, vector

ALL = (
    *("document_findings", "document_differences", "document_proposals", "document_replies"),
    *("document_runs", "clauses", "documents"),
)


@pytest.fixture
async def room(database: Database) -> FileRoom:
    room = FileRoom(database)
    await room.set_up()
    return room


async def test_the_same_file_of_the_same_user_in_the_same_role_is_the_same_document(room: FileRoom) -> None:
    filed = [room.filed(name=f"{n}.txt") for n in range(5)]
    taken = await asyncio.gather(*(room.documents.take(room.tenant.id, one, NOW) for one in filed))
    (first,) = [one for one in taken if one.fresh]
    assert {one.id for one in taken} == {first.id}
    assert await room.unneeded() == {one.object_key for one in filed if one.id != first.id}
    others = [
        await room.brought(user_id=(await room.add("ana")).id),
        await room.playbook(TEXT),
        await room.brought("x"),
    ]
    assert len({first.id, *others}) == 4
    known = await room.documents.there(room.tenant.id, room.user.id, Role.REVIEW, filed[0].sha256)
    assert known is not None and known.id == first.id
    assert await room.documents.there(room.tenant.id, None, Role.REVIEW, filed[0].sha256) is None


async def test_a_file_of_nobody_is_not_taken(room: FileRoom) -> None:
    with pytest.raises(ApplicationError, match="no such user"):
        await room.brought(user_id=str(uuid4()))
    assert await room.count("documents") == 0


async def test_a_user_sees_what_is_theirs_and_what_is_their_tenants(room: FileRoom, database: Database) -> None:
    ana = await room.add("ana")
    own, hers = await room.brought("own"), await room.brought("hers", ana.id)
    play, nobodys = await room.playbook(), await room.brought("came by itself", None)
    staged = await room.brought("staged", None, role=Role.REFERENCE)

    async def seen(user_id: str | None, role: Role | None = None) -> set[str]:
        return {line.id for line in await room.documents.list(room.tenant.id, user_id, role)}

    assert await seen(room.user.id) == {own, play}
    assert await seen(ana.id) == {hers, play}
    assert await seen(None) == {own, hers, play, nobodys}, "its operator sees all that is there already"
    assert await seen(None, Role.PLAYBOOK) == {play}
    assert await room.documents.view(room.tenant.id, room.user.id, hers) is None
    assert await room.documents.view(room.tenant.id, None, staged) is None
    run_id = await room.reviewed(hers)
    assert await room.documents.run_view(room.tenant.id, room.user.id, run_id) is None
    theirs = FileRoom(database)
    await theirs.set_up()
    assert await theirs.documents.view(theirs.tenant.id, None, own) is None
    assert await theirs.documents.delete(theirs.tenant.id, own, NOW) is None
    with pytest.raises(ApplicationError, match="no such document"):
        await theirs.ask(own)


async def test_what_is_asked_for_twice_is_one_run(room: FileRoom) -> None:
    document_id = await room.brought()
    asked = await asyncio.gather(*(room.ask(document_id) for _ in range(5)))
    assert sorted(one.fresh for one in asked) == [False] * 4 + [True]
    assert len({one.run_id for one in asked}) == 1
    assert {(one.premium, one.status, one.urgent) for one in asked} == {(True, RunStatus.QUEUED, False)}
    assert (await room.ask(document_id, urgent=True)).urgent, "somebody is in a hurry after all"
    assert await room.documents.run(room.tenant.id, asked[0].run_id) == (document_id, Work.ANALYSIS, RunStatus.QUEUED)


async def test_what_ended_well_is_there_until_it_is_asked_for_again(room: FileRoom) -> None:
    document_id = await room.brought()
    run_id = await room.reviewed(document_id)
    same = await room.ask(document_id)
    assert (same.run_id, same.fresh, same.status) == (run_id, False, RunStatus.COMPLETED)
    again = await room.ask(document_id, again=True, reason="new rubric")
    assert (again.run_id, again.fresh, again.status) == (run_id, True, RunStatus.QUEUED)
    run = await room.run(run_id)
    assert (run.version, run.reason, run.percent, run.summary, run.risk) == (2, "new rubric", 0, (), None)
    assert await room.count("document_findings") == 0
    assert await room.documents.to_retry(room.tenant.id, document_id) is None


async def test_what_cannot_be_done_has_no_row(room: FileRoom) -> None:
    document_id, ana = await room.brought(), await room.add("ana")
    hers = await room.brought("hers", ana.id)

    async def why(**asked: object) -> str:
        with pytest.raises((UnfitRunError, ApplicationError)) as refused:
            await room.ask(document_id, **asked)
        return str(refused.value)

    assert await why(work=Work.COMPARISON, against=Against.PLAYBOOK) == NO_PLAYBOOK
    assert await why(work=Work.REDLINE) == NO_ANALYSIS
    await room.brought("staged", None, role=Role.REFERENCE)
    assert await why(work=Work.COMPARISON, against=Against.NEAREST) == NO_REFERENCES
    compare = {"work": Work.COMPARISON, "against": Against.DOCUMENT}
    assert await why(**compare, other_id=document_id) == ITSELF
    assert "no such document" in await why(**compare, other_id=hers), "somebody else's"
    assert "no such document" in await why(**compare, other_id=str(uuid4()))
    assert "which document" in await why(**compare)
    assert await room.count("document_runs") == 0


async def test_a_list_says_how_the_review_stands_and_what_else_is_done(room: FileRoom) -> None:
    document_id, fresh = await room.brought(), await room.brought("other")
    await room.reviewed(document_id, found(risk=Risk.HIGH))
    await room.playbook()
    for one in (document_id, fresh):
        await room.begun(await room.ask(one, work=Work.COMPARISON, against=Against.PLAYBOOK))
    lines = {one.id: one for one in await room.documents.list(room.tenant.id)}

    assert (lines[document_id].status, lines[document_id].percent) == (RunStatus.COMPLETED, 100)
    assert (lines[fresh].status, lines[fresh].risk) == (None, None), "a comparison is no review"
    assert {lines[one].doing for one in (document_id, fresh)} == {Work.COMPARISON}


async def test_the_nearest_are_looked_for_anew_once_references_are_taken_in(room: FileRoom) -> None:
    document_id, nearest = await room.brought(), {"work": Work.COMPARISON, "against": Against.NEAREST}
    await room.reference()
    step = await room.begun(await room.ask(document_id, **nearest))
    await room.read(step)
    await room.runs.finish(room.ending(step, work=Work.COMPARISON), Conclusion())
    assert not (await room.ask(document_id, **nearest)).fresh

    await room.rows(
        """
        INSERT INTO bootstraps (tenant_id, status, created_at, ended_at)
        VALUES (current_tenant(), 'completed', $1, $1) RETURNING id
        """,
        room.now + timedelta(minutes=1),
    )
    asked = await room.ask(document_id, **nearest)
    assert (asked.fresh, asked.status) == (True, RunStatus.QUEUED)


async def test_a_comparison_is_with_the_users_own_playbook_before_the_tenants(room: FileRoom) -> None:
    document_id, ana = await room.brought(), await room.add("ana")
    tenants = await room.playbook("tenant's")
    own, hers = await room.playbook("own", room.user.id), await room.playbook("hers", ana.id)
    newer = await room.playbook("newer")
    assert await room.documents.playbook(room.tenant.id, room.user.id) == own
    assert await room.documents.playbook(room.tenant.id) == newer
    asked = await room.ask(document_id, work=Work.COMPARISON, against=Against.PLAYBOOK)
    run = await room.run(asked.run_id)
    assert (run.other_id, run.other_name) == (own, "playbook.txt")
    assert (await room.runs.begin(room.start(asked))).unread == (document_id, own)
    assert len({tenants, hers} & {run.other_id}) == 0


async def test_a_run_tells_how_far_it_is_and_never_goes_back(room: FileRoom) -> None:
    asked = await room.ask(await room.brought())
    step = await room.begun(asked)
    assert await room.begun(asked) == step, "safe to run twice"
    for _ in range(2):
        await room.read(step)
    await room.runs.write(room.part(step), Extract(findings=(found(),), dropped=2), 60)
    await room.embed(step, {0: vector(1), 1: vector(0, 1)})
    for _ in range(2):
        await room.runs.write(room.part(step, 2), Extract(findings=(found("x"),), dropped=1), 90)
        assert [one.said for one in (await room.runs.result(step)).findings] == ["It lasts two years.", "x"]
    for _ in range(2):
        done = await room.runs.finish(
            room.ending(step, notes=("n",)), Conclusion(risk=Risk.HIGH, findings=(found("m"),))
        )
        assert (done.status, done.count) == (RunStatus.COMPLETED, 3)
    told = [(name.rpartition(".")[2], said.get("step"), said.get("percent")) for name, said in await room.events()]
    assert told == [
        *(("progress", "parsing", 5), ("progress", "parsed", 25), ("progress", "analysing", 60)),
        *(("progress", "analysing", 90), ("progress", "saving", 95), ("completed", None, None)),
    ]
    assert (await room.ends())[0][1] == {
        "analysisId": asked.run_id,
        "documentId": asked.document_id,
        "count": 3,
        "risk": "high",
    }
    run = await room.run(asked.run_id)
    assert (run.percent, run.dropped, run.notes, run.risk, run.cost_micro_usd) == (100, 3, ("n",), Risk.HIGH, 7)
    assert (await room.runs.result(step)).dropped == 3, "whoever ends it twice makes the same of it"
    assert len((await room.runs.result(step)).findings) == 2, "without what was added at the end"


async def test_the_text_is_kept_letter_by_letter_and_once(room: FileRoom) -> None:
    """Offsets count letters, of whatever script."""
    text = "a\x00b \ud800 ü 🖋 Привет"
    kept = "a\ufffdb ? ü 🖋 Привет"
    clauses = (Clause(ordinal=0, start=0, end=8), Clause(ordinal=1, start=8, end=len(text), number="2\x00"))
    document_id = await room.brought()
    step = await room.begun(await room.ask(document_id))
    await room.read(step, text, clauses)
    await room.read(step)
    view = await room.view(document_id)
    assert (view.text, len(view.text), view.pages) == (kept, len(text), 1)
    assert [view.text[one.start : one.end] for one in view.clauses] == [kept[:8], kept[8:]]
    read = await room.runs.text(step)
    assert read is not None and read.of(read.clauses[1]) == kept[8:]


async def test_vectors_are_paid_once_and_those_of_another_model_go(room: FileRoom) -> None:
    step = await room.begun(await room.ask(await room.brought()))
    await room.read(step)
    await room.embed(step, {0: vector(1)}, last=False)
    assert await room.runs.embedded(step, MODEL) == {0}
    assert await room.runs.embedded(step, "another") == frozenset()
    await room.embed(step, {0: vector(0.5), 1: vector(0, 1)})
    assert await room.runs.embedded(step, MODEL) == {0, 1}
    await room.embed(step, {1: vector(0, 1)}, "another")
    assert await room.runs.embedded(step, "another") == {1}
    await room.runs.fail(room.cancel(step))
    with pytest.raises(ApplicationError, match="newer run"):
        await room.embed(step, {0: vector(1)}, "another")
    spent = await room.rows("SELECT state, micro_usd FROM spending")
    assert spent == [{"state": "settled", "micro_usd": 7}] * 4, "what came too late is paid as well"


async def test_pairs_are_found_by_vectors_once_for_all_parts(room: FileRoom) -> None:
    document_id, other = await room.brought(), await room.playbook("2. Law\nOther law.\n1. Term\nNo end.\n")
    asked = await room.ask(document_id, work=Work.COMPARISON, against=Against.PLAYBOOK)
    step = await room.begun(asked)
    theirs = step.model_copy(update={"document_id": other})
    await room.read(step)
    clauses = (Clause(ordinal=0, start=0, end=18), Clause(ordinal=1, start=18, end=35))
    await room.read(theirs, "2. Law\nOther law.\n1. Term\nNo end.\n", clauses)
    await room.embed(step, {0: vector(1), 1: vector(0, 1)})
    await room.embed(theirs, {0: vector(0.1, 1), 1: vector(1, 0.1)})
    material = await room.runs.material(step)
    answers = {one.ours.ordinal: one.theirs.ordinal for one in material.pairs if one.ours and one.theirs}
    assert answers == {0: 1, 1: 0}
    assert all(one.nearness > 0.9 and one.theirs_document_id == other for one in material.pairs)
    assert {one.theirs_text for one in material.pairs} == {"2. Law\nOther law.\n", "1. Term\nNo end.\n"}
    async with room.database.tenant(room.tenant.id) as connection:
        await connection.execute("UPDATE clauses SET embedding = NULL")
    assert (await room.runs.material(step)).pairs == material.pairs


async def test_answers_are_bought_once_kept_for_another_version_and_gone_when_it_is_stopped(room: FileRoom) -> None:
    document_id = await room.brought()
    step = await room.begun(await room.ask(document_id))
    await room.read(step)
    await room.bought(step, "said")
    await room.kept(step, "told twice")
    await room.runs.write(room.part(step), Extract(findings=(found(),)), 60)
    await room.runs.fail(room.failure(step))
    assert await room.count("document_findings") == 0, "what is not whole goes"
    again = await room.begun(await room.ask(document_id, reason="once more"), "temporal-2")
    kept = (await room.runs.material(again)).kept
    assert [(one.answer.text, one.version, one.sandbox) for one in kept.values()] == [("said", 1, True)]
    assert again.version == 2
    await room.runs.fail(room.cancel(again))
    await room.bought(again, "late", "a2")
    assert await room.count("document_replies") == 0
    assert (await room.run(again.run_id)).cost_micro_usd == 60
    assert [row["state"] for row in await room.rows("SELECT state FROM spending")] == ["settled"] * 2


async def test_who_is_not_the_one_that_works_on_it_stores_nothing(room: FileRoom) -> None:
    document_id = await room.brought()
    asked = await room.ask(document_id)
    old = await room.begun(asked)
    with pytest.raises(ApplicationError, match="newer run"):
        await room.runs.begin(room.start(asked, "temporal-0", room.now - timedelta(minutes=1)))
    new = await room.begun(asked, "temporal-2")
    assert (old.version, new.version) == (1, 2)
    other = new.model_copy(update={"document_id": await room.brought("other")})
    for step in (old, other):
        for late in (
            room.read(step),
            room.runs.text(step),
            room.runs.stored(step),
            room.runs.material(step),
            room.runs.result(step),
            room.runs.write(room.part(step), Extract(), 50),
            room.runs.embedded(step, MODEL),
        ):
            with pytest.raises(ApplicationError, match="newer run"):
                await late
    late_file = Conclusion(object_key="late.docx")
    with pytest.raises(ApplicationError, match="newer run"):
        await room.runs.finish(room.ending(old), late_file)
    assert await room.unneeded() == {"late.docx"}
    assert (await room.runs.fail(room.failure(old))).status is RunStatus.RUNNING
    assert len(await room.ends()) == 1, "the one whose place was taken"


async def test_a_run_that_another_takes_over_has_failed_and_leaves_its_answers_alone(room: FileRoom) -> None:
    document_id = await room.brought()
    await room.reviewed(document_id)
    asked = await room.ask(document_id, work=Work.REDLINE)
    old = await room.begun(asked)
    await room.bought(old)
    await room.runs.write(room.part(old), Extract(proposals=(Proposed(TERM, "x", "y", None),), dropped=1), 60)
    new = await room.begun(asked, "temporal-2")
    assert await room.begun(asked, "temporal-2") == new, "safe to run twice"
    (name, said) = (await room.ends())[-1]
    assert (name, said["step"], said["failureReason"], said["retryable"]) == (
        *("document/redline.failed", "proposing"),
        *("another run took its place", True),
    )
    assert len(await room.ends()) == 2, "with its review's"
    assert await room.unneeded() == {keys.redline(room.tenant.id, document_id, asked.run_id, 1)}
    assert await room.count("document_proposals") == 0
    material = await room.runs.material(new)
    assert (len(material.kept), material.done) == (1, frozenset())
    assert (await room.run(asked.run_id)).percent < 60
    await room.runs.finish(room.ending(new), Conclusion())
    assert [one for one, _ in await room.ends()][1:] == ["document/redline.failed", "document/redline.completed"]


async def test_what_a_redline_rests_on_is_not_made_anew_before_it_has_ended(room: FileRoom) -> None:
    document_id, _ = await room.brought(), await room.playbook()
    reviewed = await room.reviewed(document_id)
    compared = await room.compared(document_id, Extract())
    playbook = {"work": Work.COMPARISON, "against": Against.PLAYBOOK}
    asked = await room.ask(document_id, work=Work.REDLINE)
    for live in ("queued", "running"):
        for wanted in ({}, playbook):
            with pytest.raises(UnfitRunError, match="Changes are being proposed"):
                await room.ask(document_id, again=True, **wanted)
        assert (await room.run(asked.run_id)).status == live
        step = await room.begun(asked)
    assert [(await room.run(one)).version for one in (reviewed, compared)] == [1, 1]
    assert not (await room.ask(document_id)).fresh, "what is there is told"
    await room.reference()
    assert (await room.ask(document_id, work=Work.COMPARISON, against=Against.NEAREST, again=True)).fresh
    await room.runs.finish(room.ending(step), Conclusion())
    assert (await room.ask(document_id, again=True, **playbook)).fresh
    assert (await room.ask(document_id, again=True)).fresh
    assert (await room.runs.material(step)).findings == (), "whoever ends it twice is not kept waiting"


async def test_a_redline_whose_findings_are_gone_is_tried_again_later(room: FileRoom) -> None:
    document_id = await room.brought()
    reviewed = await room.reviewed(document_id)
    step = await room.begun(await room.ask(document_id, work=Work.REDLINE))
    async with room.database.tenant(room.tenant.id) as connection:
        assert await document_endings.delete_run(connection, reviewed, NOW)
    with pytest.raises(ApplicationError, match="reviewed anew") as refused:
        await room.runs.material(step)
    assert not refused.value.non_retryable


async def test_a_retry_is_as_urgent_as_what_came_to_nothing(room: FileRoom) -> None:
    """By the run's id and by its document's."""
    document_id = await room.brought()
    asked = await room.ask(document_id, urgent=True)
    assert await room.documents.to_retry(room.tenant.id, asked.run_id) is None
    await room.runs.fail(room.failure(await room.begun(asked)))
    for row_id in (document_id, asked.run_id):
        wanted = await room.documents.to_retry(room.tenant.id, row_id)
        assert wanted is not None
        assert (wanted.document_id, wanted.urgent) == (document_id, True)


async def test_of_a_reference_that_is_gone_nothing_is_told(room: FileRoom) -> None:
    document_id = await room.brought()
    reference = await room.reference()
    step = await room.begun(await room.ask(document_id, work=Work.COMPARISON, against=Against.NEAREST))
    await room.read(step)
    async with room.database.tenant(room.tenant.id) as connection:
        pairs = [[0, 0, reference, 0.9], [1, None, None, 0.0]]
        await connection.execute("UPDATE document_runs SET pairs = $2 WHERE id = $1", step.run_id, pairs)
    assert await room.documents.delete(room.tenant.id, reference, NOW) is not None
    told = [(one.ours and one.ours.ordinal, one.theirs) for one in (await room.runs.material(step)).pairs]
    assert told == [(1, None)], "it is not said that no reference has such a clause"
    differs = Differs("term", "changed", Risk.HIGH, "Longer", TERM, TERM, reference)
    await room.runs.write(room.part(step), Extract(differences=(differs,)), 60)
    (kept,) = (await room.runs.result(step)).differences
    assert (kept.theirs, kept.theirs_document_id) == (TERM, None)


async def test_one_that_fails_says_so_once_for_each_version(room: FileRoom) -> None:
    """Whether a workflow took it, or none ever did."""
    document_id = await room.brought()
    asked = await room.ask(document_id)
    for _ in range(2):
        unborn = room.failure(room.unbegun(asked), version=None, step="", reason="nobody came")
        assert (await room.runs.fail(unborn)).status is RunStatus.FAILED
    assert (await room.runs.begin(room.start(asked))).done is not None
    step = await room.begun(await room.ask(document_id), "temporal-2")
    for _ in range(2):
        await room.runs.fail(room.failure(step, retryable=False, reason="It is\x00 no text"))
    ends = [(name, said["step"], said["failureReason"], said["retryable"]) for name, said in await room.ends()]
    assert ends == [
        ("document/analysis.failed", "start", "nobody came", True),
        ("document/analysis.failed", "analyse", "It is no text", False),
    ]
    run = await room.run(asked.run_id)
    assert (run.status, run.failed_step, run.failure_reason, run.version) == (
        RunStatus.FAILED,
        "analyse",
        "It is no text",
        2,
    )
    wanted = await room.documents.to_retry(room.tenant.id, document_id)
    assert wanted is not None and wanted.document_id == document_id
    assert (await room.documents.list(room.tenant.id))[0].status is RunStatus.FAILED


async def test_one_that_is_stopped_leaves_nothing_that_it_made(room: FileRoom) -> None:
    """It stands as it was uploaded, and may be reviewed again."""
    document_id = await room.brought()
    step = await room.begun(await room.ask(document_id))
    await room.read(step)
    await room.embed(step, {0: vector(1)})
    await room.bought(step)
    await room.runs.write(room.part(step), Extract(findings=(found(),)), 60)
    for _ in range(2):
        done = await room.runs.fail(room.cancel(step, version=None, temporal_run_id="", step=""))
        assert done.status is RunStatus.CANCELLED
    for table in ("document_findings", "document_replies", "clauses"):
        assert await room.count(table) == 0, table
    view = await room.view(document_id)
    assert (view.text, view.pages, view.tracked) == ("", None, False)
    ((name, said),) = await room.ends()
    assert (name, said["failureReason"], said["retryable"]) == ("document/analysis.failed", "cancelled", True)
    assert said["step"] == "analysing", "where it stood"
    again = await room.begun(await room.ask(document_id), "temporal-2")
    await room.read(again)
    assert (await room.view(document_id)).text == TEXT


async def test_what_another_run_needs_stays_when_one_is_stopped(room: FileRoom) -> None:
    document_id, play = await room.brought(), await room.playbook()
    await room.reviewed(document_id)
    step = await room.begun(await room.ask(document_id, work=Work.COMPARISON, against=Against.PLAYBOOK))
    await room.read(step.model_copy(update={"document_id": play}))
    await room.runs.fail(room.cancel(step))
    assert (await room.view(document_id)).text == TEXT
    assert (await room.view(play)).text == "", "nobody else has read it"
    assert len((await room.view(document_id)).findings) == 1


async def test_a_redline_rests_on_what_was_found_and_takes_its_file_with_it(room: FileRoom) -> None:
    document_id = await room.brought(name="our nda.v2.txt")
    await room.reviewed(document_id)
    await room.playbook()
    differs = Differs("term", "changed", Risk.HIGH, "Longer", TERM, None, None)
    same = Differs("governing law", "same", Risk.NONE, "The same", TERM, TERM, document_id)
    compared = await room.compared(document_id, Extract(differences=(same, differs)))
    comparison = await room.documents.comparison(room.tenant.id, room.user.id, compared)
    assert comparison is not None and comparison.other is not None
    assert [one.said for one in comparison.differences] == ["Longer", "The same"], "what matters comes first"
    asked = await room.ask(document_id, work=Work.REDLINE)
    step = await room.begun(asked)
    material = await room.runs.material(step)
    assert material.name == "our nda.v2.txt", "the letter names it"
    assert [one.said for one in material.findings] == ["It lasts two years."]
    assert [one.ours for one in material.differences] == [TERM, TERM]
    key = keys.redline(room.tenant.id, document_id, asked.run_id, 1)
    proposal = Proposed(TERM, "One year.", "shorter", material.findings[0].id)
    await room.runs.write(room.part(step), Extract(proposals=(proposal,)), 90)
    assert (await room.runs.result(step)).proposals == (proposal,)
    await room.runs.finish(room.ending(step), Conclusion(letter="Dear all", object_key=key))
    made = await room.documents.redline(room.tenant.id, room.user.id, asked.run_id)
    assert made is not None and made.proposals[0].replacement == "One year."
    assert (made.run.letter, made.run.file_name) == ("Dear all", "our nda.v2-redline.docx")
    assert await room.documents.redline_key(room.tenant.id, asked.run_id) == key
    assert await room.documents.redline(room.tenant.id, (await room.add("ana")).id, asked.run_id) is None
    again = await room.begun(await room.ask(document_id, work=Work.REDLINE, again=True), "temporal-2")
    await room.runs.fail(room.cancel(again))
    assert await room.unneeded() == {key, keys.redline(room.tenant.id, document_id, asked.run_id, 2)}


async def test_deleting_takes_all_of_it_at_once_and_says_what_was_under_way(room: FileRoom) -> None:
    document_id, play = await room.brought(), await room.playbook()
    await room.reviewed(document_id)
    redline = await room.begun(await room.ask(document_id, work=Work.REDLINE))
    await room.bought(redline)
    await room.runs.write(room.part(redline), Extract(proposals=(Proposed(TERM, "x", "y", None),)), 60)
    waiting = await room.ask(document_id, work=Work.COMPARISON, against=Against.PLAYBOOK)
    stopped = await room.documents.delete(room.tenant.id, document_id, NOW)
    assert stopped is not None
    assert {(one.run_id, one.work, one.document_id) for one in stopped} == {
        (redline.run_id, Work.REDLINE, document_id),
        (waiting.run_id, Work.COMPARISON, document_id),
    }
    assert await room.documents.delete(room.tenant.id, document_id, NOW) is None
    left = {table: await room.count(table) for table in ALL}
    assert {table: count for table, count in left.items() if count} == {"documents": 1}, "the playbook"
    assert await room.unneeded() == {
        keys.original(room.tenant.id, document_id),
        keys.redline(room.tenant.id, document_id, redline.run_id, 1),
    }
    ends = {(name, said["failureReason"]) for name, said in (await room.ends())[1:]}
    assert ends == {("document/redline.failed", DELETED), ("document/comparison.failed", DELETED)}
    for late in (
        room.runs.begin(room.start(waiting)),
        room.runs.write(room.part(redline), Extract(), 90),
        room.runs.finish(room.ending(redline), Conclusion(object_key="late.docx")),
    ):
        with pytest.raises(ApplicationError, match="newer run"):
            await late
    assert "late.docx" in await room.unneeded()
    assert (await room.runs.fail(room.failure(redline))).status is RunStatus.FAILED
    await room.bought(redline, asked="late")
    assert await room.count("document_replies") == 0
    assert (await room.view(play)).id == play


async def test_comparisons_with_a_document_that_is_deleted_go_as_well(room: FileRoom) -> None:
    document_id, play = await room.brought(), await room.playbook()
    asked = await room.ask(document_id, work=Work.COMPARISON, against=Against.PLAYBOOK)
    stopped = await room.documents.delete(room.tenant.id, play, NOW)
    assert stopped is not None
    assert [(one.run_id, one.document_id) for one in stopped] == [(asked.run_id, document_id)]
    assert (await room.view(document_id)).runs == ()


async def test_deleting_and_working_at_once_wait_for_each_other(room: FileRoom) -> None:
    """In whatever order they come, nobody is refused for a deadlock and nothing is left behind."""
    for round_ in range(8):
        document_id, play = await room.brought(f"d{round_}"), await room.playbook(f"p{round_}")
        asked = await room.ask(document_id, work=Work.COMPARISON, against=Against.PLAYBOOK)
        step = await room.begun(asked)
        others = step.model_copy(update={"document_id": play})
        said = await asyncio.gather(
            *(room.read(one, TEXT, CLAUSES) for one in (step, others)),
            *(room.runs.write(room.part(step, part), Extract(), 30 + part) for part in range(4)),
            *(room.documents.delete(room.tenant.id, one, NOW) for one in (play, document_id)),
            room.runs.fail(room.cancel(step)),
            room.ask(document_id),
            return_exceptions=True,
        )
        failed = {getattr(one, "type", str(one)) for one in said if isinstance(one, BaseException)}
        assert failed <= {"Superseded", "NotFound"}, failed
        assert {table: n for table in ALL if (n := await room.count(table))} == {}
