"""A stretch of an object, as players ask for it: of a folder, and of a bucket of somebody else's server."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError

from activities.providers.objects import ObjectStore
from tests.providers.weed import Weed, growing

LARGE = bytes(range(256)) * 8_000


@pytest.fixture(scope="module")
async def weed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Weed]:
    async with growing(tmp_path_factory.mktemp("weed")) as running:
        yield running


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, weed: Weed, tmp_path: Path) -> ObjectStore:
    return weed.objects() if request.param == "bucket" else ObjectStore.at(f"file://{tmp_path}/kept")


@pytest.mark.parametrize(("start", "end"), [(0, 1), (0, len(LARGE)), (1000, 600_000), (len(LARGE) - 1, len(LARGE))])
async def test_a_stretch_is_what_stands_there(store: ObjectStore, start: int, end: int) -> None:
    await store.put("t/digests/d/part.mp3", LARGE, "audio/mpeg")
    assert await store.part("t/digests/d/part.mp3", start, end) == LARGE[start:end]


async def test_a_stretch_beyond_it_is_an_error_or_ends_with_it(store: ObjectStore) -> None:
    await store.put("t/digests/d/short.mp3", LARGE[:100], "audio/mpeg")
    assert await store.part("t/digests/d/short.mp3", 90, 200) == LARGE[90:100]
    with pytest.raises(ApplicationError) as raised:
        await store.part("t/digests/d/short.mp3", 100, 200)
    assert "short.mp3" not in str(raised.value)


async def test_what_is_not_there_has_no_stretch(store: ObjectStore) -> None:
    assert await store.part("t/digests/d/never.mp3", 0, 10) is None


async def test_a_wrong_signature_is_named(weed: Weed) -> None:
    with pytest.raises(ApplicationError, match="SignatureDoesNotMatch"):
        await weed.objects(secret_key="wrong").part("t/digests/d/part.mp3", 0, 10)


async def test_a_bucket_that_is_not_there_is_named(weed: Weed) -> None:
    with pytest.raises(ApplicationError, match="no such bucket"):
        await weed.objects(url="s3://nowhere/x").part("t/digests/d/part.mp3", 0, 10)
