"""When runs begin: ten of a user in any minute, whoever else waits for nobody, and a hundred in an hour."""

import asyncio
import time
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from activities.store import skill_asking
from activities.store.skill_asking import TooManyRunsError
from schemas.skills import MOST_STARTS, STARTS, NewRun, RunStatus, SkillDone, SkillExecuted, SkillStep
from schemas.tenants import User
from starter import skills
from starter.errands import AwayError
from starter.office import Office
from starter.web.desk import Desk
from tests.stage import Stage
from worker import build_worker
from workflows import ids, queues

SKILL = "---\nname: small\ndescription: Writes a line.\n---\nWrite a line.\n"
MINUTE = timedelta(seconds=60)
SHORT_S = 4


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    (tmp_path / "shelf" / "small").mkdir(parents=True)
    (tmp_path / "shelf" / "small" / "SKILL.md").write_text(SKILL)
    return tmp_path


class Begun:
    """Notes when each run was begun, by its tenant's clock; each writes at once."""

    def __init__(self) -> None:
        self.at: dict[str, datetime] = {}

    @activity.defn(name="skills.execute")
    async def execute(self, step: SkillStep) -> SkillExecuted:
        self.at.setdefault(step.run_id, step.now)
        return SkillExecuted()

    @activity.defn(name="skills.store")
    async def store(self, step: SkillStep) -> SkillDone:
        return SkillDone(run_id=step.run_id, status=RunStatus.COMPLETED, by_mail=False)


def office(stage: Stage, client: Client, shelf: Path) -> Office:
    settings = stage.settings(skills_url=str(shelf / "shelf"), objects_url=(shelf / "objects").as_uri())
    return Office(settings, stage.database, client)


async def another(stage: Stage) -> User:
    user = User(id=str(uuid4()), email="lee@harbour.example", name="Lee")
    await stage.tenants.add_user(stage.tenant.id, user, datetime.now().astimezone())
    return user


async def test_thirty_of_one_user_are_ten_a_minute_and_one_of_another_waits_for_nobody(
    stage: Stage, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A minute is some seconds here."""
    monkeypatch.setattr(skill_asking, "STARTS_WITHIN_S", SHORT_S)
    at, begun, other = office(stage, stage.temporal, shelf), Begun(), await another(stage)
    wanted = NewRun(user_id=stage.user.id, skill="small")
    async with (
        build_worker(stage.temporal, [begun], task_queue=queues.WORKFLOWS),
        build_worker(stage.temporal, [begun], task_queue=queues.SKILLS),
    ):
        mine = [await skills.ask(at, stage.tenant.id, wanted) for _ in range(30)]
        theirs = await skills.ask(at, stage.tenant.id, NewRun(user_id=other.id, skill="small"))
        handles = [
            stage.temporal.get_workflow_handle(ids.skill(stage.tenant.id, one.run_id)) for one in (*mine, theirs)
        ]
        await asyncio.gather(*(one.result() for one in handles))

    # Who waits is told where: nobody is before the first ten.
    assert [one.position for one in mine] == [None] * STARTS + list(range(1, 21))
    assert theirs.position is None
    late = [begun.at[one.run_id] - one.turn_at for one in mine]
    assert min(late) >= timedelta(), "none before its turn"
    moments = sorted(begun.at[one.run_id] for one in mine)
    window, slack = timedelta(seconds=SHORT_S), timedelta(seconds=SHORT_S / 4)
    assert all(later - earlier >= window - slack for earlier, later in zip(moments, moments[STARTS:], strict=False))
    assert begun.at[theirs.run_id] < moments[STARTS], "whoever sent one does not wait behind thirty"


async def test_all_at_once_they_are_ten_a_minute_too(stage: Stage, skipping: WorkflowEnvironment, shelf: Path) -> None:
    at, wanted = office(stage, skipping.client, shelf), NewRun(user_id=stage.user.id, skill="small")
    asked = await asyncio.gather(*(skills.ask(at, stage.tenant.id, wanted) for _ in range(25)))

    moments = sorted(one.turn_at for one in asked)
    assert all(later - earlier >= MINUTE for earlier, later in zip(moments, moments[STARTS:], strict=False))


async def test_the_hundred_and_first_in_an_hour_is_refused_and_leaves_no_row(
    stage: Stage, skipping: WorkflowEnvironment, shelf: Path
) -> None:
    at = office(stage, skipping.client, shelf)
    wanted = NewRun(user_id=stage.user.id, skill="small")
    for _ in range(MOST_STARTS):
        await skills.ask(at, stage.tenant.id, wanted)
    with pytest.raises(TooManyRunsError) as refused:
        await skills.ask(at, stage.tenant.id, wanted)

    assert await stage.count("skill_runs") == MOST_STARTS
    assert 3400 < refused.value.after_s <= 3600
    other = await another(stage)
    assert (await skills.ask(at, stage.tenant.id, NewRun(user_id=other.id, skill="small"))).fresh
    there = (await at.skill_runs.list(stage.tenant.id, stage.user.id, 1))[0]
    again: Any = await skills.ask(at, stage.tenant.id, wanted.model_copy(update={"id": there.id}))
    assert (again.run_id, again.fresh) == (there.id, False), "what was asked for before is the same run"


@pytest.mark.parametrize("by_page", [True, False], ids=["on a page", "by hand"])
async def test_what_cannot_be_begun_is_queued_and_begun_later(stage: Stage, shelf: Path, by_page: bool) -> None:
    away = await Client.connect("127.0.0.1:1", lazy=True, data_converter=pydantic_data_converter)
    at, wanted, began = office(stage, away, shelf), NewRun(user_id=stage.user.id, skill="small"), time.monotonic()
    asked = await (Desk(at).ask if by_page else partial(skills.ask, at))(stage.tenant.id, wanted)

    assert time.monotonic() - began < 2 * skills.PATIENCE_S
    assert (asked.status, asked.fresh) == (RunStatus.QUEUED, True)
    there = office(stage, stage.temporal, shelf)
    again = await skills.ask(there, stage.tenant.id, wanted.model_copy(update={"id": asked.run_id}))
    assert (again.run_id, again.fresh) == (asked.run_id, False)
    handle = stage.temporal.get_workflow_handle(ids.skill(stage.tenant.id, asked.run_id))
    assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING


async def test_nothing_is_written_down_for_whoever_waits_too_long(
    stage: Stage, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def for_ever(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(skills, "folder", for_ever)
    monkeypatch.setattr("starter.errands.PATIENCE", timedelta(seconds=0.2))
    with pytest.raises(AwayError):
        await Desk(office(stage, stage.temporal, shelf)).ask(
            stage.tenant.id, NewRun(user_id=stage.user.id, skill="small")
        )
    assert await stage.count("skill_runs") == 0
