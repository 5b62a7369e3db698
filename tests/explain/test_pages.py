"""What readers may say on the page, and where the page says that a claim comes from: for members, for links, for nobody."""

import re
from html import unescape
from uuid import uuid4

import pytest

from schemas.briefs import Verdict
from starter.links import Links
from tests.web import rows
from tests.web.house import NOW, Got, House, Visitor

HOUR = rows.HOUR


@pytest.fixture
async def there(house: House) -> rows.Written:
    """A brief with claims, of the house's user."""
    meeting_id = await rows.ready(house, "Forecasting", NOW + HOUR, ("Ada Lovelace", "ada@lovelace.example"))
    brief_id = (await house.run("SELECT id FROM briefs WHERE research_id = $1", meeting_id))[0]["id"]
    return await rows.written(house, str(brief_id))


async def say(visitor: Visitor, there: rows.Written, claim: str, verdict: str) -> Got:
    return await visitor.send(f"/briefs/{there.brief_id}/claims/{claim}", f"/briefs/{there.brief_id}", verdict=verdict)


def pressed(got: Got) -> list[tuple[str, str]]:
    """What this reader has said: the value and class of each button that is down."""
    return re.findall(r'value="(\w+)" class="(\w+)" aria-pressed="true"', got.text)


async def link_to(house: House, brief_id: str) -> str:
    return "/" + Links(house.settings()).brief(house.tenant.id, brief_id).split("/", 3)[3]


async def marks(house: House) -> list[dict[str, object]]:
    return [dict(row) for row in await house.run("SELECT * FROM marks ORDER BY created_at")]


async def test_a_member_says_something_of_a_claim_and_it_stands_there(house: House, there: rows.Written) -> None:
    visitor = await house.sign_in()
    before = await visitor.get(f"/briefs/{there.brief_id}")

    got = await say(visitor, there, there.fact, "wrong")

    assert before.text.count('name="verdict"') == 3 * len(Verdict)
    assert pressed(before) == []
    assert (got.status, got.to) == (303, f"/briefs/{there.brief_id}#c-{there.fact}")
    after = await visitor.get(f"/briefs/{there.brief_id}")
    assert f'id="c-{there.fact}"' in after.text
    assert pressed(after) == [("none", "wrong")]
    assert after.says("Left out from the next version on")
    assert after.says("1 claim is left out from the next version on")
    assert f'href="/meetings/{(await marks(house))[0]["research_id"]}"' in after.text
    (kept,) = await marks(house)
    assert (kept["verdict"], kept["text"], kept["url"], kept["quote"]) == (
        "wrong",
        "Ada gave the closing talk in Leeds.",
        "https://www.forecastforum.example/person",
        "gave the closing talk in Leeds",
    )
    assert kept["subject_id"] is not None


async def test_another_word_takes_the_place_of_the_first_and_none_takes_it_back(
    house: House, there: rows.Written
) -> None:
    visitor = await house.sign_in()
    for verdict in ("wrong", "useful"):
        await say(visitor, there, there.advice, verdict)
    assert [(one["verdict"], one["subject_id"], one["url"]) for one in await marks(house)] == [("useful", None, "")]
    assert not (await visitor.get(f"/briefs/{there.brief_id}")).says("left out from the next version on, because")

    assert (await say(visitor, there, there.advice, "none")).status == 303
    assert (await say(visitor, there, there.advice, "none")).status == 303, "twice is once"

    assert await marks(house) == []


async def test_a_colleague_sees_who_said_what(house: House, there: rows.Written) -> None:
    await say(await house.sign_in(), there, there.fact, "stale")
    kim = house.user.model_copy(update={"id": str(uuid4()), "email": f"kim.{house.user.email}", "name": "Kim <b>"})
    await house.tenants.add_user(house.tenant.id, kim, NOW)

    got = await (await house.sign_in(kim.email)).get(f"/briefs/{there.brief_id}")

    assert got.says("Robin said: stale.")
    assert pressed(got) == []


async def test_that_it_is_the_wrong_person_has_them_looked_up_again(house: House, there: rows.Written) -> None:
    visitor = await house.sign_in()
    asked = "SELECT kind, fresh_until IS NULL AS again FROM subjects ORDER BY kind"
    serving = (
        "SELECT a.prompt, a.fresh_until > $1 AS serves FROM answers a WHERE subject_id IS NOT NULL ORDER BY a.prompt"
    )

    await say(visitor, there, there.company, "wrong_person")
    assert [row["again"] for row in await house.run(asked)] == [False, False], "a company is no person"
    await say(visitor, there, there.fact, "wrong")
    assert [row["again"] for row in await house.run(asked)] == [False, False]
    await say(visitor, there, there.fact, "wrong_person")

    assert [(row["kind"], row["again"]) for row in await house.run(asked)] == [("company", False), ("person", True)]
    # All that the answer brought is about somebody else: it stands for its question, so that the next one is asked.
    assert [(row["prompt"], row["serves"]) for row in await house.run(serving, NOW)] == [
        ("company/1", True),
        ("person/1", True),
    ]


async def test_an_answer_of_which_something_is_left_is_asked_for_again(house: House, there: rows.Written) -> None:
    await house.run(
        """
        INSERT INTO evidence (tenant_id, answer_id, subject_id, position, url, title, text, fetched_at)
        SELECT tenant_id, answer_id, subject_id, 2, 'https://other.example/', '', 'x', fetched_at FROM evidence
        WHERE url LIKE '%/person'
        """
    )

    await say(await house.sign_in(), there, there.fact, "wrong_person")

    serving = await house.run("SELECT fresh_until > $1 AS serves FROM answers WHERE prompt = 'person/1'", NOW)
    assert [row["serves"] for row in serving] == [False]


@pytest.mark.parametrize("verdict", ["", "bad", "WRONG", "wrong-person", "x" * 5000, "\x00", "useful "])
async def test_what_is_no_verdict_is_refused(house: House, there: rows.Written, verdict: str) -> None:
    got = await say(await house.sign_in(), there, there.fact, verdict)

    assert got.status == 400
    assert got.says("That is nothing that can be said of a claim.")
    assert await marks(house) == []


async def test_without_the_session_s_token_nothing_is_said(house: House, there: rows.Written) -> None:
    visitor, path = await house.sign_in(), f"/briefs/{there.brief_id}/claims/{there.fact}"
    nobody = await house.visitor()

    assert (await visitor.post(path, {"verdict": "wrong"})).status == 403
    assert (await visitor.post(path, {"verdict": "wrong", "csrf": "0" * 64})).status == 403
    assert (await visitor.post(path, {"verdict": "wrong"}, Origin="https://evil.example")).status == 403
    assert (await nobody.post(path, {"verdict": "wrong"})).status == 401
    assert await marks(house) == []


async def test_other_claims_are_not_there(house: House, there: rows.Written) -> None:
    stranger, robin = await house.sign_in(house.stranger.email), await house.sign_in()
    token = (await stranger.get("/")).token
    said = {"csrf": token, "verdict": "wrong"}

    assert (await stranger.post(f"/briefs/{there.brief_id}/claims/{there.fact}", said)).status == 404
    assert (await stranger.get(f"/briefs/{there.brief_id}/why/{there.fact}")).status == 404
    own = {"csrf": (await robin.get("/")).token, "verdict": "wrong"}
    for brief_id, claim_id in (
        (there.brief_id, str(uuid4())),
        (str(uuid4()), there.fact),
        (there.brief_id, "1"),
        ("..%2f", there.fact),
        (there.brief_id, "%00"),
    ):
        assert (await robin.post(f"/briefs/{brief_id}/claims/{claim_id}", own)).status == 404, claim_id
        assert (await robin.get(f"/briefs/{brief_id}/why/{claim_id}")).status == 404, claim_id
    assert await marks(house) == []


async def test_whoever_has_the_link_alone_reads_and_is_told_how_to_say_something(
    house: House, there: rows.Written
) -> None:
    await say(await house.sign_in(), there, there.fact, "wrong")
    nobody, link = await house.visitor(), await link_to(house, there.brief_id)

    got = await nobody.get(link)

    assert got.status == 200
    assert "<form" not in got.text
    assert "said this" not in got.text, "what members say is for members"
    assert f'href="/sign-in?to=/briefs/{there.brief_id}"' in got.text
    assert "form-action 'none'" in got.headers["content-security-policy"]
    (why,) = set(re.findall(rf'href="(/briefs/[^"]*/why/{there.fact}[^"]*)"', got.text))
    assert (await nobody.get(unescape(why))).status == 200
    assert (await nobody.get(unescape(why).split("?")[0])).status == 404, "the link is what lets them in"
    assert (await nobody.get(unescape(why) + "x")).status == 404


async def test_a_member_of_another_tenant_with_the_link_has_no_buttons(house: House, there: rows.Written) -> None:
    stranger = await house.sign_in(house.stranger.email)

    got = await stranger.get(await link_to(house, there.brief_id))

    assert got.status == 200
    assert "<form" not in got.text
    assert "/sign-in?to=" not in got.text, "signing in again would not help them"


async def test_the_way_of_a_fact_is_told_to_its_run(house: House, there: rows.Written) -> None:
    got = await (await house.sign_in()).get(f"/briefs/{there.brief_id}/why/{there.fact}")

    assert got.status == 200
    for said in (
        "Ada gave the closing talk in Leeds.",
        "gave the closing talk in Leeds",
        "As of 3 Nov 2026",
        "https://www.forecastforum.example/person",
        "person/1",
        "brief/3",
        "1,200 in, 340 out",
        "$0.0123",
        f"research/{house.tenant.id}/",
    ):
        assert got.says(said), said
    assert not got.says("company/1"), "another look-up"
    kept = await house.run("SELECT asked, run_id FROM answers WHERE prompt <> 'company/1'")
    for row in kept:
        assert row["asked"] in got.text
        assert row["run_id"] in got.text


async def test_the_way_of_advice_goes_through_the_facts_it_rests_on(house: House, there: rows.Written) -> None:
    got = await (await house.sign_in()).get(f"/briefs/{there.brief_id}/why/{there.advice}")

    for said in ("Ask about Leeds.", "Ada gave the closing talk in Leeds.", "Lovelace opened an office", "company/1"):
        assert got.says(said), said


async def test_marks_are_counted(house: House, there: rows.Written) -> None:
    visitor = await house.sign_in()
    for verdict in ("wrong", "useful", "wrong", "none", "nonsense"):
        await say(visitor, there, there.fact, verdict)

    counted = (await visitor.get("/metrics")).text

    assert 'greenroom_web_marks_total{verdict="wrong"} 2.0' in counted
    assert 'greenroom_web_marks_total{verdict="none"} 1.0' in counted
    assert "nonsense" not in counted
