"""Budgets: what calls may cost, and what they did. Money in millionths of a US dollar, which is what a token's price
for a million of them comes to."""

import math
from datetime import date
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from schemas.base import RowId

DOLLAR = 1_000_000


class Bound(StrEnum):
    """What a cap is for, the narrowest first."""

    RUN = "run"
    MEETING = "meeting"
    MONTH = "month"


class Price(BaseModel):
    """US dollars for a million tokens in and out, and for the call itself: the searches that it makes, at most.

    `context_tokens` is what the provider itself may add to what is sent, at most.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    input_usd: float = Field(ge=0, le=10_000, allow_inf_nan=False)
    output_usd: float = Field(ge=0, le=10_000, allow_inf_nan=False)
    call_usd: float = Field(default=0, ge=0, le=100, allow_inf_nan=False)
    context_tokens: int = Field(default=0, ge=0, le=10_000_000)

    def cost(self, input_tokens: int, output_tokens: int) -> int:
        """What a call of these tokens costs, in millionths of a dollar, rounded up."""
        return math.ceil(input_tokens * self.input_usd + output_tokens * self.output_usd + self.call_usd * DOLLAR)

    def most(self, input_tokens: int, output_tokens: int) -> int:
        """... and what it can cost with all that the provider may add."""
        return self.cost(input_tokens + self.context_tokens, output_tokens)


class Caps(BaseModel):
    """What may be spent on one run, on all runs for one meeting, and by a tenant in a month (UTC)."""

    model_config = ConfigDict(frozen=True)

    run_micro_usd: int
    meeting_micro_usd: int
    month_micro_usd: int

    def of(self, bound: Bound) -> int:
        cap: int = getattr(self, f"{bound.value}_micro_usd")
        return cap


class OwnCaps(BaseModel):
    """Of a tenant's own; what is None is the settings'."""

    model_config = ConfigDict(frozen=True)

    run_micro_usd: int | None = None
    meeting_micro_usd: int | None = None
    month_micro_usd: int | None = None

    def over(self, defaults: Caps) -> Caps:
        return Caps(**{**defaults.model_dump(), **self.model_dump(exclude_none=True)})


class Spent(BaseModel):
    """What went to a provider's model: settled is paid, reserved is set aside for calls that are still to be paid.

    Of what is settled, `assumed` is what was taken for the price of calls whose provider told no usage.
    """

    provider: str
    model: str
    calls: int
    settled_micro_usd: int
    reserved_micro_usd: int
    assumed_micro_usd: int


class CostOfMeeting(BaseModel):
    """What a meeting, or an ad hoc request, cost this month."""

    research_id: RowId
    title: str
    micro_usd: int


class Spending(BaseModel):
    """A tenant's month so far."""

    month: date
    micro_usd: int
    providers: tuple[Spent, ...]
    dearest: tuple[CostOfMeeting, ...]
