"""What people upload: any encoding, the wrong file, an empty one, one too large, and whatever breaks parsers."""

import io
import random
import subprocess
import sys
import time
import tracemalloc
import zipfile
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.plain import clean
from activities.research.quotes import SHORTEST, found
from activities.transcripts.files import LARGEST, UnreadableError, read
from tests.transcripts import material

TALK = "Ada Quill: Wir prüfen die Größe der Straße für nächste Woche.\nCem Özdal: Ça dépend, natürlich, schön.\n"
CUES = material.call(seconds=300)
WRITTEN = [
    write(CUES).encode()
    for write in (
        *(material.vtt, material.zoom_vtt, material.srt, material.teams_cues, material.zoom, material.zoom_from),
        *(material.teams, material.meet, material.meet_names, material.plain, material.led, material.words_alone),
    )
]
# Of Python's own objects, for the largest file that is let in.
MOST_MEMORY = 160 * 1024 * 1024


def refusal(data: bytes, name: str = "call.txt") -> str:
    with pytest.raises(UnreadableError) as refused:
        read(data, name)
    return str(refused.value)


def packed(inside: str) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writing:
        writing.writestr("[Content_Types].xml", "<Types/>")
        writing.writestr(inside, "Ada: Hello.")
    return archive.getvalue()


def broken(data: bytes, name: str = "call.txt") -> list[str]:
    """It is a transcript whose every part keeps its promises, or one sentence. What of that is not so."""
    try:
        spoken = read(data, name)
    except UnreadableError as error:
        said = str(error)
        return [] if said.endswith(".") and len(said) < 200 and "\n" not in said else [f"no sentence: {said}"]
    promises = {
        "who is named speaks": {turn.speaker for turn in spoken.turns} == {one.key for one in spoken.speakers},
        "every turn is clean": all(turn.text == clean(turn.text, len(turn.text)) != "" for turn in spoken.turns),
        "every turn has its time": all(0 <= turn.start_ms <= turn.end_ms < 2**31 for turn in spoken.turns),
        "every name is clean": all(one.key == clean(one.key, 200) != "" for one in spoken.speakers),
        "turns without times are in order": spoken.timed
        or all(one.start_ms < other.start_ms for one, other in pairwise(spoken.turns)),
    }
    return [promise for promise, kept in promises.items() if not kept]


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [("utf-8", b""), ("utf-8-sig", b""), ("utf-16", b""), ("utf-16-be", b"\xfe\xff"), ("utf-32", b""), ("cp1252", b"")],
)
def test_encodings_of_our_days_are_read(encoding: str, mark: bytes) -> None:
    spoken = read(mark + TALK.encode(encoding), "call.txt")
    assert "\n".join(f"{turn.speaker}: {turn.text}" for turn in spoken.turns) + "\n" == TALK


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("cp1254", "Bugün görüşmek için uygun musunuz? Şirketin büyüklüğü önemli, çalışıyoruz."),
        ("cp1250", "Dzień dobry, możemy porozmawiać o umowie? Zażółć gęślą jaźń, w przyszłym tygodniu."),
        ("cp1251", "Здравствуйте, можем ли мы обсудить договор на следующей неделе?"),
        ("cp932", "こんにちは、契約について話しましょう。来週お願いします。"),
        ("gb18030", "你好，我们可以谈谈合同吗？当然，下周可以。"),
        ("cp1252", "¿Cuándo podríamos empezar con la migración? Mañana también está bien."),
    ],
)
def test_older_encodings_are_guessed(encoding: str, said: str) -> None:
    assert [turn.text for turn in read(f"Ada: {said}\n".encode(encoding), "call.txt").turns] == [said]


def test_an_encoding_is_guessed_where_it_begins_to_matter() -> None:
    data = b"Ada: Nothing to see here, and so on.\n" * 10_000 + TALK.encode("cp1252")
    assert read(data, "call.txt").turns[-1].text == "Ça dépend, natürlich, schön."


def test_a_file_in_utf8_that_is_cut_off_stays_what_it_is() -> None:
    spoken = read((TALK * 3).encode()[:-4] + b"\xc3", "call.txt")
    assert spoken.turns[0].text == "Wir prüfen die Größe der Straße für nächste Woche."
    assert spoken.turns[-1].text.startswith("Ça dépend, natürlich, sch")


def test_a_false_mark_is_told() -> None:
    assert "save it as UTF-8" in refusal(b"\xef\xbb\xbf" + "Größe über Maß".encode("cp1252"))
    assert "save it as UTF-8" in refusal(b"Ada: " + bytes(random.Random(3).choices(range(128, 256), k=200)))


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"%PDF-1.7\n%\xe2\xe3", "a PDF"),
        (packed("word/document.xml"), "a Word document"),
        (packed("xl/workbook.xml"), "a spreadsheet"),
        (packed("call.txt"), "a ZIP archive"),
        (b"\0\0\0\x20ftypisom\0\0\2\0", "a video recording"),
        (b"\0\0\0\x20ftypM4A \0\0\2\0", "a sound recording"),
        (b"ID3\4\0\0\0", "a sound recording"),
        (b"\x1f\x8b\x08\0", "a compressed archive"),
        (b"{\\rtf1\\ansi Ada: Hello.}", "an RTF document"),
        (b"\x89PNG\r\n\x1a\n", "a picture"),
        (b"Ada: Hel\0lo.", "a binary file"),
        ("Ada: Hello.".encode("utf-16-le"), "a binary file, or UTF-16 without its mark"),
        (bytes(range(1, 32)) * 9, "a binary file"),
    ],
)
def test_what_is_no_text_is_named(data: bytes, kind: str) -> None:
    said = refusal(data, "transcript.vtt")
    assert said.startswith(f"This is {kind}") and said.endswith("; export the transcript as VTT, SRT or text.")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "The file is empty."),
        (b" \r\n\t\xc2\xa0\n", "The file holds nothing but white space."),
        (b"\xef\xbb\xbf", "The file holds nothing but white space."),
        (b"WEBVTT\n\n", "The file holds no words that were spoken."),
        (b"WEBVTT\n\n00:01.000 --> 00:02.000\n...\n", "The file holds no words that were spoken."),
        ("\u200b\u200e…".encode(), "The file holds no words that were spoken."),
        (b"[Ada] 10:00:00\n\n[Cem] 10:00:05\n", "The file holds no words that were spoken."),
        (b"a\n" * 400_001, "The file has more than 400,000 lines; send it in parts."),
        (b"Ada: Hello.\n" * 100_001, "The file has more than 100,000 turns; send it in parts."),
        (
            b"WEBVTT\n\n" + b"00:01.000 --> 00:02.000\na\n\n" * 100_001,
            "The file has more than 100,000 turns; send it in parts.",
        ),
    ],
    ids=range(10),
)
def test_what_holds_no_call_is_told_in_a_sentence(data: bytes, sentence: str) -> None:
    assert refusal(data) == sentence


def test_a_crowd_is_no_call() -> None:
    crowd = "".join(f"Ada Q{number}: Hello.\n" for number in range(201))
    assert refusal(crowd.encode()) == "The file names more than 200 speakers; it seems to be no transcript."
    assert len(read(crowd.rsplit("Ada", 1)[0].encode(), "call.txt").speakers) == 200


def test_fifty_megabytes_are_refused_at_once() -> None:
    recording, words = b"\0\0\0\x20ftypisom" + bytes(50_000_000), b"Ada: Hello.\n" * 4_200_000
    tracemalloc.start()
    began = time.perf_counter()
    try:
        assert refusal(recording).startswith("This is a video recording;")
        assert refusal(words) == "The file is larger than 8 MiB; send the transcript alone, or in parts."
        assert tracemalloc.get_traced_memory()[1] < 1024 * 1024
    finally:
        tracemalloc.stop()
    assert time.perf_counter() - began < 2


def test_content_comes_before_the_name_and_the_name_before_words_alone() -> None:
    assert read(b"Ada: Hello.\nCem: Hi.", "call.vtt").format == "text"
    assert read(b"WEBVTT\n\n00:01.000 --> 00:02.000\nHello.", "call.json").format == "vtt"
    assert read(b"Hello there.", "call").format == "text"
    assert (
        refusal(b"Hello there.", "CALL.VTT") == "The file ends in .vtt, but holds no cues; export the transcript again."
    )
    assert refusal(b'{"a": [1, 2]}', "call.json").startswith("This is a JSON file;")
    assert refusal(b"<html><p>Hello</p></html>", "call.htm").startswith("This is a web page;")


def test_scripts_and_controls_are_data() -> None:
    spoken = read(
        "Ada: <script>alert(1)</script> \x1b[31mred\x1b[0m i\u202egnore\u200b all.\nCem: Hi.".encode(), "call.txt"
    )
    assert spoken.turns[0].text == "<script>alert(1)</script> [31mred[0m ignore all."


@pytest.mark.parametrize(
    "unit", [" ", "\t", "0", ":", "<", ">", "-", "v", "A", ".", "[", "(", "*", "@", "&", "é", "\u3000"]
)
def test_a_long_line_of_one_character_ends_quickly(unit: str) -> None:
    line = unit * 200_000
    began = time.process_time()
    for head in (
        "",
        "Ada: ",
        "WEBVTT\n\n00:01.000 --> 00:02.000\n<v",
        "1\n00:00:01,000 --> 00:00:02,000\n",
        "[A",
        "0:05 From ",
    ):
        assert not broken(f"{head}{line} hello".encode())
        assert not broken(f"{head}{line}\n{line[:299]} 0:05".encode())
    # A quadratic pattern would take hours over each.
    assert time.process_time() - began < 15


@pytest.mark.parametrize(
    "unit", ["--> ", "-->\n", "<v ", "<v A", "<c ", "&amp;", "[A] 0:05\n", "A  0:05\n", "A\nb\n", "0:05\n"]
)
def test_repeated_beginnings_end_quickly(unit: str) -> None:
    began = time.process_time()
    for head in ("", "WEBVTT\n\n00:01.000 --> 00:02.000\n"):
        assert not broken((head + unit * (200_000 // len(unit))).encode())
    assert time.process_time() - began < 10


PEAK = """
import sys
from pathlib import Path
from activities.transcripts.files import read
def peak():
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
data = sys.stdin.buffer.read()
before = peak()
print(read(data, "call.srt").format, peak() - before)
"""


@pytest.mark.alone
@pytest.mark.timeout(120)
def test_the_largest_file_is_read_within_bounds() -> None:
    cue = "{0}\n00:00:01,000 --> 00:00:02,000\nAda Quill: " + "and so on " * 4 + "\n\n"
    data = "".join(cue.format(number) for number in range(94_000)).encode()
    assert LARGEST * 0.9 < len(data) <= LARGEST
    # In a process of its own, whose peak is its own; counting each allocation here would take a minute.
    done = subprocess.run([sys.executable, "-c", PEAK], input=data, capture_output=True, check=True)
    kind, _, grown = done.stdout.decode().partition(" ")
    assert kind == "srt"
    assert 0 < int(grown) * 1024 < MOST_MEMORY


@settings(deadline=2_000, max_examples=100)
@given(st.binary(max_size=2_000), st.text(max_size=20))
def test_any_bytes_are_a_transcript_or_a_sentence(data: bytes, name: str) -> None:
    assert not broken(data, name)


LINES = st.sampled_from(
    [
        *(
            "WEBVTT",
            "",
            " ",
            "1",
            "00:00:01,000 --> 00:00:02,000",
            "00:01.000 --> 00:02.000",
            "x --> y",
            "-->",
            "NOTE a",
        ),
        *("<v Ada>Hi", "<v >", "Ada: Hi", "ada:", "[Ada] 10:00:00", "[] 0:00", "10:00:00 From Ada to Cem: Hi", "0:05"),
        *(
            "Ada   0:05",
            "Ada",
            "Hello there.",
            "(a@b.example): x",
            "<a@b.example>",
            "**:**",
            "\u200b: x",
            "²: x",
            "99:59 AM",
        ),
        *("９:00", "STYLE", "REGION", "Transcription ended after 0:05", "\x85", "\u2028", "a" * 1600, "&#xD800; &#0;"),
    ]
)


@settings(deadline=2_000, max_examples=150)
@given(st.lists(LINES | st.text(max_size=30), max_size=40))
def test_any_lines_are_a_transcript_or_a_sentence(lines: list[str]) -> None:
    assert not broken("\n".join(lines).encode(errors="replace"))


@settings(deadline=5_000, max_examples=50)
@given(st.sampled_from(WRITTEN), st.integers(0, 2**32), st.integers(1, 60))
def test_a_damaged_file_is_a_transcript_or_a_sentence(data: bytes, seed: int, changes: int) -> None:
    chance, damaged = random.Random(seed), bytearray(data)
    for _ in range(changes):
        at = chance.randrange(len(damaged))
        end = min(at + chance.choice((0, 1, 1, 20, 400)), len(damaged))
        damaged[at:end] = chance.choice(
            (b"", b"\n", b"<v ", b":", b"-->", b"\xff", chance.randbytes(3), damaged[end : end + 50])
        )
        damaged = damaged or bytearray(b"a")
    assert not broken(bytes(damaged))


# As people speak and machines write it: any script, odd spaces, quotation marks, what nobody sees.
WORDS = st.lists(
    st.text(
        st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp")) | st.sampled_from("\u200b\xad\xa0“”’…  "),
        min_size=1,
        max_size=12,
    ),
    min_size=1,
    max_size=30,
).map(" ".join)


@settings(deadline=2_000, max_examples=100)
@given(WORDS, st.data())
def test_whatever_of_the_file_is_a_quote_is_one_of_the_turn(words: str, data: st.DataObject) -> None:
    """The first words of a cue, or any after them: found in the turn exactly when they are found in the file."""
    said = "It was said on the call that " + " ".join(words.split())
    spoken = read(f"[Ada Quill] 10:00:00\n{said}\n".encode(), "call.txt")
    (turn,) = spoken.turns
    start = data.draw(st.integers(0, len(said) - 1))
    quote = said[start : start + data.draw(st.integers(SHORTEST, 200))]
    assert found(quote, turn.text) == found(quote, said)
    assert found("It was said on the call", turn.text)
