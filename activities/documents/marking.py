"""Runs and paragraphs of a DOCX taken apart, so that a change may begin and end at any letter."""

from copy import deepcopy
from typing import Any

from lxml import etree

from activities.documents.formats.docx import w
from activities.documents.formats.plain import tidy

_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
# Changes of others: one of ours parts them rather than stands in them. Our deletions hold a run each.
_INSERTIONS = {w("ins"), w("moveTo")}
_SEEN = [w(name) for name in ("t", "tab", "br", "cr", "noBreakHyphen", "drawing", "pict", "object")]


def isolated(element: Any, start: int, end: int) -> Any:
    """A run of its own with these letters of the element. The element itself keeps what is before them."""
    split(element, end)
    if start == 0:
        return alone(element)
    return split(element, start).getnext()


def split(element: Any, place: int) -> Any:
    """The run that ends with the first `place` letters of the element; what follows them is in the run behind it."""
    run = alone(element)
    text = element.text or ""
    if element.tag == w("t") and 0 < place < len(text):
        rest = deepcopy(run)
        rest.tail = None
        _say(rest.find(w("t")), text[place:])
        _say(element, text[:place])
        run.addnext(rest)
    return run


def alone(element: Any) -> Any:
    """The element's run, with nothing beside it: that goes to runs before and behind, of the same looks."""
    run = run_of(element)
    own = child_of(run, element)
    children = [child for child in run if child.tag != w("rPr")]
    place = children.index(own)
    if children[:place]:
        run.addprevious(_with(run, children[:place]))
    if children[place + 1 :]:
        run.addnext(_with(run, children[place + 1 :]))
    return run


def run(text: str, like: Any) -> Any:
    """A run with new words, of the looks of another. Its lines are broken within their paragraph."""
    made = _with(like, []) if like is not None else etree.Element(w("r"))
    for looks in made.findall(w("rPr")):
        # Nobody has changed the looks of what is new.
        for change in looks.findall(w("rPrChange")):
            looks.remove(change)
    for number, line in enumerate(tidy(text).split("\n")):
        if number:
            etree.SubElement(made, w("br"))
        for place, words in enumerate(line.split("\t")):
            if place:
                etree.SubElement(made, w("tab"))
            if words:
                _say(etree.SubElement(made, w("t")), words)
    return made


def outside(node: Any, *, behind: bool) -> Any:
    """What of others' changes holds the node, parted behind it or before it, so that ours may stand beside it."""
    while (around := node.getparent()).tag in _INSERTIONS or around.tag == w("del"):
        beside = list(node.itersiblings()) if behind else list(node.itersiblings(preceding=True))[::-1]
        if beside:
            other = etree.Element(around.tag, dict(around.attrib))
            other.extend(beside)
            around.addnext(other) if behind else around.addprevious(other)
        node = around
    return node


def mark_of(paragraph: Any) -> Any:
    """The properties of a paragraph's end."""
    properties = paragraph.find(w("pPr"))
    if properties is None:
        properties = etree.Element(w("pPr"))
        paragraph.insert(0, properties)
    mark = properties.find(w("rPr"))
    if mark is None:
        mark = etree.Element(w("rPr"))
        change = properties.find(w("pPrChange"))
        if change is None:
            properties.append(mark)
        else:
            change.addprevious(mark)
    return mark


def is_left_empty(paragraph: Any) -> bool:
    """Nothing of it is left, nor of those before it that go on with it."""
    if any(_is_left(one) for one in paragraph.iter(*_SEEN)):
        return False
    before = paragraph.getprevious()
    if before is None or before.find(f"{w('pPr')}/{w('rPr')}/{w('del')}") is None:
        return True
    return is_left_empty(before)


def run_of(element: Any) -> Any:
    return next(element.iterancestors(w("r")))


def paragraph_of(element: Any) -> Any:
    return next(element.iterancestors(w("p")))


def child_of(ancestor: Any, element: Any) -> Any:
    """The ancestor's child that the element is, or is in."""
    while element.getparent() is not ancestor:
        element = element.getparent()
    return element


def _is_left(one: Any) -> bool:
    return next(one.iterancestors(w("del"), w("moveFrom"), w("pPr")), None) is None


def _with(like: Any, children: list[Any]) -> Any:
    made = etree.Element(w("r"))
    looks = like.find(w("rPr"))
    if looks is not None:
        made.append(deepcopy(looks))
    made.extend(children)
    return made


def _say(word: Any, text: str) -> None:
    word.text = text
    word.set(_SPACE, "preserve")
