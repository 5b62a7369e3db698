"""Events that came in: read and checked all together, then each done once, and for good.

JSON ─▶ read: names, tenants, payloads ─▶ Inbox.take ─▶ checked against our rows ─▶ begun, or collected
            └─▶ RefusedError, which names the field                └─▶ RefusedError: nothing has begun
"""

import asyncio
import json
import math
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from pydantic import Field, ValidationError
from pydantic_core import ErrorDetails

from activities.plain import clean
from activities.store.received import Arrival, Begun, Collected, ReceivedStore
from schemas.base import Inbound, RowId, TenantId
from schemas.events import Definition, Direction, known
from schemas.payloads import Payload, TheirId

MOST_EVENTS = 500
LONGEST_WORD = 80
# What nests deeper is nobody's row, and those who look through all rows would stumble over it.
DEEPEST = 64
# Events that are begun at once. Each keeps one connection to Postgres and takes another for a while, and the pages
# want some too.
BEGUN_AT_ONCE = 3
# ... and of one tenant: whoever sends five hundred keeps no other waiting.
OF_ONE_TENANT = 2


class RefusedError(Exception):
    """What came is not taken, and nothing of it has begun. `sentence` names the field, never what stands in it.

    With `after_s` it was too much for now, and is taken then; what else was sent with it may have begun.
    """

    def __init__(self, status: int, sentence: str, after_s: int | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.after_s = after_s


@dataclass(frozen=True)
class Sent:
    """An event as it is understood. `key` is what its sender calls it, `place` where it stood."""

    key: str
    definition: Definition
    payload: Payload
    place: str = "events[0]"


@dataclass(frozen=True)
class Problem:
    """What is wrong with an event as our rows are: the field of its payload, and a sentence."""

    field: str
    sentence: str


class Dispatch(Protocol):
    """Begins what events ask for."""

    async def check(self, tenant_id: TenantId, sent: Sent) -> Problem | None:
        """Reads, and begins nothing."""
        ...

    async def begin(self, tenant_id: TenantId, sent: Sent, received_id: RowId) -> Begun:
        """Raises AwayError when it cannot be told just now."""
        ...

    def keep(self, sent: Sent) -> dict[str, Any]:
        """What is kept of an event that is collected."""
        ...

    async def collect(self, tenant_id: TenantId, sent: Sequence[tuple[Sent, Collected]]) -> None: ...


class _Envelope(Inbound):
    """What stands around a payload. What else stands there is for others."""

    name: TheirId
    data: dict[str, Any] | None = Field(default=None)
    id: TheirId | None = None


def decode(body: bytes) -> object:
    """The JSON of a body; RefusedError for what is none."""
    try:
        said = json.loads(body.decode(), parse_constant=_no_number, parse_float=_number)
    except (ValueError, RecursionError):
        raise RefusedError(400, "the body is no JSON") from None
    if _deeper(said, DEEPEST):
        raise RefusedError(400, f"the body is nested more than {DEEPEST} deep")
    return said


def _no_number(said: str) -> None:
    raise ValueError(said)


def _number(said: str) -> float:
    """Postgres keeps no infinity, and its repeat would be refused for ever."""
    if not math.isfinite(number := float(said)):
        raise ValueError(said)
    return number


def _deeper(said: object, left: int) -> bool:
    within = said.values() if isinstance(said, dict) else said if isinstance(said, list) else ()
    return left == 0 or any(_deeper(one, left - 1) for one in within)


def read(said: object, tenant_id: TenantId, fallback: Callable[[int], str]) -> tuple[Sent, ...]:
    """One event or many, each understood; `fallback` names those that have no id. RefusedError at the first that is not."""
    events = said if isinstance(said, list) else [said]
    if len(events) > MOST_EVENTS:
        raise RefusedError(400, f"events: {len(events)} were sent; at most {MOST_EVENTS} are taken at once")
    return tuple(_one(event, f"events[{number}]", tenant_id, fallback, number) for number, event in enumerate(events))


def _one(event: object, place: str, tenant_id: TenantId, fallback: Callable[[int], str], number: int) -> Sent:
    if not isinstance(event, dict):
        raise RefusedError(
            400, f"{place}: must be an event, such as " + '{"name": "record/entity.created", "data": {}}'
        )
    envelope = valid(_Envelope, {**event, "id": event.get("id") or None}, place)
    definition, data = known(envelope.name), envelope.data or {}
    if definition is None:
        raise RefusedError(400, f'{place}.name: there is no event "{clean(envelope.name, LONGEST_WORD)}"')
    if definition.direction is not Direction.IN:
        raise RefusedError(400, f'{place}.name: "{definition.name}" is told by us; nobody sends it')
    _own(data, tenant_id, place)
    payload = valid(definition.payload, data, f"{place}.data")
    return Sent(envelope.id or fallback(number), definition, payload, place)


def _own(data: dict[str, Any], tenant_id: TenantId, place: str) -> None:
    """A payload without a tenant is of whoever sends it."""
    for name in ("tenantId", "tenant_id"):
        named = data.get(name)
        if named is not None and (not isinstance(named, str) or named.strip().lower() != tenant_id):
            raise RefusedError(403, f"{place}.data.{name}: is another tenant than the key's")


def valid(model: type[Any], said: dict[str, Any], place: str) -> Any:
    try:
        return model.model_validate(said)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        raise RefusedError(400, _sentence(first, place)) from None
    except RecursionError:
        raise RefusedError(400, f"{place}: is nested too deeply") from None


def _sentence(error: ErrorDetails, place: str) -> str:
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"])
    said = error["msg"].removeprefix("Value error, ")
    # The pattern itself says nothing to a person.
    said = "is not in the form that is expected" if error["type"] == "string_pattern_mismatch" else said
    return f"{place}{clean(path, LONGEST_WORD)}: {said[:1].lower()}{said[1:]}"


class Inbox:
    """Has events done. Their sender may send them again whenever it is in doubt."""

    def __init__(self, received: ReceivedStore, dispatch: Dispatch) -> None:
        self._received = received
        self._dispatch = dispatch
        self._turns = asyncio.Semaphore(BEGUN_AT_ONCE)
        self._own: dict[TenantId, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(OF_ONE_TENANT))

    async def take(self, tenant_id: TenantId, key_id: RowId | None, sent: Sequence[Sent]) -> None:
        """Returns once Temporal knows of all of them. RefusedError before anything has begun, AwayError in between:
        what had begun by then is not begun again when all are sent again."""
        settled = await self._received.settled(tenant_id, [one.key for one in sent])
        # Of several with the same id the first is the event.
        fresh = list({one.key: one for one in reversed(sent) if one.key not in settled}.values())[::-1]
        await _all(self._check(tenant_id, one) for one in fresh)
        now = datetime.now(UTC)
        await self._collect(tenant_id, key_id, [one for one in fresh if one.definition.collected], now)
        await _all(self._once(tenant_id, key_id, one, now) for one in fresh if not one.definition.collected)

    @asynccontextmanager
    async def _turn(self, tenant_id: TenantId) -> AsyncIterator[None]:
        async with self._own[tenant_id], self._turns:
            yield

    async def _check(self, tenant_id: TenantId, one: Sent) -> None:
        async with self._turn(tenant_id):
            problem = await self._dispatch.check(tenant_id, one)
        if problem is not None:
            raise RefusedError(400, f"{one.place}.data.{problem.field}: {problem.sentence}")

    async def _once(self, tenant_id: TenantId, key_id: RowId | None, one: Sent, now: datetime) -> None:
        arrival = Arrival(one.key, one.definition.name, key_id)
        async with self._turn(tenant_id):
            await self._received.once(tenant_id, arrival, now, lambda row: self._dispatch.begin(tenant_id, one, row))

    async def _collect(self, tenant_id: TenantId, key_id: RowId | None, sent: list[Sent], now: datetime) -> None:
        """Written down first: whoever collects them looks for their rows."""
        by_name: dict[str, list[Sent]] = defaultdict(list)
        for one in sent:
            by_name[one.definition.name].append(one)
        for name, some in by_name.items():
            arrivals = [Arrival(one.key, name, key_id, _text(self._dispatch.keep(one))) for one in some]
            async with self._turn(tenant_id):
                rows = await self._received.collect(tenant_id, arrivals, now)
                keyed = {one.key: one for one in some}
                waiting = [(keyed[row.key], row) for row in rows]
                if waiting:
                    await self._dispatch.collect(tenant_id, waiting)


def _text(kept: dict[str, Any]) -> str:
    """As it is written, so that whoever is looked for is found; in escapes where half a letter cannot be written."""
    text = json.dumps(kept, ensure_ascii=False, allow_nan=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(kept, allow_nan=False)
    return text


async def _all(work: Iterable[Awaitable[None]]) -> None:
    """All of them, and then the first of those that failed, in their order."""
    failures = [one for one in await asyncio.gather(*work, return_exceptions=True) if isinstance(one, BaseException)]
    if failures:
        raise failures[0]
