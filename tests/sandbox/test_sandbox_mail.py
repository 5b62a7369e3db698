"""Mail sent to the sandbox is kept, or refused as ordered."""

import asyncio
import smtplib
import time
from email.message import EmailMessage

import aiohttp
import pytest

from sandbox import Sandbox, running


def message(subject: str = "Your brief") -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "greenroom@sandbox.example", "Ada <ada@lovelace.example>", subject
    mail["Message-ID"] = "<brief-1@sandbox.example>"
    mail.set_content("Good morning, Ada. Café at nine?")
    mail.add_alternative("<p>Good morning, Ada.</p>", subtype="html")
    return mail


async def send(sandbox: Sandbox, mail: EmailMessage, *to: str) -> dict[str, tuple[int, bytes]]:
    def blocking() -> dict[str, tuple[int, bytes]]:
        with smtplib.SMTP("127.0.0.1", sandbox.smtp_port, timeout=5) as client:
            return client.send_message(mail, to_addrs=list(to) or None)

    return await asyncio.to_thread(blocking)


async def test_a_mail_is_kept_and_can_be_read(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    assert await send(sandbox, message("Grüße\u202e"), "ada@lovelace.example", "tomas@brightwater.example") == {}

    async with http.get("/sandbox/mail") as response:
        (short,) = (await response.json())["mail"]
    async with http.get("/sandbox/mail/1") as response:
        mail = await response.json()

    assert short["subject"] == mail["subject"] == "Grüße\u202e"
    assert short["rcpt_tos"] == ["ada@lovelace.example", "tomas@brightwater.example"]
    assert short["message_id"] == "<brief-1@sandbox.example>"
    assert "text" not in short
    assert mail["text"].strip() == "Good morning, Ada. Café at nine?"
    assert mail["html"].strip() == "<p>Good morning, Ada.</p>"
    assert "Message-ID: <brief-1@sandbox.example>" in mail["raw"]


async def test_the_journal_knows_of_each_mail(sandbox: Sandbox) -> None:
    await send(sandbox, message())
    await send(sandbox, message())

    records = sandbox.journal.records(provider="mail")
    assert [(r["path"], r["status"], r["about"]) for r in records] == [("DATA", 250, "<brief-1@sandbox.example>")] * 2
    assert records[0]["request"]["rcpt_tos"] == ["ada@lovelace.example"]


@pytest.mark.parametrize("code", [421, 451, 554])
async def test_data_is_refused(sandbox: Sandbox, code: int) -> None:
    sandbox.faults.put("mail", "status", status=code)

    with pytest.raises(smtplib.SMTPDataError) as caught:
        await send(sandbox, message())
    assert caught.value.smtp_code == code
    assert sandbox.mailbox.all() == []
    await send(sandbox, message())
    assert len(sandbox.mailbox.all()) == 1


async def test_one_recipient_is_refused_and_the_other_served(sandbox: Sandbox) -> None:
    sandbox.faults.put("mail", "status", status=550, at="rcpt", match="tomas")

    refused = await send(sandbox, message(), "ada@lovelace.example", "tomas@brightwater.example")

    assert refused["tomas@brightwater.example"][0] == 550
    assert sandbox.mailbox.all()[0]["rcpt_tos"] == ["ada@lovelace.example"]


async def test_all_recipients_are_refused(sandbox: Sandbox) -> None:
    sandbox.faults.put("mail", "status", status=450, at="rcpt", times=None)

    with pytest.raises(smtplib.SMTPRecipientsRefused):
        await send(sandbox, message())
    assert sandbox.journal.records(provider="mail")[0]["status"] == 450


@pytest.mark.parametrize("at", ["rcpt", "data"])
async def test_the_connection_is_dropped_and_nothing_kept(sandbox: Sandbox, at: str) -> None:
    sandbox.faults.put("mail", "drop", at=at)

    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
        await send(sandbox, message())
    assert sandbox.mailbox.all() == []
    assert sandbox.journal.records()[0]["fault"] == "drop"


async def test_a_lost_reply_is_a_mail_that_was_kept(sandbox: Sandbox) -> None:
    sandbox.faults.put("mail", "lost_reply")

    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
        await send(sandbox, message())
    assert len(sandbox.mailbox.all()) == 1


async def test_a_slow_mail_is_kept_later(sandbox: Sandbox) -> None:
    sandbox.faults.put("mail", "slow", seconds=0.3)
    before = time.monotonic()

    await send(sandbox, message())

    assert time.monotonic() - before >= 0.3
    assert len(sandbox.mailbox.all()) == 1


async def test_it_stops_while_a_client_is_still_connected() -> None:
    async with running() as sandbox:
        client = await asyncio.to_thread(smtplib.SMTP, "127.0.0.1", sandbox.smtp_port, timeout=5)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        await asyncio.to_thread(client.noop)
    client.close()
