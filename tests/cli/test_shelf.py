"""greenroom doctor looks whether audio can be kept, and leaves nothing behind."""

from pathlib import Path
from typing import Any

import pytest

from schemas.settings import Settings
from starter import shelf


async def looked(**values: Any) -> shelf.Check:
    (found,) = [one async for one in shelf.everything(Settings(**values, _env_file=None))]  # type: ignore[call-arg]
    return found


async def test_a_folder_that_keeps_what_is_put_there_is_well_and_stays_empty(tmp_path: Path) -> None:
    found = await looked(objects_url=f"file://{tmp_path}/objects")
    assert (found.ok, found.said) == (True, "keeps what is put there")
    assert [one for one in (tmp_path / "objects").rglob("*") if one.is_file()] == []


async def test_without_a_store_digests_stay_in_writing(folder: Path) -> None:
    found = await looked()
    assert (found.ok, found.warning) == (True, True)
    assert "in writing" in found.said and "GREENROOM_OBJECTS_URL" in found.remedy


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"objects_url": "ftp://x"}, "file:///folder or s3://bucket/prefix"),
        ({"objects_url": "file:///proc/nowhere"}, "its folder cannot be made"),
        (
            {"objects_url": "s3://b/p", "objects_endpoint": "http://127.0.0.1:9", "objects_secret_key": "hush"},
            "did not answer",
        ),
    ],
    ids=["address", "folder", "nobody"],
)
async def test_a_store_that_does_not_work_is_told(values: dict[str, str], said: str) -> None:
    found = await looked(**values)
    assert (found.ok, said in found.said) == (False, True), found.said
    assert found.remedy and "hush" not in found.said
