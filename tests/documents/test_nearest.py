"""Row 8: an index finds nearly all of the nearest clauses, in a time that hardly grows; and only this tenant's. By the
query with which a comparison finds references."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from uuid import uuid4

import asyncpg
import pytest

from activities.documents.pairing import Near
from activities.store.database import Database
from activities.store.nearest import REFERENCES, references
from schemas.documents import DIMENSIONS
from starter.dev.postgres import Cluster, Urls
from starter.migrate import migrate

SIZES = (1000, 3000, 10_000)
QUERIES, MOST = 20, 10
MANY, FEW, NOBODY = (str(uuid4()) for _ in range(3))
# As texts lie: so many subjects, and around each of these what is said about it, as far from it as it is long.
SUBJECTS, SPREAD = 200, 2.0


@dataclass
class Shelves:
    """A database of its own, since its index is built anew: references of two tenants."""

    root: asyncpg.Connection
    urls: Urls

    async def fill(self) -> None:
        await self.root.execute("SELECT setseed(0.5)")
        await self.root.execute(_SUBJECTS)
        await self.root.execute("DROP INDEX clauses_nearest")
        await self._add(FEW, 1, 1)

    async def _add(self, tenant_id: str, first: int, last: int) -> None:
        await self.root.execute(_DOCUMENTS, tenant_id, first, last)
        await self.root.execute(_CLAUSES, tenant_id, first, last)

    async def grow(self, size: int) -> float:
        """To so many of theirs, beside all of the other's; how long the index took."""
        there = await self.root.fetchval(
            "SELECT count(*) FROM documents WHERE tenant_id = $1 AND role = 'reference'", MANY
        )
        await self.root.execute("DROP INDEX IF EXISTS clauses_nearest")
        await self._add(MANY, there + 1, size // 50)
        begun = time.perf_counter()
        await self.root.execute("SET maintenance_work_mem = '256MB'")
        await self.root.execute(_INDEX)
        taken = time.perf_counter() - begun
        await self.root.execute("ANALYZE clauses, documents")
        return taken

    async def asked(self, tenant_id: str) -> str:
        """A document of the tenant's whose clauses are each near to a subject, as those of references are."""
        document_id = str(await self.root.fetchval(_ASKED, tenant_id))
        await self.root.execute(_QUESTIONS, tenant_id, document_id, QUERIES)
        return document_id

    async def surely(self, document_id: str, ordinal: int) -> set[tuple[str, int]]:
        """By looking at each of them."""
        rows = await self.root.fetch(_EXACT, document_id, ordinal, MOST)
        return {(str(row["document_id"]), row["ordinal"]) for row in rows}


@pytest.fixture(scope="module")
async def shelves(cluster: Cluster) -> AsyncIterator[Shelves]:
    name = f"nearest_{uuid4().hex[:8]}"
    urls = await cluster.create(name)
    await asyncio.to_thread(migrate, urls.owner)
    root = await asyncpg.connect(cluster.url("postgres", name), command_timeout=300)
    try:
        shelves = Shelves(root, urls)
        await shelves.fill()
        yield shelves
    finally:
        await root.close()


async def test_an_index_finds_nearly_all_and_its_time_hardly_grows(
    shelves: Shelves, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = await shelves.asked(MANY)
    recalls, times = {}, {}
    async with Database.opened(shelves.urls.application, shelves.urls.crossing) as database:
        for size in SIZES:
            built = await shelves.grow(size)
            found, times[size] = await _timed(database, asked)
            begun = time.perf_counter()
            exact = [await shelves.surely(asked, ordinal) for ordinal in range(QUERIES)]
            looked = (time.perf_counter() - begun) / QUERIES
            hits = sum(len(_ids(one) & all_) for one, all_ in zip(found, exact, strict=True))
            recalls[size] = hits / (QUERIES * MOST)
            with capsys.disabled():
                print(  # noqa: T201 - the figures are what is shown
                    f"\n{size} clauses: recall {recalls[size]:.3f}, {times[size] * 1000:.1f} ms a clause"
                    f" (one by one {looked * 1000:.1f} ms), index built in {built:.1f} s"
                )
            for one in found:
                near = [it.nearness for it in one]
                assert near == sorted(near, reverse=True), "the nearest first"
        async with database.tenant(MANY) as connection:
            best = await references(connection, asked, 0, QUERIES)
            plan = await connection.fetch(f"EXPLAIN {REFERENCES}", asked, 0, 1, 1)
            assert "clauses_nearest" in str(plan), "an index finds them"
    assert [_ids((one,)) for one in best] == [_ids(one[:1]) for one in found], "a comparison takes the nearest of each"
    assert min(recalls.values()) >= 0.95, recalls
    # Ten times as many take far less than ten times as long.
    assert times[SIZES[-1]] < 5 * times[SIZES[0]], times


async def _timed(database: Database, asked: str) -> tuple[list[tuple[Near, ...]], float]:
    """What is found for each clause, and how long the middle one took."""
    found, times = [], []
    await _found(database, MANY, asked, 0)
    for ordinal in range(QUERIES):
        begun = time.perf_counter()
        found.append(await _found(database, MANY, asked, ordinal))
        times.append(time.perf_counter() - begun)
    return found, statistics.median(times)


async def _found(database: Database, tenant_id: str, asked: str, ordinal: int) -> tuple[Near, ...]:
    async with database.tenant(tenant_id) as connection:
        return await references(connection, asked, ordinal, ordinal + 1, MOST)


def _ids(found: Sequence[Near]) -> set[tuple[str, int]]:
    return {(one.theirs_document_id, one.theirs.ordinal) for one in found}


async def test_whoever_has_few_finds_all_of_them_beside_one_who_has_many(shelves: Shelves) -> None:
    """The index is of all tenants: it goes on until it has enough of this one's, far behind all of the other's."""
    await shelves.root.execute(
        "UPDATE clauses SET embedding = array_fill((-1)::real, ARRAY[1024])::vector * embedding WHERE tenant_id = $1",
        FEW,
    )
    few, nobody = await shelves.asked(FEW), await shelves.asked(NOBODY)
    async with Database.opened(shelves.urls.application, shelves.urls.crossing) as database:
        assert _ids(await _found(database, FEW, few, 0)) == await shelves.surely(few, 0)
        async with database.tenant(FEW) as connection:
            await connection.execute("SELECT set_config('enable_sort', 'off', true)")
            plan = await connection.fetch(f"EXPLAIN {REFERENCES}", few, 0, 1, 1)
            assert "clauses_nearest" in str(plan), "an index finds them"
            by_index = await references(connection, few, 0, 1, MOST)
        assert len(_ids(by_index)) == MOST
        assert len(_ids(by_index) & await shelves.surely(few, 0)) >= 0.8 * MOST
        assert await _found(database, NOBODY, nobody, 0) == ()
        assert await _found(database, NOBODY, few, 0) == (), "it is not theirs"
        await shelves.root.execute("UPDATE documents SET searchable = false WHERE tenant_id = $1", FEW)
        assert await _found(database, FEW, few, 0) == (), "its bootstrap is not done"


_SUBJECTS = f"""
CREATE TABLE subjects_ AS SELECT g AS n, ARRAY(
  SELECT random() - 0.5 FROM generate_series(1, {DIMENSIONS}) x WHERE g = g
) AS v FROM generate_series(0, {SUBJECTS - 1}) g
"""

_DOCUMENTS = """
INSERT INTO documents (tenant_id, role, name, kind, size_bytes, sha256, object_key, source, searchable, created_at)
SELECT $1::uuid, 'reference', 'reference', 'text', 0, g::text, 'key', g::text, true, '2026-01-01'
FROM generate_series($2::int, $3::int) g
"""

# What is said about a subject.
_SAID = f"""
(SELECT array_agg(e.v + (random() - 0.5) * {SPREAD} ORDER BY e.i) FROM unnest(s.v) WITH ORDINALITY e(v, i))
"""

_CLAUSES = f"""
INSERT INTO clauses (tenant_id, document_id, ordinal, start_at, end_at, embedding, indexed)
SELECT d.tenant_id, d.id, o, o, o + 1, {_SAID}::vector, true
FROM documents d, generate_series(0, 49) o JOIN subjects_ s ON true
WHERE d.tenant_id = $1::uuid AND d.sha256::int BETWEEN $2 AND $3 AND s.n = (d.sha256::int * 50 + o) % {SUBJECTS}
"""

_ASKED = """
INSERT INTO documents (tenant_id, role, name, kind, size_bytes, sha256, object_key, created_at)
VALUES ($1, 'review', 'asked', 'text', 0, '0', 'key', '2026-01-01') RETURNING id
"""

_QUESTIONS = f"""
INSERT INTO clauses (tenant_id, document_id, ordinal, start_at, end_at, embedding)
SELECT $1::uuid, $2::uuid, s.n, s.n, s.n + 1, {_SAID}::vector FROM subjects_ s WHERE s.n < $3
"""

_INDEX = "CREATE INDEX clauses_nearest ON clauses USING hnsw (embedding vector_cosine_ops) WHERE indexed"

_EXACT = """
SELECT c.document_id, c.ordinal FROM clauses o JOIN clauses c ON c.tenant_id = o.tenant_id AND c.indexed
WHERE o.document_id = $1 AND o.ordinal = $2 ORDER BY (c.embedding <=> o.embedding) + 0 LIMIT $3
"""
