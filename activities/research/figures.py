"""The numbers and dates of a sentence, and whether another text has them too.

A number is the same however it is written: 1,200 and 1 200, 12m and 12 million, three and 3. A date may be told less
exactly than its source tells it, never more. The day on which a page was published is no exception: it stands beside
the fact, and what happened is not dated by when somebody wrote of it.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cache

from activities.research import numerals

Parts = tuple[int | None, int | None, int | None]


@dataclass(frozen=True)
class Figure:
    """A number, percentage, ordinal, day, hour or anything else with digits. `currency` only where one is said."""

    kind: str
    value: Decimal | Parts | str
    currency: str = ""
    # Where it stands in the text that was read.
    start: int = 0
    end: int = 0

    def is_in(self, others: tuple["Figure", ...]) -> bool:
        return any(self._told_by(other) for other in others)

    def _told_by(self, other: "Figure") -> bool:
        if isinstance(self.value, tuple):
            theirs = other.value if isinstance(other.value, tuple) else (None, None, None)
            return all(mine in (None, their) for mine, their in zip(self.value, theirs, strict=True))
        if self.kind == "number" and not self.currency and isinstance(other.value, tuple):
            return self.value == other.value[0]
        return (self.kind, self.value) == (other.kind, other.value) and self.currency in ("", other.currency)


def figures(text: str) -> tuple[Figure, ...]:
    """What a text says in figures, in its order."""
    plain, found = simple(text), []
    for pattern, read in _readers():

        def taken(match: re.Match[str], read: Callable[[re.Match[str]], Figure | None] = read) -> str:
            figure = read(match)
            if figure is None:
                return match[0]
            found.append(replace(figure, start=match.start(), end=match.end()))
            # What has been read is not read again, and does not glue its neighbours together.
            return "\x00" * len(match[0])

        plain = pattern.sub(taken, plain)
    found += [
        Figure("name", sign, "", at, at + 1)
        for at, sign in enumerate(plain)
        if unicodedata.category(sign) in {"No", "Nl"}
    ]
    return tuple(sorted(found, key=lambda figure: figure.start))


def lacking(claim: str, *texts: str, spelt: bool = True) -> bool:
    """The claim has a number or a date that one of the texts does not have. Unless `spelt`, words are no numbers."""
    said = [figure for figure in figures(claim) if _counts(figure, claim[figure.start : figure.end], spelt=spelt)]
    read = [figures(text) for text in texts] if said else []
    return any(not figure.is_in(there) for figure in said for there in read)


def _counts(figure: Figure, written: str, *, spelt: bool) -> bool:
    """Roman numerals are written in capitals; in what is compared with, any case will do."""
    if figure.kind == "roman" and not written.isupper():
        return False
    return spelt or figure.kind == "date" or any(letter.isdigit() for letter in written)


def newest(text: str) -> date | None:
    """The last day that a text speaks of, as far as it says one. Since when something is, is not when it was."""
    plain = simple(text)
    days = [
        day
        for figure in figures(text)
        if (day := _last_day(figure, plain)) and not _SINCE.search(plain[: figure.start])
    ]
    return max(days, default=None)


def _last_day(figure: Figure, plain: str) -> date | None:
    if isinstance(figure.value, tuple):
        year, month, day = figure.value
    elif figure.kind == "number" and _IN.search(plain[: figure.start]) and figure.value in _YEARS:
        year, month, day = int(figure.value), None, None
    else:
        return None
    if year is None:
        return None
    with suppress(ValueError):
        if month is not None and day is not None:
            return date(year, month, day)
        return date(year + (month or 12) // 12, (month or 12) % 12 + 1, 1) - timedelta(days=1)
    return None


def simple(text: str) -> str:
    """Lower case, plain digits and plain spaces, every character where it was."""
    return "".join(map(_simple, text))


def _simple(letter: str) -> str:
    if letter.isspace():
        return " "
    if (digit := unicodedata.decimal(letter, None)) is not None:
        return str(digit)
    return lower if len(lower := letter.lower()) == 1 else letter


# --- how figures are written, in the order in which they are looked for ---


def _either(words: Iterable[str]) -> str:
    """The longest first, so that no word hides a longer one."""
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_YEARS = range(1900, 2100)
_ROMAN = re.compile(r"(?<!\w)[ivx]{2,6}(?!\w)", re.IGNORECASE)
_SINCE = re.compile(r"(?:since|founded|established|started|from|seit|gegründet|ab|depuis|fondée?)(?: \w+){0,2} $")
_IN = re.compile(r"(?:in|during|by|until|of|im|jahr|en|anno|bis|for) $")
_WHEN = r"(?<!\w)(?:in|since|by|until|till|from|of|last|next|this|early|late|mid|im|seit|bis|ab|en|depuis|fin|début) "
_MONTH = rf"(?P<month>{_either(numerals.MONTHS)})\.?"
_DAY = r"(?P<day>0?[1-9]|[12]\d|3[01])"
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_MONTH_NUMBER = r"(?P<month>0?[1-9]|1[0-2])"
_BEGIN, _END = r"(?<![\w.,:/-])", r"(?!\w)(?![.,:/-]\d)"
_LONE = numerals.MONTHS.keys() - numerals.SHORT_MONTHS - numerals.DOUBTFUL_MONTHS

_DIGITS = (
    r"(?P<sign>(?<![^\s(])[-\u2212\u2013])?(?P<whole>[1-9]\d{0,2}(?P<group>[., '\u2019])\d{3}(?:(?P=group)\d{3})*(?!\d)|\d+)"
    r"(?P<point>[.,](?P<decimals>\d+))?"
)
_WORD = rf"(?P<word>one(?<!no one)(?! (?:of|another|day)\b)|{_either(numerals.CARDINALS.keys() - {'one'})})"
_SHORT_SCALES = ("k", "m", "b", "bn", "mn", "md")
_CURRENCY = _either(numerals.CURRENCIES)
_SCALED = (
    rf"(?:[ -]?(?P<scale>{_either(numerals.SCALES.keys() - set(_SHORT_SCALES))})(?!\w)\.?"
    rf"|(?P<short>{_either(_SHORT_SCALES)})(?!\w)|[ ](?P<before_currency>m|md|bn|mn)(?= ?(?:{_CURRENCY})(?!\w)))?"
)
_COUNTED = rf"(?:[ -]?(?P<percent>{_either(numerals.PERCENT)})|[ -]?(?:d['\u2019]|de )?(?P<currency>{_CURRENCY}))?"
_PAID = rf"(?:(?P<paid>{_CURRENCY}) ?)?"
_UNIT = rf"(?:{_either(numerals.UNITS)})?"


def _date(match: re.Match[str]) -> Figure:
    said = match.groupdict()
    year, month, day = said.get("year"), said["month"], said.get("day")
    full = None if year is None else int(year) if len(year) == 4 else int(year) + (2000 if int(year) < 70 else 1900)
    number = int(month) if month.isdigit() else numerals.MONTHS[month]
    return Figure("date", (full, number, int(day) if day else None))


def _slashed(match: re.Match[str]) -> Figure:
    """Which is the day, and which the month, is known only where one of them can be no month."""
    one, other, year = map(int, (match["one"], match["other"], match["year"]))
    if one != other and max(one, other) <= 12:
        return Figure("name", f"{one}/{other}/{year}")
    month, day = sorted((one, other))
    return Figure("date", (year, month, day)) if month <= 12 and day <= 31 else Figure("name", match[0])


def _digits(match: re.Match[str]) -> Figure | None:
    if match["point"] and match["group"] == match["point"][0]:
        return None
    whole = re.sub(r"\D", "", match["whole"])
    value = Decimal(f"{whole}.{match['decimals'] or 0}")
    return _quantity(-value if match["sign"] else value, match)


def _quantity(value: Decimal, match: re.Match[str]) -> Figure:
    said = match.groupdict()
    scale = said.get("scale") or said.get("short") or said.get("before_currency")
    currency = said.get("currency") or said.get("paid")
    kind = "percent" if said.get("percent") else "number"
    return Figure(kind, value * numerals.SCALES.get(scale or "", 1), numerals.CURRENCIES.get(currency or "", ""))


def _named(match: re.Match[str]) -> Figure:
    return Figure("name", match[0])


@cache
def _readers() -> tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Figure | None]], ...]:
    rows: tuple[tuple[str, Callable[[re.Match[str]], Figure | None]], ...] = (
        (rf"{_BEGIN}{_YEAR}-{_MONTH_NUMBER}(?:-{_DAY})?{_END}", _date),
        (rf"{_BEGIN}{_DAY}\. ?{_MONTH_NUMBER}\. ?(?P<year>(?:19|20)?\d\d){_END}", _date),
        (rf"{_BEGIN}(?P<one>\d{{1,2}})/(?P<other>\d{{1,2}})/{_YEAR}{_END}", _slashed),
        (rf"{_BEGIN}{_MONTH_NUMBER}[./]{_YEAR}{_END}", _date),
        (rf"(?<!\w){_DAY}(?:st|nd|rd|th|er|\.)? ?(?:of )?{_MONTH}(?:,? ?(?:of )?{_YEAR})?{_END}", _date),
        (rf"(?<!\w){_MONTH} ?{_DAY}(?:st|nd|rd|th)?(?:,? {_YEAR})?{_END}", _date),
        (rf"(?<!\w){_MONTH},? (?:of )?{_YEAR}{_END}", _date),
        (rf"(?<!\w)(?P<month>{_either(_LONE)})(?!\w)", _date),
        (rf"{_WHEN}(?P<month>{_either(numerals.DOUBTFUL_MONTHS)})(?!\w)", _date),
        (
            rf"(?<!\w)(?P<day>{_either(numerals.WEEKDAYS)})s?(?!\w)",
            lambda match: Figure("weekday", str(numerals.WEEKDAYS[match["day"]])),
        ),
        (
            rf"{_BEGIN}(?P<hour>[01]?\d|2[0-4])[:h](?P<minute>[0-5]\d){_END}",
            lambda match: Figure("hour", f"{int(match['hour'])}:{match['minute']}"),
        ),
        (r"(?<!\w)s[eé]rie?s? (?P<letter>[a-k])(?!\w)", lambda match: Figure("name", f"series {match['letter']}")),
        (rf"(?<![\w.,:/]){_PAID}{_DIGITS}{_SCALED}{_COUNTED}{_UNIT}(?!\w)(?![.,:/]\d)", _digits),
        (
            rf"(?<!\w){_WORD}{_SCALED}{_COUNTED}(?!\w)",
            lambda match: _quantity(Decimal(numerals.CARDINALS[match["word"]]), match),
        ),
        (rf"(?<!\w)an?{_SCALED.rstrip('?')}{_COUNTED}(?!\w)", lambda match: _quantity(Decimal(1), match)),
        (
            r"(?<!\w)(?P<number>\d+)(?:st|nd|rd|th|er|re|e|[eè]me)(?!\w)",
            lambda match: Figure("ordinal", Decimal(match["number"])),
        ),
        (
            rf"(?<!\w)(?<!at )(?<!per )(?P<word>{_either(numerals.ORDINALS)})(?!\w)",
            lambda match: Figure("ordinal", Decimal(numerals.ORDINALS[match["word"]])),
        ),
        (r"(?<!\w)half(?!\w)", _named),
        (_ROMAN.pattern, lambda match: Figure("roman", match[0])),
        # Whatever digits are left: C3, B2B, 3.11.2, 24/7.
        (r"(?<!\w)(?=\w*\d)\w+(?:[.,:/]\d\w*)*|\d+", _named),
    )
    return tuple((re.compile(pattern), read) for pattern, read in rows)
