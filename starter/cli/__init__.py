"""Come here for the command line: `greenroom`, one module for each group of commands."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Coroutine
from typing import Any, NoReturn, TypeVar

from starter.words import SaidError

T = TypeVar("T")

INTERRUPTED = 130


def main() -> None:
    """Run a command. Whatever a person must be told is one sentence on stderr, with the exit code that goes with it."""
    try:
        code = _run()
    except SaidError as error:
        sys.stderr.write(f"greenroom: {error}\n")
        code = error.exit_code
    except (KeyboardInterrupt, asyncio.CancelledError):
        code = INTERRUPTED
    except BrokenPipeError:
        os._exit(0)
    if code == INTERRUPTED:
        _leave_at_once()
    sys.exit(code)


def _leave_at_once() -> NoReturn:
    """A request that was broken off leaves the Temporal client's threads on their way into Python: the interpreter's
    own end would sometimes wait for them for ever."""
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(INTERRUPTED)


def _run() -> int:
    """The command line itself; what libraries raise for a person's mistake or an absent server becomes ours."""
    from starter.cli import translation  # noqa: PLC0415 - so that Ctrl-C is understood while libraries load
    from starter.cli.app import app  # noqa: PLC0415 - likewise

    with translation.translated():
        return app(prog_name="greenroom", standalone_mode=False) or 0


def do(work: Coroutine[Any, Any, T]) -> T:
    """Run what a command does."""
    return asyncio.run(work)
