"""Clauses and parts cover a text without loss, whatever it is; of an agreement they are its clauses."""

from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from activities.documents.clauses import split
from activities.documents.formats import docx, pdf, plain
from activities.documents.parts import parts
from schemas.documents import LONGEST_CLAUSE, LONGEST_PART, MOST_CLAUSES
from tests.documents import files

_LINES = st.sampled_from(
    (
        "1. Term.",
        "1.1 ",
        "Article IV.",
        "Section 5",
        "CONFIDENTIALITY",
        "# Heading",
        "(a) x",
        "",
        " ",
        "\t",
        "§ 3 Ende",
        "x" * 300,
    )
)
_TEXTS = st.one_of(
    st.text(max_size=3000),
    st.lists(st.one_of(_LINES, st.text(max_size=200)), max_size=60).map("\n".join),
    st.builds(lambda text, times: text * times, st.text(min_size=1, max_size=50), st.integers(1, 400)),
)


@settings(max_examples=200, deadline=None)
@given(_TEXTS)
@example("")
@example("\n")
@example("x" * 3 * LONGEST_CLAUSE)
@example("🖋" * (LONGEST_CLAUSE + 1))
def test_clauses_and_parts_cover_any_text_without_loss(text: str) -> None:
    clauses = split(text)

    assert "".join(text[clause.start : clause.end] for clause in clauses) == text
    assert all(one.end == other.start for one, other in pairwise(clauses))
    assert [clause.ordinal for clause in clauses] == list(range(len(clauses)))
    assert all(0 < clause.end - clause.start <= LONGEST_CLAUSE for clause in clauses)
    assert all(clause.number in text[clause.start : clause.end] for clause in clauses)
    assert all(clause.heading in text[clause.start : clause.end] for clause in clauses)
    made = parts(clauses)
    assert [clause for part in made for clause in part] == list(clauses)
    assert all(part and part[-1].end - part[0].start <= LONGEST_PART for part in made)


@pytest.mark.parametrize("line", ["1. A\n", "x\n", "IV. B\n", "\n", "HEADING\n"])
def test_a_long_text_has_no_more_clauses_than_there_may_be(line: str) -> None:
    text = line * 20_000

    clauses = split(text)

    assert len(clauses) <= MOST_CLAUSES
    assert (clauses[0].start, clauses[-1].end) == (0, len(text))


HEADINGS = {
    "2.": "Confidential Information",
    "3.": "Use and Protection of Confidential Information",
    "4.": "Exceptions",
    "5.": "Permitted Disclosures",
    "6.": "Term and Termination",
    "10.": "Governing Law and Courts",
    "12.": "General",
}


def test_a_real_agreement_falls_into_its_clauses_however_it_came() -> None:
    for text in (
        plain.read(files.nda("bonterms-mutual-nda.md")).text,
        pdf.read(files.nda("bonterms-mutual-nda.pdf")).text,
    ):
        found = {clause.number: clause.heading for clause in split(text)}
        assert {number: found.get(number) for number in HEADINGS} == HEADINGS


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        (
            "ARTICLE I - TERM\nTwo years.\nARTICLE II - LAW\nNarnia.",
            [("", "ARTICLE I - TERM"), ("", "ARTICLE II - LAW")],
        ),
        ("Section 1. Purpose. It is\nas in Section\n5 (Permitted) said.", [("Section 1.", "Purpose")]),
        ("1.1 Term: two years\n1.2 Law. Narnia", [("1.1", "Term"), ("1.2", "Law")]),
        ("MUTUAL NDA\nBETWEEN\n1. Purpose. X.\n2. The rest", [("1.", "Purpose"), ("2.", "The rest")]),
        ("§ 1 Gegenstand\nAlles.\n§ 2 Dauer\nZwei Jahre.", [("§ 1", "Gegenstand"), ("§ 2", "Dauer")]),
        ("In 2021. It was.\n12 Main Street\n2021. Free.", [("", "")]),
    ],
    ids=["articles", "sections", "decimal", "headings", "paragraph signs", "no clauses"],
)
def test_numbers_and_headings_are_as_written(text: str, titles: list[tuple[str, str]]) -> None:
    assert [(clause.number, clause.heading) for clause in split(text)][: len(titles)] == titles


def test_a_document_without_numbers_is_split_at_its_paragraphs() -> None:
    text = docx.read(files.docx("".join(files.p(files.r(f"Paragraph {n} of a letter. " * 20)) for n in range(20)))).text

    starts = [clause.start for clause in split(text)]

    assert len(starts) > 5
    assert all(start == 0 or text[start - 1] == "\n" for start in starts)
