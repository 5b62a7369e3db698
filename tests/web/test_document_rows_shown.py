"""Documents that are rows and files, on the pages and behind the door: the same as with the twins of other tests."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from activities.documents import keys
from activities.providers.objects import ObjectStore
from activities.store.database import Database
from activities.store.documents import DocumentStore
from schemas.documents import RunStatus
from starter import documents
from starter.environment import connect
from starter.office import Office
from starter.web.document_desk import Reviewing
from tests.web.house import House

NDA = b"Mutual Non-Disclosure Agreement (fictional)\n\n1. Term. This agreement lasts for two years.\n"


@pytest.fixture
async def house(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    """Temporal is away: what is asked for is written down."""
    monkeypatch.setattr(documents, "PATIENCE_S", 0.1)
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    async with AsyncExitStack() as exits:
        house = House(database, exits)
        await house.set_up()
        away = await connect(house.settings(), lazy=True)
        office = Office(house.settings(objects_url=tmp_path.as_uri()), database, away)
        house.skills = {"documents": DocumentStore(database), "document_desk": Reviewing(office)}
        await exits.enter_async_context(house.open())
        yield house


async def test_a_file_is_a_row_with_its_review_until_it_is_deleted(house: House, tmp_path: Path) -> None:
    visitor = await house.sign_in()
    got = await visitor.upload("/documents", NDA, "nda.txt")
    page = got.to.partition("?")[0]
    document_id = page.rpartition("/")[2]
    original = tmp_path / keys.original(house.tenant.id, document_id)
    assert original.read_bytes() == NDA
    shown = await visitor.get(page)
    assert shown.says("nda.txt")
    assert shown.says("Waiting for its turn")
    assert (await visitor.get("/documents")).says("Waiting for its turn")
    assert (await (await house.sign_in(house.stranger.email)).get(page)).status == 404

    (run,) = await house.run("SELECT id, status FROM document_runs")
    await visitor.send(f"{page}/runs/{run['id']}/cancel", page)
    again = await visitor.send(f"{page}/runs/{run['id']}/retry", page, reason="It was a slip")
    assert again.status == 303, again.text
    (row,) = await house.run("SELECT status, reason FROM document_runs")
    assert (RunStatus(row["status"]), row["reason"]) == (RunStatus.QUEUED, "It was a slip")
    refused = await visitor.send(f"{page}/runs", page, work="redline")
    assert (refused.status, 'role="alert"' in refused.text) == (400, True)

    assert (await visitor.send(f"{page}/delete", page)).to == "/documents?note=document-deleted"
    assert (await visitor.get(page)).status == 404
    assert await house.run("SELECT id FROM document_runs") == []


async def test_what_a_redline_drew_is_had_from_where_it_lies(house: House, tmp_path: Path) -> None:
    visitor = await house.sign_in()
    page = (await visitor.upload("/documents", NDA, "nda.txt")).to.partition("?")[0]
    document_id = page.rpartition("/")[2]
    (run,) = await house.run(
        """
        INSERT INTO document_runs (tenant_id, document_id, work, status, version, object_key, created_at, asked_at)
        VALUES (current_tenant(), $1, 'redline', 'completed', 1, 'k/redline.docx', $2, $2) RETURNING id
        """,
        document_id,
        house.now,
    )
    file = f"{page}/redlines/{run['id']}/file"
    assert (await visitor.get(file)).status == 404
    store = ObjectStore.at(tmp_path.as_uri())
    await store.put("k/redline.docx", b"PK a redline", "application/octet-stream")

    got = await visitor.get(file)
    assert (got.status, got.text) == (200, "PK a redline")
    assert 'filename="nda-redline.docx"' in got.headers["content-disposition"]
    assert (await visitor.get(f"{page}/redlines/{run['id']}")).status == 200
