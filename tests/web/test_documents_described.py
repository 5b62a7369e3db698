"""The description of documents: whatever is sent to their addresses, the answer is one that is described."""

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
from tests.web.papers import KEY, Papers
from tests.web.test_openapi import CHECKS


@pytest.fixture
async def house(database: Database) -> AsyncIterator[House]:
    async with AsyncExitStack() as exits:
        house = House(database, exits)
        await house.set_up()
        house.skills = Papers(house.tenant.id, house.user.id).parts()
        await exits.enter_async_context(house.open())
        yield house


def described(document_id: str, runs: dict[str, str], token: str) -> dict[str, Any]:
    """What concerns documents, with what a visitor knows. Nothing is deleted: everything else would be gone."""
    said: dict[str, Any] = json.loads(json.dumps(openapi.DESCRIPTION))
    said["paths"] = {path: item for path, item in said["paths"].items() if "/documents" in path}
    anything = {"type": "string", "minLength": 1}
    for path, item in said["paths"].items():
        item.pop("post", None) if path.endswith("/delete") else None
        item.pop("delete", None) if path == "/api/documents/{id}" else None
        work = next((run for part, run in runs.items() if part in path), runs["runs"])
        known = {"id": document_id, "run": work}
        item["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"anyOf": [{"const": value}, anything]}}
            for name, value in known.items()
            if f"{{{name}}}" in path
        ]
    said["components"]["schemas"]["Token"] = {"enum": [token]}
    return said


async def test_whatever_is_sent_about_documents_the_answer_is_one_that_is_described(
    house: House, tmp_path: Path
) -> None:
    kept, visitor = house.skills["documents"], await house.sign_in()
    assert isinstance(kept, Papers)
    document = kept.reviewed()
    runs = {"comparisons": kept.compared(document).id, "redlines": kept.redlined(document).id}
    runs["runs"] = kept.documents[document.id].runs[-1].id
    token = (await visitor.get("/documents")).token
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(described(document.id, runs, token)))
    headers = {
        "Origin": house.base,
        "Sec-Fetch-Site": "same-origin",
        "Authorization": f"Bearer {KEY}",
        "Cookie": "; ".join(f"{name}={value}" for name, value in visitor.cookies.items()),
    }
    process = await asyncio.create_subprocess_exec(
        str(Path(sysconfig.get_path("scripts")) / "st"),
        *("run", str(file), f"--url={house.base}", f"--checks={CHECKS}", "--phases=examples,coverage,fuzzing"),
        *("--max-examples=3", "--seed=1", "--workers=1", "--suppress-health-check=all", "--max-redirects=0"),
        *("--request-timeout=10", "--generation-database=none", "--no-color", "--warnings=off", "--no-shrink"),
        *(f"--header={name}: {value}" for name, value in headers.items()),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=tmp_path,
    )
    said, _ = await asyncio.wait_for(process.communicate(), 110)

    assert process.returncode == 0, said.decode()[-6000:]
    assert kept.uploads
    assert kept.wanted
