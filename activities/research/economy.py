"""What is done with the money that is left: everything, or less, and said so. Pure: the same figures, the same plan.

who is to be looked up ─▶ without those we know ─▶ as many as it lasts for, people first ─▶ written, by whom it lasts for
"""

from collections.abc import Sequence
from dataclasses import dataclass

from activities.spending import Offer, Purse
from schemas.base import RowId
from schemas.briefs import Person, Profile
from schemas.budgets import Caps, Price
from schemas.research import Subject

# Beyond this share of a month nobody is asked about again of whom something is known.
PLENTY = 0.8

# Of a prompt, in bytes: what can be expected of one subject's evidence, all that stands beside it, and where it ends.
# More is paid for when it is there; this much is set aside before.
EVIDENCE_EACH = 15_000
BESIDE = 20_000
MOST_EVIDENCE = 120_000

SMALLER_MODEL = "written by a smaller model, to stay within the budget"

# Nobody's question is longer than this one's.
LONGEST = Person(
    id="0" * 8 + "-0000-4000-8000-" + "0" * 12,
    name="\U0001d538" * 120,
    hint="\U0001d538" * 100,
    company_domain="d" * 253,
    profile=Profile(),
)


@dataclass(frozen=True)
class Writer:
    """A model that can write the brief."""

    provider: str
    model: str
    price: Price
    most_tokens: int

    def offer(self, subjects: int) -> Offer:
        """A brief about so many."""
        sent = BESIDE + min(subjects * EVIDENCE_EACH, MOST_EVIDENCE)
        return Offer(self.provider, self.model, self.price.most(sent, self.most_tokens))


@dataclass(frozen=True)
class Thrift:
    """What a run's calls can cost, and what may be spent. Writers are named best first."""

    caps: Caps
    look_up: Offer
    writers: tuple[Writer, ...]


@dataclass(frozen=True)
class Standing:
    """A subject of a run; `known` when there is evidence about it, however old."""

    subject: Subject
    known: bool


@dataclass(frozen=True)
class Plan:
    """Who is looked up, and what is set aside: for the brief, and for a question about each of `asked`."""

    subjects: tuple[Subject, ...]
    writing: Offer
    asked: tuple[RowId, ...]
    economies: tuple[str, ...] = ()


def plan(standings: Sequence[Standing], purse: Purse, thrift: Thrift) -> Plan | None:
    """As much as the money lasts for; None when it does not last for a brief of anybody.

    Whoever is known already is the first to be spared, then companies, then people, the last named first, and only
    then the better model.
    """
    stale = [one for one in standings if not one.subject.fresh]
    best = thrift.writers[0].offer(len(standings)).most_micro_usd
    enough = purse.left_micro_usd >= best + len(stale) * thrift.look_up.most_micro_usd
    spared = [one.subject for one in stale if one.known and not (enough and purse.month_share <= PLENTY)]
    wanted = [one.subject for one in stale if one.subject not in spared]
    something = any(one.subject.fresh and not one.subject.empty for one in standings) or bool(spared)
    for writer in thrift.writers:
        writing = writer.offer(len(standings))
        lasts = _lasts(purse.left_micro_usd - writing.most_micro_usd, thrift.look_up, len(wanted))
        if lasts > 0 or (lasts == 0 and (something or not wanted)):
            left_out = wanted[lasts:]
            return Plan(
                subjects=tuple(_treated(one.subject, spared, left_out) for one in standings),
                writing=writing,
                asked=tuple(one.subject_id for one in wanted[:lasts]),
                economies=tuple(_sentences(spared, left_out, purse, enough=enough)),
            )
    return None


def _lasts(left: int, look_up: Offer, wanted: int) -> int:
    """For how many look-ups the money lasts, once that for the brief is set aside; -1 when it cannot be."""
    if left < 0:
        return -1
    return min(left // look_up.most_micro_usd, wanted) if look_up.most_micro_usd else wanted


def _treated(subject: Subject, spared: list[Subject], left_out: list[Subject]) -> Subject:
    return subject.model_copy(update={"fresh": subject.fresh or subject in spared, "left_out": subject in left_out})


def _sentences(spared: list[Subject], left_out: list[Subject], purse: Purse, *, enough: bool) -> list[str]:
    sentences = []
    if spared:
        why = f"to stay within {purse.name}"
        if enough:
            why = f"since more than {PLENTY:.0%} of this month's budget is used"
        sentences.append(f"{_counted(spared)} not looked up again, {why}")
    if left_out:
        sentences.append(f"{_counted(left_out)} left out, to stay within {purse.name}")
    return sentences


def _counted(subjects: list[Subject]) -> str:
    people = sum(one.key is not None for one in subjects)
    companies = len(subjects) - people
    parts = [
        *([f"{people} {'person' if people == 1 else 'people'}"] if people else []),
        *([f"{companies} {'company' if companies == 1 else 'companies'}"] if companies else []),
    ]
    return " and ".join(parts)
