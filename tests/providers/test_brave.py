"""What the news search answers is reports with bounds, and its refusals decisions of ours: never another exception."""

import json
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.exceptions import ApplicationError

from activities import errors
from activities.digests.ports import News
from activities.providers import brave
from activities.providers.brave import Brave
from sandbox import Sandbox

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda one: st.lists(one, max_size=5) | st.dictionaries(st.text(), one, max_size=5),
    max_leaves=20,
)
REPORT = {
    "title": "The <strong>pier</strong> opens",
    "url": "https://www.courier.example/pier",
    "description": "The <strong>pier</strong> &amp; its shops open.",
    "page_age": "2026-11-23T04:00:00",
    "source": {"name": "The Courier"},
    "extra_snippets": ["A ticket stays at 4 crowns.", "its shops open."],
}


@pytest.fixture
async def search(sandbox: Sandbox) -> AsyncIterator[Brave]:
    async with aiohttp.ClientSession() as session:
        yield Brave(session, base_url=sandbox.brave_url, key="sandbox-key", timeout_s=1, sandbox=True)


def read(**fields: Any) -> tuple[News, ...]:
    return brave.read({"results": [REPORT | fields]})


def test_a_report_is_what_the_search_returned() -> None:
    assert read() == (
        News(
            url="https://www.courier.example/pier",
            title="The pier opens",
            text="The pier & its shops open. A ticket stays at 4 crowns.",
            source="The Courier",
            published=date(2026, 11, 23),
        ),
    )


def test_what_may_be_absent() -> None:
    (report,) = read(page_age=None, source=None, extra_snippets=[])
    assert (report.source, report.published) == ("courier.example", None)
    assert brave.read({}) == ()


@pytest.mark.parametrize(
    "fields",
    [
        {"url": "javascript:alert(1)"},
        {"url": "https://user@owned.example/"},
        {"url": "https://owned.example/" + "a" * 3000},
        {"url": None},
        {"title": ""},
        {"title": "<b></b>"},
        {"description": "", "extra_snippets": []},
        {"extra_snippets": "owned"},
    ],
    ids=lambda fields: str(fields)[:40],
)
def test_what_is_no_report(fields: dict[str, Any]) -> None:
    assert read(**fields) == ()


@given(
    st.dictionaries(st.sampled_from(["results", "type"]), JSON)
    | st.fixed_dictionaries(
        {"results": st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(REPORT, JSON)) | JSON, max_size=4)}
    )
)
def test_any_answer_is_read_or_nonsense(answer: dict[str, Any]) -> None:
    try:
        found = brave.read(answer)
    except ApplicationError as error:
        assert error.type == "ProviderNonsense"
        return
    assert all(len(one.text) <= brave.LONGEST_TEXT and one.title and one.url.startswith("http") for one in found)


def refusal(status: int, body: object, **headers: str) -> ApplicationError:
    said = {name.replace("_", "-"): value for name, value in headers.items()}
    decision = brave.refused(status, body if isinstance(body, bytes) else json.dumps(body).encode(), said)
    assert isinstance(decision, ApplicationError)
    assert "secret" not in str(decision)
    return decision


@pytest.mark.parametrize(
    ("status", "code", "kind", "retried"),
    [
        (422, "SUBSCRIPTION_TOKEN_INVALID", "ProviderRefused", False),
        (404, "SUBSCRIPTION_NOT_FOUND", "ProviderRefused", False),
        (422, "VALIDATION", "ProviderRefused", False),
        (429, "QUOTA_LIMITED", "ProviderRefused", False),
        (429, "RATE_LIMITED", "ProviderLimited", True),
        (500, "INTERNAL", "ProviderDown", True),
    ],
)
def test_refusals(status: int, code: str, kind: str, retried: bool) -> None:
    for body in ({"error": {"code": code, "detail": "secret"}}, {"errors": [{"code": code, "detail": "secret"}]}):
        decision = refusal(status, body)
        assert (decision.type, decision.non_retryable) == (kind, not retried)
    if code != "QUOTA_LIMITED":
        assert code in str(decision)


@pytest.mark.parametrize(
    ("reset", "wait"),
    [
        ("7, 1419704", timedelta(seconds=7)),
        ("0, 1419704", brave.LEAST_WAIT),
        ("", brave.LEAST_WAIT),
        ("soon", brave.LEAST_WAIT),
        ("-5, 1", brave.LEAST_WAIT),
        ("9" * 400, errors.LONGEST_WAIT),
    ],
)
def test_how_long_they_say_to_wait(reset: str, wait: timedelta) -> None:
    assert refusal(429, {"error": {"code": "RATE_LIMITED"}}, x_ratelimit_reset=reset).next_retry_delay == wait


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"error": 1}', b'{"errors": []}', b"[" * 100_000, b"\xff"])
def test_a_refusal_that_cannot_be_read_is_one_by_its_status(body: bytes) -> None:
    assert refusal(422, body).type == "ProviderRefused"
    assert refusal(503, body).type == "ProviderDown"


async def test_news_of_an_interest(search: Brave, sandbox: Sandbox) -> None:
    found = await search.news("public transport")
    assert found
    assert all("sandbox data" in one.text and one.published for one in found)
    (record,) = sandbox.journal.records()
    assert record["about"] == "news:public transport"
    assert "sandbox-key" not in str(record)


async def test_nothing_is_an_answer(search: Brave) -> None:
    assert await search.news("nothing at all") == ()


async def test_a_long_interest_is_asked_about_in_their_bounds(search: Brave) -> None:
    assert await search.news("word " * 500 + "\x00\u200b")


@pytest.mark.parametrize(
    ("kind", "settings", "type_", "retried"),
    [
        ("quota", {}, "ProviderRefused", False),
        ("rate_limited", {}, "ProviderLimited", True),
        ("bad_key", {}, "ProviderRefused", False),
        ("no_list", {}, "ProviderNonsense", True),
        ("status", {"status": 503}, "ProviderDown", True),
        ("status", {"status": 302}, "ProviderRefused", False),
        ("hang", {}, "ProviderDown", True),
        ("drop", {"times": 2}, "ProviderDown", True),
        ("truncated", {}, "ProviderDown", True),
        ("garbage", {}, "ProviderNonsense", True),
        ("wrong_type", {}, "ProviderNonsense", True),
        ("empty", {}, "ProviderNonsense", True),
        ("deep", {}, "ProviderNonsense", True),
        ("huge", {}, "ProviderNonsense", True),
    ],
)
async def test_whatever_goes_wrong_is_a_decision(
    search: Brave, sandbox: Sandbox, kind: str, settings: dict[str, Any], type_: str, retried: bool
) -> None:
    sandbox.faults.put("brave", kind, **settings)
    with pytest.raises(ApplicationError) as raised:
        await search.news("public transport")
    assert (raised.value.type, raised.value.non_retryable) == (type_, not retried)
    assert "sandbox-key" not in repr(raised.value)


@pytest.mark.parametrize(
    "kind",
    ["sparse", "hostile_addresses", "hostile_texts", "hostile_dates", "hostile_shapes", "many_results", "orders"],
)
async def test_whatever_a_search_finds_is_plain(search: Brave, sandbox: Sandbox, kind: str) -> None:
    honest = await search.news("public transport")
    sandbox.faults.put("brave", kind)
    found = await search.news("public transport")
    assert len(found) <= brave.MOST_REPORTS
    for one in found:
        assert one.url.startswith("https://")
        assert "@" not in one.url
        assert one.text.isprintable()
        assert "<script" not in one.text
        assert one.source.isprintable()
    if kind == "sparse":
        assert [one.title for one in found] == [one.title for one in honest]
