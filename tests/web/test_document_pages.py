"""The pages of documents: the way in, findings beside the words that they quote, comparisons, redlines, and refusals."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from uuid import uuid4

import pytest

from activities import errors
from activities.store.database import Database
from schemas.documents import Against, Role, RunStatus, Work
from starter.errands import AwayError
from starter.web import following
from starter.words import NotReadyError, UsageError
from tests.waiting import until
from tests.web.house import House, Visitor
from tests.web.papers import LETTER, TEXT, Papers

NOBODYS = "00000000-0000-4000-8000-00000000dead"


@pytest.fixture
async def house(database: Database) -> AsyncIterator[House]:
    async with AsyncExitStack() as exits:
        house = House(database, exits)
        await house.set_up()
        house.skills = Papers(house.tenant.id, house.user.id).parts()
        await exits.enter_async_context(house.open())
        yield house


@pytest.fixture
def kept(house: House) -> Papers:
    found = house.skills["documents"]
    assert isinstance(found, Papers)
    return found


@pytest.fixture
async def visitor(house: House) -> Visitor:
    return await house.sign_in()


async def test_there_is_a_list_with_status_and_risk(kept: Papers, visitor: Visitor) -> None:
    reviewed = kept.reviewed()
    kept.run(kept.put(name="Second.pdf"), percent=40)
    kept.put(name="Playbook.txt", role=Role.PLAYBOOK, user_id=None)
    got = await visitor.get("/documents")

    assert got.status == 200
    assert got.says(f'href="/documents/{reviewed.id}"')
    assert got.says("High risk")
    assert got.says('value="40"')
    assert got.says("Playbook, ")
    assert not got.says("Not reviewed yet")

    kept.compared(kept.put(name="Third.pdf"))
    assert (await visitor.get("/documents")).says("Not reviewed yet"), "a comparison is no review"


@pytest.mark.parametrize(
    "path", ["/documents", f"/documents/{NOBODYS}", f"/documents/{NOBODYS}/redlines/{NOBODYS}/file"]
)
async def test_strangers_are_led_to_the_sign_in(house: House, path: str) -> None:
    got = await (await house.visitor()).get(path)

    assert (got.status, got.to.partition("?")[0]) == (303, "/sign-in")


async def test_a_file_is_taken_and_its_review_begun(house: House, kept: Papers, visitor: Visitor) -> None:
    data = b"%PDF-1.7 " + bytes(300_000)
    got = await visitor.upload("/documents", data, "our\u202e NDA.pdf", urgent="yes")
    again = await visitor.upload("/documents", data, "our\u202e NDA.pdf", urgent="yes")

    document_id = next(iter(kept.documents))
    assert (got.status, got.to) == (303, f"/documents/{document_id}?note=document-new")
    assert again.to == f"/documents/{document_id}?note=document-known"
    assert kept.uploads == [(house.user.id, Role.REVIEW, "our NDA.pdf", data)]
    assert kept.wanted[0].urgent
    assert kept.wanted[0].work is Work.ANALYSIS


async def test_a_playbook_is_taken_and_not_reviewed(kept: Papers, visitor: Visitor) -> None:
    await visitor.send("/documents", "/documents", text="Two years at most.", role="playbook")

    assert [(role, data) for _, role, _, data in kept.uploads] == [(Role.PLAYBOOK, b"Two years at most.")]
    assert kept.wanted == []


@pytest.mark.parametrize("raised", [AwayError(), NotReadyError("Temporal does not answer")])
async def test_what_is_kept_is_kept_though_nothing_can_be_begun(
    kept: Papers, visitor: Visitor, raised: Exception
) -> None:
    kept.fails = raised
    got = await visitor.send("/documents", "/documents", text="A text")

    assert got.to.endswith("?note=document-later")
    assert (await visitor.get(got.to)).says("Its review could not be begun yet")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [(b"PK broken", "This Word file is broken and cannot be opened"), (b"", "Choose a file, or write into the form")],
    ids=["broken", "nothing"],
)
async def test_what_is_no_document_is_said_where_the_form_stands(
    kept: Papers, visitor: Visitor, data: bytes, sentence: str
) -> None:
    got = await visitor.upload("/documents", data, "nda.docx")

    assert got.status == 400
    assert got.says(sentence)
    assert kept.documents == {}


async def test_findings_stand_beside_the_words_that_they_quote(kept: Papers, visitor: Visitor) -> None:
    document = kept.reviewed()
    got = await visitor.get(f"/documents/{document.id}")

    assert got.status == 200
    for one in (
        "High risk",
        "Its duties survive for ten years.",
        "2 claims were left out",
        "It is a mutual agreement.",
    ):
        assert got.says(one), one
    # Two overlap: what both quote is marked by the graver one, and each begins and ends where it does.
    text = got.text.partition('id="text"')[2].partition("</section>")[0]
    assert (
        '<span class="begins" id="at-1"></span><mark class="quoted is-medium" data-finding="1">This Agreement lasts for </mark>'
        '<span class="begins" id="at-2"></span><mark class="quoted is-high" data-finding="2">five years.</mark>'
        '<a class="number is-medium" href="#finding-1">'
    ) in text
    assert "<b>1. Term</b>" in text
    words = re.sub(r'<span class="unseen">[^<]*</span>\d+|<[^>]*>', "", text.partition(">")[2].partition("</h2>")[2])
    assert "".join(words.split()) == "".join(TEXT.split())
    for number in (1, 2, 3):
        assert f'id="finding-{number}"' in got.text
        assert f'href="#at-{number}"' in got.text
    missing = got.text.partition('id="missing"')[2].partition("</section>")[0]
    assert "It does not say what is to be returned." in missing


async def test_somebody_elses_document_is_not_there(house: House, kept: Papers, visitor: Visitor) -> None:
    document = kept.reviewed(user_id=str(uuid4()))
    run = kept.redlined(document)
    for path in ("", f"/redlines/{run.id}", f"/redlines/{run.id}/file", f"/runs/{run.id}/events"):
        assert (await visitor.get(f"/documents/{document.id}{path}")).status == 404, path
    for path in ("/delete", "/runs", f"/runs/{run.id}/cancel", f"/runs/{run.id}/retry"):
        got = await visitor.send(f"/documents/{document.id}{path}", "/documents", work="analysis")
        assert got.status == 404, path
    assert (kept.deleted, kept.wanted, kept.stopped, kept.retried) == ([], [], [], [])


async def test_what_is_the_tenants_is_read_and_not_changed(kept: Papers, visitor: Visitor) -> None:
    playbook = kept.put(role=Role.PLAYBOOK, user_id=None)
    got = await visitor.get(f"/documents/{playbook.id}")
    assert got.says("This Agreement lasts for five years.")
    assert not got.says("Delete this document")

    refused = await visitor.send(f"/documents/{playbook.id}/delete", "/documents")
    assert refused.status == 400
    assert refused.says("only who runs this changes it")
    assert kept.deleted == []


@pytest.mark.parametrize(
    ("fields", "against"),
    [
        ({"work": "analysis", "again": "yes"}, None),
        ({"work": "redline"}, None),
        ({"work": "comparison", "with": "playbook"}, Against.PLAYBOOK),
        ({"work": "comparison", "with": "nearest"}, Against.NEAREST),
    ],
    ids=["analysis", "redline", "playbook", "nearest"],
)
async def test_work_is_asked_for(
    kept: Papers, visitor: Visitor, fields: dict[str, str], against: Against | None
) -> None:
    page = f"/documents/{kept.reviewed().id}"
    got = await visitor.send(f"{page}/runs", page, **fields)

    assert (got.status, got.to) == (303, f"{page}?note=document-asked")
    wanted = kept.wanted[0]
    assert (wanted.work.value, wanted.against, wanted.again) == (fields["work"], against, "again" in fields)


async def test_a_document_is_compared_with_one_that_is_seen(kept: Papers, visitor: Visitor) -> None:
    mine, other, theirs = kept.reviewed(), kept.put(name="Other"), kept.put(user_id=str(uuid4()))
    page = f"/documents/{mine.id}"
    await visitor.send(f"{page}/runs", page, work="comparison", **{"with": other.id})
    assert (kept.wanted[0].against, kept.wanted[0].other_id) == (Against.DOCUMENT, other.id)

    for strange in (theirs.id, NOBODYS, "; DROP", ""):
        got = await visitor.send(f"{page}/runs", page, work="comparison", **{"with": strange})
        assert (got.status, got.says("must be one of what is listed")) == (400, True), strange
    assert (await visitor.send(f"{page}/runs", page, work="anything")).status == 400
    assert len(kept.wanted) == 1


async def test_what_cannot_be_done_is_said(kept: Papers, visitor: Visitor) -> None:
    page, kept.fails = f"/documents/{kept.reviewed().id}", UsageError("There is no playbook to compare it with")
    got = await visitor.send(f"{page}/runs", page, work="comparison", **{"with": "playbook"})

    assert got.status == 400
    assert got.says("There is no playbook to compare it with")


async def test_what_is_under_way_is_shown_and_stopped(kept: Papers, visitor: Visitor) -> None:
    document = kept.put("")
    run = kept.run(document, percent=40, message="Part 2 of 5")
    page = f"/documents/{document.id}"
    got = await visitor.get(page)
    assert got.says(f'data-follow="{page}/runs/{run.id}/events"')
    assert got.says("40 percent: Part 2 of 5")
    assert got.says("Its text stands here once it has been read.")

    stopped = await visitor.send(f"{page}/runs/{run.id}/cancel", page)
    assert (stopped.to, kept.stopped) == (f"{page}?note=run-stopped", [run.id])


async def test_what_failed_is_tried_again_with_a_reason(kept: Papers, visitor: Visitor) -> None:
    document = kept.put("")
    why = {"failure_reason": "The file is password protected", "failed_step": "parse", "retryable": True}
    run = kept.run(document, status=RunStatus.FAILED, **why)
    page = f"/documents/{document.id}"
    assert (await visitor.get(page)).says("The file is password protected")

    got = await visitor.send(f"{page}/runs/{run.id}/retry", page, reason="It was\u202e unlocked")
    assert (got.status, kept.retried) == (303, [(run.id, "It was unlocked")])
    kept.run(document, id=run.id, status=RunStatus.FAILED, retryable=False)
    got = await visitor.get(page)
    assert got.says("Send a mended file.")
    assert not got.says("Try again")
    elsewhere = kept.put("")
    assert (await visitor.send(f"/documents/{elsewhere.id}/runs/{run.id}/retry", page)).status == 404


async def test_a_document_is_deleted_by_a_form_of_ours_alone(kept: Papers, visitor: Visitor) -> None:
    document = kept.reviewed()
    page = f"/documents/{document.id}"
    assert (await visitor.post(f"{page}/delete", {"csrf": "made up"})).status == 403
    assert kept.deleted == []

    assert (await visitor.send(f"{page}/delete", page)).to == "/documents?note=document-deleted"
    assert kept.deleted == [document.id]


async def test_a_comparison_stands_side_by_side(kept: Papers, visitor: Visitor) -> None:
    document = kept.reviewed()
    run = kept.compared(document)
    got = await visitor.get(f"/documents/{document.id}/comparisons/{run.id}")

    assert got.says("2 clauses differ, 1 says the same")
    assert "This Agreement lasts for <mark>five </mark>years." in got.text
    assert "This Agreement lasts for <mark>two </mark>years." in got.text
    assert got.says("Is missing here")
    assert got.text.index("Matters much") < got.text.index("Matters little")
    assert got.says(f'href="/documents/{document.id}#clause-1"')
    other = kept.put()
    assert (await visitor.get(f"/documents/{other.id}/comparisons/{run.id}")).status == 404


async def test_a_redline_is_read_downloaded_and_its_letter_copied(kept: Papers, visitor: Visitor) -> None:
    document = kept.reviewed()
    run = kept.redlined(document)
    page = f"/documents/{document.id}/redlines/{run.id}"
    got = await visitor.get(page)
    assert "lasts for <del>five </del><ins>two </ins>years." in got.text
    assert got.says("Two years are what we agree to.")
    assert got.says(LETTER)

    async with visitor.session.get(f"{page}/file") as file:
        assert await file.read() == b"PK\x03\x04 a redline"
        assert file.headers["Content-Disposition"] == (
            'attachment; filename="Freedonia _NDA_-redline.docx"; '
            "filename*=UTF-8''Freedonia%20%E2%80%9ENDA%E2%80%9C-redline.docx"
        )
        assert file.headers["Content-Security-Policy"].endswith("; sandbox")
        assert file.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_file_that_is_away_is_said(kept: Papers, visitor: Visitor) -> None:
    document = kept.reviewed()
    run = kept.redlined(document)
    page = f"/documents/{document.id}/redlines/{run.id}/file"
    kept.files.clear()
    assert (await visitor.get(page)).status == 404
    kept.fails = NotReadyError("There is nowhere to keep files")
    assert (await visitor.get(page)).status == 503
    kept.run(document, id=run.id, status=RunStatus.RUNNING)
    assert (await visitor.get(page)).status == 404


async def test_progress_is_heard_until_it_has_ended(
    house: House, kept: Papers, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "BETWEEN_S", 0.02)
    monkeypatch.setattr(following, "AWAY_S", 0.02)
    document = kept.put("")
    run = kept.run(document)
    heard = []
    async with visitor.session.get(f"/documents/{document.id}/runs/{run.id}/events") as response:
        assert response.content_type == "text/event-stream"
        async for line in response.content:
            name, _, said = line.decode().partition(": ")
            if name != "data":
                continue
            heard.append(json.loads(said))
            match len(heard):
                case 1:
                    kept.blind, asked = errors.unreachable("postgres", OSError()), kept.views
                    await until(partial(_more, kept, asked + 1))
                    kept.run(document, id=run.id, percent=60, message="Part 3 of 5")
                    kept.blind = None
                case 2:
                    kept.run(document, id=run.id, status=RunStatus.COMPLETED, percent=100, ended_at=house.now)

    assert [(one["status"], one["percent"]) for one in heard] == [("running", 5), ("running", 60), ("completed", 100)]
    assert heard[1]["message"] == "Part 3 of 5"


async def _more(kept: Papers, views: int) -> bool:
    return kept.views > views


async def test_as_many_listen_as_can_be_told(kept: Papers, visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "MOST_OF_TENANT", 0)
    document = kept.put("")
    run = kept.run(document)
    got = await visitor.get(f"/documents/{document.id}/runs/{run.id}/events")

    assert (got.status, got.headers["retry-after"]) == (503, "5")


async def test_a_long_document_is_shown_whole(kept: Papers, visitor: Visitor) -> None:
    document = kept.put(TEXT * 3000)
    got = await visitor.get(f"/documents/{document.id}")

    assert got.text.count("lasts for five years") == 3000
