"""Clauses get their vectors in batches, each paid once and kept as it comes; what has one is not embedded again."""

import asyncio
from collections.abc import Sequence

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities import errors
from activities.documents.embedding import MOST_TEXTS, TOKEN_BUDGET, EmbeddingActivities, batches, mark
from activities.documents.ports import Vectors
from schemas.documents import Embedded
from tests.documents.thinking import DOCUMENT, RUN, SECRET, STEP, TERM, Desk, TwinEmbedder
from tests.waiting import until


async def embed(desk: Desk) -> Embedded:
    return await ActivityEnvironment().run(desk.embedding().embed, STEP)


def test_batches_have_so_many_texts_and_so_many_tokens_at_most() -> None:
    texts = [(n, "word " * 700) for n in range(300)]
    made = list(batches(texts))
    assert [key for batch in made for key, _ in batch] == list(range(300))
    assert all(len(batch) <= MOST_TEXTS for batch in made)
    assert all(sum(len(text) for _, text in batch) / 3 <= TOKEN_BUDGET for batch in made)
    assert len(made) == -(-300 // (TOKEN_BUDGET // (3499 // 3 + 1)))
    assert [len(batch) for batch in batches((n, "short") for n in range(257))] == [128, 128, 1]


def test_what_is_blank_is_not_sent_and_what_is_far_too_long_is_sent_alone() -> None:
    assert list(batches([(1, " \n"), (2, "\u200b"), (3, "a  b")])) == [[(3, "a b")]]
    assert [len(batch) for batch in batches([(1, "x" * 4 * TOKEN_BUDGET), (2, "y")])] == [1, 1]
    assert list(batches([])) == []


async def test_every_clause_gets_a_vector_and_every_batch_is_settled() -> None:
    desk = Desk.of(*(f"{n}. Term. Clause {n} of many." for n in range(300)))
    assert await embed(desk) == Embedded(clauses=300)
    assert sorted(desk.rows.vectors) == list(range(300))
    assert [len(batch) for batch in desk.embedder.batches] == [128, 128, 44]
    assert [last for _, _, last in desk.rows.batches] == [False, False, True]
    purchases = [purchase for _, purchase, _ in desk.rows.batches]
    assert [one.purpose for one in purchases] == [f"vectors/{DOCUMENT}/{it}" for it in ("0-127", "128-255", "256-299")]
    assert {(one.work_id, one.version) for one in purchases} == {(RUN, 1)}
    assert {model for model, _, _ in desk.rows.batches} == {"vectors/m/sandbox"}


async def test_what_has_a_vector_is_not_bought_again() -> None:
    desk = Desk.of(*(f"{n}. Term. Clause {n} of many." for n in range(200)))
    desk.embedder.says = [None, errors.unreachable("vectors", OSError())]
    with pytest.raises(ApplicationError) as raised:
        await embed(desk)
    assert raised.value.type == "ProviderDown"
    assert desk.ledger.given_up == [(f"vectors/{DOCUMENT}/128-199", False)]
    assert await embed(desk) == Embedded(clauses=200)
    assert [len(batch) for batch in desk.embedder.batches] == [128, 72, 72]
    assert await embed(desk) == Embedded(clauses=200)
    assert len(desk.embedder.batches) == 3


async def test_two_runs_of_a_document_do_not_buy_the_same() -> None:
    """The other one has bought the second batch, and the half of the third, while we bought the first."""
    desk = Desk.of(*(f"{n}. Term. Clause {n} of many." for n in range(300)))

    class Beside(TwinEmbedder):
        async def embed(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
            desk.rows.vectors |= dict.fromkeys(range(128, 280), (1.0,))
            return await super().embed(texts, query=query)

    desk.embedder = Beside()
    assert await embed(desk) == Embedded(clauses=300)
    assert [len(batch) for batch in desk.embedder.batches] == [128, 20]
    assert len(desk.rows.vectors) == 300


async def test_vectors_of_another_model_serve_nobody() -> None:
    desk = Desk.of(SECRET, TERM)
    await embed(desk)
    desk.embedder = TwinEmbedder(sandbox=False)
    assert mark(desk.embedder) == "vectors/m"
    await embed(desk)
    assert len(desk.embedder.batches) == 1


async def test_without_an_embedder_it_is_said_so_for_good() -> None:
    desk = Desk.of(SECRET)
    nobody = EmbeddingActivities(desk.rows, None, *desk._others())
    with pytest.raises(ApplicationError) as raised:
        await ActivityEnvironment().run(nobody.embed, STEP)
    assert raised.value.non_retryable
    assert "no key" in raised.value.message


async def test_a_document_that_is_not_read_may_be_the_next_time() -> None:
    with pytest.raises(ApplicationError) as raised:
        await embed(Desk.of())
    assert (raised.value.type, raised.value.non_retryable) == ("Unfinished", False)


async def test_more_than_their_seats_are_not_at_once_and_who_is_cancelled_leaves_the_line() -> None:
    desk = Desk.of(SECRET)
    gate = asyncio.Event()

    class Slow(TwinEmbedder):
        async def embed(self, texts: object, *, query: bool = False) -> object:  # type: ignore[override]
            self.batches.append([])
            await gate.wait()
            raise errors.unreachable("vectors", OSError())

    desk.embedder = Slow()
    activities, environments = desk.embedding(), [ActivityEnvironment() for _ in range(5)]
    calls = [asyncio.create_task(environment.run(activities.embed, STEP)) for environment in environments]

    async def both() -> bool:
        return len(desk.embedder.batches) == 2

    await until(both)
    environments[2].cancel()
    calls[2].cancel()
    await asyncio.wait({calls[2]}, timeout=2)
    assert calls[2].done()
    gate.set()
    await asyncio.gather(*calls, return_exceptions=True)
    assert len(desk.embedder.batches) == 4
    assert desk.chairs.most_at_once == 2
    assert set().union(*desk.chairs.taken.values()) == set()
