"""What an event is to us: a meeting to get ready for, or none, and why. Pure rules, one line each."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from activities.attendance import MOST_PROSPECTS, attendees, unplussed
from activities.domains import company_domain
from activities.ports import CalendarEvent
from schemas.meetings import Attendee, Invited, MeetingFacts, Standing


class Withdrawal(StrEnum):
    """Why an event is no meeting of ours, in a reader's words."""

    CANCELLED = "cancelled"
    NO_MEETING = "no meeting"
    ALL_DAY = "all day"
    PRIVATE = "private"
    DECLINED = "you declined"
    AUDIENCE = "too many guests"
    NOBODY = "nobody from outside"


# A meeting without an end is taken to last as long as most.
USUAL_LENGTH = timedelta(hours=1)


@dataclass(frozen=True)
class Whose:
    """Whose calendar it is: their addresses, their colleagues', and the domains of both."""

    source: str
    calendar_id: str
    own: frozenset[str]
    colleagues: frozenset[str]
    domains: frozenset[str]

    def key(self, event_id: str) -> str:
        """What this calendar calls the instance: it stays when the instance is moved."""
        return f"{self.calendar_id}/{event_id}"


def meeting(event: CalendarEvent, whose: Whose) -> MeetingFacts | Withdrawal:
    """The meeting that an event is, or the first reason for which it is none."""
    guests = _guests(event, whose)
    prospects = sum(one.standing is Standing.PROSPECT for one in guests)
    rules = (
        (event.cancelled, Withdrawal.CANCELLED),
        (event.marker, Withdrawal.NO_MEETING),
        (event.all_day, Withdrawal.ALL_DAY),
        (event.starts_at is None, Withdrawal.NO_MEETING),
        (event.private, Withdrawal.PRIVATE),
        (_declined(event, whose), Withdrawal.DECLINED),
        (event.guests_omitted or prospects > MOST_PROSPECTS, Withdrawal.AUDIENCE),
        (prospects == 0, Withdrawal.NOBODY),
    )
    reason = next((reason for holds, reason in rules if holds), None)
    if reason is not None or event.starts_at is None:
        return reason or Withdrawal.NO_MEETING
    return MeetingFacts(
        source=whose.source,
        source_key=whose.key(event.id),
        title=event.title,
        starts_at=event.starts_at,
        ends_at=event.ends_at or event.starts_at + USUAL_LENGTH,
        attendees=guests,
    )


def _guests(event: CalendarEvent, whose: Whose) -> tuple[Attendee, ...]:
    """Everybody who is invited. Who called the meeting counts as a guest when nobody else from outside is one: many
    calendars do not list them."""
    me = frozenset(map(unplussed, whose.own | event.own))
    domains = whose.domains | {domain for address in whose.own if (domain := company_domain(address))}
    everybody = attendees(event.invited, me, domains, whose.colleagues)
    if event.organizer is None or any(one.standing is Standing.PROSPECT for one in everybody):
        return everybody
    return attendees((*event.invited, *_unlisted(event.organizer, event.invited)), me, domains, whose.colleagues)


def _unlisted(organizer: Invited, invited: tuple[Invited, ...]) -> tuple[Invited, ...]:
    return () if organizer.email in {one.email for one in invited} else (organizer,)


def _declined(event: CalendarEvent, whose: Whose) -> bool:
    """The owner of the calendar does not come."""
    me = frozenset(map(unplussed, event.own or whose.own))
    return any(one.declined and unplussed(one.email) in me for one in event.invited)
