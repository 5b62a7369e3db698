"""Watch a skill write, and show what came of it. Leaving does not stop it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import typer
from pydantic import BaseModel
from rich.text import Text
from temporalio.exceptions import ApplicationError

from activities.plain import clean, lines
from activities.store.skill_runs import SkillRunStore
from schemas.base import RowId
from schemas.settings import Settings
from schemas.skills import ENDED, RunStatus, RunView
from starter.cli.calendars import when
from starter.cli.options import cell, console, progress
from starter.desk import Desk
from starter.show.layout import SANDBOX_NOTICE, dollars
from starter.words import FailedError, NotFoundError

GLANCE_S = 0.4
LONGEST_SAID = 2000
COLOURS = {RunStatus.COMPLETED: "green", RunStatus.FAILED: "red", RunStatus.RUNNING: "cyan"}


class Shown(BaseModel):
    """A run, and the text of its output when there is one."""

    run: RunView
    text: str | None = None


class Writing:
    """What has been written so far, as it grows. What begins anew begins on a line of its own."""

    def __init__(self) -> None:
        self._said = ""

    def show(self, draft: str) -> None:
        now = lines(draft)
        if not now or now == self._said:
            return
        anew = bool(self._said) and not now.startswith(self._said)
        typer.echo("\n\n" * anew + (now if anew else now[len(self._said) :]), nl=False, err=True)
        self._said = now

    def end(self, text: str) -> None:
        """What there is of it in the end: the rest of what was shown, unless it is another text."""
        if self._said and lines(text).startswith(self._said):
            self.show(text)
        if self._said:
            typer.echo(err=True)

    def said(self, text: str) -> bool:
        """Whoever reads it on this terminal has read all of it already."""
        return bool(text) and progress.is_terminal and console.is_terminal and lines(text) == self._said


async def found(at: Desk, run_id: RowId) -> RunView:
    view = await SkillRunStore(at.database).view(at.tenant.id, None, run_id)
    if view is None:
        raise NotFoundError("There is no such run", "greenroom skill show lists them")
    return view


async def watched(at: Desk, run_id: RowId, writing: Writing) -> RunView:
    """Until it has ended: where it stands and what it writes goes to stderr."""
    told = ""
    async with _leaving(run_id):
        while (view := await found(at, run_id)).status not in ENDED:
            if (now := standing(view)) != told:
                progress.print(now, style="dim", markup=False)
                told = now
            writing.show(view.draft)
            await asyncio.sleep(GLANCE_S)
    return view


async def shown(settings: Settings, view: RunView, writing: Writing) -> Shown:
    """A run with its text, and what was shown of that to its end."""
    text = view.draft
    try:
        read = await text_of(settings, view)
        text = view.draft if read is None else read
    finally:
        writing.end(text)
    return Shown(run=view, text=read)


def standing(view: RunView) -> str:
    """How far it is, in a few words."""
    if view.status is RunStatus.QUEUED and view.position is not None:
        return f"queued, number {view.position} of its user's; its turn is at {when(view.turn_at)}"
    return view.status.value


async def text_of(settings: Settings, view: RunView) -> str | None:
    """The text of its output, from where it is kept; nothing when it has none."""
    if view.output is None:
        return None
    from activities.providers import made  # noqa: PLC0415 - the providers' libraries take a second to load

    try:
        objects = await asyncio.to_thread(made.objects, settings)
        data = None if objects is None else await objects.get(view.output.object_key)
    except (ValueError, ApplicationError) as error:
        why = error.message if isinstance(error, ApplicationError) else str(error)
        raise FailedError(f"Its text could not be had: {clean(why, 200)}") from None
    if data is None:
        raise NotFoundError("Its text is not where outputs are kept", "GREENROOM_OBJECTS_URL says where that is")
    return data.decode(errors="replace")


def tell(shown: Shown, *, read: bool = False) -> None:
    """A run for a person: how it stands, and what it wrote, or had written, unless they have `read` it."""
    view = shown.run
    if view.sandbox:
        console.print(cell(SANDBOX_NOTICE, "yellow"))
    about = f" for {view.client}" if view.client else ""
    console.print(cell(f"{view.skill}{about}", "bold"))
    console.print(cell(_status(view), COLOURS.get(view.status, "")), soft_wrap=True)
    if read:
        pass
    elif shown.text is not None:
        console.print()
        console.print(Text(lines(shown.text)), soft_wrap=True)
        console.print()
    elif view.draft:
        console.print(Text(lines(view.draft), style="dim"), soft_wrap=True)
    for one in view.opinions:
        issues = f": {one.issues}" if one.issues else ""
        console.print(cell(f"judged {one.overall} of 5{issues}", longest=LONGEST_SAID), soft_wrap=True)
    if view.tokens_in or view.tokens_out:
        said = f"{view.tokens_in} tokens in, {view.tokens_out} out, {dollars(view.cost_micro_usd)}"
        console.print(cell(said, "dim"))


def _status(view: RunView) -> str:
    if view.status is not RunStatus.FAILED:
        return standing(view)
    again = "; it may be run again" if view.retryable else ""
    return f"failed at {view.failed_step}: {view.failure_reason}{again}"


@contextlib.asynccontextmanager
async def _leaving(run_id: RowId) -> AsyncIterator[None]:
    """Whoever presses Ctrl-C is told that the run goes on without them."""
    try:
        yield
    except asyncio.CancelledError:
        said = f"\nThe run {run_id} goes on. See how it stands with: greenroom skill show {run_id} --watch"
        progress.print(said, soft_wrap=True, markup=False)
        raise
