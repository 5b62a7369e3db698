"""Letters as messages: what a channel shows of one, in plain text, short enough to be taken whole.

letter ─▶ headline, what was said, as much as fits, and the one link of ours
"""

import re
from dataclasses import dataclass

from activities.plain import clean
from starter.show.blocks import Block, short
from starter.show.page import LONGEST

# Channels count as UTF-16 does; the shortest takes 4096.
LONGEST_MESSAGE = 4096
# Addresses that strangers wrote, which lead to a page of theirs: a channel would make links of them, which look like ours.
ADDRESSES = re.compile(r"\b[a-z][a-z0-9+.-]*://\S+|\bwww\.\S+|\b(?:[\w-]+\.)+[a-z]{2,}(?::\d+)?[/?#]\S*", re.IGNORECASE)
# What holds the rest of an address together: the name of a host, numbers of one, a mailbox. It stays readable.
JOINTS = re.compile(r"[.@\u3002\uff0e\uff20\uff61](?=\S)")
# Nobody sees it, no line is broken there, and what stands on its two sides is no address.
JOINER = "\u2060"
# Names that would call somebody.
CALLS = re.compile(r"(?<!\w)[@/#](?=\w)")


@dataclass(frozen=True)
class Letter:
    """What a mail says, however it is shown. `button` is the one thing to do: what it is called, and where it leads."""

    subject: str
    headline: str
    when: str = ""
    paragraphs: tuple[str, ...] = ()
    button: tuple[str, str] | None = None
    command: str = ""
    blocks: tuple[Block, ...] = ()


def message(letter: Letter, notice: str) -> str:
    """What of a letter fits a message. Its link is whole, or it would lead nowhere."""
    head = "\n".join(part for part in (notice, plainly(short(letter.headline)), plainly(letter.when)) if part)
    link = f"{letter.button[0]}: {letter.button[1]}" if letter.button else ""
    said = "\n\n".join(filter(None, map(plainly, letter.paragraphs)))
    left = LONGEST_MESSAGE - _length(head) - _length(link) - 4
    return "\n\n".join(part for part in (head, _cut(said, left), link) if part)


def plainly(text: str) -> str:
    """On one line, with nothing in it that a channel makes a link or a call of.

    Cleaned first: there is no joiner but ours.
    """
    return JOINTS.sub(rf"\g<0>{JOINER}", CALLS.sub("", ADDRESSES.sub("(a link)", clean(text, LONGEST))))


def _cut(text: str, most: int) -> str:
    """The beginning of it; characters beyond the first plane count twice."""
    if _length(text) <= most:
        return text
    return text.encode("utf-16-le")[: 2 * (most - 1)].decode("utf-16-le", errors="ignore").rstrip() + "…"


def _length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
