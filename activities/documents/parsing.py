"""Files are read and written in a process of their own: what a file does to it, it does to that process alone.

file ─▶ (a process: so much memory, so much time, no secrets) ─▶ text or DOCX, or one sentence why not
"""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import structlog

from activities import errors
from activities.documents.ports import Edit, Parsed, UnreadableFileError
from activities.liveness import surely
from schemas.documents import LARGEST_FILE, LONGEST_TEXT, FileKind

log = structlog.get_logger("documents")

# The bounds come before anything else that is imported. A file is written nowhere, and no memory is left on a disk.
_BOUNDED = """
import resource, runpy, sys
for name, most in zip(("RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_CORE"), map(int, sys.argv[1:5])):
    try:
        resource.setrlimit(getattr(resource, name), (most, most + (name == "RLIMIT_CPU")))
    except (ValueError, OSError):
        if sys.platform == "linux":
            raise
runpy.run_module("activities.documents.formats", run_name="__main__")
"""
# What comes out is no longer than this: a text, each letter escaped, or a file with its changes.
_MOST_OUT = max(8 * LONGEST_TEXT, 4 * LARGEST_FILE)
# Of the time that there is, so much may be spent working. Then it is the file; waiting for a machine is not.
_WORKING = 0.75

_TOO_SLOW = "The file takes too long to read; send it in parts, or as text."
_DAMAGED = "The file is damaged, or too large to be read; save it again, or send it in parts."


class Subprocess:
    """The Parser of production: so many processes at once, each with so much memory and time."""

    def __init__(self, *, memory_mb: int, timeout: timedelta, at_once: int = 2) -> None:
        self._memory = memory_mb * 1024**2
        self._timeout = timeout
        self._turns = asyncio.Semaphore(at_once)

    async def parse(self, data: bytes, kind: FileKind) -> Parsed:
        said, _ = await self._ask({"kind": kind}, data)
        return Parsed(said["text"], pages=said["pages"], tracked=said["tracked"])

    async def redline(self, data: bytes, kind: FileKind, text: str, edits: Sequence[Edit], at: str) -> bytes:
        asked = {"kind": kind, "text": text, "edits": [asdict(edit) for edit in edits], "at": at}
        _, made = await self._ask(asked, data if kind is FileKind.DOCX else b"")
        return made

    async def _ask(self, asked: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        async with self._turns:
            process = await self._begin()
            try:
                async with asyncio.timeout(self._timeout.total_seconds()):
                    answer = await _talk(process, json.dumps(asked).encode() + b"\n" + data)
            except TimeoutError:
                seconds = self._timeout.total_seconds()
                raise errors.unfinished(f"the file was not read within {seconds:g} s") from None
            finally:
                await surely(_end(process))
        return _understood(answer, process.returncode)

    async def _begin(self) -> Process:
        working = max(int(self._timeout.total_seconds() * _WORKING), 1)
        bounds = (self._memory, working, 0, 0)
        # Nothing of our environment: there are secrets in it.
        path = ":".join(filter(None, sys.path))
        try:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-B", "-c", _BOUNDED, *map(str, bounds)),
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                cwd="/",
                env={"PYTHONPATH": path, "PYTHONUTF8": "1", "MALLOC_ARENA_MAX": "1"},
            )
        except OSError as error:
            raise errors.unfinished(f"no process could be started ({type(error).__name__})") from None


async def _talk(process: Process, question: bytes) -> bytes:
    assert process.stdin is not None
    assert process.stdout is not None
    # It may end before it has heard all: then it has said why.
    with suppress(ConnectionError):
        process.stdin.write(question)
        await process.stdin.drain()
    process.stdin.close()
    answer = bytearray()
    while some := await process.stdout.read(1 << 20):
        answer += some
        if len(answer) > _MOST_OUT:
            raise UnreadableFileError(_DAMAGED)
    await process.wait()
    return bytes(answer)


async def _end(process: Process) -> None:
    """It is gone, and so are its pipes."""
    with suppress(ProcessLookupError):
        process.kill()
    await process.wait()
    assert process.stdin is not None
    process.stdin.close()
    with suppress(ConnectionError):
        await process.stdin.wait_closed()


def _understood(answer: bytes, code: int | None) -> tuple[dict[str, Any], bytes]:
    if code == -signal.SIGXCPU:
        raise UnreadableFileError(_TOO_SLOW)
    if code == -signal.SIGKILL:
        # Nobody but the machine does that: it had no memory left for all that it runs.
        raise errors.unfinished("the process that read the file was ended")
    head, _, made = answer.partition(b"\n")
    try:
        said = json.loads(head)
    except ValueError:
        log.warning("a file ended the process that read it", code=code)
        raise UnreadableFileError(_DAMAGED) from None
    if sentence := said.get("sentence"):
        if "error" in said:
            log.warning("a file could not be read", error=said["error"])
        raise UnreadableFileError(sentence)
    return said, made
