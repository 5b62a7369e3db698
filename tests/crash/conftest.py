"""One ground for all crashes of a test run."""

from collections.abc import AsyncIterator

import pytest

from starter.dev.postgres import Cluster
from tests.crash.ground import Ground, ground

LANES = 8


@pytest.fixture(scope="package")
async def there(cluster: Cluster) -> AsyncIterator[Ground]:
    async with ground(cluster, "greenroom_crash", LANES) as opened:
        yield opened
