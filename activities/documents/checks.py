"""What a model says of a part of a document, held against what stands there: where, and how risky it is, is set here."""

import re
from collections.abc import Sequence

from activities.documents import rubric, signs
from activities.documents.places import Words, around
from activities.documents.ports import Extract, Found, Text
from activities.documents.prompts import label
from activities.documents.said import LONGEST_QUOTE, LONGEST_SAID, FindingSaid, Reviewed
from activities.plain import clean
from activities.research.figures import lacking
from schemas.documents import Clause, Passage, Risk, Topic

# An address may be repeated where the document has it; markup and schemes that do something, never.
_MARKUP = re.compile(r"javascript\s*:|data:\s*\w+/|\]\(|<[a-z/!]", re.IGNORECASE)
_ADDRESS = re.compile(r"\w+://\S*|www\.\S+|\S+@\S+|(?<![\w.-])(?:[\w-]+\.)+[a-z]{2,24}(?![\w-])", re.IGNORECASE)
# Of these every number counts, in words too: how long, how much.
_TO_THE_LETTER = {Topic.TERM, Topic.SURVIVAL, Topic.RETURN, Topic.LIABILITY, Topic.NON_COMPETE, Topic.NON_SOLICIT}


_END = re.compile(r"[.!?;](?=\s)|\n")


class Page:
    """A part of a document, in which quotes are looked for: in the clause that is named first, then in the others."""

    def __init__(self, text: Text, part: Sequence[Clause]) -> None:
        self._text = text
        self._clauses = {label(clause.ordinal): clause for clause in part}
        self._read: dict[str, Words] = {}

    def passage(self, name: str, quote: str) -> Passage | None:
        for one in (name, *(other for other in self._clauses if other != name)):
            if one in self._clauses and (place := self._words(one).find(quote)):
                return self._cut(one, place)
        return None

    def exactly(self, name: str, words: str) -> Passage | None:
        """Words of that very clause which stand there once."""
        place = self._words(name).exactly(words) if name in self._clauses else None
        return self._cut(name, place) if place else None

    def anywhere(self, words: str) -> Passage | None:
        """... or of any clause, in one alone."""
        found = [passage for name in self._clauses if (passage := self.exactly(name, words))]
        return found[0] if len(found) == 1 else None

    def around(self, passage: Passage) -> str:
        """The passage as it stands in its clause, with a little beside it."""
        clause = self._clauses[label(passage.clause)]
        return around(self._text.of(clause), passage.start - clause.start, passage.end - clause.start)

    def sentence(self, passage: Passage) -> str:
        """All of the sentences that it is of."""
        said, start = self.clause(passage), passage.start - self._clauses[label(passage.clause)].start
        begins = max((end.end() for end in _END.finditer(said, 0, start)), default=0)
        ends = _END.search(said, max(start + len(passage.quote) - 1, 0))
        return said[begins : ends.end() if ends else len(said)]

    def clause(self, passage: Passage) -> str:
        return self._text.of(self._clauses[label(passage.clause)])

    def _words(self, name: str) -> Words:
        if name not in self._read:
            self._read[name] = Words(self._text.of(self._clauses[name]))
        return self._read[name]

    def _cut(self, name: str, place: tuple[int, int]) -> Passage:
        return cut(self._clauses[name], self._text.of(self._clauses[name]), *place)


def cut(clause: Clause, text: str, start: int, end: int) -> Passage:
    """What stands there in a clause of this text."""
    return Passage(clause=clause.ordinal, start=clause.start + start, end=clause.start + end, quote=text[start:end])


def whole(clause: Clause, text: str) -> Passage:
    """All of a clause but the white space around it."""
    start = len(text) - len(text.lstrip())
    return cut(clause, text, start, start + len(text.strip()))


def reviewed(said: Reviewed, text: Text, part: Sequence[Clause]) -> Extract:
    """Keep what stands in the part, each thing once."""
    page = Page(text, part)
    kept = [found for one in said.findings if (found := _found(one, page)) is not None]
    return Extract(findings=tuple(_told(_once(kept))), dropped=len(said.findings) - len(kept))


def _found(said: FindingSaid, page: Page) -> Found | None:
    """A line of the rubric is about what it is about, whatever the model calls it; words to a machine are about nothing."""
    rule = rubric.RULES.get(said.rule)
    topic = rule.topic if rule else topic_said(said.topic)
    if topic is None or (said.rule and rule is None):
        return None
    passage = page.passage(said.clause, clean(said.quote, LONGEST_QUOTE))
    words = clean(said.said, LONGEST_SAID)
    if passage is None or not fit(words, passage.quote, page.around(passage), topic=topic):
        return None
    if said.rule != signs.UNUSUAL and signs.speaks_to_machines(page.sentence(passage)):
        return None
    line, risk = (rule.line, rule.risk) if rule else ("", Risk.NONE)
    return Found(topic=topic.value, rule=line, risk=risk, said=words, passage=passage)


def _once(kept: Sequence[Found]) -> list[Found]:
    """The first that is said of a place under a topic and a line."""
    places: dict[tuple[str, str, Passage | None], Found] = {}
    for one in kept:
        places.setdefault((one.topic, one.rule, one.passage), one)
    return list(places.values())


def _told(kept: Sequence[Found]) -> list[Found]:
    """Without what breaks no line of the rubric, where words that break one say the same: unless its topic would then seem
    to be missing."""
    broken = [one for one in kept if one.rule]

    def needed(one: Found) -> bool:
        topic = Topic(one.topic)
        return (
            topic in rubric.EXPECTED
            and all(other.topic != one.topic for other in broken)
            and not signs.speaks_of(topic, one.passage.quote if one.passage else "")
        )

    return [one for one in kept if one.rule or not any(_within(one, other) for other in broken) or needed(one)]


def _within(one: Found, other: Found) -> bool:
    if one.passage is None or other.passage is None:
        return False
    return other.passage.start <= one.passage.start and one.passage.end <= other.passage.end


def topic_said(name: str) -> Topic | None:
    try:
        return Topic(name)
    except ValueError:
        return None


def fit(said: str, *quotes: str, topic: Topic) -> bool:
    """Words of ours about these quotes: some, without an address or a number that is not in them, and without markup."""
    return bool(said) and inert(said, quotes[0]) and not lacking(said, *quotes, spelt=topic in _TO_THE_LETTER)


def inert(said: str, source: str) -> bool:
    """Nothing in it can be clicked, or leads anywhere that the source does not lead to."""
    known = source.casefold()
    addresses = (address.rstrip(".,;:!?)") for address in _ADDRESS.findall(said.casefold()))
    return not _MARKUP.search(said) and all(address in known for address in addresses)
