"""Letters say the same as text and as HTML, and nothing that a stranger wrote does anything in them."""

import re
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from html.parser import HTMLParser
from typing import Any

import pytest

from activities.providers.smtp import Server, Smtp, sender_address
from activities.ways import Mail
from schemas.briefs import Brief
from schemas.digests import DigestView
from schemas.notices import Matter, NoticeKind, NoticeOrder
from schemas.settings import Settings
from starter.show.letters import Letters, countdown
from tests.digests.samples import morning
from tests.web.samples import CORPUS, TENANT, hostile, rich, row

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
CRLF = "Call\r\nBcc: everybody@evil.example\r\n\r\n<script>x</script>"


def letters() -> Letters:
    return Letters(Settings(link_key="k" * 64, mail_from="Greenroom <mail@greenroom.example>", _env_file=None))  # type: ignore[call-arg]


def matter(kind: NoticeKind, **changes: Any) -> Matter:
    order = NoticeOrder(tenant_id=TENANT, key=f"{kind.value}/1", kind=kind, meeting_id=row("meeting"))
    values: dict[str, Any] = {
        "order": order,
        "message_id": letters().message_id(order),
        "to": "robin@harbour.example",
        "time_zone": "Europe/Berlin",
        "title": "First call",
        "meeting_id": row("meeting"),
        "research_id": row("meeting"),
        "starts_at": NOW + timedelta(hours=1),
        "failed_step": "look-up",
        "failure_reason": "look-up: no source came back",
        "account": "robin@harbour.example",
        "connection": "reauth_required",
        "dark_since": NOW - timedelta(hours=3),
        "call_id": row("call"),
        "subject": "Your report",
        "body": "It is ready.\n\nSee you.",
        "application": "Shipping desk",
        "digest_id": row("digest"),
        "digest": "ready",
        "skill_run_id": row("run"),
        "skill": "follow-up",
        "run": "completed",
        "preview": "# Thank you\n\nIt was good to meet you.",
        "channel": "telegram",
        "channel_label": "My phone",
        "channel_status": "off",
        "channel_reason": "the bot was blocked there",
        "sandbox": True,
    }
    return Matter(**{**values, **changes})


def composed(kind: NoticeKind, about: Brief | DigestView | None = None, **changes: Any) -> Mail:
    told = {NoticeKind.BRIEF: rich, NoticeKind.DIGEST: morning}.get(kind, lambda: None)
    return letters().compose(matter(kind, **changes), about or told(), NOW)


class Reader(HTMLParser):
    """The text of a page as a reader sees it, and where its links lead."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self._head = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._head = tag == "title"
        self.seen += [value for name, value in attrs if name == "href" and value]

    def handle_endtag(self, tag: str) -> None:
        self._head = False

    def handle_data(self, data: str) -> None:
        self.seen += [] if self._head else [data]


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text)) - {"Greenroom"}


def of_text(mail: Mail) -> set[str]:
    return words(mail.text)


def of_html(mail: Mail) -> set[str]:
    return words(" ".join(Reader(mail.html).seen))


@pytest.mark.parametrize("kind", list(NoticeKind))
def test_text_and_html_say_the_same(kind: NoticeKind) -> None:
    mail = composed(kind)
    assert of_text(mail) == of_html(mail)
    assert "sandbox data" in mail.subject and "sandbox data" in mail.text and "sandbox data" in mail.html


def test_a_brief_is_all_there_with_numbered_sources() -> None:
    mail, brief = composed(NoticeKind.BRIEF), rich()
    for claim in brief.claims:
        assert claim.text in mail.text
    assert "[1]" in mail.text
    assert mail.subject == f"[sandbox data] In 60 minutes (16:00): {brief.title}"
    assert f"/briefs/{brief.id}?t=" in mail.text and f"/briefs/{brief.id}?t=" in mail.html


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (NoticeKind.RESEARCH_FAILED, f"/meetings/{row('meeting')}"),
        (NoticeKind.RECONNECT, "/calendars"),
        (NoticeKind.CALENDAR_DARK, "/calendars"),
        (NoticeKind.CALL_FAILED, f"/calls/{row('call')}"),
        (NoticeKind.DIGEST, f"/digests/{row('digest')}"),
        (NoticeKind.SKILL, f"/skills/runs/{row('run')}"),
        (NoticeKind.SKILL_SLOW, f"/skills/runs/{row('run')}"),
        (NoticeKind.CHANNEL_OFF, "/preferences"),
    ],
)
def test_each_says_where_it_is_mended(kind: NoticeKind, said: str) -> None:
    mail = composed(kind)
    assert said in mail.text and said in mail.html


def test_who_asked_ad_hoc_is_told_the_command() -> None:
    mail = composed(NoticeKind.RESEARCH_FAILED, meeting_id=None, starts_at=None)
    assert f"greenroom retry {row('meeting')}" in mail.text
    assert "/meetings/" not in mail.text


def test_mails_of_one_meeting_stand_together_and_each_is_itself() -> None:
    one, other = composed(NoticeKind.BRIEF), composed(NoticeKind.RESEARCH_FAILED)
    assert one.headers["References"] == other.headers["References"] == one.headers["In-Reply-To"]
    assert one.message_id != other.message_id
    assert re.fullmatch(r"<[0-9a-f]{40}@greenroom\.example>", one.message_id)
    assert "List-Unsubscribe-Post" not in one.headers, "one click is not served"


@pytest.mark.parametrize("text", [CRLF, *CORPUS.values()], ids=["crlf", *CORPUS])
@pytest.mark.parametrize("kind", list(NoticeKind))
def test_nothing_hostile_does_anything(kind: NoticeKind, text: str) -> None:
    about = {NoticeKind.BRIEF: hostile, NoticeKind.DIGEST: morning}.get(kind, lambda _: None)(text)
    theirs = {"subject": text, "body": text, "application": text, "skill": text, "preview": text, "channel_label": text}
    mail = composed(kind, about, title=text, account=text, failure_reason=text, **theirs)
    message = Smtp("smtp://localhost:1", sender="Greenroom <g@greenroom.example>")._message(mail)
    read = message_from_bytes(bytes(message), policy=policy.default)

    ours = {"from", "to", "subject", "message-id", "mime-version", "content-type"}
    assert {name.lower() for name in read.keys()} == ours | {name.lower() for name in mail.headers}  # noqa: SIM118
    assert read["To"].addresses[0].addr_spec == "robin@harbour.example"
    assert not re.search(r"[\r\n\u200b\u202e\u2066\U000e0000-\U000e007f]", str(read["Subject"]))
    assert not re.search(r"[\u200b\u202e\u2066\x1b\U000e0000-\U000e007f]", mail.text + mail.html)
    for tag in ("<script", "<img", "<svg", "<iframe", "<base", "<style", "<meta http-equiv=refresh"):
        assert tag not in mail.html
    assert set(re.findall(r'(?:href|src)="(https?://[^/"]+)', mail.html)) == {"http://127.0.0.1:8080"}
    assert of_text(mail) == of_html(mail)


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (timedelta(minutes=60), "In 60 minutes (15:00)"),
        (timedelta(minutes=59, seconds=50), "In 60 minutes (14:59)"),
        (timedelta(minutes=1), "In 1 minute (14:01)"),
        (timedelta(0), "Now (14:00)"),
        (timedelta(minutes=-5), "Now (13:55)"),
        (timedelta(hours=5), "Today at 19:00"),
        (timedelta(hours=24), "Tomorrow at 14:00"),
        (timedelta(days=3), "Thu 26 Nov, 14:00"),
    ],
)
def test_when_is_said_as_one_says_it(before: timedelta, said: str) -> None:
    assert countdown(NOW, NOW + before, "UTC") == said


@pytest.mark.parametrize(
    "url", ["", "http://mail.example", "smtp://", "smtp://host:99999", "smtp://u:secret@h/x", "nonsense"]
)
def test_an_address_of_no_server_is_refused_without_quoting_it(url: str) -> None:
    with pytest.raises(ValueError, match="GREENROOM_SMTP_URL must look like") as raised:
        Server.parse(url)
    assert "secret" not in str(raised.value)


def test_only_this_machine_is_spoken_to_in_plain_text() -> None:
    assert Server.parse("smtp://mail.example").start_tls
    assert (Server.parse("smtp://mail.example").port, Server.parse("smtps://mail.example").port) == (587, 465)
    assert not Server.parse("smtp://127.0.0.1:8925").start_tls
    assert Server.parse("smtps://mail.example").tls
    assert "pw" not in repr(Server.parse("smtp://u:pw@mail.example"))


@pytest.mark.parametrize("text", ["", "Greenroom", "a@", "@b", "grün@x.example", "a@b@c d"])
def test_a_sender_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="GREENROOM_MAIL_FROM must look like"):
        sender_address(text)


def test_a_domain_of_any_letters_has_a_name_in_ascii() -> None:
    mail = composed(NoticeKind.RECONNECT, to="ada@grün.example")
    assert Smtp("smtp://localhost:1", sender="g@x.example")._message(mail)["To"] == "ada@xn--grn-ioa.example"
