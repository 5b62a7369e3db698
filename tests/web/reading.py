"""What a browser would make of a page: its elements and attributes, read by a parser that is not ours."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "br"}
OURS = {
    *("html", "head", "title", "meta", "link", "style", "body", "main", "header", "footer", "nav", "section", "div"),
    *("article", "h1", "h2", "h3", "p", "span", "a", "ul", "ol", "li", "dl", "dt", "dd", "time", "q", "blockquote"),
    *("details", "summary", "br", "table", "thead", "tbody", "tr", "th", "td"),
}


@dataclass
class Read(HTMLParser):
    """The elements with their attributes, the texts in them, and whether each was closed in its turn."""

    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    texts: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"{tag} closed out of turn"

    def handle_data(self, data: str) -> None:
        self.texts.setdefault(self.open[-1] if self.open else "", []).append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError("our pages have no comments")

    def all(self, name: str) -> list[str]:
        """Every value of an attribute."""
        return [value or "" for _, attributes in self.elements for key, value in attributes.items() if key == name]

    def text(self, tag: str) -> str:
        return "".join(self.texts.get(tag, []))


def read(html: str) -> Read:
    reader = Read()
    reader.feed(html)
    reader.close()
    assert not reader.open, "everything is closed"
    return reader


def assert_inert(html: str) -> Read:
    """Nothing in it acts, loads from elsewhere or leads to anything but the web."""
    reader = read(html)
    assert {tag for tag, _ in reader.elements} <= OURS
    names = {key for _, attributes in reader.elements for key in attributes}
    assert not {name for name in names if name.startswith("on") or name in {"style", "srcdoc", "formaction", "src"}}
    for tag, attributes in reader.elements:
        href = attributes.get("href") or "#"
        if tag == "link":
            assert href.startswith("/static/"), href
        elif not href.startswith("#"):
            if href.startswith(("/briefs/", "/sign-in?to=/briefs/")):
                continue
            assert href.startswith(("http://", "https://")), href
            assert {"noopener", "noreferrer"} <= set((attributes.get("rel") or "").split())
        if attributes.get("http-equiv"):
            assert attributes["http-equiv"] == "Content-Security-Policy"
    return reader
