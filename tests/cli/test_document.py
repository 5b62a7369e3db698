"""The JSON of a brief: claims with their quotes and evidence, sections that name them, nothing that is not there."""

import json

from starter.show.document import document
from starter.show.layout import SANDBOX_NOTICE
from tests.web.samples import rich


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


def test_a_source_is_numbered_as_on_the_page() -> None:
    said = document(rich())
    assert [source["number"] for source in said["sources"]] == list(range(1, len(said["sources"]) + 1))
    assert {source["evidence_id"] for source in said["sources"]} == {
        claim["evidence_id"] for claim in said["claims"] if claim["evidence_id"]
    }
