"""Digests for pages: twins of where they, wishes and audio are kept, and one digest that has everything."""

import io
import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from typing import Any
from uuid import uuid4

import av

from schemas.digests import (
    AudioStatus,
    Chapter,
    DigestLine,
    DigestStatus,
    DigestView,
    Item,
    ItemKind,
    Line,
    Script,
    Sound,
    Wishes,
)
from tests.web.house import NOW

TODAY = date(2026, 11, 23)
RATE = 44_100
LONG_MS = 24_000


@cache
def tone(ms: int = LONG_MS) -> bytes:
    """An MP3 that players play, for so long."""
    wave = array("h", (int(3000 * math.sin(at / 20)) for at in range(RATE * ms // 1000)))
    frame = av.AudioFrame(format="s16p", layout="mono", samples=len(wave))
    frame.planes[0].update(wave.tobytes())
    frame.sample_rate = RATE
    file = io.BytesIO()
    with av.open(file, "w", format="mp3") as out:
        stream = out.add_stream("libmp3lame", rate=RATE, bit_rate=64_000, layout="mono")
        for packet in (*stream.encode(frame), *stream.encode(None)):
            out.mux(packet)
    return file.getvalue()


@dataclass
class Kept:
    """Twins of the rows and of the object store, for one user."""

    tenant_id: str
    user_id: str
    digests: list[DigestView] = field(default_factory=list)
    wanted: Wishes = field(default_factory=Wishes)
    version: int = 1
    objects: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[date, Any]] = field(default_factory=list)
    # What its store says from the second part on.
    fails: Exception | None = None
    # Every part of an object that was read: from where, up to where.
    read: list[tuple[int, int]] = field(default_factory=list)

    def put(self, digest: DigestView, audio: bytes = b"") -> DigestView:
        self.digests.insert(0, digest)
        if digest.sound:
            self.objects[digest.sound.key] = audio
        return digest

    def _own(self, tenant_id: str, user_id: str) -> list[DigestView]:
        return self.digests if (tenant_id, user_id) == (self.tenant_id, self.user_id) else []

    async def list(self, tenant_id: str, user_id: str, most: int) -> tuple[DigestLine, ...]:
        return tuple(map(_line, self._own(tenant_id, user_id)[:most]))

    async def view(self, tenant_id: str, user_id: str, digest_id: str) -> DigestView | None:
        return next((one for one in self._own(tenant_id, user_id) if one.id == digest_id), None)

    async def episodes(self, tenant_id: str, user_id: str, most: int) -> tuple[DigestView, ...]:
        heard = [one for one in self._own(tenant_id, user_id) if one.audio is AudioStatus.READY]
        items = [Script(items=one.script.items if one.script else (), lines=()) for one in heard]
        return tuple(
            one.model_copy(update={"script": script}) for one, script in zip(heard[:most], items[:most], strict=True)
        )

    async def ask(self, tenant_id: str, user_id: str, day: date, topics: Sequence[str] | None, now: datetime) -> str:
        self.asked.append((day, topics))
        there = next((one for one in self.digests if one.day == day), None)
        return there.id if there else self.put(digest(self, status=DigestStatus.REQUESTED, script=None, sound=None)).id

    async def wishes(self, tenant_id: str, user_id: str) -> Wishes:
        return self.wanted if (tenant_id, user_id) == (self.tenant_id, self.user_id) else Wishes()

    async def wish(self, tenant_id: str, user_id: str, wishes: Wishes) -> None:
        assert (tenant_id, user_id) == (self.tenant_id, self.user_id)
        self.wanted = wishes

    async def feed_version(self, tenant_id: str, user_id: str) -> int | None:
        return self.version if (tenant_id, user_id) == (self.tenant_id, self.user_id) else None

    async def reset_feed(self, tenant_id: str, user_id: str) -> int:
        assert (tenant_id, user_id) == (self.tenant_id, self.user_id)
        self.version += 1
        return self.version

    async def part(self, key: str, start: int, end: int) -> bytes | None:
        if self.read and self.fails:
            raise self.fails
        self.read.append((start, end))
        return self.objects[key][start:end] if key in self.objects else None


def _line(one: DigestView) -> DigestLine:
    return DigestLine(
        id=one.id,
        day=one.day,
        status=one.status,
        quiet=one.quiet,
        audio=one.audio,
        duration_ms=one.sound.duration_ms if one.sound else None,
        title=one.script.items[0].title if one.script and one.script.items else "",
        failed_step=one.failed_step,
        sandbox=one.sandbox,
    )


def script(hostile: str = "") -> Script:
    """A bill, a report and a meeting, told in two voices."""
    items = (
        Item(
            kind=ItemKind.BILL,
            key="bill/119-hr-88",
            topic="rail freight",
            title=f"Rail Freight Renewal Act {hostile}".strip(),
            text="The House passed the Rail Freight Renewal Act by 231 votes to 190.",
            url="https://congress.example/bill/119/hr/88",
            source="The House",
            published=date(2026, 11, 21),
        ),
        Item(
            kind=ItemKind.NEWS,
            key="news/halden",
            topic="rail freight",
            title=f"Halden opens a depot {hostile}".strip(),
            text="Halden Group opened a depot in Rotterdam on Friday, with room for 40 trains a day.",
            url="https://courier.example/halden",
            source=f"Halden Courier {hostile}".strip(),
            published=date(2026, 11, 22),
        ),
        Item(
            kind=ItemKind.MEETING,
            key="meeting/1",
            topic="Lovelace Analytics",
            title="Forecasting pilot",
            text="Lovelace opened an office in Rotterdam.",
            source="Your calendar",
            starts_at=datetime(2026, 11, 23, 13, tzinfo=UTC),
            meeting_id="11111111-1111-4111-8111-111111111111",
            brief_id="22222222-2222-4222-8222-222222222222",
        ),
    )
    said = (
        (1, 1, "Good morning, Robin.", None, ""),
        (2, 2, "From the House, 21 November:", 1, ""),
        (
            2,
            2,
            f"The Act was passed by 231 votes to 190. {hostile}".strip(),
            1,
            f"by 231 votes to 190 {hostile}".strip(),
        ),
        (3, 1, "And there is more.", None, ""),
        (3, 1, "Halden Group opened a depot in Rotterdam.", 2, "opened a depot in Rotterdam on Friday"),
        (4, 2, "It has room for 40 trains a day.", 2, "with room for 40 trains a day"),
        (5, 1, "Today you meet Lovelace.", 3, "Lovelace opened an office in Rotterdam."),
        (5, 1, "That is all for today.", None, ""),
    )
    each = LONG_MS // len(said)
    lines = tuple(
        Line(turn=turn, voice=voice, text=text, item=item, quote=quote, start_ms=at * each, end_ms=(at + 1) * each)
        for at, (turn, voice, text, item, quote) in enumerate(said)
    )
    return Script(items=items, lines=lines, dropped=2)


def sound(size: int, key: str = "") -> Sound:
    chapters = (
        Chapter(title="Good morning", start_ms=0, end_ms=3000),
        Chapter(title="Rail Freight Renewal Act", start_ms=3000, end_ms=9000),
        Chapter(title="Halden opens a depot", start_ms=9000, end_ms=18_000),
        Chapter(title="Forecasting pilot", start_ms=18_000, end_ms=LONG_MS),
    )
    return Sound(key=key or f"{uuid4()}.mp3", duration_ms=LONG_MS, size=size, chapters=chapters)


def digest(kept: Kept, day: date = TODAY, **more: Any) -> DigestView:
    """One that is ready and spoken, unless something else is said."""
    said: dict[str, Any] = {
        "id": str(uuid4()),
        "user_id": kept.user_id,
        "day": day,
        "status": DigestStatus.READY,
        "quiet": False,
        "sound": sound(len(tone())),
        "script": script(),
        "failed_step": "",
        "failure_reason": "",
        "audio_reason": "",
        "version": 1,
        "cost_micro_usd": 123_400,
        "sandbox": True,
        "ended_at": NOW,
    }
    said |= more
    said.setdefault("audio", AudioStatus.READY if said["sound"] else AudioStatus.NONE)
    return DigestView.model_validate(said)
