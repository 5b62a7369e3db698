"""How an answer travels, and how it can go wrong on the way.

answer ─▶ spoilt (what it says) ─▶ carried (how it arrives) ─▶ client
"""

import asyncio
import json
import random
import re
import string
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from aiohttp import web

from sandbox.brand import Answer, Json
from sandbox.faults import Fault
from sandbox.journal import Entry

DEPTH = 100_000
CHUNK = 64 * 1024
DRIBBLE_SECONDS = 0.1
# Between two pieces of a stream, beside the delay of its brand.
TRICKLE_SECONDS = 0.01
EVENTS = "text/event-stream"


@dataclass(frozen=True)
class Delivery:
    """One answer on its way to one client."""

    request: web.Request
    answer: Answer
    entry: Entry
    fault: Fault | None
    # What its brand takes its time by: read again and again, so that a stream under way can be held up, and let go.
    delay: Callable[[], float] = lambda: 0.0


async def deliver(delivery: Delivery) -> web.StreamResponse:
    """Send the answer as the fault wants it. The journal entry learns what was really sent."""
    kind = delivery.fault.kind if delivery.fault else ""
    spoil = SPOILT.get(kind, _as_it_is)
    return await CARRIED.get(kind, _whole)(replace(delivery, answer=spoil(delivery.answer)))


# What it says.


def _as_it_is(answer: Answer) -> Answer:
    return answer


def _garbage(answer: Answer) -> Answer:
    dice = random.Random(answer.body)  # the same call gets the same garbage
    return replace(answer, status=200, body="".join(dice.choices(string.printable, k=400)).encode())


def _wrong_type(answer: Answer) -> Answer:
    page = b"<!doctype html><title>Sign in</title><h1>Please sign in to the hotel's network</h1>"
    return replace(answer, status=200, body=page, headers={"content-type": "text/html; charset=utf-8"})


def _empty(answer: Answer) -> Answer:
    return replace(answer, status=200, body=b"")


def _nan(answer: Answer) -> Answer:
    try:
        document = json.loads(answer.body)
    except ValueError:
        return answer  # a page, or nothing at all: there is no number in it
    return replace(answer, status=200, body=json.dumps(_without_numbers(document)).encode())


def _without_numbers(value: Json) -> Json:
    match value:
        case dict():
            return {key: _without_numbers(inner) for key, inner in value.items()}
        case list():
            return [_without_numbers(inner) for inner in value]
        case bool():
            return value
        case int() | float():
            return float("nan")
    return value


def _deep(answer: Answer) -> Answer:
    return replace(answer, status=200, body=b'{"output": ' + b"[" * DEPTH + b"]" * DEPTH + b"}")


SPOILT: dict[str, Callable[[Answer], Answer]] = {
    "garbage": _garbage,
    "wrong_type": _wrong_type,
    "empty": _empty,
    "nan": _nan,
    "deep": _deep,
}

# How it arrives.


async def _begin(delivery: Delivery, length: int) -> web.StreamResponse:
    response = web.StreamResponse(status=delivery.answer.status, headers=dict(delivery.answer.headers))
    response.content_length = length
    await response.prepare(delivery.request)
    delivery.entry.status = delivery.answer.status
    return response


async def _write(delivery: Delivery, response: web.StreamResponse, data: bytes) -> None:
    await response.write(data)
    delivery.entry.answer_bytes += len(data)


async def _whole(delivery: Delivery) -> web.StreamResponse:
    if delivery.answer.headers.get("content-type", "").startswith(EVENTS):
        return await _streamed(delivery)
    response = await _begin(delivery, len(delivery.answer.body))
    await _write(delivery, response, delivery.answer.body)
    await response.write_eof()
    return response


async def _streamed(delivery: Delivery) -> web.StreamResponse:
    """One event after the other, for as long as the client listens."""
    response = web.StreamResponse(status=delivery.answer.status, headers=dict(delivery.answer.headers))
    await response.prepare(delivery.request)
    delivery.entry.status = delivery.answer.status
    for piece in re.findall(rb".+?(?:\n\n|\Z)", delivery.answer.body, re.DOTALL):
        await _write(delivery, response, piece)
        await asyncio.sleep(max(delivery.delay(), TRICKLE_SECONDS))
    await response.write_eof()
    return response


async def _slow(delivery: Delivery) -> web.StreamResponse:
    await asyncio.sleep(_fault(delivery).seconds)
    return await _whole(delivery)


async def _dribble(delivery: Delivery) -> web.StreamResponse:
    response = await _begin(delivery, len(delivery.answer.body))
    for byte in delivery.answer.body:
        await _write(delivery, response, bytes([byte]))
        await asyncio.sleep(DRIBBLE_SECONDS)
    await response.write_eof()
    return response


async def _hang(delivery: Delivery) -> web.StreamResponse:
    """Ends when the client leaves or the server stops: both cancel the handler."""
    await asyncio.Event().wait()
    return await _drop(delivery)


async def _drop(delivery: Delivery) -> web.StreamResponse:
    _hang_up(delivery.request)
    return web.Response()


async def _truncated(delivery: Delivery) -> web.StreamResponse:
    body = delivery.answer.body
    response = await _begin(delivery, len(body))
    await _write(delivery, response, body[: len(body) // 2])
    _hang_up(delivery.request)
    return response


async def _huge(delivery: Delivery) -> web.StreamResponse:
    """One JSON object of exactly the ordered length, made as it goes out."""
    head, tail = b'{"text": "', b'"}'
    left = _fault(delivery).bytes - len(head) - len(tail)
    response = await _begin(replace(delivery, answer=replace(delivery.answer, status=200)), _fault(delivery).bytes)
    await _write(delivery, response, head)
    while left > 0:
        await _write(delivery, response, b"a" * min(CHUNK, left))
        left -= CHUNK
    await _write(delivery, response, tail)
    await response.write_eof()
    return response


CARRIED: dict[str, Callable[[Delivery], Awaitable[web.StreamResponse]]] = {
    "slow": _slow,
    "dribble": _dribble,
    "hang": _hang,
    "drop": _drop,
    "truncated": _truncated,
    "huge": _huge,
}


def _fault(delivery: Delivery) -> Fault:
    assert delivery.fault is not None  # only called for the fault's own kind
    return delivery.fault


def _hang_up(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.close()
