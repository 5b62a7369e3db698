"""The effects of reconciliation: no row says for ever that it is being worked on.

nouns ─▶ rows that are being worked on, a page at a time ─▶ the life of each one's workflow ─▶ mend those without

A row is stuck when its workflow has ended, or is not known to the server, and for no other reason: how long it takes is
nobody's business here. The workflow is asked first and the row is read again after that, locked, and is mended only if
it still says what it said of the same run: whatever a workflow writes, it writes before it ends.

The other way round, a run may go on whose row says that it has ended: somebody has set that by hand. Nothing is mended
then: a status never goes back, what the run would write is refused, and so it ends by itself, in its own time, and says
why. The report tells of it, so that a person can end it sooner.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from temporalio import activity
from temporalio.exceptions import ApplicationError

from schemas.base import TenantId
from schemas.reconciliation import MOST_NAMED, Comparing, Done, Life, Place, Reconciled, Stuck

# Workflows that are asked about at once.
AT_ONCE = 20

DEAD = frozenset(Life) - {Life.LIVE}

WHY: Mapping[Life, str] = {
    Life.LIVE: "its workflow has not heard of it",
    Life.GONE: "its workflow is gone",
    Life.TERMINATED: "its workflow was terminated",
    Life.TIMED_OUT: "its workflow timed out",
    Life.FAILED: "its workflow failed, and could not say why",
    Life.CANCELLED: "its workflow was cancelled",
    Life.COMPLETED: "its workflow has ended",
}


_UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
ROW_ID = re.compile(f"[a-z]+/(?P<tenant_id>{_UUID})/(?P<id>{_UUID})")

GOES_ON = "its run goes on, though the row says that it has ended"


@dataclass(frozen=True)
class Row:
    """A row that says that it is being worked on: its status, and which run of which version is at it."""

    tenant_id: TenantId
    id: str
    status: str = ""
    version: int = 0
    run_id: str | None = None
    # What its workflow goes by, where that is not the row's id.
    key: str = ""


async def always(_row: Row, _life: Life, _comparing: Comparing) -> bool:
    return True


@dataclass(frozen=True)
class Run:
    """A run that is under way."""

    workflow_id: str
    run_id: str


@dataclass(frozen=True)
class Noun:
    """What is worked on by a workflow of its own: how its open rows are found, page by page, and what mends one.

    `mend` says what it has done; None when the row is not what it was. `dead` are the ends that leave a row stuck, if
    it then `needs` anybody.
    """

    name: str
    open: Callable[[Comparing, Row | None], Awaitable[Sequence[Row]]]
    workflow_id: Callable[[Row], str]
    mend: Callable[[Row, Life, Comparing], Awaitable[Done | None]]
    dead: frozenset[Life] = DEAD
    # The type of its workflows, and whether the row of one that runs says that this very run has ended.
    workflow: str = ""
    ended: Callable[[Row, Comparing], Awaitable[bool]] | None = None
    needs: Callable[[Row, Life, Comparing], Awaitable[bool]] = always


class Lives(Protocol):
    """Who is alive. Raises what `errors` makes when it cannot be asked: that is no answer."""

    async def of(self, workflow_id: str) -> Life: ...

    def running(self, workflow: str) -> AsyncIterator[Run]:
        """Runs of a type that are under way, or were a moment ago."""
        ...


@dataclass(frozen=True)
class Looked:
    """A few rows of a noun, and which of them are stuck."""

    number: int
    last: Row
    stuck: tuple[tuple[Row, Life], ...]


async def look(noun: Noun, lives: Lives, comparing: Comparing, after: Row | None = None) -> AsyncIterator[Looked]:
    """All open rows of a noun beyond `after`, a few at a time. Only reads."""
    while rows := await noun.open(comparing, after):
        for start in range(0, len(rows), AT_ONCE):
            group = rows[start : start + AT_ONCE]
            found = await asyncio.gather(*(lives.of(noun.workflow_id(row)) for row in group))
            dead = [(row, life) for row, life in zip(group, found, strict=True) if life in noun.dead]
            stuck = [one for one in dead if await noun.needs(*one, comparing)]
            yield Looked(len(group), group[-1], tuple(stuck))
        after = rows[-1]


async def contested(noun: Noun, lives: Lives, comparing: Comparing) -> list[Row]:
    """Rows that say that they have ended, though their runs go on. Only reads."""
    if noun.ended is None:
        return []
    running = [row async for run in lives.running(noun.workflow) if (row := row_of(run))]
    ended = [row for row in running if await noun.ended(row, comparing)]
    return [row for row in ended if await lives.of(noun.workflow_id(row)) is Life.LIVE]


def row_of(run: Run) -> Row | None:
    """The row that a run works on, by its id. A run that somebody else began under an id of theirs has none."""
    named = ROW_ID.fullmatch(run.workflow_id)
    return Row(named["tenant_id"], named["id"], run_id=run.run_id) if named else None


class ReconciliationActivities:
    def __init__(self, nouns: Sequence[Noun], lives: Lives) -> None:
        self._nouns = nouns
        self._lives = lives

    @activity.defn(name="reconciliation.sweep")
    async def sweep(self, comparing: Comparing) -> Reconciled:
        """Safe to run twice, and beside another: what is mended is not stuck any more, and is read again before that.

        A try that died is gone on with where it was.
        """
        place = _last_place()
        names = [noun.name for noun in self._nouns]
        async with _beating(lambda: place):
            for noun in self._nouns[names.index(place.noun) if place.noun in names else 0 :]:
                after = _row(place) if place.noun == noun.name else None
                async for looked in look(noun, self._lives, comparing, after):
                    mended = [await self._mend(noun, row, life, comparing) for row, life in looked.stuck]
                    report = _counted(place.report, noun.name, looked.number, [one for one in mended if one])
                    place = Place(noun=noun.name, tenant_id=looked.last.tenant_id, row_id=looked.last.id, report=report)
                    activity.heartbeat(place)
                told = [_told(noun, row) for row in await contested(noun, self._lives, comparing)]
                place = place.model_copy(update={"report": _counted(place.report, noun.name, 0, told)})
        return place.report

    async def _mend(self, noun: Noun, row: Row, life: Life, comparing: Comparing) -> Stuck | None:
        """One that cannot be mended is in nobody's way: it is told, and found again by the next sweep."""
        why = WHY[life]
        try:
            done = await noun.mend(row, life, comparing)
        except ApplicationError as error:
            done, why = Done.LEFT, f"{why}; {error.message}"
        if done is None:
            return None
        said = {"noun": noun.name, "tenant": row.tenant_id, "row": row.id, "done": done.value, "why": why}
        activity.logger.warning("a row was stuck", extra=said)
        return Stuck(noun=noun.name, tenant_id=row.tenant_id, row_id=row.id, done=done, why=why)


def _told(noun: Noun, row: Row) -> Stuck:
    return Stuck(noun=noun.name, tenant_id=row.tenant_id, row_id=row.id, done=Done.TOLD, why=GOES_ON)


def _counted(report: Reconciled, noun: str, number: int, stuck: Sequence[Stuck]) -> Reconciled:
    if not number and not stuck:
        return report
    return Reconciled(
        looked_at={**report.looked_at, noun: report.looked_at.get(noun, 0) + number},
        stuck={**report.stuck, noun: report.stuck.get(noun, 0) + len(stuck)} if stuck else report.stuck,
        left=report.left + sum(one.done is Done.LEFT for one in stuck),
        rows=(*report.rows, *stuck)[:MOST_NAMED],
    )


def _last_place() -> Place:
    """Where the last try was when it was last heard of."""
    said = activity.info().heartbeat_details
    return Place.model_validate(said[0]) if said else Place()


def _row(place: Place) -> Row | None:
    return Row(place.tenant_id, place.row_id) if place.tenant_id and place.row_id else None


@asynccontextmanager
async def _beating(place: Callable[[], Place]) -> AsyncIterator[None]:
    """Heartbeat until the block ends, each beat with the place where it is."""
    timeout = activity.info().heartbeat_timeout

    async def beat() -> None:
        while timeout:
            await asyncio.sleep(timeout.total_seconds() / 4)
            activity.heartbeat(place())

    beats = asyncio.create_task(beat())
    try:
        yield
    finally:
        beats.cancel()
