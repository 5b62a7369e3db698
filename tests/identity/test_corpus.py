"""The corpus: no piece about another person is ever attached, and most people who are there are found."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from activities.domains import company_domain
from activities.research.identity import identify
from schemas.briefs import Candidate, Company, Evidence, Identity, Person, Profile

HERE = Path(__file__).parent
# The second reader had not seen the rules, nor had the third, after whom they were not changed any more.
READERS = ("first_reader", "second_reader", "third_reader")
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
PERSON, COMPANY = "a" * 8 + "-0000-4000-8000-" + "a" * 12, "c" * 8 + "-0000-4000-8000-" + "c" * 12
SURE = (Identity.CONFIRMED, Identity.PROBABLE)
# Of the pieces that are about nobody of the name: how many may be attached.
MOST_STRAY = 1


@dataclass
class Score:
    wrong: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    stray: list[str] = field(default_factory=list)
    there: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    said: Counter[str] = field(default_factory=Counter)

    @property
    def recall(self) -> float:
        return self.found.total() / self.there.total()

    def __str__(self) -> str:
        kinds = ", ".join(f"{kind} {self.found[kind]}/{of}" for kind, of in sorted(self.there.items()))
        lists = "".join(
            f"\n  {name}: {'; '.join(cases) or 'none'}"
            for name, cases in (("wrong", self.wrong), ("missed", self.missed), ("stray", self.stray))
        )
        return f"recall {self.recall:.2f} ({kinds}); {dict(self.said)}{lists}"


@cache
def cases(reader: str) -> list[dict[str, Any]]:
    loaded: list[dict[str, Any]] = yaml.safe_load((HERE / f"{reader}.yaml").read_text(encoding="utf-8"))
    return loaded


def decided(case: dict[str, Any]) -> tuple[Identity, list[dict[str, Any]]]:
    """What the rules say of a case, and the pieces that they attach."""
    address = case["person"]["address"]
    domain = company_domain(address)
    found = tuple(Candidate(**one) for one in case["candidates"] or ())
    person = Person(
        id=PERSON,
        name=case["person"]["name"] or "",
        hint=address.partition("@")[0],
        company_domain=domain,
        profile=Profile(found=bool(found), candidates=found),
    )
    company = Company(id=COMPANY, domain=domain, name=case["company_name"] or "") if domain else None
    pieces = {f"{number:08d}-0000-4000-8000-{'0' * 12}": one for number, one in enumerate(case["evidence"])}
    evidence = tuple(
        Evidence(
            id=key,
            subject_id=PERSON,
            fetched_at=NOW,
            published=one.get("published"),
            **{name: one[name] for name in ("url", "title", "text")},
        )
        for key, one in pieces.items()
    )
    identity, attached = identify(person, evidence, company)
    return identity, [pieces[one.id] for one in attached]


def scored(reader: str) -> Score:
    score = Score()
    for case in cases(reader):
        identity, attached = decided(case)
        about = {piece["about"] for piece in attached}
        score.said[identity] += 1
        if "other" in about or (identity in SURE and case["truth"] != "found"):
            score.wrong.append(case["case"])
        if "nobody" in about:
            score.stray.append(case["case"])
        if case["truth"] == "found":
            score.there[case["kind"]] += 1
            if identity in SURE and "them" in about:
                score.found[case["kind"]] += 1
            else:
                score.missed.append(f"{case['case']} ({identity})")
    return score


@pytest.mark.parametrize("reader", READERS)
def test_nobody_is_taken_for_another_and_most_are_found(reader: str) -> None:
    score = scored(reader)
    print(f"\n{reader}: {score}")  # noqa: T201
    assert score.wrong == []
    assert score.recall >= 0.8
    assert len(score.stray) <= MOST_STRAY


@pytest.mark.parametrize("reader", READERS)
def test_at_a_company_that_no_source_names_nobody_is_found(reader: str) -> None:
    for case in cases(reader):
        hint, _, domain = case["person"]["address"].partition("@")
        if company_domain(f"{hint}@{domain}") is not None:
            moved = {"name": case["person"]["name"], "address": f"{hint}@oakhaven-textiles.example"}
            identity, _ = decided({**case, "person": moved, "company_name": "Oakhaven Textiles"})
            assert identity not in SURE, case["case"]


@pytest.mark.parametrize("reader", READERS)
def test_what_was_found_of_somebody_else_changes_nothing(reader: str) -> None:
    for case, other in pairwise(cases(reader)):
        if case["person"]["name"] and company_domain(case["person"]["address"]) is not None:
            mixed = {key: [*(case[key] or ()), *(other[key] or ())] for key in ("evidence", "candidates")}
            assert decided({**case, **mixed}) == decided(case), case["case"]


@pytest.mark.parametrize("reader", READERS)
def test_nothing_is_attached_to_whom_we_are_not_sure_of(reader: str) -> None:
    for case in cases(reader):
        identity, attached = decided(case)
        assert bool(attached) is (identity in SURE), case["case"]


def test_the_corpus_is_large_and_of_every_kind() -> None:
    kinds = Counter(case["kind"] for reader in READERS for case in cases(reader))
    wanted = {"namesake", "changed_job", "transliteration", "married_name", "same_company", "subsidiary"}
    assert kinds.total() >= 40
    assert all(kinds[kind] >= 4 for kind in wanted)
    assert 2 * len(cases("first_reader")) <= kinds.total()
