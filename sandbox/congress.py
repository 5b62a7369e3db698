"""The API of the Congress of the United States, with the bills of one that never was: GET /v3/bill."""

import hashlib
import random
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

from sandbox import hostile
from sandbox.brand import SERVER_ERROR, Answer, Call, RefusedError
from sandbox.world import World

PATH = "/v3/bill"
KNOWN = {"format", "limit", "offset", "fromDateTime", "toDateTime", "sort", "api_key"}
USUAL, MOST = 20, 250
# There has not been such a congress.
CONGRESS = 900
CODES = {403: "API_KEY_INVALID", 404: "NOT_FOUND", 429: "OVER_RATE_LIMIT"}

TOPICS = (
    "affordable housing",
    "public transport",
    "clean water",
    "renewable energy",
    "data privacy",
    "school meals",
    "rural broadband",
    "small farms",
    "wildfire prevention",
    "artificial intelligence",
    "hospital staffing",
    "harbour safety",
)
TITLES = (
    "{Topic} Improvement Act",
    "A bill to set standards for {topic}",
    "{Topic} Transparency Act",
    "A bill to pay for {topic} in small towns",
    "{Topic} Research Act",
)
ACTIONS = (
    "Passed House by {ayes} to {noes}.",
    "Placed on the calendar of the Senate.",
    "Referred to the committee on commerce.",
    "Hearings held by the committee.",
    "Ordered to be reported with an amendment by {few} to {fewer}.",
)
KINDS = {"HR": "House", "S": "Senate", "HJRES": "House", "SRES": "Senate"}
BILLS_OF_A_TOPIC = 6


class Congress:
    name = "congress"
    tricks = frozenset({"no_bills", "no_list", "hostile_bills", "endless"})

    def __init__(self, world: World) -> None:
        self._world = world

    def about(self, call: Call) -> str | None:
        return f"bills:{dict(parse_qsl(call.query)).get('offset', '0')}" if call.path == PATH else None

    def error(self, status: int, message: str | None = None) -> Answer:
        code = CODES.get(status, "INTERNAL" if status >= SERVER_ERROR else "BAD_REQUEST")
        said = {"code": code, "message": message or code.replace("_", " ").capitalize()}
        return Answer.of({"error": said}, status).having(x_ratelimit_limit="5000", x_ratelimit_remaining="4999")

    def refusal(self, call: Call, status: int, reason: str | None) -> Answer:
        return self.error(status)

    def answer(self, call: Call, trick: str | None) -> Answer:
        try:
            return Answer.of(self._found(call, trick)).having(x_ratelimit_limit="5000", x_ratelimit_remaining="4999")
        except RefusedError as refused:
            return self.error(refused.status, refused.message)

    def _found(self, call: Call, trick: str | None) -> dict[str, Any]:
        if call.path != PATH or call.method != "GET":
            raise RefusedError(404, f"No such endpoint: {call.method} {call.path}")
        asked = dict(parse_qsl(call.query))
        key = call.headers.get("x-api-key") or asked.get("api_key", "")
        if not key.startswith("sandbox"):
            raise RefusedError(403, "Send a key of the sandbox.")
        limit, offset = _number(asked, "limit", USUAL, 1, MOST), _number(asked, "offset", 0, 0, 10**6)
        bills = _matching(_all(self._world.clock.today()), asked)
        page: object = bills[offset : offset + limit]
        if trick == "hostile_bills":
            page = _hostile(bills)
        page = {"no_bills": [], "no_list": "owned"}.get(trick or "", page)
        following = trick == "endless" or offset + limit < len(bills)
        more = {"next": f"https://api.congress.example{PATH}?{urlencode({'offset': offset + limit, 'limit': limit})}"}
        return {
            "bills": page,
            "pagination": {"count": len(bills), **(more if following else {})},
            "request": {"contentType": "application/json", "format": "json"},
        }


def _number(asked: dict[str, str], name: str, usual: int, least: int, most: int) -> int:
    said = asked.get(name, str(usual))
    if not (said.isascii() and said.isdigit() and least <= int(said) <= most):
        raise RefusedError(400, f"{name} must be from {least} to {most}")
    return int(said)


def _matching(bills: list[dict[str, Any]], asked: dict[str, str]) -> list[dict[str, Any]]:
    strange = asked.keys() - KNOWN
    if strange:
        raise RefusedError(400, f"Unknown parameter: {min(strange)}")
    sort = asked.get("sort", "updateDate desc")
    if sort not in ("updateDate desc", "updateDate asc"):
        raise RefusedError(400, "sort must be updateDate+asc or updateDate+desc")
    since, until = (_moment(asked[name]) if name in asked else None for name in ("fromDateTime", "toDateTime"))
    found = [
        bill
        for bill in bills
        if (since is None or bill["updateDate"] >= since) and (until is None or bill["updateDate"] <= until)
    ]
    return sorted(found, key=lambda bill: (bill["updateDate"], bill["number"]), reverse=sort.endswith("desc"))


def _moment(text: str) -> str:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).date().isoformat()
    except ValueError:
        raise RefusedError(400, "dates are written YYYY-MM-DDT00:00:00Z") from None


def _all(today: date) -> list[dict[str, Any]]:
    """The same bills for ever; how far each has come depends on the day."""
    return [
        _bill(n * BILLS_OF_A_TOPIC + m + 1, topic, today)
        for n, topic in enumerate(TOPICS)
        for m in range(BILLS_OF_A_TOPIC)
    ]


def _bill(number: int, topic: str, today: date) -> dict[str, Any]:
    dice = random.Random(hashlib.sha256(f"{number} {topic}".encode()).hexdigest())
    kind = dice.choice(sorted(KINDS))
    every = dice.randint(3, 16)
    # It moves every so many days.
    moved = today - timedelta(days=(today.toordinal() + number) % every)
    dice.seed(f"{number} {moved.isoformat()}")
    ayes, few = dice.randint(218, 290), dice.randint(12, 24)
    words = {"ayes": ayes, "noes": 430 - ayes, "few": few, "fewer": few - 7}
    title = TITLES[number % len(TITLES)].format(Topic=topic.title(), topic=topic)
    return {
        "congress": CONGRESS,
        "type": kind,
        "number": str(number),
        "title": f"{title} (sandbox data)",
        "originChamber": KINDS[kind],
        "originChamberCode": KINDS[kind][0],
        "updateDate": moved.isoformat(),
        "updateDateIncludingText": datetime.combine(moved, time()).isoformat() + "Z",
        "latestAction": {"actionDate": moved.isoformat(), "text": dice.choice(ACTIONS).format(**words)},
        "url": f"https://www.congress.example/bill/{CONGRESS}/{kind.lower()}/{number}",
    }


def _hostile(bills: list[dict[str, Any]]) -> list[Any]:
    """Bills that are none, and one that is."""
    true = bills[0]
    return [
        *(None, 1, "owned", [], {}),
        *({**true, "number": number} for number in ("0", "-1", "one", "1' OR 1=1", "9" * 30)),
        *({**true, "congress": congress} for congress in (None, "owned", 10**9)),
        *({**true, "type": kind} for kind in ("", "OWNED", None, "hr/../s")),
        *({**true, "updateDate": day} for day in hostile.DATES),
        *(
            {**true, "number": str(9000 + n), "title": text}
            for n, text in enumerate((*hostile.LINKS, *hostile.ESCAPES))
        ),
        *({**true, "number": str(9500 + n), "url": url} for n, url in enumerate(hostile.ADDRESSES)),
        {**true, "number": "9900", "title": "owned " * 100_000, "latestAction": {"text": "owned " * 100_000}},
        {**true, "number": "9901", "latestAction": "owned"},
        true,
    ]
