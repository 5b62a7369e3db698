"""Objects are kept whole or not at all, in a folder and in a bucket of somebody else's server; and what its store says is a
decision of ours, which names no key and no secret."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from obstore.exceptions import GenericError, PermissionDeniedError
from temporalio.exceptions import ApplicationError

from activities.providers import objects
from activities.providers.objects import ObjectStore
from tests.providers.weed import SECRET, Weed, growing

KIND = "audio/mpeg"
LARGE = bytes(range(256)) * 20_000


@pytest.fixture(scope="module")
async def weed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Weed]:
    async with growing(tmp_path_factory.mktemp("weed")) as running:
        yield running


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, weed: Weed, tmp_path: Path) -> ObjectStore:
    return weed.objects() if request.param == "bucket" else ObjectStore.at(f"file://{tmp_path}/kept/here")


async def told(doing: object) -> ApplicationError:
    with pytest.raises(ApplicationError) as raised:
        await doing  # type: ignore[misc]
    assert SECRET not in str(raised.value)
    assert "secret-key" not in str(raised.value)
    return raised.value


async def test_what_is_put_is_there_and_what_is_deleted_is_not(store: ObjectStore) -> None:
    assert await store.get("t/digests/d/pieces/h.mp3") is None
    await store.put("t/digests/d/pieces/h.mp3", LARGE, KIND)
    await store.put("t/digests/d/pieces/h.mp3", LARGE[::-1], KIND)
    assert await store.get("t/digests/d/pieces/h.mp3") == LARGE[::-1]
    await store.delete(["never/there.mp3", "t/digests/d/pieces/h.mp3"])
    await store.delete(["t/digests/d/pieces/h.mp3"])
    assert await store.get("t/digests/d/pieces/h.mp3") is None


async def test_a_bucket_says_of_what_kind_it_is(weed: Weed) -> None:
    await weed.objects().put("kind.mp3", b"1", KIND)
    async with aiohttp.ClientSession() as session, session.get(f"{weed.endpoint}/audio/a/prefix/kind.mp3") as response:
        assert response.status == 403  # without a signature nobody is let in
    kept = await weed.objects()._store.get_async("kind.mp3")
    assert kept.attributes["Content-Type"] == KIND


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"secret_key": "wrong"}, "SignatureDoesNotMatch"), ({"access_key": "nobody"}, "InvalidAccessKeyId")],
    ids=["secret", "key"],
)
async def test_a_wrong_signature_is_final_and_named(weed: Weed, wrong: dict[str, str], said: str) -> None:
    store = weed.objects(**wrong)
    for doing in (store.put("secret-key", b"1", KIND), store.get("secret-key"), store.delete(["secret-key"])):
        error = await told(doing)
        assert (error.type, error.non_retryable) == ("ProviderRefused", True)
        assert said in error.message


async def test_a_bucket_that_is_not_there_is_named(weed: Weed) -> None:
    error = await told(weed.objects(url="s3://nowhere/x").get("secret-key"))
    assert (error.type, error.non_retryable) == ("ProviderRefused", True)
    assert "no such bucket" in error.message


async def test_a_store_that_goes_away_in_mid_upload_has_no_half_file(weed: Weed) -> None:
    async with cut_after(weed, 1_000_000) as through:
        error = await told(weed.objects(endpoint=through).put("half/secret-key.mp3", LARGE, KIND))
    assert (error.type, error.non_retryable) == ("ProviderDown", False)
    assert await weed.objects().get("half/secret-key.mp3") is None
    await weed.objects().put("half/secret-key.mp3", LARGE, KIND)
    assert await weed.objects().get("half/secret-key.mp3") == LARGE


async def test_a_new_upload_that_breaks_leaves_the_old_one_whole(weed: Weed) -> None:
    await weed.objects().put("old.mp3", LARGE, KIND)
    async with cut_after(weed, 1_000_000) as through:
        await told(weed.objects(endpoint=through).put("old.mp3", LARGE[::-1], KIND))
    assert await weed.objects().get("old.mp3") == LARGE


async def test_a_store_that_is_killed_is_down(tmp_path: Path) -> None:
    async with growing(tmp_path) as weed:
        await weed.objects().put("kept.mp3", LARGE, KIND)
        await weed.stop()
        for doing in (weed.objects().put("x", b"1", KIND), weed.objects().get("kept.mp3")):
            error = await told(doing)
            assert (error.type, error.non_retryable) == ("ProviderDown", False)


@asynccontextmanager
async def cut_after(weed: Weed, size: int) -> AsyncIterator[str]:
    """A way to the store on which the line is cut after so many bytes."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", weed.ports[0])
        left = size
        while left > 0 and (data := await reader.read(min(left, 65_536))):
            back.write(data)
            await back.drain()
            left -= len(data)
        for one in (back, writer):
            one.transport.abort()
        del there

    server = await asyncio.start_server(carry, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


FILLING = """
import asyncio, resource, sys
from activities.providers.objects import ObjectStore
from temporalio.exceptions import ApplicationError
async def main():
    store = ObjectStore.at(sys.argv[1])
    await store.put("old.mp3", b"old", "audio/mpeg")
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
    for key in ("new.mp3", "old.mp3"):
        try:
            await store.put(key, bytes(5_000_000), "audio/mpeg")
        except ApplicationError as error:
            print(error.type, error.non_retryable)
asyncio.run(main())
"""


async def test_a_full_disk_leaves_no_half_file(tmp_path: Path) -> None:
    filling = [sys.executable, "-c", FILLING, f"file://{tmp_path}"]
    done = await asyncio.to_thread(subprocess.run, filling, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["ProviderDown False"] * 2
    store = ObjectStore.at(f"file://{tmp_path}")
    assert (await store.get("new.mp3"), await store.get("old.mp3")) == (None, b"old")


async def test_a_folder_that_may_not_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a file where a folder is to be")
    error = await told(ObjectStore.at(f"file://{tmp_path}").put("a/secret-key.mp3", b"1", KIND))
    assert error.type in {"ProviderDown", "ProviderRefused"}


@pytest.mark.parametrize(
    "url", ["", "http://x/y", "s3://", "s3:///x", "file://host/x", "file:///", "/folder", "gs://x", "s3"], ids=str
)
def test_an_address_that_is_none_is_an_error_at_the_start(url: str) -> None:
    with pytest.raises(ValueError, match="object store is at"):
        ObjectStore.at(url)


def _said(code: str) -> str:
    return f"Server returned: <Error><Code>{code}</Code><Message>secret-key</Message></Error>"


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (PermissionDeniedError(_said("AccessDenied")), "ProviderRefused", "AccessDenied"),
        (PermissionDeniedError("secret-key"), "ProviderRefused", "PermissionDeniedError"),
        (PermissionDeniedError(_said("RequestTimeTooSkewed")), "ProviderDown", "PermissionDenied"),
        (PermissionError("secret-key"), "ProviderRefused", "PermissionError"),
        (GenericError(_said("SlowDown")), "ProviderDown", "GenericError"),
        (GenericError(_said("InternalError")), "ProviderDown", "GenericError"),
        (FileNotFoundError(_said("NoSuchBucket")), "ProviderRefused", "bucket"),
        (OSError("secret-key"), "ProviderDown", "OSError"),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, Exception) else one,
)
def test_what_a_store_says_is_a_decision(error: Exception, kind: str, said: str) -> None:
    decision = objects._decided(error)
    assert (decision.type, decision.non_retryable) == (kind, kind == "ProviderRefused")
    assert said in decision.message and "secret-key" not in decision.message
