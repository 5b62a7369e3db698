"""Make briefs, one block at a time, and write down what that took."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bench import figures
from bench.history import History
from bench.orders import Order
from bench.servers import Providers, Servers
from bench.ways import Durable, Way

# What the servers still do when the last brief is there belongs to its cost.
SETTLE_S = 0.5


@dataclass
class Block:
    """Briefs made at once. `cpu_s` is by server and `paths_s` the providers' critical path, one each."""

    wall_s: float
    times_s: list[float]
    paths_s: list[float]
    cpu_s: dict[str, float]
    calls: list[dict[str, Any]] = field(repr=False)
    history: History

    @property
    def briefs(self) -> int:
        return len(self.times_s)


class Load:
    """Runs blocks against the servers."""

    def __init__(self, servers: Servers, providers: Providers) -> None:
        self._servers = servers
        self._providers = providers
        self._calls = 0

    async def block(self, way: Way, orders: Sequence[Order]) -> Block:
        """All of the orders at once. A brief that fails fails the bench: its figures would mean nothing."""
        await self._new_calls()
        before, began = self._servers.cpu_s(), time.perf_counter()
        times_s = await asyncio.gather(*(_timed(way, order) for order in orders))
        wall_s = time.perf_counter() - began
        await asyncio.sleep(SETTLE_S)
        after, calls = self._servers.cpu_s(), await self._new_calls()
        by_brief = figures.by_tag(calls, [order.tag for order in orders])
        histories = [await way.history(order) for order in orders] if isinstance(way, Durable) else []
        return Block(
            wall_s=wall_s,
            times_s=times_s,
            paths_s=[figures.critical_path_s(by_brief[order.tag]) for order in orders],
            cpu_s={name: after[name] - before[name] for name in before},
            calls=calls,
            history=sum(histories, History()),
        )

    async def _new_calls(self) -> list[dict[str, Any]]:
        """What the providers were asked since we last looked."""
        calls = await self._providers.calls(self._calls)
        self._calls += len(calls)
        return calls


async def _timed(way: Way, order: Order) -> float:
    began = time.perf_counter()
    await way.brief(order)
    return time.perf_counter() - began
