"""Who is spoken to: every address that this process connects to or looks up, seen by the interpreter itself."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Spoken:
    """Addresses of connections, and names that were looked up."""

    connected: set[object] = field(default_factory=set)
    looked_up: set[str] = field(default_factory=set)

    def hear(self, event: str, args: tuple[object, ...]) -> None:
        if event == "socket.connect":
            address = args[1]
            self.connected.add(address[:2] if isinstance(address, tuple) else address)
        elif event in {"socket.getaddrinfo", "socket.gethostbyname"} and args[0] is not None:
            self.looked_up.add(args[0].decode() if isinstance(args[0], bytes) else str(args[0]))


_listening: list[Spoken] = []


def _hook(event: str, args: tuple[object, ...]) -> None:
    if event.startswith("socket."):
        for spoken in _listening:
            spoken.hear(event, args)


# A hook cannot be taken out again; with nobody listening it does nothing.
sys.addaudithook(_hook)


@contextmanager
def overheard() -> Iterator[Spoken]:
    """Everything that is connected to inside the block, on whatever thread."""
    spoken = Spoken()
    _listening.append(spoken)
    try:
        yield spoken
    finally:
        _listening.remove(spoken)
