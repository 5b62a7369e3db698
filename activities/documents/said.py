"""What a model must return about a part of a document, and how much of it is let in.

What is not in a closed list is no fault of the whole answer: the one claim is left out.
"""

from typing import Annotated

from pydantic import Field

from activities.documents.rubric import EFFECTS, RULES
from schemas.base import Inbound
from schemas.documents import LONGEST_CLAUSE, Topic

LONGEST_SAID, LONGEST_REASON, LONGEST_QUOTE = 300, 300, 1500
MOST = 120

# Providers hold a model to these lists; we hold it to them when we read.
TopicSaid = Annotated[str, Field(max_length=60, json_schema_extra={"enum": [topic.value for topic in Topic]})]
RuleSaid = Annotated[str, Field(max_length=60, json_schema_extra={"enum": ["", *RULES]})]
EffectSaid = Annotated[str, Field(max_length=60, json_schema_extra={"enum": [*EFFECTS]})]


class FindingSaid(Inbound):
    """One thing that a clause says, and the words that show it; rule is the line of the rubric that it breaks, or empty."""

    clause: str = Field(max_length=20)
    topic: TopicSaid
    rule: RuleSaid
    said: str = Field(max_length=2 * LONGEST_SAID)
    quote: str = Field(max_length=LONGEST_QUOTE)


class Reviewed(Inbound):
    """All that a part of a document says."""

    findings: list[FindingSaid] = Field(max_length=MOST)


class DifferenceSaid(Inbound):
    """How the clauses of a pair differ, and the words of either that show it; empty where there is no such clause."""

    pair: str = Field(max_length=20)
    topic: TopicSaid
    effect: EffectSaid
    said: str = Field(max_length=2 * LONGEST_SAID)
    ours: str = Field(max_length=LONGEST_QUOTE)
    theirs: str = Field(max_length=LONGEST_QUOTE)


class Compared(Inbound):
    """All that differs."""

    differences: list[DifferenceSaid] = Field(max_length=2 * MOST)


class ProposalSaid(Inbound):
    """Words that are to be replaced because of a finding, what by, and why."""

    finding: str = Field(max_length=20)
    old: str = Field(max_length=LONGEST_CLAUSE)
    new: str = Field(max_length=LONGEST_CLAUSE)
    reason: str = Field(max_length=2 * LONGEST_REASON)


class Proposals(Inbound):
    """All changes."""

    proposals: list[ProposalSaid] = Field(max_length=MOST)
