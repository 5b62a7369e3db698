"""What a channel shows of a letter: all of it that fits, one link that is ours, and nothing that calls or leads away."""

import re

import pytest

from schemas.notices import NoticeKind
from starter.show.messages import LONGEST_MESSAGE, Letter, message, plainly
from tests.notices.test_letters import NOW, letters, matter
from tests.web.samples import CORPUS, row

SKILLS = (NoticeKind.SKILL, NoticeKind.SKILL_SLOW, NoticeKind.CHANNEL_OFF)
OURS = "http://127.0.0.1:8080/"


def said(kind: NoticeKind, **changes: object) -> str:
    return letters().message(matter(kind, **changes), None, NOW)


def length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def test_what_was_written_is_begun_and_led_to() -> None:
    text = said(NoticeKind.SKILL)
    assert "follow-up is written" in text and "It was good to meet you." in text and "sandbox data" in text.lower()
    assert text.endswith(f"{OURS}skills/runs/{row('run')}")
    assert "sandbox" not in said(NoticeKind.SKILL, sandbox=False).lower()


def test_a_preview_that_was_cut_says_so() -> None:
    assert "…" in said(NoticeKind.SKILL, preview="word " * 100)
    assert "…" not in said(NoticeKind.SKILL, preview="word " * 99)


MARKED = """# Plan

## First *steps*

- **Call** them, see [their page](https://evil.example)
1. `Write`

> quoted

| who | when |
|-----|------|
| Kim | Monday |

---

```
code
```
"""


def test_a_preview_is_plain() -> None:
    text = said(NoticeKind.SKILL, preview=MARKED)
    lines = text[text.index("Plan") : text.index("Read all")].split("\n\n")[:-1]
    read = ["Plan", "First steps", "Call them, see their page", "Write", "quoted"]
    assert lines == [*read, "who · when", "Kim · Monday", "code"]


def test_a_preview_that_was_cut_within_marks_is_plain() -> None:
    text = said(NoticeKind.SKILL, preview=f"{'word ' * 98}**say so 2 * 3")
    assert "say so 2 * 3" in text and "**" not in text and "…" in text


def test_what_failed_says_why_without_its_step() -> None:
    text = said(NoticeKind.SKILL, run="failed", failed_step="execute", failure_reason="execute: it was refused")
    assert "came to nothing" in text and "The reason: it was refused" in text


@pytest.mark.parametrize("letter", ["x", "\U0001f600", "é\u0301 "])
def test_the_longest_fits_with_its_link(letter: str) -> None:
    one = Letter("s", letter * 500, paragraphs=tuple(letter * 1500 for _ in range(9)), button=("Read", f"{OURS}1"))
    text = message(one, "notice")
    assert length(text) <= LONGEST_MESSAGE and length(text) > LONGEST_MESSAGE - 10
    assert text.startswith("notice\n") and text.endswith(f"\n\nRead: {OURS}1") and "…" in text


@pytest.mark.parametrize("text", CORPUS.values(), ids=CORPUS)
@pytest.mark.parametrize("kind", SKILLS)
def test_nothing_hostile_leads_anywhere(kind: NoticeKind, text: str) -> None:
    shown = said(kind, skill=text, preview=f"{text}\n{text}", channel_label=text, channel_reason=text)
    assert re.findall(r"[a-z]+://\S+", shown, re.IGNORECASE) == [shown.split()[-1]]
    assert shown.split()[-1].startswith(OURS)
    assert not re.search(r"[\u200b\u202e\u2066\x1b\0\U000e0000-\U000e007f]", shown)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("See https://evil.example/x?y=1 now", "See (a link) now"),
        ("tg://resolve?domain=evil", "(a link)"),
        ("[here](HTTPS://evil.example)", "[here]((a link)"),
        ("www.evil.example", "(a link)"),
        ("evil.example/pay", "(a link)"),
        ("ask @everyone in #sales to /start", "ask everyone in sales to start"),
        ("evil.example:8080/pay", "(a link)"),
        ("evil.example#pay", "(a link)"),
        ("Pay at evil.example. Now.", "Pay at evil.~example. Now."),
        ("5/6 of robin@harbour.example and C#", "5/6 of robin@~harbour.~example and C#"),
        ("198.51.100.7:80 or 198.51.100.7/pay", "198.~51.~100.~7:80 or 198.~51.~100.~7/pay"),
        ("evil\u3002example, evil\uff0eexample", "evil\u3002~example, evil\uff0e~example"),
        ("evil\u2060.example, evil.\u200bexample", "evil.~example, evil.~example"),
        ("two\nlines", "two lines"),
    ],
)
def test_a_text_of_others_is_no_link_and_no_call(text: str, plain: str) -> None:
    """~ stands for what nobody sees, and no client joins over."""
    assert plainly(text) == plain.replace("~", "\u2060")
