"""The description of the app: it names every route, and the app keeps to it whatever is sent."""

import asyncio
import json
import sysconfig
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from starter.links import FeedLinks, Listener
from starter.web import openapi
from starter.web.app import build_app
from tests.web import rows
from tests.web.house import NOW, House

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
METHODS = {"get", "post", "put", "patch", "delete", "options"}


def routes(app: web.Application) -> set[tuple[str, str]]:
    there = {(route.method.lower(), route.resource.canonical) for route in app.router.routes() if route.resource}
    return {(method, path) for method, path in there if method != "head"}


async def test_every_route_is_described_and_nothing_else_is(house: House) -> None:
    described = {
        (method, path) for path, item in openapi.DESCRIPTION["paths"].items() for method in METHODS & set(item)
    }
    assert described == routes(build_app(house.parts()))


async def test_the_description_is_served(house: House) -> None:
    got = await (await house.visitor()).get("/openapi.json")

    assert got.headers["content-type"] == "application/json; charset=utf-8"
    assert json.loads(got.text)["openapi"].startswith("3.1")


async def described(house: House, token: str) -> dict[str, Any]:
    """The description with what a visitor knows: ids that are there, and the token of their forms."""
    made = await rows.a_week(house)
    calendar_id = (await house.run("SELECT id FROM calendars"))[0]["id"]
    brief_id = (await house.run("SELECT id FROM briefs"))[0]["id"]
    claim_id = (await rows.written(house, brief_id)).fact
    known = {"meetings": made["ready"], "campaigns": house.campaign.id, "calendars": calendar_id, "briefs": brief_id}
    known["digests"] = await house.digests.ask(house.tenant.id, house.user.id, NOW.date(), None, NOW)
    said: dict[str, Any] = json.loads(json.dumps(openapi.DESCRIPTION))
    # Documents have a test of their own.
    said["paths"] = {path: item for path, item in said["paths"].items() if "/documents" not in path}
    feed = FeedLinks(house.settings()).feed(Listener(house.tenant.id, house.user.id, 1))
    opens = {"const": feed.rpartition("/")[2].removesuffix(".xml")}
    said["components"]["parameters"]["token"]["schema"] = {"anyOf": [opens, {"type": "string", "minLength": 1}]}
    said["components"]["schemas"]["Token"] = {"enum": [token]}
    for path, item in said["paths"].items():
        # Signing out would end the session that everything else needs.
        item.pop("post", None) if path == "/sign-out" and token else None
        if "{id}" in path and (row_id := known.get(path.split("/")[1])):
            anything = {"type": "string", "minLength": 1}
            names = {"id": row_id, "claim": claim_id}
            item["parameters"] = [
                {"name": name, "in": "path", "required": True, "schema": {"anyOf": [{"const": known_id}, anything]}}
                for name, known_id in names.items()
                if f"{{{name}}}" in path
            ]
    return said


@pytest.mark.parametrize("signed_in", [True, False], ids=["signed in", "nobody"])
async def test_whatever_is_sent_the_answer_is_one_that_is_described(
    house: House, tmp_path: Path, signed_in: bool
) -> None:
    visitor = await (house.sign_in() if signed_in else house.visitor())
    token = (await visitor.get("/")).token if signed_in else ""
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(await described(house, token)))
    headers = {"Origin": house.base, "Sec-Fetch-Site": "same-origin"}
    if signed_in:
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
    run = await asyncio.create_subprocess_exec(
        str(Path(sysconfig.get_path("scripts")) / "st"),
        *("run", str(file), f"--url={house.base}", f"--checks={CHECKS}", "--phases=examples,coverage,fuzzing"),
        # Whom nobody knows is refused by one and the same guard.
        *(
            f"--max-examples={6 if signed_in else 2}",
            "--seed=1",
            "--workers=1",
            "--suppress-health-check=all",
            "--max-redirects=0",
        ),
        *("--request-timeout=10", "--generation-database=none", "--no-color", "--warnings=off", "--no-shrink"),
        *(f"--header={name}: {value}" for name, value in headers.items()),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=tmp_path,
    )
    said, _ = await asyncio.wait_for(run.communicate(), 110)

    assert run.returncode == 0, said.decode()[-6000:]
