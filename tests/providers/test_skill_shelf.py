"""Skills lie in a folder, or in a bucket of somebody else's server: the same are found in both, with the same versions."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.providers.made import OUR_SKILLS, skill_shelf
from activities.providers.objects import ObjectStore
from activities.providers.skill_shelf import READ_AT_ONCE, BucketShelf, FolderShelf
from activities.skills.folders import UnfitSkillError, parse
from schemas.settings import Settings
from tests.providers.weed import ACCESS, BUCKET, SECRET, Weed, growing
from tests.skills.carried import skill_md

Shelf = FolderShelf | BucketShelf
Put = Callable[[str, bytes], Awaitable[None]]


@pytest.fixture(scope="module")
async def weed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Weed]:
    async with growing(tmp_path_factory.mktemp("weed")) as running:
        yield running


@pytest.fixture(params=["folder", "bucket"])
def shelf(request: pytest.FixtureRequest, weed: Weed, tmp_path: Path) -> Shelf:
    if request.param == "folder":
        return FolderShelf(tmp_path)
    return BucketShelf(weed.objects(url=f"s3://{BUCKET}/{tmp_path.name}"))


@pytest.fixture
def put(shelf: Shelf, weed: Weed, tmp_path: Path) -> Put:
    async def into(key: str, data: bytes) -> None:
        if isinstance(shelf, FolderShelf):
            (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / key).write_bytes(data)
        else:
            await weed.objects(url=f"s3://{BUCKET}/{tmp_path.name}").put(key, data, "text/plain")

    return into


async def test_what_lies_there_is_found_with_all_its_files(shelf: Shelf, put: Put) -> None:
    files = {"SKILL.md": skill_md(), "notes/a.md": b"a", "b.bin": b"\xff\x00"}
    for path, data in files.items():
        await put(f"drill/{path}", data)
    await put("drill/.git/config", b"x")
    await put("drill-2/SKILL.md", skill_md("drill-2"))
    await put("readme.md", b"x")
    assert await shelf.names() == ("drill", "drill-2")
    found = await shelf.folder("drill")
    assert found is not None
    assert found.files == {"notes/a.md": b"a", "b.bin": b"\xff\x00"}
    assert found.skill == parse("drill", files).skill


class Counting(ObjectStore):
    """Counts what is read, and how much of it at once."""

    def count(self) -> "Counting":
        self.reads, self.now, self.most = 0, 0, 0
        return self

    async def get(self, key: str) -> bytes | None:
        self.reads, self.now = self.reads + 1, self.now + 1
        self.most = max(self.most, self.now)
        try:
            return await super().get(key)
        finally:
            self.now -= 1


async def test_what_was_read_from_a_bucket_is_read_again_when_it_has_changed(weed: Weed, tmp_path: Path) -> None:
    put = weed.objects(url=f"s3://{BUCKET}/{tmp_path.name}").put
    store = Counting(weed.objects(url=f"s3://{BUCKET}/{tmp_path.name}")._store).count()
    shelf = BucketShelf(store)
    await put("drill/SKILL.md", skill_md(), "text/plain")
    for number in range(20):
        await put(f"drill/{number}.md", b"a", "text/plain")
    first = await shelf.folder("drill")
    assert first is not None and len(first.files) == 20
    assert (store.reads, 1 < store.most <= READ_AT_ONCE) == (21, True)
    assert await shelf.folder("drill") == first
    assert store.reads == 21, "one listing"
    await put("drill/7.md", b"b", "text/plain")
    other = await shelf.folder("drill")
    assert other is not None and other.files["7.md"] == b"b", "of the same size"
    assert other.skill.version != first.skill.version
    await weed.objects(url=f"s3://{BUCKET}/{tmp_path.name}").delete(["drill/8.md"])
    third = await shelf.folder("drill")
    assert third is not None and "8.md" not in third.files
    await weed.objects(url=f"s3://{BUCKET}/{tmp_path.name}").delete(["drill/SKILL.md"])
    assert await shelf.folder("drill") is None


@pytest.mark.parametrize("name", ["nobody", "", "..", "../drill", "Drill", "drill/", "a" * 300, "dr\0ill"])
async def test_no_such_skill_is_nothing(shelf: Shelf, put: Put, name: str) -> None:
    await put("drill/SKILL.md", skill_md())
    assert await shelf.folder(name) is None


async def test_a_folder_that_is_no_skill_says_why(shelf: Shelf, put: Put) -> None:
    await put("drill/SKILL.md", b"# Drill")
    with pytest.raises(UnfitSkillError, match="front matter"):
        await shelf.folder("drill")


async def test_a_folder_of_too_much_is_refused(shelf: Shelf, put: Put) -> None:
    await put("drill/SKILL.md", skill_md())
    for number in range(6):
        await put(f"drill/{number}", b"x" * 1024 * 1024)
    with pytest.raises(UnfitSkillError, match="5 MiB"):
        await shelf.folder("drill")


async def test_a_bucket_that_is_not_there_or_lets_nobody_in_is_named(weed: Weed) -> None:
    for store in (weed.objects(url="s3://nowhere/x"), weed.objects(secret_key="wrong")):
        with pytest.raises(ApplicationError) as names:
            await BucketShelf(store).names()
        with pytest.raises(ApplicationError) as folder:
            await BucketShelf(store).folder("drill")
        for raised in (names, folder):
            assert raised.value.type == "ProviderRefused"
            assert "drill" not in str(raised.value) and SECRET not in str(raised.value)


async def test_a_bucket_that_is_away_is_down() -> None:
    store = ObjectStore.at("s3://x", endpoint="http://127.0.0.1:1", region="r", access_key="a", secret_key="s")
    with pytest.raises(ApplicationError) as raised:
        await BucketShelf(store).names()
    assert raised.value.type == "ProviderDown"


async def test_a_folder_that_is_not_there_is_down(tmp_path: Path) -> None:
    shelf = FolderShelf(tmp_path / "nowhere")
    with pytest.raises(ApplicationError) as raised:
        await shelf.names()
    assert raised.value.type == "ProviderDown" and not raised.value.non_retryable
    assert await shelf.folder("drill") is None


async def test_a_skill_that_its_owner_linked_to_is_found(tmp_path: Path) -> None:
    (tmp_path / "elsewhere/drill").mkdir(parents=True)
    (tmp_path / "elsewhere/drill/SKILL.md").write_bytes(skill_md())
    (tmp_path / "skills").mkdir()
    (tmp_path / "skills/drill").symlink_to(tmp_path / "elsewhere/drill")
    shelf = FolderShelf(tmp_path / "skills")
    assert await shelf.names() == ("drill",)
    assert await shelf.folder("drill") is not None


def made(url: str, **changes: Any) -> Shelf:
    values: dict[str, Any] = {"database_url": "postgresql://x", "skills_url": url, **changes}
    return skill_shelf(Settings(**values, _env_file=None))


async def test_without_a_setting_ours_are_there() -> None:
    shelf = made("")
    assert set(await shelf.names()) >= {"account-plan", "follow-up", "objection-drill"}
    assert isinstance(shelf, FolderShelf) and shelf.root == OUR_SKILLS


async def test_a_setting_says_where(weed: Weed, tmp_path: Path) -> None:
    (tmp_path / "a b/drill").mkdir(parents=True)
    (tmp_path / "a b/drill/SKILL.md").write_bytes(skill_md())
    for url in (str(tmp_path / "a b"), f"file://{tmp_path}/a%20b"):
        assert await made(url).names() == ("drill",)
    await weed.objects(url=f"s3://{BUCKET}/set").put("drill/SKILL.md", skill_md(), "text/plain")
    access = {"objects_endpoint": weed.endpoint, "objects_region": "us-east-1"}
    keys = {"objects_access_key": ACCESS, "objects_secret_key": SECRET}
    assert await made(f"s3://{BUCKET}/set", **access, **keys).names() == ("drill",)
    for nowhere in ("https://skills.example/x", "file://elsewhere/x"):
        with pytest.raises(ValueError, match="skills are in a folder"):
            made(nowhere)
