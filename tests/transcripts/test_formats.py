"""One call, written down by every service: the same words of the same people, at the times that are told."""

import time
import tracemalloc
from collections.abc import Callable, Iterable
from itertools import groupby

import pytest

from activities.research.quotes import found
from activities.transcripts.files import UnreadableError, read
from activities.transcripts.formats.turns import LONGEST_JOINED
from schemas.transcripts import Spoken
from tests.transcripts import material
from tests.transcripts.material import FIVE_MINUTES, PEOPLE, Cue

CUES = material.call()
FIRST = CUES[0].start_ms
# Of Python's own objects, for a file of a sixth of a megabyte.
MOST_MEMORY = 4 * 1024 * 1024

Write = Callable[[tuple[Cue, ...]], str]


def exact(cue: Cue) -> int:
    return cue.start_ms


def since_first(cue: Cue) -> int:
    return cue.start_ms - FIRST


def by_block(cue: Cue) -> int:
    return cue.start_ms // FIVE_MINUTES * FIVE_MINUTES


EVERY: tuple[tuple[Write, str, Callable[[Cue], int]], ...] = (
    (material.vtt, "vtt", exact),
    (material.zoom_vtt, "vtt", exact),
    (material.teams_cues, "vtt", exact),
    (material.srt, "srt", exact),
    (material.zoom, "zoom", since_first),
    (material.zoom_from, "zoom", since_first),
    (material.teams, "teams", exact),
    (material.meet, "meet", by_block),
    (material.meet_names, "meet", by_block),
    (material.led, "text", exact),
)
WRITERS = pytest.mark.parametrize(
    "write", [*(row[0] for row in EVERY), material.plain, material.words_alone], ids=lambda write: write.__name__
)


def said(turns: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """By one speaker at a stretch, however many turns that is."""
    return [(speaker, " ".join(text for _, text in run)) for speaker, run in groupby(turns, key=lambda turn: turn[0])]


def told(spoken: Spoken) -> list[tuple[str, str]]:
    return said((turn.speaker, turn.text) for turn in spoken.turns)


def text(content: str, name: str = "call.txt") -> Spoken:
    return read(content.encode(), name)


def lines(spoken: Spoken) -> list[tuple[str, int, str]]:
    return [(turn.speaker, turn.start_ms, turn.text) for turn in spoken.turns]


def test_the_call_is_long_and_has_eight_speakers() -> None:
    assert {cue.speaker for cue in CUES} == set(PEOPLE) and len(PEOPLE) == 8
    assert 17_000 < sum(len(cue.text.split()) for cue in CUES) < 20_000
    assert CUES[-1].end_ms > 7_000_000


@pytest.mark.parametrize(("write", "kind", "at"), EVERY, ids=[row[0].__name__ for row in EVERY])
def test_every_format_tells_the_same_words_speakers_and_times(
    write: Write, kind: str, at: Callable[[Cue], int]
) -> None:
    spoken = text(write(CUES))
    assert (spoken.format, spoken.timed) == (kind, True)
    assert told(spoken) == said((cue.speaker, cue.text) for cue in CUES)
    assert [speaker.key for speaker in spoken.speakers] == list(dict.fromkeys(cue.speaker for cue in CUES))
    # Each turn begins where one of its cues began, and they are in the order of the file.
    left = iter(CUES)
    for turn in spoken.turns:
        begun = next(cue for cue in left if cue.speaker == turn.speaker and turn.text.startswith(cue.text))
        assert turn.start_ms == at(begun) and turn.end_ms >= turn.start_ms
        assert len(turn.text) < LONGEST_JOINED


def test_text_without_times_has_turns_in_order() -> None:
    spoken = text(material.plain(CUES))
    assert (spoken.format, spoken.timed) == ("text", False)
    assert told(spoken) == said((cue.speaker, cue.text) for cue in CUES)
    assert [turn.start_ms for turn in spoken.turns] == [index * 1000 for index in range(len(spoken.turns))]


def test_text_without_speakers_is_one_speakers() -> None:
    spoken = text(material.words_alone(CUES))
    assert told(spoken) == [("Speaker", " ".join(cue.text for cue in CUES))]
    assert not spoken.timed and [(one.key, one.name) for one in spoken.speakers] == [("Speaker", "")]


@pytest.mark.parametrize("write", [row[0] for row in EVERY], ids=lambda write: write.__name__)
def test_every_cue_is_a_quote_that_is_found_in_its_turn(write: Write) -> None:
    spoken = text(write(CUES))
    turns, number = spoken.turns, 0
    for cue in CUES:
        while turns[number].speaker != cue.speaker or not found(cue.text, turns[number].text):
            number += 1
    assert number == len(turns) - 1


@WRITERS
@pytest.mark.alone
def test_two_hours_take_less_than_two_seconds_and_little_memory(write: Write) -> None:
    data = write(CUES).encode()
    began = time.perf_counter()
    read(data, "call")
    took = time.perf_counter() - began
    tracemalloc.start()
    try:
        read(data, "call")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert took < 2 and peak < MOST_MEMORY


def test_cues_of_one_speaker_join_across_a_breath_and_not_across_a_silence() -> None:
    cues = (
        Cue("Ada Quill", 0, 1000, "One."),
        Cue("Ada Quill", 2999, 4000, "Two."),
        Cue("Ada Quill", 6000, 7000, "Three."),
        Cue("Cem Özdal", 7000, 8000, "Four."),
        Cue("Ada Quill", 8000, 9000, "Five."),
    )
    spoken = text(material.vtt(cues))
    assert lines(spoken) == [
        ("Ada Quill", 0, "One. Two."),
        ("Ada Quill", 6000, "Three."),
        ("Cem Özdal", 7000, "Four."),
        ("Ada Quill", 8000, "Five."),
    ]
    assert spoken.turns[0].end_ms == 4000


def test_joined_turns_stay_short() -> None:
    cues = tuple(Cue("Ada Quill", at * 1000, at * 1000 + 999, "x" * 499) for at in range(6))
    # Two and the space between them are 999 letters, three are 1,499, and one more would be too long.
    assert [len(turn.text) for turn in text(material.vtt(cues)).turns] == [1499, 1499]
    exactly = (Cue("Ada Quill", 0, 999, "x" * 499), Cue("Ada Quill", 1000, 1999, "x" * 1000))
    assert [len(turn.text) for turn in text(material.vtt(exactly)).turns] == [499, 1000]


def test_times_that_go_back_keep_the_order_of_the_file() -> None:
    cues = (Cue("Ada Quill", 60_000, 61_000, "Later."), Cue("Ada Quill", 1_000, 500, "Earlier."))
    spoken = text(material.vtt(cues))
    assert [(turn.start_ms, turn.end_ms) for turn in spoken.turns] == [(60_000, 61_000), (1_000, 1_000)]
    clocks = text("[Ada] 10:00:10\nA.\n[Ada] 10:00:20\nB.\n[Ada] 10:00:15\nC.\n[Ada] 9:59:00\nD.\n")
    assert lines(clocks) == [("Ada", 0, "A."), ("Ada", 10_000, "B."), ("Ada", 5_000, "C."), ("Ada", 0, "D.")]


def test_a_time_beyond_belief_is_bounded() -> None:
    spoken = text("WEBVTT\n\n9999999999:00:00.000 --> 9999999999:00:01.000\nHello there.\n")
    assert spoken.turns[0].start_ms < 2**31


CASES = {
    "short times, a byte order mark, no blank line at the head": (
        "\ufeffWEBVTT\n00:05.5 --> 00:06.000\n<v Ada Quill>Hello.",
        [("Ada Quill", 5500, "Hello.")],
    ),
    "several voices in a cue, and words that are nobody's": (
        "WEBVTT\n\n00:01.000 --> 00:02.000\nHm. <v Ada Quill>Hello.</v>\n<v.x Cem>Hi.</v>",
        [("Speaker", 1000, "Hm."), ("Ada Quill", 1000, "Hello."), ("Cem", 1000, "Hi.")],
    ),
    "tags go, and whatever else has a less-than sign was said": (
        "WEBVTT\n\n00:01.000 --> 00:02.000\n<c.red>a <00:01.500>< b</c> &amp; <script>alert('x')</script> {\\an8}&lt;i&gt;",
        [("Speaker", 1000, "a < b & <script>alert('x')</script> <i>")],
    ),
    "commas, in a file that says WEBVTT": (
        "WEBVTT\n\n1\n00:00:01,000 --> 00:00:02,000\nAda: Hello.",
        [("Ada", 1000, "Hello.")],
    ),
    "SRT without numbers": ("00:00:01,000 --> 00:00:02,000\nAda: Hello.", [("Ada", 1000, "Hello.")]),
    "SRT without hours": ("1\n00:01,000 --> 00:02,000\nAda: Hello.", [("Ada", 1000, "Hello.")]),
    "white space between cues is no part of them": (
        "1\n00:00:01,000 --> 00:00:02,000\nHello.\n \t\n2\n00:00:02,000 --> 00:00:03,000\nYou.",
        [("Speaker", 1000, "Hello. You.")],
    ),
    "white space between cues that have numbers": (
        "WEBVTT\n\n1\n00:01.000 --> 00:02.000\nHello.\n \t\n2\n00:02.000 --> 00:03.000\nYou.",
        [("Speaker", 1000, "Hello. You.")],
    ),
    "an arrow between times, in text": (
        "Ada: Hello.\n" * 20 + "00:05 --> 00:09\nCem: Hi.",
        [("Ada", 0, " ".join(["Hello."] * 20) + " 00:05 --> 00:09"), ("Cem", 1000, "Hi.")],
    ),
    "captions name a speaker when that changes": (
        "1\n00:00:01,000 --> 00:00:02,000\nAda: Hello.\n\n2\n00:00:09,000 --> 00:00:10,000\nYou?\n\n3\n00:00:10,000 --> 00:00:11,000\n- Cem: Hi.\n- Ada: Oh.",
        [("Ada", 1000, "Hello."), ("Ada", 9000, "You?"), ("Cem", 10_000, "Hi."), ("Ada", 10_000, "Oh.")],
    ),
    "a name on a line of its own in each cue": (
        "00:00:01.000 --> 00:00:02.000\nAda Quill\nHello.\n\n00:00:05.000 --> 00:00:06.000\nAda Quill\nYou?",
        [("Ada Quill", 1000, "Hello."), ("Ada Quill", 5000, "You?")],
    ),
    "half of the day": (
        "[Ada Quill] 11:59:58 AM\nHello.\n[Cem] 12:00:03 PM\nHi.",
        [("Ada Quill", 0, "Hello."), ("Cem", 5000, "Hi.")],
    ),
    "a text export that counts from nothing": ("[Ada] 00:00:03\nHello.", [("Ada", 3000, "Hello.")]),
    "one space before the time": (
        "Ada Quill 0:05\nsee you at 10:30\nthen\nCem 0:09\nHi.",
        [("Ada Quill", 5000, "see you at 10:30 then"), ("Cem", 9000, "Hi.")],
    ),
    "a colon and no name": (
        "Ada: One thing: no.\nand so: yes\nhttps://x.example: that\nCem: at 10:30\n10:45: maybe",
        [("Ada", 0, "One thing: no. and so: yes https://x.example: that"), ("Cem", 1000, "at 10:30 10:45: maybe")],
    ),
    "what stands above": (
        "Title: A call\nDate: 22 November 2026\n\nAda: Hello.\nCem: Hi.",
        [("Ada", 0, "Hello."), ("Cem", 1000, "Hi.")],
    ),
    "bold names, headings, another colon": (
        "### 00:05:00\n**Ada Quill:** Hello.\n**Cem**: Hi.\n田中：はい、そうです。",
        [("Ada Quill", 300_000, "Hello."), ("Cem", 300_000, "Hi."), ("田中", 300_000, "はい、そうです。")],
    ),
    "lines that are wrapped": (
        "Ada: Hello\nthere.\n\nStill me.\nCem: Hi.",
        [("Ada", 0, "Hello there. Still me."), ("Cem", 1000, "Hi.")],
    ),
    "prose with a note": (
        "we met and talked.\n\nlong it was, and at 10:30 it ended.\nnote: bring the paper\n",
        [("Speaker", 0, "we met and talked. long it was, and at 10:30 it ended. note: bring the paper")],
    ),
}


@pytest.mark.parametrize(("content", "expected"), CASES.values(), ids=CASES.keys())
def test_what_is_met_in_files(content: str, expected: list[tuple[str, int, str]]) -> None:
    assert lines(text(content)) == expected


@pytest.mark.parametrize(
    "content",
    [
        f"Ada Quill ({material.ADDRESS}): Hello.\nCem: Hi.",
        f"Ada Quill <{material.ADDRESS}>: Hello.\nCem: Hi.",
        f"[Ada Quill ({material.ADDRESS})] 10:00:00\nHello.\n[Cem] 10:00:05\nHi.",
        f"Ada Quill ({material.ADDRESS})   0:05\nHello.\nCem   0:09\nHi.",
        f"WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ada Quill ({material.ADDRESS.upper()})>Hello.\n\n00:02.000 --> 00:03.000\n<v Cem>Hi.",
    ],
)
def test_an_address_behind_a_name_is_the_speakers(content: str) -> None:
    assert [(one.key, one.name, one.email) for one in text(content).speakers] == [
        ("Ada Quill", "Ada Quill", material.ADDRESS),
        ("Cem", "Cem", None),
    ]


def test_brackets_without_an_address_are_part_of_the_name() -> None:
    speakers = text("Ada (Host): Hello.\nCem (a@): Hi.\nAda (Host): So.").speakers
    assert [(one.key, one.email) for one in speakers] == [("Ada (Host)", None), ("Cem (a@)", None)]


def test_names_are_cleaned_and_bounded() -> None:
    long = "Ada\u202e\u200b " + "Quill " * 60
    spoken = text(f"[{long[:240]}] 10:00:00\nHello\u200b there.\x07\n")
    assert spoken.speakers[0].key == ("Ada " + "Quill " * 60)[:200].strip()
    assert spoken.turns[0].speaker == spoken.speakers[0].key and spoken.turns[0].text == "Hello there."


def test_cues_whose_times_cannot_be_read_are_not_left_out_in_silence() -> None:
    good = "00:0{0}.000 --> 00:0{0}.500\nAda: Hello.\n\n"
    content = "WEBVTT\n\n" + "".join(good.format(at) for at in range(5)) + "0:99 --> 1:99\nAda: Lost."
    with pytest.raises(UnreadableError, match="The times of 1 of the file's 6 cues cannot be read"):
        text(content)
