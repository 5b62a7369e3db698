"""A recorded call, as the API shows it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from sandbox.calls import CALLS, InventedCall, Sentence, Voice

WORKSPACE = "623457276584334"
# Ids are strings of digits, too long for a number of JSON.
FIRST_SPEAKER, FIRST_USER, FIRST_GENERATED = 6_432_345_678_555_530_000, 234_599_484_848_423, 7_500_000_000_000_000_000
BETWEEN_GENERATED = timedelta(seconds=30)


@dataclass(frozen=True)
class Recording:
    """`ready_at` is when its transcript is there."""

    id: str
    call: InventedCall
    started: datetime
    ready_at: datetime

    def meta_data(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "url": f"https://app.gong.example/call?id={self.id}",
            "title": self.call.title,
            "scheduled": self.started.isoformat(timespec="seconds"),
            "started": self.started.isoformat(timespec="seconds"),
            "duration": self.call.duration_ms // 1000,
            "primaryUserId": self._user(self._own()),
            "direction": "Conference",
            "system": "Sandbox",
            "scope": "External",
            "media": "Video",
            "language": "eng",
            "workspaceId": WORKSPACE,
            "sdrDisposition": None,
            "clientUniqueId": None,
            "customData": None,
            "purpose": None,
            "meetingUrl": None,
            "isPrivate": False,
            "calendarEventId": None,
        }

    def parties(self) -> list[dict[str, Any]]:
        return [self._party(number, voice) for number, voice in enumerate(self.call.speakers)]

    def transcript(self) -> dict[str, Any]:
        """What each says at a stretch, in milliseconds."""
        stretches = groupby(self.call.sentences, key=lambda sentence: sentence.speaker)
        return {"callId": self.id, "transcript": [self._stretch(name, said) for name, said in stretches]}

    def _party(self, number: int, voice: Voice) -> dict[str, Any]:
        return {
            "id": str(FIRST_SPEAKER + 5000 + number),
            "emailAddress": voice.email,
            "name": voice.name,
            "title": None,
            "userId": self._user(number) if voice.ours else None,
            "speakerId": self._speaker(number),
            "context": [],
            "affiliation": "Internal" if voice.ours else "External",
            "phoneNumber": None,
            "methods": ["Invitee", "Attendee"],
        }

    def _stretch(self, name: str, said: Iterable[Sentence]) -> dict[str, Any]:
        number = [voice.name for voice in self.call.speakers].index(name)
        sentences = [{"start": one.start_ms, "end": one.end_ms, "text": one.text} for one in said]
        return {"speakerId": self._speaker(number), "topic": None, "sentences": sentences}

    def _own(self) -> int:
        return next((number for number, voice in enumerate(self.call.speakers) if voice.ours), 0)

    @staticmethod
    def _speaker(number: int) -> str:
        return str(FIRST_SPEAKER + number)

    @staticmethod
    def _user(number: int) -> str:
        return str(FIRST_USER + number)


def chosen(name: str) -> InventedCall | None:
    """The invented call of that id, or with that in its title."""
    found = (call for call in CALLS if call.id == name or name.lower() in call.title.lower())
    return next(found, None)


def generated(count: int, until: datetime) -> Iterator[Recording]:
    """Short calls, one after the other, of which the last has just ended."""
    robin = Voice("Robin Marsh", "robin.marsh@harbour.example", ours=True)
    for number in range(count):
        guest = Voice(f"Guest {number}", f"guest{number}@company{number}.example", ours=False)
        texts = (
            (robin.name, f"Hello, this is call number {number}."),
            (guest.name, f"We lose {number + 2} hours a week on planning by hand."),
            (robin.name, "I will send you the numbers by Friday."),
        )
        said = tuple(Sentence(who, 4000 * n, 4000 * n + 3500, text) for n, (who, text) in enumerate(texts))
        call_id = str(FIRST_GENERATED + number)
        call = InventedCall(call_id, f"Generated call {number}", timedelta(), (robin, guest), said)
        started = until - BETWEEN_GENERATED * (count - number)
        yield Recording(call_id, call, started, started)
