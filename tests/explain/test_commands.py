"""greenroom brief explain and mark: what they say, and what they refuse in one sentence."""

import io
import re
from uuid import uuid4

import pytest
from rich.console import Console

from activities.store.explanations import ExplanationStore
from schemas.briefs import Brief, Nature
from starter.show import why
from tests.cli.conftest import Beside, Said
from tests.stage import Stage

ADA = "ada@lovelace.example"
NO_ID = "3f2c0a9e-5b1d-4c7e-9a55-0d1f2e3c4b5a"


@pytest.fixture
async def brief(wired: Stage) -> Brief:
    async with wired.working():
        return await wired.research(ADA, name="Ada Lovelace")


def numbered(brief: Brief, nature: Nature) -> int:
    """The number of the first claim of that kind."""
    return next(number for number, claim in enumerate(brief.claims, start=1) if claim.nature is nature)


async def marked(stage: Stage) -> list[tuple[str, str]]:
    async with stage.database.tenant(stage.tenant.id) as connection:
        rows = await connection.fetch("SELECT text, verdict FROM marks ORDER BY created_at")
        return [(row["text"], row["verdict"]) for row in rows]


async def test_a_fact_is_explained_to_the_run_that_paid_for_it(wired: Stage, brief: Brief, beside: Beside) -> None:
    number = numbered(brief, Nature.FACT)
    fact = brief.claims[number - 1]
    piece = next(one for one in brief.evidence if one.id == fact.evidence_id)

    said = await beside("brief", "explain", brief.id, "--claim", str(number))
    told = (await beside("brief", "explain", brief.id, "--claim", str(number), "--json")).document

    assert (said.code, said.err) == (0, "")
    for words in (f"{number}. {fact.text}", f"“{fact.quote}”", piece.url, "found by", "written by", "$0."):
        assert words in said.out, words
    (claim,) = told["claims"]
    assert (claim["number"], claim["complete"]) == (number, True)
    (step,) = claim["steps"]
    assert step["call"]["prompt"].startswith("person/")
    (writing,) = claim["writing"]
    assert writing["prompt"].startswith("brief/")
    for call in (step["call"], writing):
        assert re.fullmatch("[0-9a-f]{64}", call["asked"])
        assert call["cost_micro_usd"] > 0
        assert call["input_tokens"] > 0
        link = told["runs"][call["id"]]
        assert link.startswith(f"http://127.0.0.1:8233/namespaces/{wired.temporal.namespace}/workflows/research%2F")
        assert link.endswith(f"/{call['run_id']}/history")
        assert link in said.out


async def test_a_recommendation_is_explained_through_its_facts_and_all_claims_without_a_number(
    brief: Brief, beside: Beside
) -> None:
    number = numbered(brief, Nature.RECOMMENDATION)
    advice = brief.claims[number - 1]
    facts = [claim for claim in brief.claims if claim.id in advice.rests_on]

    said = await beside("brief", "explain", brief.id, "--claim", str(number))
    everything = (await beside("brief", "explain", brief.id, "--json")).document

    assert facts
    assert all(fact.text in said.out and fact.quote and fact.quote in said.out for fact in facts)
    assert [claim["claim"]["id"] for claim in everything["claims"]] == [claim.id for claim in brief.claims]
    assert all(claim["complete"] for claim in everything["claims"])


async def test_the_numbers_are_those_that_show_shows(brief: Brief, beside: Beside) -> None:
    shown = await beside("brief", "show", brief.id)
    for number, claim in enumerate(brief.claims, start=1):
        assert f"{number}. {claim.text[:40]}" in shown.out


async def test_a_person_gets_a_tree_and_a_pipe_gets_lines(wired: Stage, brief: Brief) -> None:
    told = await ExplanationStore(wired.database).explain(wired.tenant.id, brief.id)
    assert told is not None
    texts = []
    for terminal in (True, False):
        said = io.StringIO()
        why.show(told, [1], Console(file=said, force_terminal=terminal, width=100, no_color=True), lambda _: "")
        texts.append(said.getvalue())

    assert "├── " in texts[0]
    assert "├" not in texts[1]
    assert "\x1b" not in texts[1]
    assert "\n      prompt " in texts[1] or "\n    prompt " in texts[1]


async def test_what_is_said_of_a_claim_replaces_what_was_said_and_is_taken_back(
    wired: Stage, brief: Brief, beside: Beside
) -> None:
    number = str(numbered(brief, Nature.FACT))
    fact = brief.claims[int(number) - 1]

    async def mark(*words: str) -> Said:
        return await beside("brief", "mark", brief.id, "--claim", number, *words)

    wrong = await mark("wrong")
    assert await marked(wired) == [(fact.text, "wrong")]
    person = await mark("Wrong-Person", "--json")
    assert await marked(wired) == [(fact.text, "wrong_person")]
    undone, again = await mark("--undo"), await mark("--undo")

    assert wrong.code == 0
    assert wrong.out.startswith("Wrong, left out from the next version on: ")
    assert f"greenroom retry {brief.research_id}" in wrong.out
    assert person.document == {"claim_id": fact.id, "text": fact.text, "verdict": "wrong_person"}
    assert undone.code == 0
    assert (again.code, again.err) == (3, f"greenroom: {wired.user.email} has said nothing of this claim.\n")
    assert await marked(wired) == []


GARBAGE = ["0", "-1", "999", "one", "", " ", "1.5", "٣", "1e3", "9" * 5000, "\x1b[31m", "null"]


@pytest.mark.parametrize("command", [("explain",), ("mark", "wrong")], ids=["explain", "mark"])
async def test_whatever_is_no_claim_is_refused_in_one_sentence(
    wired: Stage, brief: Brief, beside: Beside, command: tuple[str, ...]
) -> None:
    for garbage in GARBAGE:
        said = await beside("brief", command[0], brief.id, *command[1:], f"--claim={garbage}")

        assert (said.code, said.out) == (2, ""), garbage
        assert said.err.startswith("greenroom: ")
        assert f"numbered 1 to {len(brief.claims)}" in said.err, garbage
        assert said.err.count("\n") == 1
        assert "\x1b" not in said.err
    assert await marked(wired) == []


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("explain", NO_ID), 3, "There is no such brief"),
        (("explain", "x"), 2, '"x" is no id'),
        (("mark", NO_ID, "--claim", "1", "wrong"), 3, "There is no such brief"),
        (("mark", "../etc", "--claim", "1", "wrong"), 2, "is no id"),
        (("mark", NO_ID, "wrong"), 2, "Which claim is meant?"),
        (("mark", NO_ID, "--claim", "1"), 2, "What do you say of the claim?"),
        (("mark", NO_ID, "--claim", "1", "bad\x1b"), 2, "it is one of: useful, wrong, stale, wrong-person"),
        (("mark", NO_ID, "--claim", "1", "wrong", "--undo"), 2, "leave the verdict out"),
    ],
)
async def test_what_cannot_be_meant_is_refused(
    wired: Stage, beside: Beside, words: tuple[str, ...], code: int, sentence: str
) -> None:
    said = await beside("brief", *words)

    assert said.code == code
    assert sentence in said.err
    assert said.err.count("\n") == 1


async def test_another_tenant_s_brief_is_not_there(
    wired: Stage, brief: Brief, beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Stage(wired.database, wired.temporal, wired.sandbox, wired.urls, tenant_id=str(uuid4()))
    await other.set_up(brief.written_at)

    for words in (("explain", brief.id), ("mark", brief.id, "--claim", "1", "wrong")):
        said = await beside("brief", *words, "--tenant", other.tenant.slug)
        assert (said.code, "There is no such brief" in said.err) == (3, True)
    stranger = await beside("brief", "mark", brief.id, "--claim", "1", "wrong", "--user", "nobody@x.example")

    assert (stranger.code, "There is no such user" in stranger.err) == (3, True)
    assert await marked(wired) == []
