"""The JSON of a brief: claims with their quotes and evidence, sections that name them, nothing that is not there.

In a terminal, what changed comes first.
"""

import io
import json

import pytest
from rich.console import Console

from schemas.briefs import Brief
from starter.show import terminal
from starter.show.document import document
from starter.show.layout import SANDBOX_NOTICE
from tests.web.samples import CORPUS, changed, doubtful, hostile, rich, row


def test_every_fact_s_quote_and_evidence_are_in_it() -> None:
    said = json.loads(json.dumps(document(rich())))
    texts = {piece["id"]: piece["text"] for piece in said["evidence"]}
    facts = [claim for claim in said["claims"] if claim["nature"] == "fact"]
    assert facts
    assert all(fact["quote"] in texts[fact["evidence_id"]] for fact in facts)


def test_sections_hold_each_claim_once() -> None:
    said = document(rich())
    listed = [claim for claims in said["sections"].values() for claim in claims]
    assert sorted(listed) == sorted(claim["id"] for claim in said["claims"])


def test_it_says_which_brief_it_is_what_it_cost_and_that_it_is_pretended() -> None:
    brief = rich()
    said = document(brief)
    assert said["brief_id"] == brief.id
    assert said["notice"] == (SANDBOX_NOTICE if brief.sandbox else None)
    assert said["cost"]["micro_usd"] == brief.cost_micro_usd
    assert {"people", "companies", "sources", "gaps", "confidence"} <= said.keys()
    assert document(brief.model_copy(update={"sandbox": False}))["notice"] is None


def test_what_changed_names_claims_and_people_of_the_brief() -> None:
    said = json.loads(json.dumps(document(rich())))
    assert set(said["changes"]["new_claims"]) < {claim["id"] for claim in said["claims"]}
    assert set(said["changes"]["new_people"]) < {one["id"] for one in said["people"]}
    assert said["changes"]["last_met_at"] == "2026-10-31T23:30:00Z"
    assert said["changes"]["compared_with"] == row("earlier brief")
    assert said["facts_digest"] == rich().facts_digest


def test_a_source_is_numbered_as_on_the_page() -> None:
    said = document(rich())
    assert [source["number"] for source in said["sources"]] == list(range(1, len(said["sources"]) + 1))
    assert {source["evidence_id"] for source in said["sources"]} == {
        claim["evidence_id"] for claim in said["claims"] if claim["evidence_id"]
    }


def shown(brief: Brief) -> str:
    said = io.StringIO()
    terminal.show(brief, Console(file=said, force_terminal=False, width=120))
    return said.getvalue()


def test_a_terminal_says_what_changed_before_anything_else() -> None:
    said = shown(changed(new_claims=tuple(row(f"fact {n}") for n in range(7))))
    head = said[: said.index("confidence LOW")]
    assert "Since you last met, 1 November 2026:" in head
    assert "Tomas Okafor, 3 Nov 2026: Still corrects a fifth of the routes by telephone each night. [5]" in head
    assert "and 2 more, marked new below" in head
    assert "New in the room: Mei Tanaka" in head
    assert "by telephone each night. [5] (as of 3 Nov 2026) new" in said


def test_a_terminal_says_what_is_in_doubt() -> None:
    said = " ".join(shown(doubtful()).split())
    assert "To keep within budget: 2 of 6 people were not looked up; a smaller model wrote this" in said
    assert "Could be any of these; nothing is attached: Name Position Company Place Jordan Ellis Procurement" in said
    assert "Sat on the product council before. [5] (as of 25 Sep 2024) earlier" in said
    assert "(undated page, read 22 Nov 2026)" in said
    assert "Knows how products are decided on. (assessment, on earlier facts only) [5]" in said
    assert "Open with the talk in Leeds, then ask about the six weeks. (recommendation) [2] [3]" in said
    disagreeing = said[said.index("Sources disagree Brightwater") : said.index("Looked for")]
    assert "Employs 640 people" in disagreeing and "Employs 720 people" in disagreeing
    assert "3 claims refused: 2 quote not in its evidence, 1 rests on no checked fact" in said


def test_the_json_says_what_is_in_doubt() -> None:
    said = json.loads(json.dumps(document(doubtful())))
    assert said["conflicts"] == [[row("fact 9"), row("fact 20")]]
    assert said["economies"] == ["2 of 6 people were not looked up", "a smaller model wrote this"]
    jordan = next(one for one in said["people"] if one["name"] == "Jordan Ellis")
    assert len(jordan["candidates"]) == 3
    old = next(claim for claim in said["claims"] if claim["id"] == row("fact 21"))
    assert (old["current"], old["as_of"], old["topic"]) == (False, "2024-09-25", "role")


@pytest.mark.parametrize("name", CORPUS)
def test_a_terminal_obeys_nobody(name: str) -> None:
    assert not {letter for letter in shown(hostile(CORPUS[name])) if ord(letter) < 32 or letter == "\x9b"} - {"\n"}
