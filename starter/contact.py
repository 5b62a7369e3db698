"""Whom we reach outside, and who reaches us: mail, channels, and the notifications of calendars. More behind `doctor`."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import aiohttp
from temporalio.exceptions import ApplicationError

from activities.providers.messages import bot
from activities.providers.smtp import Server, Smtp
from schemas.settings import STACK_FILE, Settings
from starter.checks import PATIENCE_S, START, Check

NO_MAIL = "no mail is sent: briefs are on the pages alone"
NO_BOT = "there is no bot: users are told by mail and webhooks alone"
HTTPS = "set GREENROOM_WEBHOOK_URL (or GREENROOM_WEB_URL) to an https address that can be reached from outside"


async def everything(settings: Settings) -> AsyncIterator[Check]:
    """A development stack pretends what has no key, like GREENROOM_SANDBOX does."""
    seen = settings.model_copy(update={"sandbox": settings.sandbox or STACK_FILE.exists()})
    yield await mail(seen)
    yield await channels(seen)
    yield notifications(seen)


async def mail(settings: Settings) -> Check:
    """A mail server answers and lets us in. None is no failure: whoever wants none sets none."""
    url, pretended = settings.smtp()
    if not url:
        return Check("mail", ok=True, said=NO_MAIL, remedy="set GREENROOM_SMTP_URL", warning=True)
    try:
        server, where = Smtp(url, sender=settings.mail_from, timeout_s=PATIENCE_S), Server.parse(url)
    except ValueError as error:
        return Check("mail", ok=False, said=str(error), remedy="correct it")
    place = f"{where.host}:{where.port}"
    try:
        await server.greet()
    except ApplicationError as error:
        remedy = START if pretended else "correct GREENROOM_SMTP_URL, or see to that server"
        return Check("mail", ok=False, said=f"{place}: {error.message}", remedy=remedy)
    return Check("mail", ok=True, said=f"{place} lets us in" + (", SANDBOX DATA" if pretended else ""))


async def channels(settings: Settings) -> Check:
    """The bot that writes on channels is let in. Without one there are those that need none."""
    async with aiohttp.ClientSession() as session:
        ours = bot(settings, session)
        if ours is None:
            return Check("channels", ok=True, said=NO_BOT, remedy="set TELEGRAM_BOT_TOKEN", warning=True)
        try:
            name = await ours.who()
        except ApplicationError as error:
            remedy = START if ours.sandbox else "correct TELEGRAM_BOT_TOKEN, or try again later"
            return Check("channels", ok=False, said=error.message, remedy=remedy)
    return Check("channels", ok=True, said=f"the bot {name} is let in" + (", SANDBOX DATA" if ours.sandbox else ""))


def notifications(settings: Settings) -> Check:
    """Calendars notify https addresses alone; pretended ones notify any."""
    url = settings.notifications_url()
    if not settings.google().sandbox and not _secure(url):
        said = f"calendars send none to {url[:120]}, which is not https: each is read every {settings.poll_every_s} s"
        return Check("notifications", ok=False, said=said, remedy=HTTPS)
    return Check("notifications", ok=True, said=f"come to {url[:120]}")


def _secure(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname)
