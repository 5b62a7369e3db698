"""Runs of skills, as people and other applications ask for them: checked, written down with their turn, and begun.

NewRun ─▶ is there such a skill, do its inputs fit, is all that it names there ─▶ its row, with its turn ─▶ SkillRun
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

import structlog
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.common import Priority, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.plain import clean
from activities.sealing import SealError
from activities.skills.folders import UnfitSkillError
from activities.skills.inputs import unfit_inputs
from activities.skills.ports import Folder
from activities.store.received import Begun
from schemas.base import RowId, TenantId
from schemas.payloads import FeedbackRequested, SkillRequested
from schemas.skills import CANCELLED, ENDED, Asked, Health, NewRun, RunStatus, RunView, SkillFailure, SkillOrder
from schemas.tenants import User
from starter.inbox import Problem
from starter.intake import ROW_ID
from starter.office import Office
from starter.skill_meetings import of_theirs, with_meeting
from starter.words import NotFoundError, NotReadyError, UsageError
from workflows import ids, policies, queues, story
from workflows.skills import SkillRunWorkflow

log = structlog.get_logger("skills")

LIST = "greenroom skill list shows them"
# Whoever asked waits for Temporal no longer: their run is written down, and who looks after runs begins it.
PATIENCE_S = 2.0


@dataclass(frozen=True)
class WrongError(Exception):
    """What is asked for cannot be meant: which field of it, and the sentence that says why."""

    field: str
    why: UsageError | NotFoundError


async def ask(at: Office, tenant_id: TenantId, wanted: NewRun) -> Asked:
    """Have a skill run for a user, when its turn comes. What was asked for under the same id is the same run.

    UsageError, NotFoundError, NotReadyError and TooManyRunsError come before anything is written down.
    """
    asked = await written_down(at, tenant_id, wanted)
    await soon(at, tenant_id, asked)
    return asked


async def written_down(at: Office, tenant_id: TenantId, wanted: NewRun) -> Asked:
    """Its row, checked, with its turn. From here on it is run."""
    try:
        wanted, client = await _checked(at, tenant_id, wanted)
    except WrongError as wrong:
        raise wrong.why from None
    try:
        return await at.skill_runs.ask(tenant_id, wanted, client, datetime.now(UTC))
    except ApplicationError as error:
        raise _unknown(error) from None


async def soon(at: Office, tenant_id: TenantId, asked: Asked) -> None:
    """A run that is written down is begun, or stays queued until Temporal is there again."""
    if asked.status is not RunStatus.QUEUED:
        return
    try:
        async with asyncio.timeout(PATIENCE_S):
            await begin(at.client, _order(tenant_id, asked))
    except (RPCError, TimeoutError, RuntimeError, OSError, SealError) as error:
        log.warning("a run is not begun yet", run_id=asked.run_id, error=type(error).__name__)


async def begin(client: Client, order: SkillOrder) -> str:
    """Have a run looked after, or join whoever does: one that has ended is not run again. Its workflow id."""
    workflow_id = ids.skill(order.tenant_id, order.run_id)
    try:
        await client.start_workflow(
            SkillRunWorkflow.run,
            order,
            id=workflow_id,
            task_queue=queues.WORKFLOWS,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            task_timeout=policies.WORKFLOW_TASK,
            search_attributes=story.found_by(order.tenant_id, "skills"),
            static_summary="Run a skill",
            priority=Priority(fairness_key=order.tenant_id),
        )
    except WorkflowAlreadyStartedError:
        return workflow_id
    return workflow_id


async def cancel(at: Office, tenant_id: TenantId, run_id: RowId, user_id: RowId | None = None) -> bool:
    """Stop a run, of this user's when one is named. Whether there was something to stop; NotFoundError for no such run."""
    there = await at.skill_runs.view(tenant_id, user_id, run_id)
    if there is None:
        raise NotFoundError("There is no such run", "greenroom skill show lists them")
    if there.status in ENDED:
        return False
    handle = at.client.get_workflow_handle(ids.skill(tenant_id, run_id))
    alive, ours = await _alive(handle)
    if not alive:
        return await _end(at, tenant_id, there, ours)
    await handle.cancel()
    return True


async def _alive(handle: WorkflowHandle[Any, Any]) -> tuple[bool, str]:
    """Whether somebody looks after a run, and who did last."""
    try:
        found = await handle.describe()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return False, ""
    return found.status is WorkflowExecutionStatus.RUNNING, found.run_id


async def _end(at: Office, tenant_id: TenantId, there: RunView, ours: str) -> bool:
    """Nobody looks after it, so nobody else will say that it is not wanted any more. Whether it had not ended yet."""
    failure = SkillFailure(
        tenant_id=tenant_id,
        run_id=there.id,
        temporal_run_id=ours,
        step="start" if there.started_at is None else "execute",
        reason=CANCELLED,
        retryable=False,
        now=datetime.now(UTC),
    )
    return (await at.skill_runs.fail(failure)).status is RunStatus.FAILED


def run_id(tenant_id: TenantId, named: str) -> RowId:
    """The id of a run by what its sender calls it: our own ids are themselves, any other name has one for each tenant."""
    word = named.strip().lower()
    return word if ROW_ID.fullmatch(word) else str(uuid5(UUID(tenant_id), f"skill/{named}"))


async def requested(at: Office, tenant_id: TenantId, asked: SkillRequested, row: RowId) -> Begun:
    """An event asks for a run: it is written down, and begun. The same event, and the same run, are one."""
    user = await at.user(tenant_id, asked.user_id)
    if user is None:
        return Begun(reason="There is no such user", parked=True)
    run = await ask(at, tenant_id, await _wanted(at, tenant_id, user, asked, row))
    return Begun(ids.skill(tenant_id, run.run_id))


async def may(at: Office, tenant_id: TenantId, asked: SkillRequested) -> Problem | None:
    """Why an event is refused that asks for one."""
    user = await at.user(tenant_id, asked.user_id)
    if user is None:
        return Problem("userId", "there is no such user")
    try:
        await _checked(at, tenant_id, await _wanted(at, tenant_id, user, asked, None))
    except WrongError as wrong:
        return Problem(wrong.field, _within(wrong.why.sentence))
    return None


async def looked_at(at: Office, tenant_id: TenantId, asked: FeedbackRequested, _row: RowId) -> Begun:
    """What was said of an output counts from the moment it was said: how the skill does by it is noted."""
    skill = await at.opinions.of(tenant_id, asked.feedback_id)
    if skill is None or skill != asked.skill_name:
        return Begun(reason="There is no such feedback", parked=True)
    return Begun(reason=said(skill, (await at.opinions.health(tenant_id)).get(skill)))


def said(skill: str, health: Health | None) -> str:
    """How a skill does, in a sentence."""
    if health is None:
        return f"Nobody has judged {skill} yet"
    last = "its last score" if health.scores == 1 else f"the mean of its last {health.scores} scores"
    return f"{skill}: {health.score:.1f} is {last}" + (", which is low" if health.low else "")


@asynccontextmanager
async def readable() -> AsyncIterator[None]:
    """Around reading skills: whatever is wrong with the folder, or with the place where it lies, is a sentence."""
    try:
        yield
    except UnfitSkillError as unfit:
        raise UsageError(unfit.sentence, "greenroom skill check says what is wrong with it") from None
    except (ApplicationError, ValueError, OSError) as error:
        why = error.message if isinstance(error, ApplicationError) else str(error) or type(error).__name__
        raise NotReadyError(f"Skills cannot be read ({clean(why, 200)})", "GREENROOM_SKILLS_URL says where") from None


async def folder(at: Office, name: str) -> Folder:
    """The skill of that name."""
    async with readable():
        found = await at.shelf.folder(name)
    if found is None:
        raise NotFoundError(f'There is no skill "{clean(name, 60)}"', LIST)
    return found


async def _checked(at: Office, tenant_id: TenantId, wanted: NewRun) -> tuple[NewRun, str]:
    """What is to be written down, and what its company is called. WrongError for what cannot be meant."""
    if not at.settings.objects_url:
        raise NotReadyError("There is nowhere to put what a skill writes", "GREENROOM_OBJECTS_URL says where")
    try:
        skill = (await folder(at, wanted.skill)).skill
    except (UsageError, NotFoundError) as why:
        raise WrongError("skillName", why) from None
    try:
        wanted = with_meeting(skill, await of_theirs(at, tenant_id, skill, wanted))
    except (UsageError, NotFoundError) as why:
        raise WrongError("options", why) from None
    if problem := unfit_inputs(skill, wanted.inputs):
        raise WrongError("options", UsageError(problem))
    return wanted, await _company(at, tenant_id, wanted)


async def _company(at: Office, tenant_id: TenantId, wanted: NewRun) -> str:
    if wanted.client_id is None:
        return ""
    found = await at.skill_runs.client(tenant_id, wanted.client_id)
    if found is None:
        raise WrongError("clientId", NotFoundError("There is no such company"))
    return found[1]


async def _wanted(at: Office, tenant_id: TenantId, user: User, asked: SkillRequested, row: RowId | None) -> NewRun:
    """A company that we do not know stays what it is: whoever checks it says so."""
    found = None if asked.client_id is None else await at.skill_runs.client(tenant_id, asked.client_id)
    unknown = None if asked.client_id is None else run_id(tenant_id, asked.client_id)
    return NewRun(
        id=run_id(tenant_id, asked.run_id) if asked.run_id else row,
        user_id=user.id,
        skill=asked.skill_name,
        message=asked.user_message,
        inputs=asked.options or {},
        client_id=found[0] if found else unknown,
    )


def _order(tenant_id: TenantId, asked: Asked) -> SkillOrder:
    return SkillOrder(tenant_id=tenant_id, run_id=asked.run_id, turn_at=asked.turn_at, position=asked.position)


def _unknown(error: ApplicationError) -> Exception:
    """Its user is gone, or its id is somebody else's: no more is said of that."""
    return NotFoundError("There is no such user or run") if error.type == "NotFound" else error


def _within(sentence: str) -> str:
    return f"{sentence[:1].lower()}{sentence[1:]}"
