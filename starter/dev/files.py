"""What the stack leaves in its folder: who runs it, how to reach it, and keys of our own."""

import fcntl
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from dotenv import dotenv_values

from activities import coding, sealing
from starter.words import NotReadyError

OWN_KEYS = ("GREENROOM_LINK_KEY", "GREENROOM_HASH_KEY", "GREENROOM_SESSION_KEY")
SEALING_KEYS = (sealing.TOKEN_KEYS, coding.PAYLOAD_KEYS)


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """One stack in a folder at a time."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "stack.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            owner = lock.read().strip() or "unknown"
            raise NotReadyError(
                f"A stack is already running here, as process {owner}", f"use it, or stop it with: kill {owner}"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def write(path: Path, environment: Mapping[str, str]) -> None:
    """An environment file that only we may read, whole or not at all."""
    text = "".join(f"{key}='{value}'\n" for key, value in environment.items())
    new = path.with_suffix(".new")
    new.touch(mode=0o600)
    new.write_text(text)
    new.rename(path)


def own_keys(path: Path) -> dict[str, str]:
    """The keys of our own: each made once, kept for as long as the database is."""
    kept = {key: value for key, value in dotenv_values(path).items() if value} if path.exists() else {}
    made = {name: secrets.token_hex(32) for name in OWN_KEYS} | {name: sealing.new_key() for name in SEALING_KEYS}
    keys = made | kept
    if keys != kept:
        write(path, keys)
    return keys
