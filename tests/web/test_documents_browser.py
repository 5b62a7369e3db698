"""Documents in a real browser: followed while they are reviewed, read beside what is said of them, and only read."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from activities.store.database import Database
from schemas.documents import Change, Clause, Difference, Passage, Proposal, Risk, Role, RunStatus, Topic
from starter.web import following, screens
from tests.web.browser import CHROMIUM, browsing
from tests.web.house import NOW, House
from tests.web.papers import FINDINGS, TEXT, Papers, finding
from tests.web.test_screens_browser import EVERYTHING, FAINT, FLAWS

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed here")

OUTSIDE = "document.querySelectorAll('iframe, object, embed, main img, main a[href^=http]').length"


@pytest.fixture
async def house(database: Database) -> AsyncIterator[House]:
    async with AsyncExitStack() as exits:
        house = House(database, exits)
        await house.set_up()
        house.skills = Papers(house.tenant.id, house.user.id).parts()
        await exits.enter_async_context(house.open())
        yield house


@pytest.fixture
def kept(house: House) -> Papers:
    found = house.skills["documents"]
    assert isinstance(found, Papers)
    return found


async def test_it_is_pasted_followed_and_read(
    house: House, kept: Papers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "WAITING_S", 0.1)
    monkeypatch.setattr(following, "BETWEEN_S", 0.1)
    visitor = await house.sign_in()
    async with browsing(tmp_path, house.base, visitor.cookies) as tab:
        await tab.visit(f"{house.base}/documents")
        await tab.says("document.getElementById('text').value = 'This Agreement lasts.'")
        await tab.click("main form button")
        await tab.loaded()
        (document,) = kept.documents.values()
        (run,) = document.runs
        assert await tab.says("location.pathname") == f"/documents/{document.id}"
        kept.run(document, id=run.id, status=RunStatus.RUNNING, percent=40, message="<b>Part</b> 2 of 5")
        await tab.until("document.querySelector('[data-said]').textContent === '40 percent: <b>Part</b> 2 of 5'")
        assert await tab.says("document.querySelector('progress').value") == 40
        found = kept.documents[document.id]
        read = kept.reviewed().model_copy(update={"id": found.id, "runs": found.runs})
        kept.documents[document.id] = read
        kept.run(read, id=run.id, status=RunStatus.COMPLETED, percent=100, ended_at=NOW, risk=Risk.HIGH)
        await tab.until("document.querySelectorAll('mark.quoted').length > 0")

        assert await tab.says("document.querySelector('.clause:last-child').checkVisibility()")
        # Words lead to what is said of them, and that leads back.
        await tab.says("document.querySelector('mark[data-finding=\"2\"]').click()")
        assert await tab.says("document.querySelector('.finding:target').id") == "finding-2"
        await tab.says("document.querySelector('#finding-3 .number').click()")
        assert await tab.says("document.querySelector('.begins:target + mark').textContent") == "laws of Freedonia"
        assert {url for url in tab.asked if not url.startswith((house.base, "data:"))} == set()


async def test_without_a_script_the_page_says_the_same(house: House, kept: Papers, tmp_path: Path) -> None:
    document, visitor = kept.put(findings=FINDINGS), await house.sign_in()
    run = kept.run(document, percent=40)
    async with browsing(tmp_path, house.base, visitor.cookies) as tab:
        await tab.do("Emulation.setScriptExecutionDisabled", value=True)
        await tab.visit(f"{house.base}/documents/{document.id}")
        assert await tab.says("document.querySelector('[data-said]').textContent") == "40 percent: Reading the file"
        kept.run(document, id=run.id, status=RunStatus.COMPLETED, percent=100, ended_at=NOW, risk=Risk.HIGH)
        await tab.click(".refresh a")
        await tab.loaded()
        await tab.click(".agreement .number.is-high")
        assert await tab.says("document.querySelector('.finding:target').id") == "finding-2"


def everything(kept: Papers) -> list[str]:
    """A page of each kind; their paths."""
    reviewed = kept.reviewed()
    compared, redlined = kept.compared(reviewed), kept.redlined(reviewed)
    live = kept.put("", name="Second.pdf", tracked=True)
    kept.run(live, percent=40)
    failed = kept.put("", name="Third.pdf")
    kept.run(failed, status=RunStatus.FAILED, failure_reason="Its pages are pictures", retryable=True)
    playbook = kept.put(role=Role.PLAYBOOK, user_id=None, name="Playbook.txt")
    one = f"/documents/{reviewed.id}"
    ids = (live, failed, playbook)
    made = (f"{one}/comparisons/{compared.id}", f"{one}/redlines/{redlined.id}")
    return ["/documents", one, *made, *(f"/documents/{one.id}" for one in ids)]


async def test_every_page_has_its_landmarks_labels_and_contrast(house: House, kept: Papers, tmp_path: Path) -> None:
    paths, visitor = everything(kept), await house.sign_in()
    async with browsing(tmp_path, house.base, visitor.cookies) as tab:
        for scheme in ("light", "dark"):
            for width in (1280, 360):
                await tab.look(width, scheme)
                for path in paths:
                    await tab.visit(house.base + path)
                    assert await tab.says(FLAWS) == [], (path, width)
                    assert await tab.says(FAINT) == [], (path, scheme)


def trapped(kept: Papers) -> list[str]:
    """A document that is made of traps, and all that is made of it."""
    hostile = EVERYTHING.replace("\0", "")
    text = f"{hostile}\n\n{TEXT}{hostile}"
    clauses = (Clause(ordinal=0, start=0, end=len(text), number=hostile[:50], heading=hostile[:50]),)
    found = (
        finding(hostile, Risk.HIGH, None, rule=hostile, passage=_first(text, 300)),
        finding(hostile, Risk.LOW, None, passage=_first(text, len(text))),
        finding(hostile, Risk.MEDIUM, None, rule=hostile),
    )
    words = {"name": hostile[:200], "clauses": clauses, "findings": found}
    document = kept.reviewed(text, **words)
    said = {"summary": (hostile,), "notes": (hostile,), "reason": hostile, "message": hostile, "other_name": hostile}
    kept.run(document, id=document.runs[0].id, **said)
    kept.run(document, **said)
    kept.run(document, status=RunStatus.FAILED, failure_reason=hostile, failed_step=hostile, **said)
    compared = kept.compared(document, **said)
    sides = {"ours": _first(text, 500), "theirs": Passage(clause=0, start=0, end=9, quote=hostile)}
    differs = {"topic": Topic.TERM, "change": Change.CHANGED, "matters": Risk.HIGH, "said": hostile}
    kept.differences[compared.id] = (Difference.model_validate(differs | sides | {"id": document.id}),)
    redlined = kept.redlined(document, letter=hostile, file_name=hostile, notes=(hostile,))
    change = Proposal(id=document.id, passage=_first(text, 500), replacement=hostile, reason=hostile)
    kept.proposals[redlined.id] = (change,)
    one = f"/documents/{document.id}"
    return ["/documents", one, f"{one}/comparisons/{compared.id}", f"{one}/redlines/{redlined.id}"]


def _first(text: str, length: int) -> Passage:
    return Passage(clause=0, start=0, end=length, quote=text[:length])


async def test_a_document_full_of_traps_is_only_read(house: House, kept: Papers, tmp_path: Path) -> None:
    paths, visitor = trapped(kept), await house.sign_in()
    async with browsing(tmp_path, house.base, visitor.cookies) as tab:
        for path in paths:
            await tab.visit(house.base + path)
            # Scripts of a text would take the title, and lead elsewhere.
            assert "had" not in (await tab.says("document.title")).split(), path
            assert await tab.says("location.pathname") == path
            assert {url for url in tab.asked if not url.startswith((house.base, "data:"))} == set(), path
            scripts = await tab.says("[...document.scripts].map((one) => one.getAttribute('src'))")
            assert set(scripts) <= {screens.SCRIPT.path, screens.FOLLOW.path}, path
            assert await tab.says(OUTSIDE) == 0, path
        file = await visitor.get(f"{paths[-1]}/file")
        assert file.status == 200
        assert "\n" not in file.headers["content-disposition"]
