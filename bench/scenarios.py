"""What is measured, and in which order: plain and durable take turns, so that a drifting machine hits both."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from bench.load import Block, Load
from bench.orders import Order, OrderBook
from bench.servers import Providers, Servers
from bench.ways import Durable, Plain, Way
from schemas.providers import Pace
from starter.environment import open_database

Say = Callable[[str], None]

AT_ONCE = {"perplexity": 0.0, "anthropic": 0.0}
REAL = {"perplexity": 3.0, "anthropic": 10.0}

LOOK_UPS_A_BRIEF = 5
WARM_UP = 4


@dataclass(frozen=True)
class Scenario:
    """`blocks` of `briefs` at once, for each way. `group` is what a person may ask for alone."""

    group: str
    name: str
    briefs: int
    blocks: int
    delays: dict[str, float] = field(hash=False)
    fresh: bool = False


@dataclass(frozen=True)
class Pacing:
    """Look-ups under a pace, by several workers that know nothing of one another."""

    pace: str = "20/2s+0.05s"
    look_ups: int = 60
    workers: int = 2

    @property
    def limits(self) -> Pace:
        return Pace.parse(self.pace)


@dataclass(frozen=True)
class Schedule:
    scenarios: tuple[Scenario, ...]
    pacing: Pacing | None


@dataclass
class Measured:
    """The blocks of each scenario, in the order in which they were run, by way."""

    schedule: Schedule
    blocks: dict[tuple[Scenario, str], list[Block]] = field(default_factory=dict)
    paced: Block | None = None


def schedule(briefs: int, *, quick: bool, groups: str) -> Schedule:
    """All there is, at full length or so that it takes about a minute, and of it only these groups."""
    few, singles = (1, 1) if quick else (3, 5)
    scenarios = (
        Scenario("a", f"0 s, {briefs} at once", briefs, few, AT_ONCE),
        Scenario("a", f"0 s, {briefs} at once, fresh", briefs, few, AT_ONCE, fresh=True),
        Scenario("b", "3+10 s, one by one", 1, singles, REAL),
        Scenario("b", f"3+10 s, {briefs} at once", briefs, 1 if quick else 2, REAL),
    )
    pacing = Pacing(look_ups=20) if quick else Pacing()
    return Schedule(tuple(one for one in scenarios if one.group in groups), pacing if "c" in groups else None)


class Bench:
    """Works through a schedule."""

    def __init__(self, servers: Servers, providers: Providers, book: OrderBook, say: Say) -> None:
        self._servers = servers
        self._providers = providers
        self._book = book
        self._say = say
        self._load = Load(servers, providers)
        self._plain = Plain(servers.plain_socket)

    async def measured(self, schedule: Schedule) -> Measured:
        measured, durable = Measured(schedule), Durable(await self._servers.client())
        async with self._servers.working():
            for way in (self._plain, durable):
                await self._load.block(way, await self._book.orders(WARM_UP))
            for scenario in schedule.scenarios:
                await self._run(scenario, durable, measured)
        if schedule.pacing is not None:
            measured.paced = await self._paced(schedule.pacing, durable)
        return measured

    async def _run(self, scenario: Scenario, durable: Durable, measured: Measured) -> None:
        ways: tuple[Way, ...] = (self._plain, durable)
        for number in range(1, scenario.blocks + 1):
            for way in ways:
                self._say(f"{scenario.name}: {way.name}, {number} of {scenario.blocks}")
                orders = await self._orders(scenario)
                await self._providers.delay(scenario.delays)
                block = await self._load.block(way, orders)
                measured.blocks.setdefault((scenario, way.name), []).append(block)

    async def _orders(self, scenario: Scenario) -> list[Order]:
        """New ones; for a fresh scenario everybody has just been looked up for another version of the brief."""
        orders = await self._book.orders(scenario.briefs)
        if scenario.fresh:
            await self._providers.delay(AT_ONCE)
            await self._load.block(self._plain, orders)
        return orders

    async def _paced(self, pacing: Pacing, durable: Durable) -> Block:
        self._say(f"{pacing.look_ups} look-ups at {pacing.pace}, {pacing.workers} workers")
        await self._providers.delay(AT_ONCE)
        orders = await self._book.orders(pacing.look_ups // LOOK_UPS_A_BRIEF)
        async with self._servers.working(pacing.workers, GREENROOM_PERPLEXITY_PACE=pacing.pace):
            return await self._load.block(durable, orders)


@asynccontextmanager
async def bench(servers: Servers, say: Say) -> AsyncIterator[Bench]:
    """A bench with its connections open."""
    settings = servers.settings()
    async with aiohttp.ClientSession() as session, open_database(settings) as database:
        yield Bench(servers, Providers(session, servers.sandbox_url), OrderBook(database, settings), say)
