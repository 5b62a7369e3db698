from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from temporalio.testing import WorkflowEnvironment

from activities.store.database import Database
from sandbox import Sandbox
from starter.dev.postgres import Urls
from tests.batches.scene import Collection
from tests.stage import Stage


@pytest.fixture
async def collection(stage: Stage) -> Collection:
    return Collection(stage)


@pytest.fixture
async def patient(
    skipping: WorkflowEnvironment, database: Database, sandbox: Sandbox, urls: Urls
) -> AsyncIterator[Collection]:
    """One for which time is skipped while nothing but time is waited for."""
    stage = Stage(database, skipping.client, sandbox, urls, tenant_id=str(uuid4()))
    await stage.set_up(datetime.now(UTC))
    collection = Collection(stage)
    async with collection.working():
        yield collection
