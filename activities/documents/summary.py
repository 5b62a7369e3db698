"""What a run comes to, by rule from what was found: its risk, its summary, what is missing. Pure."""

from collections.abc import Iterable, Sequence

from activities.documents import rubric, signs
from activities.documents.checks import cut
from activities.documents.letters import letter
from activities.documents.ports import Conclusion, Differs, Extract, Found, Material, Text
from activities.plain import clean
from schemas.documents import Change, Passage, Risk, Topic, Work

# Of lines of the rubric, of what is missing, of what differs: as many as a sentence bears.
MOST_TOLD = 3
# Clauses whose words tell what nobody spoke of.
MOST_UNREAD = 20

# What a summary tells first, by what is known of it; the first of each line.
_TOLD = (
    (Topic.PURPOSE, Topic.PARTIES, Topic.OBLIGATIONS, Topic.DEFINITION),
    (Topic.TERM,),
    (Topic.SURVIVAL,),
    (Topic.GOVERNING_LAW,),
)


def conclusion(work: Work, material: Material, result: Extract) -> Conclusion:
    """Without an object key: whoever put the object knows it."""
    if work is Work.COMPARISON:
        return _compared(result.differences)
    if work is Work.REDLINE:
        count = len(result.proposals)
        said = "No change is proposed." if not count else f"{_counted(count, 'change')} proposed."
        return Conclusion(summary=(said,), letter=letter(material.text, material.name, result.proposals))
    added = (*_unread(material.text, result.findings), *_missing(material.text, result.findings))
    found = (*result.findings, *added)
    return Conclusion(risk=rubric.worst(one.risk for one in found), summary=_summary(found), findings=added)


def _missing(text: Text, findings: Sequence[Found]) -> list[Found]:
    """What is neither found nor spoken of."""
    known = {one.topic for one in findings}
    return [
        Found(topic.value, rubric.MISSING, risk, f"Nothing is said about {topic.value}.", None)
        for topic, risk in rubric.EXPECTED.items()
        if topic.value not in known and not signs.speaks_of(topic, text.text)
    ]


def _unread(text: Text, findings: Sequence[Found]) -> list[Found]:
    """Where words stand that often mean risk, and nobody said that anything is risky there."""
    found: list[Found] = []
    for clause in text.clauses:
        said = text.of(clause)
        for rule, place in signs.signs(said).items():
            line, passage = rubric.RULES[rule], cut(clause, said, *place)
            if not any(_speaks_of(one, line, passage) for one in findings):
                words = f"It says “{clean(passage.quote, 100)}”: read it."
                found.append(Found(line.topic.value, rubric.UNREAD, rubric.UNREAD_RISK, words, passage))
    return found[:MOST_UNREAD]


def _speaks_of(one: Found, rule: rubric.Rule, at: Passage) -> bool:
    """It says that this rule is broken in this clause, or anything risky of these words."""
    if one.passage is None or one.risk is Risk.NONE or one.passage.clause != at.clause:
        return False
    return one.rule == rule.line or (one.passage.start < at.end and at.start < one.passage.end)


def _summary(found: Sequence[Found]) -> tuple[str, ...]:
    """What it is, how long, by which law, what is risky, what is missing: nothing that no finding says."""
    plain = [one for topics in _TOLD if (one := _first(found, topics)) is not None]
    return (*(one.said for one in plain), *_risky(found), *_lacking(found))


def _first(found: Sequence[Found], topics: Iterable[Topic]) -> Found | None:
    return next((one for topic in topics for one in found if one.topic == topic.value and one.passage), None)


def _risky(found: Sequence[Found]) -> list[str]:
    """The lines that the worst of them break."""
    standing = [one for one in found if one.passage and one.rule]
    worst = rubric.worst(one.risk for one in standing)
    lines = list(dict.fromkeys(one.rule for one in standing if one.risk is worst))
    if not lines:
        return []
    more = f" And {len(lines) - MOST_TOLD} more." if len(lines) > MOST_TOLD else ""
    return [f"{worst.value.capitalize()} risk: {' '.join(lines[:MOST_TOLD])}{more}"]


def _lacking(found: Sequence[Found]) -> list[str]:
    topics = [one.topic for one in found if one.passage is None]
    return [f"Nothing is said about {', '.join(topics)}."] if topics else []


def _compared(differences: Sequence[Differs]) -> Conclusion:
    matters = sorted(
        (one for one in differences if one.matters is not Risk.NONE), key=lambda one: -rubric.rank(one.matters)
    )
    counts = [
        f"{_counted(len(some), name)} {what}."
        for change, name, what in (
            (Change.CHANGED, "difference", "found"),
            (Change.ADDED, "clause", "only here"),
            (Change.MISSING, "clause", "missing here"),
        )
        if (some := [one for one in matters if one.change == change.value])
    ]
    telling = [one.said for one in matters if one.change == Change.CHANGED.value][:MOST_TOLD]
    nothing = () if matters else ("Nothing differs that matters.",)
    return Conclusion(
        risk=rubric.worst(one.matters for one in differences),
        summary=(*nothing, *counts, *dict.fromkeys(telling)),
    )


def _counted(count: int, what: str) -> str:
    return f"{count} {what} is" if count == 1 else f"{count} {what}s are"
