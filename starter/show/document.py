"""A brief as one JSON document, for programs: claims once, sections by their ids."""

from typing import Any

from schemas.briefs import Brief, Section
from starter.show.layout import SANDBOX_NOTICE, lay_out


def document(brief: Brief) -> dict[str, Any]:
    """Plain JSON values. `notice` is null for a brief that was made from real sources alone."""
    said = brief.model_dump(mode="json")
    return {
        "brief_id": brief.id,
        "research_id": brief.research_id,
        "version": brief.version,
        "notice": SANDBOX_NOTICE if brief.sandbox else None,
        "title": brief.title,
        "starts_at": said["starts_at"],
        "time_zone": brief.time_zone,
        "campaign": brief.campaign,
        "confidence": {"level": brief.confidence.value, "reasons": said["reasons"]},
        "promises": said["promises"],
        "what_changed": brief.what_changed,
        "changes": said["changes"],
        "facts_digest": brief.facts_digest,
        "people": [one for one in said["subjects"] if one["kind"] == "person"],
        "companies": [one for one in said["subjects"] if one["kind"] == "company"],
        "sections": {section.value: [claim.id for claim in brief.section(section)] for section in Section},
        "claims": said["claims"],
        "conflicts": said["conflicts"],
        "evidence": said["evidence"],
        "sources": _sources(brief),
        "gaps": said["gaps"],
        "dropped": brief.dropped,
        "economies": said["economies"],
        "cost": {"usd": brief.cost_micro_usd / 1_000_000, "micro_usd": brief.cost_micro_usd},
        "model": brief.model,
        "written_at": said["written_at"],
    }


def _sources(brief: Brief) -> list[dict[str, Any]]:
    """The pages that claims rest on, numbered as every other way of showing the brief numbers them."""
    return [
        {
            "number": number,
            "evidence_id": piece.id,
            "title": piece.title,
            "url": piece.url,
            "published": piece.published.isoformat() if piece.published else None,
            "fetched_at": piece.fetched_at.isoformat(),
        }
        for number, piece in enumerate(lay_out(brief).sources, start=1)
    ]
