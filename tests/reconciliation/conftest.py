from collections.abc import AsyncIterator

import pytest

from tests.cli.conftest import beside, folder, greenroom, wired
from tests.reconciliation.ground import Ground
from tests.stage import Stage

__all__ = ["beside", "folder", "greenroom", "wired"]


@pytest.fixture
async def ground(stage: Stage) -> AsyncIterator[Ground]:
    ground = Ground(stage)
    yield ground
    await ground.end_all()
