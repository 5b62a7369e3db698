"""Bills, by the API of the Congress of the United States; and files that have its shape."""

import html
import json
import re
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from pydantic import Field, ValidationError

from activities import errors
from activities.digests.ports import Bill, BillPage
from activities.plain import clean
from activities.providers.http import read_bounded, read_object, web_address
from schemas.base import Inbound

# The most that they give at once.
PAGE = 250
LONGEST_TITLE, LONGEST_WORDS, LONGEST_SUMMARY = 1000, 500, 5000

# They count by the hour.
LEAST_WAIT = timedelta(seconds=60)

API_HOST = "api.congress.gov"
# What their pages call each kind.
PAGES = {
    "hr": "house-bill",
    "s": "senate-bill",
    "hjres": "house-joint-resolution",
    "sjres": "senate-joint-resolution",
    "hconres": "house-concurrent-resolution",
    "sconres": "senate-concurrent-resolution",
    "hres": "house-resolution",
    "sres": "senate-resolution",
}
_MARKUP = re.compile(r"</?[a-zA-Z][^<>]{0,200}>")


class ActionSaid(Inbound):
    day: str | None = Field(default=None, alias="actionDate")
    text: str | None = None


class BillSaid(Inbound):
    congress: int = Field(ge=1, le=9999)
    type: str
    number: int = Field(ge=1, le=10**6)
    title: str
    chamber: str | None = Field(default=None, alias="originChamber")
    updated: str = Field(alias="updateDate")
    action: ActionSaid | None = Field(default=None, alias="latestAction")
    url: str | None = None
    summary: str | None = None


class UnitedStates:
    """A Congress. One call a page, no retries of its own but for a connection that closed before it said anything."""

    name = "congress"

    def __init__(
        self, session: aiohttp.ClientSession, *, base_url: str, key: str, timeout_s: float = 20, sandbox: bool = False
    ) -> None:
        self._session = session
        self._url = base_url.rstrip("/") + "/v3/bill"
        self._key = key
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self.sandbox = sandbox

    async def bills(self, since: date, offset: int) -> BillPage:
        """Those that have changed since that day, the newest first: one that changes meanwhile pushes none out of sight."""
        asked = {
            "format": "json",
            "limit": str(PAGE),
            "offset": str(offset),
            "fromDateTime": f"{since.isoformat()}T00:00:00Z",
            "sort": "updateDate desc",
        }
        try:
            async with self._session.get(
                self._url,
                params=asked,
                headers={"x-api-key": self._key, "accept": "application/json"},
                timeout=self._timeout,
                allow_redirects=False,
            ) as response:
                if response.status != 200:
                    kind = _code(await read_bounded(self.name, response))
                    raise errors.answered(self.name, response.status, kind, response.headers, LEAST_WAIT)
                return read(await read_object(self.name, response), offset)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise errors.unreachable(self.name, error) from None


def read(answer: dict[str, Any], offset: int = 0) -> BillPage:
    """The bills of an answer that came with 200, or of a file of that shape. What cannot be read is left out."""
    said = answer.get("bills")
    if not isinstance(said, list):
        raise errors.nonsense(UnitedStates.name, "an answer without bills")
    bills = tuple(bill for one in said if (bill := _bill(one)) is not None)
    pagination = answer.get("pagination")
    more = isinstance(pagination, dict) and bool(pagination.get("next")) and bool(said)
    return BillPage(bills, offset + len(said) if more else None)


def _bill(said: object) -> Bill | None:
    try:
        bill = BillSaid.model_validate(said)
        updated = date.fromisoformat(bill.updated[:10])
    except (ValidationError, ValueError):
        return None
    kind, title = bill.type.lower(), _words(bill.title, LONGEST_TITLE)
    if kind not in PAGES or not title:
        return None
    action = bill.action or ActionSaid()
    return Bill(
        id=f"{bill.congress}-{kind}-{bill.number}",
        title=title,
        chamber=clean(bill.chamber or "", 50),
        action=_words(action.text or "", LONGEST_WORDS),
        acted_on=_day(action.day),
        updated_on=updated,
        url=_page(bill, kind),
        summary=_words(bill.summary or "", LONGEST_SUMMARY),
    )


def _page(bill: BillSaid, kind: str) -> str:
    """Where people read it. What they give is the address of their API; another host's is as it is."""
    given = web_address(bill.url or "")
    if given is not None and urlsplit(given).hostname != API_HOST:
        return given
    return f"https://www.congress.gov/bill/{_ordinal(bill.congress)}-congress/{PAGES[kind]}/{bill.number}"


def _ordinal(number: int) -> str:
    ending = "th" if 11 <= number % 100 <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _words(text: str, longest: int) -> str:
    return clean(html.unescape(_MARKUP.sub(" ", text)), longest)


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat((text or "")[:10])
    except ValueError:
        return None


def _code(body: bytes) -> object:
    try:
        return json.loads(body)["error"]["code"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
