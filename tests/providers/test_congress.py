"""Bills as their congress publishes them: each that can be read, and nothing else."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.exceptions import ApplicationError

from activities.digests.ports import Bill
from activities.providers import congress
from activities.providers.congress import UnitedStates
from sandbox import Sandbox
from tests.providers.test_brave import JSON

BILL = {
    "congress": 119,
    "type": "HJRES",
    "number": "12",
    "title": "A joint resolution on <i>ferries</i>",
    "originChamber": "House",
    "updateDate": "2026-11-22",
    "latestAction": {"actionDate": "2026-11-20", "text": "Passed House by 220 to 210."},
    "url": "https://api.congress.gov/v3/bill/119/hjres/12?format=json",
}
LONG_AGO = date(2020, 1, 1)


@pytest.fixture
async def bills(sandbox: Sandbox) -> AsyncIterator[UnitedStates]:
    sandbox.world.clock.set(datetime(2026, 11, 23, 6, tzinfo=UTC))
    async with aiohttp.ClientSession() as session:
        yield UnitedStates(session, base_url=sandbox.congress_url, key="sandbox-key", timeout_s=1, sandbox=True)


def read(**fields: Any) -> Bill | None:
    return next(iter(congress.read({"bills": [BILL | fields]}).bills), None)


def test_a_bill() -> None:
    assert read() == Bill(
        id="119-hjres-12",
        title="A joint resolution on ferries",
        chamber="House",
        action="Passed House by 220 to 210.",
        acted_on=date(2026, 11, 20),
        updated_on=date(2026, 11, 22),
        url="https://www.congress.gov/bill/119th-congress/house-joint-resolution/12",
    )


@pytest.mark.parametrize(
    ("number", "called"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (11, "11th"), (112, "112th"), (121, "121st"), (119, "119th")],
)
def test_congresses_are_counted(number: int, called: str) -> None:
    bill = read(congress=number)
    assert bill is not None
    assert f"/{called}-congress/" in bill.url


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"latestAction": None}, {"action": "", "acted_on": None}),
        ({"latestAction": {"actionDate": "soon"}}, {"action": "", "acted_on": None}),
        ({"originChamber": None}, {"chamber": ""}),
        ({"updateDate": "2026-11-22T09:15:00Z"}, {"updated_on": date(2026, 11, 22)}),
        ({"url": "https://bills.example/12"}, {"url": "https://bills.example/12"}),
        (
            {"url": "javascript:alert(1)"},
            {"url": "https://www.congress.gov/bill/119th-congress/house-joint-resolution/12"},
        ),
        ({"url": None}, {"url": "https://www.congress.gov/bill/119th-congress/house-joint-resolution/12"}),
        ({"summary": "What it <b>would</b> do."}, {"summary": "What it would do."}),
    ],
    ids=lambda fields: str(fields)[:50],
)
def test_what_may_be_absent_or_otherwise(fields: dict[str, Any], found: dict[str, Any]) -> None:
    bill = read(**fields)
    assert bill is not None
    assert {name: getattr(bill, name) for name in found} == found


@pytest.mark.parametrize(
    "fields",
    [
        {"congress": None},
        {"type": "ZZ"},
        {"type": "hr/../s"},
        {"number": "0"},
        {"number": "1' OR 1=1"},
        {"title": ""},
        {"updateDate": "soon"},
        {"updateDate": None},
        {"latestAction": "owned"},
    ],
    ids=str,
)
def test_what_is_no_bill(fields: dict[str, Any]) -> None:
    assert read(**fields) is None


@given(
    st.fixed_dictionaries(
        {}, optional={"bills": JSON | st.lists(st.fixed_dictionaries(dict.fromkeys(BILL, JSON))), "pagination": JSON}
    )
)
def test_any_answer_is_read_or_nonsense(answer: dict[str, Any]) -> None:
    try:
        page = congress.read(answer)
    except ApplicationError as error:
        assert error.type == "ProviderNonsense"
        return
    assert all(bill.title and bill.url.startswith("https://") for bill in page.bills)


async def test_pages_follow_each_other(bills: UnitedStates, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(congress, "PAGE", 50)
    first = await bills.bills(LONG_AGO, 0)
    assert (len(first.bills), first.offset) == (50, 50)
    second = await bills.bills(LONG_AGO, 50)
    assert second.offset is None
    every = [*first.bills, *second.bills]
    assert len({bill.id for bill in every}) == len(every) == 72
    assert [bill.updated_on for bill in every] == sorted((bill.updated_on for bill in every), reverse=True)
    assert all("sandbox data" in bill.title for bill in every)


def test_a_page_without_bills_is_the_last() -> None:
    following = {"next": "https://api.congress.gov/v3/bill?offset=500"}
    assert congress.read({"bills": [BILL], "pagination": following}, 250).offset == 251
    assert congress.read({"bills": [], "pagination": following}, 250).offset is None


async def test_only_what_has_changed_since(bills: UnitedStates) -> None:
    day = date(2026, 11, 22)
    page = await bills.bills(day, 0)
    assert page.bills
    assert all(bill.updated_on >= day for bill in page.bills)


@pytest.mark.parametrize(
    ("kind", "settings", "type_", "retried"),
    [
        ("status", {"status": 403}, "ProviderRefused", False),
        ("status", {"status": 429}, "ProviderLimited", True),
        ("status", {"status": 500}, "ProviderDown", True),
        ("no_list", {}, "ProviderNonsense", True),
        ("hang", {}, "ProviderDown", True),
        ("truncated", {}, "ProviderDown", True),
        ("garbage", {}, "ProviderNonsense", True),
        ("nan", {}, "ProviderNonsense", True),
        ("deep", {}, "ProviderNonsense", True),
    ],
)
async def test_whatever_goes_wrong_is_a_decision(
    bills: UnitedStates, sandbox: Sandbox, kind: str, settings: dict[str, Any], type_: str, retried: bool
) -> None:
    sandbox.faults.put("congress", kind, **settings)
    with pytest.raises(ApplicationError) as raised:
        await bills.bills(LONG_AGO, 0)
    assert (raised.value.type, raised.value.non_retryable) == (type_, not retried)
    assert "sandbox-key" not in repr(raised.value)


async def test_a_bad_key_is_named(sandbox: Sandbox) -> None:
    async with aiohttp.ClientSession() as session:
        shut_out = UnitedStates(session, base_url=sandbox.congress_url, key="wrong")
        with pytest.raises(ApplicationError, match=r"congress said 403 \(API_KEY_INVALID\)"):
            await shut_out.bills(LONG_AGO, 0)


async def test_of_hostile_bills_the_plain_ones_are_left(bills: UnitedStates, sandbox: Sandbox) -> None:
    sandbox.faults.put("congress", "hostile_bills")
    page = await bills.bills(LONG_AGO, 0)
    assert page.bills
    for bill in page.bills:
        assert bill.title.isprintable()
        assert len(bill.title) <= congress.LONGEST_TITLE
        assert "<script" not in bill.title
        assert bill.url.startswith("https://")
        assert "@" not in bill.url
