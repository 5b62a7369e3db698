"""Whoever is forgotten is in no document either, nor in what was made of it; answers go with time; skills may read."""

from datetime import timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.documents import keys
from activities.documents.ports import Conclusion, Differs, Extract, Proposed
from activities.retention import RetentionActivities
from activities.store.dossiers import DossierStore
from activities.store.retention import RetentionStore
from activities.store.skill_library import SkillLibrary
from schemas.documents import Against, Clause, Passage, Risk, Role, Work
from schemas.erasures import Discarded, Outdated
from tests.diary import ADA
from tests.documents.file_room import NOW, TERM, FileRoom, found
from tests.erasures.people import NAME, dump, forgotten, key_of
from tests.skills.run_rows import Workshop, tool_call
from tests.stage import Stage


@pytest.fixture
async def room(stage: Stage) -> FileRoom:
    """The stage's tenant."""
    room = FileRoom(stage.database)
    room.tenant, room.user = stage.tenant, stage.user
    return room


async def read(room: FileRoom, document_id: str, text: str) -> None:
    """A review that ended well of a document that says this."""
    step = await room.begun(await room.ask(document_id))
    await room.read(step, text, (Clause(ordinal=0, start=0, end=len(text)),))
    await room.runs.finish(room.ending(step), Conclusion(risk=Risk.NONE))


async def test_documents_that_name_them_go_whole_with_their_files(stage: Stage, room: FileRoom) -> None:
    named = await room.brought("bytes of a file", name=f"NDA {NAME}.txt")
    said = await room.brought("another file", name="nda.txt")
    await read(room, said, f"{'x' * 3000}\nSigned: ada+nda@lovelace.example\n")
    others = await room.brought("a third")
    await read(room, others, "Signed: Tomas Lind\n")
    busy = await room.begun(await room.ask(named))
    await room.bought(busy, f"It is between us and {NAME}")
    report = await forgotten(stage, NOW)

    rows = await dump(stage)
    for trace in (NAME.lower(), ADA, "ada+nda"):
        assert trace not in rows, trace
    assert {line.id for line in await room.documents.list(room.tenant.id)} == {others}
    assert await room.unneeded() == {keys.original(room.tenant.id, one) for one in (named, said)}
    assert report.counts["documents"] == 2
    with pytest.raises(ApplicationError, match="newer run"):
        await room.read(busy, NAME, ())
    await room.bought(busy, NAME, "late")
    assert NAME.lower() not in await dump(stage)
    ends = [said for name, said in await room.ends() if name.endswith("failed")]
    assert [one["analysisId"] for one in ends] == [busy.run_id], "whoever listens hears that it is over"


async def test_runs_that_quote_a_document_which_names_them_go_and_theirs_stays(stage: Stage, room: FileRoom) -> None:
    """What a comparison says of the other side, what was proposed from it, and what a model answered."""
    play = await room.playbook(user_id=room.user.id)
    quoted = Passage(clause=0, start=0, end=len(NAME), quote=NAME)
    stays = set()
    for said in ("findings", "differences", "proposals", "answers", "nothing"):
        document_id = await room.brought(said)
        reviewed = await room.reviewed(document_id, found(NAME if said == "findings" else "Two years."))
        asked = await room.ask(document_id, work=Work.COMPARISON, against=Against.PLAYBOOK)
        step = await room.begun(asked)
        differs = Differs("term", "changed", Risk.HIGH, "Longer", TERM, quoted if said == "differences" else TERM, play)
        proposed = Proposed(TERM, NAME if said == "proposals" else "One year.", "shorter", None)
        await room.runs.write(room.part(step), Extract(differences=(differs,), proposals=(proposed,)), 60)
        await room.bought(step, NAME if said == "answers" else "{}")
        stays |= {reviewed} if said in ("differences", "proposals", "answers") else {asked.run_id}
        stays |= {reviewed, asked.run_id} if said == "nothing" else set()
    report = await forgotten(stage, NOW)
    assert NAME.lower() not in await dump(stage)
    assert (report.counts["runs of documents"], report.counts.get("documents", 0)) == (4, 0)
    assert {row["id"] for row in await room.rows("SELECT id FROM document_runs")} == stays
    assert await room.count("documents") == 6


async def test_a_skill_that_has_read_one_may_name_them_by_their_first_name(stage: Stage, room: FileRoom) -> None:
    document_id = await room.brought(name=f"{NAME}.txt")
    other = await room.brought("other")
    shop = Workshop(stage.database)
    shop.tenant, shop.user = stage.tenant, stage.user
    steps = []
    for one in (document_id, other):
        steps.append(await shop.begun())
        await shop.bought(steps[-1], tool_call(id=one))
    await forgotten(stage, NOW)
    rows = await shop.rows("SELECT id, failed_step FROM skill_runs")
    assert {row["id"]: row["failed_step"] for row in rows} == {steps[0].run_id: "erased", steps[1].run_id: None}


async def test_what_is_kept_of_them_in_documents_is_in_the_export(stage: Stage, room: FileRoom) -> None:
    await read(room, await room.brought("1"), f"Signed: {ADA}\n")
    await room.reviewed(await room.brought("2"), found(f"{ADA} signs"))
    await room.reviewed(await room.brought("3"))
    dossier = await DossierStore(stage.database).dossier(stage.tenant.id, ADA, key_of(stage))
    assert sorted(one.kind for one in dossier.came) == ["document", "document analysis"]
    assert f"{ADA} signs" in str(dossier.came)
    assert f"Signed: {ADA}" in str(dossier.came)


async def sweep(stage: Stage, **after: float) -> Discarded:
    """Of this tenant alone: others' rows are theirs."""

    class Alone(RetentionStore):
        async def tenants(self) -> list[str]:
            return [stage.tenant.id]

    outdated = Outdated(now=NOW + timedelta(**after))
    return await ActivityEnvironment().run(RetentionActivities(Alone(stage.database)).sweep, outdated)


async def test_answers_go_with_time_and_what_was_found_stays(stage: Stage, room: FileRoom) -> None:
    document_id = await room.brought()
    step = await room.begun(await room.ask(document_id))
    await room.read(step)
    await room.bought(step)
    await room.runs.write(room.part(step), Extract(findings=(found(),)), 90)
    assert "answers about documents" not in (await sweep(stage, days=200)).counts, "it is under way"
    await room.runs.finish(room.ending(step), Conclusion())
    assert "answers about documents" not in (await sweep(stage, days=179)).counts
    assert (await sweep(stage, days=181)).counts["answers about documents"] == 1
    assert await room.count("document_replies") == 0
    assert len((await room.view(document_id)).findings) == 1


async def test_skills_read_what_was_found_in_the_documents_of_their_user(stage: Stage, room: FileRoom) -> None:
    shelf, whose = SkillLibrary(stage.database), (room.tenant.id, room.user.id)
    assert await shelf.documents(*whose) == "There are no documents yet."
    document_id = await room.brought(name="our\nnda.txt")
    missing = found("Nothing is said of survival.", Risk.HIGH, None)
    await room.reviewed(document_id, found(), missing)
    hers = await room.brought("hers", (await room.add("ana")).id)
    play = await room.playbook()
    staged = await room.brought("staged", None, role=Role.REFERENCE)
    assert await shelf.documents(*whose) == (
        f"{play}: playbook.txt, a playbook, not reviewed\n{document_id}: our nda.txt, reviewed 2026-11-23, risk low"
    )
    text = await shelf.document(*whose, document_id)
    assert text == (
        f"Document {document_id}: our nda.txt, reviewed 2026-11-23, risk low\nIt is short.\nFound:\n"
        '- term, risk low: It lasts two years. ["Two years"]\n'
        "- term, risk high: Nothing is said of survival. [it is not in the text]"
    )
    for unseen in (hers, staged, "no id", document_id.upper()):
        assert await shelf.document(*whose, unseen) is None


async def test_what_is_pretended_is_no_review_for_whoever_may_not_read_it(stage: Stage, room: FileRoom) -> None:
    document_id = await room.brought()
    step = await room.begun(await room.ask(document_id))
    await room.read(step)
    await room.bought(step)
    await room.runs.finish(room.ending(step), Conclusion(summary=("Pretended.",)))
    seen: dict[bool, Any] = {}
    for sandbox in (True, False):
        seen[sandbox] = await SkillLibrary(stage.database, sandbox=sandbox).document(
            room.tenant.id, room.user.id, document_id
        )
    assert "pretended)" in seen[True] and "Pretended." in seen[True]
    assert seen[False].endswith("not reviewed")
