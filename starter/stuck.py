"""How many rows look stuck: a line of `doctor`. It only looks; `greenroom reconcile` mends."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from activities.reconciliation import look
from activities.store.database import Database
from schemas.settings import Settings
from starter.checks import PATIENCE_S, Check
from starter.environment import connect, open_database
from starter.lives import Lives
from starter.nouns import nouns
from starter.words import NotReadyError
from workflows.reconciliation import comparing

NAME, MEND = "reconciliation", "greenroom reconcile"

UNSEEN = Check(NAME, ok=True, said="could not be looked at", remedy=MEND, warning=True)

# As long as a person waits for a line.
LONGEST = timedelta(seconds=20)


async def everything(settings: Settings) -> AsyncIterator[Check]:
    """Without a database or a server there are other lines that say so."""
    try:
        client = await asyncio.wait_for(connect(settings.without_codec()), PATIENCE_S)
        async with open_database(settings) as database, asyncio.timeout(LONGEST.total_seconds()):
            yield told(await stuck(database, client)) if await database.answers() else UNSEEN
    except (NotReadyError, TimeoutError, ApplicationError):
        yield UNSEEN


async def stuck(database: Database, client: Client) -> dict[str, int]:
    """By noun, how many rows say that they are being worked on while nobody does."""
    lives, order = Lives(client), comparing(datetime.now(UTC))
    counts = {}
    for noun in nouns(database, client):
        counts[noun.name] = sum([len(looked.stuck) async for looked in look(noun, lives, order)])
    return {name: count for name, count in counts.items() if count}


def told(counts: dict[str, int]) -> Check:
    if not counts:
        return Check(NAME, ok=True, said="no row is stuck")
    said = ", ".join(f"{count} {name}" for name, count in counts.items())
    return Check(NAME, ok=True, said=f"stuck: {said}", remedy=MEND, warning=True)
