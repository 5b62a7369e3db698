"""Bring a database to the newest schema: dbmate over plain SQL files, as the owner role."""

import subprocess
import sysconfig
from pathlib import Path

from activities import store
from starter.words import FailedError, NotReadyError

MIGRATIONS = Path(store.__file__).parent / "migrations"


def migrate(owner_url: str) -> str:
    """Apply what is missing; dbmate's own words about it."""
    if not owner_url:
        raise NotReadyError("DATABASE_OWNER_URL is not set", "set it to the URL of the role that owns the schema")
    done = _dbmate(owner_url, "--wait", "migrate")
    if done.returncode:
        raise FailedError(f"The migrations failed: {(done.stderr or done.stdout).strip().splitlines()[-1]}")
    return done.stdout.strip()


def pending(owner_url: str) -> list[str]:
    """The migrations not yet applied."""
    lines = _dbmate(owner_url, "status").stdout.splitlines()
    return [line.removeprefix("[ ] ") for line in lines if line.startswith("[ ] ")]


def _dbmate(url: str, *words: str) -> subprocess.CompletedProcess[str]:
    program = Path(sysconfig.get_path("scripts")) / "dbmate"
    return subprocess.run(  # noqa: S603 - our own program and words
        [program, "--migrations-dir", MIGRATIONS, "--no-dump-schema", *words],
        env={"DATABASE_URL": _for_dbmate(url)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def _for_dbmate(url: str) -> str:
    """dbmate calls a socket's folder `socket` where libpq and asyncpg say `host`, and wants to be told of no TLS."""
    if "?host=/" not in url:
        return url
    return url.replace("?host=/", "?socket=/") + "&sslmode=disable"
