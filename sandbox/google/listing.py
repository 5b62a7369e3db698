"""events.list, events.instances and events.get: what is on a calendar, and what has changed there."""

from datetime import datetime, timedelta
from typing import Any

from sandbox.google import items, render
from sandbox.google.errors import ApiError
from sandbox.google.items import Item
from sandbox.google.paging import Listing, Pages
from sandbox.google.query import Query
from sandbox.google.recurrence import AHEAD
from sandbox.google.state import Account
from sandbox.google.store import Store

# How far back "changed since then" can be asked for without a sync token.
MEMORY = timedelta(days=28)

Resource = dict[str, Any]


class Reader:
    """Reads one account's calendar for those who may."""

    def __init__(self, store: Store, pages: Pages) -> None:
        self._store = store
        self._pages = pages

    def events(self, account: Account, query: Query) -> Resource:
        self._check(query)
        listing = self._pages.listing(account, query)
        wanted = (
            self._present(account, query, listing) if listing.since is None else self._news(account, query, listing)
        )
        page, more = self._pages.cut(wanted, query, listing)
        complete = bool(query.flag("showDeleted"))
        shown = {"items": [self._rendered(item, account, query, complete=complete) for item in page]}
        if more:
            return self._head(account) | shown | self._pages.next_page(account, query, listing, page[-1])
        return self._head(account) | shown | self._pages.next_sync(account, query, listing)

    def instances(self, account: Account, event_id: str, query: Query) -> Resource:
        series = self.find(account, event_id).event
        listing = self._pages.listing(account, query, of=series.id)
        original, deleted = query.moment("originalStart"), bool(query.flag("showDeleted"))
        wanted = [
            item
            for item in (items.instances(series, account.email, listing.until) if series.recurrence else ())
            if (deleted or not item.gone) and _within(item, listing) and original in {None, _original(item)}
        ]
        page, more = self._pages.cut(wanted, query, listing)
        shown = {"items": [self._rendered(item, account, query, complete=True) for item in page]}
        after = self._pages.next_page(account, query, listing, page[-1], of=series.id) if more else {}
        return self._head(account) | shown | after

    def event(self, account: Account, event_id: str, query: Query) -> Resource:
        return self._rendered(self.find(account, event_id), account, query, complete=True)

    def find(self, account: Account, event_id: str) -> Item:
        """An event, a series or one of its instances, as this calendar shows it; also when it is gone."""
        base, _, mark = event_id.partition("_")
        event = self._store.state.events.get(base)
        if event is None or account.email not in event.calendars:
            raise ApiError(404, "notFound")
        if not mark:
            return items.whole(event, account.email)
        item = items.found(event, mark, account.email, self._store.now() + AHEAD)
        if item is None:
            raise ApiError(404, "notFound")
        return item

    def _check(self, query: Query) -> None:
        """What is wrong with a query is said before anything is looked for."""
        query.event_types()
        query.flag("showHiddenInvitations")
        if query.text("orderBy") == "startTime" and not query.flag("singleEvents"):
            message = "The requested ordering is not available for the particular query."
            raise ApiError(400, "badRequest", message, "orderBy")

    def _present(self, account: Account, query: Query, listing: Listing) -> list[Item]:
        """All that is there, and what is gone as far as that was asked for."""
        single, since = bool(query.flag("singleEvents")), self._updated_min(query)
        deleted = bool(query.flag("showDeleted")) or since is not None
        return [
            item
            for event in self._store.events_on(account.email)
            for item in items.shown(event, account.email, listing.until, single=single)
            if (deleted or _there(item, single=single))
            and (since is None or item.updated >= since)
            and _in_window(item, listing)
            and _fits(item, query)
        ]

    def _news(self, account: Account, query: Query, listing: Listing) -> list[Item]:
        """All that changed, wherever it lies; of a series that changed only what lies in the first listing's window."""
        single, types = bool(query.flag("singleEvents")), query.event_types()
        return [
            item
            for event in self._store.events_on(account.email)
            if event.version > (listing.since or 0) or event.variations
            if event.details.event_type in types
            for item in items.changed(event, account.email, listing.since or 0, listing.until, single=single)
            if item.original is None or item.varied or _within(item, listing)
        ]

    def _updated_min(self, query: Query) -> datetime | None:
        since = query.moment("updatedMin")
        if since is not None and since < self._store.now() - MEMORY:
            raise ApiError(410, "updatedMinTooLongAgo", location="updatedMin")
        return since

    def _rendered(self, item: Item, account: Account, query: Query, *, complete: bool) -> Resource:
        zone, most = query.zone(account.time_zone), query.number("maxAttendees")
        return render.bare(item) if item.vanished or (item.gone and not complete) else render.full(item, zone, most)

    def _head(self, account: Account) -> Resource:
        updated = max((event.updated for event in self._store.events_on(account.email)), default=self._store.now())
        return {
            "kind": "calendar#events",
            "etag": render.etag(self._store.state.version, updated),
            "summary": account.email,
            "updated": render.stamp(updated),
            "timeZone": account.time_zone,
            "accessRole": "owner",
            "defaultReminders": [{"method": "popup", "minutes": 10}],
        }


def _there(item: Item, *, single: bool) -> bool:
    """Not gone; or a cancelled instance in a listing of series, which would be taken for there otherwise."""
    if not item.gone:
        return True
    return item.original is not None and not single and not items.whole(item.event, item.calendar).gone


def _original(item: Item) -> datetime | None:
    return item.original.moment() if item.original else None


def _within(item: Item, listing: Listing) -> bool:
    start, end = item.details.start.moment(), item.details.end.moment()
    return (listing.low is None or end > listing.low) and (listing.high is None or start < listing.high)


def _in_window(item: Item, listing: Listing) -> bool:
    """A series is in the window when one of its instances is."""
    if item.original or not item.event.recurrence or (listing.low is None and listing.high is None):
        return _within(item, listing)
    return any(_within(each, listing) for each in items.instances(item.event, item.calendar, listing.until))


def _fits(item: Item, query: Query) -> bool:
    """What was searched for, as far as anything was. Nothing here has properties of programs' own."""
    if query.all("privateExtendedProperty") or query.all("sharedExtendedProperty"):
        return False
    uid, words = query.text("iCalUID"), query.text("q")
    if uid not in {None, f"{item.event.id}@google.com"} or item.details.event_type not in query.event_types():
        return False
    return not words or all(word in _text(item) for word in words.lower().split())


def _text(item: Item) -> str:
    """All that a search reads."""
    details = item.details
    people = [word for person in (item.event.organizer, *details.guests) for word in (person.email, person.name)]
    return " ".join(filter(None, [details.title, details.description, details.location, *people])).lower()
