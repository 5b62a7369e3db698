from collections.abc import AsyncIterator

import pytest

from tests.deliveries.receiver import Receiver, Tenant, receiving
from tests.stage import Stage


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as there:
        yield there


@pytest.fixture
def tenant(stage: Stage) -> Tenant:
    return Tenant(stage)
