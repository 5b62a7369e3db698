"""The calendar's client, against a Google that keeps Google's own wire format: what it asks, reads and makes of errors."""

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from temporalio.exceptions import ApplicationError

from activities.ports import Channel, Place, PlaceGoneError, UnauthorizedError
from activities.providers.google import GoogleCalendar
from activities.providers.google_accounts import CALENDAR
from sandbox import Sandbox
from schemas.providers import Google

ACCOUNT = "robin.marsh@harbour.example"
FROM_START = Place(None, None, None)
HOOK = "http://127.0.0.1:1/hook"


@pytest.fixture
def google(sandbox: Sandbox) -> Iterator[GoogleCalendar]:
    made = GoogleCalendar(
        Google.pretended(sandbox.google_url), notifications_url=HOOK, channel_s=604_800, timeout_s=2, threads=4
    )
    yield made
    made.close()


@pytest.fixture
def token(sandbox: Sandbox) -> str:
    return sandbox.google.access(ACCOUNT, CALENDAR)


def calls(sandbox: Sandbox) -> list[dict[str, Any]]:
    return sandbox.journal.records(provider="google")


async def test_a_calendar_is_read_page_by_page_and_then_from_where_it_ended(
    google: GoogleCalendar, sandbox: Sandbox, token: str
) -> None:
    sandbox.google.largest_page = 2
    calendar = sandbox.calendar(ACCOUNT)
    first = [calendar.add(f"M{n}", "tomorrow", attendees=["ada@lovelace.example"]) for n in range(3)]

    page = await google.events(token, ACCOUNT, FROM_START)
    assert (len(page.events), page.sync_token) == (2, None)
    last = await google.events(token, ACCOUNT, Place(page.page_token, None, None))
    assert {event.id for event in (*page.events, *last.events)} == set(first)
    assert last.page_token is None

    moved = calendar.add("New", "in 3 days")
    calendar.cancel(first[0])
    news = await google.events(token, ACCOUNT, Place(None, last.sync_token, None))
    assert {event.id: event.cancelled for event in news.events} == {moved: False, first[0]: True}


async def test_a_full_reading_begins_at_its_time_on_every_page(
    google: GoogleCalendar, sandbox: Sandbox, token: str
) -> None:
    sandbox.google.largest_page = 1
    calendar = sandbox.calendar(ACCOUNT)
    since = datetime.now(UTC)
    calendar.add("Past", since - timedelta(days=3))
    later = {calendar.add("A", since + timedelta(days=1)), calendar.add("B", since + timedelta(days=2))}

    page = await google.events(token, ACCOUNT, Place(None, None, since))
    last = await google.events(token, ACCOUNT, Place(page.page_token, None, since))

    assert {event.id for event in (*page.events, *last.events)} == later


async def test_no_way_into_a_meeting_is_ever_asked_for(google: GoogleCalendar, sandbox: Sandbox, token: str) -> None:
    sandbox.calendar(ACCOUNT).add(
        "Call", "tomorrow", meet=True, description="PIN 1234", location="https://zoom.example/1"
    )
    page = await google.events(token, ACCOUNT, FROM_START)

    assert len(page.events) == 1
    assert "meet.sandbox" not in repr(page)
    assert "1234" not in repr(page)
    assert "zoom" not in repr(page)


async def test_a_channel_is_opened_and_stopped_and_stopping_it_again_is_well(
    google: GoogleCalendar, sandbox: Sandbox, token: str
) -> None:
    now, channel_id = datetime.now(UTC), str(uuid4())
    channel = await google.watch(token, ACCOUNT, channel_id, "secret-of-the-channel", now)

    assert [(one.id, one.token, one.address) for one in sandbox.calendar(ACCOUNT).channels] == [
        (channel_id, "secret-of-the-channel", HOOK)
    ]
    assert now + timedelta(days=6, hours=23) < channel.expires_at <= now + timedelta(days=7, minutes=1)
    await google.stop(token, channel)
    assert sandbox.calendar(ACCOUNT).channels == []
    await google.stop(token, channel)
    await google.stop(token, Channel(str(uuid4()), "unknown", now))


async def test_how_long_a_channel_lives_is_for_its_provider_to_say(
    google: GoogleCalendar, sandbox: Sandbox, token: str
) -> None:
    sandbox.google.channel_seconds = 3600
    now = datetime.now(UTC)
    channel = await google.watch(token, ACCOUNT, str(uuid4()), "secret", now)
    assert channel.expires_at <= now + timedelta(hours=1, seconds=1)


REFUSALS = [
    (400, "timeRangeEmpty", None, "ProviderRefused", None),
    (403, "rateLimitExceeded", None, "ProviderLimited", None),
    (403, "rateLimitExceeded", "7", "ProviderLimited", 7),
    (403, "userRateLimitExceeded", "3", "ProviderLimited", 3),
    (429, "rateLimitExceeded", None, "ProviderLimited", None),
    (429, "rateLimitExceeded", "11", "ProviderLimited", 11),
    (403, "quotaExceeded", None, "ProviderLimited", 300),
    (403, "quotaExceeded", "600", "ProviderLimited", 600),
    # About our address for notifications, and no reason to take a connection for lost.
    (401, "push.webhookUrlUnauthorized", None, "ProviderRefused", None),
    (403, "insufficientPermissions", None, "ProviderRefused", None),
    (403, "forbiddenForNonOrganizer", None, "ProviderRefused", None),
    (403, "calendarUsageLimitsExceeded", None, "ProviderRefused", None),
    (404, "notFound", None, "ProviderRefused", None),
    (409, "duplicate", None, "ProviderDown", None),
    (302, None, None, "ProviderRefused", None),
    (500, "backendError", None, "ProviderDown", None),
    (503, "backendError", None, "ProviderDown", None),
]


@pytest.mark.parametrize(("fault", "kind", "seconds"), [((a, b, c), kind, s) for a, b, c, kind, s in REFUSALS])
async def test_each_refusal_is_what_it_means(
    google: GoogleCalendar,
    sandbox: Sandbox,
    token: str,
    fault: tuple[int, str | None, str | None],
    kind: str,
    seconds: float | None,
) -> None:
    status, reason, wait = fault
    sandbox.faults.put("google", "status", status=status, reason=reason, retry_after=wait)
    with pytest.raises(ApplicationError) as raised:
        await google.events(token, ACCOUNT, FROM_START)

    assert raised.value.type == kind
    assert raised.value.next_retry_delay == (None if seconds is None else timedelta(seconds=seconds))
    assert raised.value.non_retryable == (kind == "ProviderRefused")
    assert len(calls(sandbox)) == 1, "retries are not the client's"


async def test_a_token_that_is_not_taken_is_told_apart(google: GoogleCalendar, sandbox: Sandbox) -> None:
    with pytest.raises(UnauthorizedError):
        await google.events("nobody-s", ACCOUNT, FROM_START)
    with pytest.raises(UnauthorizedError):
        await google.watch("nobody-s", ACCOUNT, str(uuid4()), "s", datetime.now(UTC))


@pytest.mark.parametrize(
    "place", [Place(None, "no-sync-token", None), Place("no-page-token", None, None), Place("no", "nor-this", None)]
)
async def test_a_place_that_is_not_known_is_gone(google: GoogleCalendar, token: str, place: Place) -> None:
    with pytest.raises(PlaceGoneError):
        await google.events(token, ACCOUNT, place)


async def test_a_place_that_was_forgotten_is_gone(google: GoogleCalendar, sandbox: Sandbox, token: str) -> None:
    place = Place(None, (await google.events(token, ACCOUNT, FROM_START)).sync_token, None)
    sandbox.faults.put("google", "status", status=410, reason="fullSyncRequired")
    with pytest.raises(PlaceGoneError):
        await google.events(token, ACCOUNT, place)


@pytest.mark.parametrize("status", [400, 410])
async def test_without_a_place_nothing_can_be_forgotten(
    google: GoogleCalendar, sandbox: Sandbox, token: str, status: int
) -> None:
    sandbox.faults.put("google", "status", status=status)
    with pytest.raises(ApplicationError) as raised:
        await google.events(token, ACCOUNT, FROM_START)
    assert raised.value.non_retryable


@pytest.mark.parametrize("kind", ["garbage", "wrong_type", "empty", "nan", "deep", "huge", "truncated", "drop"])
async def test_what_is_no_answer_is_tried_again_and_quotes_nobody(
    google: GoogleCalendar, sandbox: Sandbox, token: str, kind: str
) -> None:
    sandbox.calendar(ACCOUNT).add("Zorblatt", "tomorrow")
    sandbox.faults.put("google", kind)
    try:
        page = await google.events(token, ACCOUNT, FROM_START)
    except ApplicationError as error:
        assert error.type in ("ProviderNonsense", "ProviderDown")
        assert not error.non_retryable
        assert "Zorblatt" not in error.message
        assert error.__cause__ is None
        assert error.__suppress_context__ or error.__context__ is None
    else:
        assert kind in ("nan", "wrong_type"), page


@pytest.mark.parametrize("kind", ["hang", "dribble"])
async def test_a_slow_answer_is_given_up_and_its_thread_comes_free(
    google: GoogleCalendar, sandbox: Sandbox, token: str, kind: str
) -> None:
    sandbox.faults.put("google", kind, times=4)
    began = time.monotonic()
    slow = [google.events(token, ACCOUNT, FROM_START) for _ in range(4)]
    ended = await asyncio.gather(*slow, return_exceptions=True)
    assert [getattr(error, "type", None) for error in ended] == ["ProviderDown"] * 4
    assert time.monotonic() - began < 4

    assert (await google.events(token, ACCOUNT, FROM_START)).sync_token, "no thread is lost"
    assert time.monotonic() - began < 5


async def test_whoever_is_cancelled_leaves_no_call_behind(google: GoogleCalendar, sandbox: Sandbox, token: str) -> None:
    sandbox.faults.put("google", "hang")
    task = asyncio.create_task(google.events(token, ACCOUNT, FROM_START))
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(1):
        while not calls(sandbox):
            await asyncio.sleep(0.02)
    assert calls(sandbox)[0]["fault"] == "hang"


async def test_a_channel_whose_answer_was_lost_is_not_asked_for_again(
    google: GoogleCalendar, sandbox: Sandbox, token: str
) -> None:
    """The library below would send it again by itself."""
    sandbox.faults.put("google", "drop")
    with pytest.raises(ApplicationError) as raised:
        await google.watch(token, ACCOUNT, str(uuid4()), "secret", datetime.now(UTC))
    assert raised.value.type == "ProviderDown"
    assert [call["about"] for call in calls(sandbox)] == ["events.watch"]
    assert len(sandbox.calendar(ACCOUNT).channels) == 1, "it was opened all the same"


async def test_nobody_there_is_down() -> None:
    google = GoogleCalendar(Google.pretended("http://127.0.0.1:1/x"), notifications_url=HOOK, channel_s=60)
    with pytest.raises(ApplicationError) as raised:
        await google.events("token", ACCOUNT, FROM_START)
    assert (raised.value.type, raised.value.message) == (
        "ProviderDown",
        "google did not answer (ConnectionRefusedError)",
    )
    google.close()
