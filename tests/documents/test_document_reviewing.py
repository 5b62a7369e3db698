"""Going through a document by parts: an answer is bought once, what is wrong with it is told, what came of it is written."""

import json

import pytest
from temporalio.exceptions import ApplicationError

from activities import errors
from activities.documents.parts import parts
from activities.documents.ports import KeptAnswer, Pair
from activities.ports import ModelAnswer
from sandbox import phrases
from schemas.documents import PartDone, Risk
from tests.documents.thinking import LAW, OTHER, RETURN, SECRET, TERM, Desk, TwinReviewer, agreement, finding
from workflows import policies

GOOD, WRONG = PartDone(), "not valid: the whole: json_invalid"


def desk() -> Desk:
    return Desk.of(SECRET, TERM, RETURN, LAW)


def two_parts() -> Desk:
    made = Desk.of(*(f"{n}. Term. {'Nothing is said here. ' * 150}It expires after {n} years." for n in range(1, 6)))
    assert len(parts(made.rows.material_.text.clauses)) == 2
    return made


async def test_what_a_part_says_is_written_with_how_far_that_is() -> None:
    one = desk()
    assert await one.analyse() == GOOD
    topics = [(found.topic, found.risk) for found in one.rows.written[1].findings]
    assert ("survival", Risk.HIGH) in topics
    assert ("return or destruction", Risk.NONE) in topics
    assert one.rows.percents == [90]
    assert one.ledger.given_up == []


async def test_parts_are_gone_through_in_any_order() -> None:
    both = two_parts()
    for part in (2, 1):
        assert await both.analyse(part) == GOOD
    assert both.rows.percents == [60, 90]
    text = both.rows.material_.text
    places = [one.passage for part in (1, 2) for one in both.rows.written[part].findings]
    assert len(places) == 5
    assert all(at and text.text[at.start : at.end] == at.quote for at in places)
    assert not {at.clause for at in places[:3] if at} & {at.clause for at in places[3:] if at}


async def test_an_answer_is_bought_once() -> None:
    one = desk()
    for _ in range(3):
        assert await one.analyse() == GOOD
    assert len(one.model.prompts) == 1


async def test_an_answer_of_an_earlier_version_serves_and_one_that_could_not_be_used_is_asked_for_again() -> None:
    one = desk()
    one.model.says = ["{"]
    assert (await one.analyse()).problem == WRONG
    assert await one.analyse(ask=2) == GOOD
    assert len(one.model.prompts) == 2
    assert await one.analyse(version=2) == GOOD
    assert len(one.model.prompts) == 2, "the repair serves"
    other = desk()
    other.model.says = ["{", "{", "{"]
    for ask in range(1, policies.ASKS + 1):
        assert (await other.analyse(ask=ask)).problem == WRONG
    assert await other.analyse(version=2) == GOOD
    assert len(other.model.prompts) == policies.ASKS + 1


async def test_a_repair_is_told_what_was_wrong_and_each_is_another_question() -> None:
    one = desk()
    one.model.says = ["{", "[]", json.dumps({"findings": [{"clause": 1}]})]
    problems = [(await one.analyse(ask=ask)).problem for ask in (1, 2, 3)]
    assert problems == [WRONG, "not valid: the whole: model_type", "not valid: findings.0.clause: string_type"]
    assert [json.loads(prompt.material[9:-10])["problem"] for prompt in one.model.prompts] == [None, *problems[:2]]
    assert len({prompt.asked for prompt in one.model.prompts}) == 3
    assert (await one.analyse(ask=3)).problem == problems[2], "what is kept is not bought again"
    assert len(one.model.prompts) == 3


async def test_pretended_answers_serve_no_real_run() -> None:
    one = desk()
    await one.analyse()
    one.model = TwinReviewer(sandbox=False)
    assert await one.analyse() == GOOD
    assert len(one.model.prompts) == 1


@pytest.mark.parametrize("stopped", ["max_tokens", "tool_use", "nothing"])
async def test_an_answer_that_stopped_early_is_asked_for_again(stopped: str) -> None:
    one = desk()
    one.model.stopped = stopped
    problem = (await one.analyse()).problem
    assert problem is not None
    assert stopped in problem
    assert one.rows.written == {}


async def test_a_refusal_is_for_good_and_paid() -> None:
    one = desk()
    one.model.stopped = "refusal"
    with pytest.raises(ApplicationError) as raised:
        await one.analyse()
    assert (raised.value.type, raised.value.non_retryable) == ("NoValidAnswer", True)
    assert len(one.rows.kept) == 1


@pytest.mark.parametrize("text", ["x" * 300_001, '{"findings": ' * 100_000, "", "null", '{"findings": "x"}'])
async def test_what_is_no_answer_is_a_problem_in_our_words(text: str) -> None:
    one = desk()
    one.model.says = [text]
    problem = (await one.analyse()).problem
    assert problem is not None
    assert len(problem) < 100


async def test_whom_nobody_answers_gives_the_money_back() -> None:
    one = desk()
    one.model.says = [errors.unreachable("model", OSError())]
    with pytest.raises(ApplicationError):
        await one.analyse()
    assert one.ledger.given_up == [("part/1/1", False)]


async def test_a_part_that_is_not_there_and_a_run_that_is_gone_are_superseded() -> None:
    gone = desk()
    gone.rows.gone = True
    for one, part in ((desk(), 2), (gone, 1)):
        with pytest.raises(ApplicationError) as raised:
            await one.analyse(part)
        assert raised.value.type == "Superseded"
        assert one.model.prompts == []


async def test_the_sandbox_lies_and_nothing_of_that_is_kept() -> None:
    honest, lying = desk(), desk()
    await honest.analyse()
    lying.model.trick = "lies"
    await lying.analyse()
    assert lying.rows.written[1].findings == honest.rows.written[1].findings
    assert lying.rows.written[1].dropped == 8


# --- comparison ---


def compared() -> Desk:
    other = agreement(TERM.replace("two", "five"), RETURN, "4. Audit. Anybody may inspect all books at any time.")
    ours = agreement(SECRET, TERM, RETURN, LAW)
    pairs = (
        Pair(ours.clauses[0], None, OTHER),
        Pair(ours.clauses[1], other.clauses[0], OTHER, other.of(other.clauses[0]), 0.9),
        Pair(ours.clauses[2], other.clauses[1], OTHER, other.of(other.clauses[1]), 1.0),
        Pair(None, other.clauses[2], OTHER, other.of(other.clauses[2])),
        Pair(ours.clauses[3], None, OTHER),
    )
    return Desk.of(SECRET, TERM, RETURN, LAW, pairs=pairs)


async def test_every_pair_is_told_and_the_same_words_are_not_asked_about() -> None:
    one = compared()
    assert await one.compare() == GOOD
    told = [(each.change, each.matters) for each in one.rows.written[1].differences]
    assert told == [
        *(("added", Risk.MEDIUM), ("changed", Risk.MEDIUM), ("same", Risk.NONE)),
        *(("missing", Risk.MEDIUM), ("added", Risk.MEDIUM)),
    ]
    assert "within 30 days" not in one.model.prompts[0].material
    assert "five years" in one.model.prompts[0].material


async def test_where_all_is_the_same_nobody_is_asked() -> None:
    theirs = agreement(TERM)
    one = Desk.of(TERM, pairs=(Pair(agreement(TERM).clauses[0], theirs.clauses[0], OTHER, theirs.text, 1.0),))
    assert await one.compare() == GOOD
    assert one.model.prompts == []
    assert [each.change for each in one.rows.written[1].differences] == ["same"]


async def test_lies_about_pairs_are_not_kept() -> None:
    honest, lying = compared(), compared()
    lying.model.trick = "lies"
    await honest.compare()
    await lying.compare()
    assert lying.rows.written[1].differences == honest.rows.written[1].differences
    assert lying.rows.written[1].dropped == 7


# --- redline ---


def redline(**changes: object) -> Desk:
    text = agreement(SECRET, TERM, RETURN, LAW)
    findings = (
        finding(text, 0, "The Recipient shall not disclose the Confidential Information to anybody, in perpetuity."),
        finding(text, 0, "Secrecy", id=OTHER, passage=None, topic="remedies", risk="low"),
    )
    return Desk.of(SECRET, TERM, RETURN, LAW, **({"findings": findings} | changes))


async def test_what_is_risky_gets_a_proposal_and_what_is_missing_too() -> None:
    one = redline()
    assert await one.propose() == GOOD
    mended, added = one.rows.written[1].proposals
    assert mended.passage.quote.endswith("to anybody, in perpetuity.")
    assert mended.replacement == phrases.RULES["perpetual"].instead
    assert added.replacement.startswith(added.passage.quote)
    assert (mended.finding_id, added.finding_id) != (None, None)


async def test_without_anything_to_mend_nobody_is_asked() -> None:
    one = redline(findings=())
    assert await one.propose() == GOOD
    assert one.model.prompts == []
    assert one.rows.written[1].proposals == ()


async def test_parts_count_that_are_gone_through_and_answers_that_another_version_bought_do_not() -> None:
    """Whether or not a model was asked about them."""
    sections = [f"{number}. Keeping. " + "The Recipient keeps it. " * 500 for number in range(1, 4)]
    one = Desk.of(*sections, findings=())
    one.rows.kept["old"] = KeptAnswer(ModelAnswer("{}", "end_turn", "m", None), 0, 3, sandbox=True)
    for part in (1, 2, 3):
        await one.propose(part)
    assert one.model.prompts == []
    assert one.rows.percents == [50, 70, 90]


async def test_lies_about_changes_are_not_kept() -> None:
    honest, lying = redline(), redline()
    lying.model.trick = "lies"
    await honest.propose()
    await lying.propose()
    assert lying.rows.written[1].proposals == honest.rows.written[1].proposals
    assert lying.rows.written[1].dropped == 6
