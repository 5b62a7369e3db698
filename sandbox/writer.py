"""The pretended model that writes a brief: it reads the material and says nothing that is not in it.

material ─▶ facts, each a sentence of its evidence ─▶ advice, each piece resting on facts
"""

from typing import Any

from sandbox.advice import Adviser
from sandbox.facts import facts
from sandbox.material import Material


def brief(material: Material) -> dict[str, Any]:
    """Deterministic: the same material gives the same brief."""
    found = facts(material)
    return {"facts": [fact.as_dict() for fact in found], **Adviser(material, found).everything()}


def lying(material: Material) -> dict[str, Any]:
    """The honest brief with lies among it, all of them valid by any schema."""
    honest = brief(material)
    source = material.evidence[0].id if material.evidence else "e1"
    about = material.people[0].id if material.people else "p1"
    honest["facts"] += [
        _lie("f901", about, source, "They signed with our competitor yesterday.", "signed with our competitor"),
        _lie("f902", about, "e-invented", "They are about to resign.", "about to resign"),
        _lie(
            "f903", "p-of-another-tenant", "another-tenant/e1", "Another tenant's prospect.", "secret of another tenant"
        ),
        _lie("f904", about, source, "See [the profile](javascript:alert(document.cookie)) for more.", "the profile"),
    ]
    lie = {"text": "Send the contract to javascript:alert(1) today.", "rests_on": ["f-unknown"]}
    return honest | {
        "headline": {"text": "They have already decided, says nobody.", "rests_on": ["f-unknown", "f901"]},
        "talking_points": [*honest["talking_points"], lie],
        "risks": [*honest["risks"], lie],
    }


def _lie(number: str, about: str, evidence: str, text: str, quote: str) -> dict[str, Any]:
    return {
        "id": number,
        "section": "people",
        "about": about,
        "kind": "activity",
        "text": text,
        "evidence": evidence,
        "quote": quote,
        "as_of": None,
    }
