"""The one server: every brand under its own prefix, the knobs under /sandbox, mail beside it.

request ─▶ journal opens ─▶ fault taken ─▶ delay ─▶ brand answers ─▶ wire delivers ─▶ journal closes
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from sandbox import faults as kinds
from sandbox.anthropic import Anthropic
from sandbox.brand import Answer, Brand, Call
from sandbox.brave import Brave
from sandbox.congress import Congress
from sandbox.control import Control, one_sentence
from sandbox.elevenlabs import ElevenLabs, ElevenLabsControl
from sandbox.faults import Fault, Faults
from sandbox.gemini import Gemini
from sandbox.gong import Gong, Memory
from sandbox.gong.control import GongControl
from sandbox.google import Backstage, Google
from sandbox.google.control import CalendarControl
from sandbox.google.diary import Calendar
from sandbox.google.push import Push
from sandbox.google.store import Store
from sandbox.journal import Entry, Journal
from sandbox.mail import Handler, Mailbox, MailServer
from sandbox.messages import Messages, MessagesControl
from sandbox.perplexity import Perplexity
from sandbox.slack import Slack
from sandbox.telegram import Telegram
from sandbox.voyage import Voyage
from sandbox.wire import Delivery, deliver
from sandbox.world import World

HOST = "127.0.0.1"
LARGEST_BODY = 32 * 1024 * 1024
LAST_CALLS_SECONDS = 1.0
# How long an answer waits for what comes before it.
FIRST_SECONDS = 0.5


def brands(world: World, google: Google, gong: Memory) -> tuple[Brand, ...]:
    """Everybody we pretend to be over HTTP. A new brand is one line here."""
    return Perplexity(world), Anthropic(world), Gemini(), google, Gong(gong), Brave(world), Congress(world), Voyage()


@dataclass
class Sandbox:
    """A running world and its knobs."""

    world: World
    brands: tuple[Brand, ...]
    google: Backstage
    gong: Memory
    elevenlabs: ElevenLabs
    push: Push
    faults: Faults
    journal: Journal
    mailbox: Mailbox
    messages: Messages
    delays: dict[str, float]
    url: str = ""
    smtp_port: int = 0
    stopping: bool = field(default=False, repr=False)

    @classmethod
    def of(
        cls,
        world: World,
        journal: Journal,
        delays: Mapping[str, float] | None = None,
        state_path: Path | None = None,
    ) -> "Sandbox":
        backstage = Backstage()
        google = Google(Store(world.clock, state_path), backstage)
        backstage.stands_behind(google)
        gong = Memory(world.clock)
        elevenlabs, messages = ElevenLabs(), Messages(world.clock)
        fronts = (*brands(world, google, gong), elevenlabs, Telegram(messages), Slack(messages))
        allowed = {front.name: kinds.WIRE | dict.fromkeys(front.tricks, frozenset[str]()) for front in fronts}
        allowed |= {google.name: kinds.REASONED}
        none = dict.fromkeys([*allowed, "mail"], 0.0)
        faults = Faults(allowed | {"mail": kinds.MAIL})
        return cls(
            world,
            fronts,
            backstage,
            gong,
            elevenlabs,
            google.push,
            faults,
            journal,
            Mailbox(world.clock),
            messages,
            none | dict(delays or {}),
        )

    @property
    def providers(self) -> list[str]:
        return list(self.delays)

    @property
    def perplexity_url(self) -> str:
        return f"{self.url}/perplexity"

    @property
    def anthropic_url(self) -> str:
        return f"{self.url}/anthropic"

    @property
    def gong_url(self) -> str:
        return f"{self.url}/gong"

    @property
    def gemini_url(self) -> str:
        return f"{self.url}/gemini"

    @property
    def brave_url(self) -> str:
        return f"{self.url}/brave"

    @property
    def congress_url(self) -> str:
        return f"{self.url}/congress"

    @property
    def voyage_url(self) -> str:
        return f"{self.url}/voyage"

    @property
    def google_url(self) -> str:
        return f"{self.url}/google"

    @property
    def elevenlabs_url(self) -> str:
        return f"{self.url}/elevenlabs"

    @property
    def telegram_url(self) -> str:
        return f"{self.url}/telegram"

    @property
    def slack_url(self) -> str:
        return f"{self.url}/slack"

    def calendar(self, email: str) -> Calendar:
        """The calendar of somebody who has an account here: robin.marsh@harbour.example has."""
        return self.google.calendar(email)


def build_app(sandbox: Sandbox) -> web.Application:
    app = web.Application(client_max_size=LARGEST_BODY, middlewares=[one_sentence])
    app.add_routes([*Control(sandbox).routes(), *CalendarControl(sandbox.google).routes()])
    app.add_routes(GongControl(sandbox.gong).routes())
    app.add_routes(ElevenLabsControl(sandbox.elevenlabs).routes())
    app.add_routes(MessagesControl(sandbox.messages).routes())
    for brand in sandbox.brands:
        app.router.add_route("*", f"/{brand.name}/{{tail:.*}}", Front(brand, sandbox).serve)

    async def stop(_: web.Application) -> None:
        sandbox.stopping = True

    app.on_shutdown.append(stop)
    return app


class Front:
    """One brand's door: follows each call from its last byte in to its last byte out."""

    def __init__(self, brand: Brand, sandbox: Sandbox) -> None:
        self._brand = brand
        self._sandbox = sandbox

    async def serve(self, request: web.Request) -> web.StreamResponse:
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return _plain(self._brand.error(413))
        headers = {name.lower(): value for name, value in request.headers.items()}
        busy = len(self._sandbox.journal.running(self._brand.name))
        path = "/" + request.match_info["tail"]
        call = Call(request.method, path, headers, body, request.rel_url.raw_query_string, busy)
        asked = body or call.query.encode()
        with self._sandbox.journal.call(self._brand.name, call.path, asked, self._brand.about(call)) as entry:
            return await self._follow(request, call, entry)

    async def _follow(self, request: web.Request, call: Call, entry: Entry) -> web.StreamResponse:
        fault = self._sandbox.faults.take(self._brand.name, call.text())
        entry.fault = fault.kind if fault else None
        try:
            await asyncio.sleep(self._delay())
            answer = self._answer(call, fault)
            if answer.first is not None:
                with suppress(TimeoutError):
                    await asyncio.wait_for(answer.first.wait(), FIRST_SECONDS)
            return await deliver(Delivery(request, answer, entry, fault, self._delay))
        except asyncio.CancelledError:
            entry.fault = entry.fault or ("server stopped" if self._sandbox.stopping else "client left")
            raise
        except ConnectionError:
            # Noticed while writing. Nobody is left to read what we return.
            entry.fault = entry.fault or "client left"
            return web.Response()

    def _delay(self) -> float:
        return self._sandbox.delays[self._brand.name]

    def _answer(self, call: Call, fault: Fault | None) -> Answer:
        if fault is None or fault.kind != "status" or fault.status is None:
            return self._brand.answer(call, fault.kind if fault and fault.kind in self._brand.tricks else None)
        refusal = self._brand.refusal(call, fault.status, fault.reason)
        return refusal if fault.retry_after is None else refusal.having(retry_after=fault.retry_after)


def _plain(answer: Answer) -> web.Response:
    return web.Response(status=answer.status, body=answer.body, headers=dict(answer.headers))


@asynccontextmanager
async def running(
    port: int = 0,
    smtp_port: int = 0,
    *,
    journal_path: Path | None = None,
    delays: Mapping[str, float] | None = None,
    world: World | None = None,
    state_path: Path | None = None,
) -> AsyncIterator[Sandbox]:
    """The whole sandbox on loopback. Port 0 takes a free one. Calendars and grants are kept in the state file, if any."""
    journal = Journal(journal_path)
    try:
        sandbox = Sandbox.of(world or World(), journal, delays, state_path)
        async with sandbox.push.opened(), _web(sandbox, port), _mail(sandbox, smtp_port):
            yield sandbox
    finally:
        journal.close()


@asynccontextmanager
async def _web(sandbox: Sandbox, port: int) -> AsyncIterator[None]:
    # Cancelled with its client, so that a call nobody waits for ends, and is written down as such.
    runner = web.AppRunner(
        build_app(sandbox), handler_cancellation=True, access_log=None, shutdown_timeout=LAST_CALLS_SECONDS
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, port).start()
        sandbox.url = f"http://{HOST}:{runner.addresses[0][1]}"
        yield
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _mail(sandbox: Sandbox, port: int) -> AsyncIterator[None]:
    handler = Handler(sandbox.mailbox, sandbox.faults, sandbox.journal, sandbox.delays)
    server = MailServer(handler, port)
    await asyncio.to_thread(server.start)
    try:
        sandbox.smtp_port = server.port
        yield
    finally:
        await asyncio.to_thread(server.stop)
