"""The clients of providers, as the settings have them: where each is, what lets us in, what it costs.

settings ─▶ a port made real; whoever asks keeps the session and the stack open for as long as it is used
"""

from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

import aiohttp

from activities.digests.ports import Studio
from activities.documents.ports import ANALYSIS, COMPARISON, EMBEDDINGS, GENERATION, PARSING
from activities.providers.brave import Brave
from activities.providers.congress import UnitedStates
from activities.providers.elevenlabs import ElevenLabs
from activities.providers.gong import Gong
from activities.providers.google import GoogleCalendar
from activities.providers.google_accounts import GoogleAccounts
from activities.providers.guarded import Guarded
from activities.providers.objects import ObjectStore
from activities.providers.perplexity import Perplexity
from activities.providers.references import BucketReferences, FolderReferences
from activities.providers.skill_shelf import BucketShelf, FolderShelf
from activities.providers.smtp import Smtp
from activities.providers.voyage import Voyage
from activities.providers.webhooks import SignedWebhooks
from activities.skills import SEATS
from schemas.settings import Settings

# The skills that come with us.
OUR_SKILLS = Path(__file__).resolve().parents[2] / "skills"
# Invented references, for whoever tries what there is.
OUR_REFERENCES = OUR_SKILLS.with_name("references")


def web_search(settings: Settings, session: aiohttp.ClientSession) -> Perplexity:
    where = settings.provider("perplexity")
    return Perplexity(
        session,
        base_url=where.base_url,
        key=where.key.get_secret_value(),
        model=settings.perplexity_model,
        price=settings.prices.get(f"perplexity/{settings.perplexity_model}"),
        timeout_s=settings.perplexity_timeout_s,
        least_wait=timedelta(seconds=settings.perplexity_least_wait_s),
        sandbox=where.sandbox,
    )


def skill_shelf(settings: Settings) -> FolderShelf | BucketShelf:
    """Ours when nowhere is told; ValueError for an address that is none."""
    if not settings.skills_url:
        return FolderShelf(OUR_SKILLS)
    place = _place(settings, settings.skills_url, "skills")
    return FolderShelf(place) if isinstance(place, Path) else BucketShelf(place)


def references(settings: Settings) -> FolderReferences | BucketReferences | None:
    """Where a bootstrap takes references from: ours in the sandbox, when nowhere is told; otherwise None then.

    ValueError for an address that is none.
    """
    if not settings.references_url:
        return FolderReferences(OUR_REFERENCES, sandbox=True) if settings.sandbox else None
    place = _place(settings, settings.references_url, "references")
    return FolderReferences(place) if isinstance(place, Path) else BucketReferences(place)


def _place(settings: Settings, url: str, what: str) -> ObjectStore | Path:
    """A folder of this machine, or a bucket of the object store's; ValueError for an address that is neither."""
    where = urlsplit(url)
    if where.scheme == "s3":
        return _bucket(settings, url)
    if where.scheme == "file" and not where.netloc:
        return Path(unquote(where.path))
    if "://" in url:
        raise ValueError(f"{what} are in a folder, at file:///folder or at s3://bucket/prefix")
    return Path(url).expanduser()


def accounts(settings: Settings, session: aiohttp.ClientSession) -> GoogleAccounts:
    return GoogleAccounts(session, settings.google(), timeout_s=settings.google_timeout_s)


def calendar_service(settings: Settings, stack: AsyncExitStack) -> GoogleCalendar:
    calendar = GoogleCalendar(
        settings.google(),
        notifications_url=settings.notifications_url(),
        channel_s=settings.google_channel_s,
        timeout_s=settings.google_timeout_s,
        threads=settings.calendar_slots,
    )
    stack.callback(calendar.close)
    return calendar


def webhooks(settings: Settings) -> SignedWebhooks:
    guarded = Guarded(timeout_s=settings.endpoint_timeout_s, private=settings.private_endpoints)
    return SignedWebhooks(guarded, sandbox=settings.sandbox)


def mail_server(settings: Settings) -> Smtp | None:
    """None when none is configured: notices are then skipped, and say so."""
    url, sandbox = settings.smtp()
    if not url:
        return None
    return Smtp(url, sender=settings.mail_from, timeout_s=settings.smtp_timeout_s, sandbox=sandbox)


def recorder(settings: Settings, session: aiohttp.ClientSession) -> Gong:
    return Gong(session, timeout_s=settings.gong_timeout_s, sandbox=settings.sandbox)


def speaker(settings: Settings, session: aiohttp.ClientSession) -> ElevenLabs | None:
    """None without a key."""
    where = settings.provider("elevenlabs")
    if not where.key.get_secret_value():
        return None
    return ElevenLabs(
        session,
        base_url=where.base_url,
        key=where.key.get_secret_value(),
        model=settings.elevenlabs_model,
        voices=settings.elevenlabs_voices,
        timeout_s=settings.elevenlabs_timeout_s,
        sandbox=where.sandbox,
    )


def objects(settings: Settings) -> ObjectStore | None:
    """None when nowhere is told; ValueError for an address that is none."""
    return _bucket(settings, settings.objects_url) if settings.objects_url else None


def _bucket(settings: Settings, url: str) -> ObjectStore:
    return ObjectStore.at(
        url,
        endpoint=settings.objects_endpoint,
        region=settings.objects_region,
        access_key=settings.objects_access_key.get_secret_value(),
        secret_key=settings.objects_secret_key.get_secret_value(),
    )


def embedder(settings: Settings, session: aiohttp.ClientSession) -> Voyage | None:
    """None without a key."""
    where = settings.provider("voyage")
    if not where.key.get_secret_value():
        return None
    return Voyage(
        session,
        base_url=where.base_url,
        key=where.key.get_secret_value(),
        model=settings.voyage_model,
        price=settings.prices.get(f"voyage/{settings.voyage_model}"),
        timeout_s=settings.voyage_timeout_s,
        sandbox=where.sandbox,
    )


def seats(settings: Settings) -> dict[str, int]:
    """How many calls are under way at once, over all workers, of those who count them."""
    return {
        ElevenLabs.name: settings.elevenlabs_at_once,
        SEATS: settings.skills_at_once,
        PARSING: settings.parsing_at_once,
        EMBEDDINGS: settings.embeddings_at_once,
        ANALYSIS: settings.analysis_at_once,
        COMPARISON: settings.comparison_at_once,
        GENERATION: settings.generation_at_once,
    }


def studio(settings: Settings, session: aiohttp.ClientSession) -> Studio | None:
    """Whatever audio needs; None when some of it is not there, or audio is not wanted: digests stay in writing."""
    voice, store = speaker(settings, session), objects(settings)
    return Studio(voice, store) if settings.digest_audio and voice is not None and store is not None else None


def news_search(settings: Settings, session: aiohttp.ClientSession) -> Brave | None:
    """None without a key: digests are then made of what else there is."""
    where = settings.provider("brave")
    key = where.key.get_secret_value()
    if not key:
        return None
    return Brave(session, base_url=where.base_url, key=key, timeout_s=settings.news_timeout_s, sandbox=where.sandbox)


def congress(settings: Settings, session: aiohttp.ClientSession) -> UnitedStates | None:
    """None without a key: bills are then those of files."""
    where = settings.provider("congress")
    key = where.key.get_secret_value()
    if not key:
        return None
    return UnitedStates(
        session, base_url=where.base_url, key=key, timeout_s=settings.news_timeout_s, sandbox=where.sandbox
    )
