"""Which providers are called, and by whom."""

from collections.abc import Mapping

from schemas.brands import KEYS
from schemas.settings import Settings
from workflows import queues

# Whose keys a worker of a queue cannot do without. Who reads transcripts is a setting.
NEEDS: Mapping[str, tuple[str, ...]] = {
    queues.WORKFLOWS: (),
    queues.SEARCH: ("perplexity",),
    queues.MODEL: ("anthropic",),
    queues.CALENDAR: ("google",),
    queues.MAIL: (),
    queues.CALLS: (),
    queues.READING: (),
    queues.DELIVERY: (),
    # Without keys digests have no news, and are not spoken; they are written all the same.
    queues.NEWS: (),
    queues.AUDIO: (),
    queues.SKILLS: ("anthropic",),
    queues.DOCUMENTS: ("anthropic",),
    # Without a key documents are reviewed all the same, and say that similar clauses cannot be searched for.
    queues.VECTORS: (),
}

# Whose vectors references are found by: without them none is taken in.
MAKES_VECTORS = "voyage"


# What is gone without: a digest is made of what else there is.
OPTIONAL = {
    "brave": "digests have no news",
    "congress": "bills are those of files",
    "elevenlabs": "digests are in writing alone",
    "voyage": "documents are not compared, and have no similar clauses",
}


def needs(settings: Settings, queue: str) -> tuple[str, ...]:
    """Whose keys a worker of this queue cannot do without."""
    return (transcript_reader(settings),) if queue == queues.READING else NEEDS[queue]


def transcript_reader(settings: Settings) -> str:
    """The provider whose model reads transcripts."""
    return settings.transcript_model.partition("/")[0]


def wanted(settings: Settings) -> list[str]:
    """The providers that are called for work: of those who could read transcripts, one does, and messages are no work."""
    called = [name for name in KEYS if name != "telegram"]
    return [name for name in called if name != "gemini" or transcript_reader(settings) == name]
