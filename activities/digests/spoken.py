"""What may be read aloud: plain words, without what a voice would obey or stumble over, and nobody's orders."""

import re

from activities.plain import clean

# A speaking model takes what is in brackets for a stage direction.
_DIRECTION = re.compile(r"\[[^\[\]]{0,80}\]|<[^<>]{0,80}>|\{[^{}]{0,80}\}")
_SIGNS = re.compile(r"[\[\]<>{}*_`#~^|\\]+")
_ADDRESS = re.compile(r"\w+://\S*|www\.\S+|\S+@\S+|javascript:\S*|data:\w+/\S*", re.IGNORECASE)
_ENDS = re.compile(r"[.!?\u2026][\"'\u201d\u2019)]?(?=\s|$)")

# Words to a machine that reads, in a text that is written for people. It is found too often rather than too seldom: a
# report more or less does no harm.
_ORDERS = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,30}\b(?:instruct\w+|prompts?)\b"
    r"|\b(?:ignore|disregard|forget) (?:all |everything |anything |what is |the )*(?:above|before|previous|prior)\b"
    r"|\b(?:system|developer) prompt\b|\b(?:new|real|updated) instructions?\s*:"
    r"|\byou are (?:now )?(?:an? )?(?:helpful )?(?:ai|assistant|chatbot|language model|llm)\b|\bas an ai\b"
    r"|\b(?:assistant|language model|llm|chatbot)s?\b.{0,20}\b(?:must|should|shall|has to|have to) (?:now |only )?say\b"
    r"|\bcall the tool\b|<\|\w+\|>",
    re.IGNORECASE,
)


def speakable(text: str, longest: int) -> str:
    """The text as a voice can say it: no directions, no markup, no addresses; cut where a word ends."""
    bare = _SIGNS.sub(" ", _DIRECTION.sub(" ", _ADDRESS.sub(" ", clean(text, len(text)))))
    tidy = re.sub(r"\s+([,.;:!?])", r"\1", " ".join(bare.split()))
    return tidy if len(tidy) <= longest else tidy[: longest + 1].rpartition(" ")[0] or tidy[:longest]


def before_orders(text: str) -> str:
    """The sentences before the first that gives orders to whoever reads it: of what follows nothing is believed."""
    plain = clean(text, len(text))
    order = _ORDERS.search(plain)
    if order is None:
        return plain
    ends = [one.end() for one in _ENDS.finditer(plain, 0, order.start())]
    return plain[: ends[-1]] if ends else ""
