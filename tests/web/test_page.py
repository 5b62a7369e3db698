"""The page says all that a brief knows, and whatever strangers wrote into it stays text."""

import hashlib
import re
from base64 import b64encode
from html import unescape
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.plain import clean
from schemas.briefs import Brief, Changes, Confidence
from starter.links import outside
from starter.show.page import FILES, STYLE, notice, page
from tests.web.reading import assert_inert, read
from tests.web.samples import CORPUS, changed, doubtful, hostile, rich, row, shortened

INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e01ef]"
)


def test_a_brief_is_shown_whole() -> None:
    brief = rich()
    shown = " ".join(re.sub(r"<[^>]+>", " ", page(brief, standalone=False)).replace("&#39;", "'").split())

    for claim in brief.claims:
        assert claim.text in shown
        assert claim.quote is None or claim.quote in shown
    for gap in brief.gaps:
        assert gap.reason in shown
    for said in (
        "Monday 23 November 2026, 16:00 (Europe/Berlin)",
        "Low confidence",
        "Probably this person",
        "Not found",
    ):
        assert said in shown
    for said in ("$0.1025", "claude-sonnet-5-5", "3 claims", "2 quote not in its evidence", "sandbox data", "16:29"):
        assert said in shown


def test_what_is_new_stands_directly_below_the_headline() -> None:
    shown = _head(rich())

    assert "Lovelace has fresh money and a slow start for customers." in shown
    assert "Since you last met, 1 November 2026:" in shown, "in the reader's zone it was another day"
    assert "Tomas Okafor, 16 Nov 2026: Was named on the shortlist for the regional operations award. 7" in shown
    assert "New in the room: Mei Tanaka" in shown
    assert "more, marked new" not in shown
    assert page(rich(), standalone=False).count('<span class="new">New</span>') == 4


def test_only_the_newest_facts_and_people_stand_there_and_the_rest_is_counted() -> None:
    everybody = tuple(subject.id for subject in rich().subjects) * 2
    shown = _head(changed(new_claims=tuple(row(f"fact {n}") for n in range(11)), new_people=everybody))

    assert "Still corrects a fifth" in shown
    assert "Spoke in Malmo" not in shown
    assert "and 6 more, marked new below" in shown
    assert "and 5 more" in shown


@pytest.mark.parametrize(
    ("brief", "said"),
    [
        (changed(new_claims=(), gaps=()), "Nothing new since you last met on 1 November 2026."),
        (changed(new_claims=()), "Nothing new since you last met on 1 November 2026, as far as anything was found."),
        (
            changed(new_claims=(), compared_with=None),
            "You last met on 1 November 2026; there is no brief of that meeting to compare with.",
        ),
        (
            rich().model_copy(update={"changes": Changes(), "what_changed": "First contact: nobody was met."}),
            "First contact: nobody was met.",
        ),
        # Whoever was new has been forgotten since.
        (changed(new_claims=(row("gone"),), new_people=(row("gone"),), gaps=()), "Nothing new since you last met on"),
    ],
)
def test_a_brief_without_news_says_so(brief: Brief, said: str) -> None:
    shown = _head(brief)

    assert said in shown
    assert "Since you last met" not in shown


def _head(brief: Brief) -> str:
    """The text of the page above its first section."""
    html = page(brief, standalone=False)
    head = html[html.index("<h1") : html.index('<div class="trust')]
    return " ".join(unescape(re.sub(r"<[^>]+>", "", head)).split())


def test_every_number_leads_to_a_source_and_every_label_to_a_heading() -> None:
    reader = read(page(rich(), standalone=False))

    ids = reader.all("id")
    assert len(ids) == len(set(ids))
    assert {href[1:] for href in reader.all("href") if href.startswith("#")} <= set(ids)
    assert set(reader.all("aria-labelledby")) <= set(ids)


def test_headings_descend_in_order_below_one_title() -> None:
    levels = [int(tag[1]) for tag, _ in read(page(rich(), standalone=False)).elements if tag in {"h1", "h2", "h3"}]

    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_what_is_no_fact_says_so_and_names_its_sources() -> None:
    html = page(rich(), standalone=False)
    said = html[html.index("Open with the talk in Leeds") :]
    basis = said[: said.index("</li>")]

    assert "Recommendation" in basis
    assert re.findall(r'href="#f(\d+)"', basis) == ["2", "3"]


def test_what_is_in_doubt_is_said() -> None:
    html = page(doubtful(), standalone=False)
    shown = " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())

    assert "To keep within budget: 2 of 6 people were not looked up; a smaller model wrote this" in shown
    assert "Could be any of these; nothing is attached: Name Position Company Place Jordan Ellis Procurement" in shown
    assert "Sat on the product council before. 5 Earlier as of 25 Sep 2024" in shown
    assert "demand planner at a grocery chain. 4 undated page, read 22 Nov 2026" in shown
    assert "Assessment rests on 5 , on earlier facts only" in shown
    assert "sits on the product council. 1a New" not in shown
    disagreeing = shown[shown.index("Sources disagree Brightwater") :]
    assert disagreeing.index("Employs 640 people") < disagreeing.index("Employs 720 people") < 300


def test_facts_are_linked_by_marks_of_their_own() -> None:
    reader = read(page(doubtful(), standalone=False))
    ids = reader.all("id")

    assert {"f1a", "f1b", "f2"} <= set(ids)
    assert len(ids) == len(set(ids))
    assert {href[1:] for href in reader.all("href") if href.startswith("#")} <= set(ids)


def test_real_data_carries_no_sandbox_notice_and_pretended_data_does() -> None:
    assert 'class="sandbox"' in page(rich(), standalone=True)
    assert 'class="sandbox"' not in page(rich().model_copy(update={"sandbox": False}), standalone=True)


def test_a_brief_of_almost_nothing_is_a_page() -> None:
    bare = {"subjects": (), "claims": (), "evidence": (), "gaps": (), "reasons": (), "dropped": {}, "starts_at": None}
    html = page(rich().model_copy(update={**bare, "confidence": Confidence.LOW}), standalone=False)

    assert_inert(html)
    assert "Ad hoc" in html


@pytest.mark.parametrize("standalone", [False, True], ids=["served", "standalone"])
@pytest.mark.parametrize("name", CORPUS)
def test_hostile_text_stays_text(name: str, standalone: bool) -> None:
    reader = assert_inert(page(hostile(CORPUS[name]), standalone=standalone))

    assert reader.text("title") == shortened(CORPUS[name])
    assert shortened(CORPUS[name]) in reader.text("h1")
    assert clean(CORPUS[name], 2000) in reader.text("span")
    assert not [text for texts in reader.texts.values() for text in texts if INVISIBLE.search(text)]


@settings(deadline=None)
@given(text=st.text(max_size=200))
def test_any_text_stays_text(text: str) -> None:
    assert_inert(page(hostile(text), standalone=True))


@pytest.mark.parametrize("name", [name for name in CORPUS if "address" in name])
def test_only_an_address_of_the_web_becomes_a_link(name: str) -> None:
    hrefs = set(read(page(hostile(CORPUS[name]), standalone=True)).all("href"))
    links = {href for href in hrefs if not href.startswith("#")}

    broken = "https://evil.example/%3E%3Cscript%3Edocument.title=%27owned%27%3C/script%3E"
    assert links == ({broken} if name == "broken address" else set())


@pytest.mark.parametrize(
    ("url", "becomes"),
    [
        ("https://www.acme.example/a?b=c&d=e#f", ("https://www.acme.example/a?b=c&d=e#f", "acme.example")),
        ("HTTP://ACME.example:8080", ("http://acme.example:8080", "acme.example")),
        ("https://bücher.example/ü", ("https://xn--bcher-kva.example/%C3%BC", "xn--bcher-kva.example")),
        ("https://acme.example/%20%3E", ("https://acme.example/%20%3E", "acme.example")),
        ("https://acme.example/a(b)'\"<>`[", ("https://acme.example/a%28b%29%27%22%3C%3E%60%5B", "acme.example")),
        ("https://user@acme.example/", None),
        ("https://acme.example\\@evil.example/", None),
        ("https://acme.example/a b", None),
        ("https://a_b.example/", None),
        ("https://[::1]/", None),
        ("https://[", None),
        ("https://acme.example:99999/", None),
        ("//acme.example/", None),
        ("ftp://acme.example/", None),
        ("java\nscript:alert(1)", None),
        ("https://" + "a" * 70 + ".example", None),
        ("https://acme.example/" + "a" * 2000, None),
        ("https:///path", None),
        ("", None),
    ],
)
def test_which_addresses_may_be_linked(url: str, becomes: tuple[str, str] | None) -> None:
    link = outside(url)

    assert (link and (link.url, link.host)) == becomes


def test_a_standalone_page_loads_nothing_and_its_policy_fits_its_style() -> None:
    html = page(rich(), standalone=True)
    style = html[html.index("<style>") + 7 : html.index("</style>")]
    allowed = b64encode(hashlib.sha256(style.encode()).digest()).decode()

    assert f"style-src 'sha256-{allowed}'" in html.replace("&#39;", "'")
    assert "unsafe" not in html
    assert not [tag for tag, _ in read(html).elements if tag == "link"]


def test_a_file_changes_its_name_with_its_content() -> None:
    assert FILES[STYLE.path.removeprefix("/static/")] is STYLE
    assert hashlib.sha256(STYLE.text.encode()).hexdigest()[:12] in STYLE.path


def test_the_style_loads_nothing_and_names_nobody_outside() -> None:
    assert not re.search(r"url\(|@import|@font-face|https?:|</", STYLE.text)


def test_a_notice_is_inert() -> None:
    assert_inert(notice("<script>", "<img src=x>"))


def _colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_colour_can_be_read_on_every_surface(scheme: str) -> None:
    light, dark = re.findall(r":root \{(.*?)\}", STYLE.text, re.DOTALL)[:2]
    colours = _colours(light) if scheme == "light" else _colours(light) | _colours(dark)
    pairs = [
        (text, on) for text in ("text", "muted", "accent", "good", "fair", "poor") for on in ("ground", "card", "tint")
    ]

    for text, on in [*pairs, ("on-notice", "notice")]:
        lighter, darker = sorted((_luminance(colours[text]), _luminance(colours[on])), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (scheme, text, on)


def test_a_page_stays_small() -> None:
    html = page(rich(), standalone=True)

    assert len(html.encode()) < 60_000
    assert len(page(Brief.model_validate(hostile("W" * 10_000)), standalone=True).encode()) < 600_000
