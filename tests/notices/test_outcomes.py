"""Whatever a mail server does, a notice ends: sent, or failed with the reason, after as many tries as the policy has."""

import asyncio
import socket
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from aiosmtpd.handlers import Sink
from aiosmtpd.smtp import SMTP as Server  # noqa: N811
from temporalio.exceptions import ApplicationError

from activities.providers.smtp import Smtp
from activities.ways import Mail
from schemas.notices import NoticeKind, Sent
from tests.notices.post import Post
from workflows import policies

TRIES = policies.SEND["retry_policy"].maximum_attempts


@dataclass(frozen=True)
class Case:
    """A fault, how often it happens, and what becomes of the notice: tries that the server saw, mails that it kept."""

    name: str
    kind: str
    settings: dict[str, Any] = field(default_factory=dict)
    times: int | None = 1
    status: str = "sent"
    reason: str = ""
    tries: int = 2
    mails: int = 1


def refused(code: int, at: str, what: str) -> Case:
    return Case(
        f"{code} at {at}",
        "status",
        {"status": code, "at": at},
        times=None,
        status="failed",
        reason=f"smtp said {code} to the {what}",
        tries=TRIES if code < 500 else 1,
        mails=0,
    )


CASES = [
    *(refused(code, "rcpt", "recipient") for code in (450, 451, 452, 550, 553)),
    *(refused(code, "data", "message") for code in (421, 451, 452, 552, 554)),
    Case("450 once", "status", {"status": 450, "at": "rcpt"}),
    Case("452 once", "status", {"status": 452}),
    Case("dropped once at rcpt", "drop", {"at": "rcpt"}),
    Case("dropped once", "drop"),
    Case("dropped always", "drop", times=None, status="failed", reason="did not answer", tries=TRIES, mails=0),
    # The server kept both: SMTP cannot know, and the second has the same Message-ID.
    Case("reply lost once", "lost_reply", mails=2),
    Case("slow, but in time", "slow", {"seconds": 0.3}, tries=1),
]


@pytest.fixture(autouse=True)
def short_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tries are those of the policy, the pauses between them are not."""
    retry = policies.SEND["retry_policy"]
    monkeypatch.setattr(retry, "initial_interval", timedelta(milliseconds=200))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_an_outcome_is_what_the_table_says(post: Post, case: Case) -> None:
    order = post.order(await post.failed_meeting())
    marked = {"match": post.address} if case.settings.get("at") == "rcpt" or case.kind != "status" else {}
    post.stage.sandbox.faults.put("mail", case.kind, times=case.times, **marked, **case.settings)
    async with post.stage.working():
        sent = await post.send(order)

    assert (sent.status, (await post.row(order.key))["status"]) == (case.status, case.status)
    assert case.reason in sent.reason
    assert (post.tries(), len(post.mails())) == (case.tries, case.mails)
    assert len({mail["message_id"] for mail in post.mails()}) == min(case.mails, 1)


async def test_nobody_who_answers_is_tried_as_often_as_the_policy_has(post: Post) -> None:
    order = post.order(await post.failed_meeting())
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"smtp://127.0.0.1:{closed.getsockname()[1]}"
        async with post.stage.working(smtp_url=url):
            handle = await post.begin(order)
            sent = await handle.result()
    assert sent.status == "failed"
    assert sent.reason == "smtp did not answer (SMTPConnectError)"
    started = [e for e in (await handle.fetch_history()).events if e.HasField("activity_task_started_event_attributes")]
    assert started[-1].activity_task_started_event_attributes.attempt == TRIES


async def test_a_server_without_the_sign_in_that_is_set_is_not_asked_twice(post: Post) -> None:
    order = post.order(await post.failed_meeting())
    async with post.stage.working(smtp_url=f"smtp://robin:secret-canary@127.0.0.1:{post.stage.sandbox.smtp_port}"):
        handle = await post.begin(order)
        sent = await handle.result()
    assert sent.reason == "smtp: the server does not offer the TLS or the sign-in that is set"
    assert post.mails() == []
    assert "canary" not in (await handle.fetch_history()).to_json()


async def test_twenty_who_ask_at_once_make_one_mail(post: Post) -> None:
    order = post.order(await post.failed_meeting())
    async with post.stage.working():
        sent = await asyncio.gather(*(post.send(order) for _ in range(20)))
        again = await post.send(order)
    assert {one.status for one in [*sent, again]} == {"sent"}
    assert len(post.mails()) == 1


async def test_a_slow_server_has_the_notice_s_time_and_no_more(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policies, "NOTICE", timedelta(seconds=3))
    order = post.order(await post.failed_meeting())
    post.stage.sandbox.faults.put("mail", "slow", seconds=20, times=None, match=post.address)
    async with post.stage.working(smtp_timeout_s=30):
        began = asyncio.get_running_loop().time()
        sent = await post.send(order)
        took = asyncio.get_running_loop().time() - began
    assert (sent.status, sent.reason) == ("failed", "not done within 3 s")
    assert 2.5 <= took < 8


async def test_waiting_for_a_worker_is_not_the_notice_s_time(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policies, "NOTICE", timedelta(seconds=1))
    order = post.order(await post.failed_meeting())
    handle = await post.begin(order)
    await asyncio.sleep(3)
    async with post.stage.working():
        assert (await handle.result()).status == "sent"


async def test_what_is_not_to_be_sent_is_skipped_and_says_why(post: Post) -> None:
    meeting_id = await post.failed_meeting()
    unsent = post.order(meeting_id)
    async with post.stage.working(sandbox=False, perplexity_api_key="k", anthropic_api_key="k", smtp_url=""):
        assert await post.send(unsent) == Sent(status="skipped", reason="no mail server is configured")
    async with post.stage.working():
        nothing = await post.send(post.order(meeting_id, NoticeKind.BRIEF))
        await post.sql("UPDATE users SET briefs_by_mail = false")
        unwanted = await post.send(post.order(meeting_id, NoticeKind.BRIEF))
        await post.sql("UPDATE meetings SET cancelled = true, withdrawn = 'cancelled'")
        off = await post.send(post.order(meeting_id))
    assert nothing == Sent(status="skipped", reason="there is no brief")
    assert unwanted == Sent(status="skipped", reason="briefs are not wanted by mail")
    assert off == Sent(status="skipped", reason="the meeting is off")
    assert post.mails() == []


async def test_a_user_who_is_gone_fails_nobody(post: Post) -> None:
    order = post.order(await post.failed_meeting()).model_copy(
        update={"user_id": "9" * 8 + "-0000-4000-8000-" + "9" * 12}
    )
    async with post.stage.working():
        assert await post.send(order) == Sent(status="failed", reason="no such user to be told")


BEYOND_ASCII = Mail(to="grün@harbour.example", subject="s", text="t", html="<p>t</p>", message_id="<1@x.example>")


async def test_an_address_beyond_ascii_is_written_to_where_that_is_spoken(post: Post) -> None:
    await Smtp(post.stage.settings().smtp()[0], sender="g@x.example").send(BEYOND_ASCII)
    assert post.stage.sandbox.mailbox.all()[0]["rcpt_tos"] == ["grün@harbour.example"]


async def test_an_address_beyond_ascii_is_refused_for_good_where_it_is_not() -> None:
    async def refuse() -> None:
        with pytest.raises(ApplicationError, match="takes no address with letters beyond ASCII") as raised:
            await Smtp(f"smtp://127.0.0.1:{port}", sender="g@x.example").send(BEYOND_ASCII)
        assert raised.value.non_retryable

    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Server(Sink(), enable_SMTPUTF8=False, loop=loop), "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        await refuse()
