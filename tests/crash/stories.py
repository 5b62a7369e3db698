"""What is interrupted, and what must hold of it afterwards, whatever it was.

prepared, under a living worker ─▶ begun, with nobody there ─▶ the doomed worker ─▶ struck ─▶ its heir ─▶ complaints
"""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from tests.crash.doomed_worker import Point
from tests.crash.lanes import Lane
from tests.diary import Diary
from workflows import ids, policies

# Two clocks of one machine, read a little apart.
SAME_MOMENT_S = 0.002


@dataclass(frozen=True)
class Weather:
    """What it is like while a story is told. That of the first seed is the least."""

    seed: int
    page: int = 2
    google_s: float = 0.0
    stale_token: bool = False
    first_channel: bool = False
    # All meetings are before long, and so each is looked after, which takes most of the time of a story.
    busy: bool = False

    @classmethod
    def of(cls, seed: int) -> "Weather":
        if seed == 1:
            return cls(seed)
        dice = random.Random(f"calendars {seed}")
        return cls(
            seed,
            page=dice.choice((1, 2, 3)),
            google_s=dice.choice((0.0, 0.1, 0.5)),
            stale_token=seed == 2 or dice.random() < 0.3,
            first_channel=seed == 3 or dice.random() < 0.3,
            busy=True,
        )

    def __str__(self) -> str:
        words = [f"pages of {self.page}"] + [f"google {self.google_s:g} s"] * bool(self.google_s)
        words += ["a token to refresh"] * self.stale_token + ["a first channel"] * self.first_channel
        words += ["busy"] * self.busy
        return f"seed {self.seed}: {', '.join(words)}"


@dataclass(frozen=True)
class Meeting:
    """A meeting as it is kept, with what became of it."""

    id: str
    event: str
    title: str
    starts_at: datetime
    prospects: frozenset[str]
    withdrawn: str | None
    status: str
    version: int
    briefs: tuple[str, ...]

    @property
    def looked_after(self) -> bool:
        return self.starts_at <= datetime.now(UTC) + policies.AHEAD


class Story:
    """One tenant and their calendar. A kind of story says what is begun there, and what it must come to."""

    name: ClassVar[str]
    # The points of this story are before and after these; what else goes on meanwhile has stories of its own.
    points: ClassVar[frozenset[str]]
    # Of these, what changes something, each time or the nth: whether a kill comes after one of them or before the next
    # makes no difference.
    effects: ClassVar[frozenset[str]]

    def __init__(self, lane: Lane, weather: Weather) -> None:
        self.lane = lane
        self.weather = weather
        self.stage = lane.stage()
        self.diary: Diary
        self.before: dict[str, Meeting] = {}
        self.bought_before: Counter[str] = Counter()
        self.known_at_death: set[str] = set()
        self.died = datetime.now(UTC)

    # What happens.

    async def prepare(self) -> None:
        """A calendar whose meetings have their briefs."""
        await self.stage.set_up(datetime.now(UTC))
        self.diary = await Diary.connected(self.stage, f"robin-{self.short}@harbour.example")
        await self.sql("UPDATE users SET email = $1", self.diary.calendar.account.email)
        await self.invite()
        await self.diary.read()

    async def invite(self) -> None:
        """What was in the calendar before anything else happened."""
        self.add("Standing", 3, "kim")

    def later(self, days: float) -> float:
        """So many days ahead, or so many beyond what is looked after."""
        return days if self.weather.busy else days + policies.AHEAD.days + 1

    def add(self, title: str, days: float, *guests: str) -> str:
        """A meeting so many days ahead."""
        return self.diary.calendar.add(title, in_days(days), attendees=[self.guest(who) for who in guests])

    async def begin(self) -> None:
        """Nobody works; what is about to be interrupted is ordered."""
        self.before = await self.meetings()
        self.bought_before = Counter(call["about"] for call in self.bought())
        if self.weather.stale_token:
            await self.sql("UPDATE connections SET expires_at = $1", datetime.now(UTC) + timedelta(seconds=30))

    async def struck(self, trail: Sequence[str]) -> None:
        """The worker is dead; the world goes on."""
        self.died = datetime.now(UTC)
        self.known_at_death = await self._known()

    async def afterwards(self) -> None:
        """All is quiet, and the heir is there."""

    async def close(self) -> None:
        await self.lane.clear()
        await self.sql("UPDATE calendars SET watched = false")
        await self.sql("UPDATE subscriptions SET status = 'expired'")

    # What must hold.

    async def complaints(self) -> list[str]:
        meetings = await self.meetings()
        return [
            *self._as_people_made_it(meetings),
            *(complaint for one in meetings.values() for complaint in self._briefed_once(one)),
            *self._bought_once(),
            *[complaint async for complaint in self._begun_once(meetings)],
            *await self._read_to_the_end(),
        ]

    def _as_people_made_it(self, meetings: dict[str, Meeting]) -> Iterator[str]:
        there = {event.id: event for event in self.diary.calendar.events}
        own = self.diary.calendar.account.email
        for event_id, event in there.items():
            made, kept = event.details, meetings.get(event_id)
            guests = frozenset(guest.email for guest in made.guests) - {own}
            if made.status == "cancelled":
                if kept is not None and kept.withdrawn != "cancelled":
                    yield f"{made.title!r} was cancelled, and is {kept}"
            elif kept is None:
                yield f"{made.title!r} is no meeting: its change was lost"
            elif (kept.title, kept.starts_at, kept.prospects, kept.withdrawn) != (
                made.title,
                made.start.moment(),
                guests,
                None,
            ):
                yield f"{made.title!r} at {made.start.moment()} is {kept}: a change was lost"
        for kept in meetings.values():
            if kept.event not in there and kept.withdrawn is None:
                yield f"{kept.title!r} is gone, and still a meeting"

    def _briefed_once(self, meeting: Meeting) -> Iterator[str]:
        if not meeting.looked_after:
            if meeting.briefs:
                yield f"{meeting.title!r} is not soon, and has a brief"
            return
        if meeting.withdrawn is not None and meeting.event not in self.before:
            return
        if (meeting.status, meeting.version, len(meeting.briefs)) != ("ready", 1, 1):
            yield f"{meeting.title!r} has {len(meeting.briefs)} briefs, and is {meeting.status} {meeting.version}"
        before = self.before.get(meeting.event)
        if before is not None and before.briefs != meeting.briefs:
            yield f"{meeting.title!r} had a brief, and got another"

    def _bought_once(self) -> Iterator[str]:
        """A question that was under way when the worker died is asked again, and no other is."""
        died = self.died.timestamp()
        for about, calls in _by_about(self.bought()).items():
            before = self.bought_before[about]
            later = sum(call["started"] > died + SAME_MOMENT_S for call in calls)
            by_the_dead = len(calls) - before - later
            if by_the_dead > (not before) or later > (not before and about not in self.known_at_death):
                yield f"{about} was bought {before} times, then {by_the_dead} times, and {later} times by the heir"

    async def _begun_once(self, meetings: dict[str, Meeting]) -> Any:
        mine = f"WorkflowType = 'Meeting' AND TenantId = '{self.stage.tenant.id}'"
        begun = Counter([one.id async for one in self.lane.client.list_workflows(mine)])
        for meeting in meetings.values():
            times = begun[ids.meeting(self.stage.tenant.id, meeting.id)]
            # Whoever is told twice that its meeting is off has ended by then, and ends again.
            if times != meeting.looked_after and not (times > 1 and meeting.withdrawn is not None):
                yield f"the workflow of {meeting.title!r} was begun {times} times"

    async def _read_to_the_end(self) -> Iterator[str]:
        place = await self.diary.place()
        untold = await self.value(
            """
            SELECT count(*) FROM meetings
            WHERE told < revision AND CASE WHEN withdrawn IS NULL THEN starts_at <= $1 ELSE told <> 0 END
            """,
            datetime.now(UTC) + policies.AHEAD,
        )
        said = [f"it stands at page {place['page_token']}"] * (place["page_token"] is not None)
        said += ["it stands nowhere"] * (place["sync_token"] is None) + [f"it fails: {place['failure']}"] * bool(
            place["failure"]
        )
        return iter(said + [f"{untold} meetings were not told"] * bool(untold))

    # What is there.

    @property
    def short(self) -> str:
        return self.stage.tenant.id[:8]

    def guest(self, who: str) -> str:
        """Everybody is of one company, which nobody else meets."""
        return f"{who}@{self.domain}"

    @property
    def domain(self) -> str:
        return f"c-{self.short}.example"

    def bought(self) -> list[dict[str, Any]]:
        """Look-ups about this story's people and their company."""
        journal = self.lane.sandbox.journal
        calls = [*journal.records(provider="perplexity"), *journal.running("perplexity")]
        return [call for call in calls if self.domain in str(call["about"])]

    async def meetings(self) -> dict[str, Meeting]:
        """By the id of their event."""
        rows = await self.fetch(
            """
            SELECT m.id, m.source_key, m.title, m.starts_at, m.withdrawn, r.status, r.version,
              ARRAY(SELECT email FROM attendees a WHERE a.meeting_id = m.id AND standing = 'prospect') AS prospects,
              ARRAY(SELECT b.id FROM briefs b WHERE b.research_id = r.id ORDER BY b.id) AS briefs
            FROM meetings m JOIN research r ON r.id = m.id
            """
        )
        return {
            event: Meeting(
                row["id"],
                event,
                row["title"],
                row["starts_at"],
                frozenset(row["prospects"]),
                row["withdrawn"],
                row["status"],
                row["version"],
                tuple(row["briefs"]),
            )
            for row in rows
            if (event := row["source_key"].partition("/")[2])
        }

    async def _known(self) -> set[str]:
        """About whom there is an answer, in the words of the journal."""
        rows = await self.fetch(
            """
            SELECT DISTINCT CASE s.kind WHEN 'person' THEN 'person:' || s.email ELSE 'company:' || s.domain END AS about
            FROM answers a JOIN subjects s ON s.id = a.subject_id
            """
        )
        return {row["about"] for row in rows}

    async def fetch(self, query: str, *values: Any) -> list[Any]:
        async with self.lane.database.tenant(self.stage.tenant.id) as connection:
            return list(await connection.fetch(query, *values))

    async def value(self, query: str, *values: Any) -> Any:
        return (await self.fetch(query, *values))[0][0]

    async def sql(self, statement: str, *values: Any) -> None:
        await self.fetch(statement, *values)

    @classmethod
    def mine(cls, point: Point) -> bool:
        return point.name in cls.points

    @classmethod
    def telling(cls, found: Sequence[Point]) -> list[Point]:
        """Before the first of them, and after each that changes something."""
        after = [point for point in found if point.side == "after"]
        return [found[0], *(point for point in after if {point.name, f"{point.name} {point.nth}"} & cls.effects)]


def _by_about(calls: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    return {
        str(about): [call for call in calls if call["about"] == about] for about in {call["about"] for call in calls}
    }


def in_days(days: float) -> datetime:
    return (datetime.now(UTC) + timedelta(days=days)).replace(second=0, microsecond=0)
