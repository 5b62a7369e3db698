"""What reading a calendar needs kept: the place, what was taken, who must hear of it."""

from dataclasses import dataclass

from activities.calendars.rules import Whose
from activities.ports import Place
from schemas.base import RowId
from schemas.meetings import MeetingFacts


@dataclass(frozen=True)
class Placed:
    """Where to read on in which calendar, as whom, and whose meetings these are."""

    connection_id: RowId
    calendar: str
    place: Place
    reading: int
    full: bool
    user_id: RowId
    campaign_id: RowId
    whose: Whose


@dataclass(frozen=True)
class Found:
    """What a page says of one event: the meeting that it is, or why it is none."""

    key: str
    meeting: MeetingFacts | None
    reason: str = ""


@dataclass(frozen=True)
class Taken:
    """What became of a page. `done` when it was the last; neither when it is not `ours`: somebody else has taken it."""

    changed: int
    done: bool
    ours: bool = True
