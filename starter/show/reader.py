"""Whoever reads a brief on the web: what they may say of its claims, and what has been said."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from schemas.base import RowId
from schemas.briefs import Verdict

# What a reader may say, in the order of the buttons. A company is no person.
VERDICTS = {
    Verdict.USEFUL: "Useful",
    Verdict.WRONG: "Wrong",
    Verdict.STALE: "Stale",
    Verdict.WRONG_PERSON: "Wrong person",
}
WRONG_COMPANY = "Wrong company"

# What happens then.
LEFT_OUT = "left out from the next version on"
NEXT = {
    Verdict.USEFUL: "it stays",
    Verdict.WRONG: LEFT_OUT,
    Verdict.STALE: LEFT_OUT,
    Verdict.WRONG_PERSON: f"{LEFT_OUT}, and who this is about is looked at again",
}


@dataclass(frozen=True)
class Reader:
    """`token` proves the forms of a member; whoever has only a link has none, and no forms. `link` keeps that link alive."""

    verdicts: ClassVar = VERDICTS
    wrong_company: ClassVar = WRONG_COMPANY
    next: ClassVar = NEXT

    brief_id: RowId
    style_path: str
    link: str = ""
    token: str = ""
    # Whoever could say something if they signed in.
    stranger: bool = False
    # Where the meeting can be researched again, if that is for them to ask.
    again: str = ""
    mine: Mapping[RowId, Verdict] | None = None
    others: Mapping[RowId, tuple[str, ...]] | None = None

    def said(self, claim_id: RowId) -> Verdict | None:
        return (self.mine or {}).get(claim_id)

    def heard(self, claim_id: RowId) -> tuple[str, ...]:
        """What others say of a claim: who, and what."""
        return (self.others or {}).get(claim_id, ())

    @property
    def refused(self) -> int:
        """Of how many claims this reader says that they are not good."""
        return sum(verdict is not Verdict.USEFUL for verdict in (self.mine or {}).values())
