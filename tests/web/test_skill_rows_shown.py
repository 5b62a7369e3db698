"""Skills that ship and runs that are rows, on the pages: the same as with the twins of other tests."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from activities.providers.skill_shelf import FolderShelf
from activities.store.database import Database
from activities.store.feedback import FeedbackStore
from activities.store.skill_runs import SkillRunStore
from schemas.skills import NewRun, Opinion
from tests.web.house import NOW, House
from tests.web.runs import Skills

OURS = Path(__file__).parents[2] / "skills"


@pytest.fixture
async def house(database: Database) -> AsyncIterator[House]:
    async with AsyncExitStack() as exits:
        house = House(database, exits)
        await house.set_up()
        house.skills = {
            "skill_shelf": FolderShelf(OURS),
            "skill_runs": SkillRunStore(database, lambda: NOW),
            "opinions": FeedbackStore(database),
            "skill_desk": Skills(house.tenant.id, house.user.id),
        }
        await exits.enter_async_context(house.open())
        yield house


async def test_each_skill_that_ships_has_a_form(house: House) -> None:
    visitor = await house.sign_in()
    page = await visitor.get("/skills")
    for name in ("account-plan", "follow-up", "objection-drill"):
        assert f'href="/skills/{name}"' in page.text
        form = await visitor.get(f"/skills/{name}")
        assert (form.status, form.says("Its schema is more than a form can ask")) == (200, False)
    assert not page.says("Cannot be run")


async def test_a_row_is_a_page_for_its_user_alone(house: House, database: Database) -> None:
    runs, visitor = SkillRunStore(database), await house.sign_in()
    wanted = NewRun(user_id=house.user.id, skill="follow-up", message="Write to Ada.")
    asked = await runs.ask(house.tenant.id, wanted, "", NOW)
    page = f"/skills/runs/{asked.run_id}"

    assert (await visitor.get(page)).says("Write to Ada.")
    assert (await visitor.get("/skills")).says("Follow up")
    assert (await (await house.sign_in(house.stranger.email)).get(page)).status == 404
    assert (await visitor.send(f"{page}/feedback", page, overall="5")).says("there is nothing yet")

    await house.run(
        """
        INSERT INTO outputs (tenant_id, skill_run_id, title, format, preview, size_bytes, object_key, created_at)
        VALUES (current_tenant(), $1, 'Your mail', 'markdown', 'Dear Ada', 8, 'k', $2)
        """,
        asked.run_id,
        NOW,
    )
    assert (await visitor.send(f"{page}/feedback", page, overall="2", issues="long")).status == 303
    found = await runs.view(house.tenant.id, house.user.id, asked.run_id)
    assert found is not None
    assert found.opinions == (Opinion(overall=2, issues="long"),)
    assert (await visitor.get("/skills")).says("2.0 of 5, low")


async def test_it_is_asked_for_again_by_its_company_s_domain(house: House, database: Database) -> None:
    runs, visitor = SkillRunStore(database), await house.sign_in()
    await house.run(
        "INSERT INTO subjects (tenant_id, kind, domain) VALUES (current_tenant(), 'company', 'rail.example')"
    )
    company = await runs.client(house.tenant.id, "rail.example")
    assert company is not None
    wanted = NewRun(user_id=house.user.id, skill="account-plan", client_id=company[0])
    asked = await runs.ask(house.tenant.id, wanted, company[1], NOW)

    form = f"/skills/account-plan?from={asked.run_id}"
    assert (await visitor.get(form)).says('name="client" value="rail.example"')
    stranger = await house.sign_in(house.stranger.email)
    assert not (await stranger.get(form)).says("rail.example")
