"""A mailbox behind SMTP: takes every message, sends none on, and can be told to refuse.

It runs on a thread of its own, so a client that blocks is served as well as one that does not.
"""

import asyncio
import email
import email.policy
import logging
from collections.abc import Mapping
from email.message import EmailMessage
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from sandbox.clock import Clock
from sandbox.faults import Fault, Faults
from sandbox.journal import Entry, Journal

# The server reports each dropped connection; here they are dropped on purpose.
logging.getLogger("mail.log").setLevel(logging.CRITICAL)

REASONS = {
    421: "Service not available",
    450: "Mailbox busy",
    451: "Try again later",
    550: "No such user",
    554: "Rejected",
}


class Mailbox:
    """Every message that was accepted, in order. The server's thread adds, everybody else reads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: list[dict[str, Any]] = []

    def keep(self, envelope: Envelope) -> None:
        message = _parsed(envelope)
        headers = [{"name": name, "value": str(value)} for name, value in message.items()]
        record = {
            "n": len(self._kept) + 1,
            "received": self._clock.now().isoformat(),
            "mail_from": envelope.mail_from,
            "rcpt_tos": list(envelope.rcpt_tos),
            "message_id": _header(message, "Message-ID"),
            "subject": _header(message, "Subject"),
            "headers": headers,
            "text": _part(message, "plain"),
            "html": _part(message, "html"),
            "raw": _raw(envelope).decode(errors="replace"),
        }
        self._kept.append(record)

    def all(self) -> list[dict[str, Any]]:
        """Short forms, without what was said."""
        long = {"headers", "text", "html", "raw"}
        return [{name: value for name, value in record.items() if name not in long} for record in list(self._kept)]

    def get(self, number: int) -> dict[str, Any] | None:
        return self._kept[number - 1] if 0 < number <= len(self._kept) else None


class Handler:
    """One SMTP conversation after another, with the faults that are waiting for it."""

    def __init__(self, mailbox: Mailbox, faults: Faults, journal: Journal, delays: Mapping[str, float]) -> None:
        self._mailbox = mailbox
        self._faults = faults
        self._journal = journal
        self._delays = delays

    async def handle_RCPT(  # noqa: N802  the name is aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        fault = self._faults.take("mail", address, at="rcpt")
        if fault is None:
            envelope.rcpt_tos.append(address)
            envelope.rcpt_options.extend(options)
            return "250 2.1.5 Ok"
        with self._journal.call("mail", "RCPT", address.encode(), "rcpt", {"rcpt_to": address}) as entry:
            reply = await _play(fault, server, entry)
            if reply == ACCEPTED:
                envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        raw, message = _raw(envelope), _parsed(envelope)
        about = {
            "mail_from": envelope.mail_from,
            "rcpt_tos": list(envelope.rcpt_tos),
            "message_id": _header(message, "Message-ID"),
            "subject": _header(message, "Subject"),
        }
        with self._journal.call("mail", "DATA", raw, _header(message, "Message-ID"), about) as entry:
            await asyncio.sleep(self._delays.get("mail", 0))
            fault = self._faults.take("mail", raw.decode(errors="replace"))
            if fault is None or fault.kind in {"slow", "lost_reply"}:
                self._mailbox.keep(envelope)
            return await _play(fault, server, entry)


ACCEPTED = "250 2.0.0 Ok: kept"


async def _play(fault: Fault | None, server: SMTP, entry: Entry) -> str:
    """The reply, after whatever the fault does to the conversation."""
    entry.fault = fault.kind if fault else None
    if fault and fault.kind == "slow":
        await asyncio.sleep(fault.seconds)
    if fault and fault.kind in {"drop", "lost_reply"}:
        cast(asyncio.Transport, server.transport).abort()
        return ACCEPTED
    reply = f"{fault.status} {REASONS.get(fault.status or 0, 'Refused')}" if fault and fault.status else ACCEPTED
    entry.status, entry.answer_bytes = int(reply[:3]), len(reply) + 2
    return reply


class MailServer(Controller):
    """Listens on loopback; `port` is the real one once started, also when 0 was asked for."""

    def __init__(self, handler: Handler, port: int) -> None:
        super().__init__(handler, hostname="127.0.0.1", port=port, decode_data=False, ident="sandbox")

    def _trigger_server(self) -> None:
        self.port = cast(asyncio.Server, self.server).sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


def _raw(envelope: Envelope) -> bytes:
    content = envelope.content or b""
    return content if isinstance(content, bytes) else content.encode(errors="replace")


def _parsed(envelope: Envelope) -> EmailMessage:
    return email.message_from_bytes(_raw(envelope), EmailMessage, policy=email.policy.default)


def _header(message: EmailMessage, name: str) -> str | None:
    value = message.get(name)
    return None if value is None else str(value)


def _part(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body((kind,))
    return str(part.get_content()) if part else None
