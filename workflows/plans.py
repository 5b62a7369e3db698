"""What is to be done next for a meeting, and when. Pure: the same situation, doings and time give the same step."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from schemas.meetings import BriefStanding, Situation
from schemas.notices import brief_key, failed_key
from workflows import policies


class Do(Enum):
    """What can be done for a meeting; of several that are due the first here is done first."""

    STOP = "stop the research"
    END = "the meeting is over"
    RESEARCH = "research"
    TELL = "tell that there is no brief"
    DELIVER = "deliver the brief"
    LOOK = "look again"


@dataclass(frozen=True)
class Step:
    """What, and from when on. `latest` asks a research for the news of companies, not for what served yesterday."""

    do: Do
    at: datetime
    latest: bool = False
    why: str = ""


@dataclass(frozen=True)
class Doings:
    """What the rows do not say, or not yet: what the meeting's workflow has begun itself."""

    # Somebody wants a research now.
    asked: bool = False
    # Our research, since when; and whether it was told to stop.
    running_since: datetime | None = None
    stopping: bool = False
    # When we last began one for this revision of the meeting: it may have failed before it could say so.
    tried_at: datetime | None = None
    # Somebody else's was in the way.
    wait_until: datetime | None = None
    # Keys of notices that are on their way.
    sending: frozenset[str] = frozenset()


def next_step(now: datetime, situation: Situation, doings: Doings) -> Step:
    """The step that is due, the most pressing one first, or the next that will be."""
    steps = _ends(now, situation, doings)
    if not situation.idle:
        steps += _researches(now, situation, doings) + _tellings(situation, doings) + _deliveries(situation, doings)
    due = [step for step in steps if step.at <= now]
    if due:
        return min(due, key=lambda step: list(Do).index(step.do))
    return min(steps, key=lambda step: step.at)


def _ends(now: datetime, situation: Situation, doings: Doings) -> list[Step]:
    """A research is stopped first, and its end is waited for."""
    if doings.running_since is not None:
        waits = Step(Do.LOOK, now + policies.LOOK_AGAIN, why="until the research ends")
        return [Step(Do.STOP, now, why=situation.idle), waits] if situation.idle and not doings.stopping else [waits]
    if situation.idle:
        return [Step(Do.END, now, why=situation.idle)]
    return [Step(Do.END, situation.ends_at, why="over")]


def _researches(now: datetime, situation: Situation, doings: Doings) -> list[Step]:
    """A first brief at once, another for newcomers; a failed or thin one again; a stale one before it goes out."""
    starts, refresh = situation.starts_at, _refresh_at(situation)
    if doings.running_since is not None:
        return []
    if doings.asked:
        return [Step(Do.RESEARCH, now, latest=now >= refresh, why="somebody asks")]
    if now >= starts:
        return []
    if situation.busy or (doings.wait_until is not None and now < doings.wait_until):
        return [Step(Do.LOOK, now + policies.LOOK_AGAIN, why="until somebody else's research ends")]
    satisfied = situation.brief is not None and situation.brief.covers
    tried = situation.tried_at or doings.tried_at
    if not satisfied and tried is None:
        return [Step(Do.RESEARCH, max(now, starts - policies.AHEAD), latest=now >= refresh, why="a brief of everybody")]
    steps = []
    if (not satisfied or _thin(situation.brief)) and (again := _next_try(starts, tried or now)):
        steps.append(Step(Do.RESEARCH, again, latest=now >= refresh, why="another try"))
    if satisfied and (tried is None or tried < refresh) and _stale(situation.brief, max(now, refresh)):
        steps.append(Step(Do.RESEARCH, refresh, latest=True, why="refresh"))
    return steps


def _tellings(situation: Situation, doings: Doings) -> list[Step]:
    """That there is no brief is told within a day of the meeting, once, and not while one is tried for."""
    trying = doings.running_since is not None or situation.busy
    if situation.brief is not None or situation.told or not situation.failed or trying:
        return []
    if failed_key(situation.meeting_id, situation.starts_at) in doings.sending:
        return []
    return [Step(Do.TELL, situation.starts_at - policies.TELL_FAILURE, why="failed")]


def _deliveries(situation: Situation, doings: Doings) -> list[Step]:
    """The brief goes out when its reader wants it, and at once when it comes later than that.

    One that is being renewed just then has a little time to be.
    """
    brief, at = situation.brief, situation.deliver_at
    if brief is None or brief.delivered or not situation.by_mail:
        return []
    if brief_key(situation.meeting_id, brief.digest, situation.starts_at) in doings.sending:
        return []
    if doings.running_since is not None:
        at = max(at, doings.running_since + policies.RENEW_BRIEF_BEFORE)
    return [Step(Do.DELIVER, at, why="delivery")]


def _refresh_at(situation: Situation) -> datetime:
    return situation.deliver_at - policies.RENEW_BRIEF_BEFORE


def _next_try(starts: datetime, tried: datetime) -> datetime | None:
    return min((starts - before for before in policies.TRY_AGAIN if starts - before > tried), default=None)


def _thin(brief: BriefStanding | None) -> bool:
    return brief is not None and brief.thin


def _stale(brief: BriefStanding | None, at: datetime) -> bool:
    """What it knows will have aged too much by then. A brief without companies has no news to age."""
    if brief is None:
        return False
    ages = (
        (brief.people_asked_at, policies.ROLE_SERVES),
        (brief.companies_asked_at, policies.NEWS_SERVES),
    )
    return any(asked is not None and asked <= at - serves for asked, serves in ages)
