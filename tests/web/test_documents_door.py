"""The door through which other applications bring documents: keys, files, refusals, and what is told."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from activities import errors
from activities.store.database import Database
from schemas.documents import LARGEST_FILE, Against, Role, RunStatus, Work
from starter.errands import AwayError
from starter.web import documents_door, guard
from starter.words import NotFoundError, NotReadyError, UsageError
from tests.web.house import House
from tests.web.papers import KEY, TEXT, Papers

DOCUMENTS = "/api/documents"
PDF = {"Content-Type": "application/pdf"}


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
async def door(house: House) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(house.base, headers={"Authorization": f"Bearer {KEY}"}) as session:
        yield session


async def said(answer: Any) -> tuple[int, Any]:
    async with answer as got:
        assert got.content_type == "application/json"
        return got.status, await got.json()


def form(data: bytes, **fields: str) -> aiohttp.FormData:
    made = aiohttp.FormData(fields, quote_fields=False)
    made.add_field("file", io.BytesIO(data), filename="our NDA.pdf", content_type="application/pdf")
    return made


async def test_a_form_with_a_file_is_a_document_and_its_review(
    house: House, kept: Papers, door: aiohttp.ClientSession
) -> None:
    data = b"%PDF-1.7 " + bytes(2_000_000)
    fields = {"urgent": "true", "userId": house.user.email.upper()}
    status, first = await said(door.post(DOCUMENTS, data=form(data, **fields)))
    again, second = await said(door.post(DOCUMENTS, data=form(data, **fields)))

    assert (status, again) == (201, 200)
    assert first["documentId"] == second["documentId"] == next(iter(kept.documents))
    assert first["status"] == "queued"
    assert kept.uploads == [(house.user.id, Role.REVIEW, "our NDA.pdf", data)]
    assert kept.wanted[0].urgent


async def test_a_file_may_be_sent_as_it_is(kept: Papers, door: aiohttp.ClientSession) -> None:
    query = {"name": "play\u202ebook.pdf", "role": "playbook"}
    status, told = await said(door.post(DOCUMENTS, data=b"%PDF", params=query, headers=PDF))

    assert (status, told["analysisId"], told["status"]) == (201, None, None)
    assert kept.uploads == [(None, Role.PLAYBOOK, "playbook.pdf", b"%PDF")]
    unread = {"review": "false", "userId": kept.user_id}
    status, _ = await said(door.post(DOCUMENTS, data=b"text", params=unread, headers=PDF))
    assert (status, kept.wanted) == (201, [])


async def test_what_is_there_is_listed(kept: Papers, door: aiohttp.ClientSession) -> None:
    reviewed, fresh = kept.reviewed(), kept.put(name="Second.pdf")
    status, told = await said(door.get(DOCUMENTS))

    assert status == 200
    assert [(one["documentId"], one["status"], one["risk"]) for one in told["documents"]] == [
        (fresh.id, None, None),
        (reviewed.id, "completed", "high"),
    ]


async def test_an_empty_file_of_a_form_is_called_empty(kept: Papers, door: aiohttp.ClientSession) -> None:
    got = await said(door.post(DOCUMENTS, data=form(b"", userId=kept.user_id)))

    assert got == (400, {"error": "the file is empty"})


@pytest.mark.parametrize(
    ("headers", "query", "data", "status", "sentence"),
    [
        (PDF, {}, b"", 400, "send a file"),
        (PDF, {"name": "nda.pdf"}, b"", 400, "the file is empty"),
        (PDF, {}, b"x", 400, "userId: say whose it is"),
        (PDF, {"role": "reference"}, b"x", 400, "role: must be review or playbook"),
        (PDF, {"urgent": "perhaps"}, b"x", 400, "urgent: must be true or false"),
        (PDF, {"userId": "nobody@elsewhere.example"}, b"x", 404, "userId: there is no such user"),
        (PDF, {"userId": str(uuid4())}, b"x", 404, "userId: there is no such user"),
        (PDF, {"role": "playbook"}, b"PK broken", 400, "This Word file is broken"),
        ({"Content-Type": "application/json"}, {}, b"{}", 415, "a file is wanted"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, {}, b"a=b", 415, "a file is wanted"),
        ({"Content-Type": "multipart/form-data; boundary=x"}, {}, b"garbage", 400, "could not be read"),
        ({"Content-Type": "multipart/form-data"}, {}, b"--x\r\n\r\n", 400, "could not be read"),
    ],
)
async def test_what_is_no_document_is_refused(
    kept: Papers,
    door: aiohttp.ClientSession,
    headers: dict[str, str],
    query: dict[str, str],
    data: bytes,
    status: int,
    sentence: str,
) -> None:
    got, told = await said(door.post(DOCUMENTS, headers=headers, params=query, data=data))

    assert (got, list(told)) == (status, ["error"])
    assert sentence in told["error"]
    assert kept.documents == {}


async def test_more_than_a_file_may_have_is_not_read(kept: Papers, door: aiohttp.ClientSession) -> None:
    status, told = await said(door.post(DOCUMENTS, headers=PDF, data=io.BytesIO(bytes(LARGEST_FILE + 100_000))))

    assert (status, told) == (413, {"error": "more than 20544 KiB were sent"})
    assert kept.documents == {}


@pytest.mark.parametrize("authorization", ["", "Bearer ", "Bearer wrong", f"Basic {KEY}", "Bearer " + "x" * 5000])
async def test_without_a_key_nothing_is_told_and_nothing_large_is_read(
    kept: Papers, door: aiohttp.ClientSession, authorization: str
) -> None:
    document = kept.reviewed()
    one, headers = f"{DOCUMENTS}/{document.id}", {"Authorization": authorization}
    for method, path in (("GET", DOCUMENTS), ("POST", DOCUMENTS), ("GET", one), ("DELETE", one), ("GET", f"{one}/redline"),
                         ("POST", f"{one}/runs"), ("GET", f"{one}/runs/{uuid4()}"),
                         ("DELETE", f"{one}/runs/{uuid4()}")):  # fmt: skip
        status, told = await said(door.request(method, path, headers=headers, data=b"{"))
        assert (status, told) == (401, {"error": "there is no such event key, or it was revoked"})
    assert (kept.views, kept.deleted) == (0, [])


async def test_a_document_is_told_whole(kept: Papers, door: aiohttp.ClientSession) -> None:
    document = kept.reviewed()
    status, told = await said(door.get(f"{DOCUMENTS}/{document.id}"))

    assert (status, told["documentId"], told["sizeBytes"], told["text"]) == (200, document.id, 20_480, TEXT)
    (run,) = told["runs"]
    assert (run["status"], run["risk"], run["failureReason"]) == ("completed", "high", "")
    passage = told["findings"][0]["passage"]
    assert told["text"][passage["start"] : passage["end"]] == passage["quote"]
    for strange in (str(uuid4()), "1", "'; DROP"):
        assert (await said(door.get(f"{DOCUMENTS}/{strange}")))[0] == 404


async def test_work_is_asked_for_read_and_stopped(kept: Papers, door: aiohttp.ClientSession) -> None:
    document, other = kept.reviewed(), kept.put()
    runs = f"{DOCUMENTS}/{document.id}/runs"
    wanted = {"work": "comparison", "against": "document", "otherId": other.id, "urgent": True}
    status, told = await said(door.post(runs, json=wanted))
    assert (status, told["documentId"], told["work"], told["status"]) == (201, document.id, "comparison", "queued")
    assert (kept.wanted[0].against, kept.wanted[0].other_id) == (Against.DOCUMENT, other.id)

    status, told = await said(door.delete(f"{runs}/{told['runId']}"))
    assert (status, told["stopped"], kept.stopped) == (202, True, [told["runId"]])
    compared, redlined = kept.compared(document), kept.redlined(document)
    _, told = await said(door.get(f"{runs}/{compared.id}"))
    assert [one["change"] for one in told["differences"]] == ["changed", "missing", "same"]
    _, told = await said(door.get(f"{runs}/{redlined.id}"))
    assert told["proposals"][0]["reason"] == "Two years are what we agree to."
    assert (await said(door.get(f"{DOCUMENTS}/{other.id}/runs/{compared.id}")))[0] == 404
    assert (await said(door.delete(f"{runs}/{redlined.id}")))[0] == 200


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        (b"[]", 400, "must be a JSON object"),
        (b"{", 400, "JSON"),
        (b'{"work": "sing"}', 400, "body.work"),
        (b'{"work": "comparison"}', 400, "against: is needed"),
        (b'{"against": "playbook"}', 400, "against: is needed"),
        (b'{"work": "comparison", "against": "document"}', 400, "otherId: is needed"),
        (b'{"work": "comparison", "against": "nearest", "otherId": "x"}', 400, "otherId: is needed"),
        (b'{"work": "comparison", "against": "document", "otherId": "x"}', 400, "otherId: must be an id"),
        (b'{"reason": "' + b"x" * 501 + b'"}', 400, "body.reason"),
        (b'{"reason": "a\\u0000"}', 400, "body.reason"),
        (b'{"tenantId": "00000000-0000-4000-8000-000000000000"}', 403, "another tenant"),
        (b" " * 70_000, 413, "KiB were sent"),
    ],
)
async def test_work_that_cannot_be_meant_is_refused(
    kept: Papers, door: aiohttp.ClientSession, body: bytes, status: int, sentence: str
) -> None:
    got, told = await said(door.post(f"{DOCUMENTS}/{kept.reviewed().id}/runs", data=body))

    assert (got, list(told)) == (status, ["error"])
    assert sentence in told["error"]
    assert kept.wanted == []


@pytest.mark.parametrize(
    ("raised", "status", "sentence"),
    [
        (UsageError("There is no playbook", "greenroom document upload"), 400, "There is no playbook"),
        (NotFoundError("There is no such document"), 404, "There is no such document"),
        (NotReadyError("There is nowhere to keep files"), 503, "There is nowhere to keep files"),
        (AwayError(), 503, "that cannot be done just now; try it again"),
        (errors.unreachable("postgres", OSError("hush")), 503, "that cannot be done just now; try it again"),
    ],
    ids=["usage", "not found", "not ready", "away", "postgres"],
)
async def test_what_goes_wrong_is_a_sentence(
    kept: Papers, door: aiohttp.ClientSession, raised: Exception, status: int, sentence: str
) -> None:
    kept.fails = raised
    got = await said(door.post(f"{DOCUMENTS}/{kept.reviewed().id}/runs", json={}))

    assert got == (status, {"error": sentence})


async def test_a_redline_is_a_file_and_a_document_is_deleted(kept: Papers, door: aiohttp.ClientSession) -> None:
    document = kept.reviewed()
    one = f"{DOCUMENTS}/{document.id}"
    assert (await said(door.get(f"{one}/redline")))[0] == 404
    kept.redlined(document)
    async with door.get(f"{one}/redline") as got:
        assert (got.status, got.content_type) == (
            200,
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        )
        assert await got.read() == b"PK\x03\x04 a redline"

    assert await said(door.delete(one)) == (200, {"documentId": document.id, "deleted": True})
    assert (await said(door.delete(one)))[0] == 404
    assert kept.deleted == [document.id]


async def test_who_waits_too_long_is_told_to_come_again(
    kept: Papers, door: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents_door, "PATIENCE_S", 0.05)
    kept.stalled = asyncio.Event()
    status, told = await said(door.get(f"{DOCUMENTS}/{kept.reviewed().id}"))

    assert (status, told) == (503, {"error": "that cannot be done just now; try it again"})


async def test_a_file_over_a_slow_line_is_waited_for(
    kept: Papers, door: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Longer than any other page may take."""
    monkeypatch.setattr(guard, "LONGEST_S", 0.3)
    monkeypatch.setattr(documents_door, "PATIENCE_S", 0.3)

    async def slowly() -> AsyncIterator[bytes]:
        yield b"%PDF" + bytes(99_996)
        await asyncio.sleep(0.8)
        yield bytes(100_000)

    headers, query = PDF | {"Content-Length": "200000"}, {"userId": kept.user_id}
    status, _ = await said(door.post(DOCUMENTS, data=slowly(), headers=headers, params=query))

    assert (status, len(kept.uploads[0][3])) == (201, 200_000)


async def test_what_has_ended_is_told_as_it_stands(kept: Papers, door: aiohttp.ClientSession) -> None:
    document = kept.put()
    run = kept.run(document, status=RunStatus.FAILED, work=Work.ANALYSIS, failure_reason="Its pages are pictures")
    _, told = await said(door.get(f"{DOCUMENTS}/{document.id}/runs/{run.id}"))

    assert (told["runId"], told["failureReason"], told["documentId"]) == (run.id, "Its pages are pictures", document.id)
