"""Wishes: what a user wants to hear in the morning, and which address of their feed works."""

from activities import errors
from activities.digests import mornings
from activities.store.database import Database, patient
from schemas.base import RowId, TenantId
from schemas.digests import Wishes


class WishStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    @patient
    async def wishes(self, tenant_id: TenantId, user_id: RowId) -> Wishes:
        async with self._database.tenant(tenant_id) as connection:
            row = await connection.fetchrow(
                """
                SELECT digest_sales AS sales, digest_days AS days, digest_quiet AS quiet, digest_audio AS audio,
                  digests_by_mail AS by_mail,
                  ARRAY(SELECT topic FROM interests WHERE user_id = u.id ORDER BY position) AS topics
                FROM users u WHERE id = $1
                """,
                user_id,
            )
            if row is None:
                raise errors.not_found("user")
            return Wishes(**row)

    @patient
    async def wish(self, tenant_id: TenantId, user_id: RowId, wishes: Wishes) -> None:
        """In place of what they wished before. Safe to run twice. An interest that says nothing is none."""
        async with self._database.tenant(tenant_id) as connection:
            there = await connection.fetchval(
                """
                UPDATE users SET digest_sales = $2, digest_days = $3, digest_quiet = $4, digest_audio = $5,
                  digests_by_mail = $6
                WHERE id = $1 RETURNING true
                """,
                user_id,
                wishes.sales,
                wishes.days,
                wishes.quiet.value,
                wishes.audio,
                wishes.by_mail,
            )
            if not there:
                raise errors.not_found("user")
            await connection.execute("DELETE FROM interests WHERE user_id = $1", user_id)
            topics = mornings.topics(wishes.topics)
            await connection.execute(
                """
                INSERT INTO interests (tenant_id, user_id, key, topic, position)
                SELECT current_tenant(), $1, t.key, t.topic, t.position
                FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS t(key, topic, position)
                """,
                user_id,
                [topic.key for topic in topics],
                [topic.words for topic in topics],
            )

    @patient
    async def feed_version(self, tenant_id: TenantId, user_id: RowId) -> int | None:
        """None when this tenant has no such user."""
        async with self._database.tenant(tenant_id) as connection:
            version: int | None = await connection.fetchval("SELECT feed_version FROM users WHERE id = $1", user_id)
            return version

    @patient
    async def reset_feed(self, tenant_id: TenantId, user_id: RowId) -> int:
        """Their feed has another address from now on; the version of that one. Run twice, it has yet another."""
        async with self._database.tenant(tenant_id) as connection:
            version: int | None = await connection.fetchval(
                "UPDATE users SET feed_version = feed_version + 1 WHERE id = $1 RETURNING feed_version", user_id
            )
            if version is None:
                raise errors.not_found("user")
            return version
