"""Mail by SMTP, to whichever server the settings name: over TLS, but on this machine.

mail ─▶ message with a text and an HTML part ─▶ connect, sign in, send ─▶ taken, or what the refusal means
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from email.utils import parseaddr
from typing import Self
from urllib.parse import SplitResult, unquote, urlsplit

import aiosmtplib

from activities import errors
from activities.plain import clean
from activities.ways import Mail

LONGEST_HEADER = 900
# A server that has taken a mail is given this long to say goodbye.
GOODBYE_S = 1.0

EXAMPLE = "smtp://user:password@mail.example.com:587 or smtps://user:password@mail.example.com:465"
LOOPBACK = {"localhost", "127.0.0.1", "::1"}

# What a server's no is about.
ABOUT = {
    aiosmtplib.SMTPSenderRefused: "sender",
    aiosmtplib.SMTPDataError: "message",
    aiosmtplib.SMTPAuthenticationError: "sign-in",
    aiosmtplib.SMTPConnectResponseError: "connection",
    aiosmtplib.SMTPHeloError: "greeting",
}


@dataclass(frozen=True, repr=False)
class Server:
    """A mail server, as its URL says. smtp:// begins in plain text and must go on in TLS, unless it is this machine."""

    host: str
    port: int
    user: str | None
    password: str | None
    tls: bool
    start_tls: bool

    @classmethod
    def parse(cls, url: str) -> Self:
        """ValueError, with nothing of the URL in it, when it is none."""
        try:
            parts = urlsplit(url.strip())
            return cls._of(parts, parts.hostname or "", parts.port)
        except ValueError:
            raise ValueError(f"GREENROOM_SMTP_URL must look like {EXAMPLE}") from None

    @classmethod
    def _of(cls, parts: SplitResult, host: str, port: int | None) -> Self:
        tls = parts.scheme == "smtps"
        if parts.scheme not in ("smtp", "smtps") or not host or parts.path.strip("/") or parts.query:
            raise ValueError
        return cls(
            host=host,
            port=port or (465 if tls else 587),
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            tls=tls,
            start_tls=not tls and host not in LOOPBACK,
        )


class Smtp:
    """A Mailer. One message and one connection a try, no retries of its own."""

    name = "smtp"

    def __init__(self, url: str, *, sender: str, timeout_s: float = 10, sandbox: bool = False) -> None:
        self._server = Server.parse(url)
        self._sender = sender_address(sender)
        self._timeout_s = timeout_s
        self.sandbox = sandbox

    async def send(self, mail: Mail) -> None:
        """Returns when the server has taken it. Whatever else happens is told by `errors`, without the server's words."""
        message = self._message(mail)
        async with self._conversation() as client:
            # A mail has one recipient: a server that takes it has refused nobody.
            await client.send_message(message, sender=self._sender.addr_spec, recipients=[message["To"]])

    async def greet(self) -> None:
        """Returns when the server has let us in, and sends nothing. Raises what `send` would."""
        async with self._conversation():
            return

    @asynccontextmanager
    async def _conversation(self) -> AsyncIterator[aiosmtplib.SMTP]:
        client = self._client()
        try:
            async with asyncio.timeout(self._timeout_s):
                await client.connect()
                yield client
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise self._decision(error) from None
        finally:
            await _goodbye(client)

    def _client(self) -> aiosmtplib.SMTP:
        server = self._server
        return aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            use_tls=server.tls,
            start_tls=server.start_tls if not server.tls else None,
            local_hostname=self._sender.domain,
            timeout=self._timeout_s,
        )

    def _message(self, mail: Mail) -> EmailMessage:
        """What a stranger wrote cannot end a header: whatever is invisible in it is gone."""
        message = EmailMessage(policy=WIRE)
        message["From"] = self._sender
        message["To"] = self._address(mail.to)
        named = {"Subject": mail.subject, "Message-ID": mail.message_id, **mail.headers}
        for name, value in named.items():
            message[name] = clean(value, LONGEST_HEADER)
        message.set_content(mail.text, cte="quoted-printable")
        message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
        return message

    def _address(self, text: str) -> str:
        """The address as servers know it: a domain of any letters has a name in ASCII."""
        user, _, domain = text.rpartition("@")
        try:
            return Address(username=user, domain=domain.encode("idna").decode()).addr_spec
        except (ValueError, IndexError):
            raise errors.impossible(self.name, "the address is none that mail can be sent to") from None

    def _decision(self, error: Exception) -> Exception:
        """What Temporal should do about it (providers.md 4)."""
        match error:
            case aiosmtplib.SMTPRecipientsRefused():
                return errors.mail_refused(self.name, error.recipients[0].code, "recipient")
            case aiosmtplib.SMTPResponseException():
                return errors.mail_refused(self.name, error.code, ABOUT.get(type(error), "conversation"))
            case aiosmtplib.SMTPNotSupported():
                return errors.impossible(self.name, "the server takes no address with letters beyond ASCII")
            case ConnectionError() | OSError() | TimeoutError():
                return errors.unreachable(self.name, error)
            case _:
                return errors.impossible(self.name, "the server does not offer the TLS or the sign-in that is set")


def sender_address(text: str) -> Address:
    """The one address of GREENROOM_MAIL_FROM, with its name. ValueError when it is none."""
    name, address = parseaddr(text)
    user, _, domain = address.rpartition("@")
    wrong = ValueError("GREENROOM_MAIL_FROM must look like Greenroom <greenroom@example.com>")
    if not user or not user.isascii() or not domain:
        raise wrong
    try:
        return Address(clean(name, LONGEST_HEADER), user, domain.encode("idna").decode())
    except (ValueError, IndexError):
        raise wrong from None


async def _goodbye(client: aiosmtplib.SMTP) -> None:
    """The mail is taken or not: how the connection ends changes nothing."""
    if client.is_connected:
        with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
            async with asyncio.timeout(GOODBYE_S):
                await client.quit()
    client.close()
