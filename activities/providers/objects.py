"""Where audio is kept: a folder of this machine, or a bucket of whatever speaks S3's language. Whole or not at all: a
folder's files are moved into place, a bucket's objects come by one request each."""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import LocalStore, S3Store
from temporalio.exceptions import ApplicationError

from activities import errors

NAME = "the object store"

# A few megabytes; retries are Temporal's.
CONNECT, WHOLE = timedelta(seconds=5), timedelta(seconds=60)
NO_RETRIES = 0

# What a store calls it, when it says no. A clock that is wrong, and what it calls busy, is no no.
_CODE = re.compile(r"<Code>([A-Za-z]{1,48})</Code>")
_PASSING = {"RequestTimeTooSkewed", "SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout"}
_NO_BUCKET = "NoSuchBucket"
# Of a listing that is all it says: its errors have no kind of their own.
_REFUSING = {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch"}


@dataclass(frozen=True)
class Mark:
    """What a listing says of an object. One that is put there anew has another tag, or at least another date."""

    size: int
    tag: str | None
    modified: datetime


class ObjectStore:
    """An Objects."""

    def __init__(self, store: S3Store | LocalStore) -> None:
        self._store = store

    @classmethod
    def at(
        cls, url: str, *, endpoint: str = "", region: str = "", access_key: str = "", secret_key: str = ""
    ) -> "ObjectStore":
        """From file:///folder or s3://bucket/prefix; ValueError for anything else."""
        where = urlsplit(url)
        if where.scheme == "file" and not where.netloc and where.path.strip("/"):
            return cls(LocalStore(where.path, mkdir=True))
        if where.scheme != "s3" or not where.netloc:
            raise ValueError("an object store is at file:///folder or s3://bucket/prefix")
        return cls(
            S3Store(
                where.netloc,
                prefix=where.path.strip("/") or None,
                region=region,
                access_key_id=access_key,
                secret_access_key=secret_key,
                virtual_hosted_style_request=False,
                client_options={"connect_timeout": CONNECT, "timeout": WHOLE, "allow_http": True},
                retry_config={"max_retries": NO_RETRIES},
                config={"endpoint": endpoint} if endpoint else None,
            )
        )

    async def put(self, key: str, data: bytes, kind: str) -> None:
        """Safe to run twice: the same key holds what came last."""
        attributes = {"Content-Type": kind} if isinstance(self._store, S3Store) else None
        try:
            await self._store.put_async(key, data, attributes=attributes, use_multipart=False)
        except (BaseError, OSError) as error:
            raise _decided(error) from None

    async def get(self, key: str) -> bytes | None:
        """None when it is not there. A store without its bucket is another thing."""
        try:
            answer = await self._store.get_async(key)
            return bytes(await answer.bytes_async())
        except FileNotFoundError as error:
            if _code(error) == _NO_BUCKET:
                raise _decided(error) from None
            return None
        except (BaseError, OSError) as error:
            raise _decided(error) from None

    async def size(self, key: str) -> int | None:
        """How many bytes it has; None when it is not there."""
        try:
            return (await self._store.head_async(key))["size"]
        except FileNotFoundError as error:
            if _code(error) == _NO_BUCKET:
                raise _decided(error) from None
            return None
        except (BaseError, OSError) as error:
            raise _decided(error) from None

    async def part(self, key: str, start: int, end: int) -> bytes | None:
        """Its bytes from `start` up to `end`; None when it is not there. One that is shorter is an error."""
        try:
            return bytes(await self._store.get_range_async(key, start=start, end=end))
        except FileNotFoundError as error:
            if _code(error) == _NO_BUCKET:
                raise _decided(error) from None
            return None
        except (BaseError, OSError) as error:
            raise _decided(error) from None

    async def folders(self) -> list[str]:
        """What its keys begin with, up to their first slash."""
        try:
            found = await self._store.list_with_delimiter_async()
        except (BaseError, OSError) as error:
            raise _decided(error) from None
        return [prefix.strip("/") for prefix in found["common_prefixes"]]

    async def listed(self, prefix: str, most: int) -> dict[str, Mark]:
        """What lies below a prefix, by its keys; a page more than `most` of them at the most."""
        marks = dict[str, Mark]()
        try:
            async for page in self._store.list(prefix, chunk_size=most):
                marks |= {one["path"]: Mark(one["size"], one["e_tag"], one["last_modified"]) for one in page}
                if len(marks) >= most:
                    break
        except (BaseError, OSError) as error:
            raise _decided(error) from None
        return marks

    async def delete(self, keys: Sequence[str]) -> None:
        """What is not there is deleted."""
        for key in keys:
            try:
                with suppress(FileNotFoundError):
                    await self._store.delete_async(key)
            except (BaseError, OSError) as error:
                raise _decided(error) from None


def _decided(error: Exception) -> ApplicationError:
    """By the kind of what went wrong, and the word that the store has for it; never by its text, which names keys."""
    code = _code(error)
    if code in _PASSING:
        return errors.unreachable(NAME, error)
    if isinstance(error, FileNotFoundError) or code == _NO_BUCKET:
        return errors.impossible(NAME, "there is no such bucket")
    if isinstance(error, PermissionDeniedError | UnauthenticatedError | PermissionError) or code in _REFUSING:
        return errors.impossible(NAME, f"it does not let us in ({code or type(error).__name__})")
    return errors.unreachable(NAME, error)


def _code(error: Exception) -> str:
    found = _CODE.search(str(error))
    return found[1] if found else ""
