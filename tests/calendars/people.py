"""What people did to their calendars, in plain Python, and what ought to be known of it: no rule of ours is asked.

act ─▶ Event ─▶ its instances, each with what it has of its own ─▶ Shown: as one account's owner sees it
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

BERLIN = ZoneInfo("Europe/Berlin")

ROBIN, ROBIN_AWAY = "robin.marsh@harbour.example", "robin.away@gmail.com"
KIM, KIM_AWAY = "kim@harbour.example", "kim.berg@gmail.com"
ADA = "ada@lovelace.example"

# The cast, and by hand what they are to everybody at harbour.example: who is not from outside is nobody's prospect.
OUTSIDE = {ADA, "tomas.okafor@brightwater.example", "mei.tanaka@gmail.com", "lee+cal@northwind.example"}
INSIDE = {"robin@harbour.example", "robin.marsh+cal@harbour.example", "lena@mail.harbour.example", KIM}
GROUPS = {"everybody@googlegroups.com", "team@group.calendar.google.com"}
ROOMS = {"sea-view@resource.calendar.google.com", "boardroom@venue.example"}
CAST = sorted(OUTSIDE | INSIDE | GROUPS | ROOMS)
# One more prospect than a meeting may have.
CROWD = [f"guest-{number}@guests.example" for number in range(21)]
MOST = 20

# What else an entry in a calendar may be.
MARKERS = ("outOfOffice", "focusTime")


@dataclass(frozen=True)
class Shown:
    """An instance as the owner of one calendar sees it. With reasons it is no meeting; `gone` says that it is not there."""

    title: str
    starts_at: datetime
    ends_at: datetime
    prospects: frozenset[str]
    reasons: frozenset[str] = frozenset()
    gone: bool = False


@dataclass
class Event:
    """`whole` holds for all instances but for what one of them has of its own, by its mark."""

    id: str
    home: str
    organizer: str
    whole: dict[str, Any]
    every_days: int | None = None
    times: int = 1
    own: dict[str, dict[str, Any]] = field(default_factory=dict)

    def instances(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """On the wall's clock: ten stays ten when summer ends."""
        if self.every_days is None:
            yield self.id, self.whole
            return
        first = self.whole["start"].astimezone(BERLIN)
        for number in range(self.times):
            start = (first + timedelta(days=number * self.every_days)).astimezone(UTC)
            mark = f"{start:%Y%m%dT%H%M%SZ}"
            own = self.own.get(mark, {})
            gone = self.whole["cancelled"] or own.get("cancelled", False)
            yield f"{self.id}_{mark}", {**self.whole, "start": start, **own, "cancelled": gone}


class People:
    """Everybody's acts. `accounts` are those whose calendars are read; an id with a mark is one instance of a series."""

    def __init__(self, accounts: list[str]) -> None:
        self.accounts = accounts
        self.events: dict[str, Event] = {}

    def targets(self) -> list[str]:
        """Whatever an act can be about: events, series, and instances of series."""
        return [
            target
            for event in self.events.values()
            for target in (event.id, *(each for each, _ in event.instances() if each != event.id))
        ]

    def home(self, target: str) -> str:
        return self._event(target).home

    def guests(self, target: str) -> dict[str, str]:
        return dict(self._now(target)["guests"])

    def start(self, target: str) -> datetime:
        start: datetime = self._now(target)["start"]
        return start

    def add(self, event_id: str, home: str, start: datetime, minutes: int, guests: list[str], **more: Any) -> None:
        """`more`: title, organizer, every_days, times, all_day, private, kind."""
        organizer = more.pop("organizer", None)
        answers = {home: "needsAction" if organizer else "accepted"}
        answers |= {organizer: "accepted"} if organizer and organizer not in answers else {}
        answers |= {guest: "needsAction" for guest in guests if guest not in answers}
        series = {name: more.pop(name) for name in ("every_days", "times") if name in more}
        whole = {"private": False, "hidden": False, "kind": "default", "all_day": False, "cancelled": False, **more}
        whole |= {"start": start, "minutes": minutes, "guests": answers if guests or organizer else {}}
        self.events[event_id] = Event(event_id, home, organizer or home, whole, **series)

    def move(self, target: str, start: datetime) -> None:
        """A series that moves begins anew, with nothing left of what its instances had of their own."""
        event, mark = self._event(target), self._mark(target)
        if not mark:
            event.own.clear()
        self._change(target, start=start)

    def cancel(self, target: str) -> None:
        self._change(target, cancelled=True)

    def restore(self, target: str) -> None:
        self._change(target, cancelled=False)

    def edit(self, target: str, **content: Any) -> None:
        self._change(target, **content)

    def invite(self, target: str, guest: str) -> None:
        first = {self.home(target): "accepted"}
        self._guests(target, lambda there: {guest: "needsAction", **(there or first)})

    def uninvite(self, target: str, guest: str) -> None:
        self._guests(target, lambda there: {one: answer for one, answer in there.items() if one != guest})

    def answer(self, target: str, guest: str, answer: str) -> None:
        self._guests(target, lambda there: {**there, guest: answer} if guest in there else there)

    def erase(self, event_id: str) -> None:
        del self.events[event_id]

    def seen(self, account: str) -> dict[str, Shown]:
        """All that the owner of this account sees, and what they see no more though somebody else does."""
        return {
            instance_id: _shown(account, event.organizer, now)
            for event in self.events.values()
            for instance_id, now in event.instances()
        }

    def _change(self, target: str, **changes: Any) -> None:
        event, mark = self._event(target), self._mark(target)
        (event.own.setdefault(mark, {}) if mark else event.whole).update(changes)

    def _guests(self, target: str, change: Any) -> None:
        """On a series it reaches the instances that have guests of their own."""
        event = self._event(target)
        if not self._mark(target):
            for own in event.own.values():
                if "guests" in own:
                    own["guests"] = change(own["guests"])
        self._change(target, guests=change(self._now(target)["guests"]))

    def _event(self, target: str) -> Event:
        return self.events[target.partition("_")[0]]

    def _mark(self, target: str) -> str:
        return target.partition("_")[2]

    def _now(self, target: str) -> dict[str, Any]:
        event = self._event(target)
        return dict(event.instances())[target] if self._mark(target) else event.whole


def _shown(account: str, organizer: str, now: dict[str, Any]) -> Shown:
    """The requirements' words: rooms, groups, ourselves, colleagues and whoever declined are no prospects."""
    guests: dict[str, str] = now["guests"]
    outside = {one for one in guests if one in OUTSIDE or one in CROWD}
    prospects = {one for one in outside if guests[one] != "declined"}
    if not prospects and organizer in OUTSIDE and organizer not in guests:
        # Who called the meeting comes, though many calendars do not list them.
        prospects = {organizer}
    gone = now["cancelled"] or account not in {organizer, *guests}
    why = {
        "cancelled": gone,
        "no meeting": now["kind"] in MARKERS,
        "all day": now["all_day"],
        "private": now["private"],
        "you declined": guests.get(account) == "declined",
        "too many guests": now["hidden"] or len(prospects) > MOST,
        "nobody from outside": not prospects or now["hidden"],
    }
    return Shown(
        title=now["title"],
        starts_at=now["start"],
        ends_at=now["start"] + timedelta(minutes=now["minutes"]),
        prospects=frozenset(prospects),
        reasons=frozenset(reason for reason, holds in why.items() if holds),
        gone=gone,
    )
