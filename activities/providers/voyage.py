"""Vectors of texts by Voyage's embeddings. They come as bytes, which are a fifth of what numbers written out are."""

import base64
import binascii
import json
import math
import struct
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import aiohttp
from pydantic import Field, ValidationError

from activities import errors
from activities.documents.ports import Vectors
from activities.plain import clean
from activities.ports import Size, Usage
from activities.providers.http import read_bounded, read_object
from schemas.base import Inbound
from schemas.budgets import Price
from schemas.documents import DIMENSIONS

# They say no wait with a 429. Without a payment method they allow three calls a minute.
LEAST_WAIT = timedelta(seconds=20)
# A number of theirs has so many bytes.
FLOAT = 4
# No number of a vector is larger: they have the length of one.
LARGEST = 1000.0


class EmbeddingSaid(Inbound):
    index: int
    embedding: str | list[float]


class UsageSaid(Inbound):
    total_tokens: int = Field(ge=0, le=10**9)


class Voyage:
    """An Embedder. One call a batch, no retries of its own."""

    name = "voyage"

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        base_url: str,
        key: str,
        model: str,
        price: Price | None = None,
        timeout_s: float = 30,
        least_wait: timedelta = LEAST_WAIT,
        sandbox: bool = False,
    ) -> None:
        self._session = session
        self._url = base_url.rstrip("/") + "/v1/embeddings"
        self._key = key
        self.model = model
        self._price = price
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._least_wait = least_wait
        self.sandbox = sandbox

    def size(self, texts: Sequence[str]) -> Size:
        return Size(sum(len(text.encode(errors="replace")) for text in texts), 0)

    async def embed(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        """One vector for each text, in their order."""
        headers = {"authorization": f"Bearer {self._key}"}
        body = _request(self.model, texts, query=query)
        try:
            async with self._session.post(
                self._url, json=body, headers=headers, timeout=self._timeout, allow_redirects=False
            ) as response:
                if response.status != 200:
                    raise refused(
                        response.status, await read_bounded(self.name, response), response.headers, self._least_wait
                    )
                return read(await read_object(self.name, response), len(texts), self._price)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise errors.unreachable(self.name, error) from None


def _request(model: str, texts: Sequence[str], *, query: bool) -> dict[str, Any]:
    return {
        # Half of a letter is no text that can be sent.
        "input": [text.encode(errors="replace").decode() for text in texts],
        "model": model,
        "input_type": "query" if query else "document",
        "truncation": True,
        "output_dimension": DIMENSIONS,
        "encoding_format": "base64",
    }


def refused(status: int, body: bytes, headers: Mapping[str, str], least_wait: timedelta = LEAST_WAIT) -> Exception:
    """The retry decision for an answer that is not a good one. What is wrong they say in a sentence, which is not ours to
    quote."""
    kind = _code(body) if status != 429 else None
    return errors.answered(Voyage.name, status, kind, headers, least_wait)


def _code(body: bytes) -> object:
    try:
        return json.loads(body)["code"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def read(answer: dict[str, Any], count: int, price: Price | None = None) -> Vectors:
    """The vectors of an answer that came with 200, by their indices: one for each text, whole and finite, or it is
    nonsense."""
    data = answer.get("data")
    if not isinstance(data, list) or len(data) != count:
        raise errors.nonsense(Voyage.name, "another number of vectors")
    found = dict(map(_vector, data))
    if found.keys() != set(range(count)):
        raise errors.nonsense(Voyage.name, "vectors of other texts")
    model = answer.get("model")
    return Vectors(
        vectors=tuple(found[index] for index in range(count)),
        model=clean(model, 100) if isinstance(model, str) else "",
        usage=_usage(answer.get("usage"), price),
    )


def _vector(item: object) -> tuple[int, tuple[float, ...]]:
    try:
        said = EmbeddingSaid.model_validate(item)
        numbers = _decoded(said.embedding) if isinstance(said.embedding, str) else tuple(said.embedding)
    except (ValidationError, binascii.Error, ValueError, RecursionError):
        raise errors.nonsense(Voyage.name, "a vector that cannot be read") from None
    # All of nothing points nowhere, and is near to nothing.
    if len(numbers) != DIMENSIONS or not all(map(_fits, numbers)) or not any(numbers):
        raise errors.nonsense(Voyage.name, "a vector of another shape")
    return said.index, numbers


def _fits(number: float) -> bool:
    return math.isfinite(number) and abs(number) <= LARGEST


def _decoded(text: str) -> tuple[float, ...]:
    """Little-endian, of four bytes each."""
    data = base64.b64decode(text, validate=True)
    if len(data) != DIMENSIONS * FLOAT:
        raise ValueError("of another length")
    return struct.unpack(f"<{DIMENSIONS}f", data)


def _usage(said: object, price: Price | None) -> Usage | None:
    """By our price: they tell tokens and no cost. Nothing when what they tell cannot be read."""
    if price is None:
        return None
    try:
        tokens = UsageSaid.model_validate(said).total_tokens
    except ValidationError:
        return None
    return Usage(tokens, 0, price.cost(tokens, 0))
