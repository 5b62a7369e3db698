"""The description of runs and skills: whatever is sent to their addresses, the answer is one that is described."""

import asyncio
import json
import sysconfig
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from activities.store.database import Database
from starter.web import openapi
from tests.web.house import House
from tests.web.runs import CLIENT, KEY, SCHEMA, Skills, skill
from tests.web.test_openapi import CHECKS


@pytest.fixture
async def house(database: Database) -> AsyncIterator[House]:
    async with AsyncExitStack() as exits:
        house = House(database, exits)
        await house.set_up()
        house.skills = Skills(
            house.tenant.id, house.user.id, {"follow-up": skill(inputs=SCHEMA), "plain": skill("plain")}
        )
        await exits.enter_async_context(house.open())
        yield house


def described(house: House, run_id: str, token: str) -> dict[str, Any]:
    """What concerns skills, with what a visitor knows. One that has ended: whoever listens to it is told at once."""
    said: dict[str, Any] = json.loads(json.dumps(openapi.DESCRIPTION))
    said["paths"] = {path: item for path, item in said["paths"].items() if path.startswith(("/runs", "/skills"))}
    anything = {"type": "string", "minLength": 1}
    for path, item in said["paths"].items():
        known = {"id": run_id, "name": "plain"}
        item["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"anyOf": [{"const": value}, anything]}}
            for name, value in known.items()
            if f"{{{name}}}" in path
        ]
    schemas = said["components"]["schemas"]
    schemas["Token"] = {"enum": [token]}
    asked = schemas["RunRequest"]["properties"]
    for name, values in {
        "skillName": ["plain", "none"],
        "userId": [house.user.id, house.user.email],
        "clientId": CLIENT,
    }.items():
        asked[name] = {"anyOf": [{"enum": list(values)}, asked[name]]}
    return said


async def test_whatever_is_sent_about_runs_the_answer_is_one_that_is_described(house: House, tmp_path: Path) -> None:
    assert isinstance(house.skills, Skills)
    run, visitor = house.skills.written(), await house.sign_in()
    token = (await visitor.get("/skills")).token
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(described(house, run.id, token)))
    headers = {
        "Origin": house.base,
        "Sec-Fetch-Site": "same-origin",
        "Authorization": f"Bearer {KEY}",
        "Cookie": "; ".join(f"{name}={value}" for name, value in visitor.cookies.items()),
    }
    process = await asyncio.create_subprocess_exec(
        str(Path(sysconfig.get_path("scripts")) / "st"),
        *("run", str(file), f"--url={house.base}", f"--checks={CHECKS}", "--phases=examples,coverage,fuzzing"),
        *("--max-examples=8", "--seed=1", "--workers=1", "--suppress-health-check=all", "--max-redirects=0"),
        *("--request-timeout=10", "--generation-database=none", "--no-color", "--warnings=off", "--no-shrink"),
        *(f"--header={name}: {value}" for name, value in headers.items()),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=tmp_path,
    )
    said, _ = await asyncio.wait_for(process.communicate(), 110)

    assert process.returncode == 0, said.decode()[-6000:]
    assert len(house.skills.wanted) > 0
