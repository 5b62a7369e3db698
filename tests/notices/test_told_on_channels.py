"""Each channel is told by itself: one that is blocked is switched off and told elsewhere, one that is busy is waited for."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from activities.notices import NoticeActivities
from activities.people import PersonKeys
from activities.providers import messages
from activities.sealing import Sealer
from activities.store.notices import NoticeStore
from activities.store.user_channels import UserChannelStore
from activities.ways import Ways
from schemas.channels import ChannelOff
from schemas.notices import NoticeKind, NoticeOrder, Sent, channel_key, skill_key, slow_key
from starter.show.letters import Letters
from tests.notices.post import Post
from tests.stage import KEY, TOKEN_KEYS
from worker import build_worker
from workflows import ids, queues

HOOK = "/services/T0001/B0001/hushhushhush"
WRITTEN = "# Thank you\n\nIt was good to meet you, Zephyrine."


class Wire:
    """A user with channels, whose runs of a skill end."""

    def __init__(self, post: Post) -> None:
        self.post = post
        self.stage = post.stage
        self.store = UserChannelStore(post.stage.database, Sealer(TOKEN_KEYS), PersonKeys(KEY))
        # Chats of their own, so that tests of one sandbox do not meet.
        self.chats = iter(range(1, 100))

    async def chat(self, label: str = "") -> tuple[str, str]:
        """A channel, and the chat that it leads to."""
        address = f"{int(self.stage.tenant.id[:6], 16) + 10**8}{next(self.chats):02}"
        return await self.add("telegram", address, label), address

    async def add(self, kind: str, address: str, label: str = "") -> str:
        await self.post.sql("UPDATE users SET email = $1", self.post.address)
        at = self.stage.tenant.id, self.stage.user.id
        return await self.store.add(*at, kind, address, label or kind.title(), datetime.now(UTC))

    async def run(self, status: str = "completed", reason: str = "") -> str:
        run_id, now = str(uuid4()), datetime.now(UTC)
        await self.post.sql(
            """
            INSERT INTO skill_runs (tenant_id, id, user_id, skill, message, status, turn_at, created_at, failed_step,
              failure_reason)
            VALUES (current_tenant(), $1, $2, 'follow-up', 'Write to her', $3, $4, $4, 'execute', nullif($5, ''))
            """,
            *(run_id, self.stage.user.id, status, now, reason),
        )
        if status == "completed":
            await self.post.sql(
                """
                INSERT INTO outputs (tenant_id, skill_run_id, title, format, preview, size_bytes, object_key, created_at)
                VALUES (current_tenant(), $1, 'follow-up output', 'markdown', $2, 40, 'x', $3)
                """,
                *(run_id, WRITTEN, now),
            )
        return run_id

    def order(self, run_id: str, channel_id: str | None, kind: NoticeKind = NoticeKind.SKILL) -> NoticeOrder:
        key = {NoticeKind.SKILL: skill_key, NoticeKind.SKILL_SLOW: slow_key}[kind]
        return NoticeOrder(
            tenant_id=self.stage.tenant.id,
            key=key(run_id, channel_id),
            kind=kind,
            skill_run_id=run_id,
            channel_id=channel_id,
        )

    async def tell(self, run_id: str, *channels: str | None) -> list[Sent]:
        return list(await asyncio.gather(*(self.post.send(self.order(run_id, one)) for one in channels)))

    def came(self, chat: str) -> list[str]:
        return [one["text"] for one in self.stage.sandbox.messages.all(chat)]

    def fault(self, kind: str, chat: str, **more: Any) -> None:
        self.stage.sandbox.faults.put("telegram", kind, match=chat, **more)

    async def state(self, channel_id: str) -> tuple[str, str]:
        rows = await self.store.list(self.stage.tenant.id, self.stage.user.id)
        return next((one.status, one.reason) for one in rows if one.id == channel_id)

    async def off(self, channel_id: str) -> ChannelOff:
        off = await self.store.stands_off(self.stage.tenant.id, channel_id)
        assert off is not None
        return off

    async def told_off(self, channel_id: str, *others: str | None) -> list[Sent]:
        """What became of the news that a channel was switched off."""
        since = (await self.off(channel_id)).since
        names = [ids.notice(self.stage.tenant.id, channel_key(channel_id, since, other)) for other in others]
        handles = [self.stage.temporal.get_workflow_handle(name) for name in names]
        return [Sent.model_validate(await handle.result()) for handle in handles]


@pytest.fixture
def wire(post: Post) -> Wire:
    return Wire(post)


async def test_one_is_blocked_and_one_is_busy(wire: Wire) -> None:
    """Issue 7, 5: one off, one delivered after the wait; and the mail goes whatever they do."""
    (blocked, first), (busy, second) = await wire.chat("Old phone"), await wire.chat("New phone")
    wire.fault("blocked", first)
    wire.fault("status", second, status=429, retry_after="2")
    run_id, began = await wire.run(), datetime.now(UTC)
    async with wire.stage.working():
        off, waited, mailed = await wire.tell(run_id, blocked, busy, None)
        told = await wire.told_off(blocked, None, busy)
    assert (off.status, waited.status, mailed.status) == ("failed", "sent", "sent")
    assert off.reason == "the channel was switched off: the bot was blocked there"
    assert await wire.state(blocked) == ("off", "the bot was blocked there")
    assert await wire.state(busy) == ("on", "")
    assert (datetime.now(UTC) - began).total_seconds() >= 2
    assert [one.status for one in told] == ["sent", "sent"]

    assert wire.came(first) == []
    written = [text for text in wire.came(second) if "follow-up is written" in text]
    switched = [text for text in wire.came(second) if "Old phone" in text]
    assert (len(written), len(switched), len(wire.came(second))) == (1, 1, 2)
    assert "Zephyrine" in written[0] and f"/skills/runs/{run_id}" in written[0] and "sandbox data" in written[0].lower()
    subjects = sorted(mail["subject"] for mail in wire.post.mails())
    assert subjects == [
        "[sandbox data] Switched off: your Telegram channel (Old phone)",
        "[sandbox data] Written for you: follow-up",
    ]


async def test_two_that_meet_the_same_block_tell_of_it_once(wire: Wire) -> None:
    channel, chat = await wire.chat()
    wire.fault("blocked", chat, times=None)
    runs = [await wire.run() for _ in range(4)]
    async with wire.stage.working():
        sent = await asyncio.gather(*(wire.tell(run_id, channel) for run_id in runs))
        await wire.told_off(channel, None)
    assert {one.status for (one,) in sent} == {"failed"}
    assert {one.channel_off for (one,) in sent} == {await wire.off(channel)}
    assert len(wire.post.mails()) == 1


async def test_one_that_was_switched_off_is_tried_again_when_its_user_says_so(wire: Wire) -> None:
    channel, chat = await wire.chat()
    wire.fault("blocked", chat)
    async with wire.stage.working():
        await wire.tell(await wire.run(), channel)
        first = await wire.off(channel)
        await wire.told_off(channel, None)
        (still,) = await wire.tell(await wire.run(), channel)
        assert (still.status, still.channel_off) == ("failed", first)
        assert await wire.store.on(wire.stage.tenant.id, wire.stage.user.id, channel)
        (again,) = await wire.tell(await wire.run(), channel)
    assert (again.status, len(wire.came(chat)), len(wire.post.mails())) == ("sent", 1, 1)


async def test_a_group_that_moved_is_followed_and_remembered(wire: Wire) -> None:
    channel, chat = await wire.chat()
    wire.fault("migrate", chat)
    async with wire.stage.working():
        assert [one.status for one in await wire.tell(await wire.run(), channel)] == ["sent"]
        assert [one.status for one in await wire.tell(await wire.run(), channel)] == ["sent"]
    opened = await wire.store.channel(wire.stage.tenant.id, channel)
    assert opened is not None and opened.address == f"-100{chat}"
    assert (len(wire.came(chat)), len(wire.came(f"-100{chat}"))) == (0, 2)


async def test_one_that_moves_without_end_is_given_up(wire: Wire) -> None:
    channel, chat = await wire.chat()
    wire.fault("migrate", chat, times=None)
    async with wire.stage.working():
        (sent,) = await wire.tell(await wire.run(), channel)
    assert (sent.status, "moves without end" in sent.reason) == ("failed", True)
    assert (await wire.state(channel))[0] == "on"


async def test_a_webhook_is_told_and_one_that_is_gone_is_switched_off(wire: Wire) -> None:
    hook = f"{HOOK}{wire.stage.tenant.id[:6]}"
    channel = await wire.add("slack", f"{wire.stage.sandbox.slack_url}{hook}", "#sales")
    async with wire.stage.working():
        assert [one.status for one in await wire.tell(await wire.run(), channel)] == ["sent"]
        wire.stage.sandbox.faults.put("slack", "channel_is_archived")
        assert [one.status for one in await wire.tell(await wire.run(), channel)] == ["failed"]
        await wire.told_off(channel, None)
    assert len(wire.came(hook)) == 1
    assert await wire.state(channel) == ("off", "the channel is archived")
    (mail,) = wire.post.mails()
    assert "Slack channel" in mail["subject"] and "hush" not in mail["raw"]


async def test_what_failed_says_why_and_what_is_slow_says_so(wire: Wire) -> None:
    channel, chat = await wire.chat()
    failed, slow = await wire.run("failed", "execute: took longer than 10 minutes"), await wire.run("running")
    async with wire.stage.working():
        await wire.tell(failed, channel, None)
        sent = [await wire.post.send(wire.order(slow, one, NoticeKind.SKILL_SLOW)) for one in (channel, None)]
    assert [one.status for one in sent] == ["sent", "sent"]
    why, late = wire.came(chat)
    assert "took longer than 10 minutes" in why and "execute:" not in why
    assert "takes longer than usual" in late
    assert len(wire.post.mails()) == 2


async def test_nobody_is_told_what_is_not_so_any_more(wire: Wire) -> None:
    channel, chat = await wire.chat()
    running, done = await wire.run("running"), await wire.run()
    await wire.post.sql("UPDATE users SET skills_by_mail = false")
    async with wire.stage.working():
        (early,) = await wire.tell(running, channel)
        late = await wire.post.send(wire.order(done, channel, NoticeKind.SKILL_SLOW))
        told, mailed = await wire.tell(done, channel, None)
        assert await wire.store.remove(wire.stage.tenant.id, wire.stage.user.id, channel)
        (gone,) = await wire.tell(await wire.run(), channel)
    assert [one.status for one in (early, late, told, mailed, gone)] == ["skipped", "skipped", "sent", *["skipped"] * 2]
    assert "not wanted by mail" in mailed.reason and "gone" in gone.reason
    assert (len(wire.came(chat)), wire.post.mails()) == (1, [])


async def test_no_secret_is_told_to_temporal_or_to_a_log(wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    channel, chat = await wire.chat("Zorblatt's phone")
    wire.fault("blocked", chat)
    with caplog.at_level(logging.DEBUG):
        async with wire.stage.working(telegram_token="sandbox-hush", telegram_base_url=wire.stage.sandbox.telegram_url):
            handle = await wire.post.begin(wire.order(await wire.run(), channel))
            assert (await handle.result()).status == "failed"
            await wire.told_off(channel, None)
    known = (await handle.fetch_history()).to_json() + str((await handle.describe()).raw_description)
    ours = "\n".join(record.getMessage() for record in caplog.records)
    assert any("a channel is switched off" in record.getMessage() for record in caplog.records)
    for word in ("hush", chat, "Zorblatt", "Zephyrine"):
        assert word not in known
        assert word not in ours


class Dying(UserChannelStore):
    """The worker is gone just after it has switched a channel off."""

    deaths = 0

    async def off(self, *given: Any) -> ChannelOff | None:
        off = await super().off(*given)
        if not self.deaths:
            self.deaths += 1
            raise ConnectionResetError
        return off


@asynccontextmanager
async def working_by(wire: Wire, channels: UserChannelStore) -> AsyncIterator[None]:
    settings = wire.stage.settings()
    async with aiohttp.ClientSession() as session:
        ways = Ways(channels, messages.messengers(settings, session))
        owners = [NoticeActivities(NoticeStore(wire.stage.database), Letters(settings), None, ways)]
        async with (
            build_worker(wire.stage.temporal, owners, task_queue=queues.WORKFLOWS),
            build_worker(wire.stage.temporal, owners, task_queue=queues.MAIL),
        ):
            yield


async def test_that_a_channel_is_off_is_told_though_its_worker_died(wire: Wire) -> None:
    store = Dying(wire.stage.database, Sealer(TOKEN_KEYS), PersonKeys(KEY))
    (channel, chat), (other, heard) = await wire.chat("Old phone"), await wire.chat()
    wire.fault("blocked", chat)
    async with working_by(wire, store):
        (sent,) = await wire.tell(await wire.run(), channel)
        assert (sent.status, store.deaths) == ("failed", 1)
        (told,) = await wire.told_off(channel, other)
    assert told.status == "sent" and "Old phone" in wire.came(heard)[0]
