"""How the brief of a meeting stands, in the words of a person."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.agenda import MeetingLine

# By the colour that says it, never by colour alone.
READY, WORKING, FAILED, WAITING, OFF = "ready", "working", "failed", "waiting", "off"

GENERATING, LAST_FAILED = "generating", "failed"


@dataclass(frozen=True)
class Standing:
    """`said` in two or three words, `why` in a sentence when there is more to say."""

    kind: str
    said: str
    why: str = ""


def standing(line: MeetingLine, now: datetime, ahead: timedelta) -> Standing:
    """The first of these that holds. A meeting is looked after from `ahead` before it begins."""
    if line.withdrawn:
        return Standing(OFF, line.withdrawn.capitalize(), "Nothing is researched for it.")
    if line.status == GENERATING:
        return Standing(WORKING, "Being researched", "The last brief stays until the new one is there." * _has(line))
    if line.brief_id:
        failed = f"The newest run failed: {line.failure_reason}" if line.status == LAST_FAILED else ""
        return Standing(READY, f"Ready, {(line.confidence or '').lower()} confidence", failed)
    if line.status == LAST_FAILED:
        return Standing(FAILED, "Research failed", line.failure_reason or "")
    return _unbegun(line, now, ahead)


def _unbegun(line: MeetingLine, now: datetime, ahead: timedelta) -> Standing:
    """Why nothing has been tried yet."""
    if (line.ends_at or line.starts_at) <= now:
        return Standing(OFF, "Not researched", "It was over before anything could be found out.")
    if not line.guests:
        return Standing(OFF, "Not researched", "Nobody from outside is invited.")
    if not line.campaign_active:
        return Standing(OFF, "Not researched", f"The campaign {line.campaign} is switched off.")
    if line.starts_at - now > ahead:
        return Standing(WAITING, "Later", f"Research begins {ahead.days} days before it starts.")
    return Standing(WAITING, "Waiting for its turn")


def _has(line: MeetingLine) -> bool:
    return line.brief_id is not None
