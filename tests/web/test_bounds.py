"""Slow and hostile senders are let go in time, and honest ones do not notice them."""

import asyncio
import contextlib
import gc
import gzip
import itertools
import resource
import socket
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import aiohttp
import psutil
import pytest
from aiohttp import web
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st
from structlog.testing import capture_logs

from starter.web.app import LARGEST_BODY
from starter.web.bounds import BACKLOG, LARGE_AT_ONCE, OTHER_FILES, Bounds, Door, make_room
from tests.web.conftest import Site
from tests.web.senders import (
    CHUNKED,
    FLOODS,
    GET,
    HOSTILE,
    LARGE,
    LARGE_BODY,
    POST,
    QUICK,
    QUICK_S,
    SLOW,
    Raw,
    said,
    served,
    serves,
    statuses,
)

pytestmark = pytest.mark.alone

SLACK_S = 0.3


@pytest.mark.parametrize("name", SLOW)
async def test_who_is_slow_is_let_go(name: str) -> None:
    first, drop = SLOW[name]
    async with served() as port:
        raw = await Raw.at(port)
        raw.say(first)
        answer, took = await raw.drip(drop, 0.02)

    assert took < QUICK_S + SLACK_S
    assert all(status < 500 for status in statuses(answer))


async def test_who_is_slow_with_everything_is_let_go_in_the_same_time() -> None:
    """Headers at the last moment, then a body that is too large at the last moment."""
    async with served() as port:
        raw = await Raw.at(port)
        raw.say(CHUNKED[:-2])
        await asyncio.sleep(QUICK.headers_s * 0.6)
        raw.say(b"\r\n1\r\nx\r\n")
        await asyncio.sleep(QUICK.body_s * 0.4)
        raw.say(b"10001\r\n" + bytes(0x10001) + b"\r\n")
        answer, took = await raw.drip(b"1\r\nx\r\n", 0.02)

    assert statuses(answer) == [413]
    assert took < QUICK_S + SLACK_S


def test_all_together_is_less_than_ten_seconds() -> None:
    assert Bounds().headers_s + Bounds().body_s + Bounds().lingering_s < 10


async def test_a_slow_body_is_told_so_and_waited_for_no_longer() -> None:
    async with served(replace(QUICK, lingering_s=3)) as port:
        with capture_logs() as logs:
            raw = await Raw.at(port)
            raw.say(POST + b"Content-Length: 9\r\n\r\nabc")
            answer = await raw.rest(1)

    assert statuses(answer) == [408]
    assert b"Server: greenroom\r\n" in answer
    assert b"Connection: close\r\n" in answer
    assert [(log["event"], log["route"], log["status"]) for log in logs] == [("answered", "/told", 408)]


async def test_an_answer_that_is_not_taken_is_broken_off() -> None:
    async with served() as port:
        raw = socket.create_connection(("127.0.0.1", port))
        raw.sendall(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n" + GET)
        await asyncio.sleep(QUICK.answer_s + SLACK_S)
        heard = 0
        with contextlib.suppress(ConnectionResetError):
            while part := await asyncio.to_thread(raw.recv, 1 << 20):
                heard += len(part)
        raw.close()

    assert heard < LARGE


async def test_the_rest_of_a_small_answer_is_not_waited_for_either(monkeypatch: pytest.MonkeyPatch) -> None:
    """So little is left that asyncio would not call its buffer full, and closing would wait for it for ever."""
    seen: list[asyncio.Transport] = []

    class Seen(Door):
        def enter(self, connection: web.RequestHandler, transport: asyncio.Transport) -> None:
            seen.append(transport)
            super().enter(connection, transport)

    monkeypatch.setattr("starter.web.app.Door", Seen)
    async with served() as port:
        with socket.create_connection(("127.0.0.1", port)) as raw:
            async with asyncio.timeout(5):
                while not (seen and seen[0].get_write_buffer_size()):
                    raw.send(b"GET /small HTTP/1.1\r\nHost: a\r\n\r\n")
                    await asyncio.sleep(0.01)
            assert seen[0].get_write_buffer_size() < 64 * 1024
            await asyncio.sleep(QUICK.answer_s + SLACK_S)
            assert seen[0].get_write_buffer_size() == 0


async def test_who_has_taken_an_answer_is_welcome_to_the_next() -> None:
    async with served(replace(QUICK, headers_s=2, answer_s=0.2)) as port:
        raw = await Raw.at(port)
        raw.say(GET.replace(b"healthz", b"large"))
        head = await raw.reader.readuntil(b"\r\n\r\n")
        await raw.reader.readexactly(LARGE)
        await asyncio.sleep(0.4)
        raw.say(GET[:-2] + b"Connection: close\r\n\r\n")

        assert statuses(head + await raw.rest()) == [200, 200]


async def test_an_answer_that_is_taken_slowly_enough_is_finished() -> None:
    async with served(replace(QUICK, answer_s=3)) as port:
        raw = socket.create_connection(("127.0.0.1", port))
        raw.sendall(b"GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        await asyncio.sleep(QUICK_S + SLACK_S)
        heard = 0
        while part := await asyncio.to_thread(raw.recv, 1 << 20):
            heard += len(part)
        raw.close()

    assert heard > LARGE


def announced(size: int) -> bytes:
    return POST + b"Content-Length: %d\r\n\r\n" % size + bytes(size)


def in_chunks(size: int) -> bytes:
    parts = [b"%x\r\n%s\r\n" % (len(part), part) for part in map(bytes, itertools.repeat(1000, size // 1000))]
    return CHUNKED + b"".join(parts) + b"%x\r\n%s\r\n0\r\n\r\n" % (size % 1000, bytes(size % 1000))


@pytest.mark.parametrize("body", [announced, in_chunks])
@pytest.mark.parametrize("apart", [False, True], ids=["at once", "headers first"])
async def test_a_body_may_be_so_large_and_not_a_byte_larger(body: Callable[[int], bytes], apart: bool) -> None:
    async with served(Bounds()) as port:
        for size in (LARGEST_BODY, LARGEST_BODY + 1, 10 * LARGEST_BODY):
            raw = await Raw.at(port)
            words = body(size)
            head = words.index(b"\r\n\r\n") + 4 if apart else len(words)
            raw.say(words[:head])
            await asyncio.sleep(0.05)
            raw.say(words[head:] + GET[:-2] + b"Connection: close\r\n\r\n")
            answer = await raw.rest()
            assert statuses(answer) == ([200, 200] if size == LARGEST_BODY else [413]), size
            assert size == LARGEST_BODY or b"Connection: close" in answer


def much(size: int, more: bytes = b"X-Known: yes\r\n") -> bytes:
    head = POST.replace(b"/told", b"/much") + more + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % size
    return head + bytes(size)


async def test_a_page_may_take_more_from_whom_it_knows() -> None:
    async with served(Bounds()) as port:
        for words, status in (
            (much(LARGE_BODY), 200),
            (much(LARGE_BODY + 1), 413),
            (much(LARGEST_BODY, b""), 200),
            (much(LARGEST_BODY + 1, b""), 413),
            (in_chunks(LARGEST_BODY + 1).replace(b"/told", b"/much"), 413),
        ):
            answer = await said(port, words)
            assert statuses(answer) == [status], (len(words), answer[:200])
            assert status != 200 or str(len(words.partition(b"\r\n\r\n")[2])).encode() in answer


async def test_few_large_bodies_are_read_at_once() -> None:
    """Each has its own time; who comes while all places are taken is told to come again."""
    async with served(Bounds()) as port:
        slow = [await Raw.at(port) for _ in range(LARGE_AT_ONCE)]
        for one in slow:
            one.say(much(LARGE_BODY)[:-1])
        await asyncio.sleep(0.3)
        assert statuses(await said(port, much(LARGE_BODY))) == [503]
        assert statuses(await said(port, much(1000))) == [200]
        assert [statuses(await one.rest()) for one in slow] == [[408]] * LARGE_AT_ONCE
        assert statuses(await said(port, much(LARGE_BODY))) == [200]


async def test_the_app_itself_stands_behind_this_door(site: Site) -> None:
    raw = await Raw.at(site.port)
    raw.say(POST.replace(b"/told", b"/healthz") + b"Content-Length: 65537\r\n\r\n" + bytes(65537))

    assert statuses(await raw.rest(2)) == [413]
    assert await serves(site.port)


async def test_a_body_that_is_said_to_be_too_large_is_not_waited_for() -> None:
    async with served(replace(QUICK, headers_s=2, body_s=2)) as port:
        raw = await Raw.at(port)
        raw.say(POST + b"Content-Length: 65537\r\n\r\n")
        async with asyncio.timeout(0.5):
            answer = await raw.reader.read(1000)
        raw.writer.close()

    assert statuses(answer) == [413]


async def test_what_is_compressed_is_not_unpacked() -> None:
    bomb = gzip.compress(bytes(10_000_000))
    async with served(Bounds()) as port, aiohttp.ClientSession() as session:
        headers = {"Content-Encoding": "gzip"}
        async with session.post(f"http://127.0.0.1:{port}/told", data=bomb, headers=headers) as response:
            assert await response.text() == str(len(bomb))


@pytest.mark.parametrize("name", FLOODS)
async def test_a_flood_is_stopped(name: str) -> None:
    async with served(replace(QUICK, headers_s=5, body_s=5)) as port:
        began = time.perf_counter()
        answer = await said(port, FLOODS[name])
        took = time.perf_counter() - began
        assert await serves(port)

    assert took < 3
    assert set(statuses(answer)) <= {200, 400, 413}


async def test_headers_that_pile_up_are_not_kept() -> None:
    """Each is short enough, and there are few enough of them."""
    async with served(Bounds()) as port:
        raw = await Raw.at(port)
        raw.say(GET[:-2])
        for _ in range(60):
            raw.say(b"X: " + b"y" * 1000 + b"\r\n")
            await asyncio.sleep(0.005)
        assert await raw.rest(1) == b""


async def test_a_few_requests_at_once_are_answered_in_turn() -> None:
    async with served() as port:
        answer = await said(port, GET * 5 + announced(4) + GET.replace(b"healthz", b"nowhere"))

    assert statuses(answer) == [200] * 6 + [404]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("apart", [False, True], ids=["at once", "headers first"])
async def test_what_is_not_a_request_is_refused_once(
    name: str, apart: bool, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    async with served() as port:
        with capture_logs() as logs:
            raw = await Raw.at(port)
            head, blank, body = HOSTILE[name].partition(b"\r\n\r\n")
            raw.say(head + blank)
            await asyncio.sleep(0.02 * apart)
            raw.say(body)
            answer = await raw.rest()
        assert await serves(port)

    assert all(400 <= status < 500 for status in statuses(answer)), answer
    assert answer.count(b"HTTP/") <= 1, "what was hidden in a body was answered"
    assert answer.count(b"Server: greenroom\r\n") == answer.count(b"HTTP/")
    assert b"qwertz" not in answer
    assert "qwertz" not in str(logs) + caplog.text + "".join(capsys.readouterr())
    assert not [log for log in logs if log["log_level"] == "error"]


async def test_a_sender_who_goes_is_no_failure_of_ours() -> None:
    async with served() as port:
        with capture_logs() as logs:
            raw = await Raw.at(port)
            raw.say(POST + b"Content-Length: 9\r\n\r\nabc")
            await asyncio.sleep(0.05)
            raw.writer.transport.abort()
            await asyncio.sleep(0.05)

    assert [(log["event"], log["status"]) for log in logs] == [("answered", 400)]


async def test_what_breaks_outside_of_every_page_is_logged_by_kind(caplog: pytest.LogCaptureFixture) -> None:
    async with served() as port:
        with capture_logs() as logs:
            assert await said(port, b"GET /unsigned HTTP/1.1\r\nHost: qwertz\r\n\r\n") == b""
        assert await serves(port)

    broken = [log for log in logs if log["event"] != "answered"]
    assert broken == [{"event": "broken off", "error": "ValueError", "log_level": "warning"}]
    assert "qwertz" not in caplog.text


WORDS = (
    b"GET POST / /told /healthz HTTP/1.1 HTTP/1.0 Host:a Content-Length: Transfer-Encoding:chunked Connection: close"
)
WORDS += b" upgrade Upgrade: Expect:100-continue 0 5 : , ; % ? # [ //"
GRAMMAR = st.sampled_from([*WORDS.split(), b" ", b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\x00", b"\xff", b"a" * 300])
GARBAGE = st.lists(GRAMMAR | st.binary(max_size=20), max_size=25).map(b"".join)


@pytest.fixture(scope="module")
async def open_house() -> AsyncIterator[int]:
    short = Bounds(headers_s=0.03, body_s=0.02, lingering_s=0.01)
    async with served(short) as port:
        yield port


@given(words=GARBAGE | st.builds(bytes.__add__, st.sampled_from([GET[:-2], POST, CHUNKED]), GARBAGE))
@effort(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_garbage_is_answered_or_let_go(open_house: int, words: bytes) -> None:
    with capture_logs() as logs:
        answer = await said(open_house, words)

    assert all(status < 500 for status in statuses(answer))
    assert not [log for log in logs if log["log_level"] == "error"]
    assert await serves(open_house)


async def test_when_the_house_is_full_who_has_waited_longest_makes_room() -> None:
    async with served(Bounds(connections=20)) as port:
        working = await Raw.at(port)
        working.say(b"GET /slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        crowd = [await Raw.at(port) for _ in range(10)]
        crowd += [await Raw.at(port) for _ in range(10)]
        for raw in crowd[10:]:
            raw.say(POST + b"Content-Length: 9\r\n\r\n")
        for _ in range(5):
            assert await serves(port)
        gone = [raw for raw in crowd if raw.reader.at_eof() or raw.reader.exception()]
        answer = await working.rest()
        for raw in crowd:
            raw.writer.close()

    assert answer.endswith(b"done")
    assert gone
    assert gone == crowd[: len(gone)]


async def test_a_house_full_of_those_who_were_served_takes_the_next_in() -> None:
    async with served(Bounds(connections=5)) as port:
        idle = [await Raw.at(port) for _ in range(5)]
        for raw in idle:
            raw.say(GET)
            await raw.reader.readuntil(b"ok")
        assert await serves(port)
        assert await idle[0].rest(1) == b'"}'
        for raw in idle:
            raw.writer.close()


async def test_a_house_full_of_work_takes_nobody_in() -> None:
    async with served(Bounds(connections=5)) as port:
        working = [await Raw.at(port) for _ in range(5)]
        for raw in working:
            raw.say(b"GET /slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        await asyncio.sleep(0.1)
        assert await said(port, GET) == b""
        answers = await asyncio.gather(*(raw.rest() for raw in working))
        assert await serves(port)

    assert all(answer.endswith(b"done") for answer in answers)


def test_there_are_files_for_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "setrlimit", lambda _what, limits: asked.append(limits))
    for limits in [
        (256, 4096),
        (256, 1000),
        (256, resource.RLIM_INFINITY),
        (4096, 4096),
        (resource.RLIM_INFINITY,) * 2,
    ]:
        monkeypatch.setattr(resource, "getrlimit", lambda _what, limits=limits: limits)
        make_room(1000)

    wanted = 1000 + BACKLOG + OTHER_FILES
    assert asked == [(wanted, 4096), (1000, 1000), (wanted, resource.RLIM_INFINITY)]


async def timed(port: int, requests: int) -> list[float]:
    """An honest client, with a new connection for each request and a few at once."""
    turns = asyncio.Semaphore(4)

    async def one() -> float:
        async with turns:
            began = time.perf_counter()
            assert await serves(port)
            return time.perf_counter() - began

    return sorted(await asyncio.gather(*(one() for _ in range(requests))))


async def test_a_thousand_slow_senders_are_gone_in_ten_seconds_and_nobody_else_notices() -> None:
    kinds = [*itertools.islice(itertools.cycle([SLOW["never speaks"], SLOW["idle after an answer"]]), 500)]
    kinds += itertools.islice(itertools.cycle([SLOW["slow headers"], SLOW["slow body"], SLOW["slow chunks"]]), 500)
    async with served(Bounds()) as port:
        await timed(port, 20)
        gc.collect()
        before = psutil.Process().memory_info().rss
        with capture_logs():
            crowd = await asyncio.gather(*(Raw.at(port) for _ in kinds))
            for raw, (first, _) in zip(crowd, kinds, strict=True):
                raw.say(first)
            slow = [asyncio.create_task(raw.drip(drop, 1)) for raw, (_, drop) in zip(crowd, kinds, strict=True)]
            honest = await timed(port, 200)
            assert sum(task.done() for task in slow) < 20, "they are gone, and nothing is measured"
            grown = psutil.Process().memory_info().rss - before
            ends = [await task for task in slow]

    assert honest[int(len(honest) * 0.99)] < 1
    assert max(took for _, took in ends) < 10
    assert {status for answer, _ in ends for status in statuses(answer)} <= {200, 408}
    # Both sides of the connections are in this process.
    assert grown < 64 * 1024 * 1024
    print(f"honest p99 {honest[197]:.3f} s, last closed {max(t for _, t in ends):.2f} s, grown {grown >> 20} MiB")  # noqa: T201
