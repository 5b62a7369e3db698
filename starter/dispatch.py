"""What each event begins: its name in the registry, and who does it.

Sent ─▶ CHECKS: may it be done, as our rows are? ─▶ STARTERS: the workflow that it begins or wakes
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from temporalio.client import Client, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.service import RPCError

from activities.attendance import LONGEST_NAME
from activities.plain import clean
from activities.store.database import Database
from activities.store.meetings import Occasion
from activities.store.received import Begun, Collected
from activities.store.skill_asking import TooManyRunsError
from activities.transcripts.files import UnreadableError, read
from activities.transcripts.ports import NewCall
from schemas.base import RowId, TenantId
from schemas.batches import Waiting
from schemas.calendars import Reason, Ring
from schemas.meetings import Attendee
from schemas.payloads import (
    CalendarChanged,
    EntityCreated,
    MessageRequested,
    RenewalRequested,
    ResearchRequested,
    TranscriptRequested,
)
from schemas.settings import Settings
from schemas.tenants import CampaignRow
from schemas.transcripts import Source, Speaker, Spoken
from starter import bootstraps, correspondence, demo, document_events, mornings, skills, start
from starter.correspondence import UnknownAddresseeError
from starter.errands import AwayError
from starter.inbox import Problem, RefusedError, Sent
from starter.intake import ROW_ID, Intake
from starter.office import Office
from starter.words import FailedError, NotFoundError, UsageError
from workflows import ids

LONGEST_TITLE = 200


Check = Callable[[Office, TenantId, Any], Awaitable[Problem | None]]
Starter = Callable[[Office, TenantId, Any, RowId], Awaitable[Begun]]


class Dispatcher:
    """A Dispatch."""

    def __init__(self, settings: Settings, database: Database, client: Client) -> None:
        self._office = Office(settings, database, client)

    async def check(self, tenant_id: TenantId, sent: Sent) -> Problem | None:
        check = CHECKS.get(sent.definition.name)
        async with _there():
            return None if check is None else await check(self._office, tenant_id, sent.payload)

    async def begin(self, tenant_id: TenantId, sent: Sent, received_id: RowId) -> Begun:
        """Whoever cannot be helped is parked with the reason: sending it again would not help either.

        NotReadyError is what is missing here, and nothing is parked: it helps to send it again once that is there.
        """
        async with _there():
            try:
                return await STARTERS[sent.definition.name](self._office, tenant_id, sent.payload, received_id)
            except (UsageError, NotFoundError, FailedError) as error:
                return Begun(reason=error.sentence, parked=True)
            except TooManyRunsError as error:
                # Nothing is parked: whoever sends it again later is served.
                raise RefusedError(429, str(error), error.after_s) from None
            except UnknownAddresseeError:
                return Begun(reason="Its addressee is no user any more", parked=True)
            except WorkflowUpdateFailedError:
                return Begun(reason="It could not be begun; its meeting may be over", parked=True)

    def keep(self, sent: Sent) -> dict[str, Any]:
        return KEPT[sent.definition.name](sent)

    async def collect(self, tenant_id: TenantId, sent: Sequence[tuple[Sent, Collected]]) -> None:
        rows = [
            Waiting(received_id=row.id, size=row.size, urgent=getattr(one.payload, "priority", "") == "urgent")
            for one, row in sent
        ]
        async with _there():
            await start.collect(self._office.client, tenant_id, sent[0][0].definition.name, rows)


@asynccontextmanager
async def _there() -> AsyncIterator[None]:
    """AwayError for whatever means that Temporal, or what it takes to speak with it, is not there just now."""
    try:
        yield
    except (RPCError, WorkflowUpdateRPCTimeoutOrCancelledError, RuntimeError, OSError):
        raise AwayError from None


async def _research(at: Office, tenant_id: TenantId, asked: ResearchRequested, _row: RowId) -> Begun:
    occasion = await _known(at, tenant_id, asked) or await _request(at, tenant_id, asked)
    if occasion is None or not occasion.active:
        return Begun(reason="There is no such meeting, or its campaign is not active", parked=True)
    handle = await start.research(at.client, await at.tenants.tenant(tenant_id), occasion)
    return Begun(handle.id)


async def _known(at: Office, tenant_id: TenantId, asked: ResearchRequested) -> Occasion | None:
    """What it speaks of, when it is ours already. Of an ad hoc request others may have ids of their own."""
    if asked.type == "calendar":
        assert asked.meeting_id is not None, "the payload says so"
        return await at.meetings.occasion(tenant_id, asked.meeting_id)
    if asked.prospects or asked.ad_hoc_request_id is None or not ROW_ID.fullmatch(asked.ad_hoc_request_id.lower()):
        return None
    return await at.meetings.occasion(tenant_id, asked.ad_hoc_request_id.lower())


async def _request(at: Office, tenant_id: TenantId, asked: ResearchRequested) -> Occasion | None:
    """An ad hoc request, written down: the same campaign and people are the same."""
    campaign = await _campaign(at, tenant_id, asked)
    if not asked.prospects or campaign is None:
        return None
    once = {one.email: Attendee(email=one.email, name=clean(one.name or "", LONGEST_NAME)) for one in asked.prospects}
    intake = Intake(at.meetings, at.settings)
    try:
        request_id = await intake.request(tenant_id, campaign, tuple(once.values()), datetime.now(UTC))
    except UsageError:
        # Its own sentence names them, and ours is kept.
        raise UsageError("Somebody of them asked to be forgotten; nothing is researched") from None
    return await at.meetings.occasion(tenant_id, request_id)


async def _campaign(at: Office, tenant_id: TenantId, asked: ResearchRequested) -> CampaignRow | None:
    """The one that is named, or the oldest that is active."""
    campaigns = [one for one in await at.tenants.campaigns(tenant_id) if one.active]
    return next((one for one in campaigns if asked.campaign_id in (None, one.id)), None)


async def _may_research(at: Office, tenant_id: TenantId, asked: ResearchRequested) -> Problem | None:
    occasion = await _known(at, tenant_id, asked)
    if occasion is not None:
        return None if occasion.active else Problem("campaignId", "its campaign is not active")
    if asked.type == "calendar":
        return Problem("meetingId", "there is no such meeting")
    if not asked.prospects:
        return Problem("adHocRequestId", "there is no such request; name its prospects")
    if await _campaign(at, tenant_id, asked) is None:
        return Problem("campaignId", "there is no such campaign that is active")
    return None


async def _calendar(at: Office, tenant_id: TenantId, changed: CalendarChanged, _row: RowId) -> Begun:
    """One that is not known is nothing to be told of: it may have been given up."""
    found = await at.references.calendars(tenant_id, changed.channel_id, changed.calendar_id)
    for calendar_id in found:
        ring = Ring(reason=Reason.PUSH, at=datetime.now(UTC))
        await start.Doorbell(at.client).calendar(tenant_id, calendar_id, ring)
    return Begun(ids.calendar(tenant_id, found[0])) if found else Begun(reason="There is no such calendar")


async def _renewals(at: Office, _tenant_id: TenantId, _asked: RenewalRequested, _row: RowId) -> Begun:
    """The sweep that the clock begins too: it is of no tenant, and one at a time."""
    return Begun((await start.sweep(at.client)).id)


async def _transcript(at: Office, tenant_id: TenantId, asked: TranscriptRequested, _row: RowId) -> Begun:
    call_id = await _call(at, tenant_id, asked)
    if call_id is None:
        return Begun(reason="There is no such call", parked=True)
    return Begun((await start.transcript(at.client, tenant_id, call_id, again=True)).id)


async def _call(at: Office, tenant_id: TenantId, asked: TranscriptRequested) -> RowId | None:
    """The call's row: written down when its words are here, or when what records calls may have them."""
    spoken = await _spoken(asked)
    if spoken is None and (known := await at.references.call(tenant_id, asked.call_id)) is not None:
        return known
    recorder = None if spoken is not None else await at.references.recorder(tenant_id)
    if spoken is None and recorder is None:
        return None
    call = NewCall(
        source=Source.RECORDER if recorder else Source.EVENT,
        source_key=asked.call_id,
        title=clean(asked.title, LONGEST_TITLE),
        started_at=asked.started_at,
        duration_s=asked.duration_s,
        recorder_id=recorder.id if recorder else None,
        owner_email=asked.owner_email,
        opportunity=asked.opportunity_id,
        speakers=_speakers(asked),
        sandbox=recorder.sandbox if recorder else False,
    )
    taken = await at.calls.take(tenant_id, call, spoken, datetime.now(UTC))
    return None if taken.erased else taken.call_id


def _speakers(asked: TranscriptRequested) -> tuple[Speaker, ...]:
    """A transcript calls people by their names; who has none is called by their address."""
    named = ((clean(one.name, LONGEST_NAME), one) for one in asked.participants)
    return tuple(
        Speaker(
            key=name or one.email or "", name=name, email=one.email, role=clean(one.role, LONGEST_NAME), ours=one.ours
        )
        for name, one in named
        if name or one.email
    )


async def _spoken(asked: TranscriptRequested) -> Spoken | None:
    """What was said, when it came along. UnreadableError when it is no transcript."""
    # Beside everybody else: a long one takes a moment.
    return await asyncio.to_thread(read, asked.transcript.encode(), asked.file_name) if asked.transcript else None


async def _may_read(at: Office, tenant_id: TenantId, asked: TranscriptRequested) -> Problem | None:
    try:
        if await _spoken(asked) is not None:
            return None
    except UnreadableError as error:
        return Problem("transcript", str(error).rstrip("."))
    if await at.references.call(tenant_id, asked.call_id) or await at.references.recorder(tenant_id):
        return None
    return Problem("transcript", "there is no such call, and nothing records calls; send what was said")


async def _message(at: Office, tenant_id: TenantId, asked: MessageRequested, row: RowId) -> Begun:
    return Begun(await correspondence.order(at.client, at.letters, tenant_id, row, asked, datetime.now(UTC)))


async def _may_mail(at: Office, tenant_id: TenantId, asked: MessageRequested) -> Problem | None:
    try:
        await correspondence.addressee(at.letters, tenant_id, asked.to)
    except UnknownAddresseeError as error:
        return Problem(error.field, str(error))
    return None


def _entity(sent: Sent) -> dict[str, Any]:
    """A row as it waits. Without an id of its own it goes by its event's."""
    payload = sent.payload
    assert isinstance(payload, EntityCreated)
    key = sent.key if payload.id is None else str(payload.id)
    return {"collection": payload.collection, "key": key, "data": payload.row()}


CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        "research/generate.requested": _may_research,
        "transcript/parse.requested": _may_read,
        "digest/generate.requested": mornings.may,
        "mail/message.requested": _may_mail,
        "skill/execute.requested": skills.may,
        "document/file.uploaded": document_events.may_take,
        "document/analysis.requested": document_events.may,
        "document/analysis.retry": document_events.may,
        "document/comparison.requested": document_events.may_compare,
        "document/redline.requested": document_events.may,
    }
)

STARTERS: Mapping[str, Starter] = MappingProxyType(
    {
        "calendar/webhook.received": _calendar,
        "research/generate.requested": _research,
        "subscription/renewal.requested": _renewals,
        "transcript/parse.requested": _transcript,
        "digest/generate.requested": mornings.requested,
        "mail/message.requested": _message,
        "skill/execute.requested": skills.requested,
        "skill/feedback.requested": skills.looked_at,
        "document/file.uploaded": document_events.uploaded,
        "document/analysis.requested": document_events.requested,
        "document/analysis.retry": document_events.retried,
        "document/analysis.cancelled": document_events.cancelled,
        "document/file.deleted": document_events.deleted,
        "document/comparison.requested": document_events.compared,
        "document/redline.requested": document_events.redlined,
        "bootstrap/ingest.requested": bootstraps.requested,
        "bootstrap/source.process": bootstraps.source_requested,
        "demo/run.requested": demo.requested,
        "demo/steps.requested": demo.stepped,
        "demo/run.continued": demo.continued,
    }
)

# What is collected has no starter of its own: many begin together. This is what is kept of each meanwhile.
KEPT: Mapping[str, Callable[[Sent], dict[str, Any]]] = MappingProxyType({"record/entity.created": _entity})
