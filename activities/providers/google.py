"""Google Calendar, by Google's own client over the description that it carries: nothing is discovered over the network.

place ─▶ events.list ─▶ Page       channel ─▶ events.watch ─▶ Channel       channel ─▶ channels.stop
"""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import httplib2
from googleapiclient.discovery import build_from_document
from googleapiclient.discovery_cache import get_static_doc
from googleapiclient.http import HttpRequest

from activities import errors
from activities.ports import Channel, Page, Place, PlaceGoneError, UnauthorizedError
from activities.providers import google_events, google_http
from activities.providers.google_http import RefusedError
from schemas.base import RowId
from schemas.providers import Google

# The most that a page may have: fewer calls, each of which waits for its turn.
EVENTS_A_PAGE = 2500
# A 401 with such a reason is about where notifications go, and no token would change it.
OUR_ADDRESS = "push."

FIELDS = f"items({google_events.FIELDS}),nextPageToken,nextSyncToken,timeZone"

LONGEST_TOKEN = 8000
LONGEST_RESOURCE = 500

# No channel lives longer than this, whatever an answer says.
LONGEST_CHANNEL = timedelta(days=366)


class GoogleCalendar:
    """A CalendarService. One call an ask, no retries of its own."""

    name = "google"

    def __init__(
        self, google: Google, *, notifications_url: str, channel_s: int, timeout_s: float = 20, threads: int = 20
    ) -> None:
        self.sandbox = google.sandbox
        self._notifications_url = notifications_url
        self._channel = timedelta(seconds=channel_s)
        self._timeout_s = timeout_s
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=self.name)
        service = _service(f"{google.api_url.rstrip('/')}/calendar/v3/")
        self._events, self._channels = service.events(), service.channels()

    def close(self) -> None:
        """What is under way ends by itself, at the latest with its time-out."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def events(self, token: str, calendar: str, place: Place) -> Page:
        """The page at a place. Whatever decides what a place means is the same for all pages of all readings."""
        where: dict[str, str] = {}
        if place.sync_token is not None:
            where["syncToken"] = place.sync_token
        elif place.since is not None:
            where["timeMin"] = place.since.astimezone(UTC).isoformat(timespec="seconds")
        if place.page_token is not None:
            where["pageToken"] = place.page_token
        request = self._events.list(
            calendarId=calendar,
            singleEvents=True,
            showDeleted=True,
            maxResults=EVENTS_A_PAGE,
            fields=FIELDS,
            **where,
        )
        remembered = place.page_token is not None or place.sync_token is not None
        said = await self._execute(request, token, remembered=remembered)
        # Thousands of events take a while to be looked at.
        return await asyncio.get_running_loop().run_in_executor(self._threads, page, said)

    async def watch(self, token: str, calendar: str, channel_id: RowId, secret: str, now: datetime) -> Channel:
        """A channel that sends its notifications to us, each with the secret."""
        body = {
            "id": channel_id,
            "type": "web_hook",
            "address": self._notifications_url,
            "token": secret,
            "params": {"ttl": str(int(self._channel.total_seconds()))},
        }
        request = self._events.watch(calendarId=calendar, body=body, fields="id,resourceId,expiration")
        return channel(await self._execute(request, token), channel_id, now, self._channel)

    async def stop(self, token: str, channel: Channel) -> None:
        request = self._channels.stop(body={"id": channel.id, "resourceId": channel.resource_id})
        await self._execute(request, token, unknown_is_well=True)

    async def _execute(
        self, request: HttpRequest, token: str, *, remembered: bool = False, unknown_is_well: bool = False
    ) -> Any:
        """`remembered`: the request names a place that Google may have forgotten."""
        try:
            return await google_http.execute(self.name, request, self._threads, token=token, timeout_s=self._timeout_s)
        except RefusedError as refused:
            if refused.status == 401 and not str(reason(refused.body)).startswith(OUR_ADDRESS):
                raise UnauthorizedError from None
            if remembered and refused.status in (400, 410):
                # Everything else in the request is the same every time: only the place can be wrong.
                raise PlaceGoneError from None
            if unknown_is_well and refused.status in (404, 410):
                return None
            raise errors.rationed(self.name, refused.status, reason(refused.body), refused.headers) from None


@cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(get_static_doc("calendar", "v3"))
    return document


def _service(endpoint: str) -> Any:
    # Each request brings its own Http; this one only says that there are no credentials to be looked for.
    return build_from_document(_document(), http=httplib2.Http(), client_options={"api_endpoint": endpoint})


def page(said: object) -> Page:
    """A page from an answer. One that leads nowhere, to no next page and to no next reading, is none."""
    answer = said if isinstance(said, dict) else {}
    items = answer.get("items", [])
    page_token, sync_token = _token(answer.get("nextPageToken")), _token(answer.get("nextSyncToken"))
    if not isinstance(items, list) or (page_token is None and sync_token is None):
        raise errors.nonsense(GoogleCalendar.name, "a page of another shape")
    zone = answer.get("timeZone")
    events, unreadable = google_events.page(items, zone if isinstance(zone, str) else "UTC")
    return Page(
        events=events,
        page_token=page_token,
        sync_token=None if page_token else sync_token,
        unreadable=unreadable,
    )


def _token(said: object) -> str | None:
    return said if isinstance(said, str) and 0 < len(said) <= LONGEST_TOKEN and said.isprintable() else None


def channel(said: object, channel_id: RowId, now: datetime, asked: timedelta) -> Channel:
    """The channel of an answer, which says how long it lives; by default as long as we asked for."""
    answer = said if isinstance(said, dict) else {}
    resource_id = answer.get("resourceId")
    known = isinstance(resource_id, str) and 0 < len(resource_id) <= LONGEST_RESOURCE and resource_id.isprintable()
    if answer.get("id") != channel_id or not known:
        raise errors.nonsense(GoogleCalendar.name, "another channel")
    return Channel(channel_id, str(resource_id), _expiry(answer.get("expiration"), now, now + asked))


def _expiry(said: object, now: datetime, default: datetime) -> datetime:
    """Milliseconds since 1970, as a number or in a string."""
    if said is None:
        return default
    try:
        moment = datetime.fromtimestamp(int(str(said)) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        moment = now
    if not now < moment <= now + LONGEST_CHANNEL:
        raise errors.nonsense(GoogleCalendar.name, "a channel that ends at no possible time")
    return moment


def reason(body: bytes) -> str | None:
    """Why it refused, from either shape of its errors; nothing when it does not say."""
    try:
        error = json.loads(body)["error"]
        parts = [*error.get("errors", []), *error.get("details", [])]
        said = next((part["reason"] for part in parts if "reason" in part), error.get("status"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return said if isinstance(said, str) else None
