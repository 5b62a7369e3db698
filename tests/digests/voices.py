"""Twins for speaking: a digest that is written, somebody who hums it, a shelf for what is hummed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from activities import errors
from activities.digests.pieces import Piece, pieces
from activities.digests.ports import BoughtBy, Morning, Spoken, Studio, Utterance
from activities.digests.speaking import SpeakingActivities
from activities.seats import Seats
from activities.spending import Purchase, Treasurer
from sandbox import tones
from schemas.budgets import Price
from schemas.digests import (
    AudioStatus,
    DigestDone,
    DigestEnding,
    DigestStatus,
    DigestStep,
    Item,
    ItemKind,
    Line,
    PieceOrder,
    Quiet,
    Script,
    Sound,
)
from tests.fakes import CAPS, FakeLedger

TENANT, DIGEST, USER = (f"7c0b6a1e-0000-4000-8000-00000000000{n}" for n in (1, 2, 3))
NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
STEP = DigestStep(tenant_id=TENANT, digest_id=DIGEST, version=1, now=NOW)
PRICES = {"voice/m": Price(input_usd=300, output_usd=0)}

ITEMS = tuple(
    Item(kind=ItemKind.NEWS, key=f"k{n}", topic="water", title=f"Title {n}", text="text", source="The Halden Courier")
    for n in (1, 2, 3)
)
SENTENCE = "The council of Halden has put off its decision about the water works until next spring. " * 3


def written(items: int = 3) -> Script:
    """Opening, so many items of two turns each, and the end."""
    told = [
        Line(turn=2 * n + voice, voice=voice, text=SENTENCE.strip(), item=n)
        for n in range(1, items + 1)
        for voice in (1, 2)
    ]
    last = 2 * items + 3
    opening, end = Line(turn=1, voice=2, text="Good morning."), Line(turn=last, voice=1, text="That was all.")
    return Script(items=ITEMS[:items], lines=(opening, *told, end))


@dataclass
class WrittenDigest:
    """One digest: its script, and which of its pieces are kept. What is kept is settled."""

    script: Script | None = field(default_factory=written)
    spoken: dict[str, Spoken] = field(default_factory=dict)
    kept: list[tuple[str, Purchase | None, BoughtBy]] = field(default_factory=list)
    finished: list[tuple[DigestEnding, Script, Sound | None]] = field(default_factory=list)
    # Somebody was forgotten who is named in it, while it was being joined.
    emptied: bool = False
    unneeded: list[str] = field(default_factory=list)
    # Keeping fails so often, after the piece was put away.
    fails: int = 0

    async def morning(self, step: DigestStep, *, sandbox: bool) -> Morning:
        return Morning(
            user_id=USER,
            name="Robin",
            day=date(2026, 11, 23),
            time_zone="UTC",
            quiet=Quiet.SHORT,
            items=self.script.items if self.script else (),
            kept={},
            script=self.script,
            spoken=dict(self.spoken),
        )

    async def keep_piece(
        self,
        step: DigestStep,
        hash: str,  # noqa: A002 - as everybody calls it
        spoken: Spoken,
        bought: Purchase | None,
        by: BoughtBy,
    ) -> None:
        if self.fails:
            self.fails -= 1
            raise errors.database_failed("OSError")
        self.spoken[hash] = spoken
        self.kept.append((hash, bought, by))

    async def unless_needed(self, step: DigestStep, key: str) -> None:
        self.unneeded.append(key)

    async def finish(self, ending: DigestEnding, script: Script, sound: Sound | None) -> DigestDone:
        if self.emptied:
            raise errors.superseded()
        self.finished.append((ending, script, sound))
        return DigestDone(digest_id=DIGEST, status=DigestStatus.READY, audio=AudioStatus.READY, at=ending.now)


@dataclass
class Hummer:
    """Speaks at 15 letters a second, once it has done what it was told to: an error is raised, bytes are its answer."""

    says: list[bytes | Exception] = field(default_factory=list)
    spoken: list[tuple[Utterance, ...]] = field(default_factory=list)
    name: str = "voice"
    model: str = "m"
    manner: str = "voice/m"
    sandbox: bool = True

    async def speak(self, piece: Sequence[Utterance]) -> bytes:
        self.spoken.append(tuple(piece))
        said = self.says.pop(0) if self.says else hummed(piece)
        if isinstance(said, Exception):
            raise said
        return said


@dataclass
class Shelf:
    """Keeps what is put there; `refuses` is what it says to the next that is put."""

    held: dict[str, bytes] = field(default_factory=dict)
    refuses: list[Exception] = field(default_factory=list)
    put_so_far: list[str] = field(default_factory=list)

    async def put(self, key: str, data: bytes, kind: str) -> None:
        assert kind == "audio/mpeg"
        if self.refuses:
            raise self.refuses.pop(0)
        self.put_so_far.append(key)
        self.held[key] = data

    async def get(self, key: str) -> bytes | None:
        return self.held.get(key)

    async def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            self.held.pop(key, None)


@dataclass
class Chairs:
    """Rows of seats in memory: who is seated, and the most that ever were."""

    taken: dict[str, set[str]] = field(default_factory=dict)
    most_at_once: int = 0
    kept: int = 0

    async def take(self, provider: str, holder: str, most: int, kept_for: timedelta) -> bool:
        seated = self.taken.setdefault(provider, set())
        if len(seated) >= most:
            return False
        seated.add(holder)
        self.most_at_once = max(self.most_at_once, len(seated))
        return True

    async def keep(self, provider: str, holder: str, kept_for: timedelta) -> None:
        self.kept += 1

    async def leave(self, provider: str, holder: str) -> None:
        self.taken.get(provider, set()).discard(holder)


def hummed(piece: Sequence[Utterance], pace: float = 15) -> bytes:
    return tones.mp3([(str(one.voice), len(one.text) / pace) for one in piece], 64)


@dataclass
class Booth:
    """Everything that speaking needs, in one hand."""

    digest: WrittenDigest = field(default_factory=WrittenDigest)
    hummer: Hummer = field(default_factory=Hummer)
    shelf: Shelf = field(default_factory=Shelf)
    chairs: Chairs = field(default_factory=Chairs)
    ledger: FakeLedger = field(default_factory=FakeLedger)

    def activities(self, **changes: Any) -> SpeakingActivities:
        given: dict[str, Any] = {
            "studio": Studio(self.hummer, self.shelf),
            "seats": Seats(self.chairs, {"voice": 2}),
            "patience": (timedelta(),) * 3,
        }
        treasurer = Treasurer(self.ledger, PRICES, CAPS)
        return SpeakingActivities(self.digest, treasurer=treasurer, **{**given, **changes})  # type: ignore[arg-type]

    @property
    def pieces(self) -> tuple[Piece, ...]:
        assert self.digest.script is not None
        return pieces(self.digest.script, self.hummer.manner)

    def order(self, piece: int) -> PieceOrder:
        return PieceOrder(**STEP.model_dump(), piece=piece)


def another(script: Script, text: str) -> Script:
    """The same script with another end."""
    return script.model_copy(update={"lines": (*script.lines[:-1], script.lines[-1].model_copy(update={"text": text}))})
