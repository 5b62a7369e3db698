"""One row for each provider: when it was called last."""

from activities.store.database import Database, patient
from schemas.providers import Pace

# Two reservations may be kept a little late and a little early: this much is added to the gap and the window, so that
# what the provider sees holds too.
SLACK_S = 0.15


class PaceStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    @patient
    async def reserve(self, provider: str, pace: Pace) -> float:
        """Seconds until the start that is now ours. A reservation that is not used is only lost time.

        Postgres's own clock, against the rule of the house: it is the one clock that all workers share, and what is
        paced is the real world, which no test can skip.
        """
        async with self._database.untenanted() as connection:
            wait: float = await connection.fetchval(
                """
                INSERT INTO paces AS p (provider, starts) VALUES ($1, ARRAY[clock_timestamp()])
                ON CONFLICT (provider) DO UPDATE SET starts = (
                  p.starts || greatest(
                    clock_timestamp(),
                    p.starts[cardinality(p.starts)] + make_interval(secs => $2),
                    p.starts[cardinality(p.starts) - $3::int + 1] + make_interval(secs => $4)
                  )
                )[greatest(cardinality(p.starts) + 2 - $3::int, 1):]
                RETURNING extract(epoch FROM starts[cardinality(starts)] - clock_timestamp())::float
                """,
                provider,
                pace.gap_s + SLACK_S if pace.gap_s else 0.0,
                pace.per_window,
                pace.window_s + SLACK_S,
            )
        return max(wait, 0.0)

    @patient
    async def away(self, provider: str, pace: Pace) -> float:
        """Seconds until the start that a reservation would get now. Only reads; by the same clock as above."""
        async with self._database.untenanted() as connection:
            wait: float | None = await connection.fetchval(
                """
                SELECT extract(epoch FROM greatest(
                  starts[cardinality(starts)] + make_interval(secs => $2),
                  starts[cardinality(starts) - $3::int + 1] + make_interval(secs => $4)
                ) - clock_timestamp())::float FROM paces WHERE provider = $1
                """,
                provider,
                pace.gap_s + SLACK_S if pace.gap_s else 0.0,
                pace.per_window,
                pace.window_s + SLACK_S,
            )
        return max(wait or 0.0, 0.0)
