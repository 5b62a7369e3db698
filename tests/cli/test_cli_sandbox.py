"""greenroom sandbox: the knobs of a sandbox that runs, and its own sentences when they are turned too far."""

from datetime import UTC, datetime

import aiohttp
import pytest

from sandbox import Sandbox
from starter.cli.sandbox import PROVIDERS
from tests.cli.conftest import Beside, Said

ROBIN = "robin.marsh@harbour.example"

LIMITED = ("sandbox", "fault", "perplexity", "--status", "429", "--retry-after", "3", "--times", "2")


@pytest.fixture(autouse=True)
def knobs(sandbox: Sandbox, folder: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREENROOM_SANDBOX_URL", sandbox.url)


async def test_a_fault_is_ordered_listed_and_healed(sandbox: Sandbox, beside: Beside) -> None:
    ordered = await beside(*LIMITED, "--match", "lovelace")
    listed = await beside("sandbox", "faults")
    healed = await beside("sandbox", "heal", "--json")

    assert (ordered.code, ordered.err) == (0, "")
    assert listed.out == 'perplexity: 429, retry-after 3, where "lovelace" is in it, 2 times\n'
    assert healed.document == {"removed": 1}
    assert (await beside("sandbox", "faults")).out == "No fault is waiting.\n"


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("--kind", "slow", "--seconds", "2.5"), {"kind": "slow", "seconds": 2.5, "times": 1}),
        (("--kind", "huge", "--bytes", "1000", "--always"), {"kind": "huge", "bytes": 1000, "times": None}),
        (("--kind", "drop", "--times", "3"), {"kind": "drop", "times": 3}),
    ],
)
async def test_every_kind_is_passed_on(
    sandbox: Sandbox, beside: Beside, words: tuple[str, ...], fault: dict[str, object]
) -> None:
    ended = await beside("sandbox", "fault", "anthropic", *words, "--json")

    waiting = sandbox.faults.waiting()[0].model_dump()
    assert (ended.code, ended.document) == (0, waiting)
    assert {**waiting, **fault} == waiting


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("fault", "nobody", "--status", "429"), "provider must be one of"),
        (("fault", "perplexity", "--status", "99"), "status: "),
        (("fault", "perplexity", "--kind", "sulk"), "kind for perplexity must be one of"),
        (("fault", "perplexity", "--kind", "drop", "--seconds", "3"), "takes no `seconds`"),
        (("fault", "perplexity", "--kind", "drop", "--times", "0"), "times: "),
        (("delay", "perplexity", "1e9"), "perplexity must be a number of seconds"),
        (("delay", "perplexity", "nan"), "perplexity must be a number of seconds"),
        (("journal", "--provider", "nobody"), "provider must be one of"),
    ],
)
async def test_its_refusals_are_ours(sandbox: Sandbox, beside: Beside, words: tuple[str, ...], said: str) -> None:
    ended = await beside("sandbox", *words)

    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert said in ended.err
    assert sandbox.faults.waiting() == []


async def test_the_help_names_whoever_can_be_made_to_fail(sandbox: Sandbox, beside: Beside) -> None:
    described = (await beside("sandbox", "fault", "--help")).out

    assert sorted(PROVIDERS) == sorted(sandbox.providers)
    assert [name for name in PROVIDERS if name not in described] == []


async def test_a_provider_can_be_slowed(sandbox: Sandbox, beside: Beside) -> None:
    ended = await beside("sandbox", "delay", "perplexity", "0.5")

    assert ended.out == "Each call of perplexity takes 0.5 s longer.\n"
    assert sandbox.delays["perplexity"] == 0.5


async def test_the_journal_shows_who_called_and_what_came_back(sandbox: Sandbox, beside: Beside) -> None:
    async with aiohttp.ClientSession() as session:
        for brand in ("perplexity", "anthropic"):
            await (await session.post(f"{sandbox.url}/{brand}/v1/nothing")).read()

    shown = await beside("sandbox", "journal", "--provider", "anthropic")
    document = (await beside("sandbox", "journal", "--json")).document

    assert shown.out.count("\n") == 1
    assert "anthropic  /v1/nothing  40" in shown.out
    assert [record["provider"] for record in document["records"]] == ["perplexity", "anthropic"]


async def test_a_reason_can_be_ordered_of_google(sandbox: Sandbox, beside: Beside) -> None:
    ordered = await beside("sandbox", "fault", "google", "--status", "403", "--reason", "rateLimitExceeded")
    refused = await beside("sandbox", "fault", "perplexity", "--status", "403", "--reason", "rateLimitExceeded")

    assert ordered.out == "google will fail: 403, rateLimitExceeded, once\n"
    assert (refused.code, "takes no `reason`" in refused.err) == (2, True)
    assert [fault.reason for fault in sandbox.faults.waiting()] == ["rateLimitExceeded"]


async def play(beside: Beside, *words: str) -> Said:
    ended = await beside("sandbox", "calendar", *words)
    assert (ended.code, ended.err) == (0, "")
    return ended


async def test_an_event_is_made_changed_and_shown(sandbox: Sandbox, beside: Beside) -> None:
    sandbox.world.clock.set(datetime(2026, 11, 22, 12, tzinfo=UTC))
    made = await play(beside, "add", "--guest", "Ada Lovelace <ada@lovelace.example>", "--private", "--meet")
    sentence, event = made.out.split("\nid: ")
    event = event.strip()
    assert sentence == '"Introduction" is on the calendar, Mon 23 Nov 2026 10:00-10:30, ada@lovelace.example.'

    assert (
        "Tue 24 Nov 2026 15:00-16:00"
        in (await play(beside, "move", event, "--at", "2026-11-24T15:00", "--minutes", "60")).out
    )
    for words, said in (
        (("rename", event, "First call"), '"First call" has its new title'),
        (("invite", event, "bob@brightwater.example", "carol@northwind.example"), "ada@lovelace.example bob@bright"),
        (("uninvite", event, "carol@northwind.example"), "goes on without them"),
        (("decline", event), "is declined by its owner"),
        (("accept", event, "--by", "ada@lovelace.example"), "is accepted by ada@lovelace.example"),
        (("cancel", event), "is cancelled"),
        (("restore", event), "is back"),
    ):
        assert said in (await play(beside, *words)).out

    kept = sandbox.calendar(ROBIN).look(event).details
    assert (kept.title, kept.visibility, kept.status) == ("First call", "private", "confirmed")
    assert {guest.email: guest.status for guest in kept.guests} == {
        ROBIN: "declined",
        "ada@lovelace.example": "accepted",
        "bob@brightwater.example": "needsAction",
    }
    assert kept.guests[1].name == "Ada Lovelace"
    row = (await play(beside, "list")).out.splitlines()[1]
    assert row.split()[0] == event
    assert "Tue 24 Nov 2026 15:00-16:00  First call  ada@lovelace.example bob@brightwater.example" in row


async def test_one_instance_of_a_series_can_be_cancelled(sandbox: Sandbox, beside: Beside) -> None:
    words = ("--repeat", "FREQ=WEEKLY;COUNT=3", "--room", "Harbour 2", "--organizer", "ada@lovelace.example")
    series = (await play(beside, "add", "Weekly", *words, "--json")).document["id"]
    instances = (await play(beside, "list", "--series", series, "--json")).document["events"]

    await play(beside, "cancel", instances[1]["id"])

    listed = (await play(beside, "list", "--series", series)).out.splitlines()[1:]
    assert ["cancelled" in line for line in listed] == [False, True, False]
    assert "FREQ=WEEKLY;COUNT=3" in (await play(beside, "list")).out
    assert sandbox.calendar(ROBIN).look(series).event.organizer.email == "ada@lovelace.example"


async def test_accounts_channels_and_tokens_are_looked_after(sandbox: Sandbox, beside: Beside) -> None:
    sandbox.google.grant(ROBIN)
    assert (await play(beside, "list")).out.startswith("Nothing is on it.")
    assert (await play(beside, "channels")).out == "Nobody watches this calendar.\n"
    await play(beside, "account", "kim.hale@harbour.example", "--name", "Kim Hale")
    await play(beside, "add", "--account", "kim.hale@harbour.example", "--all-day", "--at", "2026-12-01")
    flooded = await play(beside, "flood", "--changes", "3", "--notifications", "2")
    assert flooded.out == "New events: 3. Notifications of nothing: 2.\n"
    await play(beside, "expire")
    await play(beside, "revoke")
    turned = await play(beside, "knobs", "lose_next=3", "delay_notifications=0.5")

    assert sandbox.google.refresh_tokens(ROBIN) == []
    assert sandbox.google.accounts[0].oldest_sync > 0
    assert (sandbox.google.lose_next, sandbox.google.delay_notifications) == (3, 0.5)
    assert "lose_next=3\n" in turned.out
    rows = [line.split() for line in (await play(beside, "accounts")).out.splitlines()[1:]]
    assert [(row[0], row[-3:]) for row in rows] == [
        (ROBIN, ["3", "0", "0"]),
        ("kim.hale@harbour.example", ["1", "0", "0"]),
    ]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("add", "--at", "yesteryear"), 2, "start must be a time such as tomorrow"),
        (("add", "--guest", "ada"), 2, "'ada' is no address"),
        (("add", "--repeat", "now and then"), 2, "recurrence: must be a rule such as FREQ=WEEKLY;COUNT=10"),
        (("add", "--account", "nobody@x.example"), 3, "There is no account 'nobody@x.example'"),
        (("cancel", "nothing/at all?"), 3, "has no event 'nothing/at all?'"),
        (("move", "nothing", "--at", "friday"), 3, "has no event 'nothing'"),
        (("account", ROBIN), 2, "already"),
        (("knobs", "lose_next"), 2, "sets nothing"),
        (("knobs", "lose_next=many"), 2, "lose_next: "),
        (("flood", "--changes", "1000000"), 2, "changes: "),
    ],
)
async def test_what_cannot_be_played_is_said_in_one_sentence(
    sandbox: Sandbox, beside: Beside, words: tuple[str, ...], code: int, said: str
) -> None:
    ended = await beside("sandbox", "calendar", *words)

    assert (ended.code, ended.out, ended.err.count("\n")) == (code, "", 1)
    assert said in ended.err
    assert sandbox.calendar(ROBIN).events == []


async def test_another_server_is_no_sandbox(sandbox: Sandbox, beside: Beside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREENROOM_SANDBOX_URL", f"http://127.0.0.1:{sandbox.smtp_port}")

    for words in (("faults",), ("calendar", "list")):
        ended = await beside("sandbox", *words)
        assert (ended.code, "No sandbox answers" in ended.err) == (4, True)
