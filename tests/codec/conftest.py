"""The house of the pages, the command line, and a server on which somebody has worked before."""

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client

from starter import schedules
from tests.cli.conftest import beside, folder, greenroom, wired
from tests.codec.keys import OLD, client, settings
from tests.web.conftest import house

__all__ = ["beside", "folder", "greenroom", "house", "wired"]


@pytest.fixture
async def planned(temporal: Client) -> AsyncIterator[Client]:
    """A server with schedules that somebody with the old key wrote, and without any afterwards."""
    there = await client(temporal, OLD)
    await schedules.ensure(there, settings())
    yield there
    for one in await schedules.listed(there):
        await there.get_schedule_handle(one.id).delete()
