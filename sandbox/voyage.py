"""Voyage's embeddings: POST /v1/embeddings. Texts that share words and pairs of words are near to each other.

words, and pairs of them ─▶ hashed, each to a place and a sign ─▶ summed ─▶ of length one

As strict as the real one: a field it does not know is a 400 that names it.
"""

import base64
import hashlib
import math
import re
import struct
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from sandbox.brand import Answer, Call, RefusedError, tokens

# Those that there are, and how many tokens each takes in one call.
MODELS = {
    "voyage-4-large": 120_000,
    "voyage-4": 320_000,
    "voyage-4-lite": 1_000_000,
    "voyage-3.5": 320_000,
    "voyage-3.5-lite": 1_000_000,
}
MOST_TEXTS = 1000
DETAILS = {
    401: "Provided API key is invalid.",
    403: "This key may not be used from here.",
    404: "Not Found",
    429: "You have exceeded your rate limit of 2000 RPM.",
    500: "Internal server error",
}
# What they say to whoever has given them no means of payment.
UNPAID = (
    "You have not yet added your payment method in the billing page and will have reduced rate limits of 3 RPM and 10K "
    "TPM."
)
# A word counts for less than a pair of them, and a very common one for next to nothing.
COMMON = frozenset(
    [
        "a",
        "an",
        "and",
        "any",
        "as",
        "at",
        "be",
        "by",
        "for",
        "from",
        "in",
        "is",
        "it",
        "its",
        "no",
        "not",
        "of",
        "on",
        "or",
        "shall",
        "such",
        "that",
        "the",
        "this",
        "to",
        "will",
        "with",
    ]
)
WORD, PAIR, STOP = 1.0, 1.5, 0.1

_WORDS = re.compile(r"[^\W_]+")


class Request(BaseModel):
    model_config = ConfigDict(extra="forbid")

    input: Annotated[str, StringConstraints(min_length=1)] | list[str]
    model: str
    input_type: Literal["query", "document"] | None = None
    truncation: bool | None = True
    output_dimension: Literal[256, 512, 1024, 2048] | None = None
    output_dtype: Literal["float"] | None = None
    encoding_format: Literal["base64"] | None = None

    @property
    def texts(self) -> list[str]:
        return [self.input] if isinstance(self.input, str) else self.input


class Voyage:
    name = "voyage"
    tricks = frozenset(
        {
            *(
                "no_payment",
                "no_usage",
                "one_less",
                "same_index",
                "short_vector",
                "not_finite",
                "all_zero",
                "backwards",
            ),
            "bad_base64",
        }
    )

    def about(self, call: Call) -> str | None:
        try:
            return f"vectors:{len(_parsed(call).texts)}"
        except RefusedError:
            return None

    def error(self, status: int, message: str | None = None) -> Answer:
        return Answer.of({"detail": message or DETAILS.get(status, "Something went wrong")}, status)

    def refusal(self, call: Call, status: int, reason: str | None) -> Answer:
        return self.error(status)

    def answer(self, call: Call, trick: str | None) -> Answer:
        if trick == "no_payment":
            return self.error(429, UNPAID)
        try:
            return Answer.of(_embedded(call, trick))
        except RefusedError as refused:
            return self.error(refused.status, refused.message)


def _embedded(call: Call, trick: str | None) -> dict[str, Any]:
    if call.path != "/v1/embeddings":
        raise RefusedError(404, "Not Found")
    if call.method != "POST":
        raise RefusedError(405, "Method Not Allowed")
    if not call.bearer():
        raise RefusedError(401, DETAILS[401])
    request = _parsed(call)
    vectors = [vector(text, request.output_dimension or 1024) for text in request.texts]
    data = [
        {"object": "embedding", "embedding": _written(one, request.encoding_format), "index": index}
        for index, one in enumerate(vectors)
    ]
    told = {"object": "list", "data": data, "model": request.model}
    return _tricked(told | {"usage": {"total_tokens": sum(map(tokens, request.texts))}}, trick)


def _parsed(call: Call) -> Request:
    try:
        request = Request.model_validate(call.document())
    except ValidationError as error:
        first = error.errors()[0]
        raise RefusedError(400, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    if request.model not in MODELS:
        raise RefusedError(400, f"Model {request.model} is not supported. Supported models are {list(MODELS)}.")
    if not request.texts or len(request.texts) > MOST_TEXTS:
        raise RefusedError(400, f"The batch size limit is {MOST_TEXTS}. Your batch size is {len(request.texts)}.")
    if not all(text.strip() for text in request.texts):
        raise RefusedError(400, "Input cannot contain empty strings or empty lists.")
    if sum(map(tokens, request.texts)) > (most := MODELS[request.model]):
        raise RefusedError(400, f"The max allowed tokens per submitted batch is {most}.")
    return request


def vector(text: str, dimensions: int = 1024) -> list[float]:
    """Deterministic, whatever the machine: the same text has the same vector."""
    numbers = [0.0] * dimensions
    for feature, weight in _features(text):
        mark = int.from_bytes(hashlib.blake2b(feature.encode(errors="replace"), digest_size=8).digest(), "big")
        numbers[mark % dimensions] += weight if mark >> 63 else -weight
    length = math.sqrt(sum(number * number for number in numbers))
    return [number / length for number in numbers] if length else [1.0, *numbers[1:]]


def _features(text: str) -> Iterator[tuple[str, float]]:
    """How often a word is said counts less and less."""
    words = _WORDS.findall(text.casefold()) or [text.casefold()]
    for word, count in Counter(words).items():
        yield word, (STOP if word in COMMON else WORD) * math.sqrt(count)
    telling = [word for word in words if word not in COMMON]
    for pair, count in Counter(pairwise(telling)).items():
        yield " ".join(pair), PAIR * math.sqrt(count)


def _written(numbers: list[float], encoding: str | None) -> str | list[float]:
    if encoding is None:
        return numbers
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


def _tricked(answer: dict[str, Any], trick: str | None) -> dict[str, Any]:
    """What is no answer, though it came with 200; but for `backwards`, which is one."""
    data, size = answer["data"], 1024
    first = data[0]
    spoilt = {
        "short_vector": [0.5] * (size - 1),
        "not_finite": base64.b64encode(struct.pack(f"<{size}f", *[math.nan] * size)).decode(),
        "all_zero": [0.0] * size,
        "bad_base64": "owned!",
    }
    if trick in spoilt:
        return answer | {"data": [first | {"embedding": spoilt[trick]}, *data[1:]]}
    changed = {
        "one_less": {"data": data[:-1]},
        "same_index": {"data": [one | {"index": 0} for one in data]},
        "backwards": {"data": data[::-1]},
        "no_usage": {"usage": None},
    }
    return answer | changed.get(trick or "", {})
