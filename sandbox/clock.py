"""The sandbox's own time, so that its news is always recent."""

from datetime import UTC, date, datetime, timedelta


class Clock:
    """Real time until set; from then on it runs from the moment it was given."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def today(self) -> date:
        return self.now().date()

    def set(self, moment: datetime | None) -> None:
        """None returns to real time. A moment without a zone is UTC."""
        if moment is None:
            self._ahead = timedelta()
            return
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        self._ahead = aware - datetime.now(UTC)
