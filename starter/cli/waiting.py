"""Wait for a run, show how it stands, and say how it ended. Leaving does not stop it."""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from typing import Self

from rich.live import Live
from rich.table import Table
from temporalio.client import WorkflowFailureError, WorkflowHandle
from temporalio.service import RPCError

from schemas.base import RowId
from schemas.briefs import Brief
from schemas.research import Progress, ResearchOutcome, State
from starter.cli.options import cell, progress
from starter.desk import Desk
from starter.words import FailedError
from workflows import ids, story
from workflows.research import ResearchWorkflow

GLANCE_S = 0.5

COLOURS = {
    State.FOUND: "green",
    State.FRESH: "green",
    State.WAITING: "dim",
    State.NOT_FOUND: "yellow",
    State.FAILED: "red",
    State.TIMED_OUT: "red",
    State.LEFT_OUT: "yellow",
}

Handle = WorkflowHandle[ResearchWorkflow, ResearchOutcome]


def research_id(handle: Handle) -> RowId:
    return ids.parse_research(handle.id)[1]


async def finish(at: Desk, handle: Handle, *, watch: bool) -> Brief:
    """The brief of a run, once it is done; its failure is a sentence."""
    run = research_id(handle)
    async with _leaving(run):
        try:
            outcome = await (watched(handle) if watch else _told(handle))
        except WorkflowFailureError as error:
            reason = story.why(error.cause)[1]
            raise FailedError(f"The research failed: {reason}", f"try again with: greenroom retry {run}") from None
    brief = await at.library.brief(at.tenant.id, outcome.brief_id)
    assert brief is not None, "the run says that it is stored"
    return brief


@contextlib.asynccontextmanager
async def _leaving(run: RowId) -> AsyncIterator[None]:
    """Whoever presses Ctrl-C is told that the run goes on without them."""
    try:
        yield
    except asyncio.CancelledError:
        progress.print(f"\nThe research {run} goes on. See how it stands with: greenroom runs", soft_wrap=True)
        raise


async def _told(handle: Handle) -> ResearchOutcome:
    if progress.is_terminal:
        progress.print("Researching; a minute or two is usual. Ctrl-C leaves it running.", style="dim")
    return await handle.result()


async def watched(handle: Handle) -> ResearchOutcome:
    """Wait, and show on stderr how each look-up stands: in place on a terminal, else a line for each change."""
    result = asyncio.ensure_future(handle.result())
    with Picture() if progress.is_terminal else Lines() as view:
        while not result.done():
            await _glance(handle, view)
            await asyncio.wait([result], timeout=GLANCE_S)
        await _glance(handle, view)
    return await result


async def _glance(handle: Handle, view: "View") -> None:
    """Nobody may be there to answer for the workflow just now: it goes on all the same."""
    with contextlib.suppress(RPCError):
        view.show(await handle.query(ResearchWorkflow.progress))


class View(contextlib.AbstractContextManager["View"], ABC):
    """Shows progress until it is left."""

    @abstractmethod
    def show(self, now: Progress) -> None: ...

    def __exit__(self, *_: object) -> None:
        return None


class Picture(View):
    """Progress in one place of a terminal."""

    def __init__(self) -> None:
        self._live = Live(console=progress)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, now: Progress) -> None:
        self._live.update(_table(now), refresh=True)


class Lines(View):
    """Progress where nothing can be overwritten: each change is said once."""

    def __init__(self) -> None:
        self._said: dict[str, str] = {}

    def show(self, now: Progress) -> None:
        standing = {label: state.value for label, state in (*now.prospects, *now.companies)}
        for what, state in {**standing, "research": now.phase.value}.items():
            if self._said.get(what) != state:
                self._said[what] = state
                progress.print(f"{what}: {state}", markup=False, soft_wrap=True)


def _table(now: Progress) -> Table:
    table = Table(title=now.phase.value.capitalize(), title_justify="left", box=None, show_header=False)
    for label, state in (*now.prospects, *now.companies):
        table.add_row(cell(label), cell(state.value, COLOURS[state]))
    return table
