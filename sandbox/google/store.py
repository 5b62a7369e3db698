"""The state, in memory or in a file as well. The file is whole at any moment."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from sandbox.clock import Clock
from sandbox.google.state import Account, Channel, Event, State

EVERYBODY = (Account(email="robin.marsh@harbour.example", name="Robin Marsh", time_zone="Europe/Berlin"),)


class UnreadableStateError(OSError):
    """The state file holds something else."""


class Store:
    """Knows the state and the time. Whoever changes something says so with `changed`, and saves before answering."""

    def __init__(self, clock: Clock, path: Path | None = None) -> None:
        self._clock = clock
        self._path = path
        self._written = b""
        self._held = False
        self.state = self._read()

    def now(self) -> datetime:
        return self._clock.now()

    def changed(self) -> int:
        """A new version, for what has just changed."""
        self.state.version += 1
        return self.state.version

    def events_on(self, email: str) -> list[Event]:
        return [event for event in list(self.state.events.values()) if email in event.calendars]

    def live_channels(self, email: str | None = None) -> list[Channel]:
        channels = list(self.state.channels.values())
        return [channel for channel in channels if self.live(channel) and email in {None, channel.email}]

    def live(self, channel: Channel) -> bool:
        return not channel.stopped and channel.expires > self.now()

    @contextmanager
    def together(self) -> Iterator[None]:
        """Many changes, and one file for all of them at the end."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
            self.save()

    def save(self) -> None:
        """Write the file if there is one and something has changed."""
        if self._path is None or self._held:
            return
        self._forget_what_is_over()
        document = self.state.model_dump_json().encode()
        if document == self._written:
            return
        beside = self._path.with_name(f"{self._path.name}.new")
        beside.write_bytes(document)
        beside.replace(self._path)
        self._written = document

    def _read(self) -> State:
        if self._path is None or not self._path.exists():
            return State(accounts={account.email: account.model_copy() for account in EVERYBODY})
        try:
            return State.model_validate_json(self._path.read_bytes())
        except ValidationError:
            raise UnreadableStateError(f"{self._path} is no state of a sandbox; remove it, or name another") from None

    def _forget_what_is_over(self) -> None:
        now, state = self.now(), self.state
        state.access = {token: access for token, access in state.access.items() if access.expires > now}
        state.codes = {code: kept for code, kept in state.codes.items() if kept.expires > now}
