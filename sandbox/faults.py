"""What shall go wrong, and how often."""

import threading
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, StringConstraints, model_validator

# Which settings each kind may carry. The wire kinds fit every brand that speaks HTTP.
WIRE: dict[str, frozenset[str]] = {
    "status": frozenset({"status", "retry_after"}),
    "slow": frozenset({"seconds"}),
    "huge": frozenset({"bytes"}),
    **dict.fromkeys(
        ("dribble", "hang", "drop", "truncated", "garbage", "wrong_type", "empty", "nan", "deep"), frozenset[str]()
    ),
}
# Brands whose refusals have a reason beside the status.
REASONED = WIRE | {"status": WIRE["status"] | {"reason"}}
MAIL: dict[str, frozenset[str]] = {
    "status": frozenset({"status", "at"}),
    "slow": frozenset({"seconds", "at"}),
    "drop": frozenset({"at"}),
    "lost_reply": frozenset(),
}
ALWAYS = {"provider", "kind", "times", "match"}

# One header line: what a server could really send, so no control characters.
HeaderText = Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]*$", max_length=200)]


class Fault(BaseModel):
    """One order to misbehave. `times` None is for ever."""

    model_config = ConfigDict(extra="forbid", strict=True)

    provider: str
    kind: str
    times: int | None = Field(1, ge=1)
    match: str | None = None
    status: int | None = Field(None, ge=300, le=599)
    retry_after: HeaderText | None = None
    reason: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")] | None = None
    seconds: FiniteFloat = Field(5.0, ge=0, le=3600)
    bytes: int = Field(64 * 1024 * 1024, ge=16, le=16 * 1024**3)
    at: Literal["rcpt", "data"] = "data"

    @model_validator(mode="after")
    def _status_is_said(self) -> Self:
        if self.kind == "status" and self.status is None:
            raise ValueError("a fault of kind `status` needs a `status`, for example 429")
        return self


class Faults:
    """Waiting faults, first in first out for each provider. Safe across threads: mail arrives on another one."""

    def __init__(self, allowed: Mapping[str, Mapping[str, frozenset[str]]]) -> None:
        self._allowed = allowed
        self._waiting: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Raises ValueError with one sentence when nobody could ever play this fault."""
        kinds = self._allowed.get(fault.provider)
        if kinds is None:
            raise ValueError(f"provider must be one of {', '.join(sorted(self._allowed))}, not {fault.provider!r}.")
        if fault.kind not in kinds:
            raise ValueError(
                f"kind for {fault.provider} must be one of {', '.join(sorted(kinds))}, not {fault.kind!r}."
            )
        strange = fault.model_fields_set - ALWAYS - kinds[fault.kind]
        if strange:
            raise ValueError(f"a fault of kind {fault.kind} for {fault.provider} takes no `{min(strange)}`.")
        with self._lock:
            self._waiting.append(fault.model_copy())

    def put(self, provider: str, kind: str, **settings: object) -> None:
        """Add one from Python, with the same checks."""
        self.add(Fault.model_validate({"provider": provider, "kind": kind, **settings}))

    def take(self, provider: str, text: str, at: str = "data") -> Fault | None:
        """The first waiting fault that fits, counted down."""
        with self._lock:
            for fault in self._waiting:
                if fault.provider == provider and fault.at == at and (fault.match or "") in text:
                    return self._counted(fault)
        return None

    def _counted(self, fault: Fault) -> Fault:
        if fault.times is not None:
            fault.times -= 1
            if not fault.times:
                self._waiting.remove(fault)
        return fault.model_copy()

    def waiting(self) -> list[Fault]:
        with self._lock:
            return [fault.model_copy() for fault in self._waiting]

    def clear(self) -> int:
        """How many were forgotten."""
        with self._lock:
            count = len(self._waiting)
            self._waiting.clear()
        return count
