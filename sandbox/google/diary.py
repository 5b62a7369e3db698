"""What people do to a calendar: they invite, move, decline and cancel. Whoever watches it is told of each change."""

import base64
import secrets
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from sandbox.google import items
from sandbox.google.orders import Content, Flood, Guests, Move, NewEvent, Reply, Who
from sandbox.google.push import Push
from sandbox.google.recurrence import AHEAD
from sandbox.google.state import Account, Channel, Details, Event, Guest, Past, Person, Variation, When
from sandbox.google.store import Store
from sandbox.google.times import moment

Start = str | datetime | date
LONGEST_PAST = 50


class UnknownError(LookupError):
    """There is no such thing; the sentence says what was looked for."""


class Calendar:
    """One account's calendar, in the hands of its people.

    Ids are those of the API: of an event, of a series, or of one instance of a series (`<id>_<original start>`); whatever
    can be done to a series can be done to one of its instances. Each change counts one version, is saved, and is told
    to every live channel of every account that it concerns.
    """

    def __init__(self, account: Account, store: Store, push: Push) -> None:
        self.account = account
        self._store = store
        self._push = push

    @property
    def channels(self) -> list[Channel]:
        """Those that live, oldest first."""
        return self._store.live_channels(self.account.email)

    @property
    def events(self) -> list[Event]:
        """All that ever were on it, also what is cancelled."""
        return self._store.events_on(self.account.email)

    def add(self, title: str, start: Start, minutes: int = 30, attendees: object = (), **more: Any) -> str:
        """A new event's id. `start` without a zone is on the account's clock; an attendee is an address, or a dict
        (email, name, status, optional, resource); `more` are the fields of `orders.NewEvent`: recurrence, all_day, days,
        private, free, tentative, room, meet, organizer, description, location, event_type, guests_hidden, time_zone.
        """
        asked = {"title": title, "start": _written(start), "minutes": minutes, "attendees": list(attendees), **more}  # type: ignore[call-overload]
        return self.order(NewEvent.model_validate(asked)).id

    def order(self, new: NewEvent) -> Event:
        zone, now = new.time_zone or self.account.time_zone, self._store.now()
        guests, (start, end) = new.guests(self.account), _span(moment(new.start, now, zone), new, zone)
        link = f"https://meet.sandbox.example/{_letters(3)}-{_letters(4)}-{_letters(3)}" if new.meet else None
        version = self._store.changed()
        event = Event(
            id=base64.b32hexencode(secrets.token_bytes(15)).decode().lower(),
            organizer=new.organizer.person()
            if new.organizer
            else Person(**self.account.model_dump(include={"email", "name"})),
            details=Details(start=start, end=end, guests=guests, meeting_link=link, **new.changes()),
            recurrence=[new.recurrence] if new.recurrence else [],
            calendars=[self.account.email],
            created=now,
            updated=now,
            born=version,
            version=version,
        )
        self._store.state.events[event.id] = event
        self._tell(event)
        return event

    def move(self, event_id: str, start: Start, minutes: int | None = None) -> None:
        """To another time, as long as it was or of another length."""
        self.reschedule(event_id, Move(start=_written(start), minutes=minutes))

    def reschedule(self, event_id: str, to: Move) -> None:
        event, item = self._found(event_id)
        zone, length = item.details.start.zone, item.details.end.moment() - item.details.start.moment()
        begin = moment(to.start, self._store.now(), zone)
        start = item.details.start.alike(begin)
        end = start.alike(start.moment() + (timedelta(minutes=to.minutes) if to.minutes else length))
        if event.recurrence and item.original is None:
            self._keep_past(event)
        self._change(event, item, {"start": start, "end": end}, sequence=1)

    def edit(self, event_id: str, **content: Any) -> None:
        """Other words or flags: title, description, location, private, free, tentative, guests_hidden, event_type."""
        self.rewrite(event_id, Content.model_validate(content))

    def rewrite(self, event_id: str, content: Content) -> None:
        event, item = self._found(event_id)
        self._change(event, item, content.changes())

    def cancel(self, event_id: str) -> None:
        """An event, a whole series, or one instance of it."""
        event, item = self._found(event_id)
        self._change(event, item, {"status": "cancelled"}, sequence=1)

    def restore(self, event_id: str) -> None:
        """Take a cancellation back."""
        event, item = self._found(event_id)
        self._change(event, item, {"status": "confirmed"}, sequence=1)

    def invite(self, event_id: str, email: str, name: str | None = None, **more: Any) -> None:
        """One more guest; `more` may say status, optional, resource."""
        self.ask(event_id, Guests(attendees=[Who(email=email, name=name, **more)]))

    def ask(self, event_id: str, who: Guests) -> None:
        new = [one.guest() for one in who.attendees]

        def with_them(guests: list[Guest]) -> list[Guest]:
            known = guests or [Guest(email=self.account.email, name=self.account.name, status="accepted")]
            there = {guest.email for guest in known}
            return [*known, *(guest for guest in new if guest.email not in there)]

        self._change_guests(event_id, with_them)

    def uninvite(self, event_id: str, email: str) -> None:
        address = email.lower()
        self._must_be_guest(event_id, address)
        self._change_guests(event_id, lambda guests: [guest for guest in guests if guest.email != address])

    def answer(self, event_id: str, email: str | None, status: str) -> None:
        """Somebody accepts, declines or wavers; None is the calendar's owner."""
        self.reply(event_id, Reply.model_validate({"email": email, "status": status}))

    def reply(self, event_id: str, reply: Reply) -> None:
        address = reply.email or self.account.email
        self._must_be_guest(event_id, address)
        told = {"status": reply.status}
        self._change_guests(
            event_id, lambda guests: [g.model_copy(update=told) if g.email == address else g for g in guests]
        )

    def flood(self, changes: int = 0, notifications: int = 0) -> list[str]:
        """Many new events, a change each, and many notifications without any. The events' ids."""
        order = Flood(changes=changes, notifications=notifications)
        first = self._store.now().replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
        starts = (first + timedelta(minutes=15 * number) for number in range(order.changes))
        with self._store.together():
            ids = [self.add(f"Flood {number}", start, 15) for number, start in enumerate(starts, 1)]
            for _ in range(order.notifications):
                self._push.changed(self.account.email)
        return ids

    def look(self, event_id: str) -> items.Item:
        """An event as this calendar shows it, also when it is cancelled."""
        return self._found(event_id)[1]

    def instances(self, event_id: str) -> list[items.Item]:
        """All instances of a series, cancelled ones included."""
        event, _ = self._found(event_id)
        until = self._store.now() + AHEAD
        return list(items.instances(event, self.account.email, until)) if event.recurrence else []

    def expire_sync_tokens(self) -> None:
        """All sync tokens given out so far are worth a 410."""
        self.account.oldest_sync = self._store.changed()
        self._store.save()

    # How a change is made.

    def _found(self, event_id: str) -> tuple[Event, items.Item]:
        base, _, mark = event_id.partition("_")
        event = self._store.state.events.get(base)
        if event is None or self.account.email not in event.calendars:
            raise UnknownError(f"{self.account.email} has no event {event_id!r:.80}.")
        whole = items.whole(event, self.account.email)
        item = items.found(event, mark, self.account.email, self._store.now() + AHEAD) if mark else whole
        if item is None:
            raise UnknownError(f"The event {base} has no instance {mark!r:.40}.")
        return event, item

    def _change(self, event: Event, item: items.Item, changes: dict[str, Any], sequence: int = 0) -> None:
        version, now = self._store.changed(), self._store.now()
        if item.original is None:
            event.details = event.details.model_copy(update=changes)
            event.version, event.updated, event.sequence = version, now, event.sequence + sequence
        else:
            empty = Variation(version=version, updated=now)
            own = event.variations.setdefault(item.original.mark(), empty)
            own.changes |= Details.model_validate({**item.details.model_dump(), **changes}).model_dump(
                include=set(changes)
            )
            own.version, own.updated, own.sequence = version, now, own.sequence + sequence
        self._tell(event)

    def _change_guests(self, event_id: str, change: Callable[[list[Guest]], list[Guest]]) -> None:
        """On a series the change reaches the instances that have guests of their own."""
        event, item = self._found(event_id)
        if item.original is None:
            for own in event.variations.values():
                if "guests" in own.changes:
                    guests = change([Guest.model_validate(guest) for guest in own.changes["guests"]])
                    own.changes["guests"] = [guest.model_dump() for guest in guests]
        self._change(event, item, {"guests": change(item.details.guests)})

    def _must_be_guest(self, event_id: str, address: str) -> None:
        _, item = self._found(event_id)
        if address not in {guest.email for guest in item.details.guests}:
            raise UnknownError(f"{address} is not invited to {event_id}.")

    def _keep_past(self, event: Event) -> None:
        """A series that moves begins anew: its instances get other ids, and what they had of their own is gone."""
        past = items.schedule(event).model_copy(update={"version": self._store.state.version + 1})
        event.past = [*event.past, Past.model_validate({**past.model_dump(), "marks": list(event.variations)})]
        event.past = event.past[-LONGEST_PAST:]
        event.variations = {}

    def _tell(self, event: Event) -> None:
        """Put the event on the calendars of all its people, save, and notify."""
        own = (
            Details.model_validate({**event.details.model_dump(), **each.changes}) for each in event.variations.values()
        )
        people = {event.organizer.email, *(g.email for details in (event.details, *own) for g in details.guests)}
        for email in self._store.state.accounts:
            if email in people and email not in event.calendars:
                event.calendars.append(email)
        for email in event.calendars:
            self._push.changed(email)
        self._store.save()


def _span(begin: datetime, new: NewEvent, zone: str) -> tuple[When, When]:
    if new.all_day:
        day = begin.date()
        return When(zone=zone, day=day), When(zone=zone, day=day + timedelta(days=new.days))
    return When(zone=zone, at=begin), When(zone=zone, at=begin + timedelta(minutes=new.minutes))


def _written(start: Start) -> str:
    return start if isinstance(start, str) else start.isoformat()


def _letters(count: int) -> str:
    return "".join(secrets.choice("abcdefghijkmnopqrstuvwxyz") for _ in range(count))
