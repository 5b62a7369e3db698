"""`python -m sandbox` starts, says where it is, and stops when it is told to."""

import asyncio
import json
import re
import signal
import sys
from pathlib import Path

import aiohttp
import pytest

ROOT = Path(__file__).parents[2]


async def start(*arguments: str) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", "-m", "sandbox", *arguments), cwd=ROOT, stdout=pipe, stderr=pipe
    )


async def test_it_serves_until_sigterm_and_writes_down_what_was_under_way(tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    process = await start("--port", "0", "--smtp-port", "0", "--journal", str(journal), "--delay", "perplexity=60")
    assert process.stdout is not None
    async with asyncio.timeout(20):
        said = (await process.stdout.readline()).decode()
        found = re.search(r"http://127\.0\.0\.1:\d+", said)
        assert found is not None
        async with aiohttp.ClientSession(found[0]) as client:
            call = asyncio.create_task(client.post("/perplexity/v1/responses", data=b"{}"))
            while not (await (await client.get("/sandbox/journal")).json())["running"]:
                await asyncio.sleep(0.01)
            process.send_signal(signal.SIGTERM)
            out, err = await process.communicate()
            with pytest.raises(aiohttp.ClientError):
                await call

    assert (process.returncode, out, err) == (0, b"", b"")
    (record,) = map(json.loads, journal.read_text().splitlines())
    assert (record["status"], record["fault"]) == (None, "server stopped")


async def test_its_state_outlives_a_killed_process(tmp_path: Path) -> None:
    arguments = ("--port", "0", "--smtp-port", "0", "--state", str(tmp_path / "state.json"))
    tokens, events = [], []
    for _ in range(2):
        process = await start(*arguments)
        assert process.stdout is not None
        async with asyncio.timeout(20):
            found = re.search(r"http://127\.0\.0\.1:\d+", (await process.stdout.readline()).decode())
            assert found is not None
            async with aiohttp.ClientSession(found[0]) as client:
                robin = "/sandbox/calendar/robin.marsh@harbour.example"
                if not tokens:
                    tokens.append((await (await client.post(f"{robin}/grant", json={})).json())["refresh_token"])
                await client.post(f"{robin}/events", json={"title": "Call"})
                form = {"grant_type": "refresh_token", "refresh_token": tokens[0], "client_id": "sandbox-client"}
                async with client.post("/google/token", data={**form, "client_secret": "sandbox"}) as refreshed:
                    assert refreshed.status == 200
                async with client.get(f"{robin}/events") as listed:
                    events.append(len((await listed.json())["events"]))
            process.kill()
            await process.communicate()

    assert events == [1, 2]


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["--delay", "perplexity"], 2, "perplexity=3"),
        (["--port", "65536"], 2, "65535"),
        (["--delay", "owl=3"], 2, "not a provider"),
        (["--delay", "perplexity=nan"], 2, "seconds"),
        (["--port", "0", "--smtp-port", "0", "--journal", "/nowhere/at/all"], 4, "could not start"),
        (["--port", "0", "--smtp-port", "0", "--state", "/dev/null"], 4, "is no state of a sandbox"),
    ],
)
async def test_wrong_arguments_are_explained(arguments: list[str], code: int, word: str) -> None:
    process = await start(*arguments)
    _, err = await process.communicate()

    assert process.returncode == code
    assert word in err.decode()
    assert "Traceback" not in err.decode()
