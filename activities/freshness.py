"""How long what was found serves (N1, N10, S0-2.5), and how long what it says is how things are."""

from datetime import date, timedelta

from schemas.briefs import Topic

# What a person does is good for a week, what a company is for a day.
PERSON = timedelta(days=7)
COMPANY = timedelta(hours=24)
# Nobody found: again tomorrow.
NOBODY = timedelta(hours=24)
# What a company did lately ages faster: before a meeting it is asked again when it is older than this.
NEWS = timedelta(hours=6)

# How old a source may be for what it tells to be shown as how things are; older, it is shown as how they were.
CURRENT: dict[Topic, timedelta | None] = {
    # People change positions every few years; a page of two years ago names their last one about as often as not.
    Topic.ROLE: timedelta(days=548),
    # What was, stays.
    Topic.BACKGROUND: None,
    # A talk or an article is something to open with for a year, which is when the next one is held.
    Topic.ACTIVITY: timedelta(days=365),
    # What a company makes changes with the company.
    Topic.INDUSTRY: None,
    # Both are told once a year, in a report that may be half a year late.
    Topic.SIZE: timedelta(days=548),
    Topic.FUNDING: timedelta(days=548),
    # What the brief promises as news is of the last 90 days.
    Topic.NEWS: timedelta(days=90),
    # Nobody said what it is: as long as the longest of those that age.
    Topic.OTHER: timedelta(days=548),
}

# What is told of these with a date of its own happened then, however new the page is. Of a role the date is its
# beginning, and makes it no older.
DATED = frozenset({Topic.ACTIVITY, Topic.SIZE, Topic.FUNDING, Topic.NEWS})


def current(topic: Topic, published: date | None, own: date | None, today: date) -> bool:
    """Not known to be older than its kind allows. `own` is the last day that the sentence itself speaks of."""
    longest = CURRENT[topic]
    dates = [published, own if topic in DATED else None]
    oldest = min((one for one in dates if one is not None), default=None)
    return longest is None or oldest is None or today - oldest <= longest
