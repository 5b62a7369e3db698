"""What a digest needs of the world. Each port has one real thing, and a twin in tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from activities.ports import ModelAnswer, Objects, Prompt, Seller
from activities.spending import Purchase
from schemas.base import RowId, TenantId
from schemas.digests import (
    DigestBegun,
    DigestDone,
    DigestEnding,
    DigestFailed,
    DigestFailure,
    DigestPage,
    DigestPaging,
    DigestStart,
    DigestStep,
    Item,
    Quiet,
    Script,
    Sound,
)


@dataclass(frozen=True)
class News:
    """One report, as a search returned it. Without a day its source told none."""

    url: str
    title: str
    text: str
    source: str
    published: date | None = None


class NewsSearch(Seller, Protocol):
    """News of the last day. Raises only what `errors` makes. One question costs the same whatever it finds."""

    async def news(self, topic: str) -> tuple[News, ...]: ...


@dataclass(frozen=True)
class Bill:
    """A bill, as its congress publishes it; `id` as "119-hr-1"."""

    id: str
    title: str
    chamber: str
    action: str
    acted_on: date | None
    updated_on: date
    url: str
    summary: str = ""


@dataclass(frozen=True)
class BillPage:
    """One page of bills; without an offset it is the last."""

    bills: tuple[Bill, ...]
    offset: int | None


class Congress(Protocol):
    """Publishes bills. Raises only what `errors` makes."""

    name: str
    sandbox: bool

    async def bills(self, since: date, offset: int) -> BillPage: ...


@dataclass(frozen=True)
class Utterance:
    """What one voice says at a stretch."""

    voice: int
    text: str


class Speaker(Seller, Protocol):
    """Speaks dialogues: MP3 of one piece. Raises only what `errors` makes. Paid by the letter."""

    # Names the voices and how they speak: another one, and what was spoken before is not the same.
    manner: str

    async def speak(self, piece: Sequence[Utterance]) -> bytes: ...


@dataclass(frozen=True)
class Studio:
    """What audio is made with: somebody who speaks, and somewhere to keep it."""

    speaker: Speaker
    objects: Objects


@dataclass(frozen=True)
class Topic:
    """An interest that is asked about once a day for a whole tenant."""

    key: str
    words: str


@dataclass(frozen=True)
class KeptAnswer:
    """A model's answer to something that was asked before; `ours` when this version asked."""

    answer: ModelAnswer
    ours: bool


@dataclass(frozen=True)
class Spoken:
    """A piece that is stored: where, how long it is, and what it is of."""

    key: str
    duration_ms: int
    # What it was paid by.
    characters: int = 0


@dataclass(frozen=True)
class Morning:
    """All that a digest is made of, from its rows. `script` once it is written; `told` are the keys of what this user's
    earlier digests told."""

    user_id: RowId
    name: str
    day: date
    time_zone: str
    quiet: Quiet
    items: tuple[Item, ...]
    kept: Mapping[str, KeptAnswer]
    script: Script | None
    spoken: Mapping[str, Spoken]


@dataclass(frozen=True)
class BoughtBy:
    """Whose answer is kept: the seller, what was asked of it, the run, and when."""

    provider: str
    sandbox: bool
    prompt: str
    workflow_id: str
    run_id: str
    now: datetime
    # Of what is no model's answer.
    model: str = ""


class Digests(Protocol):
    """Rows of digests. Whatever was begun by an older run, or has ended, is an error of ours (`errors.superseded`)."""

    async def due(self, paging: DigestPaging) -> DigestPage: ...
    async def begin(self, start: DigestStart, *, speaks: bool, sandbox: bool) -> DigestBegun: ...
    async def unasked(self, step: DigestStep) -> list[Topic]:
        """The interests of this digest about which nobody of its tenant has asked on its day."""
        ...

    async def keep_news(
        self, step: DigestStep, topic: Topic, found: Sequence[News], bought: Purchase, by: BoughtBy
    ) -> None:
        """Safe to run twice. What was set aside is settled in the same transaction."""
        ...

    async def morning(self, step: DigestStep, *, sandbox: bool) -> Morning:
        """Its items are gathered, and fixed, when it is first asked for: news and bills by interest, meetings and
        changes for sales, without what earlier digests of this user told."""
        ...

    async def keep_answer(
        self, step: DigestStep, bought: Purchase, prompt: Prompt, answer: ModelAnswer, by: BoughtBy
    ) -> None: ...
    async def keep_script(self, step: DigestStep, script: Script) -> None:
        """Safe to run twice: a version has one script."""
        ...

    async def keep_piece(
        self,
        step: DigestStep,
        hash: str,  # noqa: A002 - as everybody calls it
        spoken: Spoken,
        bought: Purchase | None,
        by: BoughtBy,
    ) -> None: ...
    async def finish(self, ending: DigestEnding, script: Script, sound: Sound | None) -> DigestDone:
        """Status, lines with their times, chapters and event in one transaction. Safe to run twice."""
        ...

    async def unless_needed(self, step: DigestStep, key: str) -> None:
        """An object that was put for a digest that may not have it: unless a row needs it, it is to be deleted."""
        ...

    async def fail(self, failure: DigestFailure) -> DigestFailed: ...


class Requests(Protocol):
    async def ask(
        self, tenant_id: TenantId, user_id: RowId, day: date, topics: Sequence[str] | None, now: datetime
    ) -> RowId:
        """Write down that somebody wants a digest; topics of its own instead of the user's, when they are given."""
        ...
