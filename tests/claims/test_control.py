"""Of true claims, in several languages and ways of writing numbers, nearly all survive the checks."""

from collections import Counter
from pathlib import Path

import yaml

from activities.research.claims import check
from activities.research.drafts import Aliases, Draft
from schemas.briefs import Company, Nature
from tests.research.material import COMPANY_ID, NOW, draft, evidence, material

ROWS = yaml.safe_load((Path(__file__).parent / "control.yaml").read_text(encoding="utf-8"))
MUST_SURVIVE = 0.95


def test_nearly_all_true_claims_survive() -> None:
    said = [(number, *pair) for number, row in enumerate(ROWS, start=1) for pair in row["said"]]
    facts = [
        {"id": f"f{n}", "about": "c1", "text": text, "evidence": f"e{number}", "quote": quote, "topic": "other"}
        for n, (number, quote, text) in enumerate(said)
    ]
    pieces = tuple(
        evidence(1, COMPANY_ID, row["text"], id=f"{number:08d}-0000-4000-8000-000000000000")
        for number, row in enumerate(ROWS, start=1)
    )
    company = Company(id=COMPANY_ID, domain="control.example", name="Control")
    aliases = Aliases(material(people=(), companies=(company,), evidence=pieces))

    results = Counter[str]()
    lost = []
    for fact in facts:
        checked = check(Draft.model_validate(draft(fact)), aliases, NOW.date())
        kept = any(claim.nature is Nature.FACT for claim in checked.claims)
        results["kept" if kept else next(iter(checked.dropped))] += 1
        lost += [] if kept else [fact["text"]]

    print(f"{len(facts)} true claims: {dict(results)}; lost: {lost}")  # noqa: T201 - the figures are what is shown
    assert len(facts) >= 200
    assert results["kept"] >= MUST_SURVIVE * len(facts)
