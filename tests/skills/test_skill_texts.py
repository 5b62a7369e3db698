"""Texts of many lines stay what they are, without what nobody sees; seats of one are counted apart from another's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.plain import lines
from activities.seats import Seats
from tests.digests.voices import Chairs


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("# A\n\n- b\n    - c\n", "# A\n\n- b\n    - c"),
        ("a\r\nb", "a\nb"),
        ("a \t\nb", "a\nb"),
        ("\tcode", "    code"),
        ("a\x1b]8;;x\x07b\u200b\u202e\ufe0f", "a]8;;xb"),
        ("a\x00\ud800b", "ab"),
        ("\n\n", ""),
        ("a\rb\u2028c", "ab\u2028c"),
    ],
    ids=["markdown", "crlf", "ends", "tab", "escapes", "unstorable", "nothing", "other-breaks"],
)
def test_lines_are_as_a_person_would_see_them(text: str, seen: str) -> None:
    assert lines(text) == seen


@given(st.text(st.sampled_from("ab \n\t\r\0\x1b\u200b#-")))
def test_lines_twice_are_lines_once(text: str) -> None:
    once = lines(text)
    assert lines(once) == once
    assert not set(once) & set("\t\r\0\x1b\u200b")


async def test_seats_of_one_are_not_those_of_another() -> None:
    chairs = Chairs()
    seats = Seats(chairs, {"skills": 1})
    async with seats.seat("skills", "one"), seats.seat("skills", "another"):
        assert {name: len(held) for name, held in chairs.taken.items()} == {"skills/one": 1, "skills/another": 1}
    assert chairs.taken == {"skills/one": set(), "skills/another": set()}
