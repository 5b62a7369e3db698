"""Where skills lie: a folder of this machine that holds a folder for each, or a bucket with the same below its prefix."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

from temporalio.exceptions import ApplicationError

from activities import errors
from activities.providers.objects import Mark, ObjectStore
from activities.skills import folders
from activities.skills.folders import MAIN, MOST_BYTES, MOST_FILES, NAME, UnfitSkillError
from activities.skills.ports import Folder

SHELF = "the folder of skills"
READ_AT_ONCE = 8
# Of at most MOST_BYTES each.
MOST_REMEMBERED = 20


class FolderShelf:
    """A Shelf. What is put there is a skill at once."""

    def __init__(self, root: Path) -> None:
        self.root = root

    async def names(self) -> tuple[str, ...]:
        return await asyncio.to_thread(self._names)

    async def folder(self, name: str) -> Folder | None:
        return await asyncio.to_thread(self._folder, name)

    def _names(self) -> tuple[str, ...]:
        try:
            return tuple(sorted(one.name for one in self.root.iterdir() if self._is_skill(one.name)))
        except OSError as error:
            raise errors.unreachable(SHELF, error) from None

    def _folder(self, name: str) -> Folder | None:
        return folders.read(self.root / name) if self._is_skill(name) else None

    def _is_skill(self, name: str) -> bool:
        try:
            return NAME.fullmatch(name) is not None and (self.root / name / MAIN).is_file()
        except OSError as error:
            raise errors.unreachable(SHELF, error) from None


class BucketShelf:
    """A Shelf. A skill that is being put there may be seen half done: its version says which it was.

    What was read is remembered as long as its listing says the same: then asking again is that listing alone.
    """

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._read = dict[str, tuple[dict[str, Mark], Folder]]()
        self._few = asyncio.Semaphore(READ_AT_ONCE)

    async def names(self) -> tuple[str, ...]:
        found = await self._store.folders()
        return tuple(sorted(name for name in found if NAME.fullmatch(name)))

    async def folder(self, name: str) -> Folder | None:
        if not NAME.fullmatch(name):
            return None
        listed = await self._store.listed(f"{name}/", MOST_FILES + 1)
        marks = {key.removeprefix(f"{name}/"): mark for key, mark in listed.items() if not _hidden(key)}
        if MAIN not in marks:
            self._read.pop(name, None)
            return None
        if len(marks) > MOST_FILES or sum(mark.size for mark in marks.values()) > MOST_BYTES:
            raise UnfitSkillError(
                f"It has more than {MOST_FILES} files, or more than {MOST_BYTES // 1024 // 1024} MiB."
            )
        if (there := self._read.get(name)) and there[0] == marks:
            return there[1]
        files = dict(zip(marks, await self._all(name, marks), strict=True))
        found = folders.parse(name, {path: data for path, data in files.items() if data is not None})
        self._remember(name, marks, found)
        return found

    async def _all(self, name: str, paths: Iterable[str]) -> list[bytes | None]:
        """Of one that fails the others are not waited for."""
        try:
            async with asyncio.TaskGroup() as group:
                reading = [group.create_task(self._file(f"{name}/{path}")) for path in paths]
        except* ApplicationError as failed:
            raise _first(failed) from None
        return [one.result() for one in reading]

    async def _file(self, key: str) -> bytes | None:
        async with self._few:
            return await self._store.get(key)

    def _remember(self, name: str, marks: dict[str, Mark], found: Folder) -> None:
        """Those that were read last. What changes while it is read is listed otherwise the next time."""
        self._read.pop(name, None)
        self._read[name] = (marks, found)
        while len(self._read) > MOST_REMEMBERED:
            del self._read[next(iter(self._read))]


def _first(failed: BaseExceptionGroup[ApplicationError]) -> BaseException:
    """Of many that failed for one reason."""
    one = failed.exceptions[0]
    return _first(one) if isinstance(one, BaseExceptionGroup) else one


def _hidden(key: str) -> bool:
    return any(folders.hidden(part) for part in key.split("/"))
