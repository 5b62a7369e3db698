"""Documents from the file to the findings: as people and events ask for them, refused, repeated, retried."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import WorkflowExecutionStatus

from activities.store.received import ReceivedStore
from schemas.documentbook import DocumentView
from schemas.documents import LARGEST_FILE, Against, Change, FileKind, NewRun, Role, RunStatus, Work
from schemas.events import REGISTRY
from starter import documents
from starter.dispatch import Dispatcher
from starter.inbox import Inbox, RefusedError, read
from starter.office import Office
from starter.words import NotFoundError, NotReadyError, UsageError
from tests.documents.reviewing_whole import NDA, TEXT, Reviewing, another
from tests.stage import Stage

MD = (NDA / "bonterms-mutual-nda.md").read_bytes()


@pytest.fixture
def reviewing(stage: Stage, tmp_path: Path) -> Reviewing:
    return Reviewing(stage, tmp_path)


def inbox(reviewing: Reviewing) -> Inbox:
    stage = reviewing.stage
    return Inbox(ReceivedStore(stage.database), Dispatcher(reviewing.office.settings, stage.database, stage.temporal))


async def send(reviewing: Reviewing, name: str, key: str = "", **data: Any) -> None:
    event = {"name": name, "id": key or str(uuid4()), "data": data}
    tenant_id = reviewing.tenant_id
    await inbox(reviewing).take(tenant_id, None, read(event, tenant_id, str))


def quotes_stand_there(view: DocumentView) -> None:
    passages = [one.passage for one in view.findings if one.passage]
    assert passages, "something was found"
    for one in passages:
        assert view.text[one.start : one.end] == one.quote
    assert "".join(view.text[one.start : one.end] for one in view.clauses) == view.text


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("bonterms-mutual-nda.md", FileKind.TEXT),
        ("bonterms-mutual-nda.pdf", FileKind.PDF),
        ("bonterms-playbook.docx", FileKind.DOCX),
    ],
)
async def test_from_the_file_to_the_findings(reviewing: Reviewing, name: str, kind: FileKind) -> None:
    async with reviewing.working():
        document_id = await reviewing.upload((NDA / name).read_bytes(), name)
        run = await reviewing.run(document_id)
        view = await reviewing.view(document_id)

    assert (run.status, run.percent, run.sandbox) == (RunStatus.COMPLETED, 100, True), run.failure_reason
    assert run.summary
    assert run.risk is not None
    assert run.cost_micro_usd > 0
    assert view.kind is kind
    quotes_stand_there(view)
    events = await reviewing.told()
    percents = [one.payload["percent"] for one in events if one.name == "document/analysis.progress"]
    assert percents == sorted(percents), "it never goes back"
    assert await reviewing.names() == ["document/analysis.completed"]
    for one in events:
        REGISTRY[one.name].payload.model_validate(one.payload)
    assert reviewing.files() == [f"{reviewing.tenant_id}/documents/{document_id}/original"]


async def test_nothing_that_the_document_says_is_in_its_history(reviewing: Reviewing) -> None:
    async with reviewing.working():
        document_id = await reviewing.upload(TEXT, "halden-secret.txt")
        asked = await reviewing.ask(document_id)
        await reviewing.ended(asked.run_id)
        await reviewing.settled(asked)
        history = await reviewing.history(asked)

    for word in ("halden", "Delaware", "indemnify", "perpetuity", reviewing.stage.user.email):
        assert word not in history


async def test_the_same_file_and_the_same_wish_are_one(reviewing: Reviewing) -> None:
    async with reviewing.working():
        document_id = await reviewing.upload()
        assert await reviewing.upload(name="another name.txt") == document_id
        first = await reviewing.ask(document_id)
        assert (await reviewing.ask(document_id)).run_id == first.run_id
        await reviewing.ended(first.run_id)
        asked = len(reviewing.stage.calls("anthropic"))
        again = await reviewing.ask(document_id)
        assert (again.run_id, again.fresh, again.status) == (first.run_id, False, RunStatus.COMPLETED)

    assert len(reviewing.stage.calls("anthropic")) == asked
    assert await reviewing.names() == ["document/analysis.completed"]
    assert len(reviewing.files()) == 1


async def test_one_that_ended_well_is_done_again_when_that_is_wanted(reviewing: Reviewing) -> None:
    async with reviewing.working():
        document_id = await reviewing.upload()
        first = await reviewing.run(document_id)
        second = await reviewing.run(document_id, again=True)

    assert (second.id, second.version, second.status) == (first.id, first.version + 1, RunStatus.COMPLETED)
    assert (await reviewing.names()).count("document/analysis.completed") == 2


async def test_against_the_playbook_what_matters_comes_first(reviewing: Reviewing) -> None:
    async with reviewing.working():
        document_id = await reviewing.upload()
        with pytest.raises(UsageError, match="no playbook"):
            await reviewing.ask(document_id, Work.COMPARISON, against=Against.PLAYBOOK)
        playbook_id = await reviewing.upload(MD, "playbook.md", Role.PLAYBOOK, ours=False)
        run = await reviewing.run(document_id, Work.COMPARISON, against=Against.PLAYBOOK)
        view = await reviewing.office.documents.comparison(reviewing.tenant_id, None, run.id)

    assert run.status is RunStatus.COMPLETED, run.failure_reason
    assert view is not None
    assert view.other is not None
    assert (view.document.id, view.other.id) == (document_id, playbook_id)
    assert view.differences
    weights = ["none", "low", "medium", "high"]
    matters = [weights.index(one.matters.value) for one in view.differences]
    assert matters == sorted(matters, reverse=True)
    for one in view.differences:
        for side, text in ((one.ours, view.document.text), (one.theirs, view.other.text)):
            assert side is None or text[side.start : side.end] == side.quote
    assert any(one.change is Change.MISSING for one in view.differences), "the playbook says more"
    assert await reviewing.names() == ["document/comparison.completed"]


async def test_a_redline_follows_a_review_and_has_a_file_and_a_letter(reviewing: Reviewing) -> None:
    async with reviewing.working():
        document_id = await reviewing.upload()
        with pytest.raises(UsageError, match="reviewed before"):
            await reviewing.ask(document_id, Work.REDLINE)
        await reviewing.run(document_id)
        run = await reviewing.run(document_id, Work.REDLINE)
        view = await reviewing.office.documents.redline(reviewing.tenant_id, None, run.id)
        key = await reviewing.office.documents.redline_key(reviewing.tenant_id, run.id)
        text = (await reviewing.view(document_id)).text

    assert run.status is RunStatus.COMPLETED, run.failure_reason
    assert view is not None
    assert view.proposals
    for one in view.proposals:
        assert text[one.passage.start : one.passage.end] == one.passage.quote
        assert one.reason in run.letter
    assert key in reviewing.files()
    assert (reviewing.objects_folder / str(key)).read_bytes().startswith(b"PK")
    assert await reviewing.names() == ["document/analysis.completed", "document/redline.completed"]


async def test_what_failed_is_done_again_with_its_reason(reviewing: Reviewing) -> None:
    reviewing.stage.sandbox.faults.put("anthropic", "status", status=400, times=1)
    async with reviewing.working():
        document_id = await reviewing.upload()
        first = await reviewing.run(document_id, urgent=True)
        assert (first.status, first.failed_step, first.retryable) == (RunStatus.FAILED, "analyse", False)
        with pytest.raises(NotFoundError):
            await documents.retry(reviewing.office, reviewing.tenant_id, str(uuid4()))
        asked = await documents.retry(reviewing.office, reviewing.tenant_id, first.id, "the key is mended")
        assert asked.urgent, "as it was"
        second = await reviewing.ended(asked.run_id)
        with pytest.raises(UsageError, match="completed"):
            await documents.retry(reviewing.office, reviewing.tenant_id, first.id)

    assert (second.status, second.version, second.reason) == (RunStatus.COMPLETED, 2, "the key is mended")
    assert await reviewing.names() == ["document/analysis.failed", "document/analysis.completed"]


async def test_without_vectors_a_review_ends_well_and_says_so(reviewing: Reviewing) -> None:
    reviewing.stage.sandbox.faults.put("voyage", "status", status=400, times=None)
    async with reviewing.working():
        run = await reviewing.run(await reviewing.upload())

    assert run.status is RunStatus.COMPLETED
    assert any("Similar clauses" in one for one in run.notes)


async def test_a_file_that_cannot_be_read_fails_with_one_sentence(reviewing: Reviewing) -> None:
    broken = b"%PDF-1.7\n" + b"\x00garbage" * 50
    async with reviewing.working():
        run = await reviewing.run(await reviewing.upload(broken, "broken.pdf"))

    assert (run.status, run.failed_step, run.retryable) == (RunStatus.FAILED, "parse", False)
    assert run.failure_reason
    assert "\n" not in run.failure_reason
    assert reviewing.stage.calls("anthropic") == []


async def test_events_bring_a_document_and_have_all_done_with_it(reviewing: Reviewing) -> None:
    async with reviewing.working():
        for _ in range(2):
            await send(reviewing, "nda/uploaded", "theirs", text=TEXT, userId=reviewing.stage.user.email)
        (line,) = await reviewing.office.documents.list(reviewing.tenant_id)
        (run,) = (await reviewing.view(line.id)).runs
        await reviewing.ended(run.id)
        await send(reviewing, "nda/analysis.requested", documentId=line.id.upper(), priority="urgent")
        await send(reviewing, "nda/analysis.retry", documentId=line.id, reason="again")
        await send(reviewing, "document/redline.requested", documentId=line.id)
        (redline,) = [one for one in (await reviewing.view(line.id)).runs if one.work is Work.REDLINE]
        assert (await reviewing.ended(redline.id)).status is RunStatus.COMPLETED
        await send(reviewing, "nda/analysis.cancelled", analysisId=run.id)
        assert (await reviewing.run_view(run.id)).status is RunStatus.COMPLETED, "it had ended"
        await send(reviewing, "nda/document.deleted", documentId=line.id)

    assert await reviewing.office.documents.list(reviewing.tenant_id) == ()
    assert (await reviewing.names()) == ["document/analysis.completed", "document/redline.completed"]


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("document/uploaded", {"documentId": "nothing"}, "documentId: there is no such document"),
        ("document/uploaded", {"text": "x", "userId": "nobody@harbour.example"}, "userId: there is no such user"),
        ("document/uploaded", {"text": "x"}, "a text needs userId"),
        ("document/uploaded", {}, "documentId or text is needed"),
        ("nda/analysis.requested", {"documentId": str(uuid4())}, "documentId: there is no such document"),
        ("nda/analysis.retry", {"documentId": "'; drop table"}, "documentId: there is no such document"),
        ("nda/comparison.requested", {"documentId": "x", "otherId": "y"}, "otherId is needed"),
        ("document/redline.requested", {"documentId": ""}, "documentId"),
    ],
    ids=["no document", "no user", "text alone", "nothing", "another's", "no id", "other", "empty"],
)
async def test_an_event_that_cannot_be_meant_is_refused_and_leaves_no_row(
    reviewing: Reviewing, name: str, data: dict[str, Any], said: str
) -> None:
    with pytest.raises(RefusedError) as refused:
        await send(reviewing, name, **data)

    assert refused.value.status == 400
    assert said in refused.value.sentence
    assert (await reviewing.stage.count("documents"), await reviewing.stage.count("received")) == (0, 0)


async def test_an_event_that_comes_too_early_is_parked_with_its_reason(reviewing: Reviewing) -> None:
    document_id = await reviewing.upload()
    await send(reviewing, "document/redline.requested", documentId=document_id)
    await send(reviewing, "nda/comparison.requested", documentId=document_id)
    async with reviewing.stage.database.tenant(reviewing.tenant_id) as connection:
        rows = await connection.fetch("SELECT state, reason FROM received ORDER BY received_at")

    assert [row["state"] for row in rows] == ["parked", "parked"]
    assert "reviewed before" in rows[0]["reason"]
    assert "no playbook" in rows[1]["reason"]


@pytest.mark.parametrize(
    ("data", "name", "said"),
    [
        (b"", "empty.txt", ""),
        (b"x" * (LARGEST_FILE + 1), "long.txt", "more than 20 MB"),
        (b"\xd0\xcf\x11\xe0", "a.doc", ""),
    ],
    ids=["empty", "too large", "old office"],
)
async def test_a_file_that_is_none_is_refused_in_one_sentence(
    reviewing: Reviewing, data: bytes, name: str, said: str
) -> None:
    with pytest.raises(UsageError) as refused:
        await reviewing.upload(data, name)

    assert said in refused.value.sentence
    assert "\n" not in refused.value.sentence
    assert (await reviewing.stage.count("documents"), reviewing.files()) == (0, [])


async def test_nobody_uploads_a_reference_or_for_nobody(reviewing: Reviewing) -> None:
    with pytest.raises(UsageError, match="library"):
        await reviewing.upload(role=Role.REFERENCE)
    with pytest.raises(NotFoundError, match="user"):
        await documents.upload(reviewing.office, reviewing.tenant_id, str(uuid4()), Role.REVIEW, "a.txt", TEXT.encode())
    # Its file goes with the others that nothing needs.
    left = (await reviewing.stage.count("unneeded_objects"), len(reviewing.files()))
    assert (await reviewing.stage.count("documents"), left) == (0, (1, 1))


async def test_without_a_place_for_files_nothing_is_taken(reviewing: Reviewing) -> None:
    reviewing.office = Office(reviewing.stage.settings(), reviewing.stage.database, reviewing.stage.temporal)
    with pytest.raises(NotReadyError, match="nowhere to keep"):
        await reviewing.upload()


async def test_another_tenant_s_documents_are_not_there(reviewing: Reviewing) -> None:
    document_id = await reviewing.upload()
    foreign = str(uuid4())
    with pytest.raises(NotFoundError):
        await documents.ask(reviewing.office, foreign, NewRun(document_id=document_id))
    assert not await documents.delete(reviewing.office, foreign, document_id)
    run = await reviewing.ask(document_id)
    with pytest.raises(NotFoundError):
        await documents.cancel(reviewing.office, foreign, run.run_id)
    assert (await reviewing.run_view(run.run_id)).status is RunStatus.QUEUED


async def test_one_that_is_retried_while_its_workflow_ends_is_begun(reviewing: Reviewing) -> None:
    """It is stopped and asked for again before any worker could see to either."""
    document_id = await reviewing.upload(another())
    asked = await reviewing.ask(document_id)
    assert await documents.cancel(reviewing.office, reviewing.tenant_id, asked.run_id)
    again = await documents.retry(reviewing.office, reviewing.tenant_id, asked.run_id, "on second thoughts")
    assert again.fresh
    async with reviewing.working():
        run = await reviewing.ended(asked.run_id)
        assert await reviewing.settled(asked) is WorkflowExecutionStatus.COMPLETED

    assert (run.status, run.version) == (RunStatus.COMPLETED, 2)
    assert await reviewing.names() == ["document/analysis.failed", "document/analysis.completed"]
