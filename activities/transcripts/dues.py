"""Until when something was promised: the day that a model makes of what was said, if that can be what was meant."""

import re
from datetime import date, timedelta

from activities.research.figures import Figure, figures

# Nobody promises anything for a later day than this on a call; a weekday is one of the next three weeks.
FARTHEST = timedelta(days=730)
WITHIN_WEEKS = timedelta(days=21)

_RELATIVE = re.compile(
    r"\b(?:today|tonight|tomorrow|days?|weeks?|weekend|fortnight|months?|quarter|years?|christmas|easter"
    r"|heute|morgen|tage?n?|wochen?|wochenende|monate?s?|quartals?|jahre?s?"
    r"|demain|aujourd'hui|jours?|semaines?|mois|trimestre|années?|ans?)\b",
    re.IGNORECASE,
)


def due(said: str | None, quote: str, held_on: date | None) -> date | None:
    """The day, if the quote names it; what is named relatively needs to be known when it was said."""
    try:
        day = date.fromisoformat((said or "").strip())
    except ValueError:
        return None
    if held_on is not None and not held_on <= day <= held_on + FARTHEST:
        return None
    return day if _meant(day, quote, held_on) else None


def _meant(day: date, quote: str, held_on: date | None) -> bool:
    """By its date or its weekday; where neither is said, by how far off it is."""
    said = figures(quote)
    dates, weekdays = ([one for one in said if one.kind == kind] for kind in ("date", "weekday"))
    exact = Figure("date", (day.year, day.month, day.day))
    if any(one.is_in((exact,)) and (held_on or _has_year(one)) for one in dates):
        return True
    if held_on is None:
        return False
    if dates or weekdays:
        near = day - held_on <= WITHIN_WEEKS
        return near and str(day.isoweekday()) in {one.value for one in weekdays}
    return _RELATIVE.search(quote) is not None


def _has_year(date_said: Figure) -> bool:
    return isinstance(date_said.value, tuple) and date_said.value[0] is not None
