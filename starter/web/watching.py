"""Runs that are watched: their progress and text as server-sent events, however many listen to one.

rows ─▶ Reader: one for each run that is watched here ─▶ News ─▶ each listener: what they have not heard yet ─▶ done

When `done` is heard, what was heard is the output, unless it says that its text is null: then it cannot be had. Whoever
comes again says how far they had heard.
"""

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import structlog
from aiohttp import AsyncIterablePayload, web
from aiohttp.abc import AbstractStreamWriter
from temporalio.exceptions import ApplicationError

from schemas.base import RowId, TenantId
from schemas.skills import ENDED, RunStatus, RunView
from starter.web.ports import SkillRuns, Sounds

log = structlog.get_logger("web")

# What is written is kept as often as that; one that waits for its turn is no news so soon.
BETWEEN_S, WAITING_S, AWAY_S = 0.4, 1.0, 2.0
# So that whoever is gone is noticed, and whoever stands between lets go of nothing.
QUIET_S = 10.0
# Then they come again, and are asked again who they are.
LONGEST_S = 300.0
# Of all, of one tenant so that it keeps no other out, and of one run.
MOST_LISTENERS, MOST_OF_TENANT, MOST_OF_ONE = 200, 50, 20
# A text that cannot be had by then is told as one that cannot be had.
TEXT_S, TRIES = 3.0, 3
LARGEST_TEXT = 1024 * 1024
KIND = "text/event-stream"
SOON_MS = 2000
_HEARD = re.compile(r"([0-9]{1,8})-([0-9a-f]{16})")


@dataclass(frozen=True)
class News:
    """How a run stands, with what is written of it so far."""

    found: RunView
    # None when it has ended and its text cannot be had.
    text: str | None

    @property
    def ended(self) -> bool:
        return self.found.status in ENDED


@dataclass
class Reader:
    """Looks after one run as long as somebody listens."""

    listeners: int = 0
    news: News | None = None
    gone: bool = False
    # Set when there is something new; then there is another.
    change: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    def tell(self, news: News | None) -> None:
        self.gone = news is None
        if self.gone or news != self.news:
            self.news = news or self.news
            change, self.change = self.change, asyncio.Event()
            change.set()


class Watching:
    def __init__(self, runs: SkillRuns, texts: Sounds) -> None:
        self._runs = runs
        self._texts = texts
        self._readers: dict[tuple[TenantId, RowId], Reader] = {}
        self._listening = 0
        self._closing = asyncio.Event()

    def full(self, tenant_id: TenantId, run_id: RowId) -> bool:
        of_one = self._readers.get((tenant_id, run_id))
        of_tenant = sum(reader.listeners for (whose, _), reader in self._readers.items() if whose == tenant_id)
        return (
            self._listening >= MOST_LISTENERS
            or of_tenant >= MOST_OF_TENANT
            or (of_one is not None and of_one.listeners >= MOST_OF_ONE)
        )

    def answer(self, request: web.Request, tenant_id: TenantId, run_id: RowId) -> web.Response:
        """To somebody who may see this run."""
        events = self._events(tenant_id, run_id, request.headers.get("Last-Event-ID", ""))
        # Without the last a proxy of a usual kind keeps events until there are many.
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return web.Response(body=Stream(events), content_type=KIND, charset="utf-8", headers=headers)

    async def close(self, _app: web.Application) -> None:
        """We are about to stop: nobody is kept listening."""
        self._closing.set()
        for one in self._readers.values():
            one.tell(None)

    async def text(self, found: RunView) -> str | None:
        """All of what was written. Nothing when it is not where outputs are kept, or cannot be had just now."""
        if found.output is None:
            return found.draft
        size = min(found.output.size_bytes, LARGEST_TEXT)
        try:
            async with asyncio.timeout(TEXT_S):
                data = await self._texts.part(found.output.object_key, 0, size)
        except (ApplicationError, TimeoutError, OSError) as error:
            log.warning("an output not read", run_id=found.id, error=getattr(error, "type", type(error).__name__))
            return None
        if data is None:
            log.warning("an output is missing", run_id=found.id)
        return None if data is None else data.decode(errors="ignore")

    async def _events(self, tenant_id: TenantId, run_id: RowId, heard: str) -> AsyncIterator[bytes]:
        yield f"retry: {SOON_MS}\n\n".encode()
        if self.full(tenant_id, run_id) or self._closing.is_set():
            return
        reader = self._enter(tenant_id, run_id)
        listener = Listener(heard)
        until = asyncio.get_running_loop().time() + LONGEST_S
        try:
            while asyncio.get_running_loop().time() < until and not reader.gone:
                change = reader.change
                if reader.news is not None:
                    for event in listener.hears(reader.news):
                        yield event
                    if reader.news.ended:
                        return
                try:
                    await asyncio.wait_for(change.wait(), QUIET_S)
                except TimeoutError:
                    yield b": still here\n\n"
        finally:
            self._leave(tenant_id, run_id, reader)

    def _enter(self, tenant_id: TenantId, run_id: RowId) -> Reader:
        reader = self._readers.get((tenant_id, run_id))
        if reader is None:
            reader = self._readers[tenant_id, run_id] = Reader()
            reader.task = asyncio.create_task(self._read(reader, tenant_id, run_id))
        reader.listeners += 1
        self._listening += 1
        return reader

    def _leave(self, tenant_id: TenantId, run_id: RowId, reader: Reader) -> None:
        self._listening -= 1
        reader.listeners -= 1
        if not reader.listeners:
            self._readers.pop((tenant_id, run_id), None)
            if reader.task is not None:
                reader.task.cancel()

    async def _read(self, reader: Reader, tenant_id: TenantId, run_id: RowId) -> None:
        """Until it has ended. Rows that are away for a while are no end, and neither is a text that is."""
        missed = 0
        while not reader.gone:
            try:
                found = await self._runs.view(tenant_id, None, run_id)
                text = None if found is None else await self.text(found)
                if found is not None and text is None and (missed := missed + 1) < TRIES:
                    await asyncio.sleep(AWAY_S)
                    continue
                reader.tell(None if found is None else News(found, text))
            except Exception as error:  # noqa: BLE001 - whatever it is, those who listen are not left without a reader
                kind = error.type if isinstance(error, ApplicationError) else type(error).__name__
                log.warning("run not read", error=kind)
                await asyncio.sleep(AWAY_S)
                continue
            if found is None or found.status in ENDED:
                return
            await asyncio.sleep(WAITING_S if found.status is RunStatus.QUEUED else BETWEEN_S)


class Listener:
    """What one of them has heard. `heard` is what they say of it themselves: the id of the last event they got."""

    def __init__(self, heard: str) -> None:
        self._said = heard
        self._text = ""
        self._stood = ""

    def hears(self, news: News) -> Iterator[bytes]:
        """What is new for them."""
        if news.text is not None:
            self._remember(news.text)
        stands = json.dumps(standing(news.found))
        if stands != self._stood and not news.ended:
            self._stood = stands
            yield self._event("progress", stands)
        if news.text is not None and news.text != self._text and (news.text or not news.ended):
            again = not news.text.startswith(self._text)
            rest = news.text if again else news.text[len(self._text) :]
            self._text = news.text
            yield self._event("text", json.dumps({"text": rest} | ({"again": True} if again else {})))
        if news.ended:
            yield self._event("done", json.dumps(outcome(news.found) | ({"text": None} if news.text is None else {})))

    def _remember(self, text: str) -> None:
        """What they had heard is not sent again, when that is how it begins."""
        said, self._said = _HEARD.fullmatch(self._said), ""
        if said is None:
            return
        begins = text[: int(said[1])]
        # Anything else that they heard is taken back: it begins with no text of ours.
        self._text = begins if _mark(begins) == said[0] else "\0"

    def _event(self, name: str, data: str) -> bytes:
        return f"event: {name}\nid: {_mark(self._text)}\ndata: {data}\n\n".encode()


class Stream(AsyncIterablePayload):
    """Events as they come. Whoever is gone is left at once: otherwise their place would be kept for them."""

    def __init__(self, events: AsyncIterator[bytes]) -> None:
        super().__init__(events, content_type=KIND)
        self._events = events

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        try:
            await super().write_with_length(writer, content_length)
        finally:
            await self._events.aclose()  # type: ignore[attr-defined]  # a generator of ours


def standing(found: RunView) -> dict[str, Any]:
    return {
        "runId": found.id,
        "status": found.status.value,
        "position": found.position,
        "turnAt": found.turn_at.isoformat() if found.status is RunStatus.QUEUED else None,
    }


def outcome(found: RunView) -> dict[str, Any]:
    """How a run ended, as its event says it."""
    told: dict[str, Any] = {"runId": found.id, "status": found.status.value}
    if found.status is RunStatus.FAILED:
        return told | {"error": found.failure_reason, "step": found.failed_step, "retryable": found.retryable}
    return told | {"outputId": found.output.id if found.output else None, "title": _title(found)}


def _title(found: RunView) -> str:
    return found.output.title if found.output else ""


def _mark(text: str) -> str:
    return f"{len(text)}-{hashlib.sha256(text.encode(errors='replace')).hexdigest()[:16]}"
