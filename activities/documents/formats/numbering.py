"""The numbers of a DOCX's lists, counted as Word counts them: they stand nowhere in its text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from activities.documents.formats.package import W

_LEVELS = 9
_ROMAN = (
    *((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl")),
    *((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")),
)
# Beyond this nobody numbers by letters or in Roman.
_MOST = 3000
_DEEPEST_STYLE = 20


@dataclass(frozen=True)
class Level:
    """How a level of a list is numbered: `pattern` has %1 for the number of the first level, and so on."""

    start: int = 1
    form: str = "decimal"
    pattern: str = ""
    legal: bool = False


class Numbering:
    """Counts while it is asked, paragraph by paragraph, in their order."""

    def __init__(self, numbering: Any, styles: Any) -> None:
        self._lists: dict[str, tuple[str, dict[int, Level], set[int]]] = {}
        self._counts: dict[str, dict[int, int]] = {}
        self._restarted: set[tuple[str, int]] = set()
        self._styles = {style.get(_w("styleId")): style for style in _all(styles, "style")}
        self._default = next((key for key, style in self._styles.items() if _is_default_paragraph(style)), None)
        abstracts = {one.get(_w("abstractNumId")): one for one in _all(numbering, "abstractNum")}
        for one in _all(numbering, "num"):
            self._add(one, abstracts)

    def label(self, paragraph: Any) -> str:
        """The number of a paragraph as it is shown, or nothing."""
        number, depth = self._place(paragraph)
        if number not in self._lists:
            return ""
        abstract, levels, restarts = self._lists[number]
        counts = self._counts.setdefault(abstract, {})
        if depth in restarts and (number, depth) not in self._restarted:
            self._restarted.add((number, depth))
            counts.pop(depth, None)
        level = levels.get(depth, Level())
        counts[depth] = counts.get(depth, level.start - 1) + 1
        for deeper in [one for one in counts if one > depth]:
            del counts[deeper]
        return _shown(level, levels, counts)

    def _add(self, one: Any, abstracts: dict[str | None, Any]) -> None:
        key = _value(one, "abstractNumId")
        abstract = abstracts.get(key)
        if abstract is None:
            return
        levels = {depth: _level(level) for depth, level in _levels(abstract)}
        restarts: set[int] = set()
        for override in one.iterfind(_w("lvlOverride")):
            depth = _number(override.get(_w("ilvl")))
            own = override.find(_w("lvl"))
            levels |= {} if own is None else {depth: _level(own)}
            start = _value(override, "startOverride")
            if start is not None:
                was = levels.get(depth, Level())
                levels[depth] = Level(_number(start), was.form, was.pattern, was.legal)
                restarts.add(depth)
        self._lists[one.get(_w("numId"), "")] = (key or "", levels, restarts)

    def _place(self, paragraph: Any) -> tuple[str, int]:
        """The list and level of a paragraph: its own, or its style's."""
        properties = paragraph.find(_w("pPr"))
        number, depth = _numbered(properties)
        style = None if properties is None else _value(properties, "pStyle")
        style = style or self._default
        for _ in range(_DEEPEST_STYLE):
            found = self._styles.get(style)
            if found is None or (number is not None and depth is not None):
                break
            of_number, of_depth = _numbered(found.find(_w("pPr")))
            number, depth = number if number is not None else of_number, depth if depth is not None else of_depth
            style = _value(found, "basedOn")
        return number or "", depth or 0


def _shown(level: Level, levels: dict[int, Level], counts: dict[int, int]) -> str:
    if level.form == "bullet":
        return "•"
    if level.form == "none" and "%" not in level.pattern:
        return level.pattern.strip()

    def count(match: re.Match[str]) -> str:
        depth = int(match[1]) - 1
        of = levels.get(depth, Level())
        form = "decimal" if level.legal and of.form != "none" else of.form
        return _written(counts.get(depth, of.start), form)

    return re.sub(r"%([1-9])", count, level.pattern).strip()


def _written(number: int, form: str) -> str:
    if form == "none":
        return ""
    if form in {"lowerLetter", "upperLetter"} and 0 < number <= _MOST:
        letter = chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)
        return letter.upper() if form == "upperLetter" else letter
    if form in {"lowerRoman", "upperRoman"} and 0 < number <= _MOST:
        return _roman(number).upper() if form == "upperRoman" else _roman(number)
    if form == "decimalZero":
        return f"{number:02}"
    return str(number)


def _roman(number: int) -> str:
    made = ""
    for value, letters in _ROMAN:
        made += letters * (number // value)
        number %= value
    return made


def _level(level: Any) -> Level:
    return Level(
        start=_number(_value(level, "start"), 1),
        form=_value(level, "numFmt") or "decimal",
        pattern=(_value(level, "lvlText") or "")[:100],
        legal=level.find(_w("isLgl")) is not None,
    )


def _levels(abstract: Any) -> Iterator[tuple[int, Any]]:
    for level in abstract.iterfind(_w("lvl")):
        yield _number(level.get(_w("ilvl"))), level


def _numbered(properties: Any) -> tuple[str | None, int | None]:
    numbers = None if properties is None else properties.find(_w("numPr"))
    if numbers is None:
        return None, None
    depth = _value(numbers, "ilvl")
    return _value(numbers, "numId"), None if depth is None else _number(depth)


def _is_default_paragraph(style: Any) -> bool:
    return style.get(_w("type")) == "paragraph" and style.get(_w("default")) in {"1", "true"}


def _number(text: str | None, otherwise: int = 0) -> int:
    return int(text) if text is not None and re.fullmatch(r"\d{1,6}", text) else otherwise


def _value(element: Any, name: str) -> str | None:
    found = element.find(_w(name))
    value = None if found is None else found.get(_w("val"))
    return None if value is None else str(value)


def _all(root: Any, name: str) -> Iterator[Any]:
    yield from () if root is None else root.iterfind(_w(name))


def _w(name: str) -> str:
    return f"{{{W}}}{name}"
