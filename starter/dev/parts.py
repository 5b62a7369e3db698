"""One part of the stack: a process with a log, ready when it says so, stopped when we stop."""

import asyncio
import contextlib
import ctypes
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from starter.words import FailedError, NotReadyError

READY_WITHIN_S = 60.0
STOPPED_WITHIN_S = 15.0
_PR_SET_PDEATHSIG = 1

Ready = Callable[[], Awaitable[bool]]


@dataclass
class Part:
    """What to run, and how to tell that it serves. The log is `folder`/name.log."""

    name: str
    command: list[str]
    ready: Ready
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    process: asyncio.subprocess.Process | None = None

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    async def start(self) -> None:
        """Start it, and return once it serves; a part that ends before is a failure with its last words."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *self.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self.environment},
                start_new_session=True,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,
            )
        try:
            async with asyncio.timeout(READY_WITHIN_S):
                while not await self._serves():  # noqa: ASYNC110 - another process gets ready
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise FailedError(f"The {self.name} did not get ready within {READY_WITHIN_S:g} s", self._look()) from None

    async def stop(self) -> None:
        """Ask it to end, then end it; parts that never started are done."""
        if self.process is None or self.process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOPPED_WITHIN_S):
                await self.process.wait()
        except TimeoutError:
            self.process.kill()
            await self.process.wait()

    async def _serves(self) -> bool:
        assert self.process is not None, "started above"
        if self.process.returncode is not None:
            raise FailedError(
                f"The {self.name} ended with {self.process.returncode}: {self._last_words()}", self._look()
            )
        return await self.ready()

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1][:300] if lines else "it said nothing"

    def _look(self) -> str:
        return f"its log is {self.log}"


def _end_with_parent() -> None:
    """Linux ends the child when we are killed and can no longer do it ourselves."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def free(ports: dict[str, int]) -> None:
    """Refuse, in one sentence, to start beside somebody else's server."""
    for name, port in ports.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                raise NotReadyError(
                    f"Port {port}, which the {name.replace('_', ' ')} needs, is taken by another program",
                    f"stop that program, or choose another port under `ports: {name}:` in temporal-dev.yaml",
                ) from None


async def listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
