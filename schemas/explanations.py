"""Explanations: how a claim came to stand in a brief, back to the calls that were paid for. Content: shown, never sent."""

from datetime import date, datetime

from schemas.base import Content, RowId
from schemas.briefs import Claim


class Call(Content):
    """A paid answer: of whom it was asked, with which prompt, what it cost, and by which run it was bought.

    `asked` is the hash of all that was asked: the same one is bought once. Empty texts were not written down.
    """

    id: RowId
    provider: str
    model: str
    prompt: str
    asked: str
    input_tokens: int
    output_tokens: int
    cost_micro_usd: int
    asked_at: datetime
    sandbox: bool
    research_id: RowId
    version: int
    workflow_id: str
    run_id: str

    @property
    def traced(self) -> bool:
        """It is known which prompt asked, and which run paid."""
        return bool(self.prompt and self.workflow_id and self.run_id)


class Origin(Content):
    """Where a fact's quote stands, without the page's text, and the answer that brought it."""

    evidence_id: RowId
    call_id: RowId
    url: str
    title: str
    published: date | None
    fetched_at: datetime


class Step(Content):
    """A fact with its source, and the call that found it."""

    claim: Claim
    subject: str
    origin: Origin
    call: Call


class Chain(Content):
    """One claim, all the way: a fact is its own step, anything else has those of the facts that it rests on."""

    claim: Claim
    subject: str
    steps: tuple[Step, ...]
    # The asks of the model that this version was written with, oldest first: the last is the one that was taken.
    writing: tuple[Call, ...]

    @property
    def complete(self) -> bool:
        """Nothing on the way is missing."""
        resting = {step.claim.id for step in self.steps} == set(self.claim.rests_on or (self.claim.id,))
        calls = (*(step.call for step in self.steps), *self.writing)
        return resting and bool(self.writing) and all(call.traced for call in calls)


class Explanation(Content):
    """A version of a brief with everything that each of its claims came from."""

    brief_id: RowId
    research_id: RowId
    version: int
    # Of this version, where it is still known: it is written down for the newest, and with what a version bought.
    run_id: str
    written_at: datetime
    time_zone: str
    sandbox: bool
    claims: tuple[Claim, ...]
    # What a brief calls its subjects.
    subjects: dict[RowId, str]
    origins: tuple[Origin, ...]
    calls: tuple[Call, ...]
    writing: tuple[Call, ...]

    def chain(self, claim_id: RowId) -> Chain | None:
        """How this claim came about; nothing when the brief has no such claim."""
        by_id = {claim.id: claim for claim in self.claims}
        claim = by_id.get(claim_id)
        if claim is None:
            return None
        facts = [by_id[fact] for fact in (claim.rests_on or (claim.id,)) if fact in by_id]
        steps = tuple(step for fact in facts if (step := self._step(fact)) is not None)
        return Chain(claim=claim, subject=self._name(claim), steps=steps, writing=self.writing)

    def _step(self, fact: Claim) -> Step | None:
        origin = next((one for one in self.origins if one.evidence_id == fact.evidence_id), None)
        call = next((one for one in self.calls if origin and one.id == origin.call_id), None)
        if origin is None or call is None:
            return None
        return Step(claim=fact, subject=self._name(fact), origin=origin, call=call)

    def _name(self, claim: Claim) -> str:
        return self.subjects.get(claim.subject_id or "", "")
