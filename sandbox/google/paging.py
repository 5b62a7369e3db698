"""Where a listing stands: page tokens, sync tokens, and when they are worth nothing.

A page remembers the version at which its listing began, and the last page hands that version out as a sync token. So
what changes between two pages is news to the next listing, and nothing is lost.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sandbox.brand import Json
from sandbox.google.errors import ApiError, invalid
from sandbox.google.items import Item
from sandbox.google.knobs import Knobs
from sandbox.google.query import WITHOUT_SYNC_TOKEN, Query
from sandbox.google.recurrence import AHEAD
from sandbox.google.sealed import opened, sealed
from sandbox.google.state import Account
from sandbox.google.store import Store

USUAL_PAGE = 250
NO_SYNC_AFTER = WITHOUT_SYNC_TOKEN - {"timeMin", "timeMax"}
Key = tuple[str, str]


@dataclass(frozen=True)
class Listing:
    """One listing over all its pages. `since` is the version a sync token was issued at."""

    version: int
    until: datetime
    since: int | None = None
    low: datetime | None = None
    high: datetime | None = None
    page: int = 1
    after: Key = ("", "")


class Pages:
    """Begins listings, goes on with them, and says what to come back with."""

    def __init__(self, store: Store, knobs: Knobs) -> None:
        self._store = store
        self._knobs = knobs

    def listing(self, account: Account, query: Query, of: str = "") -> Listing:
        """The listing that a call begins or goes on with. `of` is the event whose instances are listed."""
        listing = self._begun(account, query, of)
        if self._knobs.gone_on_page == listing.page:
            self._knobs.gone_on_page = None
            account.oldest_sync = self._store.changed()
            self._store.save()
            raise ApiError(410, "fullSyncRequired", location="syncToken")
        return listing

    def cut(self, wanted: list[Item], query: Query, listing: Listing) -> tuple[list[Item], bool]:
        """This page, and whether another one follows."""
        size = min(query.number("maxResults") or USUAL_PAGE, self._knobs.largest_page)
        places = {key(item, query): item for item in wanted}
        left = sorted(place for place in places if place > listing.after)
        return [places[place] for place in left[:size]], len(left) > size

    def next_page(self, account: Account, query: Query, listing: Listing, last: Item, of: str = "") -> dict[str, str]:
        place = {"of": of, "since": listing.since, "page": listing.page, "after": key(last, query)}
        said = self._said(account, listing) | place | {"until": listing.until.isoformat()}
        return {"nextPageToken": self._sealed({"kind": "page", "print": query.print_of_pages(), **said})}

    def next_sync(self, account: Account, query: Query, listing: Listing) -> dict[str, str]:
        """Nothing after a listing that asked for an order, or for less than everything."""
        if any(name in query for name in NO_SYNC_AFTER):
            return {}
        said = self._said(account, listing) | {"issued": self._store.now().isoformat(timespec="seconds")}
        return {"nextSyncToken": self._sealed({"kind": "sync", "print": query.print_of_sync(), **said})}

    def _begun(self, account: Account, query: Query, of: str) -> Listing:
        token, page = query.text("syncToken"), query.text("pageToken")
        if token is not None:
            _refuse_mixing(query)
        if page is not None:
            return self._continued(account, query, page, of)
        if token is not None:
            return self._since(account, query, token)
        low, high = query.window()
        return Listing(self._store.state.version, self._store.now() + AHEAD, None, low, high)

    def _continued(self, account: Account, query: Query, token: str, of: str) -> Listing:
        said = opened(self._store.state.secret, token) or {}
        if (said.get("kind"), said.get("calendar"), said.get("of")) != ("page", _mark(account), of):
            raise invalid("pageToken", token)
        if said["print"] != query.print_of_pages():
            raise ApiError(400, "invalid", "The page token belongs to a request with other parameters.", "pageToken")
        low, high = _moment(said["low"]), _moment(said["high"])
        until, after = datetime.fromisoformat(said["until"]), (said["after"][0], said["after"][1])
        return Listing(said["version"], until, said["since"], low, high, said["page"] + 1, after)

    def _since(self, account: Account, query: Query, token: str) -> Listing:
        said = opened(self._store.state.secret, token) or {}
        if (said.get("kind"), said.get("calendar")) != ("sync", _mark(account)):
            raise ApiError(400, "invalid", "Invalid sync token value.", "syncToken")
        if said["print"] != query.print_of_sync():
            raise ApiError(400, "invalid", "The sync token belongs to a request with other parameters.", "syncToken")
        days, age = self._knobs.sync_token_days, self._store.now() - datetime.fromisoformat(said["issued"])
        if said["version"] < account.oldest_sync or (days is not None and age > timedelta(days=days)):
            raise ApiError(410, "fullSyncRequired", location="syncToken")
        low, high = _moment(said["low"]), _moment(said["high"])
        return Listing(self._store.state.version, self._store.now() + AHEAD, said["version"], low, high)

    def _said(self, account: Account, listing: Listing) -> dict[str, Json]:
        low, high = (moment.isoformat() if moment else None for moment in (listing.low, listing.high))
        return {"calendar": _mark(account), "version": listing.version, "low": low, "high": high}

    def _sealed(self, content: dict[str, Json]) -> str:
        return sealed(self._store.state.secret, content)


def key(item: Item, query: Query) -> Key:
    """Where an item stands in its listing. Without an order it is some order, and always the same."""
    match query.text("orderBy"):
        case None:
            return ("", item.id)
        case "startTime":
            return (item.details.start.moment().astimezone(UTC).isoformat(), item.id)
        case "updated":
            return (item.updated.astimezone(UTC).isoformat(timespec="microseconds"), item.id)
        case other:
            raise invalid("orderBy", other)


def _mark(account: Account) -> str:
    """Tokens name nobody."""
    return hashlib.sha256(account.email.encode()).hexdigest()[:8]


def _refuse_mixing(query: Query) -> None:
    for name in sorted(WITHOUT_SYNC_TOKEN):
        if name in query:
            raise ApiError(400, "badRequest", f"Sync token cannot be used together with {name}.", "syncToken")
    if query.flag("showDeleted") is False:
        raise ApiError(400, "badRequest", "showDeleted must not be false when a sync token is given.", "showDeleted")


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
