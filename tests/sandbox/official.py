"""Google's own client pointed at the sandbox, its answers held against Google's own description of them."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import google_auth_httplib2
import googleapiclient
import httplib2
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from sandbox import Sandbox

ROBIN = "robin.marsh@harbour.example"
Resource = dict[str, Any]
KINDS = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict, "number": float}


@cache
def discovery() -> Resource:
    place = Path(googleapiclient.__file__).parent / "discovery_cache/documents/calendar.v3.json"
    document: Resource = json.loads(place.read_text())
    return document


def problems(value: Any, schema: Resource, where: str = "") -> Iterator[str]:
    """What is in a value that its schema does not allow."""
    if "$ref" in schema:
        schema = discovery()["schemas"][schema["$ref"]]
    kind = schema["type"]
    if type(value) is not KINDS[kind]:
        yield f"{where}: {type(value).__name__} is no {kind}"
    elif kind == "array":
        for number, item in enumerate(value):
            yield from problems(item, schema["items"], f"{where}[{number}]")
    elif kind == "object":
        known, others = schema.get("properties", {}), schema.get("additionalProperties")
        for name, inner in value.items():
            if name in known or others:
                yield from problems(inner, known.get(name, others), f"{where}.{name}")
            else:
                yield f"{where}.{name}: unknown"
    elif "enum" in schema and value not in schema["enum"]:
        yield f"{where}: {value!r} is none of {schema['enum']}"


def fits(answer: Resource, schema: str) -> Resource:
    """The answer, if Google could have given it."""
    found = list(problems(answer, {"$ref": schema}))
    assert found == []
    return answer


def credentials(
    sandbox: Sandbox, refresh_token: str, secret: str = "sandbox", scopes: list[str] | None = None
) -> Credentials:
    return Credentials(
        token=None,
        refresh_token=refresh_token,
        token_uri=f"{sandbox.google_url}/token",
        client_id="sandbox-client",
        client_secret=secret,
        scopes=scopes,
    )


class Official:
    """googleapiclient, on threads of its own: one connection for each call."""

    def __init__(self, sandbox: Sandbox, email: str = ROBIN) -> None:
        self._sandbox = sandbox
        self.credentials = credentials(sandbox, sandbox.google.grant(email))

    async def listed(self, **query: Any) -> Resource:
        query = {"calendarId": "primary", **query}
        return fits(await self._call(lambda api: api.events().list(**query)), "Events")

    async def one(self, event_id: str, **query: Any) -> Resource:
        query = {"calendarId": "primary", "eventId": event_id, **query}
        return fits(await self._call(lambda api: api.events().get(**query)), "Event")

    async def instances(self, event_id: str, **query: Any) -> Resource:
        query = {"calendarId": "primary", "eventId": event_id, **query}
        return fits(await self._call(lambda api: api.events().instances(**query)), "Events")

    async def watch(self, calendar: str = "primary", **body: Any) -> Resource:
        return fits(await self._call(lambda api: api.events().watch(calendarId=calendar, body=body)), "Channel")

    async def stop(self, channel: Resource) -> str:
        body = {"id": channel["id"], "resourceId": channel["resourceId"]}
        stopped: str = await self._call(lambda api: api.channels().stop(body=body))
        return stopped

    async def everything(self, **query: Any) -> tuple[list[Resource], str]:
        """All pages of a listing, by the client's own paging, and the sync token at their end."""
        pages: list[Resource] = []

        def read(api: Any) -> None:
            request = api.events().list(calendarId="primary", **query)
            while request is not None:
                pages.append(request.execute())
                request = api.events().list_next(request, pages[-1])

        await asyncio.to_thread(self._with_api, read)
        found = [item for page in pages for item in fits(page, "Events")["items"]]
        assert [page for page in pages[:-1] if "nextSyncToken" in page] == []
        return found, pages[-1]["nextSyncToken"]

    async def _call(self, make: Callable[[Any], Any]) -> Any:
        return await asyncio.to_thread(self._with_api, lambda api: make(api).execute())

    def _with_api(self, use: Callable[[Any], Any]) -> Any:
        with connection() as http:
            authorized = google_auth_httplib2.AuthorizedHttp(self.credentials, http=http)
            options = {"api_endpoint": f"{self._sandbox.google_url}/calendar/v3/"}
            return use(build("calendar", "v3", http=authorized, client_options=options, cache_discovery=False))


@contextmanager
def connection() -> Iterator[httplib2.Http]:
    http = httplib2.Http(timeout=10)
    try:
        yield http
    finally:
        http.close()


def reason(error: HttpError) -> tuple[int, str]:
    """How Google says no: the status, and the word beside it."""
    return error.status_code, error.error_details[0]["reason"]
