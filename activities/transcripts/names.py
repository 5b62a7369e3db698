"""Whom a name on a call means."""

from collections.abc import Iterable

from activities.plain import clean, fold
from schemas.transcripts import Speaker

LONGEST_NAME = 200


class Names:
    """The speakers of a call by what they may be called: their name, their first name if it is nobody else's, their key."""

    def __init__(self, speakers: Iterable[Speaker]) -> None:
        # Later ones know more: the call's own list of who was there comes after the transcript's.
        self.speakers = {speaker.key: speaker for speaker in speakers}
        self._known: dict[str, set[str]] = {}
        for key in self.speakers:
            for called in (key, self.shown(key), *self.shown(key).split()[:1]):
                self._known.setdefault(fold(called), set()).add(key)

    def shown(self, key: str) -> str:
        """The name of a speaker; a key may be one itself."""
        speaker = self.speakers.get(key)
        return clean((speaker and speaker.name) or key, LONGEST_NAME)

    def key(self, called: str) -> str | None:
        """Of the one speaker who is called so."""
        keys = self._known.get(fold(called), set()) if fold(called) else set()
        return next(iter(keys)) if len(keys) == 1 else None

    def all_shown(self) -> dict[str, str]:
        return {key: self.shown(key) for key in self.speakers}
