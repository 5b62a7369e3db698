"""Keys of these tests, and clients that have some of them."""

from base64 import urlsafe_b64encode
from typing import Any

from temporalio.client import Client

from activities import coding
from schemas.settings import Settings

OLD = "old:" + urlsafe_b64encode(b"o" * 32).decode()
NEW = "new:" + urlsafe_b64encode(b"n" * 32).decode()


def settings(keys: str = "", codec: str = "on", **more: Any) -> Settings:
    return Settings(payload_keys=keys, payload_codec=codec, **more, _env_file=None)


def sealing(keys: str, codec: str = "on") -> coding.Codec:
    made = coding.codec(settings(keys, codec))
    assert made is not None
    return made


async def client(there: Client, keys: str, codec: str = "on") -> Client:
    """Somebody with these keys, at the same server."""
    return await Client.connect(
        there.service_client.config.target_host,
        namespace=there.namespace,
        data_converter=coding.data_converter(settings(keys, codec)),
    )
