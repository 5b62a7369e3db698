"""The language models, as the settings have them. Apart from `made`: their library takes a second to load, which nobody
is to wait for who has nothing written.

settings ─▶ a port made real; whoever asks keeps the session and the stack open for as long as it is used
"""

from contextlib import AsyncExitStack
from datetime import timedelta

import aiohttp

from activities.ports import LanguageModel
from activities.providers import anthropic as claude
from activities.providers.anthropic_talk import AnthropicTalk
from activities.providers.gemini import Gemini
from schemas.settings import Settings

# Claude is asked for no longer answer than this in one piece.
MOST_AT_ONCE = 21_000
# Whoever writes as it goes is never silent for so long: it sends pings.
LONGEST_SILENCE_S = 120
# What is said about a part of a document, and how long that may take.
REVIEW_TOKENS, REVIEW_TIMEOUT_S = 16_000, 180


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


def talker(settings: Settings, stack: AsyncExitStack) -> AnthropicTalk:
    """Whoever carries out skills."""
    where = settings.provider("anthropic")
    client = claude.client(
        base_url=where.base_url,
        key=where.key.get_secret_value(),
        timeout_s=min(settings.skill_timeout_s, LONGEST_SILENCE_S),
    )
    stack.push_async_callback(client.close)
    return AnthropicTalk(
        client,
        model=settings.anthropic_model,
        prices=settings.prices,
        timeout_s=settings.skill_timeout_s,
        least_wait=timedelta(seconds=settings.anthropic_least_wait_s),
        sandbox=where.sandbox,
    )


def reviewer(settings: Settings, stack: AsyncExitStack) -> LanguageModel:
    """Whoever goes through documents: a part has much to be said about, which takes longer than a brief."""
    where = settings.provider("anthropic")
    timeout_s = max(settings.anthropic_timeout_s, REVIEW_TIMEOUT_S)
    client = claude.client(base_url=where.base_url, key=where.key.get_secret_value(), timeout_s=timeout_s)
    stack.push_async_callback(client.close)
    return claude.Anthropic(
        client,
        model=settings.anthropic_model,
        price=settings.prices.get(f"anthropic/{settings.anthropic_model}"),
        most_tokens=REVIEW_TOKENS,
        timeout_s=timeout_s,
        least_wait=timedelta(seconds=settings.anthropic_least_wait_s),
        sandbox=where.sandbox,
    )


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
