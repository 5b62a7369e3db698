"""greenroom skill: skills that are run for a user: which there are, what they write, and how well they do."""

import asyncio
import json as json_
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from temporalio.service import RPCError

from activities.plain import clean
from activities.skills.ports import Folder
from activities.store.feedback import FeedbackStore
from activities.store.skill_asking import TooManyRunsError
from activities.store.skill_runs import SkillRunStore
from schemas.base import RowId
from schemas.skills import BEST_SCORE, LEAST_SCORE, LONGEST_MESSAGE, NewRun, Opinion, RunLine
from schemas.tenants import User
from starter import intake, logs, skills
from starter.checks import polled
from starter.cli import do, shelves
from starter.cli.calendars import when
from starter.cli.options import Json, Limit, Tenant, cell, console, progress, put_json, put_table, table
from starter.cli.wishes import Whose, whose
from starter.cli.writing import COLOURS, Shown, Writing, found, shown, tell, watched
from starter.desk import Desk, desk
from starter.office import Office
from starter.words import FailedError, NotFoundError, UsageError
from workflows import queues

app = typer.Typer(help="Skills: run one for a user, watch it write, and say how good it was.", no_args_is_help=True)
app.command("list")(shelves.list_)
app.command()(shelves.check)

Run = Annotated[str, typer.Argument(metavar="RUN", help="Its id; greenroom skill show lists them.")]
Watch = Annotated[bool, typer.Option("--watch", help="Show what it writes while it writes it, and wait for its end.")]
Score = Annotated[int | None, typer.Option(min=LEAST_SCORE, max=BEST_SCORE)]


@app.command()
def run(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Which skill; greenroom skill list shows them.")],
    message: Annotated[str, typer.Argument(metavar="[MESSAGE]", help="What it is asked for.")] = "",
    given: Annotated[
        list[str] | None, typer.Option("--input", metavar="KEY=VALUE", help="One of its inputs; repeat it for several.")
    ] = None,
    meeting: Annotated[
        str | None, typer.Option("--meeting", metavar="ID", help='The meeting it is about; "next" is the next one.')
    ] = None,
    client: Annotated[
        str | None, typer.Option("--client", metavar="DOMAIN", help="The company it is about, by its domain or id.")
    ] = None,
    user: Whose = None,
    watch: Watch = False,
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Run a skill for a user, and print the run's id; with --watch, what it writes.

    For example: greenroom skill run follow-up --meeting next --watch
    """
    if len(message) > LONGEST_MESSAGE:
        raise UsageError(f"The message is longer than {LONGEST_MESSAGE} letters")
    said, writing = _inputs(given or []), Writing()

    async def work() -> RowId | Shown:
        async with desk(tenant) as at:
            who, office = await whose(at, user), await _office(at)
            wanted = await _wanted(office, at, who, name, meeting, client)
            asked = NewRun(**wanted, message=message, inputs=_typed(await skills.folder(office, name), said))
            run_id = await _ask(office, at, asked)
            if not watch:
                return run_id
            progress.print(f"The run {run_id}", style="dim", markup=False, soft_wrap=True)
            return await shown(at.settings, await watched(at, run_id, writing), writing)

    with logs.silent():
        done = do(work())
    _put(done, writing, as_json=json)


@app.command()
def show(
    which: Annotated[
        str | None, typer.Argument(metavar="[RUN]", help="Its id; without one, a user's runs are listed.")
    ] = None,
    watch: Watch = False,
    limit: Limit = 30,
    user: Whose = None,
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Show a run and what came of it, or list a user's runs."""
    writing = Writing()
    if which is None:
        _list_runs(user, limit, tenant, as_json=json)
        return
    run_id = intake.row_id(which)

    async def work() -> Shown:
        async with desk(tenant) as at:
            view = await (watched(at, run_id, writing) if watch else found(at, run_id))
            return await shown(at.settings, view, writing)

    _put(do(work()), writing, as_json=json, failing=False)


@app.command()
def cancel(which: Run, tenant: Tenant = None, json: Json = False) -> None:
    """Stop a run: one that writes stops within seconds, and has failed."""
    run_id = intake.row_id(which)

    async def work() -> bool:
        async with desk(tenant) as at:
            return await skills.cancel(await _office(at), at.tenant.id, run_id)

    stopped = do(work())
    if json:
        put_json({"id": run_id, "stopped": stopped})
    else:
        console.print("It stops" if stopped else "It has ended already")


@app.command()
def feedback(
    which: Run,
    overall: Annotated[int, typer.Option(min=LEAST_SCORE, max=BEST_SCORE, help="From 1, useless, to 5.")],
    accuracy: Score = None,
    quality: Score = None,
    issues: Annotated[str, typer.Option(help="What was wrong, in words.")] = "",
    user: Whose = None,
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Say how good an output was. Whoever says it again changes what they said."""
    run_id = intake.row_id(which)
    try:
        opinion = Opinion(overall=overall, accuracy=accuracy, quality=quality, issues=issues)
    except ValidationError:
        raise UsageError("The issues are longer than 2000 letters") from None

    async def work() -> tuple[RowId, str]:
        async with desk(tenant) as at:
            view, opinions = await found(at, run_id), FeedbackStore(at.database)
            # Without anybody named it is whoever the run was for.
            judge = view.user_id if user is None else (await whose(at, user)).id
            said = await opinions.say(at.tenant.id, judge, run_id, opinion, datetime.now(UTC))
            if said is None:
                raise NotFoundError("There is no output of theirs to be judged", "greenroom skill show lists runs")
            return said, skills.said(view.skill, (await opinions.health(at.tenant.id)).get(view.skill))

    with logs.silent():
        feedback_id, stands = do(work())
    if json:
        put_json({"id": feedback_id, "health": stands})
    else:
        console.print(cell(stands))


async def _office(at: Desk) -> Office:
    return Office(at.settings, at.database, await at.temporal())


async def _wanted(
    office: Office, at: Desk, who: User, name: str, meeting: str | None, client: str | None
) -> dict[str, Any]:
    """Whose run it is, of which skill, and what it is about."""
    wanted: dict[str, Any] = {"user_id": who.id, "skill": name}
    if client is not None:
        company = await office.skill_runs.client(at.tenant.id, client)
        if company is None:
            raise NotFoundError(f'There is no company "{clean(client, 60)}"', "one is known once somebody of it is")
        wanted["client_id"] = company[0]
    if meeting is not None:
        now = datetime.now(UTC)
        wanted["meeting_id"] = await office.skill_runs.meeting(at.tenant.id, who.id, meeting, now)
        if wanted["meeting_id"] is None:
            raise NotFoundError(f"{who.email} has no such meeting", 'give its id, or "next"')
    return wanted


async def _ask(office: Office, at: Desk, wanted: NewRun) -> RowId:
    try:
        asked = await skills.ask(office, at.tenant.id, wanted)
    except TooManyRunsError as error:
        raise FailedError(str(error)) from None
    if asked.position is not None:
        said = f"Number {asked.position} of its user's: its turn is at {when(asked.turn_at)}"
        progress.print(said, style="yellow", markup=False)
    if missing := await _missing(office):
        progress.print(missing, style="yellow", soft_wrap=True)
    return asked.run_id


async def _missing(office: Office) -> str:
    """Who is not there who would run it."""
    try:
        async with asyncio.timeout(skills.PATIENCE_S):
            there = await polled(office.client, queues.SKILLS)
    except (RPCError, TimeoutError):
        return "Temporal does not answer; it is begun within minutes of its being there"
    return "" if there else "No worker is there to do it yet; start one with: greenroom worker"


def _inputs(given: list[str]) -> dict[str, str]:
    pairs = [one.partition("=") for one in given]
    if wrong := [one for one, sign, _ in pairs if not sign or not one]:
        raise UsageError(f'"{clean(wrong[0], 60)}" is no input', "write one such as --input tone=friendly")
    return {name: value for name, _, value in pairs}


def _typed(folder: Folder, said: dict[str, str]) -> dict[str, Any]:
    """What was typed, as the skill's schema asks for it: a number is one only where a number is meant."""
    known = (folder.skill.inputs or {}).get("properties")
    kinds = known if isinstance(known, dict) else {}
    return {name: _value(kinds.get(name), value) for name, value in said.items()}


def _value(kind: object, value: str) -> Any:
    if not isinstance(kind, dict) or kind.get("type") in (None, "string"):
        return value
    try:
        return json_.loads(value)
    except (ValueError, RecursionError):
        # The schema says what was expected.
        return value


def _put(done: RowId | Shown, writing: Writing, *, as_json: bool, failing: bool = True) -> None:
    """A run that is watched, or the id of one that is under way. Whoever waited for one that failed is told by the exit
    code too."""
    if isinstance(done, str):
        if as_json:
            put_json({"id": done})
        else:
            typer.echo(done)
        return
    if as_json:
        put_json(done)
    else:
        tell(done, read=writing.said(done.run.draft if done.text is None else done.text))
    if failing and done.run.failure_reason:
        again = "it may be run again" if done.run.retryable else f"greenroom skill show {done.run.id} says more"
        raise FailedError(f"There is no output: {done.run.failure_reason}", again)


def _list_runs(user: str | None, limit: int, tenant: str | None, *, as_json: bool) -> None:
    async def work() -> tuple[RunLine, ...]:
        async with desk(tenant) as at:
            return await SkillRunStore(at.database).list(at.tenant.id, (await whose(at, user)).id, limit)

    lines = do(work())
    if as_json:
        put_json(lines)
    elif not lines:
        console.print("Nothing was run yet; run one with: greenroom skill run follow-up --watch")
    else:
        _print_runs(lines)


def _print_runs(lines: tuple[RunLine, ...]) -> None:
    rows = table("id", "skill", "status", "asked for", "about", "why")
    for one in lines:
        place = f" (number {one.position})" if one.position is not None else ""
        rows.add_row(
            cell(one.id),
            cell(one.skill),
            cell(f"{one.status.value}{place}", COLOURS.get(one.status, "")),
            cell(when(one.created_at)),
            cell(f"{one.client}{' (sandbox data)' if one.sandbox else ''}"),
            cell(one.failure_reason),
        )
    put_table(rows)
