"""The hostile corpus at every way out, after the whole way in: nothing runs, loads, breaks out or gets a header.

There is no CSV export to look at.
"""

import asyncio
import email
import email.policy
import os
import pty
import re
import sys
from contextlib import suppress
from email.message import EmailMessage
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from schemas.briefs import Brief
from starter.links import Links, outside
from starter.show.markdown import markdown
from starter.show.page import page
from starter.web.app import listening
from tests.cli.conftest import environment
from tests.hostile.conftest import Week
from tests.hostile.corpus import MODEL, SECRETS, hidden
from tests.web.browser import CHROMIUM, browsing
from tests.web.conftest import Shelf, app_of, settings
from tests.web.reading import assert_inert, read
from tests.web.samples import TENANT, shortened

HEADERS = [
    *("From", "To", "Subject", "Message-ID", "Date", "List-Id", "List-Unsubscribe", "Auto-Submitted"),
    *("X-Auto-Response-Suppress", "In-Reply-To", "References", "MIME-Version", "Content-Type"),
]


def sources(brief: Brief) -> set[str]:
    """Where a brief may lead."""
    return {link.url for piece in brief.evidence if (link := outside(piece.url))}


def test_each_meeting_got_a_brief_that_is_worth_looking_at(week: Week) -> None:
    assert len(week.briefs) == len(week.mails) == len(MODEL)
    for brief in week.briefs:
        assert brief.claims
        assert brief.evidence
        assert len(brief.subjects) >= 8
        assert sum(brief.dropped.values()) >= 1


def test_the_page_is_inert(week: Week) -> None:
    for brief in week.briefs:
        for standalone in (True, False):
            html = page(brief, standalone=standalone)
            reader = assert_inert(re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL) if standalone else html)
            assert not {letter for letter in html if letter != "\n"} & hidden(html)
            links = {link for link in reader.all("href") if link.startswith("http")}
            assert links <= sources(brief)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed here")
async def test_a_browser_runs_nothing_and_asks_for_nothing(week: Week, tmp_path: Path) -> None:
    shelf = Shelf()
    async with listening(app_of(shelf), 0) as port:
        base = f"http://127.0.0.1:{port}"
        async with browsing(tmp_path, base, {}) as tab:
            for brief in week.briefs:
                link = Links(settings(web_url=base)).brief(TENANT, shelf.put(brief).id)
                await tab.visit(link)
                assert await tab.says("document.title") == shortened(brief.title)
                assert await tab.says("document.scripts.length + document.images.length + frames.length") == 0
                asked = {one.partition("?")[0].removeprefix(base) for one in tab.asked}
                assert {one for one in asked if not one.startswith("/static/")} == {f"/briefs/{brief.id}"}


def parsed(mail: dict[str, str]) -> EmailMessage:
    return email.message_from_bytes(mail["raw"].encode(), EmailMessage, policy=email.policy.default)


def test_a_mail_has_our_headers_and_no_other(week: Week) -> None:
    for mail in week.mails:
        message = parsed(mail)
        assert sorted(message.keys()) == sorted(HEADERS)
        assert not message.defects
        assert mail["rcpt_tos"] == [week.stage.user.email]
        assert [address.addr_spec for address in message["To"].addresses] == [week.stage.user.email]
        assert not any(hidden(str(value)) for value in message.values())
        for part in message.walk():
            assert set(part.keys()) <= {*HEADERS, "Content-Transfer-Encoding"}
            assert not part.defects


def test_a_mail_leads_to_our_pages_and_loads_nothing(week: Week) -> None:
    for mail in week.mails:
        message = parsed(mail)
        html, text = message.get_body(("html",)), message.get_body(("plain",))
        assert html is not None and text is not None
        assert not {*hidden(html.get_content()), *hidden(text.get_content())} - {"\n", "\r"}
        reader = read(html.get_content())
        tags = {tag for tag, _ in reader.elements}
        assert not tags & {"script", "img", "iframe", "object", "form", "base", "svg", "link", "video"}
        links = {link for link in reader.all("href") if link}
        assert links and all(link.startswith("http://127.0.0.1:8080/") for link in links)
        assert not reader.all("src")
        assert not any(name.startswith("on") for _, attributes in reader.elements for name in attributes)


def test_markdown_has_no_link_but_the_sources(week: Week) -> None:
    for brief in week.briefs:
        said = markdown(brief)
        rendered = MarkdownIt("commonmark").render(said)
        assert "<img" not in rendered
        assert "<script" not in rendered
        assert set(re.findall(r'(?:href|src)="([^"]*)"', rendered)) <= {
            url.replace("&", "&amp;") for url in sources(brief)
        }
        tags = set(re.findall(r"<([a-z0-9]+)", rendered))
        assert tags <= {"h1", "h2", "h3", "p", "ul", "ol", "li", "em", "strong", "a", "hr", "br"}
        assert not hidden(said) - {"\n"}


async def on_a_terminal(variables: dict[str, str], *words: str) -> str:
    """What a command sends to a terminal that can do everything."""
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *(str(Path(sys.executable).parent / "greenroom"), *words),
        env={**os.environ, **variables, "TERM": "xterm-256color", "COLORTERM": "truecolor", "COLUMNS": "120"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    parts = []
    with suppress(OSError):
        while part := await asyncio.to_thread(os.read, ours, 65536):
            parts.append(part)
    os.close(ours)
    assert await process.wait() == 0, b"".join(parts).decode()
    return b"".join(parts).decode()


async def test_a_terminal_obeys_nothing_but_our_colours(
    week: Week, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for command in (("brief", "show", week.briefs[0].id), ("brief", "list"), ("brief", "show", week.briefs[1].id)):
        shown = await on_a_terminal(environment(week.stage), *command)
        assert "\x1b[" in shown, "colours, or nothing would be proved"
        left = re.sub(r"\x1b\[[0-9;]*m", "", shown)
        assert not hidden(left) - {"\n", "\r"}, command


async def test_rows_hold_what_a_person_would_see(week: Week) -> None:
    """But for campaigns and users, which were made hostile behind our backs, and answers, kept as they were bought."""
    ours = {"campaigns", "users", "answers", "connections"}
    async with week.stage.database.tenant(week.stage.tenant.id) as connection:
        tables = await connection.fetch(
            """
            SELECT table_name AS t, array_agg(column_name::text) AS columns FROM information_schema.columns
            WHERE table_schema = 'public' AND data_type IN ('text', 'jsonb', 'ARRAY') AND table_name <> 'schema_migrations'
            GROUP BY 1
            """
        )
        found = {
            (table["t"], column, tuple(map(hex, map(ord, strange))))
            for table in tables
            if table["t"] not in ours
            for row in await connection.fetch(f"SELECT {', '.join(table['columns'])} FROM {table['t']}")
            for column, value in row.items()
            if (strange := hidden(str(value)))
        }
        titles = {row["title"] for row in await connection.fetch("SELECT title FROM meetings")}
    assert found == set()
    assert titles
    assert not [title for title in titles for secret in SECRETS if secret in title]


def test_no_model_was_told_how_to_get_into_a_meeting(week: Week) -> None:
    asked = [str(call["request"]) for name in ("anthropic", "perplexity") for call in week.stage.calls(name)]
    assert len(asked) >= 20
    for text in asked:
        assert '"tools"' not in text or "web_search" in text, "data, and no tools"
        assert not [secret for secret in SECRETS if secret in text]
