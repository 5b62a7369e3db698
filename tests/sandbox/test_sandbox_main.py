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


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["--delay", "perplexity"], 2, "perplexity=3"),
        (["--port", "65536"], 2, "65535"),
        (["--delay", "gong=3"], 2, "not a provider"),
        (["--delay", "perplexity=nan"], 2, "seconds"),
        (["--port", "0", "--smtp-port", "0", "--journal", "/nowhere/at/all"], 4, "could not start"),
    ],
)
async def test_wrong_arguments_are_explained(arguments: list[str], code: int, word: str) -> None:
    process = await start(*arguments)
    _, err = await process.communicate()

    assert process.returncode == code
    assert word in err.decode()
    assert "Traceback" not in err.decode()
