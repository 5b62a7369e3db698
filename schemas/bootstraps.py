"""Bootstraps: reference documents are taken in, many at a time, and can be searched once all of them are there."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from schemas.base import Content, Message, RowId, TenantId

MOST_SOURCES = 10_000
LONGEST_SOURCE = 300
# Sources that are told by their reasons when a bootstrap is shown.
MOST_TOLD = 50


class BootstrapStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class SourceStatus(StrEnum):
    """`UNCHANGED` is there already, and the same as before."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    UNCHANGED = "unchanged"
    FAILED = "failed"


class NewBootstrap(Content):
    """Which sources are taken in: by their names in the library, all of it when none is named. `force` reads those anew
    that have not changed. What is asked for twice under one id is one."""

    id: RowId | None = None
    sources: tuple[str, ...] = Field(default=(), max_length=MOST_SOURCES)
    force: bool = False


class AskedBootstrap(Content):
    """One that waits already, for the same sources, is joined."""

    bootstrap_id: RowId
    fresh: bool


class SourceLine(Content):
    id: RowId
    source: str
    status: SourceStatus
    document_id: RowId | None = None
    failure_reason: str = ""


class BootstrapView(Content):
    """A bootstrap as its tenant sees it: how many of its sources stand how, and those that failed, some of them."""

    id: RowId
    status: BootstrapStatus
    force: bool
    # Its place among those that wait, of all tenants, from 1.
    position: int | None = None
    sources: int
    counts: dict[SourceStatus, int]
    failed: tuple[SourceLine, ...] = ()
    # When its clauses could be searched.
    indexed_at: datetime | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    failure_reason: str = ""
    sandbox: bool = False


class BootstrapOrder(Message):
    """There is something to do: rows say what. `bootstrap` is what a run handed on to the next, with those of its sources
    that were being taken in then."""

    bootstrap: "BootstrapTurn | None" = None
    begun: tuple[RowId, ...] = ()


class BootstrapTurn(Message):
    """The bootstrap whose turn it is."""

    tenant_id: TenantId
    bootstrap_id: RowId
    version: int


class BootstrapStep(BootstrapTurn):
    now: datetime


class BootstrapTaking(Message):
    """Who takes the next one."""

    temporal_run_id: str
    now: datetime


class NextBootstrap(Message):
    """None when none waits."""

    turn: BootstrapTurn | None = None


class SourcesListing(BootstrapStep):
    most: int


class Sources(Message):
    """How many there are of a bootstrap."""

    sources: int


class SourcesPage(Message):
    """Sources that have not ended, by their ids, always in the same order; `left` says how many more there are after
    these."""

    source_ids: tuple[RowId, ...] = ()
    left: int = 0


class SourceOrder(Message):
    tenant_id: TenantId
    bootstrap_id: RowId
    source_id: RowId


class SourceStep(SourceOrder):
    now: datetime


class SourceDone(Message):
    source_id: RowId
    status: SourceStatus


class SourceFailure(SourceOrder):
    reason: str
    now: datetime


class Indexed(Message):
    """How many references can be searched now, and how many older ones gave way to them."""

    documents: int
    replaced: int = 0


class BootstrapDone(Message):
    bootstrap_id: RowId
    status: BootstrapStatus
    completed: int = 0
    failed: int = 0


class BootstrapFailure(BootstrapStep):
    reason: str
    cancelled: bool = False
