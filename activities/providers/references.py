"""Where references lie: the files of a folder of this machine, or of a bucket below its prefix, whatever folders they are
in. A file's path is its name."""

import asyncio
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path, PurePosixPath

from activities import errors
from activities.documents.ports import Source, UnreadableFileError
from activities.providers.objects import ObjectStore
from schemas.bootstraps import MOST_SOURCES
from schemas.documents import LARGEST_FILE

LIBRARY = "the library of references"


class FolderReferences:
    """A References. What is hidden, and what leads out of the folder, is not in it."""

    def __init__(self, root: Path, *, sandbox: bool = False) -> None:
        self.root = root
        self.sandbox = sandbox

    async def names(self) -> tuple[str, ...]:
        return await asyncio.to_thread(self._names)

    async def source(self, name: str) -> Source | None:
        return await asyncio.to_thread(self._source, name)

    def _names(self) -> tuple[str, ...]:
        if not self.root.is_dir():
            raise errors.impossible(LIBRARY, "there is no such folder")
        return tuple(sorted(islice(self._files(), MOST_SOURCES + 1)))

    def _files(self) -> Iterator[str]:
        for folder, folders, files in os.walk(self.root, onerror=_unreadable):
            folders[:] = sorted(one for one in folders if not one.startswith("."))
            for file in files:
                name = (Path(folder) / file).relative_to(self.root).as_posix()
                if _fit(name) and self._is_ours(name):
                    yield name

    def _source(self, name: str) -> Source | None:
        if not _fit(name):
            return None
        try:
            if not self._is_ours(name):
                return None
            path = self.root / name
            _bounded(path.stat().st_size)
            return Source(name, path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise errors.unreachable(LIBRARY, error) from None

    def _is_ours(self, name: str) -> bool:
        """A file, and no link to one elsewhere."""
        path = self.root / name
        return path.is_file() and path.resolve().is_relative_to(self.root.resolve())


class BucketReferences:
    """A References."""

    sandbox = False

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def names(self) -> tuple[str, ...]:
        listed = await self._store.listed("", MOST_SOURCES + 1)
        if len(listed) > MOST_SOURCES:
            # Of what was not listed nobody knows whether it is hidden.
            raise errors.impossible(LIBRARY, f"it holds more than {MOST_SOURCES:,} files")
        return tuple(sorted(name for name in listed if _fit(name)))

    async def source(self, name: str) -> Source | None:
        if not _fit(name):
            return None
        size = await self._store.size(name)
        if size is None:
            return None
        _bounded(size)
        data = await self._store.get(name)
        return None if data is None else Source(name, data)


def _fit(name: str) -> bool:
    """A path below the library, of nothing that is hidden."""
    path = PurePosixPath(name)
    return (
        bool(path.parts)
        and path.as_posix() == name
        and not path.is_absolute()
        and "\0" not in name
        and not any(part.startswith(".") for part in path.parts)
    )


def _bounded(size: int) -> None:
    if size > LARGEST_FILE:
        raise UnreadableFileError(f"The file is larger than {LARGEST_FILE // 1024**2} MiB; send it in parts.")


def _unreadable(error: OSError) -> None:
    raise errors.unreachable(LIBRARY, error)
