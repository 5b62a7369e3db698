import pytest

from activities.store.database import Database
from tests.digests.rows import House


@pytest.fixture
async def house(database: Database) -> House:
    house = House(database)
    await house.set_up()
    return house
