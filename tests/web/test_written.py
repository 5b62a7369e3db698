"""What a skill wrote becomes HTML that can only be read."""

import re

import pytest

from starter.show import written
from starter.show.written import html

TAG = re.compile(r"<(/?)([a-z0-9]+)([^>]*)>")

TRAPS = {
    "script": "<script>alert(1)</script>",
    "image": "![x](https://evil.example/p.png)",
    "image by reference": "![x][y]\n\n[y]: https://evil.example/p.png",
    "link": "[words](https://evil.example/?q=1 'title')",
    "link by reference": "[words][y]\n\n[y]: https://evil.example/",
    "autolink": "<https://evil.example/>",
    "script link": "[x](javascript:alert(1))",
    "data link": "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "picture in a link": "[![x](https://evil.example/p.png)](https://evil.example/)",
    "html block": "<div onclick=alert(1)>\n\n<iframe src=//evil.example></iframe>",
    "fence": '```"><script>alert(1)</script>\nx\n```',
    "table": "|<b>a</b>|b|\n|:--|--:|\n|[x](//evil.example)|2|",
    "entity": "&lt;script&gt;alert(1)&lt;/script&gt; &#60;img src=x&#62;",
    "comment": "<!-- x --><![CDATA[y]]><?php z ?>",
}


@pytest.mark.parametrize("name", TRAPS)
def test_nothing_in_it_loads_or_leads_elsewhere(name: str) -> None:
    made = str(html(TRAPS[name]))

    tags = TAG.findall(made)
    assert {tag for _, tag, _ in tags} <= written.TAGS
    assert {more.strip() for _, _, more in tags} <= {"", 'dir="auto"'}


def test_a_link_says_its_address_and_a_picture_what_it_is() -> None:
    made = html("[Friday](https://a.example/?q=1) <https://b.example/> ![a chart](https://c.example/x.png)")

    assert made == '<p dir="auto">Friday (https://a.example/?q=1) https://b.example/ a chart</p>\n'


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("# a\n## b\n### c", [3, 4, 5]),
        ("### a\n# b\n#### c\n## d", [3, 3, 4, 4]),
        ("# 1\n## 2\n### 3\n#### 4\n##### 5\n###### 6", [3, 4, 5, 6, 6, 6]),
    ],
    ids=["in order", "out of order", "deep"],
)
def test_headings_are_below_ours_and_skip_no_level(text: str, levels: list[int]) -> None:
    assert [int(tag[1]) for close, tag, _ in TAG.findall(html(text)) if tag[0] == "h" and not close] == levels


@pytest.mark.parametrize("hidden", ["\u202e", "&#x202e;", "\u200b", "\x00", "\U000e0041", "&#8294;"])
def test_what_nobody_sees_is_left_out(hidden: str) -> None:
    assert not re.search("[\u200b\u202e\u2066\x00\U000e0041]", html(f"a {hidden} b `c{hidden}d`"))


def test_lists_tables_and_code_stay_what_they_are() -> None:
    made = html("3. c\n4. d\n\n|a|\n|-|\n|b|\n\n```\nx  =  1\n```")

    assert '<ol start="3">' in made
    assert "<table>" in made
    assert "x  =  1" in made


def test_what_is_too_long_is_shown_as_it_was_written() -> None:
    made = html("# <b>a</b>\n" + "x" * written.LONGEST)

    assert made.startswith('<pre dir="auto"># &lt;b&gt;a&lt;/b&gt;\nxxx')


@pytest.mark.parametrize("marks", ["*a ", "[", "![[", "> ", "_a__", "|", "`a", "~~a", "\\[", "&", "- "])
@pytest.mark.timeout(30)
def test_marks_without_end_take_no_time_without_end(marks: str) -> None:
    assert isinstance(str(html(marks * (written.LONGEST // len(marks)))), str)
