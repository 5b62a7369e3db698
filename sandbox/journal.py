"""Who called, when, with what, and how it ended. Only ever added to."""

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

KEPT = 20_000
ORDER = (
    *("n", "provider", "path", "started", "ended", "status", "fault"),
    *("asked", "about", "request", "answer_bytes"),
)


@dataclass
class Entry:
    """One call. It has no number and no end while it is under way."""

    provider: str
    path: str
    asked: str
    about: str | None
    request: object
    n: int | None = None
    started: float = field(default_factory=time.time)
    ended: float | None = None
    status: int | None = None
    fault: str | None = None
    answer_bytes: int = 0

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ORDER}


class Journal:
    """Numbered in the order in which calls ended, one JSON line each. Safe across threads."""

    def __init__(self, path: Path | None = None) -> None:
        self._records: list[dict[str, Any]] = []
        self._running: list[Entry] = []
        self._lock = threading.Lock()
        self._file = path.open("a+", encoding="utf-8") if path else None
        self._number = self._lines_already_there()

    @contextmanager
    def call(self, provider: str, path: str, body: bytes, about: str | None, request: object = None) -> Iterator[Entry]:
        """Follow one call. However it ends, it gets its record."""
        kept = _trimmed(body) if request is None else request
        entry = Entry(provider, path, hashlib.sha256(body).hexdigest(), about, kept)
        with self._lock:
            self._running.append(entry)
        try:
            yield entry
        finally:
            self._finish(entry)

    def records(self, since: int = 0, provider: str | None = None) -> list[dict[str, Any]]:
        with self._lock:
            return [r for r in self._records if r["n"] > since and provider in {None, r["provider"]}]

    def running(self, provider: str | None = None) -> list[dict[str, Any]]:
        with self._lock:
            return [entry.as_dict() for entry in self._running if provider in {None, entry.provider}]

    def close(self) -> None:
        if self._file:
            self._file.close()

    def _finish(self, entry: Entry) -> None:
        with self._lock:
            self._number += 1
            entry.n, entry.ended = self._number, time.time()
            self._running = [other for other in self._running if other is not entry]
            record = entry.as_dict()
            self._records.append(record)
            if self._file and not self._file.closed:
                self._file.write(json.dumps(record) + "\n")
                self._file.flush()

    def _lines_already_there(self) -> int:
        if not self._file:
            return 0
        self._file.seek(0)
        return sum(1 for _ in self._file)


def _trimmed(body: bytes) -> object:
    """The body as JSON if it is short, and as much of its text as fits otherwise."""
    text = body.decode(errors="replace")
    if len(text) > KEPT:
        return text[:KEPT]
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return text
