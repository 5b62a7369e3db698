"""What one calendar shows of an event: itself, its instances, or that it is gone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.google import recurrence
from sandbox.google.state import Details, Event, Past, When


@dataclass(frozen=True)
class Item:
    """One entry as one calendar sees it. `original` is where the series had put an instance."""

    event: Event
    details: Details
    calendar: str
    version: int
    updated: datetime
    sequence: int
    original: When | None = None
    varied: bool = False
    """It differs, or differed, from its series."""
    vanished: bool = False
    """Its series no longer takes place then."""

    @property
    def id(self) -> str:
        return f"{self.event.id}_{self.original.mark()}" if self.original else self.event.id

    @property
    def gone(self) -> bool:
        return self.vanished or self.details.status == "cancelled" or not self._taking_part()

    def _taking_part(self) -> bool:
        mine = self.calendar
        return mine == self.event.organizer.email or any(guest.email == mine for guest in self.details.guests)


def whole(event: Event, calendar: str) -> Item:
    """A one-off event, or a series as one."""
    return Item(event, event.details, calendar, event.version, event.updated, event.sequence)


def schedule(event: Event) -> Past:
    """When the series takes place as it is now."""
    return Past(version=event.version, start=event.details.start, recurrence=event.recurrence)


def instance(event: Event, start: When, calendar: str) -> Item:
    """The instance of a series that begins, or was to begin, then."""
    moved = {"start": start, "end": start.alike(start.moment() + _length(event.details))}
    variation = event.variations.get(start.mark())
    if variation is None:
        details = event.details.model_copy(update=moved)
        return Item(event, details, calendar, event.version, event.updated, event.sequence, start)
    details = Details.model_validate({**event.details.model_dump(), **moved, **variation.changes})
    if event.details.status == "cancelled":
        details.status = "cancelled"
    version, updated = max(event.version, variation.version), max(event.updated, variation.updated)
    return Item(event, details, calendar, version, updated, event.sequence + variation.sequence, start, varied=True)


def _length(details: Details) -> timedelta:
    return details.end.moment() - details.start.moment()


def instances(event: Event, calendar: str, until: datetime) -> Iterator[Item]:
    """All that a series has had or will have until then, cancelled ones included."""
    return (instance(event, start, calendar) for start in recurrence.starts(schedule(event), until))


def varied(event: Event, calendar: str, until: datetime) -> list[Item]:
    """The instances that differ from their series."""
    starts = recurrence.starts(schedule(event), until) if event.variations else ()
    return [instance(event, start, calendar) for start in starts if start.mark() in event.variations]


def found(event: Event, mark: str, calendar: str, until: datetime) -> Item | None:
    starts = recurrence.starts(schedule(event), until) if event.recurrence else ()
    return next((instance(event, start, calendar) for start in starts if start.mark() == mark), None)


def shown(event: Event, calendar: str, until: datetime, *, single: bool) -> list[Item]:
    """All of an event that a listing may hold: instances when `single`, else the series and what differs from it."""
    if not event.recurrence:
        return [whole(event, calendar)]
    if single:
        return list(instances(event, calendar, until))
    return [whole(event, calendar), *varied(event, calendar, until)]


def changed(event: Event, calendar: str, since: int, until: datetime, *, single: bool) -> list[Item]:
    """What of an event is news since a version, with all that vanished."""
    now = shown(event, calendar, until, single=single)
    still = {item.id for item in now}
    vanished = (item for item in _vanished(event, calendar, since, until, single=single) if item.id not in still)
    return [*(item for item in now if item.version > since), *vanished]


def _vanished(event: Event, calendar: str, since: int, until: datetime, *, single: bool) -> Iterator[Item]:
    """What a series had at a version, whether or not it still has it."""
    past = [old for old in event.past if old.version > since]
    if not past or event.born > since:
        return
    for start in recurrence.starts(past[0], until):
        varied = start.mark() in past[0].marks
        if single or varied:
            details = event.details.model_copy(update={"start": start, "end": start})
            yield Item(event, details, calendar, event.version, event.updated, 0, start, varied, vanished=True)
