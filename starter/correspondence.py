"""Mails that other applications ask for: to a user of their own tenant and nobody else, in plain words.

what is asked ─▶ addressee, or refused ─▶ words without markup ─▶ letters ─▶ notice
"""

import re
from collections.abc import Iterator
from datetime import datetime
from html import unescape

import nh3
from temporalio.client import Client

from activities.plain import clean
from activities.store.letters import LetterStore
from schemas.base import Email, RowId, TenantId
from schemas.notices import NoticeKind, NoticeOrder, letter_key
from schemas.payloads import MessageRequested
from starter import start
from workflows import policies

LONGEST_SUBJECT = 200
LONGEST_LINE = 2000
LONGEST_BODY = 20_000

# HTML beyond this is not looked at: more than a person reads, and a page can be nested so that it takes a while.
LONGEST_PAGE = 30_000
UNSEEN = {"script", "style", "template", "title", "noscript", "svg", "iframe", "object"}
LINES = {
    *("address", "article", "blockquote", "br", "dd", "div", "dl", "dt", "footer", "h1", "h2", "h3", "h4", "h5", "h6"),
    *("header", "hr", "li", "main", "ol", "p", "pre", "section", "table", "tr", "ul"),
}
_TAG = re.compile(r"<[^>]*>")


class UnknownAddresseeError(Exception):
    """Nobody of this tenant has the address that `to` names."""

    field = "to"

    def __init__(self) -> None:
        super().__init__("must be the address of a user of this tenant")


async def addressee(letters: LetterStore, tenant_id: TenantId, to: Email) -> RowId:
    """Who is meant. UnknownAddresseeError for everybody else."""
    user_id = await letters.addressee(tenant_id, to)
    if user_id is None:
        raise UnknownAddresseeError
    return user_id


async def order(
    client: Client,
    letters: LetterStore,
    tenant_id: TenantId,
    letter_id: RowId,
    asked: MessageRequested,
    now: datetime,
) -> str:
    """Have a mail sent; the id of the workflow that does it. UnknownAddresseeError when it may not be.

    Safe to run twice: `letter_id` is the received event's, which has one letter, which is sent once.
    """
    user_id = await addressee(letters, tenant_id, asked.to)
    await letters.write(tenant_id, letter_id, user_id, clean(asked.subject, LONGEST_SUBJECT), words(asked), now)
    key = letter_key(letter_id)
    notice = NoticeOrder(tenant_id=tenant_id, key=key, kind=NoticeKind.LETTER, user_id=user_id, letter_id=letter_id)
    return await start.notice(client, notice, after=policies.LETTER_AFTER)


def words(asked: MessageRequested) -> str:
    """What it says, as lines of plain text: no markup, nothing that is not seen, no more than a person reads."""
    for text in _texts(asked):
        lines = [clean(line, LONGEST_LINE) for line in text.splitlines()]
        if said := re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip():
            return said[:LONGEST_BODY].rstrip()
    return ""


def _texts(asked: MessageRequested) -> Iterator[str]:
    """HTML is looked into when there is nothing else: that takes time."""
    yield asked.text
    yield asked.body
    yield _without_markup(asked.html)


def _without_markup(page: str) -> str:
    """The text of a page as it is seen, a line for each of its blocks. Where a line of the source ends says nothing."""
    seen = nh3.clean(" ".join(page[:LONGEST_PAGE].split()), tags=LINES, attributes={}, clean_content_tags=UNSEEN)
    return unescape(re.sub(r"\s*\n\s*", "\n", _TAG.sub("\n", seen)))
