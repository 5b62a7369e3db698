"""A digest as worker.py makes it: real rows, real audio, pretended providers; from the wish to the mail."""

import asyncio
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from activities.digests import script
from activities.store.digests import DigestStore
from activities.store.wishes import WishStore
from schemas.digests import EVERY_DAY, AudioStatus, DigestStatus, DigestView, Quiet, Wishes
from schemas.events import REGISTRY
from starter import start
from tests.stage import Stage
from workflows import ids

TOPICS = ("school meals", "rail freight")


class Morning:
    """The user of a stage, who wants digests, and workers that make them."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self.stage = stage
        self.store = DigestStore(stage.database)
        self.settings = {"objects_url": folder.as_uri(), "brave_pace": "unlimited", "congress_pace": "unlimited"}

    async def wish(self, *topics: str, **changes: Any) -> None:
        wishes = Wishes(**{"topics": topics or TOPICS, "days": EVERY_DAY, **changes})
        await WishStore(self.stage.database).wish(self.stage.tenant.id, self.stage.user.id, wishes)

    async def make(self, day: date | None = None) -> DigestView:
        """Asked for by a person, and waited for."""
        now = datetime.now(UTC)
        of = day or now.date()
        digest_id = await self.store.ask(self.stage.tenant.id, self.stage.user.id, of, None, now)
        handle = await start.digest(self.stage.temporal, self.stage.tenant.id, self.stage.user.id, of)
        await asyncio.wait_for(handle.result(), 100)
        return await self.view(digest_id)

    async def view(self, digest_id: str) -> DigestView:
        view = await self.store.view(self.stage.tenant.id, self.stage.user.id, digest_id)
        assert view is not None
        return view

    async def mails(self, digest_id: str) -> list[dict[str, Any]]:
        """Those that lead to it. A notice outlives whoever ordered it."""
        mailbox = self.stage.sandbox.mailbox
        for _ in range(200):
            every = [mailbox.get(number) or {} for number in range(1, len(mailbox.all()) + 1)]
            if found := [one for one in every if digest_id in one["text"]]:
                return found
            await asyncio.sleep(0.1)
        return []

    async def told(self) -> list[Any]:
        events = await self.stage.events.after(self.stage.tenant.id, 0)
        return [one for one in events if one.name.startswith("digest/")]

    async def history(self, day: date | None = None) -> str:
        workflow_id = ids.digest(self.stage.tenant.id, self.stage.user.id, day or datetime.now(UTC).date())
        return (await self.stage.temporal.get_workflow_handle(workflow_id).fetch_history()).to_json()


@pytest.fixture
def morning(stage: Stage, tmp_path: Path) -> Morning:
    return Morning(stage, tmp_path / "objects")


async def test_from_the_wish_to_the_mail(morning: Morning) -> None:
    await morning.wish()
    async with morning.stage.working(**morning.settings):
        view = await morning.make()
        (mail,) = await morning.mails(view.id)

    assert (view.status, view.audio, view.sandbox) == (DigestStatus.READY, AudioStatus.READY, True)
    assert view.sound is not None
    assert view.script is not None
    assert view.script.items
    assert view.sound.duration_ms > 30_000
    assert [chapter.title for chapter in view.sound.chapters]
    assert mail["subject"].startswith("[sandbox data] Your morning, ")
    for item in view.script.items:
        assert item.title[:40] in " ".join(mail["text"].split())
    for line in view.script.lines:
        assert line.text[:40] in " ".join(mail["text"].split()), line.text
    assert view.cost_micro_usd > 0
    events = await morning.told()
    assert [one.name for one in events] == ["digest/generate.completed"]
    for one in events:
        REGISTRY[one.name].payload.model_validate(one.payload)


async def test_nothing_that_is_said_is_in_its_history(morning: Morning) -> None:
    await morning.wish()
    async with morning.stage.working(**morning.settings):
        view = await morning.make()
        history = await morning.history()
    assert view.script is not None
    assert view.sound is not None
    for word in (*TOPICS, "Robin", morning.stage.user.email, view.sound.key, view.script.items[0].title):
        assert word not in history


async def test_without_audio_it_is_written(morning: Morning) -> None:
    await morning.wish(audio=False)
    async with morning.stage.working(**morning.settings):
        view = await morning.make()
    assert (view.status, view.audio, view.sound) == (DigestStatus.READY, AudioStatus.NONE, None)
    assert morning.stage.calls("elevenlabs") == []


async def test_a_quiet_day_is_a_short_digest_or_none(morning: Morning) -> None:
    await morning.wish("nothing at all", audio=False)
    async with morning.stage.working(**morning.settings):
        view = await morning.make()
        assert (view.status, view.quiet) == (DigestStatus.READY, True)
        (mail,) = await morning.mails(view.id)
        assert "a quiet day" in mail["subject"]
    assert morning.stage.calls("anthropic") == []


async def test_a_quiet_day_that_is_not_wanted_is_not_told(morning: Morning) -> None:
    await morning.wish("nothing at all", quiet=Quiet.NONE)
    async with morning.stage.working(**morning.settings):
        view = await morning.make()
        await asyncio.sleep(1)
    assert view.status is DigestStatus.SKIPPED
    assert morning.stage.sandbox.mailbox.all() == []


async def test_a_quota_that_is_used_up_leaves_the_written_digest_with_the_reason(morning: Morning) -> None:
    await morning.wish()
    morning.stage.sandbox.faults.put("elevenlabs", "quota_exceeded", times=None)
    async with morning.stage.working(**morning.settings):
        view = await morning.make()
        (mail,) = await morning.mails(view.id)
    assert (view.status, view.audio) == (DigestStatus.READY, AudioStatus.REFUSED)
    assert view.audio_reason
    assert "It is in writing alone this time" in mail["text"]
    assert view.audio_reason[:30] in mail["text"]


async def test_whoever_finds_news_and_lets_us_in_no_more_is_no_quiet_day(morning: Morning) -> None:
    await morning.wish(quiet=Quiet.NONE)
    morning.stage.sandbox.faults.put("brave", "status", status=422, times=None)
    async with morning.stage.working(**morning.settings):
        view = await morning.make()

    assert view.status is DigestStatus.READY
    assert view.script is not None
    assert script.NEWSLESS[1] in [line.text for line in view.script.lines]
    assert not any("quiet day" in line.text for line in view.script.lines)
