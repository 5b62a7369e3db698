"""What works on documents, put together: their rows, who reads files, who goes through them, who makes vectors of them."""

from contextlib import AsyncExitStack
from datetime import timedelta

import aiohttp

from activities.documents import DocumentActivities
from activities.documents.embedding import EmbeddingActivities
from activities.documents.parsing import Subprocess
from activities.documents.ports import Parser
from activities.documents.reviewing import ReviewActivities
from activities.pacing import Pacing
from activities.providers import made, models
from activities.seats import Seats
from activities.spending import Treasurer
from activities.store.database import Database
from activities.store.document_runs import DocumentRunStore
from activities.store.seats import SeatStore
from schemas.settings import Settings


def reader(settings: Settings) -> Subprocess:
    """One for all that a process does: so many files at once are as much as it has memory for."""
    return Subprocess(memory_mb=settings.parsing_memory_mb, timeout=timedelta(seconds=settings.parsing_timeout_s))


def owners(
    settings: Settings,
    database: Database,
    session: aiohttp.ClientSession,
    stack: AsyncExitStack,
    pacing: Pacing,
    treasurer: Treasurer,
    parser: Parser,
) -> list[object]:
    runs, seats = DocumentRunStore(database), Seats(SeatStore(database), made.seats(settings))
    return [
        DocumentActivities(runs, made.objects(settings), parser, seats),
        ReviewActivities(runs, models.reviewer(settings, stack), pacing, treasurer, seats),
        EmbeddingActivities(runs, made.embedder(settings, session), pacing, treasurer, seats),
    ]
