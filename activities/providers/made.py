"""The clients of providers, as the settings have them: where each is, what lets us in, what it costs.

settings ─▶ a port made real; whoever asks keeps the session and the stack open for as long as it is used
"""

from contextlib import AsyncExitStack
from datetime import timedelta

import aiohttp

from activities.ports import LanguageModel
from activities.providers import anthropic as claude
from activities.providers.gemini import Gemini
from activities.providers.gong import Gong
from activities.providers.google import GoogleCalendar
from activities.providers.google_accounts import GoogleAccounts
from activities.providers.guarded import Guarded
from activities.providers.perplexity import Perplexity
from activities.providers.smtp import Smtp
from activities.providers.webhooks import SignedWebhooks
from schemas.settings import Settings

# Claude is asked for no longer answer than this in one piece.
MOST_AT_ONCE = 21_000


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


def language_models(settings: Settings, stack: AsyncExitStack) -> list[claude.Anthropic]:
    """Those that write, the best first."""
    where = settings.provider("anthropic")
    client = claude.client(
        base_url=where.base_url, key=where.key.get_secret_value(), timeout_s=settings.anthropic_timeout_s
    )
    stack.push_async_callback(client.close)
    return [
        claude.Anthropic(
            client,
            model=model,
            price=settings.prices.get(f"anthropic/{model}"),
            most_tokens=settings.anthropic_max_tokens,
            timeout_s=settings.anthropic_timeout_s,
            least_wait=timedelta(seconds=settings.anthropic_least_wait_s),
            sandbox=where.sandbox,
        )
        for model in dict.fromkeys((settings.anthropic_model, settings.anthropic_small_model))
        if model
    ]


def transcript_reader(settings: Settings, session: aiohttp.ClientSession, stack: AsyncExitStack) -> LanguageModel:
    """Whoever reads transcripts, as the setting says."""
    provider, _, model = settings.transcript_model.partition("/")
    where = settings.provider(provider)
    price = settings.prices.get(settings.transcript_model)
    if provider == Gemini.name:
        return Gemini(
            session,
            base_url=where.base_url,
            key=where.key.get_secret_value(),
            model=model,
            price=price,
            most_tokens=settings.transcript_max_tokens,
            timeout_s=settings.transcript_timeout_s,
            sandbox=where.sandbox,
        )
    client = claude.client(
        base_url=where.base_url, key=where.key.get_secret_value(), timeout_s=settings.transcript_timeout_s
    )
    stack.push_async_callback(client.close)
    return claude.Anthropic(
        client,
        model=model,
        price=price,
        most_tokens=min(settings.transcript_max_tokens, MOST_AT_ONCE),
        timeout_s=settings.transcript_timeout_s,
        least_wait=timedelta(seconds=settings.anthropic_least_wait_s),
        sandbox=where.sandbox,
    )


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
