"""What a model says of pairs of clauses, held against both; and what is said of a pair without one. Pure."""

import re
from collections import Counter
from collections.abc import Sequence

from activities.documents import pairing, rubric, signs
from activities.documents.checks import cut as cut_of
from activities.documents.checks import fit, topic_said, whole
from activities.documents.places import Words
from activities.documents.ports import Differs, Extract, Pair, Text
from activities.documents.said import LONGEST_QUOTE, LONGEST_SAID, Compared, DifferenceSaid
from activities.plain import clean
from activities.research.figures import lacking
from schemas.documents import LONGEST_PART, Change, Clause, Passage, Risk

# Pairs beyond so many letters are told as different by code alone: a clause may be answered by a far longer one.
MOST_LETTERS = 3 * LONGEST_PART

FORMAL = "A title or a note: nothing that anybody owes."

# Names of sections differ wherever one more stands before them.
_REFERENCE = re.compile(r"\b(?:sections?|clauses?|articles?|paragraphs?)\s+\d+(?:\.\d+)*(?:\([a-z0-9]{1,4}\))*")
_TURNING = re.compile(r"\b(?:not|no|never|nor|neither|without|unless|except|only|may|must|shall|will)\b")


def told(pair: Pair, text: Text) -> Differs | None:
    """What needs no model: the same words, what the other side has alone, and titles and notes, which matter nothing."""
    if pair.ours is None:
        return _without(pair)
    ours = text.of(pair.ours)
    if signs.formal(ours) and (pair.theirs is None or signs.formal(pair.theirs_text)):
        same = pair.theirs and pairing.same(ours, pair.theirs_text, pair.ours.number, pair.theirs.number)
        change = Change.SAME if same else Change.CHANGED if pair.theirs else Change.ADDED
        return _made(pair, text, change, Risk.NONE, "The same words." if same else FORMAL)
    if pair.theirs is None and pair.theirs_document_id is None:
        return _made(pair, text, Change.ADDED, Risk.LOW, "No reference has a clause like this one.")
    if pair.theirs and pairing.same(ours, pair.theirs_text, pair.ours.number, pair.theirs.number):
        return _made(pair, text, Change.SAME, Risk.NONE, "The same words.")
    return None


def asked(pairs: Sequence[Pair], text: Text) -> dict[str, Pair]:
    """What a model is asked about, by the names that it gets: all that differs, as long as there is room."""
    found: dict[str, Pair] = {}
    left = MOST_LETTERS
    for pair in pairs:
        if told(pair, text) is None:
            left -= len(text.of(pair.ours) if pair.ours else "") + len(pair.theirs_text)
            if left >= 0:
                found[f"p{len(found) + 1}"] = pair
    return found


def compared(said: Compared, text: Text, pairs: Sequence[Pair]) -> Extract:
    """Every pair is told: by what stands in both of its clauses, and where nothing is kept of that, as different."""
    names = asked(pairs, text)
    kept: dict[Pair, list[Differs]] = {}
    for one in said.differences:
        pair = names.get(one.pair)
        differs = _differs(one, pair, text) if pair else None
        if pair and differs:
            kept.setdefault(pair, []).append(differs)
    dropped = len(said.differences) - sum(map(len, kept.values()))
    found = [one for pair in pairs for one in kept.get(pair) or [told(pair, text) or _unsaid(pair, text)]]
    return Extract(differences=tuple(dict.fromkeys(found)), dropped=dropped)


def _differs(said: DifferenceSaid, pair: Pair, text: Text) -> Differs | None:
    topic, words, sides = topic_said(said.topic), clean(said.said, LONGEST_SAID), _sides(said, pair, text)
    if topic is None or sides is None or said.effect not in rubric.EFFECTS:
        return None
    if not fit(words, " ".join(side.quote for side in sides if side), topic=topic):
        return None
    return Differs(
        topic=topic.value,
        change=(Change.CHANGED if pair.theirs else Change.ADDED).value,
        matters=rubric.matters(said.effect, topic, _least(pair, text)),
        said=words,
        ours=sides[0],
        theirs=sides[1],
        theirs_document_id=pair.theirs_document_id if pair.theirs else None,
    )


def _sides(said: DifferenceSaid, pair: Pair, text: Text) -> tuple[Passage | None, Passage | None] | None:
    """Where the quotes stand; nothing when one of them stands nowhere, or there is none."""
    ours = _side(said.ours, pair.ours, text.of(pair.ours) if pair.ours else "")
    theirs = _side(said.theirs, pair.theirs, pair.theirs_text)
    if (said.ours and ours is None) or (said.theirs and theirs is None) or ours is theirs:
        return None
    return ours, theirs


def _side(quote: str, clause: Clause | None, text: str) -> Passage | None:
    place = Words(text).find(clean(quote, LONGEST_QUOTE)) if clause and quote else None
    return cut_of(clause, text, *place) if clause and place else None


def _without(pair: Pair) -> Differs:
    """What is missing matters as the rubric says of its topic, and otherwise noticeably."""
    topic = signs.topic_of(pair.theirs_text)
    formal = signs.formal(pair.theirs_text)
    risk = Risk.NONE if formal else Risk.LOW if topic in rubric.MINOR else rubric.EXPECTED.get(topic, Risk.MEDIUM)
    return Differs(
        topic=topic.value,
        change=Change.MISSING.value,
        matters=risk,
        said=FORMAL if formal else "Nothing here answers this clause.",
        ours=None,
        theirs=whole(pair.theirs, pair.theirs_text) if pair.theirs else None,
        theirs_document_id=pair.theirs_document_id,
    )


def _unsaid(pair: Pair, text: Text) -> Differs:
    if pair.theirs is None:
        return _made(pair, text, Change.ADDED, Risk.MEDIUM, "Nothing there answers this clause.")
    return _made(pair, text, Change.CHANGED, rubric.worst([Risk.LOW, _least(pair, text)]), "The words differ here.")


def _made(pair: Pair, text: Text, change: Change, matters: Risk, said: str) -> Differs:
    ours = text.of(pair.ours) if pair.ours else ""
    return Differs(
        topic=signs.topic_of(ours).value,
        change=change.value,
        matters=matters,
        said=said,
        ours=whole(pair.ours, ours) if pair.ours else None,
        theirs=whole(pair.theirs, pair.theirs_text) if pair.theirs else None,
        theirs_document_id=pair.theirs_document_id if pair.theirs else None,
    )


def _least(pair: Pair, text: Text) -> Risk:
    """What code sees for itself: another number, or another word that turns a sentence around, is never the same thing."""
    if pair.ours is None or pair.theirs is None:
        return Risk.NONE
    ours = _REFERENCE.sub(" ", pairing.bare(text.of(pair.ours), pair.ours.number))
    theirs = _REFERENCE.sub(" ", pairing.bare(pair.theirs_text, pair.theirs.number))
    turned = Counter(_TURNING.findall(ours)) != Counter(_TURNING.findall(theirs))
    return Risk.MEDIUM if turned or lacking(ours, theirs) or lacking(theirs, ours) else Risk.NONE
