"""greenroom prep: a brief for the next meeting in a calendar file.

file ─▶ instances ─▶ who of each is a prospect ─▶ the next with any ─▶ a meeting's research
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Annotated, BinaryIO
from zoneinfo import ZoneInfo

import typer

from activities.attendance import MOST_PROSPECTS, attendees, unplussed
from activities.domains import company_domain
from activities.plain import clean
from schemas.meetings import MeetingFacts
from schemas.tenants import CampaignRow, User
from starter import ics, intake
from starter.cli import do
from starter.cli.options import Json, Tenant, Wait, Watch, cell, console, progress, put_json, put_table, table
from starter.cli.research import Result, begin, put_result, result
from starter.cli.waiting import Handle
from starter.desk import Desk, desk
from starter.ics import Instance
from starter.words import NotFoundError, UsageError

AHEAD = timedelta(days=30)
# Far enough from the ends of the calendar that a zone and a month can be added.
YEARS = range(1971, 9000)


def prep(
    file: Annotated[typer.FileBinaryRead, typer.Argument(metavar="FILE.ics", help="An exported calendar; - is stdin.")],
    me: Annotated[
        str | None,
        typer.Option(
            "--me", help="Your address there; by default a user of the tenant who is invited, or the organizer."
        ),
    ] = None,
    after: Annotated[
        str | None,
        typer.Option("--after", metavar="TIME", help="The next meeting after this, such as 2027-03-01T09:00."),
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the coming meetings, and research none.")] = False,
    campaign: Annotated[
        str | None, typer.Option("--campaign", help="What you will sell them; by default the oldest active campaign.")
    ] = None,
    watch: Watch = False,
    wait: Wait = True,
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Research the next meeting of a calendar file that has anybody from outside in it, within 30 days.

    All-day events, cancelled ones and those that you declined are no meetings. For example: greenroom prep work.ics --list
    """
    mine = intake.email(me) if me else None
    begins = _moment(after)
    instances = ics.read(_contents(file), _aware(begins, UTC), _aware(begins, UTC) + AHEAD)

    async def work() -> Result | Listed:
        async with desk(tenant) as at:
            chosen = await at.campaign(campaign)
            users = await at.tenants.users(at.tenant.id)
            user = next(one for one in users if one.id == chosen.user_id)
            reader = Reader(user, frozenset(one.email for one in users), frozenset(at.tenant.domains), mine)
            meetings = reader.meetings(instances, begins)
            if list_:
                return Listed(meetings, user.time_zone)
            meeting = _next(meetings, reader.local(begins))
            _tell(meeting, reader)
            return await result(at, await _begin(at, chosen, meeting), wait=wait, watch=watch)

    done = do(work())
    if isinstance(done, Listed):
        _put_list(done, as_json=json)
    else:
        put_result(done, as_json=json)


@dataclass(frozen=True)
class Listed:
    """Coming meetings, and the zone in which their reader lives."""

    meetings: list[MeetingFacts]
    time_zone: str


@dataclass(frozen=True)
class Reader:
    """Whose calendar it is: the user of the campaign, in their time zone, among their colleagues."""

    user: User
    users: frozenset[str]
    domains: frozenset[str]
    # Who of the file they are, where they have said so.
    me: str | None

    def local(self, moment: datetime) -> datetime:
        zone = ZoneInfo(self.user.time_zone)
        return _aware(moment, zone).astimezone(zone)

    def meetings(self, instances: list[Instance], begins: datetime) -> list[MeetingFacts]:
        """The coming meetings with prospects, soonest first; an audience is no meeting, nor is what we declined."""
        start = self.local(begins)
        coming = ics.between(instances, start, start + AHEAD, ZoneInfo(self.user.time_zone))
        facts = (self._facts(one) for one in coming if not self._declined(one))
        return [one for one in facts if 0 < len(one.prospects) <= MOST_PROSPECTS]

    def _facts(self, instance: Instance) -> MeetingFacts:
        ours = self._ours(instance)
        domains = self.domains | {domain for address in ours if (domain := company_domain(address))}
        return MeetingFacts(
            source="ics",
            source_key=instance.key,
            title=instance.title,
            starts_at=instance.starts_at,
            ends_at=instance.ends_at,
            attendees=attendees(instance.invited, frozenset(map(unplussed, ours)), frozenset(domains)),
        )

    def _ours(self, instance: Instance) -> frozenset[str]:
        """Our addresses. The organizer's is one of them only when nobody else who is invited is one of us."""
        if self.me is not None:
            return self.users | {self.me}
        if instance.organizer is None or any(self._of_us(one.email) for one in instance.invited):
            return self.users
        return self.users | {instance.organizer}

    def _of_us(self, address: str) -> bool:
        return unplussed(address) in self.users or company_domain(address) in self.domains

    def _declined(self, instance: Instance) -> bool:
        mine = self.me or self.user.email
        return any(one.declined and unplussed(one.email) == unplussed(mine) for one in instance.invited)


def _moment(text: str | None) -> datetime:
    """A time of ISO 8601, perhaps without a zone; now, when none is given."""
    if text is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f'"{clean(text, 60)}" is no time; write one such as 2027-03-01T09:00') from None
    if moment.year not in YEARS:
        raise UsageError(f"--after must be between {YEARS[0]} and {YEARS[-1]}, such as 2027-03-01T09:00")
    return moment


def _aware(moment: datetime, zone: tzinfo) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _contents(file: BinaryIO) -> bytes:
    """The file, and no more of it than may be read."""
    try:
        return file.read(ics.LARGEST + 1)
    except OSError as error:
        raise UsageError(f"The file cannot be read ({error.strerror})", ics.EXPORT) from None


def _next(meetings: list[MeetingFacts], begins: datetime) -> MeetingFacts:
    if not meetings:
        raise NotFoundError(
            f"There is no meeting with anybody from outside in the {AHEAD.days} days after {begins:%d %B %Y, %H:%M}",
            "choose another time with --after, or say who you are with --me",
        )
    return meetings[0]


async def _begin(at: Desk, campaign: CampaignRow, meeting: MeetingFacts) -> Handle:
    """The meeting, written down once Temporal is there to research it."""
    client = await at.temporal()
    entry = intake.Intake(at.meetings, at.settings)
    return await begin(at, client, await entry.meeting(at.tenant.id, campaign, meeting, datetime.now(UTC)))


def _tell(meeting: MeetingFacts, reader: Reader) -> None:
    people = ", ".join(one.email for one in meeting.prospects)
    when = f"{reader.local(meeting.starts_at):%A %d %B %Y, %H:%M} ({reader.user.time_zone})"
    progress.print(f"{meeting.title}, {when}, with {people}", markup=False, soft_wrap=True)


def _put_list(listed: Listed, *, as_json: bool) -> None:
    if as_json:
        put_json(listed.meetings)
        return
    if not listed.meetings:
        console.print(f"There is no meeting with anybody from outside in these {AHEAD.days} days.")
        return
    rows = table(f"begins ({listed.time_zone})", "what", "prospects", "not researched")
    for one in listed.meetings:
        begins = one.starts_at.astimezone(ZoneInfo(listed.time_zone))
        others = [f"{other.email} ({other.standing.value})" for other in one.attendees if other not in one.prospects]
        prospects = ", ".join(person.email for person in one.prospects)
        rows.add_row(cell(f"{begins:%a %Y-%m-%d %H:%M}"), cell(one.title), cell(prospects), cell(", ".join(others)))
    put_table(rows)
