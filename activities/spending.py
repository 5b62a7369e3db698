"""What calls cost, and who may make them: nothing is bought whose price is unknown, and nothing before its money is
set aside.

offers ─▶ reserve: the first that the caps allow ─▶ one call ─▶ settled by whoever keeps the answer, or free again
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from temporalio.exceptions import ApplicationError

from activities import errors
from activities.liveness import surely
from activities.ports import Seller, Size
from schemas.base import RowId, TenantId
from schemas.budgets import DOLLAR, Bound, Caps, Price


@dataclass(frozen=True)
class Offer:
    """A call that can be bought, and the most that it can cost."""

    provider: str
    model: str
    most_micro_usd: int


@dataclass(frozen=True)
class Purse:
    """What is left under the cap that leaves least, which one that is, and which share of the month is used."""

    left_micro_usd: int
    bound: Bound
    cap_micro_usd: int
    month_share: float

    @classmethod
    def of(cls, caps: Caps, used: Mapping[Bound, int]) -> "Purse":
        """From what each bound has used; one that is not named does not bind."""
        lefts = {bound: caps.of(bound) - micro_usd for bound, micro_usd in used.items()}
        bound = min(lefts, key=lambda one: lefts[one])
        month = caps.of(Bound.MONTH)
        return cls(lefts[bound], bound, caps.of(bound), used[Bound.MONTH] / month if month else 1.0)

    @property
    def name(self) -> str:
        return f"the budget of this {self.bound.value} (${self.cap_micro_usd / DOLLAR:.2f})"


@dataclass(frozen=True)
class Purchase:
    """What is bought for a run of some work: a version of a brief, a reading of a call. The same purpose is paid for
    once, however often it is tried."""

    tenant_id: TenantId
    work_id: RowId
    version: int
    purpose: str


class Ledger(Protocol):
    """Sets money aside before it is spent. What is spent is written down with what was bought for it."""

    async def reserve(self, purchase: Purchase, offers: Sequence[Offer], caps: Caps, now: datetime) -> Offer:
        """The first offer that the caps allow; none of them is an error of ours."""
        ...

    async def give_up(self, purchase: Purchase, now: datetime, *, paid: bool) -> None:
        """Nothing is kept for what was reserved: it is free again, or gone if it was paid."""
        ...


class Treasurer:
    """Knows what calls cost and what may be spent."""

    def __init__(self, ledger: Ledger, prices: Mapping[str, Price], caps: Caps) -> None:
        self._ledger = ledger
        self._prices = prices
        self.caps = caps

    def knows(self, seller: Seller) -> bool:
        """Whether its calls have a price."""
        return f"{seller.name}/{seller.model}" in self._prices

    def priced(self, seller: Seller) -> Price:
        """What its calls cost; without a price there are none."""
        what = f"{seller.name}/{seller.model}"
        if what not in self._prices:
            raise errors.price_unknown(what)
        return self._prices[what]

    def offer(self, seller: Seller, size: Size) -> Offer:
        """A call of that size."""
        most = self.priced(seller).most(size.input_tokens, size.output_tokens)
        return Offer(seller.name, seller.model, most)

    @asynccontextmanager
    async def paying(
        self,
        purchase: Purchase,
        offers: Sequence[Offer],
        now: Callable[[], datetime],
        begun: Callable[[], bool] = lambda: False,
    ) -> AsyncIterator[Offer]:
        """Inside the block one call may be made: the first of these that the caps allow.

        What is reserved is settled by whoever keeps the answer. When there is none, it is free again; a try that dies
        leaves it to the next. `begun` says that some of an answer has come: then it is paid, whatever becomes of it.
        """
        offer = await self._ledger.reserve(purchase, offers, self.caps, now())
        try:
            yield offer
        except BaseException as error:
            with suppress(ApplicationError):
                await surely(self._ledger.give_up(purchase, now(), paid=begun() or errors.was_answered(error)))
            raise
