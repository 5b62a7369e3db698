"""What runs skills, put together: their rows, where they lie, who carries them out, what they may read."""

from contextlib import AsyncExitStack

from activities.pacing import Pacing
from activities.providers import made, models
from activities.seats import Seats
from activities.skills import SkillActivities
from activities.spending import Treasurer
from activities.store.database import Database
from activities.store.seats import SeatStore
from activities.store.skill_library import SkillLibrary
from activities.store.skill_runs import SkillRunStore
from schemas.settings import Settings


def owners(
    settings: Settings, database: Database, stack: AsyncExitStack, pacing: Pacing, treasurer: Treasurer
) -> list[object]:
    talker = models.talker(settings, stack)
    return [
        SkillActivities(
            SkillRunStore(database),
            made.skill_shelf(settings),
            talker,
            SkillLibrary(database, sandbox=talker.sandbox),
            made.objects(settings),
            Seats(SeatStore(database), made.seats(settings)),
            pacing,
            treasurer,
        )
    ]
