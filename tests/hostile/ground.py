"""A web app and a worker as processes, full of canaries: secrets in their settings, and people in what they work on."""

import asyncio
import json
import os
import shutil
import sys
import tempfile
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import aiohttp
from aiohttp import web
from temporalio.client import Client

from activities.ports import Grant
from activities.sealing import Sealer
from activities.store.connections import ConnectionStore
from activities.store.database import Database
from sandbox import Sandbox, running
from schemas.settings import Settings
from starter.dev.parts import Part
from starter.dev.postgres import Cluster, Urls
from starter.dev.stack import script
from starter.migrate import migrate
from starter.web.app import listening
from tests.crash.servers import TemporalServer, _free_port
from tests.diary import Diary
from tests.hostile.scan import Places
from tests.stage import Stage

NAMESPACE = "canaries"
TOKEN_KEY = b64encode(b"canary-token-key-of-thirty-two-b").decode()
PAYLOAD_KEY = b64encode(b"canary-payload-key-thirty-two-by").decode()

# What must be nowhere at all. The refresh and access tokens of the account are added when they are made.
SECRETS = {
    "PERPLEXITY_API_KEY": "pplx-canary-2718281828459045",
    "ANTHROPIC_API_KEY": "sk-ant-canary-1414213562373095",
    "GEMINI_API_KEY": "AIza-canary-3141592653589793",
    "GOOGLE_CLIENT_SECRET": "GOCSPX-canary-5772156649015328",
    "GREENROOM_LINK_KEY": "canary-link-key-0123456789-0123456789",
    "GREENROOM_HASH_KEY": "canary-hash-key-0123456789-0123456789",
    "GREENROOM_SESSION_KEY": "canary-session-key-0123456789-0123456",
    "token key": TOKEN_KEY.rstrip("="),
    "payload key": PAYLOAD_KEY.rstrip("="),
    "database password": "canary-dsn-1732050807568877",
    "mail password": "canary-smtp-2236067977499789",
    "Temporal's key": "canary-temporal-2645751311064590",
}
EMAIL, NAME, TITLE = "zephyrine.quibblewick@plumtree.example", "Zephyrine Quibblewick", "Merger with Zorblattian Ltd"
ECHOED = "wolfgang.unterschnitzel@echo.example"
PEOPLE = ("quibblewick", "zephyrine", "zorblattian", "unterschnitzel")


@dataclass
class Ground:
    """What runs, and what was said by what has ended."""

    folder: Path
    stage: Stage
    client: Client
    urls: Urls
    superuser: str
    web_url: str
    environment: dict[str, str]
    places: Places
    secrets: dict[str, str]
    diary: Diary | None = None

    async def command(self, *words: str, **changes: str) -> str:
        """What a command says, however it ends. It is kept to be searched."""
        process = await asyncio.create_subprocess_exec(
            *(str(Path(sys.executable).parent / "greenroom"), *words),
            env={**os.environ, **self.environment, **changes},
            cwd=self.folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said = (await asyncio.wait_for(process.communicate(), 60))[0].decode()
        self.places.text("commands", said)
        return said

    async def look(self) -> Places:
        """Everything that is kept, as it stands now."""
        await self.places.database(self.superuser)
        await self.places.histories(self.client)
        self.places.folder(self.folder)
        async with aiohttp.ClientSession() as session:
            for name, address in (("web", f"{self.web_url}/metrics"), ("worker", self.environment["METRICS"])):
                async with session.get(address) as response:
                    self.places.text(f"metrics of the {name}", await response.text())
        return self.places

    def logs(self) -> list[str]:
        """All lines that the web app and the worker have logged."""
        return [line for name in ("web", "worker") for line in (self.folder / f"{name}.log").read_text().splitlines()]


@asynccontextmanager
async def ground(cluster: Cluster) -> AsyncIterator[Ground]:
    folder = Path(tempfile.mkdtemp(prefix="greenroom-canaries-"))
    async with AsyncExitStack() as exits:
        exits.callback(shutil.rmtree, folder, ignore_errors=True)
        temporal = TemporalServer(folder, [NAMESPACE])
        await exits.enter_async_context(temporal.running())
        name = f"greenroom_canaries_{uuid4().hex[:8]}"
        urls = await cluster.create(name)
        await asyncio.to_thread(migrate, urls.owner)
        sandbox = await exits.enter_async_context(running())
        echo = await exits.enter_async_context(_echoing(sandbox))
        database = await exits.enter_async_context(Database.opened(urls.application, urls.crossing))
        client = await temporal.client(NAMESPACE)
        stage = Stage(database, client, sandbox, urls, tenant_id=str(uuid4()))
        await stage.set_up(datetime.now(UTC))
        port, metrics = _free_port(), _free_port()
        web_url = f"http://127.0.0.1:{port}"
        environment = _environment(urls, temporal.address, sandbox, echo, web_url, metrics)
        for part, words in (("web", ["web", f"--port={port}"]), ("worker", ["worker"])):
            made = Part(
                part,
                [script("greenroom"), *words],
                _answers(f"{web_url}/healthz" if part == "web" else environment["METRICS"]),
                folder,
                environment,
            )
            exits.push_async_callback(made.stop)
            await made.start()
        superuser = cluster.url("postgres", name)
        yield Ground(folder, stage, client, urls, superuser, web_url, environment, Places(), dict(SECRETS))


def _environment(urls: Urls, temporal: str, sandbox: Sandbox, echo: str, web_url: str, metrics: int) -> dict[str, str]:
    keys = {name: value for name, value in SECRETS.items() if name.isupper()}
    google = f"{sandbox.url}/google"
    return keys | {
        "DATABASE_URL": with_password(urls.application),
        "DATABASE_CROSSING_URL": with_password(urls.crossing),
        "DATABASE_OWNER_URL": with_password(urls.owner),
        "TEMPORAL_ADDRESS": temporal,
        "TEMPORAL_NAMESPACE": NAMESPACE,
        "PERPLEXITY_BASE_URL": f"{echo}/perplexity",
        "ANTHROPIC_BASE_URL": f"{echo}/anthropic",
        "GEMINI_BASE_URL": f"{echo}/gemini",
        "GOOGLE_CLIENT_ID": "sandbox-client",
        "GREENROOM_GOOGLE_API_URL": google,
        "GREENROOM_GOOGLE_AUTH_URL": f"{google}/o/oauth2/v2/auth",
        "GREENROOM_GOOGLE_TOKEN_URL": f"{google}/token",
        "GREENROOM_GOOGLE_USERINFO_URL": f"{google}/v1/userinfo",
        "GREENROOM_SMTP_URL": f"smtp://robin:{SECRETS['mail password']}@127.0.0.1:{sandbox.smtp_port}",
        "GREENROOM_TOKEN_KEYS": f"canary:{TOKEN_KEY}",
        "GREENROOM_PAYLOAD_KEYS": f"canary:{PAYLOAD_KEY}",
        # Without the second wall, so that the first is seen: what is in Temporal's file is there to be read.
        "GREENROOM_PAYLOAD_CODEC": "off",
        "GREENROOM_PERPLEXITY_PACE": "unlimited",
        "GREENROOM_ANTHROPIC_PACE": "unlimited",
        "GREENROOM_WEB_URL": web_url,
        "GREENROOM_LOG_FORMAT": "json",
        "GREENROOM_METRICS_PORT": str(metrics),
        "METRICS": f"http://127.0.0.1:{metrics}/metrics",
    }


def with_password(url: str) -> str:
    """The socket lets everybody in, so that any password will do."""
    return url.replace("@/", f":{SECRETS['database password']}@/", 1)


def settings(environment: dict[str, str]) -> Settings:
    """As the processes have them."""
    names = {field.upper(): field for field in Settings.model_fields}
    known = {
        names[key]: value for name, value in environment.items() if (key := name.removeprefix("GREENROOM_")) in names
    }
    return Settings(**known, _env_file=None)  # type: ignore[arg-type,call-arg]


async def connected(there: Ground) -> Diary:
    """The user's calendar, sealed with the canary's key; its tokens are secrets from now on."""
    google, address = there.stage.sandbox.google, there.stage.user.email
    calendar = google.account(address, "Robin")
    grant = Grant(google.access(address), google.grant(address), 3599, ())
    there.secrets |= {"access token": grant.access_token, "refresh token": grant.refresh_token or ""}
    sealer = Sealer(there.environment["GREENROOM_TOKEN_KEYS"])
    made = await ConnectionStore(there.stage.database, sealer).connect(
        there.stage.tenant.id,
        there.stage.user.id,
        address,
        grant,
        provider="google",
        sandbox=True,
        now=datetime.now(UTC),
    )
    there.diary = Diary(there.stage, calendar, made.connection_id, made.calendar_id)
    return there.diary


@asynccontextmanager
async def _echoing(sandbox: Sandbox) -> AsyncIterator[str]:
    """A proxy that quotes back all that it was sent, key and all, whenever it is asked about a certain company."""
    async with aiohttp.ClientSession() as session:

        async def serve(request: web.Request) -> web.Response:
            body = await request.read()
            said = {
                name: value for name, value in request.headers.items() if name.lower() not in {"host", "content-length"}
            }
            if b"echo.example" in body:
                quoted = f"wrong: {json.dumps(said)} {body.decode()}"
                status = 401 if b"echo.example" in body[:2000] else 500
                error = {"type": quoted, "message": quoted, "code": quoted, "param": quoted}
                return web.json_response(
                    {"error": error, "detail": quoted},
                    status=status,
                    reason="No",
                    headers={"x-quoted": quoted[:2000].replace("\n", " ")},
                )
            async with session.post(f"{sandbox.url}{request.path}", data=body, headers=said) as answer:
                return web.Response(status=answer.status, body=await answer.read(), content_type="application/json")

        app = web.Application(client_max_size=2**25)
        app.router.add_post("/{tail:.*}", serve)
        async with listening(app, 0) as port:
            yield f"http://127.0.0.1:{port}"


def _answers(url: str):  # type: ignore[no-untyped-def] # noqa: ANN202
    async def answers() -> bool:
        try:
            async with aiohttp.ClientSession() as session, session.get(url) as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False

    return answers
