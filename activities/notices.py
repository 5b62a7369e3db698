"""The effects notices need: claim, compose, send, and say what became of it.

claim ─▶ (ended already | nobody is to hear of it any more | letter ─▶ mail server, or channel) ─▶ what became of it
"""

from datetime import datetime, timedelta
from typing import Protocol, TypeAlias

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import errors
from activities.liveness import Clock, heartbeating, surely
from activities.ways import BlockedError, Mail, Mailer, Way, Ways
from schemas.base import RowId, TenantId
from schemas.briefs import Brief
from schemas.channels import ChannelOff
from schemas.digests import DigestView
from schemas.notices import FirstTry, Matter, NoticeKind, NoticeOrder, NotSent, Sending, Sent

# Heartbeaten as soon as the server has taken a mail: a try that cannot write that down tells the next one.
TAKEN = "taken"

# A meeting of unknown length.
AN_HOUR = timedelta(hours=1)


# What is told at length.
About: TypeAlias = Brief | DigestView


class Store(Protocol):
    """Rows of notices, one for each key."""

    async def claim(self, order: NoticeOrder, message_id: str, now: datetime) -> Matter | Sent:
        """What it is to say, or what became of it."""
        ...

    async def brief(self, tenant_id: TenantId, brief_id: RowId) -> Brief | None: ...
    async def digest(self, tenant_id: TenantId, digest_id: RowId) -> DigestView | None: ...

    async def end(self, order: NoticeOrder, sent: Sent, now: datetime, *, sandbox: bool) -> Sent:
        """What became of it, now or before: a mail that was taken by a server counts for more than a time that was up."""
        ...

    async def leave(self, order: NoticeOrder, sent: Sent) -> Sent:
        """Nobody wants it just now: forget that it was asked for, so that it can be asked for again."""
        ...

    async def give_up(self, order: NoticeOrder, message_id: str, reason: str, now: datetime) -> Sent: ...
    async def first_try(self, order: NoticeOrder) -> FirstTry: ...


class Letters(Protocol):
    """Writes what is sent: text and HTML that say the same."""

    def message_id(self, order: NoticeOrder) -> str:
        """The same for the same key."""
        ...

    def compose(self, matter: Matter, about: About | None, now: datetime) -> Mail: ...
    def message(self, matter: Matter, about: About | None, now: datetime) -> str:
        """The same in few words, for a channel."""
        ...


class NoticeActivities:
    def __init__(self, store: Store, letters: Letters, mailer: Mailer | None, ways: Ways | None = None) -> None:
        self._store = store
        self._letters = letters
        self._mailer = mailer
        self._ways = ways

    @activity.defn(name="notices.send")
    async def send(self, sending: Sending) -> Sent:
        """Safe to run twice: what has ended stays as it is. A mail whose reply was lost goes out again, under the same
        Message-ID: SMTP knows no better. A message on a channel has no such name, and is there twice then."""
        try:
            return await self._send(sending)
        except ApplicationError as error:
            raise errors.put_off(error, timedelta(seconds=sending.put_off_s), activity.info().attempt) from None

    async def _send(self, sending: Sending) -> Sent:
        order, clock = sending.order, Clock()
        taken = TAKEN in activity.info().heartbeat_details
        async with heartbeating():
            claimed = await self._store.claim(order, self._letters.message_id(order), clock.now())
            if isinstance(claimed, Sent):
                return await self._with_channel(order, claimed)
            if not taken and (why := unwanted(claimed, clock.now())):
                return await self._store.leave(order, Sent(status="skipped", reason=why))
            way = await self._way(order)
            if not taken and way is None:
                return await self._no_way(order, clock.now())
            about = await self._about(claimed)
            sandbox = self._pretended(claimed, about, way)
            if not taken and way is not None:
                try:
                    await self._post(way, claimed.model_copy(update={"sandbox": sandbox}), about, clock.now())
                except BlockedError as blocked:
                    return await self._blocked(order, str(blocked), clock.now())
        activity.heartbeat(TAKEN)
        return await surely(self._store.end(order, Sent(status="sent"), clock.now(), sandbox=sandbox))

    async def _way(self, order: NoticeOrder) -> Mailer | Way | None:
        if order.way is None:
            return self._mailer
        return await self._ways.open(order.tenant_id, order.way) if self._ways else None

    async def _no_way(self, order: NoticeOrder, now: datetime) -> Sent:
        """There is no mail server, or the channel is gone; one that was switched off in the meantime says so."""
        if order.way is None:
            sent = Sent(status="skipped", reason="no mail server is configured")
        elif await self._stands_off(order):
            sent = Sent(status="failed", reason="the channel is off")
        else:
            sent = Sent(status="skipped", reason="the channel is gone, or nobody here sends on it")
        return await self._with_channel(order, await self._store.end(order, sent, now, sandbox=False))

    async def _blocked(self, order: NoticeOrder, why: str, now: datetime) -> Sent:
        """The channel is switched off first: whoever finds it so tells its user, under the same key."""
        assert order.way is not None, "mail is not blocked"
        assert self._ways is not None, "or there would be no channel to be blocked"
        await self._ways.off(order.tenant_id, order.way, why, now)
        said = {"kind": order.kind.value, "key": order.key, "channel": order.way, "reason": why}
        activity.logger.warning("a channel is switched off: %s", why, extra=said)
        sent = Sent(status="failed", reason=f"the channel was switched off: {why}")
        return await self._with_channel(order, await self._store.end(order, sent, now, sandbox=False))

    async def _with_channel(self, order: NoticeOrder, sent: Sent) -> Sent:
        """What became of it, and of its channel if that is off."""
        off = await self._stands_off(order) if sent.status == "failed" else None
        return sent.model_copy(update={"channel_off": off}) if off else sent

    async def _stands_off(self, order: NoticeOrder) -> ChannelOff | None:
        if order.way is None or self._ways is None:
            return None
        return await self._ways.stands_off(order.tenant_id, order.way)

    @activity.defn(name="notices.first_try")
    async def first_try(self, sending: Sending) -> FirstTry:
        """Only reads."""
        return await self._store.first_try(sending.order)

    @activity.defn(name="notices.give_up")
    async def give_up(self, not_sent: NotSent) -> Sent:
        """Safe to run twice: the same words on the same row, unless it was sent after all."""
        order = not_sent.order
        sent = await self._store.give_up(order, self._letters.message_id(order), not_sent.reason, not_sent.now)
        if sent.status == "failed":
            said = {"kind": order.kind.value, "key": order.key, "reason": sent.reason}
            activity.logger.warning("a notice could not be sent: %s", sent.reason, extra=said)
        return sent

    async def _about(self, matter: Matter) -> About | None:
        tenant_id = matter.order.tenant_id
        if matter.order.kind is NoticeKind.DIGEST and matter.digest_id is not None:
            return await self._store.digest(tenant_id, matter.digest_id)
        if matter.order.kind is NoticeKind.BRIEF and matter.brief_id is not None:
            return await self._store.brief(tenant_id, matter.brief_id)
        return None

    async def _post(self, way: Mailer | Way, matter: Matter, about: About | None, now: datetime) -> None:
        if isinstance(way, Way):
            await way.send(self._letters.message(matter, about, now))
        else:
            await way.send(self._letters.compose(matter, about, now))

    def _pretended(self, matter: Matter, about: About | None, way: Mailer | Way | None) -> bool:
        return matter.sandbox or bool(about and about.sandbox) or bool(way and way.sandbox)


def unwanted(matter: Matter, now: datetime) -> str:  # noqa: C901, PLR0911 - one for each kind
    """Why nobody is to hear of it any more; empty when somebody is."""
    match matter.order.kind:
        case NoticeKind.BRIEF:
            return _briefed(matter, now)
        case NoticeKind.RESEARCH_FAILED:
            return _past(matter, now) or ("" if matter.research == "failed" else "the research has not failed")
        case NoticeKind.RECONNECT:
            return _connected(matter)
        case NoticeKind.CALENDAR_DARK:
            return "" if matter.dark_since else "every calendar is read again"
        case NoticeKind.CALL_FAILED:
            return _read(matter)
        case NoticeKind.LETTER:
            return "" if matter.subject else "there is no letter"
        case NoticeKind.DIGEST:
            return _listened(matter)
        case NoticeKind.SKILL:
            return _ran(matter)
        case NoticeKind.SKILL_SLOW:
            return "" if matter.run == "running" else "the run is not under way"
        case NoticeKind.CHANNEL_OFF:
            return "" if matter.channel_status == "off" else "the channel is gone, or on again"


def _briefed(matter: Matter, now: datetime) -> str:
    if not matter.briefs_by_mail:
        return "briefs are not wanted by mail"
    return _past(matter, now) or ("" if matter.brief_id else "there is no brief")


def _connected(matter: Matter) -> str:
    if matter.connection == "active" and not matter.unheard:
        return "it is connected again"
    return "" if matter.connection in ("active", "reauth_required") else "it is not connected any more"


def _read(matter: Matter) -> str:
    """A call that is not failed any more was read since, or is being read again."""
    if not matter.calls_by_mail:
        return "calls are not wanted by mail"
    return "" if matter.call == "failed" else "the call has not failed"


def _listened(matter: Matter) -> str:
    """One that is being made again is told when that is done."""
    if not matter.digests_by_mail:
        return "digests are not wanted by mail"
    return "" if matter.digest in ("ready", "failed") else "there is no digest"


def _ran(matter: Matter) -> str:
    """What a channel is there for is said there; mail is as its user wants it."""
    if matter.order.way is None and not matter.skills_by_mail:
        return "skills are not wanted by mail"
    return "" if matter.run in ("completed", "failed") else "the run has not ended"


def _past(matter: Matter, now: datetime) -> str:
    """A meeting that is off or over. What is about none is never past."""
    if matter.order.meeting_id and matter.meeting_id is None:
        return "the meeting is gone"
    if matter.off:
        return "the meeting is off"
    ends_at = matter.ends_at or (matter.starts_at + AN_HOUR if matter.starts_at else None)
    return "the meeting is over" if ends_at and ends_at <= now else ""
