"""A document's text as HTML that can only be read: what is quoted of it is marked, and leads to what is said of it.

text, clauses, findings ─▶ pieces ─▶ escaped, without what nobody sees ─▶ one block of HTML
"""

from collections.abc import Sequence

from markupsafe import Markup, escape

from schemas.documents import Clause, Risk
from starter.show import differing, passages
from starter.show.passages import Numbered, Paragraph, Piece
from starter.show.written import seen

RISKS = {Risk.HIGH: "high risk", Risk.MEDIUM: "medium risk", Risk.LOW: "low risk", Risk.NONE: "a fact"}


def text(whole: str, clauses: Sequence[Clause], findings: Sequence[Numbered]) -> Markup:
    """All of it. Takes as long as the text is long: for a thread."""
    risks = {one.number: one.finding.risk for one in findings}
    made = passages.paragraphs(whole, clauses, findings)
    return Markup().join(_paragraph(one, risks) for one in made)


def side(runs: Sequence[differing.Run]) -> Markup:
    """One side of a comparison: words that are not on the other are marked."""
    return Markup().join(
        Markup("<mark>{}</mark>").format(seen(one.text)) if one.differs else escape(seen(one.text)) for one in runs
    )


def change(steps: Sequence[differing.Step]) -> Markup:
    """A text that becomes another: what goes, and what comes."""
    made = list[Markup]()
    gone = False
    for one in steps:
        if gone and one.kind == "ins":
            # Else the old word and the new one would be read as one.
            made.append(Markup(" "))
        gone = one.kind == "del" and not one.text[-1:].isspace()
        match one.kind:
            case "del":
                made.append(Markup("<del>{}</del>").format(seen(one.text)))
            case "ins":
                made.append(Markup("<ins>{}</ins>").format(seen(one.text)))
            case _:
                made.append(escape(seen(one.text)))
    return Markup().join(made)


def _paragraph(one: Paragraph, risks: dict[int, Risk]) -> Markup:
    inside = Markup().join(_piece(piece, risks) for piece in one.pieces).strip("\n")
    return Markup('<div class="clause" id="clause-{}" dir="auto">{}</div>\n').format(one.ordinal, inside)


def _piece(one: Piece, risks: dict[int, Risk]) -> Markup:
    words: Markup = escape(seen(one.text))
    if one.heading:
        words = Markup("<b>{}</b>").format(words)
    if one.numbers:
        # Marked by the gravest of those that it belongs to.
        words = Markup('<mark class="quoted is-{}" data-finding="{}">{}</mark>').format(
            one.risk.value, one.numbers[0], words
        )
    begins = Markup().join(Markup('<span class="begins" id="at-{}"></span>').format(number) for number in one.begins)
    ends = Markup().join(
        Markup('<a class="number is-{}" href="#finding-{}"><span class="unseen">Finding </span>{}</a>').format(
            risks[number].value, number, number
        )
        for number in one.ends
    )
    return begins + words + ends
