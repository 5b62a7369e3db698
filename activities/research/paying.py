"""Pays for calls: nothing is bought whose price is unknown, and nothing before its money is set aside."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime

from temporalio.exceptions import ApplicationError

from activities import errors
from activities.liveness import surely
from activities.ports import LanguageModel, Seller, Size, WebSearch
from activities.research import questions
from activities.research.economy import LONGEST, Offer, Thrift, Writer
from activities.research.ports import Ledger, Purchase
from schemas.budgets import Caps, Price


class Treasurer:
    """Knows what calls cost and what may be spent."""

    def __init__(self, ledger: Ledger, prices: Mapping[str, Price], caps: Caps) -> None:
        self._ledger = ledger
        self._prices = prices
        self._caps = caps

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

    def writers(self, models: Sequence[LanguageModel]) -> list[LanguageModel]:
        """Those that may be asked, best first: the best must have a price, the others are left out without one."""
        self.priced(models[0])
        return [one for one in models if f"{one.name}/{one.model}" in self._prices]

    def thrift(self, search: WebSearch, models: Sequence[LanguageModel]) -> Thrift:
        """What a run can cost, before anything of it is known."""
        return Thrift(
            caps=self._caps,
            look_up=self.offer(search, search.size(questions.about(LONGEST, 2))),
            writers=tuple(
                Writer(one.name, one.model, self.priced(one), one.most_tokens) for one in self.writers(models)
            ),
        )

    @asynccontextmanager
    async def paying(
        self, purchase: Purchase, offers: Sequence[Offer], now: Callable[[], datetime]
    ) -> AsyncIterator[Offer]:
        """Inside the block one call may be made: the first of these that the caps allow.

        What is reserved is settled by whoever keeps the answer. When there is none, it is free again; a try that dies
        leaves it to the next.
        """
        offer = await self._ledger.reserve(purchase, offers, self._caps, now())
        try:
            yield offer
        except BaseException as error:
            with suppress(ApplicationError):
                await surely(self._ledger.give_up(purchase, now(), paid=errors.was_answered(error)))
            raise
