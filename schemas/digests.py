"""Digests: what is new for a user this morning, written and spoken. Content stays in rows; messages carry ids."""

from datetime import date, datetime
from enum import StrEnum

from pydantic import Field

from schemas.base import Content, Message, RowId, TenantId

# A week of bits, Monday the lowest.
WEEKDAYS = 0b0011111
EVERY_DAY = 0b1111111
MOST_TOPICS = 10
LONGEST_TOPIC = 80


class DigestStatus(StrEnum):
    REQUESTED = "requested"
    GENERATING = "generating"
    READY = "ready"
    # Nothing was new, and its user wants to hear nothing then.
    SKIPPED = "skipped"
    FAILED = "failed"


class AudioStatus(StrEnum):
    # It was not wanted, or there is nothing that speaks.
    NONE = "none"
    PENDING = "pending"
    READY = "ready"
    # It was refused for good: the digest is there in writing, and says why.
    REFUSED = "refused"


class ItemKind(StrEnum):
    BILL = "bill"
    NEWS = "news"
    MEETING = "meeting"
    CHANGE = "change"


class Quiet(StrEnum):
    """What a user wants on a day without news."""

    SHORT = "short"
    NONE = "none"


class Item(Content):
    """Something that a digest tells of, in its source's own words. `key` is the same for the same news on any day."""

    kind: ItemKind
    key: str
    # The interest for which it was found; of sales, the company.
    topic: str
    title: str
    # What a quote must stand in.
    text: str
    url: str = ""
    # Who says so, and when.
    source: str
    published: date | None = None
    # Of a meeting: when it is.
    starts_at: datetime | None = None
    meeting_id: RowId | None = None
    brief_id: RowId | None = None


class Line(Content):
    """One sentence of a script. `turn` counts changes of voice. Without an item it states no fact."""

    turn: int = Field(ge=1)
    voice: int = Field(ge=1, le=2)
    text: str
    # The position of its item, from 1, and the words that it rests on.
    item: int | None = None
    quote: str = ""
    # Where it is spoken, when it is.
    start_ms: int | None = None
    end_ms: int | None = None


class Script(Content):
    """What is to be said: sentences in their order, and what they rest on."""

    items: tuple[Item, ...]
    lines: tuple[Line, ...]
    quiet: bool = False
    # How many sentences a model wrote that were left out.
    dropped: int = 0


class Chapter(Content):
    """A part of the audio: an item, the opening, the end."""

    title: str
    start_ms: int
    end_ms: int


class Sound(Content):
    """Audio as it is stored: an MP3 under its key."""

    key: str
    duration_ms: int
    size: int
    chapters: tuple[Chapter, ...] = ()


class DigestLine(Content):
    """A digest in a list."""

    id: RowId
    day: date
    status: DigestStatus
    quiet: bool
    audio: AudioStatus
    duration_ms: int | None
    title: str
    failed_step: str
    sandbox: bool


class DigestView(Content):
    """A digest as its user sees it."""

    id: RowId
    user_id: RowId
    day: date
    status: DigestStatus
    quiet: bool
    audio: AudioStatus
    audio_reason: str
    sound: Sound | None
    script: Script | None
    failed_step: str
    failure_reason: str
    version: int
    cost_micro_usd: int
    sandbox: bool
    ended_at: datetime | None


class Wishes(Content):
    """What a user wants to hear in the morning: interests, and whether of their own meetings. `days` is bits."""

    topics: tuple[str, ...] = ()
    sales: bool = False
    days: int = Field(default=WEEKDAYS, ge=0, le=EVERY_DAY)
    quiet: Quiet = Quiet.SHORT
    audio: bool = True
    by_mail: bool = True

    @property
    def any(self) -> bool:
        return bool(self.topics) or self.sales


class DigestSweep(Message):
    """Begin the digests of a morning, from this user on. `at` is when the clock struck; None: when this run began."""

    at: datetime | None = None
    after: RowId | None = None
    begun: int = 0


class DigestPage(Message):
    """Who is to have a digest, in the order of their ids, and behind whom the next page begins: None for the last."""

    orders: tuple["DigestOrder", ...] = ()
    after: RowId | None = None


class DigestPaging(Message):
    """Look for the next of them."""

    at: datetime
    after: RowId | None = None
    most: int


class DigestOrder(Message):
    """One user's digest of a day, not before their morning."""

    tenant_id: TenantId
    user_id: RowId
    day: date
    not_before: datetime | None = None


class DigestDone(Message):
    """What became of it."""

    digest_id: RowId
    status: DigestStatus
    audio: AudioStatus = AudioStatus.NONE
    at: datetime


class DigestStart(DigestOrder):
    """Take the digest for this run."""

    run_id: str
    now: datetime


class DigestBegun(Message):
    """How a digest stands that a run has taken. `done` when there is nothing to do any more."""

    digest_id: RowId
    version: int = 0
    done: DigestDone | None = None
    # So many questions about news have not been asked today.
    unasked: int = 0
    # ... nor is there anybody who could be asked.
    newsless: bool = False
    # It is to be spoken.
    spoken: bool = False
    by_mail: bool = False


class DigestStep(Message):
    """A digest that a run has taken, at one of its steps."""

    tenant_id: TenantId
    digest_id: RowId
    version: int
    now: datetime


class ScriptOrder(DigestStep):
    """Write the script: the first time, or again because the last answer could not be used. `newsless` when nobody could
    be asked about news."""

    ask: int = 1
    newsless: bool = False


class ScriptWritten(Message):
    """What was wrong with the answer, in our own words; or into how many pieces the script is cut to be spoken."""

    problem: str | None = None
    pieces: int = 0
    quiet: bool = False


class PieceOrder(DigestStep):
    """Have one piece of the script spoken; pieces count from 1."""

    piece: int


class DigestEnding(DigestStep):
    """The digest is as far as it comes. `refused` says why there is no audio, when some was wanted."""

    refused: str = ""


class DigestFailure(DigestOrder):
    """Why there is no digest. Without a version the run never took it."""

    digest_id: RowId | None
    version: int | None
    step: str
    reason: str
    run_id: str
    started_at: datetime
    now: datetime


class DigestFailed(Message):
    """What came of telling that: `done` when it was ready all the same."""

    done: DigestDone | None = None
