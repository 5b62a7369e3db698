"""Where references lie: names are paths below the library, and nothing outside of it is ever read."""

from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError

from activities.documents.clauses import split
from activities.documents.formats import plain
from activities.documents.ports import References, UnreadableFileError
from activities.providers import made, references
from activities.providers.objects import ObjectStore
from activities.providers.references import BucketReferences, FolderReferences
from schemas.settings import Settings

OUTSIDE = (
    *(
        "",
        ".",
        "..",
        "../secret.txt",
        "/etc/passwd",
        "law/../../secret.txt",
        "law/./a.txt",
        "law//a.txt",
        "./law/a.txt",
    ),
    *(".hidden/a.txt", "law/.hidden", "link.txt", "links/secret.txt", "law", "law/", "a\0.txt", "none.txt"),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    library = tmp_path / "library"
    for name in ("law/a.txt", "b.txt", ".hidden/a.txt", "law/.hidden"):
        (library / name).parent.mkdir(parents=True, exist_ok=True)
        (library / name).write_text(f"of {name}")
    (tmp_path / "secret.txt").write_text("secret")
    (library / "link.txt").symlink_to(tmp_path / "secret.txt")
    (library / "links").symlink_to(tmp_path)
    return library


@pytest.fixture(params=["folder", "bucket"])
def library(request: pytest.FixtureRequest, folder: Path) -> References:
    if request.param == "folder":
        return FolderReferences(folder)
    # A bucket has no links.
    (folder / "link.txt").unlink()
    (folder / "links").unlink()
    return BucketReferences(ObjectStore.at(folder.as_uri()))


async def test_whatever_lies_in_it_goes_by_its_path(library: References) -> None:
    assert await library.names() == ("b.txt", "law/a.txt")
    source = await library.source("law/a.txt")
    assert source is not None
    assert (source.name, source.data) == ("law/a.txt", b"of law/a.txt")


@pytest.mark.parametrize("name", OUTSIDE, ids=repr)
async def test_nothing_else_is_in_it(library: References, name: str) -> None:
    assert await library.source(name) is None


async def test_a_link_may_lead_to_what_is_in_it(folder: Path) -> None:
    (folder / "c.txt").symlink_to(folder / "b.txt")
    source = await FolderReferences(folder).source("c.txt")
    assert source is not None
    assert source.data == b"of b.txt"


async def test_what_is_too_large_is_not_read(
    library: References, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(references, "LARGEST_FILE", 5)
    with pytest.raises(UnreadableFileError, match="larger than"):
        await library.source("b.txt")


async def test_no_more_are_listed_than_tell_that_there_are_too_many(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(references, "MOST_SOURCES", 3)
    for n in range(9):
        (folder / f"n{n}.txt").write_text("more")
    assert len(await FolderReferences(folder).names()) == 4
    with pytest.raises(ApplicationError, match="more than 3 files"):
        await BucketReferences(ObjectStore.at(folder.as_uri())).names()


async def test_a_folder_that_is_not_there_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(ApplicationError, match="no such folder") as raised:
        await FolderReferences(tmp_path / "none").names()
    assert raised.value.non_retryable


async def test_ours_are_taken_in_the_sandbox_alone() -> None:
    def settings(**changes: object) -> Settings:
        return Settings(**changes, _env_file=None)  # type: ignore[arg-type]

    assert made.references(settings()) is None
    ours = made.references(settings(sandbox=True))
    assert ours is not None and ours.sandbox
    named = made.references(settings(sandbox=True, references_url="/somewhere"))
    assert named is not None and not named.sandbox
    assert isinstance(made.references(settings(references_url="s3://bucket/prefix")), BucketReferences)
    with pytest.raises(ValueError, match="references are in a folder"):
        made.references(settings(references_url="ftp://somewhere"))


async def test_ours_say_that_they_are_invented_and_have_clauses() -> None:
    ours = FolderReferences(made.OUR_REFERENCES)
    names = await ours.names()
    assert names
    for name in names:
        source = await ours.source(name)
        assert source is not None
        text = plain.read(source.data).text
        assert "invented" in text and "sandbox data" in text
        assert len(split(text)) > 5, name
