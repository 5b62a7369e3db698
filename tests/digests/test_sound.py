"""From a script in its rows to an MP3 on its shelf: real rows, the pretended voice, a folder; what is interrupted goes on."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.digests import joining
from activities.digests.pieces import Piece, pieces
from activities.digests.ports import Studio
from activities.digests.speaking import SpeakingActivities
from activities.ports import Objects
from activities.providers.elevenlabs import ElevenLabs
from activities.providers.objects import ObjectStore
from activities.seats import Seats
from activities.spending import Treasurer
from activities.store.seats import SeatStore
from sandbox import Sandbox
from schemas.budgets import Price
from schemas.digests import AudioStatus, DigestStep, Line, PieceOrder, Script
from schemas.settings import Settings
from tests.digests.rows import CAPS, House, item

MILLIONTH = Price(input_usd=1, output_usd=0)
PIECES = 20


def long_script(length: int = PIECES) -> Script:
    """So many turns that each is a piece of its own."""
    items = tuple(item(n) for n in range(1, length + 1))
    told = (
        Line(turn=n, voice=1 + n % 2, text=f"Report {n}: " + "the bridge is closed. " * 60, item=n)
        for n in range(1, length + 1)
    )
    return Script(items=items, lines=tuple(told))


class Studios:
    """What a worker has; another worker has another."""

    def __init__(self, house: House, sandbox: Sandbox, session: aiohttp.ClientSession, folder: Path) -> None:
        self.house, self.sandbox, self._session = house, sandbox, session
        self.folder: Objects = ObjectStore.at(f"file://{folder}")
        self.step: DigestStep

    def worker(self, **changes: Any) -> SpeakingActivities:
        voice = ElevenLabs(
            self._session,
            base_url=self.sandbox.elevenlabs_url,
            key="sandbox",
            model="eleven_v3",
            voices=Settings.model_fields["elevenlabs_voices"].default,
            sandbox=True,
        )
        self.voice = voice
        treasurer = Treasurer(self.house.ledger, {"elevenlabs/eleven_v3": MILLIONTH}, CAPS)
        seats = Seats(SeatStore(self.house.database), {"elevenlabs": changes.get("at_once", 4)})
        return SpeakingActivities(self.house.digests, Studio(voice, self.folder), seats, treasurer)

    async def write(self, script: Script) -> tuple[Piece, ...]:
        self.step = await self.house.step()
        await self.house.digests.morning(self.step, sandbox=True)
        await self.house.digests.keep_script(self.step, script)
        return pieces(script, self.worker()._studio().speaker.manner)

    async def speak(self, worker: SpeakingActivities, *numbers: int) -> None:
        for number in numbers:
            order = PieceOrder(**self.step.model_dump(), piece=number)
            await ActivityEnvironment().run(worker.speak, order)

    def calls(self) -> Counter[str]:
        """How often each text was asked for."""
        records = self.sandbox.journal.records(provider="elevenlabs")
        return Counter(record["request"]["inputs"][0]["text"] for record in records)


@pytest.fixture
async def studios(house: House, sandbox: Sandbox, tmp_path: Path) -> AsyncIterator[Studios]:
    await house.wish()
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        yield Studios(house, sandbox, session, tmp_path / "shelf")


async def test_who_dies_at_the_seventh_of_twenty_leaves_six_that_are_not_bought_again(studios: Studios) -> None:
    cut = await studios.write(long_script())
    assert len(cut) == PIECES
    before = studios.calls()
    first = studios.worker()
    await studios.speak(first, *range(1, 7))
    studios.sandbox.faults.put("elevenlabs", "hang", match="Report 7:")
    dying = asyncio.create_task(studios.speak(first, 7))
    async with asyncio.timeout(10):
        while not any("Report 7:" in str(one["request"]) for one in studios.sandbox.journal.running("elevenlabs")):
            await asyncio.sleep(0.02)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)

    await studios.speak(studios.worker(), *range(1, PIECES + 1))
    kept = (await studios.house.digests.morning(studios.step, sandbox=True)).spoken

    asked = studios.calls() - before
    assert {text.partition(":")[0]: count for text, count in asked.items() if count > 1} == {"Report 7": 2}
    assert len(asked) == PIECES
    assert set(kept) == {piece.hash for piece in cut}
    paid = [(purpose, state, cost) for purpose, state, cost in await studios.house.spending() if "piece/" in purpose]
    settled = [cost for _, state, cost in paid if state == "settled"]
    assert (len(settled), sum(settled)) == (PIECES, sum(piece.letters for piece in cut))
    assert {state for _, state, _ in paid} == {"settled", "released"}


async def test_the_digest_has_its_audio_and_its_lines_their_times(studios: Studios) -> None:
    cut = await studios.write(long_script(3))
    await studios.speak(studios.worker(), 1, 2, 3)
    house = studios.house
    kept = (await house.digests.morning(studios.step, sandbox=True)).spoken
    whole = sum(kept[piece.hash].duration_ms for piece in cut)
    done = await ActivityEnvironment().run(studios.worker().publish, studios.step)
    # Whoever dies after that has it done again.
    assert await ActivityEnvironment().run(studios.worker().publish, studios.step) == done
    assert done.audio is AudioStatus.READY
    view = await house.digests.view(house.tenant.id, house.user.id, studios.step.digest_id)
    assert view is not None
    assert view.sound is not None
    assert view.script is not None
    made = await studios.folder.get(view.sound.key)
    assert made is not None
    assert (view.audio, len(made)) == (AudioStatus.READY, view.sound.size)
    assert joining.duration_ms(made) == pytest.approx(whole, rel=0.05)
    assert [one.title for one in view.sound.chapters] == ["Report 1", "Report 2", "Report 3"]
    assert (view.script.lines[0].start_ms, view.script.lines[-1].end_ms) == (0, whole)


async def test_audio_that_ended_early_is_paid_for_and_made_again_alone(studios: Studios) -> None:
    cut = await studios.write(long_script(3))
    before = studios.calls()
    studios.sandbox.faults.put("elevenlabs", "cut_short", match="Report 2:")
    worker = studios.worker()
    await studios.speak(worker, 1)
    with pytest.raises(ApplicationError, match="too short"):
        await studios.speak(worker, 2)
    await studios.speak(worker, 2, 3)
    asked = {text.partition(":")[0]: count for text, count in (studios.calls() - before).items()}
    assert asked == {"Report 1": 1, "Report 2": 2, "Report 3": 1}
    settled = [cost for _, state, cost in await studios.house.spending() if state == "settled"]
    assert sum(settled) == sum(piece.letters for piece in cut) + cut[1].letters


async def test_two_workers_together_ask_no_more_at_once_than_the_plan_allows(studios: Studios) -> None:
    """The provider counts too, and refuses whoever is one too many."""
    await studios.write(long_script(6))
    studios.sandbox.elevenlabs.at_once = 2
    studios.sandbox.delays["elevenlabs"] = 0.1
    try:
        workers = [studios.worker(at_once=2) for _ in range(2)]
        await asyncio.gather(*(studios.speak(workers[n % 2], n) for n in range(1, 7)))
        with pytest.raises(ApplicationError, match="too_many_concurrent_requests"):
            await asyncio.gather(*(_unseated(studios) for _ in range(3)))
    finally:
        studios.sandbox.elevenlabs.at_once = None
        studios.sandbox.delays["elevenlabs"] = 0.0


async def _unseated(studios: Studios) -> bytes:
    """Without a seat."""
    (first, *_) = pieces(long_script(1), "m")
    return await studios.voice.speak(first.utterances)


@pytest.mark.parametrize(("trick", "said"), [("quota_exceeded", "401"), ("voice_not_found", "400")])
async def test_a_refusal_for_good_is_named_and_costs_nothing(studios: Studios, trick: str, said: str) -> None:
    await studios.write(long_script(2))
    studios.sandbox.faults.put("elevenlabs", trick, match="Report 1:")
    with pytest.raises(ApplicationError) as raised:
        await studios.speak(studios.worker(), 1)
    assert (raised.value.type, raised.value.non_retryable) == ("ProviderRefused", True)
    assert f"said {said} ({trick})" in raised.value.message
    assert {state for _, state, _ in await studios.house.spending()} == {"released"}
