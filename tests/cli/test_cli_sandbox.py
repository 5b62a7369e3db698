"""greenroom sandbox: the knobs of a sandbox that runs, and its own sentences when they are turned too far."""

import aiohttp
import pytest

from sandbox import Sandbox
from tests.cli.conftest import Beside

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


async def test_another_server_is_no_sandbox(sandbox: Sandbox, beside: Beside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREENROOM_SANDBOX_URL", f"http://127.0.0.1:{sandbox.smtp_port}")

    ended = await beside("sandbox", "faults")

    assert (ended.code, "No sandbox answers" in ended.err) == (4, True)
