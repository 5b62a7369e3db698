"""What makes digests, put together: their rows, news and bills, who writes them, who speaks them, where audio is kept."""

import aiohttp

from activities.bills import BillActivities
from activities.digests import DigestActivities
from activities.digests.speaking import SpeakingActivities
from activities.objects import ObjectActivities
from activities.pacing import Pacing
from activities.ports import LanguageModel
from activities.providers import made
from activities.seats import Seats
from activities.spending import Treasurer
from activities.store.bills import BillStore
from activities.store.database import Database
from activities.store.digests import DigestStore
from activities.store.seats import SeatStore
from activities.store.unneeded import UnneededStore
from schemas.settings import Settings


def owners(
    settings: Settings,
    database: Database,
    session: aiohttp.ClientSession,
    model: LanguageModel,
    pacing: Pacing,
    treasurer: Treasurer,
) -> list[object]:
    digests, studio = DigestStore(database), made.studio(settings, session)
    seats, news = Seats(SeatStore(database), made.seats(settings)), made.news_search(settings, session)
    manner = studio.speaker.manner if studio else None
    return [
        DigestActivities(
            digests, model, news, pacing, treasurer, manner, sandbox=studio is not None and studio.speaker.sandbox
        ),
        SpeakingActivities(digests, studio, seats, treasurer),
        ObjectActivities(UnneededStore(database), made.objects(settings)),
        BillActivities(BillStore(database), made.congress(settings, session), pacing),
    ]
