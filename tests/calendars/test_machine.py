"""People do what they like to their calendars, the provider and the workers fail as they like, and after quiet our rows
are what the people made, no more and no less, and every meeting's workflow knows.

people ─▶ the pretended provider ─▶ notifications, lost, doubled, late, forged ─▶ the door ─▶ readings that die ─▶ rows
  └─────▶ People: what ought to be ──────────────────────── compared ─────────────────────────────────────────────┘

For a long search raise EXAMPLES and STEPS, and run this file alone. A failure prints its steps, and a line that plays
them again.
"""

import asyncio
import sys
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from activities.store.database import Database
from sandbox.google.push import Message
from schemas.calendars import Reason
from tests.calendars.people import (
    ADA,
    BERLIN,
    CAST,
    CROWD,
    KIM,
    KIM_AWAY,
    MARKERS,
    OUTSIDE,
    ROBIN,
    ROBIN_AWAY,
    ROOMS,
    People,
    Shown,
)
from tests.calendars.processes import Ended, Fate
from tests.calendars.scene import AHEAD, FOR_EVER_S, Ground, Row, Scene

EXAMPLES, STEPS = 15, 30

# Hours from now: over, under way, soon, and around the thirty days from which a meeting is looked after.
WHEN = st.sampled_from([-30, -0.25, 1, 5, 26, 5 * 24, 29 * 24, 31 * 24])
PICK = st.integers(0, 99)
WHO = st.sampled_from(CAST)
# Where a reading may end before its time: at what it does for each page, for each meeting that is told, and in between.
STEPS_OF_A_READING = [
    *("take", "take", "events", "meeting", "meeting", "told", "told"),
    *("untold", "place", "lose_place", "refreshed"),
]
FATE = st.builds(
    Fate,
    step=st.sampled_from(STEPS_OF_A_READING),
    nth=st.sampled_from([1, 1, 1, 2, 3]),
    side=st.sampled_from(["before", "inside", "after"]),
    how=st.sampled_from(["killed", "killed", "cancelled"]),
)
# Never inside a transaction: Postgres would wait for it.
FROZEN = st.builds(
    Fate,
    step=st.sampled_from(["events", "events", "events", "place", "take", "untold", "meeting", "told", "refreshed"]),
    nth=st.sampled_from([1, 1, 2]),
    side=st.just("after"),
    how=st.just("frozen"),
)
# What an event is beside its time and guests.
KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "daily": {"every_days": 1, "times": 3},
    "weekly": {"every_days": 7, "times": 4},
    "all day": {"all_day": True},
    "private": {"private": True},
    "marker": {"kind": MARKERS[0]},
}
EDITS: list[dict[str, Any]] = [
    {"title": "Renamed"},
    *({name: flag} for name in ("private", "hidden") for flag in (True, False)),
    *({"kind": kind} for kind in ("default", MARKERS[1])),
]
# What the pretended provider calls them, when it is another word.
WORDS = {"hidden": "guests_hidden", "kind": "event_type"}
ANSWERS = {"decline": "declined", "accept": "accepted"}
ACTS = st.one_of(
    st.tuples(st.just("move"), WHEN),
    st.tuples(st.sampled_from(["cancel", "restore"]), st.none()),
    st.tuples(st.just("invite"), WHO),
    st.tuples(st.sampled_from(["uninvite", "decline", "accept"]), PICK),
    st.tuples(st.just("edit"), st.sampled_from(EDITS)),
)
FORGED = st.sampled_from(["Channel-Token", "Resource-ID", "Channel-ID"])
TROUBLES = st.sampled_from(
    [
        *("sync tokens are over", "gone on page 2", "gone on page 3", "access is over", "no refreshing"),
        *("revoked", "token refused", "403", "429", "503", "garbage", "truncated", "drop", "empty", "wrong_type"),
    ]
)


class Calendars(RuleBasedStateMachine):
    """One or two calendars: Robin's, and perhaps another of Robin's or one of Kim's."""

    ground: ClassVar[Ground]
    # Events that were held against our rows, in all searches.
    compared: ClassVar[int] = 0

    @initialize(
        second=st.sampled_from([None, ROBIN_AWAY, KIM, KIM_AWAY]), summer=st.booleans(), page=st.sampled_from([1, 2])
    )
    def begin(self, second: str | None, summer: bool, page: int) -> None:
        """Today, or some days before the clocks change."""
        self.accounts = [ROBIN] if second is None else [ROBIN, second]
        day = _before_the_clocks_change() if summer else datetime.now(UTC).date() + timedelta(days=1)
        now = datetime.combine(day, time(12), UTC)
        self.scene = self.ground.do(Scene.set_up(self.ground, now, self.accounts))
        self.people = People(self.accounts)
        self.bag: list[Message] = []
        self.closed: set[str] = set()
        self.replaced: dict[str, list[str]] = {account: [] for account in self.accounts}
        self.channel = {account: self._open(account, stop=False) for account in self.accounts}
        # Accounts that the provider was told not to let in.
        self.doubted: set[str] = set()
        self.numbers = 0
        self.scene.google.largest_page = page

    # People.

    @rule(
        home=PICK,
        when=WHEN,
        guests=st.lists(WHO, max_size=3, unique=True),
        kind=st.sampled_from(sorted(KINDS)),
        title=st.sampled_from(["Introduction", "Introduction", "Review"]),
        theirs=st.sampled_from([None, None, None, *sorted(OUTSIDE)]),
        letter=st.sampled_from("abc"),
    )
    def add(
        self, home: int, when: float, guests: list[str], kind: str, title: str, theirs: str | None, letter: str
    ) -> None:
        self._add(self._account(home), when, guests, letter, title=title, theirs=theirs, **KINDS[kind])

    @rule(home=PICK, when=WHEN, crowd=st.sampled_from([False, False, False, True]))
    def add_what_is_a_meeting(self, home: int, when: float, crowd: bool) -> None:
        """With everybody here, or with one guest more than any meeting has."""
        others = [account for account in self.accounts if account != self._account(home)]
        self._add(self._account(home), when, CROWD if crowd else [*others, ADA], "b", title="Introduction", theirs=None)

    @precondition(lambda self: self.people.events)
    @rule(pick=PICK, act=ACTS, amid=st.booleans())
    def change(self, pick: int, act: tuple[str, Any], amid: bool) -> None:
        """What was added, perhaps just after a page was read: the same thing done there, and noted here."""
        if amid:
            self.read_in_haste(pick)
        (name, what), target = act, self._target(pick)
        there, here = self.scene.calendar(self.people.home(target)), self.people
        who = self._guest(target, what) if name in ("uninvite", "decline", "accept") else None
        match name:
            case "move":
                there.move(target, self._start(what))
                here.move(target, self._start(what))
            case "cancel" | "restore":
                getattr(there, name)(target)
                getattr(here, name)(target)
            case "invite":
                there.invite(target, what, resource=what in ROOMS)
                here.invite(target, what)
            case "uninvite" if who:
                there.uninvite(target, who)
                here.uninvite(target, who)
            case "decline" | "accept" if who:
                there.answer(target, who, ANSWERS[name])
                here.answer(target, who, ANSWERS[name])
            case "edit":
                there.edit(target, **{WORDS.get(word, word): value for word, value in what.items()})
                here.edit(target, **what)

    @precondition(lambda self: self.people.events)
    @rule(pick=PICK)
    def erase(self, pick: int) -> None:
        """Gone, and forgotten: the provider itself does not know any more that it was there."""
        event_id = self._target(pick).partition("_")[0]
        erased = self.scene.google.state.events.pop(event_id)
        for account in erased.calendars:
            self.scene.calendar(account).expire_sync_tokens()
        self.people.erase(event_id)

    # Notifications.

    @rule(pick=PICK, fate=st.sampled_from(["delivered", "delivered", "doubled", "forged", "lost"]), forged=FORGED)
    def notify(self, pick: int, fate: str, forged: str) -> None:
        """In any order."""
        self._collect()
        if not self.bag:
            return
        message = self.bag[pick % len(self.bag)]
        if fate in ("delivered", "lost"):
            self.bag.remove(message)
        if fate in ("delivered", "doubled"):
            self._knock(message)
        if fate == "forged":
            word = self.scene.tenant.id if forged == "Channel-ID" else "of somebody's own making"
            self._is_no_work(message, **{forged: word})

    @rule(pick=PICK, what=st.sampled_from(["replaced", "replaced and stopped", "grace is over"]))
    def turn_over_channels(self, pick: int, what: str) -> None:
        account = self._account(pick)
        if what == "grace is over":
            self.ground.do(self.scene.end_grace(account))
            self.closed.update(self.replaced[account])
        elif not self._troubled():
            # An order to open a channel is known by its time.
            self.scene.clock.pass_(timedelta(minutes=1))
            self.replaced[account].append(self.channel[account])
            self.channel[account] = self._open(account, stop=what.endswith("stopped"))

    # Troubles.

    @rule(pick=PICK, what=TROUBLES)
    def trouble(self, pick: int, what: str) -> None:
        account, google, faults = self._account(pick), self.scene.google, self.scene.sandbox.faults
        match what:
            case "sync tokens are over":
                self.scene.calendar(account).expire_sync_tokens()
            case "gone on page 2" | "gone on page 3":
                google.gone_on_page = int(what[-1])
            case "access is over":
                google.expire_access_tokens(account)
            case "revoked":
                google.revoke(account)
                self.doubted.add(account)
            case "token refused":
                faults.put("google", "status", status=401, match="/events")
                self.doubted.update(self.accounts)
            case "no refreshing":
                google.expire_access_tokens(account)
                faults.put("google", "status", status=503, match="/token")
            case status if status.isdigit():
                faults.put("google", "status", status=int(status), match="/events")
            case _:
                faults.put("google", what, match="/events")

    @rule(how=st.lists(st.sampled_from(["", "away", "answer lost"]), min_size=1, max_size=3))
    def lose_temporal(self, how: list[str]) -> None:
        self.scene.bell.fails.extend(how)

    @rule(page=st.sampled_from([1, 2, 2500]), hours=st.sampled_from([0, 0, 1, 26, 8 * 24]))
    def pass_time(self, page: int, hours: int) -> None:
        """Pages have another length then."""
        self.scene.google.largest_page = page
        self.scene.clock.pass_(timedelta(hours=hours))

    # Readings.

    @rule(pick=PICK)
    def read(self, pick: int) -> None:
        """Whoever has lost their calendar has connected it again."""
        self._connect_again(self._account(pick))
        self._read(self._account(pick), Reason.POLL, FOR_EVER_S, None)

    @rule(pick=PICK, fate=FATE)
    def read_and_die(self, pick: int, fate: Fate) -> None:
        self._read(self._account(pick), Reason.POLL, FOR_EVER_S, fate)

    @rule(pick=PICK)
    def read_in_haste(self, pick: int) -> None:
        """There is time for one page."""
        self._read(self._account(pick), Reason.POLL, 0.0, None)

    @rule(pick=PICK, fate=FROZEN)
    def freeze(self, pick: int, fate: Fate) -> None:
        self.ground.do(self.scene.freeze(self._account(pick), fate))

    @precondition(lambda self: self.scene.bell.calendars)
    @rule(fate=st.none() | FATE)
    def read_what_was_rung(self, fate: Fate | None) -> None:
        for account, watched in self.scene.watched.items():
            if self.scene.bell.calendars.pop(watched.calendar_id, None):
                self._read(account, Reason.PUSH, FOR_EVER_S, fate)

    @rule(
        pick=PICK, fates=st.tuples(st.none() | FATE, st.none() | FATE), order=st.lists(st.integers(0, 1), max_size=24)
    )
    def read_twice_at_once(self, pick: int, fates: tuple[Fate | None, Fate | None], order: list[int]) -> None:
        account, troubled = self._account(pick), self._troubled()
        both = self.ground.do(self.scene.read_together(account, fates, order))
        for fate, ended in zip(fates, both, strict=True):
            self._ended_as_it_may(ended, troubled=troubled, doomed=fate is not None)
        if any(ended.well for ended in both):
            self._is_as_people_made_it(account)

    @rule()
    def quiet(self) -> None:
        """Nothing fails any more, every notification is lost, and each calendar is polled once."""
        scene = self.scene
        self._collect()
        self.bag.clear()
        scene.calm_down()
        scene.clock.pass_(timedelta(minutes=1))
        for account in self.accounts:
            self._connect_again(account)
        assert self.ground.do(scene.poll()) == set(self.accounts)
        for account in self.accounts:
            self._read(account, Reason.POLL, FOR_EVER_S, None)
            self._stays_as_it_is(account)

    @precondition(lambda self: self.scene.sleeping)
    @rule()
    def wake_in_quiet(self) -> None:
        """Who was taken for dead goes on after others have read everything, and undoes nothing."""
        self.quiet()
        self.ground.do(self.scene.thaw())
        for account in self.accounts:
            self._is_as_people_made_it(account)
        self.quiet()

    def teardown(self) -> None:
        """Whatever happened, it ends in quiet; what has failed already is not looked at again."""
        if sys.exc_info()[0] is None:
            self.quiet()
            if self.scene.sleeping:
                self.wake_in_quiet()
        self.ground.do(self.scene.close())

    # What must hold.

    def _read(self, account: str, reason: Reason, budget_s: float, fate: Fate | None) -> None:
        troubled = self._troubled()
        ended = self.ground.do(self.scene.read(account, reason, budget_s, fate))
        self._ended_as_it_may(ended, troubled=troubled, doomed=fate is not None)
        if ended.error is not None:
            self.ground.do(self.scene.say_that_it_failed(account, "it failed"))
        if ended.well:
            self._is_as_people_made_it(account)
            assert self.ground.do(self.scene.health(account)) == (None, None)

    def _ended_as_it_may(self, ended: Ended, *, troubled: bool, doomed: bool) -> None:
        if ended.error is not None:
            assert troubled, f"it failed for no reason: {ended.error}"
        elif ended.read is None:
            assert doomed, "it died of nothing"

    def _is_as_people_made_it(self, account: str) -> None:
        """A reading that ended well has found everything, and whoever must hear of it has."""
        rows, seen = self.ground.do(self.scene.rows(account)), self.people.seen(account)
        wrong = [
            *(f"{event}: {why}" for event, shown in seen.items() if (why := self._wrong(shown, rows.get(event)))),
            *(f"{row.event}: {why}" for row in rows.values() if (why := self._left(row, seen.get(row.event)))),
        ]
        assert not wrong, f"{account} at {self._now}:\n" + "\n".join(wrong)
        Calendars.compared += len(seen)

    def _wrong(self, shown: Shown, row: Row | None) -> str:
        """Of what is to come: what is wrong with its row."""
        if shown.ends_at <= self._now:
            return ""
        if shown.reasons:
            told = row is None or row.withdrawn in shown.reasons or (row.withdrawn is not None and shown.gone)
            return "" if told else f"{row} ought to be withdrawn: {set(shown.reasons)}"
        if row is None or not _same(row, shown):
            return f"{row} ought to be {shown}"
        heard = self.scene.bell.heard.get(row.id)
        looked_after = shown.starts_at <= self._now + AHEAD
        if looked_after and (heard is None or not _same(heard, shown)):
            return f"its workflow was last told of {heard}, not of {shown}"
        return ""

    def _left(self, row: Row, shown: Shown | None) -> str:
        """Of what is kept and to come: why it ought not to be."""
        if row.ends_at <= self._now:
            return ""
        if row.withdrawn is None:
            return "" if shown is not None and shown.ends_at > self._now else f"{row} is nobody's any more"
        heard = self.scene.bell.heard.get(row.id)
        return f"{row}, and its workflow was not told" if heard is not None and heard.withdrawn is None else ""

    def _stays_as_it_is(self, account: str) -> None:
        """What has not changed is left alone, and nobody is told: read from where we were, and read in full."""
        rows, rings = self.ground.do(self.scene.rows(account)), self.scene.bell.rings
        for full in (False, True):
            if full:
                self.scene.calendar(account).expire_sync_tokens()
            ended = self.ground.do(self.scene.read(account, Reason.POLL, FOR_EVER_S))
            assert ended.read is not None
            assert (ended.read.full, ended.read.changed, ended.read.told) == (full, 0, 0)
        assert self.ground.do(self.scene.rows(account)) == rows
        assert self.scene.bell.rings == rings

    def _knock(self, message: Message) -> None:
        """200 means that the calendar's workflow knows; without that it is sent again."""
        channel, bell = message.channel, self.scene.bell
        if channel.id in self.closed or message.state == "sync":
            self._is_no_work(message)
            return
        calendar_id = self.scene.watched[channel.email].calendar_id
        bell.calendars.pop(calendar_id, None)
        fails = bool(bell.fails and bell.fails[0])
        status = self.ground.do(self.scene.knock(message))
        assert status == (503 if fails else 200)
        assert fails or calendar_id in bell.calendars
        if fails and message not in self.bag:
            self.bag.append(message)

    def _is_no_work(self, message: Message, **forged: str) -> None:
        rings, calls = self.scene.bell.rings, self.scene.sandbox.journal._number
        assert self.ground.do(self.scene.knock(message, **forged)) == 200
        assert (self.scene.bell.rings, self.scene.sandbox.journal._number) == (rings, calls)

    # By the way.

    @property
    def _now(self) -> datetime:
        return self.scene.clock.now()

    def _add(self, home: str, when: float, guests: list[str], letter: str, **more: Any) -> None:
        """Ids in no order, and the same ones whenever this is played again."""
        self.numbers += 1
        event_id, start, theirs = f"{letter}{self.numbers:02}", self._start(when), more.pop("theirs")
        series = {1: "RRULE:FREQ=DAILY;COUNT=3", 7: "RRULE:FREQ=WEEKLY;COUNT=4"}.get(more.get("every_days", 0))
        made = self.scene.calendar(home).add(
            more["title"],
            start,
            attendees=[{"email": who, "resource": who in ROOMS} for who in guests],
            all_day=more.get("all_day", False),
            private=more.get("private", False),
            event_type=more.get("kind", "default"),
            recurrence=series,
            organizer=theirs,
        )
        events = self.scene.google.state.events
        events[event_id] = events.pop(made)
        events[event_id].id = event_id
        self.people.add(event_id, home, start, 30, guests, organizer=theirs, **more)

    def _connect_again(self, account: str) -> None:
        if account in self.doubted:
            self.ground.do(self.scene.connect(account))
            if all(fault.status != 401 for fault in self.scene.sandbox.faults.waiting()):
                self.doubted.remove(account)
        assert not self.ground.do(self.scene.lost(account)), f"{account} was given up for no reason"

    def _open(self, account: str, *, stop: bool) -> str:
        return self.ground.do(self.scene.open_channel(account, stop_others=stop))

    def _collect(self) -> None:
        """What the provider has to tell."""
        messages = self.scene.sandbox.push.messages
        self.bag.extend(messages)
        messages.clear()

    def _troubled(self) -> bool:
        """Something is about to fail."""
        lost = any(self.ground.do(self.scene.lost(account)) for account in self.accounts)
        return bool(lost or self.doubted or self.scene.sandbox.faults.waiting() or any(self.scene.bell.fails))

    def _account(self, pick: int) -> str:
        return self.accounts[pick % len(self.accounts)]

    def _target(self, pick: int) -> str:
        targets = self.people.targets()
        return targets[pick % len(targets)]

    def _guest(self, target: str, pick: int) -> str | None:
        guests = sorted(self.people.guests(target))
        return guests[pick % len(guests)] if guests else None

    def _start(self, hours: float) -> datetime:
        return self._now.replace(second=0, microsecond=0) + timedelta(hours=hours)


def _same(row: Row, shown: Shown) -> bool:
    there = (row.title, row.starts_at, row.ends_at, row.prospects, row.withdrawn)
    return there == (shown.title, shown.starts_at, shown.ends_at, shown.prospects, None)


def _before_the_clocks_change() -> date:
    """Ten days before the next Sunday that has not 24 hours."""
    day = datetime.now(UTC).date() + timedelta(days=11)
    while datetime.combine(day, time(), BERLIN).utcoffset() == datetime.combine(day, time(12), BERLIN).utcoffset():
        day += timedelta(days=1)
    return day - timedelta(days=10)


# A failure is first made small, which takes its time.
@pytest.mark.timeout(900)
async def test_after_quiet_our_rows_are_what_the_people_made(database: Database) -> None:
    async with Ground.opened(database) as ground:
        Calendars.ground, Calendars.compared = ground, 0
        effort = settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            print_blob=True,
            # A step is a transaction or a call of a real server: slow by Hypothesis's measure, on a busy machine more so.
            suppress_health_check=[HealthCheck.too_slow],
        )
        await asyncio.to_thread(run_state_machine_as_test, Calendars, settings=effort)
    assert Calendars.compared > EXAMPLES, "what was compared is more than empty calendars"
