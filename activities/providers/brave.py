"""News by Brave's search. A report is what the search returned: its words and its outlet, never a model's."""

import html
import json
import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from pydantic import Field, ValidationError

from activities import errors
from activities.digests.ports import News
from activities.plain import clean
from activities.providers.http import read_bounded, read_object, web_address
from schemas.base import Inbound

# Of the last day.
FRESHNESS = "pd"
MOST_REPORTS = 20
LONGEST_TEXT, LONGEST_TITLE, LONGEST_SOURCE = 3000, 300, 100
# Their bounds of a question.
LONGEST_QUESTION, MOST_WORDS = 400, 50

# After a 429 that does not say for how long; they count by the second.
LEAST_WAIT = timedelta(seconds=1)
QUOTA = "QUOTA_LIMITED"

_MARKUP = re.compile(r"</?[a-zA-Z][^<>]{0,200}>")


class SourceSaid(Inbound):
    name: str | None = None
    url: str | None = None


class ReportSaid(Inbound):
    url: str
    title: str
    description: str | None = None
    page_age: str | None = None
    source: SourceSaid | None = None
    extra_snippets: list[str] = Field(default_factory=list)


class Brave:
    """A NewsSearch. One call a topic, no retries of its own but for a connection that closed before it said anything."""

    name = "brave"
    model = "news"

    def __init__(
        self, session: aiohttp.ClientSession, *, base_url: str, key: str, timeout_s: float = 20, sandbox: bool = False
    ) -> None:
        self._session = session
        self._url = base_url.rstrip("/") + "/res/v1/news/search"
        self._key = key
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self.sandbox = sandbox

    async def news(self, topic: str) -> tuple[News, ...]:
        """No report is an answer too."""
        asked = {"q": _question(topic), "freshness": FRESHNESS, "count": str(MOST_REPORTS), "extra_snippets": "true"}
        headers = {"x-subscription-token": self._key, "accept": "application/json"}
        try:
            async with self._session.get(
                self._url, params=asked, headers=headers, timeout=self._timeout, allow_redirects=False
            ) as response:
                if response.status != 200:
                    raise refused(response.status, await read_bounded(self.name, response), response.headers)
                return read(await read_object(self.name, response))
        except (aiohttp.ClientError, TimeoutError) as error:
            raise errors.unreachable(self.name, error) from None


def _question(topic: str) -> str:
    return " ".join(clean(topic, LONGEST_QUESTION).split()[:MOST_WORDS])


def read(answer: dict[str, Any]) -> tuple[News, ...]:
    """The reports of an answer that came with 200, each page once. What has no address or no words is none."""
    results = answer.get("results", [])
    if not isinstance(results, list):
        raise errors.nonsense(Brave.name, "results that are no list")
    found: dict[str, News] = {}
    for result in results:
        if (news := _news(result)) is not None:
            found.setdefault(news.url, news)
    return tuple(found.values())[:MOST_REPORTS]


def _news(result: object) -> News | None:
    try:
        said = ReportSaid.model_validate(result)
    except ValidationError:
        return None
    url, title = web_address(said.url), _words(said.title, LONGEST_TITLE)
    text = _words(_joined([said.description or "", *said.extra_snippets]), LONGEST_TEXT)
    if url is None or not title or not text:
        return None
    return News(url=url, title=title, text=text, source=_source(said, url), published=_day(said.page_age))


def _joined(pieces: list[str]) -> str:
    """Snippets of a page overlap: what is said already is not said again."""
    joined = ""
    for piece in pieces:
        if piece.strip() and piece.strip() not in joined:
            joined += f" {piece.strip()}"
    return joined


def _words(text: str, longest: int) -> str:
    """Without the marks that they set around what was asked for."""
    return clean(html.unescape(_MARKUP.sub("", text)), longest)


def _source(said: ReportSaid, url: str) -> str:
    """The outlet's name, or its host."""
    name = clean(said.source.name or "", LONGEST_SOURCE) if said.source else ""
    return name or (urlsplit(url).hostname or "").removeprefix("www.")


def _day(page_age: str | None) -> date | None:
    try:
        return date.fromisoformat((page_age or "")[:10])
    except ValueError:
        return None


def refused(status: int, body: bytes, headers: Mapping[str, str]) -> Exception:
    """The retry decision for an answer that is not a good one. A month's quota does not come back while we wait."""
    code = _code(body)
    if status == 429 and code == QUOTA:
        return errors.impossible(Brave.name, "the quota of this month is used up")
    wait = errors.asked_to_wait(headers.get("x-ratelimit-reset", "").partition(",")[0])
    return errors.answered(Brave.name, status, code, headers, max(wait, LEAST_WAIT))


def _code(body: bytes) -> object:
    """What they call it: in `error`, or in the first of `errors`."""
    try:
        said = json.loads(body)
        return (said["error"] if "error" in said else said["errors"][0])["code"]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        return None
