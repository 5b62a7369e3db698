"""What readers said of claims: a fact that was marked is not said again, nor is a line, whatever words a model finds."""

from collections.abc import Iterable

from activities.plain import clean, fold, tokens
from schemas.base import RowId
from schemas.briefs import BriefGap, Mark, Verdict

AS = {Verdict.WRONG: "as wrong", Verdict.STALE: "as stale", Verdict.WRONG_PERSON: "as about somebody else"}

# So many words in a row are the same passage; shorter quotes are compared whole.
RUN = 4
# Of what was marked, in a gap.
LONGEST = 120
MOST_GAPS = 10


def mark_on_fact(text: str, subject_id: RowId, url: str, quote: str, marks: Iterable[Mark]) -> Mark | None:
    """The mark that speaks against a fact: on the same passage of the same page, or on the same sentence.

    A sentence that was only stale may be said again from another page: then it is news of it.
    """
    for mark in marks:
        if mark.verdict not in AS or mark.subject_id not in (None, subject_id):
            continue
        if mark.url and mark.url == url and overlap(mark.quote, quote):
            return mark
        if _same(mark.text, text) and (mark.verdict is not Verdict.STALE or mark.url in ("", url)):
            return mark
    return None


def mark_on_line(text: str, marks: Iterable[Mark]) -> Mark | None:
    return next((mark for mark in marks if mark.verdict in AS and _same(mark.text, text)), None)


def overlap(one: str, other: str) -> bool:
    """They have a run of words in common."""
    shorter, longer = sorted((tokens(one), tokens(other)), key=len)
    length = min(RUN, len(shorter))
    runs = {tuple(longer[at : at + length]) for at in range(len(longer) - length + 1)}
    return bool(length) and any(tuple(shorter[at : at + length]) in runs for at in range(len(shorter) - length + 1))


def left_out(
    refused: Iterable[Mark], others: Iterable[Mark], names: dict[RowId, str], pages: set[tuple[RowId, str]]
) -> tuple[BriefGap, ...]:
    """A gap for each claim that readers marked: first what was refused for it, then what nobody said this time.

    What was stale is not missed once its page is gone.
    """
    said: dict[str, BriefGap] = {}
    for mark in refused:
        said.setdefault(fold(mark.text), _gap(mark, names))
    for mark in others:
        there = mark.verdict is not Verdict.STALE or (mark.subject_id, mark.url) in pages
        if mark.verdict in AS and mark.subject_id in names and there:
            said.setdefault(fold(mark.text), _gap(mark, names))
    return tuple(said.values())[:MOST_GAPS]


def _gap(mark: Mark, names: dict[RowId, str]) -> BriefGap:
    reason = f"left out: a reader marked “{_shortened(mark.text)}” {AS[mark.verdict]}"
    return BriefGap(subject_id=mark.subject_id, about=names.get(mark.subject_id or "", "advice"), reason=reason)


def _same(one: str, other: str) -> bool:
    return bool(fold(one)) and fold(one) == fold(other)


def _shortened(text: str) -> str:
    plain = clean(text, 2 * LONGEST)
    return plain if len(plain) <= LONGEST else plain[: LONGEST - 1].rstrip() + "…"
