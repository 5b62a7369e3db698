"""Marks as those see them who set them: what has been said of the claims of a brief, and by whom."""

from schemas.base import Content, RowId
from schemas.briefs import Verdict


class Said(Content):
    """What a user says of a claim."""

    claim_id: RowId
    user_id: RowId
    user: str
    verdict: Verdict
