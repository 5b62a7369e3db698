"""What words alone tell: that a topic is spoken of, and that a clause has what often means risk. Pure.

So much a document cannot talk a model out of seeing. English alone is known here; of other languages a model speaks.
"""

import re

from activities.documents.rubric import RULES
from schemas.documents import Topic

# A topic that is spoken of like this is not missing, though nobody found a clause about it.
_SPOKEN_OF = {
    Topic.DEFINITION: r"confidential information[\"'\u201d\u2019]*\)? (?:means|shall mean|includes|is any|refers to)"
    r"|\b(?:is|are|be) (?:deemed )?confidential information\b",
    Topic.EXCLUSIONS: r"public domain|publicly (?:available|known)|independently develop|rightfully (?:received|knew|possess)",
    Topic.OBLIGATIONS: r"\bnot (?:to )?(?:disclose|use)\b|\bin (?:strict )?confidence\b|\bkeep\b.{0,60}\b(?:confidential|secret)",
    Topic.COMPELLED: r"required by (?:\w+ )?law|subpoena|court order|legally compelled|compelled (?:by|to disclose)",
    Topic.RETURN: r"\b(?:return|destroy|destruction)\b",
    Topic.TERM: r"\b(?:terminat\w+|expir\w+|effective date|term of this)\b",
    Topic.SURVIVAL: (
        r"\bsurviv\w+|\bin perpetuity\b|\bperpetual(?:ly)?\b|remains? in (?:full )?(?:force|effect)"
        r"|\b(?:years?|months?) (?:after|from|following) (?:the |its |such )?(?:disclos|terminat|expir|end|receipt|return)"
    ),
    Topic.GOVERNING_LAW: r"\bgovern(?:ed|ing|s)\b.{0,80}\blaws?\b|\blaws?\b.{0,40}\bgoverns?\b",
    Topic.REMEDIES: r"injuncti\w+|equitable relief|irreparable|specific performance|\bremed(?:y|ies)\b",
    Topic.REPRESENTATIVES: r"\bneed to know\b|\brepresentatives\b",
    Topic.OWNERSHIP: r"\bno licen[cs]e\b|\bgrants? no\b|\bintellectual property\b",
    Topic.ASSIGNMENT: r"\bassign(?:s|ed|ment)?\b",
    Topic.WARRANTY: r"\bas is\b|\bwarrant(?:y|ies)\b",
    Topic.NOTICES: r"\bnotices?\b.{0,60}\b(?:in writing|address)",
}
# Words of a clause that often break a line of the rubric.
_SIGNS = {
    "one-sided": r"\bonly (?:the )?(?:recipient|receiving party) (?:shall|must|will|has|is)\b|\bthe (?:recipient|receiving party) alone\b",
    "absolute-care": r"\bguarantees?\b.{0,30}\b(?:secrecy|confidentiality)\b|\babsolute (?:secrecy|confidentiality)\b",
    "any-use": r"\bfor any purpose\b",
    "wide-exclusions": r"\bresiduals?\b|\bunaided memory\b",
    "perpetual": r"\bin perpetuity\b|\bperpetual(?:ly)?\b|\bindefinitely\b|\bforever\b|\bwithout (?:any )?(?:limit(?:ation)? (?:in|of) time|time limit)",
    "auto-renewal": r"\b(?:automatically|tacitly) renew|\brenews? automatically\b",
    "takes-ownership": r"\bhereby assigns?\b|\bshall (?:be|become) the (?:sole )?property of\b"
    r"|\b(?:ideas?|inventions?|improvements?|feedback|results|developments?)\b.{0,80}\bbelongs? to\b",
    "penalty": r"\bliquidated damages\b|\bcontractual penalty\b|\bpenalty of\b",
    "no-liability": r"\bshall not be liable\b|\bin no event\b.{0,40}\bliable\b",
    "indemnity": r"\bindemnif(?:y|ies|ied)\b|\bhold harmless\b",
    "non-solicit": r"\bnot (?:directly or indirectly )?(?:solicit|hire|employ|entice)\b|\bnon-solicitation\b",
    "non-compete": r"\bnot\b.{0,40}\bcompet(?:e|es|ing)\b|\bnon-compet\w+",
    "free-assignment": r"\bassign\b.{0,60}\bwithout (?:the )?(?:prior )?(?:written )?consent\b",
    "foreign-courts": r"\bonly (?:the )?courts? (?:chosen|selected|named|designated) by\b",
    "audit": r"\b(?:audit|inspect)\b.{0,60}\b(?:premises|systems|books|records)\b",
    "unusual": r"\b(?:ignore|disregard)\b.{0,40}\b(?:instructions|rubric|prompt)\b|\b(?:AI|language) (?:model|assistant|reviewer)s?\b",
}
UNUSUAL = "unusual"
# What is said not to be so is no sign.
_NOT = re.compile(r"\b(?:not be|not|never|nothing)\s+$", re.IGNORECASE)
_TOPICS = {topic: re.compile(words, re.IGNORECASE | re.DOTALL) for topic, words in _SPOKEN_OF.items()}
_RULES = {rule: re.compile(words, re.IGNORECASE | re.DOTALL) for rule, words in _SIGNS.items()}
# Headings under which a topic stands.
_HEADED = {
    topic: re.compile(words, re.IGNORECASE)
    for topic, words in {
        Topic.EXCLUSIONS: r"\bexclusions?\b|\bexceptions?\b",
        Topic.GOVERNING_LAW: r"\bgoverning law\b|\bapplicable law\b|^law$",
        Topic.COMPELLED: r"\bcompelled\b|\brequired by law\b|\blegally required\b",
        Topic.RETURN: r"\breturn\b|\bdestruction\b",
        Topic.TERM: r"\bterm\b|\btermination\b|\bduration\b",
        Topic.SURVIVAL: r"\bsurvival\b",
        Topic.REMEDIES: r"\bremed(?:y|ies)\b|\bequitable relief\b|\binjuncti",
        Topic.WARRANTY: r"\bdisclaimer\b|\bwarrant(?:y|ies)\b",
        Topic.OWNERSHIP: r"\blicen[cs]e\b|\bproprietary rights\b|\bownership\b",
        Topic.ASSIGNMENT: r"\bassignment\b",
        Topic.NOTICES: r"\bnotices\b",
        Topic.PURPOSE: r"^(?:the )?purpose$|\bintroduction\b",
        Topic.DEFINITION: r"\bdefinitions?\b|^confidential information$",
        Topic.OBLIGATIONS: r"\bobligations?\b|\bprotection\b|\bsecrecy\b|\bnon-?disclosure$",
    }.items()
}
_FORMAL = re.compile(
    r"\u00a9|\bcopyright\b|\ball rights reserved\b|\bcreative commons\b|\bCC BY\b|\bfree to use under\b|\bno legal advice\b"
    r"|\bnot (?:provide )?legal advice\b|\bhow to use\b|\bthis (?:form|template|reference) (?:is|may)\b"
    r"|\b(?:made|entered into)\b.{0,80}\b(?:between|by and among|by and between)\b|^(?:whereas|witnesseth)\b",
    re.IGNORECASE,
)
_LONGEST_FORMAL, _LONGEST_TITLE = 900, 12
assert _RULES.keys() <= RULES.keys()


def speaks_to_machines(text: str) -> bool:
    """Words that are meant for whoever reads by machine, and not for whoever signs."""
    return _RULES[UNUSUAL].search(text) is not None


def speaks_of(topic: Topic, text: str) -> bool:
    pattern = _TOPICS.get(topic)
    return pattern is not None and pattern.search(text) is not None


def topic_of(text: str) -> Topic:
    """What a clause is about, by the first of its words that tell."""
    found = [(place.start(), topic) for topic, words in _TOPICS.items() if (place := words.search(text))]
    return min(found, default=(0, Topic.OTHER), key=lambda one: one[0])[1]


def headed(heading: str) -> Topic | None:
    """What a clause is about, if its heading tells."""
    return next((topic for topic, words in _HEADED.items() if words.search(heading)), None)


def formal(text: str) -> bool:
    """A title, who the parties are, whose words these are or how to use them: nothing that anybody owes."""
    said = " ".join(text.split())
    if len(said) > _LONGEST_FORMAL:
        return False
    return _FORMAL.search(said) is not None or (len(said.split()) <= _LONGEST_TITLE and said[-1:] not in ".;:!?")


def signs(text: str) -> dict[str, tuple[int, int]]:
    """Where a clause has the words that often break a line of the rubric, by the line: the first of them."""
    found: dict[str, tuple[int, int]] = {}
    for rule, pattern in _RULES.items():
        for place in pattern.finditer(text):
            if not _NOT.search(text[max(place.start() - 20, 0) : place.start()]):
                found[rule] = place.span()
                break
    return found
