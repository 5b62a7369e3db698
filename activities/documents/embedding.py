"""The effect that makes clauses findable by what they mean: their vectors, batch by batch, each settled as it comes.

seat ─▶ clauses that have none yet ─▶ batches ─▶ pace ─▶ still none ─▶ reserve ─▶ embed ─▶ keep and settle
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TypeVar

from temporalio import activity

from activities import errors
from activities.documents.ports import EMBEDDINGS, BoughtBy, Embedder, Runs
from activities.liveness import Clock, heartbeating, surely
from activities.pacing import Pacing
from activities.plain import clean
from activities.seats import Seats
from activities.spending import Purchase, Treasurer
from schemas.documents import DocumentStep, Embedded

T = TypeVar("T")

# S4-5: batches of 128; and of fewer tokens than any of their models takes in one call.
MOST_TEXTS, TOKEN_BUDGET = 128, 100_000


def mark(embedder: Embedder) -> str:
    """What vectors are marked with: those of different models, or of the sandbox, are not near to each other."""
    return f"{embedder.name}/{embedder.model}" + ("/sandbox" if embedder.sandbox else "")


def batches(texts: Iterable[tuple[T, str]]) -> Iterator[list[tuple[T, str]]]:
    """Keyed texts as they are sent together: so many, and so many tokens, at most. What is blank is left out."""
    batch: list[tuple[T, str]] = []
    left = TOKEN_BUDGET
    for key, text in texts:
        if not (seen := clean(text, len(text))):
            continue
        tokens = _tokens(seen)
        if batch and (len(batch) == MOST_TEXTS or tokens > left):
            yield batch
            batch, left = [], TOKEN_BUDGET
        batch.append((key, seen))
        left -= tokens
    if batch:
        yield batch


def _tokens(text: str) -> int:
    """More than there are: a word of any language has one for three of its bytes at most."""
    return len(text.encode(errors="replace")) // 3 + 1


class EmbeddingActivities:
    """Without an embedder nothing is embedded, and whoever asks for it is told so, for good."""

    def __init__(
        self, runs: Runs, embedder: Embedder | None, pacing: Pacing, treasurer: Treasurer, seats: Seats
    ) -> None:
        self._runs = runs
        self._embedder = embedder
        self._pacing = pacing
        self._treasurer = treasurer
        self._seats = seats

    @activity.defn(name="documents.embed")
    async def embed(self, step: DocumentStep) -> Embedded:
        """Safe to run twice: what has a vector of this model is not embedded again. `Runs.embed` and `Runs.embedded` are
        told what `mark` says, the former as `bought.model`. `step.document_id` is the document that is embedded."""
        if self._embedder is None:
            raise errors.impossible("vectors", "there is nobody to make them: no key is set")
        async with heartbeating(), self._seats.seat(EMBEDDINGS, step.tenant_id):
            clock = Clock()
            text = await self._runs.text(step)
            if text is None:
                raise errors.unfinished("the document is not read")
            have = await self._runs.embedded(step, mark(self._embedder))
            there = len(have)
            left = ((one.ordinal, text.of(one)) for one in text.clauses if one.ordinal not in have)
            waiting = list(batches(left))
            for number, batch in enumerate(waiting, 1):
                await (await self._pacing.turn(self._embedder.name)).come()
                # Another run of the document may have bought it while we waited.
                have = await self._runs.embedded(step, mark(self._embedder))
                if wanted := [one for one in batch if one[0] not in have]:
                    await self._buy(step, self._embedder, wanted, clock, last=number == len(waiting))
            return Embedded(clauses=there + sum(map(len, waiting)))

    async def _buy(
        self, step: DocumentStep, embedder: Embedder, batch: list[tuple[int, str]], clock: Clock, *, last: bool
    ) -> None:
        texts = [text for _, text in batch]
        purpose = f"vectors/{step.document_id}/{batch[0][0]}-{batch[-1][0]}"
        purchase = Purchase(step.tenant_id, step.run_id, step.version, purpose)
        offer = self._treasurer.offer(embedder, embedder.size(texts))
        async with self._treasurer.paying(purchase, [offer], clock.now):
            bought = replace(await embedder.embed(texts), model=mark(embedder))
        vectors = {ordinal: vector for (ordinal, _), vector in zip(batch, bought.vectors, strict=True)}
        info = activity.info()
        by = BoughtBy(embedder.name, info.workflow_id or "", info.workflow_run_id or "", embedder.sandbox)
        await surely(self._runs.embed(step, vectors, bought, purchase, by, last=last))
