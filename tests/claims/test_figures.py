"""Numbers and dates: the same however they are written, and nothing else the same."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.research.figures import figures, lacking, newest

SAME = [
    ("1,200 people", "1.200 Personen"),
    ("1,200 people", "1 200 personnes"),
    ("1,200 people", "1\u202f200 personnes"),
    ("1200 people", "1’200 Leute"),
    ("12 million euros", "€12m"),
    ("12 million euros", "12,000,000 EUR"),
    ("12 million", "a loan of 12.000.000 Euro"),
    ("€12.5 million", "12,5 Millionen Euro"),
    ("3.5 billion", "3,5 Mrd. Euro"),
    ("$40m", "40 million dollars"),
    ("38 million euros", "38 M€"),
    ("12%", "12 percent"),
    ("12 per cent", "12 Prozent"),
    ("12 percent", "12\u00a0% du marché"),
    ("four percent", "4 %"),
    ("May 2026", "2026-05"),
    ("May 2026", "12.05.2026"),
    ("12 May 2026", "May 12, 2026"),
    ("12 May 2026", "2026-05-12"),
    ("12 May 2026", "am 12. Mai 2026"),
    ("3 August 2026", "le 3 août 2026"),
    ("1 March 2025", "le 1er mars 2025"),
    ("in 2026", "on 12 May 2026"),
    ("in May", "on 12 May 2026"),
    ("13 May 2026", "13/05/2026"),
    ("three warehouses", "3 warehouses"),
    ("3 warehouses", "drei Lager"),
    ("12 offices", "douze bureaux"),
    ("twenty-two people", "22 people"),
    ("22 people", "zweiundzwanzig Leute"),
    ("a dozen shops", "12 shops"),
    ("its fifth depot", "the 5th depot"),
    ("the third plant", "das dritte Werk"),
    ("a Series B round", "Series B"),
    ("ISO 9001", "certified to ISO 9001"),
    ("30kg", "30 kg"),
    ("at 16:30", "à 16h30"),
    ("on Monday", "am Montag"),
    ("Phase II", "phase II of it"),
    ("a B2B firm", "B2B"),
    ("no one of them", "nobody"),
    ("one of the largest", "among the largest"),
    ("He may join", "He could join"),
    ("14 million", "14 million euros"),
]

OTHER = [
    ("640 people", "650 people"),
    ("64 people", "640 people"),
    ("6400 people", "640 people"),
    ("1,200 people", "1,20 people"),
    ("12 million", "12 people"),
    ("12", "12 million"),
    ("12 million", "12 billion"),
    ("12%", "12 people"),
    ("12 people", "12%"),
    ("5%", "-5%"),
    ("-5%", "5%"),
    ("14 million dollars", "14 million euros"),
    ("14 million euros", "14 million"),
    ("May 2026", "June 2026"),
    ("May 2026", "May 2025"),
    ("May 2026", "in 2026"),
    ("12 May 2026", "May 2026"),
    ("12 May 2026", "13 May 2026"),
    ("12 May 2026", "12 May"),
    # Which is the day?
    ("12 May 2026", "12/05/2026"),
    ("in 2026", "in May"),
    ("three warehouses", "two warehouses"),
    ("three warehouses", "the third warehouse"),
    ("its fifth depot", "five depots"),
    ("a Series B round", "a Series A round"),
    ("ISO 9001", "ISO 14001"),
    ("C3", "C4"),
    ("C3", "3"),
    ("Q3", "Q2"),
    ("4G", "4 sites"),
    ("Phase II", "phase III"),
    ("on Monday", "on Tuesday"),
    ("half of them", "all of them"),
    ("24/7", "24 hours, 7 days"),
    ("16:30", "16:45"),
    ("version 3.11.2", "version 3.11.3"),
    ("x²", "x³"),
    ("٣٤ people", "43 people"),
]


@pytest.mark.parametrize(("claim", "quote"), SAME)
def test_a_figure_is_found_however_it_is_written(claim: str, quote: str) -> None:
    assert not lacking(claim, quote)


@pytest.mark.parametrize(("claim", "quote"), OTHER)
def test_another_figure_is_not_found(claim: str, quote: str) -> None:
    assert lacking(claim, quote)


@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_two_numbers_are_the_same_when_they_are(one: int, other: int) -> None:
    assert lacking(f"It has {one} trucks", f"It has {other:,} trucks") is (one != other)
    assert not lacking(f"It has {one} trucks", f"It has {one:,} trucks and {other} vans")


@given(st.dates(date(1900, 1, 1), date(2099, 12, 31)))
def test_a_day_is_the_same_however_it_is_written(day: date) -> None:
    claim = f"On {day.day} {day:%B} {day.year:04}"
    assert not any(
        lacking(claim, there) for there in (f"{day:%Y-%m-%d}", f"{day:%d.%m.%Y}", f"{day:%B} {day.day}, {day:%Y}")
    )
    assert lacking(claim, f"{day:%B} {day:%Y}")


@given(st.text())
def test_any_text_has_figures_and_all_its_digits_are_in_them(text: str) -> None:
    read = figures(text)
    covered = {at for figure in read for at in range(figure.start, figure.end)}
    assert {at for at, letter in enumerate(text) if letter.isdecimal()} <= covered
    assert not lacking(text, text)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("opened on 6 November 2026", date(2026, 11, 6)),
        ("in March 2024 and May 2025", date(2025, 5, 31)),
        ("in December 2024", date(2024, 12, 31)),
        ("employed 500 people in 2020", date(2020, 12, 31)),
        ("has led planning since March 2025", None),
        ("founded in 1990", None),
        ("employs 2020 people", None),
        ("in May", None),
        ("on 31 February 2026", None),
        ("", None),
    ],
)
def test_the_last_day_that_a_sentence_speaks_of(text: str, day: date | None) -> None:
    assert newest(text) == day
