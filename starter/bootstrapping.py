"""What takes references in, put together: their rows, where they lie, who reads them, who makes vectors of them."""

import aiohttp

from activities.bootstraps import BootstrapActivities
from activities.documents.ports import Parser
from activities.pacing import Pacing
from activities.providers import made
from activities.seats import Seats
from activities.spending import Treasurer
from activities.store.bootstraps import BootstrapStore
from activities.store.database import Database
from activities.store.seats import SeatStore
from schemas.settings import Settings


def owners(
    settings: Settings,
    database: Database,
    session: aiohttp.ClientSession,
    pacing: Pacing,
    treasurer: Treasurer,
    parser: Parser,
) -> list[object]:
    return [
        BootstrapActivities(
            BootstrapStore(database),
            made.references(settings),
            made.objects(settings),
            parser,
            made.embedder(settings, session),
            Seats(SeatStore(database), made.seats(settings)),
            pacing,
            treasurer,
        )
    ]
