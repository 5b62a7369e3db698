"""A storm of notifications: each is answered at once, every change is found, and few readings are made."""

import pytest

from starter.dev.postgres import Cluster
from tests.flood.flood import Storm, flood, ground

pytestmark = pytest.mark.alone


async def test_a_storm_loses_nothing_and_costs_a_handful_of_readings(cluster: Cluster) -> None:
    storm = Storm(changes=50, echoes=750, late=100, forged=100, calendars=5)
    async with ground(cluster, storm.calendars) as there:
        outcome = await flood(there, storm)

    said = str(outcome)
    assert dict(outcome.statuses) == {200: storm.notifications}, said
    assert outcome.missing == [], said
    refused = sum(outcome.counted.get(why, 0) for why in ("forged", "unknown"))
    assert refused == storm.forged, said
    assert outcome.counted["rung"] == storm.notifications - storm.forged, said
    # A burst of any length is read at most every ten seconds, and once after it.
    assert outcome.readings <= storm.calendars * (2 + outcome.took_s / 10), said
