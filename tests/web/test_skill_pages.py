"""The pages of skills: what there is, forms that say what is wrong with them, runs, and opinions."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from uuid import uuid4

import pytest

from activities import errors
from activities.store.database import Database
from activities.store.skill_asking import TooManyRunsError
from schemas.skills import Health, RunStatus
from starter.errands import AwayError
from starter.web import shelved
from tests.web import rows
from tests.web.house import NOW, House, Visitor
from tests.web.runs import CLIENT, SCHEMA, Skills, skill

OTHERS = ({"type": "object", "minProperties": 1}, None)


@pytest.fixture
async def house(database: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.setattr(shelved, "REMEMBERED_S", 0.0)
    async with AsyncExitStack() as exits:
        house = House(database, exits)
        await house.set_up()
        found = {
            "follow-up": skill(inputs=SCHEMA),
            "whole": skill("whole", inputs=OTHERS[0]),
            "plain": skill("plain"),
            "broken": "SKILL.md has no description.",
        }
        house.skills = Skills(house.tenant.id, house.user.id, dict(found))
        await exits.enter_async_context(house.open())
        yield house


@pytest.fixture
def kept(house: House) -> Skills:
    assert isinstance(house.skills, Skills)
    return house.skills


@pytest.fixture
async def visitor(house: House) -> Visitor:
    return await house.sign_in()


async def meeting_of(house: House) -> str:
    _, calendar_id = await rows.calendar(house)
    return await rows.meeting(house, "Forecasting pilot", NOW - timedelta(hours=1), calendar_id=calendar_id)


async def test_there_is_a_list_with_health_and_what_cannot_be_run(kept: Skills, visitor: Visitor) -> None:
    kept.healths = {"follow-up": Health(score=2.44, scores=10, low=True)}
    kept.put(status=RunStatus.QUEUED, position=3)
    got = await visitor.get("/skills")

    assert got.status == 200
    assert got.says('<a href="/skills/follow-up">Follow up</a>')
    assert got.says("2.4 of 5, low")
    assert got.says("SKILL.md has no description.")
    assert not got.says('href="/skills/broken"')
    assert got.says("Number 3 in line")


async def test_nothing_there_is_said(kept: Skills, visitor: Visitor) -> None:
    kept.skills.clear()

    assert (await visitor.get("/skills")).says("There is no skill yet")


@pytest.mark.parametrize("path", ["/skills", "/skills/follow-up", "/skills/runs/00000000-0000-4000-8000-00000000dead"])
async def test_strangers_are_led_to_the_sign_in(house: House, path: str) -> None:
    got = await (await house.visitor()).get(path)

    assert (got.status, got.to.partition("?")[0]) == (303, "/sign-in")


async def test_events_are_not_for_strangers(house: House, kept: Skills) -> None:
    assert (await (await house.visitor()).get(f"/skills/runs/{kept.put().id}/events")).status == 401


async def test_a_form_asks_for_what_the_schema_says(house: House, visitor: Visitor) -> None:
    meeting_id = await meeting_of(house)
    got = await visitor.get("/skills/follow-up")

    assert got.says('<option value=""short"">short</option>')
    assert got.says(f'<option value="{meeting_id}">Today, 09:05: Forecasting pilot</option>')
    assert re.search(r'name="input:pages" type="number" value="2" min="1" max="5"', got.text)
    assert re.search(r'type="checkbox" id="input-5" name="input:with_prices" checked', got.text)
    assert got.says('name="input:by" type="date"')
    assert not got.says('name="meeting"')
    assert (await visitor.get("/skills/plain")).says('name="meeting"')


async def test_a_form_that_is_sent_is_a_run_and_sent_twice_it_is_one(
    house: House, kept: Skills, visitor: Visitor
) -> None:
    meeting_id, form = await meeting_of(house), await visitor.get("/skills/follow-up")
    run = re.search(r'name="run" value="([^"]+)"', form.text)
    assert run is not None
    fields = {
        "csrf": form.token,
        "run": run[1],
        "input:tone": '"warm"',
        "input:meeting": meeting_id,
        "input:topics": "rail\ndepots",
        "client": " Lovelace.example ",
        "message": "Not\r\ntoo long.",
    }
    first = await visitor.post("/skills/follow-up", fields)
    second = await visitor.post("/skills/follow-up", fields)

    assert (first.status, first.to) == (second.status, second.to) == (303, f"/skills/runs/{run[1]}")
    wanted = kept.wanted[0]
    assert wanted.inputs == {"tone": "warm", "meeting": meeting_id, "topics": ["rail", "depots"], "with_prices": False}
    assert (wanted.user_id, wanted.meeting_id, wanted.client_id) == (house.user.id, meeting_id, CLIENT[0])
    assert (wanted.id, wanted.message) == (run[1], "Not\ntoo long.")
    assert len(kept.runs) == 1


@pytest.mark.parametrize(
    ("name", "fields", "sentence"),
    [
        ("follow-up", {"input:meeting": "x"}, "“Tone” is missing"),
        ("follow-up", {"input:tone": '"short"', "input:meeting": "x"}, "The meeting must be one of what is listed"),
        ("follow-up", {"input:tone": "loud", "input:meeting": "x"}, "one of what is listed"),
        ("plain", {"client": "unknown.example"}, "No company is known by “unknown.example”"),
        ("plain", {"client": "\x00\u202eabc"}, "No company is known by “abc”"),
        ("plain", {"meeting": "'; DROP"}, "The meeting must be"),
        ("plain", {"message": "x" * 20_001}, "at most 20000 letters"),
        ("plain", {"message": "a\x00b"}, "characters that are no text"),
        ("whole", {"inputs": "[1]"}, "must be a JSON object"),
        ("whole", {"inputs": '{"tone": "loud"}'}, "must be one of"),
    ],
)
async def test_what_is_wrong_is_said_where_it_stands(
    kept: Skills, visitor: Visitor, name: str, fields: dict[str, str], sentence: str
) -> None:
    written = {"message": "<b>kept</b>", **fields}
    got = await visitor.send(f"/skills/{name}", f"/skills/{name}", **written)

    assert got.status == 400
    assert got.says(sentence)
    assert fields.get("message") or "&lt;b&gt;kept&lt;/b&gt;" in got.text
    assert kept.wanted == []


@pytest.mark.parametrize(
    ("fails", "status", "sentence"),
    [(TooManyRunsError(754), 429, "in 13 minutes"), (AwayError(), 503, "cannot be begun right now")],
    ids=["too many", "away"],
)
async def test_what_cannot_be_begun_is_said_with_all_that_was_written(
    kept: Skills, visitor: Visitor, fails: Exception, status: int, sentence: str
) -> None:
    kept.fails = fails
    got = await visitor.send("/skills/plain", "/skills/plain", message="Write to Ada.")

    assert got.status == status
    assert got.says(sentence)
    assert got.says("Write to Ada.")


@pytest.mark.parametrize("name", ["broken", "nothing", "..%2f..%2fetc", "%00"])
async def test_what_is_no_skill_has_no_form(visitor: Visitor, name: str) -> None:
    assert (await visitor.get(f"/skills/{name}")).status in (400, 404)
    assert (await visitor.send(f"/skills/{name}", "/skills")).status in (400, 404)


async def test_a_form_without_its_token_does_nothing(kept: Skills, visitor: Visitor) -> None:
    run = kept.put()
    for path in ("/skills/plain", f"/skills/runs/{run.id}/cancel", f"/skills/runs/{run.id}/feedback"):
        assert (await visitor.post(path, {"overall": "1"})).status == 403
        assert (await visitor.post(path, {"overall": "1"}, Origin="https://evil.example")).status == 403
    assert (kept.wanted, kept.stopped, kept.said) == ([], [], {})


@pytest.mark.parametrize("colleague", [True, False], ids=["a colleague's", "a stranger's"])
async def test_somebody_elses_run_is_not_there(house: House, kept: Skills, colleague: bool) -> None:
    run, visitor = kept.written(), await house.sign_in("" if colleague else house.stranger.email)
    if colleague:
        kept.user_id = str(uuid4())
    for path in ("", "/events"):
        assert (await visitor.get(f"/skills/runs/{run.id}{path}")).status == 404
    for path, fields in (("cancel", {}), ("feedback", {"overall": "1"})):
        assert (await visitor.send(f"/skills/runs/{run.id}/{path}", "/skills", **fields)).status == 404
    assert not (await visitor.get("/skills")).says(run.id)
    assert (kept.stopped, kept.said) == ([], {})


async def test_a_run_that_waits_says_when_its_turn_comes(kept: Skills, visitor: Visitor) -> None:
    run = kept.put(status=RunStatus.QUEUED, position=2, turn_at=NOW + timedelta(minutes=3))

    assert (await visitor.get(f"/skills/runs/{run.id}")).says("number 2 in line, and begins in 3 minutes.")


async def test_a_run_is_stopped(kept: Skills, visitor: Visitor) -> None:
    run = kept.put()
    got = await visitor.send(f"/skills/runs/{run.id}/cancel", f"/skills/runs/{run.id}")

    assert got.to == f"/skills/runs/{run.id}?note=run-stopped"
    assert kept.stopped == [run.id]


async def test_what_failed_says_why_with_what_was_written(kept: Skills, visitor: Visitor) -> None:
    run = kept.put(
        status=RunStatus.FAILED, failed_step="execute", failure_reason="it took longer than 10 minutes", draft="Dear A"
    )
    got = await visitor.get(f"/skills/runs/{run.id}")

    assert got.says("it took longer than 10 minutes")
    assert not got.says("(execute)")
    assert got.says(">Dear A</pre>")
    assert "data-watch" not in got.text


async def test_what_was_stopped_says_so(kept: Skills, visitor: Visitor) -> None:
    run = kept.put(status=RunStatus.FAILED, failed_step="start", failure_reason="cancelled")
    got = await visitor.get(f"/skills/runs/{run.id}")

    assert got.says("It was stopped.")
    assert not got.says("(start)")


async def test_it_is_asked_for_again_with_all_that_was_asked(house: House, kept: Skills, visitor: Visitor) -> None:
    meeting_id = await meeting_of(house)
    inputs = {"tone": 7, "meeting": meeting_id, "pages": 4, "topics": ["rail", "depots"], "more": {"a": 1}}
    run = kept.put(
        status=RunStatus.FAILED,
        inputs=inputs | {"with_prices": False},
        meeting_id=meeting_id,
        client_domain="lovelace.example",
    )
    asked = await visitor.get(f"/skills/runs/{run.id}")
    assert f'href="/skills/follow-up?from={run.id}"' in asked.text
    assert f'href="/meetings/{meeting_id}"' in asked.text
    assert asked.text.count(meeting_id) == 1, "its page, and not its id"

    form = await visitor.get(f"/skills/follow-up?from={run.id}")
    for said in ('<option value="7" selected>', f'<option value="{meeting_id}" selected>', "rail\ndepots", '{"a": 1}'):
        assert form.says(said), said
    assert form.says('name="input:pages" type="number" value="4"')
    assert not form.says('name="input:with_prices" checked'), "as it was, not as it is at first"
    assert form.says('name="client" value="lovelace.example"')
    assert form.says("Write to Ada.\n\n  Not too long.")
    fresh = re.search(r'name="run" value="([^"]+)"', form.text)
    assert fresh is not None and fresh[1] not in ("", run.id)


@pytest.mark.parametrize("whose", ["another skill's", "a colleague's", "nobody's"])
async def test_only_ones_own_run_is_asked_for_again(kept: Skills, visitor: Visitor, whose: str) -> None:
    run = kept.put(skill="whole" if whose == "another skill's" else "plain", message="hush")
    kept.user_id = str(uuid4()) if whose == "a colleague's" else kept.user_id
    named = "%00" if whose == "nobody's" else run.id
    form = await visitor.get(f"/skills/plain?from={named}")

    assert form.status == 200
    assert not form.says("hush")


async def test_a_number_beyond_all_numbers_is_a_sentence_and_the_form_is_kept(kept: Skills, visitor: Visitor) -> None:
    huge = {"type": "object", "properties": {"n": {"type": "integer", "maximum": 10**400, "default": 10**400}}}
    kept.skills["huge"] = skill("huge", inputs=huge)
    got = await visitor.send("/skills/huge", "/skills/huge", **{"input:n": "9" * 400, "message": "kept"})

    assert got.status == 400
    assert got.says("must be a whole number")
    assert got.says("kept")


async def test_what_was_written_is_read_and_judged(kept: Skills, visitor: Visitor) -> None:
    run = kept.written()
    page = f"/skills/runs/{run.id}"
    got = await visitor.get(page)
    assert "<h4" in got.text
    assert "What we propose" in got.text
    assert 'href="https://evil.example' not in got.text

    opinion = {"overall": "4", "accuracy": "", "quality": "2", "issues": "a\r\nb"}
    assert (await visitor.send(f"{page}/feedback", page, **opinion)).to == f"{page}?note=judged"
    assert kept.said[run.id].model_dump() == {"overall": 4, "accuracy": None, "quality": 2, "issues": "a\nb"}
    assert re.search(r'id="overall-4" name="overall" value="4" checked', (await visitor.get(page)).text)


@pytest.mark.parametrize("wrong", [{}, {"overall": "0"}, {"overall": "6"}, {"overall": "4", "quality": "x"}])
async def test_a_score_is_from_one_to_five(kept: Skills, visitor: Visitor, wrong: dict[str, str]) -> None:
    run = kept.written()
    got = await visitor.send(f"/skills/runs/{run.id}/feedback", f"/skills/runs/{run.id}", issues="kept", **wrong)

    assert got.status == 400
    assert got.says("from 1 to 5")
    assert got.says("kept")
    assert kept.said == {}


async def test_what_is_not_written_yet_cannot_be_judged(kept: Skills, visitor: Visitor) -> None:
    run = kept.put()
    got = await visitor.send(f"/skills/runs/{run.id}/feedback", f"/skills/runs/{run.id}", overall="5")

    assert got.status == 400
    assert got.says("there is nothing yet")


@pytest.mark.parametrize("gone", [True, False], ids=["its file is missing", "its store is away"])
async def test_when_its_text_is_away_it_begins_at_least(kept: Skills, visitor: Visitor, gone: bool) -> None:
    run = kept.written()
    kept.away = None if gone else errors.not_found("object")
    if gone:
        kept.texts.clear()
    got = await visitor.get(f"/skills/runs/{run.id}")

    assert got.status == 200
    assert got.says("cannot be read just now")
    assert "What we propose" in got.text
