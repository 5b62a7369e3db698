"""`python -m sandbox`: the pretended world on loopback until SIGTERM or Ctrl-C."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path
from typing import TextIO

from sandbox.control import BadInputError, seconds
from sandbox.server import running

NOT_READY = 4


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="Pretended providers on loopback.")
    parser.add_argument("--port", type=_port, default=8900, help="HTTP port (0: any free one)")
    parser.add_argument("--smtp-port", type=_port, default=8925, help="SMTP port (0: any free one)")
    parser.add_argument("--journal", type=Path, metavar="FILE", help="append one JSON line for each call")
    parser.add_argument("--state", type=Path, metavar="FILE", help="keep calendars, grants and channels in it")
    parser.add_argument(
        "--delay",
        type=_delay,
        action="append",
        default=[],
        metavar="PROVIDER=SECONDS",
        help="answer later, for example perplexity=3",
    )
    return parser.parse_args()


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) not in range(65536):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; write a number from 0 to 65535")
    return int(text)


def _delay(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    if name not in {"perplexity", "anthropic", "gemini", "google", "mail", "gong"}:
        raise argparse.ArgumentTypeError(f"{name!r} is not a provider; write for example perplexity=3")
    try:
        return name, seconds(float(value), name)
    except (ValueError, BadInputError):
        raise argparse.ArgumentTypeError(f"{value!r} is not a number of seconds; write for example {name}=3") from None


def say(sentence: str, stream: TextIO = sys.stdout) -> None:
    stream.write(f"{sentence}\n")
    stream.flush()


async def serve(options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    places = {"port": options.port, "smtp_port": options.smtp_port}
    places |= {"journal_path": options.journal, "state_path": options.state}
    async with running(**places, delays=dict(options.delay)) as sandbox:
        say(f"Sandbox at {sandbox.url}, mail at 127.0.0.1:{sandbox.smtp_port}; it is all fictional.")
        await stop.wait()


def main() -> int:
    try:
        asyncio.run(serve(arguments()))
    except OSError as error:
        say(f"The sandbox could not start: {error}. Choose other ports or files.", sys.stderr)
        return NOT_READY
    return 0


if __name__ == "__main__":
    sys.exit(main())
