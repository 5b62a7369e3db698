"""The Markdown of a brief is read back by a parser: its structure is ours, whatever strangers wrote."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from schemas.briefs import Brief
from starter.links import outside
from starter.show.markdown import markdown, plain
from tests.web.samples import CORPUS, changed, doubtful, hostile, rich, row

PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
OURS = {
    *("heading_open", "heading_close", "paragraph_open", "paragraph_close", "inline", "hr", "text", "softbreak"),
    *("bullet_list_open", "bullet_list_close", "ordered_list_open", "ordered_list_close", "list_item_open"),
    *("list_item_close", "strong_open", "strong_close", "em_open", "em_close", "link_open", "link_close"),
}


def tokens(text: str) -> list[Token]:
    return [token for block in PARSER.parse(text) for token in (block, *(block.children or ()))]


def shape(brief: Brief) -> list[str]:
    """The structure without the text: what must be the same whoever wrote the words."""
    inner = {"text", "softbreak", "link_open", "link_close"}
    return [token.type for token in tokens(markdown(brief)) if token.type not in inner]


def assert_inert(brief: Brief) -> None:
    read = tokens(markdown(brief))
    links = [str(token.attrs["href"]) for token in read if token.type == "link_open"]
    allowed = {link.url for piece in brief.evidence if (link := outside(piece.url))}
    assert {token.type for token in read} <= OURS
    assert set(links) <= allowed


def test_a_brief_reads_whole() -> None:
    text = markdown(rich())

    assert text.startswith("# Introduction: planning at")
    assert "Sandbox data" in text
    assert "Open with the talk in Leeds, then ask about the six weeks. *Recommendation rests on* [2] [3]" in text
    assert "<https://www.freightgazette.example/awards?year=2026&list=short>" in text
    assert "“Brightwater Logistics employs 640 people, of whom 410 drive”" in text
    assert "- Mei Tanaka: looked, and found nothing" in text
    assert "3 claims refused: 2 quote not in its evidence, 1 rests on no checked fact; cost $0.1025" in text


def test_what_changed_comes_first() -> None:
    text = markdown(changed(new_claims=tuple(row(f"fact {n}") for n in range(7))))

    head = text[: text.index("confidence**")]
    assert "Since you last met, 1 November 2026:" in head
    assert "- Tomas Okafor, 3 Nov 2026: Still corrects a fifth of the routes by telephone each night. [5]\n" in head
    assert "and 2 more, marked new below" in head
    assert "New in the room: Mei Tanaka" in head
    assert "by telephone each night. [5] (as of 3 Nov 2026) *new*" in text


def test_what_is_in_doubt_is_said() -> None:
    text = markdown(doubtful())

    assert "To keep within budget: 2 of 6 people were not looked up; a smaller model wrote this" in text
    assert (
        "Could be any of these; nothing is attached:\n\n- Jordan Ellis, Procurement Manager, Carrow Hospitals" in text
    )
    assert "Sat on the product council before. [5] *earlier* (as of 25 Sep 2024)" in text
    assert "demand planner at a grocery chain. [4] (undated page, read 22 Nov 2026)" in text
    assert "*Assessment rests on* [5], on earlier facts only" in text
    disagreeing = text[text.index("## Sources disagree") : text.index("## Looked for")]
    assert "Brightwater Logistics:\n\n- Employs 640 people, of whom 410 drive. [11] (as of 29 Aug 2026)" in disagreeing
    assert "- Employs 720 people after the depot in Halvik. [13] (as of 2 Nov 2026)" in disagreeing


def test_two_facts_of_one_source_are_told_apart() -> None:
    text = markdown(doubtful())

    assert "sits on the product council. [1a]" in text
    assert "Sits on the product council. [1b]" in text


def test_every_source_keeps_its_number_and_its_link() -> None:
    links = [token for token in tokens(markdown(rich())) if token.type == "link_open"]

    assert [token.attrs["href"] for token in links] == [piece.url for piece in rich().evidence]


@pytest.mark.parametrize("name", CORPUS)
def test_hostile_text_stays_text(name: str) -> None:
    assert_inert(hostile(CORPUS[name]))


@pytest.mark.parametrize("name", [name for name in CORPUS if name != "nothing"])
def test_hostile_text_leaves_the_structure_alone(name: str) -> None:
    assert shape(hostile(CORPUS[name])) == shape(hostile("word"))


@settings(deadline=None)
@given(text=st.text(alphabet=st.sampled_from("ab1 \n\\`*_{}[]()<>#+-.!|~&:@=/\"'\t"), max_size=40))
def test_any_punctuation_stays_text(text: str) -> None:
    assert_inert(hostile(text))


@given(text=st.text(max_size=100))
def test_any_text_reads_back_as_it_is_shown(text: str) -> None:
    inline = tokens(f"x {plain(text)}")
    assert {token.type for token in inline} <= {"paragraph_open", "paragraph_close", "inline", "text"}


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("17.5 million euros at 16:00", "17.5 million euros at 16:00"),
        ("see www.evil.example", r"see www\.evil\.example"),
        ("http://x", r"http\://x"),
        ("12. first", r"12\. first"),
        ("- item", r"\- item"),
        ("A family-owned firm, R&D", r"A family-owned firm, R\&D"),
        ("a@b", r"a\@b"),
    ],
)
def test_only_what_matters_is_escaped(text: str, written: str) -> None:
    assert plain(text) == written
