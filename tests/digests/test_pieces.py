"""A script is cut into pieces that can be spoken, and every line finds its place in what was spoken of them."""

import hashlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.digests import keys
from activities.digests.pieces import MOST_LETTERS, chapters, pieces, timed
from schemas.digests import Item, ItemKind, Line, Script

ITEMS = tuple(
    Item(kind=ItemKind.NEWS, key=f"k{n}", topic="t", title=f"Title {n}", text="text", source="The Halden Courier")
    for n in (1, 2, 3)
)
WORDS = st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=40), min_size=1, max_size=200).map(" ".join)


def line(turn: int, text: str, item: int | None = None, voice: int | None = None) -> Line:
    return Line(turn=turn, voice=voice or 1 + turn % 2, text=text, item=item)


def script(*lines: Line) -> Script:
    return Script(items=ITEMS, lines=lines)


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(1, 2), WORDS), max_size=12))
def test_nothing_is_lost_and_no_piece_is_too_long(said: list[tuple[int, int, str]]) -> None:
    whole = script(*(line(turn, text, voice=voice) for turn, voice, text in said))
    cut = pieces(whole, "m")
    assert all(0 < piece.letters <= MOST_LETTERS for piece in cut)
    assert all(one.text for piece in cut for one in piece.utterances)
    spoken = [(one.voice, word) for piece in cut for one in piece.utterances for word in one.text]
    wanted = [(voice, word) for _, voice, text in said for word in text]
    assert [one for one in spoken if not one[1].isspace()] == [one for one in wanted if not one[1].isspace()]


def test_a_piece_ends_where_a_turn_ends() -> None:
    cut = pieces(script(*(line(turn, "word " * 99 + "end.") for turn in range(1, 8))), "m")
    assert [[one.voice for one in piece.utterances] for piece in cut] == [[2, 1, 2], [1, 2, 1], [2]]


def test_a_long_turn_is_cut_at_its_sentences_and_a_long_sentence_at_its_words() -> None:
    sentences = [line(1, f"Sentence {n} " + "goes on " * 60 + "here.") for n in range(5)]
    cut = pieces(script(*sentences), "m")
    assert [piece.utterances[-1].text[-5:] for piece in cut] == ["here."] * len(cut)
    assert len(cut) > 1
    (first, second) = pieces(script(line(1, "word " * 500)), "m")
    assert (first.utterances[0].text + " " + second.utterances[0].text).split() == ["word"] * 500


@pytest.mark.parametrize(("second", "count"), [(MOST_LETTERS - 800, 1), (MOST_LETTERS - 799, 2)])
def test_a_piece_takes_as_much_as_it_may_and_not_a_letter_more(second: int, count: int) -> None:
    assert len(pieces(script(line(1, "a" * 800), line(2, "b" * second)), "m")) == count


def test_lines_of_one_turn_are_said_in_one_breath() -> None:
    (piece,) = pieces(script(line(1, "One."), line(1, "Two."), line(2, "Three.")), "m")
    assert [(one.voice, one.text) for one in piece.utterances] == [(2, "One. Two."), (1, "Three.")]


def test_the_hash_tells_words_voices_and_manner_apart_and_nothing_else() -> None:
    one = script(line(1, "One.", item=1), line(2, "Two."))
    (piece,) = pieces(one, "m")
    same = script(line(3, "One."), line(4, "Two.", item=2))
    assert pieces(same, "m")[0].hash == piece.hash
    others = [
        pieces(script(line(1, "One!"), line(2, "Two.")), "m"),
        pieces(script(line(2, "One."), line(1, "Two.")), "m"),
        pieces(script(line(1, "One."), line(1, "Two.")), "m"),
        pieces(one, "another"),
    ]
    assert len({piece.hash, *(cut[0].hash for cut in others)}) == 5


@given(st.lists(st.tuples(st.integers(1, 5), WORDS), min_size=1, max_size=10), st.integers(1, 100_000))
def test_lines_follow_each_other_and_fill_what_is_spoken(said: list[tuple[int, str]], length: int) -> None:
    whole = script(*(line(turn, text) for turn, text in said))
    cut = pieces(whole, "m")
    heard = timed(whole, cut, [length] * len(cut))
    spans = [(one.start_ms, one.end_ms) for one in heard.lines if one.text.strip()]
    assert all(start is not None and end is not None and start <= end for start, end in spans)
    if spans:
        assert (spans[0][0], spans[-1][1]) == (0, length * len(cut))
        assert all(before[1] == after[0] for before, after in pairwise(spans))
    assert [one.text for one in heard.lines] == [one.text for one in whole.lines]


def test_a_line_gets_time_by_its_letters() -> None:
    whole = script(line(1, "a" * 30), line(2, "b" * 10))
    heard = timed(whole, pieces(whole, "m"), [4000])
    assert [(one.start_ms, one.end_ms) for one in heard.lines] == [(0, 3000), (3000, 4000)]


def test_a_line_that_is_spoken_in_two_pieces_lasts_over_both() -> None:
    whole = script(line(1, "word " * 500), line(2, "end"))
    cut = pieces(whole, "m")
    heard = timed(whole, cut, [100_000, 60_000])
    assert heard.lines[0].start_ms == 0
    assert 100_000 < (heard.lines[0].end_ms or 0) == heard.lines[1].start_ms
    assert heard.lines[1].end_ms == 160_000


def test_durations_of_other_pieces_do_not_pass() -> None:
    whole = script(line(1, "one"))
    with pytest.raises(ValueError, match="shorter"):
        timed(whole, pieces(whole, "m"), [])


def test_chapters_are_the_opening_each_item_and_the_end() -> None:
    told = script(
        line(1, "Good morning."),
        line(1, "From the Courier.", item=1),
        line(2, "Really.", item=1),
        line(2, "And now for something else."),
        line(1, "From the Post.", item=2),
        line(2, "Indeed."),
        line(1, "It was so.", item=2),
        line(2, "That is all."),
    )
    cut = pieces(told, "m")
    found = chapters(timed(told, cut, [10_000]))
    assert [one.title for one in found] == ["Opening", "Title 1", "Title 2", "End"]
    assert (found[0].start_ms, found[-1].end_ms) == (0, 10_000)
    assert all(before.end_ms == after.start_ms for before, after in pairwise(found))


def test_items_of_one_title_are_two_chapters_and_a_quiet_day_is_one() -> None:
    twins = Script(items=(ITEMS[0], ITEMS[0]), lines=(line(1, "One.", item=1), line(2, "Two.", item=2)))
    cut = pieces(twins, "m")
    assert [one.title for one in chapters(timed(twins, cut, [10]))] == ["Title 1", "Title 1"]
    quiet = Script(items=(), lines=(line(1, "Nothing is new."),))
    (only,) = chapters(timed(quiet, pieces(quiet, "m"), [1000]))
    assert (only.title, only.start_ms, only.end_ms) == ("Opening", 0, 1000)


def test_what_is_not_spoken_has_no_chapters() -> None:
    assert chapters(script(line(1, "One.", item=1))) == ()


def test_keys_are_the_tenant_the_digest_and_what_is_said() -> None:
    assert keys.piece("t", "d", "h") == "t/digests/d/pieces/h.mp3"
    joined = hashlib.sha256(b"h/i").hexdigest()
    assert keys.whole("t", "d", ["h", "i"]) == f"t/digests/d/{joined}.mp3"
    assert keys.whole("t", "d", ["i", "h"]) != keys.whole("t", "d", ["h", "i"])
