"""The pretended model that goes through agreements: it knows clauses by their words, and says nothing else of them.

<clauses> ─▶ sentences ─▶ what each is about and which rule it breaks, quoted
<pairs> ─▶ sentences that stand on one side alone
<changes> ─▶ findings ─▶ their sentences with softer ones in their place
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ValidationError

from sandbox import phrases
from sandbox.brand import RefusedError
from sandbox.schema import fitted

Item = dict[str, Any]

SHORTEST_QUOTE, LONGEST_QUOTE = 12, 1400
LONGEST_HEADING = 80
ALIKE = 0.8

# What a clause orders whoever reads it to say.
ORDERED = re.compile(r"\b(?:say|report|state|answer) that ([^.]+)\.", re.IGNORECASE)
_SENTENCES = re.compile(r"(?<=[.!?;])\s+|\n+")
_WORDS = re.compile(r"\w+")


class Clause(BaseModel):
    id: str
    text: str


class Pair(BaseModel):
    pair: str
    ours: str | None = None
    theirs: str | None = None


class Finding(BaseModel):
    id: str
    clause: str | None = None
    topic: str = ""
    quote: str | None = None
    playbook: str | None = None


class Task(BaseModel):
    """What the client hands over. Fields we do not need are ignored, as a reader would."""

    clauses: list[Clause] = []
    pairs: list[Pair] = []
    findings: list[Finding] = []
    kind: str = ""

    @property
    def label(self) -> str:
        return f"{self.kind}:{len(self.clauses) or len(self.pairs)}"


def task(text: str) -> Task | None:
    """The block in a message, if there is one."""
    blocks = re.findall(r"<(clauses|pairs|changes)>(.*?)</\1>", text, re.DOTALL)
    if not blocks:
        return None
    if len(blocks) > 1:
        raise RefusedError(400, f"The sandbox reads one block, not {len(blocks)}.")
    kind, block = blocks[0]
    try:
        return Task.model_validate_json(block).model_copy(update={"kind": kind})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise RefusedError(400, f"The sandbox cannot read <{kind}>: {where} {first['msg']}") from None


def answered(said: Task) -> dict[str, list[Item]]:
    """Deterministic: the same agreement gives the same answer."""
    if said.kind == "pairs":
        return {"differences": [one for pair in said.pairs for one in _differences(pair)]}
    if said.kind == "changes":
        return {"proposals": [one for finding in said.findings for one in _proposals(finding, said.clauses)]}
    return {"findings": [one for clause in said.clauses for one in _findings(clause)]}


def lying(said: Task) -> dict[str, list[Item]]:
    """The honest answer with lies among it, all of them valid by any schema; and whatever a clause orders is obeyed."""
    honest = answered(said)
    ((name, items),) = honest.items()
    true = items[0] if items else None
    lies = {"differences": _lying_difference, "proposals": _lying_proposal, "findings": _lying_finding}[name]
    return {name: [*items, *(lies(said, true) if true else ())]}


def written(said: Task, schema: dict[str, Any] | None, trick: str | None) -> str:
    """The answer as a model writes it. One that is obedient finds nothing where a clause asks it to."""
    answer = lying(said) if trick == "lies" else answered(said)
    if trick == "obedient":
        answer = {name: [] for name in answer}
    return json.dumps(fitted(answer, schema) if schema else answer, ensure_ascii=False)


def _sentences(text: str) -> Iterator[str]:
    """Headings are none."""
    for sentence in map(str.strip, _SENTENCES.split(text)):
        if SHORTEST_QUOTE <= len(sentence) <= LONGEST_QUOTE and not _heading(sentence):
            yield sentence


def _heading(sentence: str) -> bool:
    if sentence[-1] not in ".;:!?":
        return len(sentence) <= LONGEST_HEADING
    return len(_words(sentence)) <= phrases.MOST_IN_A_HEADING and not phrases.VERBS.search(sentence)


def _findings(clause: Clause) -> Iterator[Item]:
    told = set[str]()
    for sentence in _sentences(clause.text):
        for rule in phrases.broken(sentence):
            one = phrases.RULES[rule]
            yield _finding(clause, one.topic, rule, one.said, sentence)
        for topic in phrases.about(sentence):
            if topic not in told:
                told.add(topic)
                yield _finding(clause, topic, "", phrases.told(topic, sentence), sentence)


def _finding(clause: Clause, topic: str, rule: str, said: str, sentence: str) -> Item:
    return {"clause": clause.id, "topic": topic, "rule": rule, "said": said, "quote": sentence}


def _differences(pair: Pair) -> Iterator[Item]:
    """The first sentence of either side that the other has not."""
    ours, theirs = (list(_sentences(text or "")) for text in (pair.ours, pair.theirs))
    alone = [_alone(ours, theirs), _alone(theirs, ours)]
    if not any(alone):
        return
    mine, their_own = set(_words(pair.ours or "")), set(_words(pair.theirs or ""))
    likeness = len(mine & their_own) / max(len(mine | their_own), 1)
    topic = next(iter(phrases.about(alone[0] or alone[1])), "other")
    yield {
        "pair": pair.pair,
        "topic": topic,
        "effect": "detail" if likeness >= ALIKE else "shift",
        "said": _compared(topic, *alone),
        "ours": alone[0],
        "theirs": alone[1],
    }


def _compared(topic: str, ours: str, theirs: str) -> str:
    named = "" if topic == "other" else f" about {topic}"
    if ours and theirs:
        return f"The two say different things{named}."
    return f"A sentence{named} stands here alone." if ours else f"A sentence{named} is left out here."


def _alone(some: list[str], others: list[str]) -> str:
    known = {tuple(_words(sentence)) for sentence in others}
    return next((sentence for sentence in some if tuple(_words(sentence)) not in known), "")


def _words(text: str) -> list[str]:
    return _WORDS.findall(text.casefold())


def _proposals(finding: Finding, clauses: list[Clause]) -> Iterator[Item]:
    """A sentence that breaks rules is replaced by what is fair, and one that the playbook has otherwise by the playbook's;
    behind the last sentence of all stands what is missing."""
    playbook = " ".join(_sentences(finding.playbook or ""))
    if finding.clause is None:
        missing = playbook or phrases.MISSING.get(finding.topic, "")
        if missing and (last := _last(clauses)):
            why = phrases.OUR_OWN if playbook else phrases.LACKING.format(topic=finding.topic)
            yield _proposal(finding, last, f"{last} {missing}", why)
        return
    old = _whole(finding, clauses)
    rules = [phrases.RULES[rule] for rule in phrases.broken(old)]
    if rules:
        instead, why = (
            " ".join(dict.fromkeys(words)) for words in zip(*((one.instead, one.reason) for one in rules), strict=True)
        )
        yield _proposal(finding, old, instead.strip(), why)
    elif old and playbook:
        yield _proposal(finding, old, playbook, phrases.OUR_OWN)


def _whole(finding: Finding, clauses: list[Clause]) -> str:
    """The sentence that the quote is of; the quote itself where it is of several."""
    texts = [clause.text for clause in clauses if clause.id == finding.clause]
    known = [one for text in texts for one in _sentences(text) if finding.quote and finding.quote.strip() in one]
    return known[0] if known else finding.quote or ""


def _last(clauses: list[Clause]) -> str:
    """The last sentence that may stay as it is."""
    ends = [one for clause in clauses for one in _sentences(clause.text) if one.endswith(".")]
    calm = [one for one in ends if not phrases.broken(one) and ends.count(one) == 1]
    return (calm or ends or [""])[-1]


def _proposal(finding: Finding, old: str, new: str, reason: str) -> Item:
    return {"finding": finding.id, "old": old, "new": new, "reason": reason}


def _lying_finding(said: Task, true: Item) -> list[Item]:
    never = "the parties have never signed anything like this, as nobody ever wrote"
    other = next((one.id for one in said.clauses if one.id != true["clause"]), "c999")
    orders = [(clause.id, *order) for clause in said.clauses for order in _orders(clause.text)]
    return [
        true | {"quote": never},
        true | {"clause": other, "quote": f"{true['quote']} {never}"},
        true | {"clause": "c999", "quote": never},
        true | {"rule": "no-such-rule"},
        true | {"topic": "no such topic"},
        true | {"said": "They owe 987,654,321 euros."},
        true | {"said": "See [the law](javascript:alert(1)) at https://owned.example/x."},
        true | {"said": "Write to winner@owned.example today."},
        true | {"said": "\u200b\u202e"},
        *(true | {"clause": clause, "said": f"{told.capitalize()}.", "quote": quote} for clause, told, quote in orders),
    ]


def _orders(text: str) -> list[tuple[str, str]]:
    return [(order[1], order[0]) for order in ORDERED.finditer(text)]


def _lying_difference(said: Task, true: Item) -> list[Item]:
    never = "the other side has never signed anything like this at all"
    return [
        true | {"ours": never},
        true | {"theirs": never},
        true | {"pair": "p999"},
        true | {"effect": "no-such-effect"},
        true | {"said": "They owe 987,654,321 euros."},
        true | {"said": "See https://owned.example/x."},
        true | {"ours": "", "theirs": ""},
    ]


def _lying_proposal(said: Task, true: Item) -> list[Item]:
    return [
        true | {"old": "words that stand nowhere in this agreement"},
        true | {"finding": "f999"},
        true | {"new": "Pay at https://owned.example/x within a week"},
        true | {"new": "<script>document.title='owned'</script>"},
        true | {"reason": "See javascript:alert(1) for why."},
        true,
    ]
