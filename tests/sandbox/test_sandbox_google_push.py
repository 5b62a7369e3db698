"""Channels tell of changes, really, and as badly as they are told to."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from aiohttp import web
from googleapiclient.errors import HttpError

from sandbox import Sandbox
from sandbox.google.diary import Calendar
from tests.sandbox.official import ROBIN, Official, reason


@dataclass
class Receiver:
    """A client's address: keeps what it is told, and answers with the next of its statuses, or 204."""

    url: str = ""
    got: list[dict[str, str]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    events: list[str] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        assert await request.read() == b""
        self.got.append(dict(request.headers))
        self.events.append(f"told {request.headers['X-Goog-Resource-State']}")
        return web.Response(status=self.statuses.pop(0) if self.statuses else 204)

    def numbers(self, channel: str | None = None) -> list[int]:
        mine = [one for one in self.got if channel in {None, one["X-Goog-Channel-ID"]}]
        return [int(one["X-Goog-Message-Number"]) for one in mine]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield receiver
    await runner.cleanup()


@pytest.fixture
def robin(sandbox: Sandbox) -> Calendar:
    sandbox.google.retry_seconds = 0.02
    return sandbox.calendar(ROBIN)


@pytest.fixture
def google(sandbox: Sandbox) -> Official:
    return Official(sandbox)


async def until(so: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not so():
            await asyncio.sleep(0.005)


async def quiet(sandbox: Sandbox) -> None:
    """Wait until nothing is under way any more."""
    await asyncio.sleep(0)
    await until(lambda: not sandbox.push.under_way)


def hook(receiver: Receiver, name: str = "channel-1", **more: Any) -> dict[str, Any]:
    return {"id": name, "type": "web_hook", "address": receiver.url, **more}


async def test_watch_answers_with_the_channel_and_begins_with_sync(
    sandbox: Sandbox, google: Official, receiver: Receiver
) -> None:
    before = datetime.now(UTC).replace(microsecond=0)

    channel = await google.watch(**hook(receiver, token="t=1&ä"))

    (told,) = receiver.got
    assert channel["kind"] == "api#channel"
    assert (channel["id"], channel["token"]) == ("channel-1", "t=1&ä")
    expires = datetime.fromtimestamp(int(channel["expiration"]) / 1000, UTC)
    assert timedelta(days=7) <= expires - before < timedelta(days=7, seconds=10)
    assert told["X-Goog-Channel-ID"] == "channel-1"
    assert told["X-Goog-Channel-Token"].encode(errors="surrogateescape").decode() == "t=1&ä"
    assert parsedate_to_datetime(told["X-Goog-Channel-Expiration"]) == expires
    assert (told["X-Goog-Resource-State"], told["X-Goog-Message-Number"]) == ("sync", "1")
    assert told["X-Goog-Resource-ID"] == channel["resourceId"]
    assert told["X-Goog-Resource-URI"] == channel["resourceUri"]
    assert (told["Content-Length"], told["User-Agent"].split(";")[0]) == ("0", "APIs-Google")


async def test_sync_comes_before_the_answer_unless_it_shall_not(
    sandbox: Sandbox, google: Official, receiver: Receiver
) -> None:
    await google.watch(**hook(receiver))
    receiver.events.append("answered")
    sandbox.google.sync_first, sandbox.google.delay_notifications = False, 0.1
    await google.watch(**hook(receiver, "channel-2"))
    receiver.events.append("answered")
    await quiet(sandbox)

    assert receiver.events == ["told sync", "answered", "answered", "told sync"]


async def test_an_answer_does_not_wait_long_for_a_receiver(sandbox: Sandbox, google: Official) -> None:
    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(never, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with asyncio.timeout(2):
            channel = await google.watch(id="x", type="web_hook", address=f"http://127.0.0.1:{port}/")
        server.close()
    assert channel["id"] == "x"


async def test_each_change_is_told_to_each_channel_with_growing_numbers(
    sandbox: Sandbox, robin: Calendar, google: Official, receiver: Receiver
) -> None:
    await google.watch(**hook(receiver, "one", token="secret"))
    await google.watch(**hook(receiver, "two"))

    event = robin.add("Call", "tomorrow", attendees=["ada@lovelace.example"])
    for change in (
        lambda: robin.move(event, "friday"),
        lambda: robin.invite(event, "bob@brightwater.example"),
        lambda: robin.uninvite(event, "bob@brightwater.example"),
        lambda: robin.answer(event, "ada@lovelace.example", "accepted"),
        lambda: robin.cancel(event),
        lambda: robin.restore(event),
    ):
        await quiet(sandbox)
        change()
    await quiet(sandbox)

    for name in ("one", "two"):
        numbers = receiver.numbers(name)
        assert len(numbers) == 8
        assert numbers == sorted(set(numbers)) and numbers[0] == 1
        assert numbers != list(range(1, 9))
    assert {one["X-Goog-Resource-State"] for one in receiver.got[2:]} == {"exists"}
    assert {one["X-Goog-Channel-ID"] for one in receiver.got if "X-Goog-Channel-Token" in one} == {"one"}


async def test_a_calendar_of_somebody_else_says_nothing(sandbox: Sandbox, google: Official, receiver: Receiver) -> None:
    kim = sandbox.google.account("kim.hale@harbour.example")
    await google.watch(ROBIN, **hook(receiver))

    kim.add("Alone", "tomorrow")
    kim.add("Together", "tomorrow", attendees=[ROBIN])
    await quiet(sandbox)

    assert len(receiver.got) == 2


@pytest.mark.parametrize(
    ("wanted", "seconds"),
    [
        ({"params": {"ttl": "3600"}}, 3600),
        ({"params": {"ttl": 3600}}, 3600),
        ({"params": {"ttl": "99999999"}}, 604800),
        ({"expiration": 1800000000000 + 60_000}, 60),
        ({"expiration": str(1800000000000 + 60_000)}, 60),
        ({"expiration": 1800000000000 + 60_000, "params": {"ttl": "30"}}, 30),
    ],
)
async def test_the_earliest_expiry_wins(
    sandbox: Sandbox, google: Official, receiver: Receiver, wanted: dict[str, Any], seconds: int
) -> None:
    now = datetime.fromtimestamp(1800000000, UTC)
    sandbox.world.clock.set(now)

    channel = await google.watch(**hook(receiver, **wanted))

    assert abs(int(channel["expiration"]) / 1000 - 1800000000 - seconds) < 3


async def test_a_channel_ends_at_its_expiry(
    sandbox: Sandbox, robin: Calendar, google: Official, receiver: Receiver
) -> None:
    sandbox.google.channel_seconds = 60
    channel = await google.watch(**hook(receiver))
    robin.add("Call", "tomorrow")
    await quiet(sandbox)
    sandbox.world.clock.set(sandbox.world.clock.now() + timedelta(seconds=61))

    robin.add("Late", "tomorrow")
    await quiet(sandbox)

    assert (len(receiver.got), robin.channels) == (2, [])
    with pytest.raises(HttpError) as gone:
        await google.stop(channel)
    assert reason(gone.value) == (404, "notFound")


async def test_a_stopped_channel_is_silent_and_its_id_is_used_up(
    sandbox: Sandbox, robin: Calendar, google: Official, receiver: Receiver
) -> None:
    channel = await google.watch(**hook(receiver))
    with pytest.raises(HttpError) as twice:
        await google.watch(**hook(receiver))
    assert reason(twice.value) == (400, "channelIdNotUnique")

    assert await google.stop(channel) == ""
    robin.add("Call", "tomorrow")
    await quiet(sandbox)

    assert len(receiver.got) == 1
    for call in (google.stop(channel), google.stop(channel | {"id": "other"})):
        with pytest.raises(HttpError) as gone:
            await call
        assert reason(gone.value) == (404, "notFound")
    with pytest.raises(HttpError) as again:
        await google.watch(**hook(receiver))
    assert reason(again.value) == (400, "channelIdNotUnique")


async def test_a_channel_is_stopped_by_its_own_account_and_resource(
    sandbox: Sandbox, google: Official, receiver: Receiver
) -> None:
    sandbox.google.account("kim.hale@harbour.example")
    channel = await google.watch(**hook(receiver))

    for call in (
        Official(sandbox, "kim.hale@harbour.example").stop(channel),
        google.stop(channel | {"resourceId": "another"}),
    ):
        with pytest.raises(HttpError) as refused:
            await call
        assert reason(refused.value) == (404, "notFound")
    assert len(sandbox.calendar(ROBIN).channels) == 1


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"id": None}, "required"),
        ({"id": 5}, "required"),
        ({"id": "x" * 65}, "push.channelIdInvalid"),
        ({"id": "a b"}, "push.channelIdInvalid"),
        ({"type": None}, "required"),
        ({"type": "carrier_pigeon"}, "push.channelTypeNotSupported"),
        ({"address": None}, "required"),
        ({"address": "here"}, "push.webhookUrlNoHostOrAddress"),
        ({"address": "ftp://127.0.0.1/"}, "push.webhookUrlNoHostOrAddress"),
        ({"address": "http://[::1"}, "push.webhookUrlNoHostOrAddress"),
        ({"address": "https://harbour.example/hook"}, "push.webhookUrlUnauthorized"),
        ({"address": "http://10.0.0.1/"}, "push.webhookUrlUnauthorized"),
        ({"token": "x" * 257}, "push.channelTokenInvalid"),
        ({"token": "a\r\nX-Evil: 1"}, "push.channelTokenInvalid"),
        ({"token": 5}, "push.channelTokenInvalid"),
        ({"params": []}, "invalid"),
        ({"params": {"ttl": "soon"}}, "invalid"),
        ({"params": {"ttl": "0"}}, "invalid"),
        ({"params": {"ttl": -5}}, "invalid"),
        ({"params": {"ttl": 9e15}}, "invalid"),
        ({"expiration": "1"}, "invalid"),
        ({"expiration": True}, "invalid"),
        ({"expiration": 10**15}, "invalid"),
        ({"colour": "red"}, "badRequest"),
    ],
)
async def test_no_channel_can_be_made_of_that(
    sandbox: Sandbox, google: Official, receiver: Receiver, wrong: dict[str, Any], why: str
) -> None:
    with pytest.raises(HttpError) as refused:
        await google.watch(**hook(receiver) | wrong)

    assert reason(refused.value) == (400, why)
    assert (sandbox.calendar(ROBIN).channels, receiver.got) == ([], [])


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_server_in_trouble_is_told_again_later(
    sandbox: Sandbox, robin: Calendar, google: Official, receiver: Receiver, status: int
) -> None:
    await google.watch(**hook(receiver))
    receiver.statuses = [status, status, 200]
    robin.add("Call", "tomorrow")
    await quiet(sandbox)

    assert len(set(receiver.numbers()[1:])) == 1
    (_, message) = sandbox.google.notifications
    assert (message.tries, message.status, message.taken) == (3, 200, True)


async def test_a_channel_that_is_stopped_meanwhile_is_not_told_again(
    sandbox: Sandbox, robin: Calendar, google: Official, receiver: Receiver
) -> None:
    channel = await google.watch(**hook(receiver))
    sandbox.google.retry_seconds, receiver.statuses = 0.1, [503]
    robin.add("Call", "tomorrow")
    await until(lambda: len(receiver.got) == 2)

    await google.stop(channel)
    await quiet(sandbox)

    assert (len(receiver.got), sandbox.google.notifications[-1].tries) == (2, 1)


async def test_telling_again_comes_to_an_end(
    sandbox: Sandbox, robin: Calendar, google: Official, receiver: Receiver
) -> None:
    await google.watch(**hook(receiver))
    sandbox.google.deliveries, receiver.statuses = 3, [503] * 9
    robin.add("Call", "tomorrow")
    await quiet(sandbox)

    message = sandbox.google.notifications[-1]
    assert (message.tries, message.status, message.taken, len(receiver.got)) == (3, 503, False, 4)


@pytest.mark.parametrize(
    ("status", "taken"), [(200, True), (201, True), (202, True), (102, True), (301, False), (400, False), (404, False)]
)
async def test_any_other_answer_is_the_end_of_it(
    sandbox: Sandbox, robin: Calendar, google: Official, receiver: Receiver, status: int, taken: bool
) -> None:
    await google.watch(**hook(receiver))
    receiver.statuses = [status]
    robin.add("Call", "tomorrow")
    await quiet(sandbox)

    message = sandbox.google.notifications[-1]
    assert (message.tries, message.status, message.taken) == (1, status, taken)


async def test_nobody_at_home_is_tried_again(sandbox: Sandbox, robin: Calendar, google: Official) -> None:
    await google.watch(id="x", type="web_hook", address="http://127.0.0.1:9/")
    await quiet(sandbox)

    assert [(m.tries, m.status) for m in sandbox.google.notifications] == [(5, None)]


async def test_notifications_can_be_lost(
    sandbox: Sandbox, robin: Calendar, google: Official, receiver: Receiver
) -> None:
    await google.watch(**hook(receiver))
    sandbox.google.lose_notifications = True
    robin.flood(changes=3)
    sandbox.google.lose_notifications = False
    sandbox.google.lose_next = 2
    robin.flood(changes=3)
    await quiet(sandbox)

    assert len(receiver.got) == 2
    assert [message.lost for message in sandbox.google.notifications] == [False, *[True] * 5, False]
    assert receiver.numbers()[-1] == max(message.number for message in sandbox.google.notifications)


async def test_lots_are_drawn_the_same_way_for_the_same_seed(
    sandbox: Sandbox, robin: Calendar, google: Official, receiver: Receiver
) -> None:
    await google.watch(**hook(receiver))
    sandbox.google.lose_share = 0.5
    lost = []
    for seed in (7, 8, 7):
        sandbox.google.seed = seed
        robin.flood(notifications=40)
        lost.append([message.lost for message in sandbox.google.notifications[-40:]])

    assert lost[0] == lost[2] != lost[1]
    assert 8 < sum(lost[0]) < 32


async def test_notifications_can_come_twice_late_and_out_of_order(
    sandbox: Sandbox, robin: Calendar, google: Official, receiver: Receiver
) -> None:
    await google.watch(**hook(receiver))
    sandbox.google.turn(duplicate_share=1.0, delay_notifications=0.1, reorder_within=0.3)
    begun = asyncio.get_running_loop().time()
    robin.flood(notifications=20)
    await quiet(sandbox)

    numbers = receiver.numbers()[1:]
    assert (len(numbers), len(set(numbers))) == (40, 20)
    assert numbers != sorted(numbers)
    assert 0.1 < asyncio.get_running_loop().time() - begun < 2


async def test_a_flood_arrives(sandbox: Sandbox, robin: Calendar, google: Official, receiver: Receiver) -> None:
    await google.watch(**hook(receiver))

    robin.flood(changes=100, notifications=400)
    await quiet(sandbox)

    assert len(set(receiver.numbers())) == 501


async def test_changes_may_be_made_on_any_thread(
    sandbox: Sandbox, robin: Calendar, google: Official, receiver: Receiver
) -> None:
    await google.watch(**hook(receiver))

    await asyncio.to_thread(robin.add, "Call", "tomorrow")
    await quiet(sandbox)

    assert len(receiver.got) == 2
