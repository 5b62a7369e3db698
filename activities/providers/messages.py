"""Who sends messages on channels, as the settings have it, and what their addresses look like."""

import aiohttp

from activities.providers import slack, telegram
from activities.ways import Messenger
from schemas.settings import Settings

KINDS = (telegram.Telegram.kind, slack.Slack.kind)


def messengers(settings: Settings, session: aiohttp.ClientSession) -> dict[str, Messenger]:
    """By their kind; without a token one of them is not there."""
    base_url, sandbox = settings.slack()
    sends = slack.Slack(session, base_url=base_url, timeout_s=settings.message_timeout_s, sandbox=sandbox)
    ours = bot(settings, session)
    return {sends.kind: sends} | ({ours.kind: ours} if ours else {})


def bot(settings: Settings, session: aiohttp.ClientSession) -> telegram.Telegram | None:
    """None without a token."""
    where = settings.provider("telegram")
    token = where.key.get_secret_value()
    if not token:
        return None
    return telegram.Telegram(
        session, base_url=where.base_url, token=token, timeout_s=settings.message_timeout_s, sandbox=where.sandbox
    )


def kinds(settings: Settings) -> tuple[str, ...]:
    """Those that somebody sends on here."""
    there = bool(settings.provider("telegram").key.get_secret_value())
    return tuple(kind for kind in KINDS if there or kind != telegram.Telegram.kind)


def address(settings: Settings, kind: str, text: str) -> str:
    """The address of a channel of this kind; ValueError is a sentence, and does not quote it."""
    if kind == telegram.Telegram.kind:
        if kind not in kinds(settings):
            raise ValueError("There is no bot here: TELEGRAM_BOT_TOKEN is not set")
        return telegram.address(text)
    if kind == slack.Slack.kind:
        return slack.address(text, settings.slack()[0])
    raise ValueError(f"A channel is one of {', '.join(KINDS)}")


def named(kind: str, given: str) -> str:
    """How a channel is called: as its user says, or as its kind."""
    return given.strip() or kind.title()
