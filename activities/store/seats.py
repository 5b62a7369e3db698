"""One row for each seat that somebody has at a provider. They belong to no tenant."""

from datetime import timedelta

from activities.store.database import Connection, Database, patient


class SeatStore:
    """By Postgres's own clock, as paces are: the one that all workers share, and what is counted is the real world."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @patient
    async def take(self, provider: str, holder: str, most: int, kept_for: timedelta) -> bool:
        """Whether there was one to be had. Safe to run twice: a holder has one seat."""
        async with self._database.untenanted() as connection:
            await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('seats/' || $1, 0))", provider)
            await connection.execute(
                "DELETE FROM seats WHERE provider = $1 AND until < clock_timestamp() AND holder <> $2", provider, holder
            )
            taken = await connection.fetchval(
                """
                INSERT INTO seats (provider, holder, until)
                SELECT $1, $2, clock_timestamp() + $4
                WHERE (SELECT count(*) FROM seats WHERE provider = $1 AND holder <> $2) < $3
                ON CONFLICT (provider, holder) DO UPDATE SET until = excluded.until RETURNING true
                """,
                provider,
                holder,
                most,
                kept_for,
            )
            return bool(taken)

    @patient
    async def keep(self, provider: str, holder: str, kept_for: timedelta) -> None:
        """For so long from now. One that somebody thought left is had again: the call is under way all the same."""
        async with self._database.untenanted() as connection:
            await _seated(connection, provider, holder, kept_for)

    @patient
    async def leave(self, provider: str, holder: str) -> None:
        """Safe to run twice."""
        async with self._database.untenanted() as connection:
            await connection.execute("DELETE FROM seats WHERE provider = $1 AND holder = $2", provider, holder)


async def _seated(connection: Connection, provider: str, holder: str, kept_for: timedelta) -> None:
    await connection.execute(
        """
        INSERT INTO seats (provider, holder, until) VALUES ($1, $2, clock_timestamp() + $3)
        ON CONFLICT (provider, holder) DO UPDATE SET until = excluded.until
        """,
        provider,
        holder,
        kept_for,
    )
