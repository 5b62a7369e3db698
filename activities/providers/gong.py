"""Recorded calls by Gong's API: who was there, and what they said. One call an ask, whatever comes back is checked."""

import base64
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any

import aiohttp
from pydantic import TypeAdapter, ValidationError

from activities import errors
from activities.plain import clean, without_access
from activities.ports import CallPage, Recorded, RecorderAccess, UnauthorizedError
from activities.providers.http import parse_object, read_bounded
from schemas.base import Email
from schemas.transcripts import Speaker, Spoken, Turn

# Without a word of theirs, a 429 is a matter of a second: three calls are allowed in each.
LEAST_WAIT = timedelta(seconds=1)

LONGEST_TITLE = 300
LONGEST_NAME = 200
LONGEST_URL = 2000
LONGEST_CURSOR = 4000
LONGEST_SENTENCE = 4000
# No call lasts longer, whatever an answer says.
LONGEST_CALL_S = 7 * 24 * 3600
# Whoever speaks for longer than this begins another turn: a quote's time is that of its turn.
LONGEST_TURN_MS = 60_000
YEARS = range(2000, 2200)

_ID = re.compile(r"[0-9]{1,20}")
_ADDRESS = re.compile(r"https://[^\s<>\"\\`]+")
_EMAIL: TypeAdapter[str] = TypeAdapter(Email)


class Gong:
    """A CallRecorder. No retries of its own, but for a GET whose connection breaks, which aiohttp sends once more."""

    name = "gong"

    def __init__(self, session: aiohttp.ClientSession, *, timeout_s: float = 30, sandbox: bool = False) -> None:
        self._session = session
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self.sandbox = sandbox

    async def calls(self, access: RecorderAccess, since: datetime, until: datetime, cursor: str | None) -> CallPage:
        """A page of the calls that began in that time. None at all is an answer too, which comes as a 404."""
        query = {"fromDateTime": _moment(since), "toDateTime": _moment(until)} | ({"cursor": cursor} if cursor else {})
        try:
            said = await self._ask("GET", access, "/v2/calls", params=query)
        except ForbiddenError:
            # What may not even be listed, is not ours to read.
            raise UnauthorizedError from None
        if said is None and cursor:
            raise errors.nonsense(self.name, "nothing where another page was to be")
        return page(said) if said is not None else CallPage((), None)

    async def call(self, access: RecorderAccess, call_id: str) -> Recorded | None:
        body = {
            "filter": {"callIds": [call_id]},
            "contentSelector": {"exposedFields": {"parties": True}},
        }
        said = await self._ask_about_one(access, "/v2/calls/extensive", body)
        found = (recorded(one) for one in _list(said.get("calls")))
        return next((one for one in found if one is not None and one.id == call_id), None)

    async def transcript(self, access: RecorderAccess, call_id: str) -> Spoken | None:
        """None while there is none: it is not ready for minutes, or hours, after the call."""
        said = await self._ask_about_one(access, "/v2/calls/transcript", {"filter": {"callIds": [call_id]}})
        for one in _list(said.get("callTranscripts")):
            if isinstance(one, dict) and _id(one.get("callId")) == call_id:
                return spoken(one)
        return None

    async def _ask_about_one(self, access: RecorderAccess, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Nothing when it is not there."""
        try:
            return await self._ask("POST", access, path, json=body) or {}
        except ForbiddenError:
            raise errors.answered(self.name, 403, None, {}, LEAST_WAIT) from None

    async def _ask(self, method: str, access: RecorderAccess, path: str, **more: Any) -> dict[str, Any] | None:
        """The object that comes back; nothing for a 404, by which nothing found is told."""
        url = access.base_url.rstrip("/") + path
        headers = {"authorization": "Basic " + base64.b64encode(access.credentials.encode()).decode()}
        try:
            async with self._session.request(
                method, url, headers=headers, timeout=self._timeout, allow_redirects=False, **more
            ) as response:
                if response.status == 404:
                    return None
                if response.status == 401:
                    raise UnauthorizedError
                if response.status == 403:
                    raise ForbiddenError
                if response.status != 200:
                    raise errors.answered(self.name, response.status, None, response.headers, LEAST_WAIT)
                return parse_object(self.name, await read_bounded(self.name, response))
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise errors.unreachable(self.name, error) from None


class ForbiddenError(Exception):
    """We are let in, and this is not for us."""


def page(said: dict[str, Any]) -> CallPage:
    """A page from an answer. Calls without an id are none of ours."""
    calls, records = said.get("calls"), said.get("records")
    if not isinstance(calls, list):
        raise errors.nonsense(Gong.name, "a page of another shape")
    found = (recorded({"metaData": one}) for one in calls)
    cursor = records.get("cursor") if isinstance(records, dict) else None
    if cursor and not (isinstance(cursor, str) and len(cursor) <= LONGEST_CURSOR and cursor.isprintable()):
        # Taken for the last page, it would hide those that follow.
        raise errors.nonsense(Gong.name, "a cursor of another shape")
    return CallPage(tuple(one for one in found if one is not None), cursor or None)


def recorded(said: object) -> Recorded | None:
    """A call from what is told of it, in an answer or in a notification; nothing when it has no id."""
    told = said if isinstance(said, dict) else {}
    data = told.get("metaData")
    about = data if isinstance(data, dict) else {}
    call_id = _id(about.get("id"))
    if call_id is None:
        return None
    parties = [one for one in _list(told.get("parties")) if isinstance(one, dict)]
    owner = _id(about.get("primaryUserId"))
    owners = (_email(one.get("emailAddress")) for one in parties if owner and _id(one.get("userId")) == owner)
    return Recorded(
        id=call_id,
        title=without_access(_text(about.get("title"), LONGEST_TITLE)),
        url=_url(about.get("url")),
        started_at=_started(about.get("started")),
        duration_s=_whole(about.get("duration"), LONGEST_CALL_S),
        speakers=tuple({one.key: one for one in reversed([*_speakers(parties)])}.values())[::-1],
        owner_email=next(owners, None),
    )


def _speakers(parties: list[dict[str, Any]]) -> Iterator[Speaker]:
    """Whoever was there. A party that said nothing has no speaker's id, and goes by its own."""
    for number, party in enumerate(parties, 1):
        own = _text(party.get("id"), LONGEST_NAME) or str(number)
        yield Speaker(
            key=_id(party.get("speakerId")) or f"party {own}"[:LONGEST_NAME],
            name=_text(party.get("name"), LONGEST_NAME),
            email=_email(party.get("emailAddress")),
            role=_text(party.get("title"), LONGEST_NAME),
            ours={"internal": True, "external": False}.get(_text(party.get("affiliation"), LONGEST_NAME).lower()),
        )


def spoken(said: dict[str, Any]) -> Spoken | None:
    """What was said, in its order. A sentence that cannot be read is left out; nothing when that leaves none."""
    turns = [turn for stretch in _list(said.get("transcript")) for turn in _turns(stretch)]
    turns.sort(key=lambda turn: turn.start_ms)
    keys = dict.fromkeys(turn.speaker for turn in turns)
    if not turns:
        return None
    return Spoken(format=Gong.name, speakers=tuple(Speaker(key=key) for key in keys), turns=tuple(turns))


def _turns(stretch: object) -> Iterator[Turn]:
    """What somebody says at a stretch, as one turn, or as several when it is long."""
    told = stretch if isinstance(stretch, dict) else {}
    speaker = _id(told.get("speakerId")) or "unknown"
    held: list[tuple[int, int, str]] = []
    for start, end, text in filter(None, map(_sentence, _list(told.get("sentences")))):
        if held and end - held[0][0] > LONGEST_TURN_MS:
            yield _turn(speaker, held)
            held = []
        held.append((start, end, text))
    if held:
        yield _turn(speaker, held)


def _turn(speaker: str, sentences: list[tuple[int, int, str]]) -> Turn:
    start = min(first for first, _, _ in sentences)
    end = max(last for _, last, _ in sentences)
    places = accumulate((len(text) + 1 for _, _, text in sentences), initial=0)
    times = tuple((place, begun) for place, (begun, _, _) in zip(places, sentences, strict=False) if place)
    return Turn(
        speaker=speaker, start_ms=start, end_ms=end, text=" ".join(text for _, _, text in sentences), times=times
    )


def _sentence(said: object) -> tuple[int, int, str] | None:
    """Its times are milliseconds from the start of the call, whatever catalogues say."""
    told = said if isinstance(said, dict) else {}
    start, text = _whole(told.get("start"), LONGEST_CALL_S * 1000), _text(told.get("text"), LONGEST_SENTENCE)
    if start is None or not text:
        return None
    return start, max(start, _whole(told.get("end"), LONGEST_CALL_S * 1000) or 0), text


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _started(said: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(said) if isinstance(said, str) else None
    except ValueError:
        return None
    if moment is None or moment.year not in YEARS:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _id(said: object) -> str | None:
    """Twenty digits do not fit into a number of JSON; a short one may come as one."""
    text = str(said) if isinstance(said, str | int) and not isinstance(said, bool) else ""
    return text if _ID.fullmatch(text) else None


def _whole(said: object, most: int) -> int | None:
    if isinstance(said, bool) or not isinstance(said, int | float) or not 0 <= said <= most:
        return None
    return int(said)


def _text(said: object, longest: int) -> str:
    return clean(said, longest) if isinstance(said, str) else ""


def _url(said: object) -> str:
    """A page of theirs, to be linked to."""
    known = isinstance(said, str) and len(said) <= LONGEST_URL and clean(said, LONGEST_URL) == said
    return str(said) if known and _ADDRESS.fullmatch(str(said)) else ""


def _email(said: object) -> str | None:
    try:
        return _EMAIL.validate_python(said)
    except ValidationError:
        return None


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
