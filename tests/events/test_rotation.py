"""A change of the key that seals: whatever is sealed, wherever it is kept, opens with the new one alone."""

from datetime import UTC, datetime

from activities.sealing import Sealed, Sealer, new_key
from activities.store.event_keys import EventKeyStore
from activities.store.rotation import KEEPERS, Rotation
from tests.events.conftest import keys_of
from tests.stage import TOKEN_KEYS, Stage

NOW = datetime.now(UTC)


async def rotated(stage: Stage, keys: str, limit: int = 1) -> int:
    rotation, failed, after = Rotation(stage.database, Sealer(keys)), 0, None
    while True:
        done = await rotation.rotate(after, limit)
        failed, after = failed + done.failed, done.after
        if after is None:
            return failed


async def test_every_table_that_keeps_a_secret_is_gone_through(stage: Stage) -> None:
    async with stage.database.tenant(stage.tenant.id) as connection:
        rows = await connection.fetch("SELECT table_name FROM information_schema.columns WHERE column_name = 'sealed'")
    assert {row["table_name"] for row in rows} == set(KEEPERS)


async def test_each_secret_opens_with_the_new_key_alone(stage: Stage) -> None:
    old, new = Sealer(TOKEN_KEYS), new_key()
    made = [await keys_of(stage).create(stage.tenant.id, f"key {n}", NOW) for n in range(3)]
    endpoint, recorder = old.seal(b"endpoint's", f"endpoint/{stage.tenant.id}"), old.seal(b"recorder's", stage.user.id)
    async with stage.database.tenant(stage.tenant.id) as connection:
        await connection.execute(
            "INSERT INTO endpoints (tenant_id, url, key_id, sealed, created_at) VALUES (current_tenant(), 'u', $1, $2, $3)",
            *(endpoint.key_id, endpoint.data, NOW),
        )
        await connection.execute(
            """
            INSERT INTO recorders (tenant_id, id, provider, base_url, key_id, sealed, sandbox, created_at)
            VALUES (current_tenant(), $1, 'gong', 'u', $2, $3, true, $4)
            """,
            *(stage.user.id, recorder.key_id, recorder.data, NOW),
        )
    try:
        await rotated(stage, f"{new},{TOKEN_KEYS}")

        only_new = Sealer(new)
        keys = EventKeyStore(stage.database, only_new)
        assert [await keys.secret(stage.tenant.id, one.id) for one in made] == [one.secret for one in made]
        async with stage.database.tenant(stage.tenant.id) as connection:
            sealed = [
                await connection.fetchrow(f"SELECT key_id, sealed FROM {name}") for name in ("endpoints", "recorders")
            ]
        bounds = (f"endpoint/{stage.tenant.id}", stage.user.id)
        said = [
            only_new.open(Sealed(row["key_id"], row["sealed"]), bound)
            for row, bound in zip(sealed, bounds, strict=True)
        ]
        assert said == [b"endpoint's", b"recorder's"]
    finally:
        # Other tests' secrets have their key again.
        await rotated(stage, f"{TOKEN_KEYS},{new}", limit=100)


async def test_what_no_key_opens_is_counted_and_left(stage: Stage) -> None:
    made = await keys_of(stage).create(stage.tenant.id, "key", NOW)
    assert await rotated(stage, new_key(), limit=100) >= 1
    assert await keys_of(stage).secret(stage.tenant.id, made.id) == made.secret
