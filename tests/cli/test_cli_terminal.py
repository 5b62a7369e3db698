"""On a terminal people are asked, asked again when they err, and never when flags have said it all."""

import asyncio
import os
import pty
import signal
import sys
from pathlib import Path

from tests.cli.conftest import environment
from tests.stage import Stage

PATIENCE_S = 20.0


class Terminal:
    """A command with a terminal of its own, and somebody who answers."""

    def __init__(self, process: asyncio.subprocess.Process, screen: int) -> None:
        self._process = process
        self._screen = screen
        self.shown = ""

    @classmethod
    async def run(cls, environment: dict[str, str], *words: str) -> "Terminal":
        ours, theirs = pty.openpty()
        process = await asyncio.create_subprocess_exec(
            *(str(Path(sys.executable).parent / "greenroom"), *words),
            env={**os.environ, **environment, "PYTHONPATH": str(Path(__file__).parents[2]), "TERM": "dumb"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        os.set_blocking(ours, False)
        return cls(process, ours)

    async def until(self, text: str) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while text not in self.shown:
                self._read()
                await asyncio.sleep(0.02)

    async def answer(self, question: str, text: str) -> None:
        """Wait for a question that was not there before, and answer it."""
        self.shown = ""
        await self.until(question)
        os.write(self._screen, f"{text}\n".encode())

    def leave(self) -> None:
        """What Ctrl-C sends."""
        self._process.send_signal(signal.SIGINT)

    async def end(self) -> int:
        async with asyncio.timeout(PATIENCE_S):
            code = await self._process.wait()
        self._read()
        os.close(self._screen)
        return code

    def _read(self) -> None:
        try:
            self.shown += os.read(self._screen, 65_536).decode(errors="replace")
        except OSError:
            # Nothing is there to be read just now, or never again.
            return


async def test_setup_asks_for_what_no_flag_gives(wired: Stage, folder: Path) -> None:
    slug = f"quay-{wired.tenant.id[:8]}"
    terminal = await Terminal.run(environment(wired), "setup", "--name", "Quay", "--time-zone", "UTC")

    await terminal.answer("command line [quay]", slug)
    await terminal.answer("Your e-mail address", "kim")
    await terminal.answer('"kim" is no e-mail address', "kim@quay.example")
    for question, said in (
        ("Your name", "Kim"),
        ("first campaign", "Berths"),
        ("What it is", "Berth planning"),
        ("Who it is for", "Ports"),
        ("What hurts", "Queues"),
    ):
        await terminal.answer(question, said)
    await terminal.until("Next: greenroom research")

    assert await terminal.end() == 0
    assert "Made: Quay" in terminal.shown
    assert "Kim <kim@quay.example>, UTC" in terminal.shown
    assert slug in await wired.tenants.slugs()


async def test_leaving_the_questions_stores_nothing(wired: Stage, folder: Path) -> None:
    before = await wired.tenants.slugs()
    terminal = await Terminal.run(environment(wired), "setup", "--name", f"Left {wired.tenant.slug}")

    await terminal.until("command line")
    terminal.leave()

    assert await terminal.end() == 130
    assert await wired.tenants.slugs() == before
