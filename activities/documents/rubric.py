"""The rubric: what makes a confidentiality agreement risky, and how much. A model says which line a clause breaks; how
risky that is stands here, and nowhere else. Written for a party that gives and gets secrets alike.

A document is as risky as the worst of its findings. What every such agreement has to say and this one does not is a
finding too.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.documents import Risk, Topic


@dataclass(frozen=True)
class Rule:
    """A line of the rubric, what it is about, and how risky it is to break it."""

    topic: Topic
    risk: Risk
    line: str


# By what a model calls them.
RULES = {
    "one-sided": Rule(Topic.OBLIGATIONS, Risk.HIGH, "Only one side has to keep secrets, though both give them."),
    "any-use": Rule(Topic.OBLIGATIONS, Risk.HIGH, "Secrets may be used for more than the purpose, or for any purpose."),
    "absolute-care": Rule(
        Topic.OBLIGATIONS, Risk.MEDIUM, "More than reasonable care is owed, or secrecy is guaranteed whatever happens."
    ),
    "weak-care": Rule(Topic.OBLIGATIONS, Risk.MEDIUM, "Less than reasonable care is owed."),
    "everything-secret": Rule(
        Topic.DEFINITION, Risk.MEDIUM, "Everything that is told is secret, without a mark and without any limit."
    ),
    "marked-only": Rule(
        Topic.DEFINITION, Risk.LOW, "Only what is marked, or confirmed in writing, is secret: a mark is soon forgotten."
    ),
    "narrow-exclusions": Rule(
        Topic.EXCLUSIONS,
        Risk.MEDIUM,
        "One of the usual exceptions is left out: public, known before, got from others, developed alone.",
    ),
    "wide-exclusions": Rule(
        Topic.EXCLUSIONS, Risk.HIGH, "An exception is so wide that little stays secret, such as what is kept in memory."
    ),
    "no-need-to-know": Rule(
        Topic.REPRESENTATIVES, Risk.MEDIUM, "Others may be told who need not know it, or who are bound by nothing."
    ),
    "liable-for-others": Rule(
        Topic.REPRESENTATIVES, Risk.LOW, "Each side answers for what its people and advisers do."
    ),
    "no-notice": Rule(
        Topic.COMPELLED, Risk.MEDIUM, "Where the law demands disclosure, the other side need not be told beforehand."
    ),
    "no-return": Rule(Topic.RETURN, Risk.MEDIUM, "Secrets need not be returned or destroyed when that is asked for."),
    "no-backup": Rule(
        Topic.RETURN, Risk.LOW, "All copies must go, with no exception for backups or for what the law wants kept."
    ),
    "perpetual": Rule(Topic.SURVIVAL, Risk.HIGH, "Secrecy has no end, for all of it."),
    "long-survival": Rule(Topic.SURVIVAL, Risk.MEDIUM, "Secrecy lasts more than five years."),
    "short-survival": Rule(Topic.SURVIVAL, Risk.MEDIUM, "Secrecy lasts less than a year."),
    "auto-renewal": Rule(Topic.TERM, Risk.MEDIUM, "It renews itself until somebody objects."),
    "no-exit": Rule(Topic.TERM, Risk.MEDIUM, "It cannot be ended by notice."),
    "takes-ownership": Rule(
        Topic.OWNERSHIP, Risk.HIGH, "Rights in what is told, or in what is made of it, go to the other side."
    ),
    "penalty": Rule(Topic.REMEDIES, Risk.HIGH, "A breach costs a fixed sum, or a penalty, whatever the harm."),
    "no-injunction": Rule(Topic.REMEDIES, Risk.MEDIUM, "A court may not be asked to stop a breach."),
    "without-proof": Rule(
        Topic.REMEDIES, Risk.LOW, "An injunction is owed without proof of harm, or without security."
    ),
    "unlimited": Rule(Topic.LIABILITY, Risk.MEDIUM, "Liability is expressly without limit."),
    "no-liability": Rule(
        Topic.LIABILITY, Risk.HIGH, "Liability for a breach is excluded, or limited to next to nothing."
    ),
    "indemnity": Rule(Topic.INDEMNITY, Risk.HIGH, "One side indemnifies the other, beyond damages for a breach."),
    "non-solicit": Rule(Topic.NON_SOLICIT, Risk.MEDIUM, "People or customers of the other side may not be approached."),
    "non-compete": Rule(Topic.NON_COMPETE, Risk.HIGH, "Competing, or working with competitors, is forbidden."),
    "free-assignment": Rule(
        Topic.ASSIGNMENT, Risk.MEDIUM, "The other side may pass the agreement on to anybody without consent."
    ),
    "foreign-courts": Rule(
        Topic.DISPUTES, Risk.MEDIUM, "Only one side's courts decide, or one side alone may choose where to sue."
    ),
    "no-governing-law": Rule(Topic.GOVERNING_LAW, Risk.MEDIUM, "Which law governs is left open."),
    "audit": Rule(Topic.GENERAL, Risk.MEDIUM, "The other side may inspect premises, systems or books."),
    "one-sided-change": Rule(Topic.GENERAL, Risk.HIGH, "One side may change the agreement by itself."),
    "unusual": Rule(Topic.OTHER, Risk.MEDIUM, "The clause has no place in a confidentiality agreement."),
}

# What every such agreement has to say, and how risky it is that one does not.
EXPECTED = {
    Topic.DEFINITION: Risk.HIGH,
    Topic.EXCLUSIONS: Risk.HIGH,
    Topic.OBLIGATIONS: Risk.HIGH,
    Topic.COMPELLED: Risk.MEDIUM,
    Topic.RETURN: Risk.MEDIUM,
    Topic.TERM: Risk.MEDIUM,
    Topic.SURVIVAL: Risk.MEDIUM,
    Topic.GOVERNING_LAW: Risk.MEDIUM,
    Topic.REMEDIES: Risk.LOW,
}
MISSING = "Every confidentiality agreement has a clause about this."

# What code sees for itself, where nobody has said that anything is risky.
UNREAD = "Words that often mean risk stand here, and the review did not speak of them."
UNREAD_RISK = Risk.MEDIUM

# What a difference does to whoever has the document, by what a model calls it, and how much that matters.
EFFECTS = {
    "wording": (Risk.NONE, "Other words that do the same."),
    "detail": (Risk.LOW, "A detail that changes little, such as a form or an address."),
    "shift": (Risk.MEDIUM, "Duties, time, scope or procedure are noticeably different."),
    "loss": (Risk.HIGH, "A protection that the other has is gone, or a burden that it lacks is there."),
}
# Where a difference of effect never matters much.
MINOR = frozenset({Topic.PARTIES, Topic.NOTICES, Topic.GENERAL})

_ORDER = (Risk.NONE, Risk.LOW, Risk.MEDIUM, Risk.HIGH)


def worst(risks: Iterable[Risk]) -> Risk:
    """None at all where there is nothing."""
    return max(risks, key=_ORDER.index, default=Risk.NONE)


def rank(risk: Risk) -> int:
    """The higher, the worse."""
    return _ORDER.index(risk)


def matters(effect: str, topic: Topic, least: Risk = Risk.NONE) -> Risk:
    """How much a difference of this effect matters, and never less than what code has seen for itself."""
    risk, _ = EFFECTS[effect]
    eased = Risk.MEDIUM if topic in MINOR and risk is Risk.HIGH else risk
    return worst([eased, least])
