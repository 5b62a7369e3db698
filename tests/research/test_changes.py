"""What is new since the last meeting, and what makes two versions the same: two versions side by side, and who counts."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.plain import clean
from activities.research.changes import CALLED, FIRST_CONTACT, changes, digest, facts_digest, sentence
from activities.research.compose import UNWRITTEN, compose
from activities.research.drafts import Draft, read
from activities.store.briefs import BriefStore
from activities.store.research import ResearchStore
from schemas.briefs import (
    BriefGap,
    BriefSubject,
    Changes,
    Claim,
    Composed,
    Evidence,
    Identity,
    LastMeeting,
    LastVersion,
    Material,
    Nature,
    Section,
)
from schemas.meetings import Attendee, MeetingFacts
from schemas.research import Gap, Start, State, Writing
from tests.fakes import thrift
from tests.research.material import COMPANY_ID, NEWS, NOW, PERSON_ID, SIZE, TALK, WORK, draft, evidence, fact, material
from tests.stage import Stage

OTHER_ID = "d" * 8 + "-0000-4000-8000-" + "d" * 12
THEN_ID = "e" * 8 + "-0000-4000-8000-" + "e" * 12
MET = datetime.fromisoformat("2026-10-12T14:00:00+00:00")

WORK_QUOTE = "has led planning at Acme Freight since March 2025"
TALK_QUOTE = "said that “a fifth of all routes” is corrected by phone"
HOSTILE = "</material>\u202e<script>'); DROP TABLE briefs; -- \x1b[31m {{7*7}} .*(a+)+$"

ADA = BriefSubject(id=PERSON_ID, kind="person", name="Ada Lovelace", identity=Identity.CONFIRMED)
MEI = BriefSubject(id=OTHER_ID, kind="person", name="Mei Tanaka", identity=Identity.PROBABLE)
ACME = BriefSubject(id=COMPANY_ID, kind="company", name="Acme Freight")


@dataclass(frozen=True)
class Said:
    """A fact of a version: the words of the model, the quote, and the number of the page."""

    quote: str
    page: int
    text: str = "A sentence."
    subject_id: str = PERSON_ID


WORKS = Said(WORK_QUOTE, 1)
TALKS = Said(TALK_QUOTE, 2)
SIZED = Said("employs 640 people in four depots", 3, subject_id=COMPANY_ID)
OPENED = Said("opened a fifth depot in Halvik", 4, subject_id=COMPANY_ID)
# What the pages say, unless a version's pages say something else.
PAGES = {1: WORK, 2: TALK, 3: SIZE, 4: NEWS}


@dataclass(frozen=True)
class Version:
    """A version of a brief: who is in the room, what is said, and the pages that it was written from."""

    facts: tuple[Said, ...] = (WORKS, SIZED)
    people: tuple[BriefSubject, ...] = (ADA,)
    texts: dict[int, str] = field(default_factory=dict)
    gaps: tuple[BriefGap, ...] = ()
    # What tells its rows from those of another version.
    row: str = field(default_factory=lambda: uuid4().hex[:12])

    @property
    def subjects(self) -> tuple[BriefSubject, ...]:
        return (*self.people, ACME)

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """One row for each page and subject; the ids are this version's own."""
        pages = dict.fromkeys((said.page, said.subject_id) for said in self.facts)
        return tuple(
            evidence(page, of, self.texts.get(page, PAGES.get(page, "")), id=self._id(page, of)) for page, of in pages
        )

    @property
    def claims(self) -> tuple[Claim, ...]:
        facts = [self._claim(number, said) for number, said in enumerate(self.facts)]
        rests_on = tuple(claim.id for claim in facts)
        advice = Claim(id=str(uuid4()), section=Section.FIT, nature=Nature.ASSESSMENT, text="x", rests_on=rests_on)
        return (*facts, advice)

    def _claim(self, number: int, said: Said) -> Claim:
        page = next(one for one in self.evidence if one.id == self._id(said.page, said.subject_id))
        return Claim(
            id=f"{number:08d}-1111-4000-8000-{self.row}",
            section=Section.PEOPLE if said.subject_id != COMPANY_ID else Section.COMPANY,
            nature=Nature.FACT,
            text=said.text,
            subject_id=said.subject_id,
            as_of=page.published,
            evidence_id=page.id,
            quote=clean(said.quote, 1200),
        )

    def _id(self, page: int, of: str) -> str:
        return f"{page:08d}-{of[:4]}-4000-8000-{self.row}"

    def digest(self) -> str:
        return facts_digest(self.subjects, self.claims, self.gaps, self.evidence)

    def as_last(self) -> LastMeeting:
        """This version as the brief of the last meeting."""
        return LastMeeting(
            starts_at=MET,
            people=tuple(one.id for one in self.people),
            brief_id=THEN_ID,
            about=tuple(one.id for one in self.subjects),
            evidence=self.evidence,
        )


def compared(then: Version, now: Version) -> tuple[Changes, list[str]]:
    """What changed, and the quotes that are new."""
    found = changes(then.as_last(), now.subjects, now.claims, now.evidence)
    quotes = {claim.id: claim.quote or "" for claim in now.claims}
    return found, [quotes[claim_id] for claim_id in found.new_claims]


THEN = Version()
MEI_TOO = Said("Mei Tanaka plans the night shift", 5, subject_id=OTHER_ID)


@pytest.mark.parametrize(
    ("then", "now", "new", "newcomers"),
    [
        pytest.param(THEN, Version(), [], (), id="unchanged"),
        pytest.param(THEN, Version((SIZED, WORKS)), [], (), id="another order"),
        pytest.param(THEN, Version((Said(WORK_QUOTE, 1, "Planning is hers."), SIZED)), [], (), id="another sentence"),
        pytest.param(THEN, Version((Said(WORK_QUOTE.upper() + " ", 1), SIZED)), [], (), id="the quote in capitals"),
        pytest.param(THEN, Version((Said("began as a dispatcher in Leeds", 1),)), [], (), id="an old passage"),
        pytest.param(THEN, Version((WORKS, TALKS)), [TALK_QUOTE], (), id="a new page"),
        pytest.param(
            THEN,
            Version((Said("left planning in November", 1),), texts={1: WORK + " She left planning in November."}),
            ["left planning in November"],
            (),
            id="a new passage on an old page",
        ),
        pytest.param(
            Version((Said("raised 1.4 million euros", 6),), texts={6: "It raised 1.4 million euros."}),
            Version((Said("raised 14 million euros", 6),), texts={6: "It raised 14 million euros."}),
            ["raised 14 million euros"],
            (),
            id="another number",
        ),
        pytest.param(THEN, Version((Said(WORK_QUOTE, 7),), texts={7: WORK}), [WORK_QUOTE], (), id="on another page"),
        pytest.param(THEN, Version((SIZED,)), [], (), id="a fact is gone"),
        pytest.param(THEN, Version(()), [], (), id="all facts are gone"),
        pytest.param(Version((SIZED,)), THEN, [WORK_QUOTE], (), id="somebody of whom nothing was known then"),
        pytest.param(
            THEN,
            Version((WORKS, MEI_TOO, SIZED), (ADA, MEI), {5: "Mei Tanaka plans the night shift."}),
            [],
            (OTHER_ID,),
            id="somebody new, named and not compared",
        ),
        pytest.param(Version(people=(ADA, MEI)), Version(), [], (), id="somebody left"),
        pytest.param(Version(people=(MEI,)), Version(people=(ADA,)), [], (PERSON_ID,), id="somebody else instead"),
        pytest.param(
            Version((Said(HOSTILE, 8),), texts={8: HOSTILE}),
            Version((Said(HOSTILE, 8),), texts={8: HOSTILE}),
            [],
            (),
            id="hostile words, unchanged",
        ),
        pytest.param(
            Version((Said(WORK_QUOTE, 8),), texts={8: f"{HOSTILE} {WORK}"}),
            Version((Said(WORK_QUOTE, 8),), texts={8: f"{WORK} {HOSTILE}"}),
            [],
            (),
            id="hostile words around a quote",
        ),
        pytest.param(
            Version((Said(WORK_QUOTE, 8),), texts={8: WORK.replace("e", "e\u200b")}),
            Version((Said(WORK_QUOTE, 8),), texts={8: WORK}),
            [],
            (),
            id="invisible letters then",
        ),
    ],
)
def test_two_versions(then: Version, now: Version, new: list[str], newcomers: tuple[str, ...]) -> None:
    found, quotes = compared(then, now)
    assert (quotes, found.new_people) == (new, newcomers)
    assert (found.last_met_at, found.compared_with) == (MET, THEN_ID)


def test_no_meeting_before_is_first_contact_and_nobody_is_new() -> None:
    found = changes(None, THEN.subjects, THEN.claims, THEN.evidence)
    assert found == Changes()
    assert sentence(found) == FIRST_CONTACT
    assert sentence(found, called=True) == CALLED


def test_a_meeting_without_a_brief_is_a_meeting_and_nothing_is_compared() -> None:
    last = LastMeeting(starts_at=MET, people=(OTHER_ID,))
    found = changes(last, THEN.subjects, THEN.claims, THEN.evidence)
    assert found == Changes(last_met_at=MET, new_people=(PERSON_ID,))
    assert "without a brief" in sentence(found)


def test_only_somebody_s_own_pages_count_as_known() -> None:
    """The same page under the company's name is not what was known of the person."""
    then = Version((Said(WORK_QUOTE, 1, subject_id=COMPANY_ID),))
    assert compared(then, Version((WORKS,)))[1] == [WORK_QUOTE]


def test_the_most_recent_comes_first_and_what_has_no_date_last() -> None:
    now = Version((WORKS, SIZED, TALKS, OPENED))
    undated = next(one.evidence_id for one in now.claims if one.quote == OPENED.quote)
    pages = [one.model_copy(update={"published": None}) if one.id == undated else one for one in now.evidence]
    found = changes(Version(()).as_last(), now.subjects, now.claims, pages)
    quotes = {claim.id: claim.quote for claim in now.claims}
    assert [quotes[one] for one in found.new_claims] == [SIZED.quote, TALKS.quote, WORKS.quote, OPENED.quote]


@given(st.lists(st.sampled_from([WORKS, TALKS, SIZED, OPENED]), unique=True))
def test_a_brief_has_nothing_new_against_itself(facts: list[Said]) -> None:
    assert compared(Version(tuple(facts)), Version(tuple(facts)))[1] == []


@given(st.text(), st.text(), st.text())
def test_any_text_is_compared(quote: str, then: str, now: str) -> None:
    both = (Version((Said(quote, 9),), texts={9: then}), Version((Said(quote, 9),), texts={9: now}))
    found, _ = compared(*both)
    assert len(found.new_claims) <= 1
    assert len(both[0].digest()) == len(both[1].digest()) == 64


@pytest.mark.parametrize(
    ("other", "same"),
    [
        pytest.param(Version(), True, id="other ids alone"),
        pytest.param(Version((SIZED, WORKS)), True, id="another order"),
        pytest.param(Version((WORKS, WORKS, SIZED)), True, id="the same quote twice"),
        pytest.param(Version((Said(WORK_QUOTE, 1, "Planning is hers."), SIZED)), True, id="another sentence"),
        pytest.param(Version((Said(f" {WORK_QUOTE.upper()}", 1), SIZED)), True, id="the quote in capitals"),
        pytest.param(Version(gaps=(BriefGap(about="risks", reason="none"),)), True, id="a section without advice"),
        pytest.param(Version((WORKS, TALKS, SIZED)), False, id="one fact more"),
        pytest.param(Version((WORKS,)), False, id="one fact fewer"),
        pytest.param(Version((Said(WORK_QUOTE, 7), SIZED), texts={7: WORK}), False, id="another page"),
        pytest.param(Version(people=(ADA, MEI)), False, id="somebody more"),
        pytest.param(Version(people=(MEI,)), False, id="somebody else"),
        pytest.param(
            Version(people=(ADA.model_copy(update={"identity": Identity.PROBABLE}),)), False, id="less sure of somebody"
        ),
        pytest.param(Version(people=(ADA.model_copy(update={"name": "A. Lovelace"}),)), True, id="another name"),
        pytest.param(
            Version(gaps=(BriefGap(subject_id=PERSON_ID, about="Ada", reason="the look-up failed"),)),
            False,
            id="a look-up that failed",
        ),
    ],
)
def test_a_version_is_the_same_when_what_is_material_is(other: Version, same: bool) -> None:
    assert (other.digest() == Version().digest()) is same


def version(digest_: str = "then", people: tuple[BriefSubject, ...] = (ADA,), *pages: Evidence) -> LastVersion:
    standings = frozenset((one.id, one.identity.value if one.identity else "") for one in people)
    return LastVersion(digest=digest_, people=standings, evidence=pages)


def next_digest(last: LastVersion | None, now: Version) -> str:
    return digest(last, now.subjects, now.claims, now.gaps, now.evidence)


NOW_VERSION = Version((WORKS, SIZED), people=(ADA,))


def test_a_version_without_news_keeps_the_last_one_s_digest_whatever_it_quotes() -> None:
    last = version("then", NOW_VERSION.subjects, *Version((WORKS, SIZED, TALKS)).evidence)
    assert next_digest(last, NOW_VERSION) == "then"
    failed = BriefGap(subject_id=PERSON_ID, about="Ada", reason="the look-up failed")
    assert next_digest(last, replace(NOW_VERSION, gaps=(failed,))) == "then", "a failed look-up is no news"


def test_a_new_fact_or_somebody_else_makes_another_digest() -> None:
    only_size = version("then", NOW_VERSION.subjects, *Version((SIZED,)).evidence)
    assert next_digest(only_size, NOW_VERSION) == NOW_VERSION.digest()
    others = version("then", (MEI,), *NOW_VERSION.evidence)
    assert next_digest(others, NOW_VERSION) == NOW_VERSION.digest()
    before_there_were_digests = version("", NOW_VERSION.subjects, *NOW_VERSION.evidence)
    assert next_digest(before_there_were_digests, NOW_VERSION) == NOW_VERSION.digest() != ""


def test_another_reason_for_a_gap_is_material() -> None:
    gaps = [BriefGap(subject_id=PERSON_ID, about="Ada", reason=reason) for reason in ("it failed", "it took too long")]
    assert len({Version(gaps=(gap,)).digest() for gap in gaps}) == 2


def test_a_digest_does_not_run_its_parts_together() -> None:
    texts = {1: "one page and another page"}
    first = Version((Said("one page and", 1), Said("another page", 1)), texts=texts)
    assert first.digest() != Version((Said("one page and another page", 1),), texts=texts).digest()


def composed(last: LastMeeting | None, gaps: tuple[Gap, ...] = (), **sections: Any) -> Composed:
    brief = compose(material(last_meeting=last), Draft.model_validate(draft(fact(), **sections)), gaps, NOW)
    assert isinstance(brief, Composed)
    return brief


def test_a_brief_says_what_changed_and_carries_its_digest() -> None:
    first, repeat = composed(None), composed(Version().as_last())
    assert first.what_changed == FIRST_CONTACT
    assert repeat.what_changed == "Nothing new since you last met."
    assert composed(Version((SIZED,)).as_last()).what_changed == "1 new fact since you last met."
    # Whom we met when is not what a brief says of them.
    assert first.facts_digest == repeat.facts_digest != ""


def test_a_model_s_mood_does_not_change_the_digest() -> None:
    line = {"text": "Ask about planning.", "rests_on": ["f1"]}
    long_headline = {"text": "word " * 26, "rests_on": ["f1"]}
    assert composed(None).facts_digest == composed(None, questions=[line], headline=long_headline).facts_digest


def test_a_look_up_that_failed_changes_the_digest() -> None:
    gaps = (Gap(subject_id=COMPANY_ID, state=State.FAILED),)
    assert composed(None).facts_digest != composed(None, gaps).facts_digest


# Which meeting was the last one: rows in Postgres.

EMAIL = "ada@lovelace.example"
DAYS = timedelta(days=1)


async def met(stage: Stage, days: float, *emails: str, key: str | None = None) -> str:
    """A meeting so many days from now; its research has the same id."""
    people = tuple(Attendee(email=email) for email in emails or (EMAIL,))
    facts = MeetingFacts(
        source="test", source_key=key or str(uuid4()), title="t", starts_at=NOW + days * DAYS, attendees=people
    )
    return await stage.meeting(facts)


async def last_meeting(stage: Stage, research_id: str) -> LastMeeting | None:
    return (await taken(stage, research_id))[1].last_meeting


async def taken(stage: Stage, research_id: str) -> tuple[Writing, Material]:
    """A new version, as far as what it is written from."""
    tenant_id, run_id = stage.tenant.id, str(uuid4())
    start = Start(tenant_id=tenant_id, research_id=research_id, run_id=run_id, now=NOW)
    begun = await ResearchStore(stage.database).begin(start, thrift(), sandbox=True)
    order = Writing(
        tenant_id=tenant_id, research_id=research_id, version=begun.version, brief_id=begun.brief_id, now=NOW
    )
    return order, await BriefStore(stage.database).material(order, sandbox=True, now=NOW, queued_s=0)


async def written(stage: Stage, research_id: str) -> str:
    """A brief of that research, about its people, without any fact."""
    order, made = await taken(stage, research_id)
    draft = read(UNWRITTEN)
    assert isinstance(draft, Draft)
    brief = compose(made, draft, (), NOW)
    assert isinstance(brief, Composed)
    await BriefStore(stage.database).finish(order, brief, "m", True, NOW)
    return order.brief_id


async def change(stage: Stage, statement: str, *values: Any) -> None:
    async with stage.database.tenant(stage.tenant.id) as connection:
        await connection.execute(statement, *values)


async def test_the_newest_meeting_with_any_of_them_is_the_last_one(stage: Stage) -> None:
    await met(stage, -9)
    await met(stage, -2, EMAIL, "tomas@brightwater.example")
    await met(stage, -1, "mei@gmail.com")
    last = await last_meeting(stage, await met(stage, 1, EMAIL, "kim@gmail.com"))
    assert last is not None
    assert last.starts_at == NOW - 2 * DAYS
    assert len(last.people) == 2
    assert (last.brief_id, last.about, last.evidence) == (None, (), ())


async def test_its_newest_brief_is_what_is_compared_with(stage: Stage) -> None:
    before = await met(stage, -2)
    await written(stage, before)
    newest = await written(stage, before)
    last = await last_meeting(stage, await met(stage, 1))
    assert last is not None
    assert last.brief_id == newest
    assert len(last.about) == 2, "the person and the company"


async def cancelled(stage: Stage) -> None:
    await change(stage, "UPDATE meetings SET cancelled = true WHERE id = $1", await met(stage, -2))


async def later(stage: Stage) -> None:
    await met(stage, 3)


async def at_the_same_time(stage: Stage) -> None:
    await met(stage, 1)


async def with_others(stage: Stage) -> None:
    """From the same company, but another person."""
    await written(stage, await met(stage, -2, "grace@lovelace.example"))


async def ad_hoc(stage: Stage) -> None:
    await written(stage, await stage.request(EMAIL))


async def a_colleague_s(stage: Stage) -> None:
    other = str(uuid4())
    await change(
        stage,
        "INSERT INTO users (tenant_id, id, email, name, created_at) VALUES (current_tenant(), $1, 'kim@x.example', 'Kim', $2)",
        other,
        NOW,
    )
    meeting = await met(stage, -2)
    await change(stage, "UPDATE meetings SET user_id = $1 WHERE id = $2", other, meeting)
    await change(stage, "UPDATE research SET user_id = $1 WHERE id = $2", other, meeting)


async def an_earlier_version(stage: Stage) -> None:
    await written(stage, await met(stage, 1, key="this one"))


async def nothing(_stage: Stage) -> None:
    return


@pytest.mark.parametrize(
    "earlier", [nothing, cancelled, later, at_the_same_time, with_others, ad_hoc, a_colleague_s, an_earlier_version]
)
async def test_what_is_no_last_meeting(stage: Stage, earlier: Callable[[Stage], Any]) -> None:
    await earlier(stage)
    assert await last_meeting(stage, await met(stage, 1, key="this one")) is None


async def test_a_meeting_before_this_one_counts_though_it_is_still_to_come(stage: Stage) -> None:
    """The brief is read just before its own meeting."""
    await met(stage, 1)
    last = await last_meeting(stage, await met(stage, 2))
    assert last is not None
    assert last.starts_at == NOW + DAYS


async def test_for_an_ad_hoc_request_a_meeting_must_have_begun(stage: Stage) -> None:
    research_id = await stage.request(EMAIL)
    await met(stage, 1)
    assert await last_meeting(stage, research_id) is None
    await met(stage, -1)
    last = await last_meeting(stage, research_id)
    assert last is not None
    assert last.starts_at == NOW - DAYS


async def test_a_pretended_brief_is_nothing_to_compare_a_real_one_with(stage: Stage) -> None:
    await written(stage, await met(stage, -2))
    order, _ = await taken(stage, await met(stage, 1))
    real = (await BriefStore(stage.database).material(order, sandbox=False, now=NOW, queued_s=0)).last_meeting
    assert real is not None
    assert (real.brief_id, real.about) == (None, ())


def test_a_brief_s_changes_are_json() -> None:
    said = json.loads(compared(THEN, Version((WORKS, TALKS)))[0].model_dump_json())
    assert said.keys() == {"last_met_at", "compared_with", "new_claims", "new_people"}
