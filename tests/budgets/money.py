"""The ledger of a stage's tenant, as a test looks at it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.stage import Stage

CENT = 10_000


@dataclass
class Sampled:
    """What the month had used, and what its entries came to, each time somebody looked."""

    months: list[int] = field(default_factory=list)
    sums: list[int] = field(default_factory=list)

    @property
    def most(self) -> int:
        return max(*self.months, *self.sums, 0)


async def entries(stage: Stage) -> list[dict[str, Any]]:
    """The oldest first."""
    async with stage.database.tenant(stage.tenant.id) as connection:
        rows = await connection.fetch("SELECT * FROM spending ORDER BY reserved_at, purpose")
        return [dict(row) for row in rows]


async def states(stage: Stage) -> Counter[str]:
    return Counter(entry["state"] for entry in await entries(stage))


async def month(stage: Stage) -> int:
    """What the months have used; it is what their entries come to."""
    async with stage.database.tenant(stage.tenant.id) as connection:
        row = await connection.fetchrow(
            """
            SELECT (SELECT coalesce(sum(micro_usd), 0)::bigint FROM months) AS months,
              (SELECT coalesce(sum(micro_usd), 0)::bigint FROM spending) AS entries
            """
        )
    assert row is not None
    assert row["months"] == row["entries"], "the month says what its entries say"
    used: int = row["months"]
    return used


async def paid(stage: Stage) -> int:
    """What the answers that are kept have cost."""
    async with stage.database.tenant(stage.tenant.id) as connection:
        cost: int = await connection.fetchval("SELECT coalesce(sum(cost_micro_usd), 0)::bigint FROM answers")
        return cost


@asynccontextmanager
async def sampled(stage: Stage, every_s: float = 0.02) -> AsyncIterator[Sampled]:
    """Look again and again, until the block ends."""
    seen = Sampled()

    async def look() -> None:
        while True:
            used = await month(stage)
            seen.months.append(used)
            seen.sums.append(used)
            await asyncio.sleep(every_s)

    looking = asyncio.create_task(look())
    try:
        yield seen
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        if not looking.cancelled() and (error := looking.exception()):
            raise error
