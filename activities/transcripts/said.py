"""What a model must return about a part of a call, and how much of it is let in."""

from pydantic import Field

from schemas.base import Inbound
from schemas.transcripts import FindingKind


class Said(Inbound):
    """One thing that came of the call, and the words that show it."""

    text: str = Field(max_length=600)
    turn: int
    quote: str = Field(max_length=1500)


class StepSaid(Said):
    """What somebody promised to do; due is a day as 2026-12-24, or null."""

    owner: str = Field(max_length=200)
    due: str | None


class RoleSaid(Inbound):
    """What somebody does for a living, and the words that show it."""

    speaker: str = Field(max_length=200)
    role: str = Field(max_length=200)
    turn: int
    quote: str = Field(max_length=1500)


class Heard(Inbound):
    """All that a part of a call tells."""

    roles: list[RoleSaid] = Field(max_length=50)
    summary: list[Said] = Field(max_length=20)
    next_steps: list[StepSaid] = Field(max_length=40)
    pains: list[Said] = Field(max_length=40)
    objections: list[Said] = Field(max_length=40)
    competitors: list[Said] = Field(max_length=40)
    budget: list[Said] = Field(max_length=40)
    decision_process: list[Said] = Field(max_length=40)
    deal_stage: list[Said] = Field(max_length=40)
    risks: list[Said] = Field(max_length=40)
    quotes: list[Said] = Field(max_length=40)

    def by_kind(self) -> dict[FindingKind, list[Said]]:
        return {
            FindingKind.SUMMARY: self.summary,
            FindingKind.NEXT_STEP: list[Said](self.next_steps),
            FindingKind.PAIN: self.pains,
            FindingKind.OBJECTION: self.objections,
            FindingKind.COMPETITOR: self.competitors,
            FindingKind.BUDGET: self.budget,
            FindingKind.DECISION: self.decision_process,
            FindingKind.STAGE: self.deal_stage,
            FindingKind.RISK: self.risks,
            FindingKind.QUOTE: self.quotes,
        }
