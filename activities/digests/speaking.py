"""The effects that a digest's audio needs: have a piece of its script spoken, and join all of them.

speak:   what is kept ─▶ (what is in the store | seat ─▶ reserve ─▶ speak ─▶ listen ─▶ put away) ─▶ keep and settle
publish: all pieces ─▶ joined ─▶ put away ─▶ status, times, chapters and event
"""

import asyncio
from collections.abc import Awaitable, Sequence
from datetime import timedelta

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import errors
from activities.digests import joining, keys
from activities.digests.joining import Joiner, Label, NotAudioError
from activities.digests.pieces import Piece, chapters, pieces, timed
from activities.digests.ports import BoughtBy, Digests, Morning, Spoken, Studio
from activities.liveness import Clock, heartbeating, surely
from activities.ports import Size
from activities.seats import Seats
from activities.spending import Purchase, Treasurer
from schemas.digests import DigestDone, DigestEnding, DigestStep, PieceOrder, Script, Sound

KIND = "audio/mpeg"

# Nobody speaks more letters a second than this: people do not follow 20, and talk at about 15. So what lost a third of
# its end is noticed, and a hasty voice is not. Below the second figure, and beyond a while of silence, it rambles.
FASTEST, SLOWEST, PAUSES_S = 22, 5, 15

# What has been paid for is put away in the end: it is in nobody's hands but this try's.
PATIENCE = tuple(timedelta(seconds=seconds) for seconds in (1, 2, 4, 8, 15, 30))


class SpeakingActivities:
    """Without a studio nothing is spoken, and whoever asks for it is told so."""

    def __init__(
        self,
        digests: Digests,
        studio: Studio | None,
        seats: Seats,
        treasurer: Treasurer,
        patience: Sequence[timedelta] = PATIENCE,
    ) -> None:
        self._digests = digests
        self._with = studio
        self._seats = seats
        self._treasurer = treasurer
        self._patience = patience

    @activity.defn(name="digests.speak")
    async def speak(self, order: PieceOrder) -> None:
        """Safe to run twice: a piece is bought once and kept; what was put away and not written down is found there."""
        async with heartbeating():
            clock, studio = Clock(), self._studio()
            morning = await self._digests.morning(order, sandbox=studio.speaker.sandbox)
            piece = _cut(_script(morning), studio)[order.piece - 1]
            if piece.hash in morning.spoken:
                return
            key = keys.piece(order.tenant_id, order.digest_id, piece.hash)
            there = await studio.objects.get(key)
            length = await _played(there) if there is not None else None
            if length is None:
                await self._buy(order, piece, key, clock)
            else:
                await surely(self._keep(order, piece, Spoken(key, length, piece.letters), None, clock))

    @activity.defn(name="digests.publish")
    async def publish(self, step: DigestStep) -> DigestDone:
        """Safe to run twice: the same pieces are joined under the same key, and a version is finished once."""
        async with heartbeating():
            studio, ending = self._studio(), DigestEnding(**step.model_dump())
            try:
                morning = await self._digests.morning(step, sandbox=studio.speaker.sandbox)
            except ApplicationError as error:
                if error.type != "Superseded":
                    raise
                # A try that died has perhaps finished it: then its end is told again, and nothing is written.
                return await self._digests.finish(ending, Script(items=(), lines=()), None)
            cut = _cut(_script(morning), studio)
            spoken = [morning.spoken[piece.hash] for piece in cut if piece.hash in morning.spoken]
            if not cut or len(spoken) < len(cut):
                raise errors.unfinished("a piece is not spoken")
            script = timed(_script(morning), cut, [one.duration_ms for one in spoken])
            sound = await self._published(step, morning, script, cut)
            try:
                return await surely(self._digests.finish(ending, script, sound))
            except BaseException:
                await surely(self._digests.unless_needed(step, sound.key))
                raise

    def _studio(self) -> Studio:
        if self._with is None:
            raise errors.impossible("audio", "nobody is set up to speak, or there is nowhere to keep it")
        return self._with

    async def _buy(self, order: PieceOrder, piece: Piece, key: str, clock: Clock) -> None:
        """Whoever waits for a seat has set no money aside; what is paid for is kept, whoever wants to stop."""
        speaker = self._studio().speaker
        purchase = Purchase(order.tenant_id, order.digest_id, order.version, f"piece/{piece.hash}")
        offer = self._treasurer.offer(speaker, Size(piece.letters, 0))
        async with self._seats.seat(speaker.name), self._treasurer.paying(purchase, [offer], clock.now):
            data = await speaker.speak(piece.utterances)
            await surely(self._take(order, piece, key, data, purchase, clock))

    async def _take(
        self, order: PieceOrder, piece: Piece, key: str, data: bytes, purchase: Purchase, clock: Clock
    ) -> None:
        length = await _listened(self._studio().speaker.name, data, piece)
        await self._put_away(key, data)
        await self._keep(order, piece, Spoken(key, length, piece.letters), purchase, clock)

    async def _keep(
        self, order: PieceOrder, piece: Piece, spoken: Spoken, purchase: Purchase | None, clock: Clock
    ) -> None:
        await self._digests.keep_piece(order, piece.hash, spoken, purchase, self._by(clock))

    async def _put_away(self, key: str, data: bytes) -> None:
        """Sooner or later."""
        pauses = iter(self._patience)
        while (refusal := await _refused(self._studio().objects.put(key, data, KIND))) is not None:
            pause = next(pauses, None)
            if refusal.non_retryable or pause is None:
                raise errors.unkept(refusal)
            await asyncio.sleep(pause.total_seconds())

    async def _published(self, step: DigestStep, morning: Morning, script: Script, cut: Sequence[Piece]) -> Sound:
        """All pieces as one, under its key. What is put away says where and how long it is."""
        parts = chapters(script)
        joiner = await asyncio.to_thread(Joiner, self._label(morning), parts)
        for piece in cut:
            data = await self._studio().objects.get(morning.spoken[piece.hash].key)
            if data is None:
                raise errors.impossible("audio", "a piece that was spoken is gone from its store")
            await _added(joiner, data)
        made, length = await asyncio.to_thread(joiner.close)
        key = keys.whole(step.tenant_id, step.digest_id, [piece.hash for piece in cut])
        await self._studio().objects.put(key, made, KIND)
        return Sound(key=key, duration_ms=length, size=len(made), chapters=parts)

    def _label(self, morning: Morning) -> Label:
        said = " (sandbox data)" if self._studio().speaker.sandbox else ""
        title = f"Digest of {morning.day.day} {morning.day:%B %Y}{said}"
        return Label(title=title, artist="Greenroom", album="Daily digest", day=morning.day)

    def _by(self, clock: Clock) -> BoughtBy:
        info, speaker = activity.info(), self._studio().speaker
        return BoughtBy(
            provider=speaker.name,
            sandbox=speaker.sandbox,
            prompt="",
            workflow_id=info.workflow_id or "",
            run_id=info.workflow_run_id or "",
            now=clock.now(),
            model=speaker.model,
        )


def _script(morning: Morning) -> Script:
    if morning.script is None:
        raise errors.unfinished("there is no script")
    return morning.script


def _cut(script: Script, studio: Studio) -> tuple[Piece, ...]:
    return pieces(script, studio.speaker.manner)


async def _refused(work: Awaitable[None]) -> ApplicationError | None:
    try:
        await work
    except ApplicationError as error:
        return error
    return None


async def _played(data: bytes) -> int | None:
    """For how many milliseconds; None of what cannot be played."""
    try:
        return await asyncio.to_thread(joining.duration_ms, data)
    except NotAudioError:
        return None


async def _listened(provider: str, data: bytes, piece: Piece) -> int:
    """How long it plays. An answer may end early and say nothing of it: then it is another try's."""
    length = await _played(data)
    if length is None:
        raise errors.nonsense(provider, "audio that cannot be played")
    if length < piece.letters * 1000 / FASTEST:
        raise errors.nonsense(provider, "audio that is too short for its text")
    if length > (piece.letters / SLOWEST + PAUSES_S) * 1000:
        raise errors.nonsense(provider, "audio that is too long for its text")
    return length


async def _added(joiner: Joiner, data: bytes) -> None:
    try:
        await asyncio.to_thread(joiner.add, data)
    except NotAudioError:
        raise errors.impossible("audio", "a piece that was spoken cannot be played any more") from None
