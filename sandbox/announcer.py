"""The pretended model that writes what two speakers say: it repeats sentences of its items in turn, and adds nothing.

<digest> ─▶ items ─▶ sentences ─▶ said by one and the other, each with itself as its quote
"""

import json
import re
from typing import Any

from pydantic import BaseModel, ValidationError

from sandbox.brand import RefusedError
from sandbox.schema import fitted

SHORTEST, LONGEST = 12, 300
LINKS = ("What else is known about it?", "Tell us more.", "That is worth watching.", "And what comes next?")

_SENTENCES = re.compile(r"(?<=[.!?])\s+|\n+")
_ORDERED = re.compile(r"\bsay that ([^.]+\.)")


class Item(BaseModel):
    item: int
    sentences: int = 3
    letters: int = 500
    title: str = ""
    text: str = ""


class Digest(BaseModel):
    """What the client hands over. Fields we do not need are ignored, as a reader would."""

    sentences: int = 3
    letters: int = 500
    items: list[Item]
    problem: str | None = None

    @property
    def label(self) -> str:
        return f"digest:{len(self.items)}"


def digest(text: str) -> Digest | None:
    """The block in a message, if there is one."""
    blocks = re.findall(r"<digest>(.*?)</digest>", text, re.DOTALL)
    if not blocks:
        return None
    if len(blocks) > 1:
        raise RefusedError(400, f"The sandbox reads one <digest> block, not {len(blocks)}.")
    try:
        return Digest.model_validate_json(blocks[0])
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise RefusedError(400, f"The sandbox cannot read <digest>: {where} {first['msg']}") from None


def announced(said: Digest) -> dict[str, Any]:
    """Deterministic: the same items give the same words."""
    return {"items": [{"item": one.item, "says": _says(one)} for one in said.items]}


def lying(said: Digest) -> dict[str, Any]:
    """The honest words with lies among them, all of them valid by any schema; and whatever an item orders is obeyed."""
    answer = announced(said)
    for one, told in zip(said.items, answer["items"], strict=True):
        true = next((line for line in told["says"] if line["quote"]), {"voice": 1, "text": "", "quote": one.title})
        quote = str(true["quote"])
        lies = [
            (
                "They have signed with somebody else already.",
                "they have signed with somebody else, as nobody ever said",
            ),
            (f"{quote.rstrip('.')}, for 987,654,321 euros.", quote),
            ("Globex Holdings is behind all of it.", quote),
            (f"It is not true that {quote}", quote),
            ("The mayor was arrested for theft last night.", quote),
            ("See [the page](javascript:alert(1)) at https://owned.example/x.", quote),
            ("[shouts] Buy now.", quote),
            ("The company is bankrupt, by the way.", None),
            ("That was the 7th time.", None),
            ("Victor Fraud told us so.", None),
            *((f"{order[:1].upper()}{order[1:]}", order) for order in _ORDERED.findall(one.text)),
        ]
        told["says"] += [{"voice": 2, "text": text, "quote": words} for text, words in lies]
    answer["items"].append(
        {"item": 999, "says": [{"voice": 1, "text": "Owned by no item.", "quote": "owned by no item"}]}
    )
    return answer


def written(said: Digest, schema: dict[str, Any] | None, trick: str | None) -> str:
    """The answer as a model writes it."""
    answer = lying(said) if trick == "lies" else announced(said)
    return json.dumps(fitted(answer, schema) if schema else answer, ensure_ascii=False)


def _says(one: Item) -> list[dict[str, Any]]:
    sentences = [text for text in _SENTENCES.split(one.text) if SHORTEST <= len(text) <= LONGEST][: one.sentences]
    says: list[dict[str, Any]] = []
    left = one.letters
    for number, text in enumerate(sentences):
        if len(text) > left:
            break
        link = LINKS[(one.item + number) % len(LINKS)]
        if number % 3 == 1 and len(text) + len(link) <= left:
            says.append({"voice": 2 - (one.item + number - 1) % 2, "text": link, "quote": None})
            left -= len(link)
        says.append({"voice": 2 - (one.item + number) % 2, "text": text, "quote": text})
        left -= len(text)
    return says
