"""greenroom worker, web, migrate, dev, demo: what stays up."""

from typing import Annotated

import typer

from activities.providers.smtp import Smtp
from schemas.brands import VARIABLES
from schemas.settings import Settings
from starter import codec, logs
from starter import migrate as migrations
from starter.checks import Check, keys, token_keys
from starter.cli import do
from starter.environment import connect, load_settings
from starter.needs import needs
from starter.words import NotReadyError, UsageError
from workflows import queues


def worker(
    queue: Annotated[list[str] | None, typer.Option("--queue", help="Serve only this queue; may be repeated.")] = None,
) -> None:
    """Serve the task queues until stopped. Refuses to start without the keys of the queues it serves, and without the
    one that payloads are encrypted with."""
    settings = load_settings()
    logs.configure(settings.log_format)
    names = queue or list(queues.ALL)
    for name in names:
        if name not in queues.ALL:
            raise UsageError(f'There is no queue "{name[:60]}"; there are: {", ".join(queues.ALL)}')
        _has_keys(settings, name)
    # Every worker has all activities, whichever queues it serves.
    _long_enough(settings, "GREENROOM_HASH_KEY", "GREENROOM_LINK_KEY")
    if settings.token_keys.get_secret_value():
        _seals(settings)
    _mails(settings)
    _stands(codec.keys(settings))

    import worker as composition  # noqa: PLC0415 - the providers' libraries take a second to load

    async def work() -> None:
        client = await connect(settings, metrics_port=settings.metrics_port)
        _stands(await codec.fit(client, settings))
        await composition.run(settings, client, names)

    do(work())


def _has_keys(settings: Settings, queue: str) -> None:
    """Whoever serves a queue has the keys that its work needs."""
    for provider in needs(settings, queue):
        if not settings.provider(provider).key.get_secret_value():
            key = VARIABLES[provider]
            raise NotReadyError(f"{key} is not set", "set it, or GREENROOM_SANDBOX=1 for pretended data")
    if queue == queues.CALENDAR:
        _seals(settings)


def _seals(settings: Settings) -> None:
    _stands(token_keys(settings))


def _stands(check: Check) -> None:
    """A server does not start without what is looked at here."""
    if not check.ok:
        raise NotReadyError(check.said, check.remedy)


def _long_enough(settings: Settings, *names: str) -> None:
    """Our own keys of these names are."""
    for check in keys(settings):
        if check.name in names and not check.ok:
            raise NotReadyError(f"{check.name} has {check.said}", check.remedy)


def _mails(settings: Settings) -> None:
    """No mail server is fine; one that cannot be is not."""
    url, _ = settings.smtp()
    try:
        if url:
            Smtp(url, sender=settings.mail_from)
    except ValueError as error:
        raise NotReadyError(str(error), "correct it, or unset it to send no mail") from None


def web(
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8080,
    host: Annotated[str, typer.Option(help="Where to listen; by default on this machine alone.")] = "127.0.0.1",
) -> None:
    """Serve the pages."""
    from starter.web import serve  # noqa: PLC0415 - the other commands do without it

    settings = load_settings()
    logs.configure(settings.log_format)
    _long_enough(settings, "GREENROOM_HASH_KEY", "GREENROOM_LINK_KEY", "GREENROOM_SESSION_KEY")
    _seals(settings)
    _stands(codec.keys(settings))
    do(serve(settings, port, host))


def migrate() -> None:
    """Bring the database to the newest schema, as the owner role (DATABASE_OWNER_URL)."""
    typer.echo(migrations.migrate(load_settings().database_owner_url) or "The schema is the newest.")


def dev() -> None:
    """Start the whole stack on this machine, and stop it at Ctrl-C."""
    from starter.dev import commands  # noqa: PLC0415 - needs what only development installs

    do(commands.dev())


def demo(
    once: Annotated[bool, typer.Option("--once", help="End after the brief.")] = False,
) -> None:
    """Start the stack, research a sample meeting, print its brief and where to look at it."""
    from starter.dev import commands  # noqa: PLC0415 - needs what only development installs

    do(commands.demo(once=once))
