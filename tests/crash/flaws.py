"""Bugs to plant: parts that break one promise each, so that the harness can show that it would see it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from temporalio import activity

import worker
from activities.calendars import CalendarActivities
from activities.calendars.ports import Found, Placed, Taken
from activities.notices import About, NoticeActivities
from activities.ports import Channel, Page, Place
from activities.research.ports import Claimed
from activities.store.briefs import BriefStore
from activities.store.calendars import CalendarStore, _move
from activities.store.lookups import LookUpStore
from activities.store.research import ResearchStore
from activities.store.subscriptions import SubscriptionStore
from activities.subscriptions import SubscriptionActivities
from activities.ways import Mail, Mailer, Way
from schemas.briefs import Brief, Composed
from schemas.calendars import Reading
from schemas.notices import Matter, Sent
from schemas.research import Begun, LookUp, Start, Writing, Written
from schemas.subscriptions import Opened, Opening, Retiring, Ringing
from starter.show.letters import Letters

LATE = timedelta(seconds=7)


class ForgetfulLookUps(LookUpStore):
    """Never finds a stored answer."""

    async def claim(self, look_up: LookUp, *rest: Any, **more: Any) -> Claimed:
        later = look_up.model_copy(update={"now": look_up.now + timedelta(days=999)})
        return await super().claim(later, *rest, **more)


class RestartingRuns(ResearchStore):
    """Takes the row anew each time it is asked to begin."""

    async def begin(self, start: Start, *rest: Any, **more: Any) -> Begun:
        async with self._database.tenant(start.tenant_id) as connection:
            await connection.execute(
                "UPDATE research SET status = 'requested', run_id = NULL WHERE id = $1", start.research_id
            )
        return await super().begin(start, *rest, **more)


class RepeatingBriefs(BriefStore):
    """Writes another brief when it is asked to finish what is finished."""

    async def finish(self, order: Writing, brief: Composed, model: str, sandbox: bool, now: datetime) -> Written:
        async with self._database.tenant(order.tenant_id) as connection:
            version = await connection.fetchval(
                """
                UPDATE research SET status = 'generating', version = version + 1
                WHERE id = $1 AND status = 'ready' RETURNING version
                """,
                order.research_id,
            )
        if version is not None:
            order = order.model_copy(update={"version": version, "brief_id": str(uuid4())})
        return await super().finish(order, brief, model, sandbox, now)


class RepeatingLookUps(LookUpStore):
    """Stores an answer and its sources twice."""

    async def keep(self, look_up: LookUp, *rest: Any, **more: Any) -> None:
        await super().keep(look_up, *rest, **more)
        async with self._database.tenant(look_up.tenant_id) as connection:
            await connection.execute(
                """
                WITH again AS (
                  INSERT INTO answers (tenant_id, subject_id, research_id, version, asked, provider, model, said,
                    input_tokens, output_tokens, cost_micro_usd, sandbox, asked_at, fresh_until)
                  SELECT tenant_id, subject_id, research_id, version, asked, provider, model, said, input_tokens,
                    output_tokens, cost_micro_usd, sandbox, asked_at + interval '1 s', fresh_until
                  FROM answers WHERE subject_id = $1 RETURNING id
                )
                INSERT INTO evidence (tenant_id, answer_id, subject_id, position, url, title, text, fetched_at)
                SELECT e.tenant_id, again.id, e.subject_id, e.position, e.url, e.title, e.text, e.fetched_at
                FROM evidence e, again WHERE e.subject_id = $1
                """,
                look_up.subject.subject_id,
            )


class LateLookUps(LookUpStore):
    """No bug: another attempt, taken for dead, comes with an answer of its own."""

    async def keep(self, look_up: LookUp, *rest: Any, now: datetime, **more: Any) -> None:
        await super().keep(look_up, *rest, now=now, **more)
        await super().keep(look_up, *rest, now=now + LATE, **more)


class LateBriefs(BriefStore):
    """Likewise for writing."""

    async def keep_answer(self, order: Writing, *rest: Any, now: datetime, **more: Any) -> None:
        await super().keep_answer(order, *rest, now=now, **more)
        await super().keep_answer(order, *rest, now=now + LATE, **more)


class LateChannels(SubscriptionStore):
    """Stores a new channel only once its provider has answered."""

    _waiting: "dict[str, tuple[Any, ...]]"

    async def begin(self, opening: Opening, channel_id: str, token_hash: bytes, expires_at: datetime) -> None:
        self._waiting = {channel_id: (opening, channel_id, token_hash, expires_at)}

    async def activate(self, opening: Opening, channel: Channel) -> Opened:
        await super().begin(*self._waiting[channel.id])
        return await super().activate(opening, channel)


class StoppingFirst(SubscriptionActivities):
    """Stops the old channel, and then opens the new one."""

    @activity.defn(name="subscriptions.open")
    async def open(self, opening: Opening) -> Opened:
        known = {"tenant_id": opening.tenant_id, "calendar_id": opening.calendar_id}
        await self.retire(Retiring(**known, all=True, now=opening.now))
        return await super().open(opening)


class SilentRenewals(SubscriptionActivities):
    """Has nothing read after a renewal."""

    @activity.defn(name="subscriptions.ring")
    async def ring(self, ringing: Ringing) -> None:
        return


class MovingFirst(CalendarStore):
    """Saves the place behind a page in a transaction of its own, before what the page says."""

    async def take(
        self, reading: Reading, placed: Placed, page: Page, found: Sequence[Found], people: Mapping[str, str]
    ) -> Taken:
        async with self._database.tenant(reading.tenant_id) as connection:
            await _move(connection, reading, page)
        synced = placed.place.sync_token if page.page_token else page.sync_token
        behind = replace(placed, place=Place(page.page_token, synced, placed.place.since))
        return await super().take(reading, behind, page, found, people)


class NotingFirst(CalendarActivities):
    """Notes that a meeting was told, and then tells it."""

    async def _tell(self, reading: Reading) -> int:
        untold = await self._store.untold(reading)
        await self._store.told(reading.tenant_id, untold)
        for meeting_id, _ in untold:
            await self._bell.meeting(reading.tenant_id, meeting_id)
        return len(untold)


class RecordingFirst(NoticeActivities):
    """Writes down that a mail was sent, and then sends it."""

    async def _post(self, way: Mailer | Way, matter: Matter, brief: About | None, now: datetime) -> None:
        await self._store.end(matter.order, Sent(status="sent"), now, sandbox=True)
        await super()._post(way, matter, brief, now)


class SigningAnew(Letters):
    """Gives each try a Message-ID of its own."""

    def compose(self, matter: Matter, brief: Brief | None, now: datetime) -> Mail:
        return replace(super().compose(matter, brief, now), message_id=f"<{uuid4()}@greenroom.example>")


FLAWS: dict[str, dict[str, type]] = {
    "forgets answers": {"LookUpStore": ForgetfulLookUps},
    "begins again": {"ResearchStore": RestartingRuns},
    "finishes twice": {"BriefStore": RepeatingBriefs},
    "stores answers twice": {"LookUpStore": RepeatingLookUps},
    "stores a channel late": {"SubscriptionStore": LateChannels},
    "stops the old channel first": {"SubscriptionActivities": StoppingFirst},
    "rings nobody": {"SubscriptionActivities": SilentRenewals},
    "moves on first": {"CalendarStore": MovingFirst},
    "notes what it tells first": {"CalendarActivities": NotingFirst},
    "records what it sends first": {"NoticeActivities": RecordingFirst},
    "signs each try anew": {"Letters": SigningAnew},
    "comes late": {"LookUpStore": LateLookUps, "BriefStore": LateBriefs},
}


def plant(flaw: str | None) -> None:
    """Into the composition root of this process."""
    if flaw is not None:
        vars(worker).update(FLAWS[flaw])
