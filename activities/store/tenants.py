"""Tenants, users and campaigns."""

from datetime import datetime

from activities import errors
from activities.store import campaigns
from activities.store.database import Connection, Database, patient
from schemas.agenda import Member, Preferences
from schemas.base import Email, RowId, TenantId
from schemas.tenants import CampaignRow, NewCampaign, Tenant, User


class TenantStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    @patient
    async def slugs(self) -> dict[str, TenantId]:
        """All tenants there are, by slug: the one look-up that crosses them."""
        async with self._database.crossing() as connection:
            rows = await connection.fetch("SELECT slug, id FROM tenants ORDER BY slug")
            return {row["slug"]: row["id"] for row in rows}

    @patient
    async def create(self, tenant: Tenant, user: User, campaign: NewCampaign, now: datetime) -> CampaignRow:
        """A tenant, its first user and campaign. Safe to run twice: what is there stays."""
        async with self._database.tenant(tenant.id) as connection:
            await connection.execute(
                """
                INSERT INTO tenants (id, slug, name, premium, domains, created_at) VALUES ($1, $2, $3, $4, $5, $6)
                ON CONFLICT (id) DO NOTHING
                """,
                tenant.id,
                tenant.slug,
                tenant.name,
                tenant.premium,
                list(tenant.domains),
                now,
            )
            user_id = await connection.fetchval(
                """
                INSERT INTO users (tenant_id, id, email, name, time_zone, created_at)
                VALUES (current_tenant(), $1, $2, $3, $4, $5)
                ON CONFLICT (tenant_id, email) DO UPDATE SET name = excluded.name RETURNING id
                """,
                user.id,
                user.email,
                user.name,
                user.time_zone,
                now,
            )
        # Whoever sets up has no calendar yet, and meetings that there may be are told when it is read next.
        return (await self.add_campaign(tenant.id, user_id, campaign, now, now))[0]

    @patient
    async def tenant(self, tenant_id: TenantId) -> Tenant:
        async with self._database.tenant(tenant_id) as connection:
            row = await connection.fetchrow("SELECT id, slug, name, premium, domains FROM tenants")
            if row is None:
                raise errors.not_found("tenant")
            return Tenant.model_validate(dict(row))

    @patient
    async def users(self, tenant_id: TenantId) -> list[User]:
        async with self._database.tenant(tenant_id) as connection:
            rows = await connection.fetch("SELECT id, email, name, time_zone FROM users ORDER BY created_at, email")
            return [User.model_validate(dict(row)) for row in rows]

    @patient
    async def with_address(self, address: Email) -> list[tuple[TenantId, RowId]]:
        """Who has this address, in any tenant: whoever signs in is known by it alone."""
        async with self._database.crossing() as connection:
            rows = await connection.fetch(
                "SELECT tenant_id, id FROM users WHERE email_key = address_key($1) ORDER BY tenant_id, id", address
            )
            return [(row["tenant_id"], row["id"]) for row in rows]

    @patient
    async def bind(self, tenant_id: TenantId, user_id: RowId, account_sub: str) -> bool:
        """Whether this is the account that the user signs in with: the first one stays it.

        Safe to run twice, and beside another sign-in: one of two first ones is it.
        """
        async with self._database.tenant(tenant_id) as connection:
            bound = await connection.fetchval(
                """
                UPDATE users SET account_sub = $2 WHERE id = $1 AND coalesce(account_sub, $2) = $2 RETURNING true
                """,
                user_id,
                account_sub,
            )
            return bool(bound)

    @patient
    async def forget_account(self, tenant_id: TenantId, user_id: RowId, now: datetime) -> None:
        """The next account with the user's address is theirs. Sessions of the one before are over."""
        async with self._database.tenant(tenant_id) as connection:
            await connection.execute(
                "UPDATE users SET account_sub = NULL, signed_out_at = greatest(signed_out_at, $2) WHERE id = $1",
                user_id,
                now,
            )

    @patient
    async def member(self, tenant_id: TenantId, user_id: RowId) -> Member | None:
        """A user as the pages know them, or nothing when this tenant has no such user."""
        async with self._database.tenant(tenant_id) as connection:
            row = await connection.fetchrow(
                """
                SELECT t.id AS tenant_id, t.name AS tenant, u.id, u.email, u.name, u.time_zone, u.deliver_before_min,
                  u.briefs_by_mail, u.calls_by_mail, u.skills_by_mail, u.signed_out_at
                FROM users u JOIN tenants t ON t.id = u.tenant_id WHERE u.id = $1
                """,
                user_id,
            )
            return None if row is None else Member.model_validate(dict(row))

    @patient
    async def add_user(self, tenant_id: TenantId, user: User, now: datetime) -> User:
        """Safe to run twice: a user with that address stays as they are."""
        async with self._database.tenant(tenant_id) as connection:
            row = await connection.fetchrow(
                """
                INSERT INTO users (tenant_id, id, email, name, time_zone, created_at)
                VALUES (current_tenant(), $1, $2, $3, $4, $5)
                ON CONFLICT (tenant_id, email) DO UPDATE SET email = excluded.email
                RETURNING id, email, name, time_zone
                """,
                user.id,
                user.email,
                user.name,
                user.time_zone,
                now,
            )
            return User.model_validate(dict(row))

    @patient
    async def prefer(self, tenant_id: TenantId, user_id: RowId, preferences: Preferences) -> None:
        async with self._database.tenant(tenant_id) as connection:
            await connection.execute(
                """
                UPDATE users SET time_zone = $2, deliver_before_min = $3, briefs_by_mail = $4, calls_by_mail = $5,
                  skills_by_mail = $6
                WHERE id = $1
                """,
                user_id,
                preferences.time_zone,
                preferences.deliver_before_min,
                preferences.briefs_by_mail,
                preferences.calls_by_mail,
                preferences.skills_by_mail,
            )

    @patient
    async def sign_out(self, tenant_id: TenantId, user_id: RowId, now: datetime) -> None:
        """Every session of the user that began before now is over."""
        async with self._database.tenant(tenant_id) as connection:
            await connection.execute(
                "UPDATE users SET signed_out_at = greatest(signed_out_at, $2) WHERE id = $1", user_id, now
            )

    @patient
    async def campaigns(self, tenant_id: TenantId) -> list[CampaignRow]:
        """Oldest first: the first active one is what the CLI takes when none is named."""
        async with self._database.tenant(tenant_id) as connection:
            rows = await connection.fetch(
                """
                SELECT id, user_id, name, offering, target_customer, pain_points, active
                FROM campaigns ORDER BY created_at, name
                """
            )
            return [CampaignRow.model_validate(dict(row)) for row in rows]

    @patient
    async def add_campaign(
        self, tenant_id: TenantId, user_id: RowId, campaign: NewCampaign, now: datetime, until: datetime
    ) -> tuple[CampaignRow, list[RowId]]:
        """Safe to run twice: a campaign of that name keeps its texts.

        With it come the meetings that are for it now because there was no active one, as `edit_campaign` has them.
        """
        async with self._database.tenant(tenant_id) as connection:
            row = await _insert(connection, user_id, campaign, now)
            return row, await campaigns.follow(connection, now, until)

    @patient
    async def edit_campaign(
        self, tenant_id: TenantId, campaign: CampaignRow, now: datetime, until: datetime
    ) -> list[RowId]:
        """The change and all that it reaches: meetings to come of the campaign, and those that leave it or come to it
        because it was switched off or on. Returns those that start before `until`: their workflows are to be told.

        Safe to run twice: their revisions grow once more.
        """
        async with self._database.tenant(tenant_id) as connection:
            await connection.execute(
                """
                UPDATE campaigns SET name = $2, offering = $3, target_customer = $4, pain_points = $5, active = $6
                WHERE id = $1
                """,
                campaign.id,
                campaign.name,
                campaign.offering,
                campaign.target_customer,
                campaign.pain_points,
                campaign.active,
            )
            moved = await campaigns.follow(connection, now, until)
            stayed = await campaigns.reach(connection, now, until, campaign_id=campaign.id)
            return list(dict.fromkeys([*moved, *stayed]))


async def _insert(connection: Connection, user_id: RowId, campaign: NewCampaign, now: datetime) -> CampaignRow:
    row = await connection.fetchrow(
        """
        INSERT INTO campaigns (tenant_id, user_id, name, offering, target_customer, pain_points, created_at)
        VALUES (current_tenant(), $1, $2, $3, $4, $5, $6)
        ON CONFLICT (tenant_id, name) DO UPDATE SET name = excluded.name
        RETURNING id, user_id, name, offering, target_customer, pain_points, active
        """,
        user_id,
        campaign.name,
        campaign.offering,
        campaign.target_customer,
        campaign.pain_points,
        now,
    )
    assert row is not None, "it is there, or has just been made"
    return CampaignRow.model_validate(dict(row))
