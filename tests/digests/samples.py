"""A digest as its rows tell it, for whoever shows one."""

from datetime import UTC, date, datetime
from typing import Any

from schemas.digests import (
    AudioStatus,
    Chapter,
    DigestStatus,
    DigestView,
    Item,
    ItemKind,
    Line,
    Script,
    Sound,
)
from tests.web.samples import row

DAY = date(2026, 11, 23)
SAID = "The council voted for a new plan on rail freight by 24 votes to 17."


def script(text: str = SAID) -> Script:
    """Two things that are new; whatever comes from outside says this."""
    items = tuple(
        Item(
            kind=ItemKind.NEWS,
            key=f"news/{number}",
            topic=text,
            title=f"{text} {number}",
            text=text,
            url=f"https://courier.example/{number}?{text}".replace(" ", "-"),
            source=f"{text} Courier",
            published=date(2026, 11, 22),
        )
        for number in (1, 2)
    )
    lines = (
        Line(turn=1, voice=1, text="Good morning, Robin."),
        Line(turn=1, voice=1, text=text, item=1, quote=text),
        Line(turn=2, voice=2, text="And there is more."),
        Line(turn=3, voice=1, text=text, item=2, quote=text),
    )
    return Script(items=items, lines=lines)


def morning(text: str = SAID, **changes: Any) -> DigestView:
    values: dict[str, Any] = {
        "id": row("digest"),
        "user_id": row("user"),
        "day": DAY,
        "status": DigestStatus.READY,
        "quiet": False,
        "audio": AudioStatus.READY,
        "audio_reason": "",
        "sound": Sound(
            key="digests/1.mp3",
            duration_ms=185_000,
            size=3_000_000,
            chapters=(Chapter(title=text, start_ms=0, end_ms=9),),
        ),
        "script": script(text),
        "failed_step": "",
        "failure_reason": "",
        "version": 1,
        "cost_micro_usd": 1_000,
        "sandbox": True,
        "ended_at": datetime(2026, 11, 23, 6, 5, tzinfo=UTC),
    }
    return DigestView(**{**values, **changes})
