"""What is to be done next for a meeting, and when. Pure: the same situation and time give the same step."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from schemas.meetings import BriefStanding, Situation
from workflows import policies


class Do(Enum):
    """What can be done for a meeting; of several that are due the first here is done first."""

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


def next_step(now: datetime, situation: Situation, *, asked: bool = False) -> Step:
    """The step that is due, the most pressing one first, or the next that will be."""
    steps = [*_ends(now, situation)]
    if not situation.idle:
        steps += _researches(now, situation, asked=asked) + _tellings(situation) + _deliveries(situation)
    due = [step for step in steps if step.at <= now]
    if due:
        return min(due, key=lambda step: list(Do).index(step.do))
    return min(steps, key=lambda step: step.at)


def _ends(now: datetime, situation: Situation) -> list[Step]:
    if situation.idle:
        return [Step(Do.END, now, why=situation.idle)]
    return [Step(Do.END, situation.ends_at, why="over")]


def _researches(now: datetime, situation: Situation, *, asked: bool) -> list[Step]:
    """A first brief at once, another for newcomers; a failed or thin one again; a stale one before it goes out."""
    starts, refresh = situation.starts_at, _refresh_at(situation)
    latest = now >= refresh
    if asked:
        return [Step(Do.RESEARCH, now, latest=latest, why="somebody asks")]
    if now >= starts:
        return []
    if situation.busy:
        return [Step(Do.LOOK, now + policies.LOOK_AGAIN, why="until the research ends")]
    satisfied = situation.brief is not None and situation.brief.covers
    if not satisfied and situation.tried_at is None:
        return [Step(Do.RESEARCH, max(now, starts - policies.AHEAD), latest=latest, why="a brief of everybody")]
    tried = situation.tried_at or now
    again = _next_try(starts, tried) if not satisfied or _thin(situation.brief) else None
    steps = [] if again is None else [Step(Do.RESEARCH, again, latest=latest, why="another try")]
    if satisfied and tried < refresh and _stale(situation.brief, max(now, refresh)):
        steps.append(Step(Do.RESEARCH, refresh, latest=True, why="refresh"))
    return steps


def _tellings(situation: Situation) -> list[Step]:
    """That there is no brief is told within a day of the meeting, once."""
    if situation.brief is not None or situation.told or not situation.failed or situation.tried_at is None:
        return []
    return [Step(Do.TELL, situation.starts_at - policies.TELL_FAILURE, why="failed")]


def _deliveries(situation: Situation) -> list[Step]:
    """The brief goes out when its reader wants it, and at once when it comes later than that."""
    if situation.brief is None or situation.brief.delivered or not situation.by_mail:
        return []
    return [Step(Do.DELIVER, situation.deliver_at, why="delivery")]


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
