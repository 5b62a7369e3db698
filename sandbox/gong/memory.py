"""What has been recorded, and the rule that tells of it."""

from datetime import timedelta
from typing import Any

from sandbox.calls import CALLS, InventedCall
from sandbox.clock import Clock
from sandbox.gong.recording import Recording, chosen, generated
from sandbox.gong.rule import Rule

ACCESS_KEY, ACCESS_SECRET = "sandbox-access-key", "sandbox-access-secret"


class UnknownCallError(Exception):
    """Nobody invented such a call."""


class Memory:
    """Also the knobs of the pretended Gong: `sandbox.gong.page_size = 10`."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.rule = Rule()
        self.recordings: dict[str, Recording] = {}
        self.page_size = 100

    def record(self, name: str | None = None, not_ready_for: float = 0.0) -> Recording:
        """A call has just ended, and is there; without a name, the next that was not. Nobody is told."""
        call, now = self._call(name), self.clock.now()
        recording = Recording(
            self._id(call), call, now - timedelta(milliseconds=call.duration_ms), now + timedelta(seconds=not_ready_for)
        )
        self.recordings[recording.id] = recording
        return recording

    def flood(self, count: int) -> None:
        """So many short calls have been recorded, and nobody was told of any."""
        self.recordings |= {one.id: one for one in generated(count, self.clock.now())}

    async def happen(
        self, name: str | None = None, not_ready_for: float = 0.0, *, test: bool = False
    ) -> tuple[Recording, int | None]:
        """A call has just ended, and the rule tells of it. With what that was answered."""
        recording = self.record(name, not_ready_for)
        return recording, await self.tell(recording.id, test=test)

    async def tell(self, call_id: str, *, test: bool = False) -> int | None:
        """The rule tells of a call, perhaps once more."""
        return await self.rule.tell(told(self.recordings[call_id]), self.clock.now(), test=test)

    def _call(self, name: str | None) -> InventedCall:
        if name is None:
            return next((call for call in CALLS if call.id not in self.recordings), CALLS[0])
        call = chosen(name)
        if call is None:
            known = ", ".join(f"{one.id} ({one.title})" for one in CALLS)
            raise UnknownCallError(f"There is no call {name!r:.80}; there are {known}.")
        return call

    def _id(self, call: InventedCall) -> str:
        """Its own, and another one each time that it happens again."""
        before = sum(one.call.id == call.id for one in self.recordings.values())
        return f"{call.id}{before:03d}" if before else call.id


def told(recording: Recording) -> dict[str, Any]:
    """A call as the rule tells of it: the elements of the API, and more than anybody needs."""
    return {
        "metaData": recording.meta_data(),
        "context": [],
        "parties": recording.parties(),
        "content": {"trackers": [], "topics": [{"name": "Small Talk", "duration": 10}]},
        "interaction": {"speakers": [], "interactionStats": []},
        "collaboration": {"publicComments": []},
        "media": {},
    }
