"""Bills are loaded by the clock, or from a file; a load that ends early leaves no gap that nobody looks for."""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment
from typer.testing import CliRunner

from activities import errors
from activities.bills import FIRST, BillActivities
from activities.digests.ports import Bill, BillPage
from activities.pacing import Pacing
from activities.providers.congress import UnitedStates
from activities.store.bills import BillStore
from activities.store.database import Database
from sandbox import Sandbox
from schemas.bills import BillsLoaded, BillSweep
from starter.cli import bills as cli
from starter.cli.bills import app
from starter.dev.postgres import Urls
from starter.words import UsageError
from tests.fakes import FakePaces
from worker import build_worker
from workflows import queues
from workflows.bills import BillsWorkflow

PACING = Pacing(FakePaces(), {})  # type: ignore[arg-type]


def bill(number: int, day: int) -> Bill:
    return Bill(
        id=f"900-hr-{number}",
        title=f"Bill {number} (sandbox data)",
        chamber="House",
        action="Passed.",
        acted_on=None,
        updated_on=date(2026, 11, day),
        url=f"https://congress.example/{number}",
    )


@dataclass
class Rows:
    """What is kept, in the order in which it came."""

    kept: list[Bill] = field(default_factory=list)
    loads: list[int] = field(default_factory=list)

    async def newest(self, *, sandbox: bool) -> date | None:
        return max((one.updated_on for one in self.kept), default=None)

    async def load(self, bills: Sequence[Bill], now: datetime, *, sandbox: bool) -> int:
        self.loads.append(len(bills))
        self.kept += bills
        return len(bills)


@dataclass
class Assembly:
    """A Congress with these bills, two a page, the newest first; it fails at a page when it is told to."""

    bills_: list[Bill]
    breaks_at: int | None = None
    asked: list[tuple[date, int]] = field(default_factory=list)
    name: str = "congress"
    sandbox: bool = True

    async def bills(self, since: date, offset: int) -> BillPage:
        self.asked.append((since, offset))
        if offset == self.breaks_at:
            raise errors.unreachable("congress", TimeoutError())
        found = sorted(
            (one for one in self.bills_ if one.updated_on >= since), key=lambda one: one.updated_on, reverse=True
        )
        return BillPage(tuple(found[offset : offset + 2]), offset + 2 if offset + 2 < len(found) else None)


async def load(rows: Rows, congress: Assembly | None) -> BillsLoaded:
    loaded: BillsLoaded = await ActivityEnvironment().run(BillActivities(rows, congress, PACING).load, BillSweep())
    return loaded


async def test_what_a_file_brought_hides_nothing_of_the_last_days() -> None:
    rows, congress = Rows([bill(1, 10)]), Assembly([bill(1, 9), bill(2, 10), bill(3, 12), bill(4, 11), bill(5, 12)])
    assert await load(rows, congress) == BillsLoaded(seen=5, changed=5)
    # Activities of this environment begin at the epoch.
    since = (datetime.fromtimestamp(0, UTC) - FIRST).date()
    assert congress.asked == [(since, 0), (since, 2), (since, 4)]
    days = [one.updated_on for one in rows.kept]
    assert days[1:] == sorted(days[1:]), "the oldest first"


async def test_the_first_load_looks_back_a_while() -> None:
    congress = Assembly([])
    assert await load(Rows(), congress) == BillsLoaded()
    ((since, _),) = congress.asked
    # Activities of this environment begin at the epoch.
    assert since == (datetime.fromtimestamp(0, UTC) - FIRST).date()


async def test_a_load_that_fails_keeps_nothing_so_that_the_next_begins_where_it_did() -> None:
    rows = Rows([bill(1, 1)])
    congress = Assembly([bill(n, n) for n in range(1, 8)], breaks_at=4)
    with pytest.raises(ApplicationError):
        await load(rows, congress)
    assert len(rows.kept) == 1
    congress.breaks_at = None
    assert (await load(rows, congress)).seen == 7


async def test_pages_without_an_end_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("activities.bills.MOST_PAGES", 3)
    assert (await load(Rows(), Assembly([bill(n, 1 + n % 20) for n in range(1, 30)]))).seen == 6


async def test_many_are_kept_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("activities.bills.AT_ONCE", 2)
    rows = Rows()
    await load(rows, Assembly([bill(n, n) for n in range(1, 6)]))
    assert rows.loads == [2, 2, 1]


async def test_without_a_congress_nothing_is_loaded() -> None:
    assert await load(Rows(), None) == BillsLoaded()


async def test_the_whole_way_from_the_pretended_congress_to_rows(
    temporal: Client, database: Database, sandbox: Sandbox
) -> None:
    queue, store = f"test-bills-{uuid4()}", BillStore(database)
    async with aiohttp.ClientSession() as session:
        congress = UnitedStates(session, base_url=sandbox.congress_url, key="sandbox", sandbox=True)
        owners = [BillActivities(store, congress, PACING)]
        workflows = build_worker(temporal, owners, task_queue=f"{queue}-{queues.WORKFLOWS}")
        async with workflows, build_worker(temporal, owners, task_queue=queues.NEWS):
            first, second = [
                await temporal.execute_workflow(
                    BillsWorkflow.run, BillSweep(), id=queue, task_queue=f"{queue}-{queues.WORKFLOWS}"
                )
                for _ in range(2)
            ]
    assert first.seen > 20
    assert second.changed == 0, "nothing has changed meanwhile"
    assert {one.id for one in await store.list("harbour safety")} >= {
        one.id for one in await store.list("harbour safety", 1)
    }
    assert await store.newest(sandbox=True) is not None


API = {
    "congress": 900,
    "type": "HR",
    "number": "4001",
    "title": "Umbrella Act (sandbox data)",
    "originChamber": "House",
    "updateDate": "2026-11-20",
    "latestAction": {"actionDate": "2026-11-19", "text": "Passed House."},
}
CSV = (
    "congress,type,number,title,originChamber,updateDate,actionDate,action,url,summary\n"
    '900,S,4002,"Umbrella Act, the second (sandbox data)",Senate,2026-11-21,2026-11-20,Introduced.,,What it would do.\n'
    "900,ZZ,1,No bill,Senate,2026-11-21,,,,\n"
)


@pytest.fixture
def environment(urls: Urls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", urls.application)
    monkeypatch.setenv("DATABASE_CROSSING_URL", urls.crossing)


def call(*arguments: str, stdin: str = "") -> Any:
    result = CliRunner().invoke(app, [*arguments, "--json"], input=stdin, catch_exceptions=False)
    assert result.exit_code == 0
    return json.loads(result.stdout)


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(
    ("text", "unread"),
    [(json.dumps({"bills": [API, None]}), 1), (json.dumps([API]), 0), (CSV, 1), ("\ufeff" + CSV, 1)],
    ids=["json", "list", "csv", "csv with a mark"],
)
def test_a_file_is_taken(text: str, unread: int) -> None:
    first = call("import", "-", "--sandbox", stdin=text)
    assert (first["read"], first["unread"]) == (1, unread)
    assert call("import", "-", "--sandbox", stdin=text)["changed"] == 0, "the same file again changes nothing"
    found = call("list", "umbrella")
    assert {one["updated_on"] for one in found} <= {"2026-11-20", "2026-11-21"}
    assert found


@pytest.mark.parametrize(
    "data", [b"", b"{", b'{"bills": 1}', b"{}", b"a,b\n1,2\n", b"\xff\xfe", b"[" * 100_000, b"1", b"congress\x00,\n"]
)
def test_a_file_that_holds_no_bills_is_refused(data: bytes) -> None:
    with pytest.raises(UsageError, match="holds no bills"):
        cli._read(io.BytesIO(data))  # type: ignore[arg-type]


def test_a_file_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "LARGEST", 10)
    with pytest.raises(UsageError, match="larger"):
        cli._read(io.BytesIO(b"[" + b" " * 20 + b"]"))  # type: ignore[arg-type]
