"""What a skill wrote, as HTML that can only be read: nothing in it loads, leads elsewhere, or runs.

Markdown ─▶ tokens: links and pictures become their words, headings fit below ours ─▶ HTML ─▶ the tags that we know
"""

import unicodedata
from collections.abc import Iterable, Iterator

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from activities.plain import clean

# Beyond that it is shown as it was written.
LONGEST = 100_000
LONGEST_ADDRESS = 300
TAGS = {
    *("p", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "code", "em", "strong", "s", "br", "hr"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES = {"*": {"dir"}, "ol": {"start"}}
# Of ours on the page are the first and the second.
HIGHEST, LOWEST = 3, 6
_BLOCKS = {"paragraph_open", "heading_open", "list_item_open", "blockquote_open", "th_open", "td_open"}
_LINED = {"inline", "fence", "code_block"}
# Between those of a row that is shown on one line.
CELLS = " · "
_UNSEEN = {"Cc", "Cf", "Co", "Cs", "Cn"}

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def html(text: str) -> Markup:
    """Whatever a skill wrote: HTML stands there as the letters that it is made of."""
    if len(text) > LONGEST:
        return Markup('<pre dir="auto">{}</pre>').format(seen(text))
    tokens = list(_levelled(_MARKDOWN.parse(text)))
    for one in tokens:
        if one.type in _BLOCKS:
            one.attrSet("dir", "auto")
        if one.children:
            one.children = list(_inert(one.children))
    made = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    # Seen to at the end: an entity may stand for something that nobody sees.
    return Markup(seen(nh3.clean(made, tags=TAGS, attributes=ATTRIBUTES)))  # noqa: S704 - only the tags above are left


def said(text: str) -> Iterator[str]:
    """The same in plain lines: no mark of Markdown's is left, and of a link its words."""
    cells: list[str] = []
    for one in _MARKDOWN.parse(text[:LONGEST]):
        if one.type in ("th_open", "td_open"):
            cells.append("")
        elif one.type == "tr_close":
            yield CELLS.join(filter(None, cells))
            cells = []
        elif one.type == "inline" and cells:
            cells[-1] = _words(one.children or ()).strip()
        elif one.type in _LINED:
            yield from (_words(one.children or ()) if one.type == "inline" else one.content).splitlines()


def _words(children: Iterable[Token]) -> str:
    breaks = ("softbreak", "hardbreak")
    return "".join("\n" if one.type in breaks else one.content for one in children)


def seen(text: str) -> str:
    """Without what a person would not see, or what would turn lines around."""
    return "".join(one for one in text if one in "\n\t" or unicodedata.category(one) not in _UNSEEN)


def _inert(children: Iterable[Token]) -> Iterator[Token]:
    """A link is its words with its address behind them; a picture is its description."""
    opened: list[tuple[str, list[str]]] = []
    for one in children:
        if one.type == "link_open":
            opened.append((str(one.attrGet("href") or ""), []))
        elif one.type == "link_close":
            address, words = opened.pop()
            if "".join(words) != address:
                yield _text(f" ({clean(address, LONGEST_ADDRESS)})")
        else:
            if opened:
                opened[-1][1].append(one.content)
            yield _text(one.content) if one.type == "image" else one


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


def _levelled(tokens: Iterable[Token]) -> Iterator[Token]:
    """Headings from the third level on, without a level being skipped."""
    above: list[int] = []
    for one in tokens:
        if one.type == "heading_open":
            said = int(one.tag[1])
            above = [*(level for level in above if level < said), said]
        if one.type in {"heading_open", "heading_close"}:
            one.tag = f"h{min(HIGHEST + len(above) - 1, LOWEST)}"
        yield one
