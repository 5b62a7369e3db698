"""Mails that other applications ask for, and of calls that could not be read: to whom they go, and what they say."""

import time
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from activities.notices import unwanted
from activities.store.letters import LetterStore
from schemas.events import MessageRequested
from schemas.notices import NoticeKind, NoticeOrder, letter_key, unread_key
from starter import correspondence
from starter.correspondence import LONGEST_BODY, UnknownAddresseeError, words
from tests.notices.post import Post
from tests.notices.test_letters import NOW, composed, matter, of_html, of_text
from tests.web.samples import CORPUS
from workflows import ids

PAGE = """
<html><head><title>Unseen</title><style>p { color: red }</style><script>alert("unseen")</script></head>
<body><h1>Your report</h1><p>Ready &amp; <b>waiting</b>,<br>as you
asked.</p><ul><li>one</li><li>two</li></ul><img src="https://evil.example/pixel.png" alt="">
<a href="https://evil.example/?t=1">See it</a></body></html>
"""


def asked(to: str = "robin@harbour.example", subject: str = "Your report", **said: str) -> MessageRequested:
    return MessageRequested(to=to, subject=subject, **said)


def test_html_becomes_the_words_that_are_seen() -> None:
    said = words(asked(html=PAGE)).split("\n")
    assert [line for line in said if line] == [
        *("Your report", "Ready & waiting,", "as you asked.", "one", "two", "See it")
    ]


@pytest.mark.parametrize(
    ("said", "words_"),
    [
        ({"text": "first", "body": "second", "html": "<p>third"}, "first"),
        ({"text": " \n ", "body": "second"}, "second"),
        ({"body": "a\r\n\r\n\r\n\r\nb"}, "a\n\nb"),
        ({"html": "<script>only"}, ""),
        ({"html": "a < b & c > d"}, "a < b & c > d"),
        ({"html": "<p>unclosed <b>bold<p>next"}, "unclosed bold\nnext"),
        ({"html": "<div>" * 5000 + "deep"}, "deep"),
        ({"html": "a<!-- unseen <p>this</p> too -->b<!-->c"}, "abc"),
        ({"html": "<SCRIPT>unseen<p></SCRIPT >seen<style/>not"}, "seen"),
        ({"html": "<script>x<script>unseen</script>seen"}, "seen"),
        ({"html": "<!doctype html><?php unseen ?>seen"}, "seen"),
        ({}, ""),
    ],
)
def test_its_words_are_the_first_that_say_anything(said: dict[str, str], words_: str) -> None:
    assert words(asked(**said)) == words_


@pytest.mark.parametrize("text", CORPUS.values(), ids=list(CORPUS))
def test_no_words_of_theirs_are_markup_or_unseen(text: str) -> None:
    for said in (words(asked(text=text)), words(asked(html=text))):
        mail = composed(NoticeKind.LETTER, subject="Report", body=said, application=text)
        assert of_text(mail) == of_html(mail)
        for tag in ("<script", "<img", "<svg", "<iframe", "<style>"):
            assert tag not in mail.html


@pytest.mark.parametrize(
    "unit", ["<", "<!", "<!--", "<a ", "</", "<a b='", "&#", "<script>", "<script></scrip", "<p>", "<div>"]
)
def test_a_page_that_is_made_to_be_read_for_long_is_not(unit: str) -> None:
    begun = time.monotonic()
    words(asked(html=unit * (400_000 // len(unit))))
    assert time.monotonic() - begun < 5


def test_a_letter_is_no_longer_than_a_person_reads() -> None:
    assert len(words(asked(text="word " * 50_000))) <= LONGEST_BODY


def test_a_letter_says_what_it_is_and_who_asked_for_it() -> None:
    mail = composed(NoticeKind.LETTER, subject="Your report", body="Ready.\n\nSee you.", application="Shipping desk")
    assert mail.subject == "[sandbox data] Your report"
    for said in ("Ready.", "See you.", "Shipping desk", "asked Greenroom to send it"):
        assert said in mail.text and said in mail.html
    assert "an application of yours" in composed(NoticeKind.LETTER, subject="s", body="", application="").text


def test_a_call_that_could_not_be_read_says_why_and_leads_there() -> None:
    call_id = str(uuid4())
    reason = {"title": "Second call", "failed_step": "fetch", "failure_reason": "fetch: no transcript came"}
    mail = composed(NoticeKind.CALL_FAILED, call_id=call_id, meeting_id=None, research_id=None, **reason)
    for said in ("Second call", "The reason: no transcript came", f"/calls/{call_id}", "23 November 2026"):
        assert said in mail.text and said in mail.html


@pytest.mark.parametrize(
    ("kind", "changes", "why"),
    [
        (NoticeKind.CALL_FAILED, {"call": "failed"}, ""),
        (NoticeKind.CALL_FAILED, {"call": "failed", "calls_by_mail": False}, "calls are not wanted by mail"),
        (NoticeKind.CALL_FAILED, {"call": "parsed"}, "the call has not failed"),
        (NoticeKind.CALL_FAILED, {"call": "parsing"}, "the call has not failed"),
        (NoticeKind.LETTER, {"subject": "Report"}, ""),
        (NoticeKind.LETTER, {"subject": ""}, "there is no letter"),
    ],
)
def test_what_nobody_is_to_hear_of(kind: NoticeKind, changes: dict[str, Any], why: str) -> None:
    assert unwanted(matter(kind, **changes), NOW) == why


async def test_a_mail_goes_to_a_user_of_this_tenant_once(post: Post) -> None:
    await post.sql("UPDATE users SET email = $1", post.address)
    letters, letter_id, tenant_id = LetterStore(post.stage.database), str(uuid4()), post.stage.tenant.id
    await _event(post, letter_id, "Shipping desk")
    mail = asked(post.address.upper(), "Your\u202e report", html=PAGE)
    async with post.stage.working():
        for _ in range(2):
            workflow_id = await correspondence.order(
                post.stage.temporal, letters, tenant_id, letter_id, mail, datetime.now(UTC)
            )
            await post.stage.temporal.get_workflow_handle(workflow_id).result()
    assert workflow_id == ids.notice(tenant_id, letter_key(letter_id))
    (sent,) = post.mails()
    assert sent["subject"] == "[sandbox data] Your report"
    assert "Ready & waiting," in sent["text"] and "Shipping desk" in sent["text"]
    assert "evil.example" not in sent["html"]
    assert (await post.row(letter_key(letter_id)))["letter_id"] == letter_id
    history = (await post.stage.temporal.get_workflow_handle(workflow_id).fetch_history()).to_json()
    assert post.address not in history and "report" not in history


async def _event(post: Post, received_id: str, application: str) -> None:
    """What asked for the mail, and with whose key it came."""
    key_id = str(uuid4())
    await post.sql(
        """
        INSERT INTO event_keys (tenant_id, id, name, key_hash, key_id, sealed, created_at)
        VALUES (current_tenant(), $1, $2, convert_to($1::uuid::text, 'UTF8'), 'key', '', $3)
        """,
        key_id,
        application,
        NOW,
    )
    await post.sql(
        """
        INSERT INTO received (tenant_id, id, key, name, event_key_id, state, received_at)
        VALUES (current_tenant(), $1, 'key', 'mail/message.requested', $2, 'done', $3)
        """,
        received_id,
        key_id,
        NOW,
    )


@pytest.mark.parametrize("to", ["somebody@nowhere.example", "robin@harbour.example.evil.example"])
async def test_a_mail_to_anybody_else_is_refused_and_nothing_is_kept(post: Post, to: str) -> None:
    """Not even to a user of another tenant: each stage has one of the same name."""
    await post.sql("UPDATE users SET email = $1", post.address)
    letters = LetterStore(post.stage.database)
    with pytest.raises(UnknownAddresseeError, match="a user of this tenant"):
        await correspondence.order(
            post.stage.temporal, letters, post.stage.tenant.id, str(uuid4()), asked(to), datetime.now(UTC)
        )
    assert UnknownAddresseeError.field == "to"
    assert await post.stage.count("letters") == 0


async def _failed_call(post: Post, status: str = "failed") -> str:
    call_id = str(uuid4())
    await post.sql("UPDATE users SET email = $1", post.address)
    await post.sql(
        """
        INSERT INTO calls (tenant_id, id, source, source_key, title, started_at, user_id, status, failed_step,
          failure_reason, version, sandbox, created_at)
        VALUES (current_tenant(), $1, 'upload', $2, 'Second call', $3, $4, $5, 'parse', 'parse: nothing was said in it', 1,
          false, $3)
        """,
        call_id,
        call_id,
        NOW,
        post.stage.user.id,
        status,
    )
    return call_id


@pytest.mark.parametrize(
    ("status", "wanted", "ends"), [("failed", True, "sent"), ("failed", False, "skipped"), ("parsed", True, "skipped")]
)
async def test_whose_call_it_is_hears_that_it_could_not_be_read(
    post: Post, status: str, wanted: bool, ends: str
) -> None:
    """The order names the call alone: its row says whose it is."""
    call_id = await _failed_call(post, status)
    await post.sql("UPDATE users SET calls_by_mail = $1", wanted)
    key, kind = unread_key(call_id, 1), NoticeKind.CALL_FAILED
    async with post.stage.working():
        sent = await post.send(NoticeOrder(tenant_id=post.stage.tenant.id, key=key, kind=kind, call_id=call_id))
    assert sent.status == ends
    assert len(post.mails()) == (ends == "sent")
    if ends == "sent":
        assert "Second call" in post.mails()[0]["subject"] and "nothing was said in it" in post.mails()[0]["text"]
        assert (await post.row(key))["call_id"] == call_id
