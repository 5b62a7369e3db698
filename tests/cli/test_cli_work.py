"""The way through the command line: set up, research, look, retry. Real servers, pretended providers."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from starter.checks import polled
from tests.cli.conftest import Beside, Said, environment
from tests.stage import Stage
from workflows import queues

ID = "3f2c0a9e-5b1d-4c7e-9a55-0d1f2e3c4b5a"
ADA = "ada@lovelace.example"
CALENDAR = Path(__file__).parents[1] / "intake/calendars/series.ics"


def setup_of(slug: str) -> tuple[str, ...]:
    return (
        *("setup", "--slug", slug, "--name", "Quay", "--email", "Kim@Sales.Quay.example", "--user-name", "Kim"),
        *("--time-zone", "europe/lisbon", "--campaign", "Berths", "--offering", "Berth planning"),
        *("--target-customer", "Ports", "--pain-points", "Queues", "--json"),
    )


async def test_setup_makes_a_tenant_once(wired: Stage, beside: Beside) -> None:
    slug = f"quay-{wired.tenant.id[:8]}"
    first = await beside(*setup_of(slug))
    again = await beside(*setup_of(slug), "--offering", "Something else")

    assert (first.code, first.err) == (0, "")
    assert first.document["created"] is True
    assert first.document["tenant"]["domains"] == ["quay.example"]
    assert first.document["users"][0]["email"] == "kim@sales.quay.example"
    assert first.document["users"][0]["time_zone"] == "Europe/Lisbon"
    assert again.document == {**first.document, "created": False}


async def test_a_free_mail_domain_is_nobodys_own(wired: Stage, beside: Beside) -> None:
    slug = f"free-{wired.tenant.id[:8]}"
    made = await beside(*setup_of(slug), "--email", "kim.quay@gmail.com")

    assert made.document["tenant"]["domains"] == []


async def test_campaigns_are_added_shown_and_changed(wired: Stage, beside: Beside) -> None:
    texts = ("--offering", "Berths", "--target-customer", "Ports", "--pain-points", "Queues")
    added = await beside("campaign", "add", "--name", "Berths", *texts, "--json")
    twice = await beside("campaign", "add", "--name", "BERTHS", *texts)
    edited = await beside("campaign", "edit", "berths", "--offering", "Better berths", "--inactive", "--json")
    clash = await beside("campaign", "edit", "Berths", "--name", "planning")
    listed = await beside("campaign", "list", "--json")
    refused = await beside("research", ADA, "--campaign", "Berths")

    assert added.code == 0
    assert (twice.code, "already" in twice.err) == (2, True)
    assert edited.document == {**added.document, "offering": "Better berths", "active": False}
    assert (clash.code, 'There is a campaign "planning" already' in clash.err) == (2, True)
    assert [one["name"] for one in listed.document] == ["Planning", "Berths"]
    assert (await beside("campaign", "show", "Berths")).out.count("Better berths") == 1
    assert (refused.code, "not active" in refused.err) == (2, True)
    assert await wired.count("research") == 0


async def test_research_waits_for_a_brief_that_can_be_read_in_every_way(wired: Stage, beside: Beside) -> None:
    async with wired.working():
        done = await beside("research", ADA, "--watch", "--json")
    brief = done.document

    assert (done.code, "sandbox data" in brief["notice"]) == (0, True)
    assert "Prospect 1 at lovelace.example: found" in done.err
    assert ADA not in done.err

    shown = await beside("brief", "show", brief["brief_id"])
    assert "sandbox data" in shown.out
    assert f"/briefs/{brief['brief_id']}?t=" in shown.out
    assert (await beside("brief", "show", brief["brief_id"], "--json")).document == brief
    assert (await beside("brief", "show", brief["brief_id"], "--markdown")).out.startswith("# ")
    written = await beside("brief", "show", brief["brief_id"], "--html", "brief.html")
    assert (written.code, (await asyncio.to_thread(Path("brief.html").read_text))[:15]) == (0, "<!doctype html>")

    listed = await beside("brief", "list", "--json")
    assert [(one["id"], one["title"]) for one in listed.document] == [(brief["brief_id"], ADA)]
    runs = await beside("runs")
    assert (runs.code, brief["research_id"] in runs.out, "ready" in runs.out) == (0, True, True)


async def test_a_page_that_cannot_be_written_fails_with_a_sentence(wired: Stage, beside: Beside) -> None:
    async with wired.working():
        brief = await wired.research(ADA)

    ended = await beside("brief", "show", brief.id, "--html", "no/such/folder.html")

    assert (ended.code, "could not be written" in ended.err) == (1, True)


async def test_a_failed_research_says_why_and_can_be_tried_again(wired: Stage, beside: Beside) -> None:
    await beside("sandbox", "fault", "perplexity", "--status", "401", "--always")
    async with wired.working():
        failed = await beside("research", ADA, "--json")
        await beside("sandbox", "heal")
        research_id = failed.err.split()[-1]
        again = await beside("retry", research_id, "--json")
    runs = (await beside("runs", "--json")).document

    assert (failed.code, failed.out) == (1, "")
    assert "perplexity said 401" in failed.err
    assert f"try again with: greenroom retry {research_id}" in failed.err
    assert (again.code, again.document["research_id"]) == (0, research_id)
    assert [(run["id"], run["status"]) for run in runs] == [(research_id, "ready")]


async def test_what_runs_is_not_started_again(wired: Stage, beside: Beside) -> None:
    """No worker is there, so it goes on running."""
    first = await beside("research", ADA, "--no-wait", "--json")
    begun, alone = first.document, not await polled(wired.temporal, queues.WORKFLOWS)
    bare = await beside("research", ADA, "--no-wait")
    refused = await beside("retry", begun["id"], "--no-wait")

    assert ("No worker is there" in first.err) == alone
    assert begun["workflow_id"] == f"research/{wired.tenant.id}/{begun['id']}"
    assert bare.out == f"{begun['id']}\n"
    assert (refused.code, "This research is running" in refused.err) == (2, True)
    await wired.temporal.get_workflow_handle(begun["workflow_id"]).terminate()


@pytest.mark.parametrize(
    "words",
    [
        ("retry", ID),
        ("research", "--meeting", ID),
        ("brief", "show", ID),
        ("research", ADA, "--campaign", "Nothing"),
        ("campaign", "show", "Nothing"),
        ("campaign", "edit", "Nothing", "--inactive"),
        ("runs", "--tenant", "nobody"),
        ("sandbox", "mail", "show", "1"),
    ],
)
async def test_what_is_not_known_is_not_found(wired: Stage, beside: Beside, words: tuple[str, ...]) -> None:
    ended = await beside(*words)

    assert (ended.code, ended.out) == (3, "")
    assert ended.err.startswith("greenroom: There is no ")
    assert await wired.count("research") == 0


async def test_without_temporal_nothing_is_stored(
    wired: Stage, beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")

    ended = [await beside("research", ADA), await beside("prep", str(CALENDAR), "--after", "2026-11-22")]

    assert [(one.code, "No Temporal server answers" in one.err) for one in ended] == [(4, True), (4, True)]
    assert [await wired.count(table) for table in ("research", "meetings", "subjects")] == [0, 0, 0]


async def test_events_are_told_a_line_each(wired: Stage, beside: Beside) -> None:
    async with wired.working():
        await wired.research(ADA)
        await wired.research("tomas.okafor@brightwater.example")

    lines = (await beside("events", "tail", "--json")).out.splitlines()
    sequences = [json.loads(line)["sequence"] for line in lines]
    newest = await beside("events", "tail", "-n", "1")
    rest = await beside("events", "tail", "--since", str(sequences[0]), "--json")

    assert [json.loads(line)["name"].rpartition(".")[2] for line in lines] == ["progress", "progress", "completed"] * 2
    assert ("research/generate.completed" in newest.out, newest.out.count("\n")) == (True, 1)
    assert rest.out.splitlines() == lines[1:]


async def test_prep_lists_and_researches_the_next_meeting(wired: Stage, beside: Beside) -> None:
    after = ("--after", "2026-11-28")
    listed = await beside("prep", str(CALENDAR), *after, "--list", "--json")
    shown = await beside("prep", str(CALENDAR), *after, "--list")
    assert await wired.count("meetings") == 0
    async with wired.working():
        first = await beside("prep", str(CALENDAR), *after, "--json")
        second = await beside("prep", str(CALENDAR), *after, "--json")

    assert [one["title"] for one in listed.document] == ["Twice", "Twice", "Weekly, moved", "Weekly"]
    assert ("Tue 2026-12-01 08:00" in shown.out, "robin@harbour.example (self)" in shown.out) == (True, True)
    assert (first.code, first.document["title"]) == (0, "Twice")
    assert "Twice, Tuesday 01 December 2026, 08:00 (UTC), with ada@lovelace.example" in first.err
    assert second.document["research_id"] == first.document["research_id"]
    assert await wired.count("meetings") == 1


async def test_nothing_to_meet_is_not_found(wired: Stage, beside: Beside) -> None:
    ended = await beside("prep", str(CALENDAR), "--after", "2027-06-01T09:00+02:00")

    assert (ended.code, ended.out) == (3, "")
    assert "There is no meeting with anybody from outside in the 30 days after 01 June 2027, 07:00" in ended.err
    assert await wired.count("meetings") == 0


async def test_leaving_leaves_it_running(wired: Stage, folder: Path) -> None:
    """Ctrl-C while nobody works: the run stays, and how to look at it is said."""
    process = await asyncio.create_subprocess_exec(
        *(str(Path(sys.executable).parent / "greenroom"), "research", ADA, "--watch"),
        env={**os.environ, **environment(wired), "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    while not await wired.count("research"):
        await asyncio.sleep(0.2)
    while not [run async for run in wired.temporal.list_workflows(f"TenantId = '{wired.tenant.id}'")]:
        await asyncio.sleep(0.2)
    await asyncio.sleep(1)
    process.send_signal(signal.SIGINT)
    try:
        out, err = await asyncio.wait_for(process.communicate(), 15)
    finally:
        if process.returncode is None:
            process.kill()
    ended = Said(await process.wait(), out.decode(), err.decode())

    assert (ended.code, ended.out) == (130, "")
    research_id = ended.err.split("The research ")[1].split()[0]
    assert f"The research {research_id} goes on. See how it stands with: greenroom runs" in ended.err
    handle = wired.temporal.get_workflow_handle(f"research/{wired.tenant.id}/{research_id}")
    assert (await handle.describe()).status.name == "RUNNING"
    await handle.terminate()
