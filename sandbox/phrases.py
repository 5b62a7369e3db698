"""What the pretended reader of agreements knows: words by which clauses are known, and what it says of them."""

import re
from typing import NamedTuple

_PERIOD = r"\b(?:\d+|one|two|three|four|five|six|seven|ten|thirty|sixty)(?: \(\d+\))?[ -](?:days|months|years?)\b"
_LAND = r"\blaws? of (?:the )?[A-Z]\w+(?: (?:(?:of|and|the) )*[A-Z]\w+)*"


class Topic(NamedTuple):
    """Words of a clause about it, what is said of one, and what of its own words is told beside that."""

    words: str
    said: str
    detail: str = ""


class Rule(NamedTuple):
    """Words that break it, what such a sentence is about, what is said of it, what could stand there instead, and why."""

    words: str
    topic: str
    said: str
    instead: str
    reason: str


TOPICS = {
    "purpose": Topic(
        r"[“\"]Purpose[”\"]|in order to evaluate|wish to explore|is designed to", "It says what the agreement is for."
    ),
    "definition": Topic(
        r"confidential information[”\"]?\)? (?:means|shall mean|includes)|\b(?:is|are|be) confidential information\b",
        "It says what counts as confidential.",
    ),
    "exclusions": Topic(
        r"do(?:es)? not apply to information|shall not include|public domain|independently develop|does not include",
        "It says which information is not confidential.",
    ),
    "obligations": Topic(
        r"\bnot (?:to )?disclose\b|\bin (?:strict )?confidence\b|\bonly for the\b",
        "It says how secrets are to be kept.",
    ),
    "representatives": Topic(r"need[ -]to[ -]know|\bRepresentatives\b", "It says which people may be told."),
    "compelled disclosure": Topic(
        r"required by (?:\w+ )?law|subpoena|court order|legally compelled",
        "It says what happens where the law demands disclosure.",
    ),
    "return or destruction": Topic(
        r"\b(?:destroy|return)\b.{0,80}\b(?:Information|copies|materials|it)\b",
        "It says what is to be returned or destroyed",
        _PERIOD,
    ),
    "term": Topic(
        r"\b(?:expires?|terminates?|terminate this|remains? in force|Effective Date and)\b",
        "It says how long the agreement runs",
        _PERIOD,
    ),
    "survival": Topic(
        r"\bsurviv\w+|years (?:after|from|following)|in perpetuity|perpetual",
        "It says how long secrets are to be kept",
        _PERIOD,
    ),
    "no licence": Topic(
        r"\bno licen[cs]e\b|\bgrants? no\b|\bretains? all\b", "It says that rights stay where they are."
    ),
    "no warranty": Topic(r"[“\"]as is\b|\bas is[”\"]|\bwithout warrant", "It says that nothing is warranted."),
    "remedies": Topic(
        r"injuncti|equitable relief|irreparable|liquidated damages|penalty of",
        "It says what may be asked for after a breach.",
    ),
    "indemnity": Topic(r"indemnif|hold harmless", "It says who makes good for claims."),
    "non-solicitation": Topic(
        r"not (?:directly or indirectly )?(?:solicit|hire)", "It says who may not be approached."
    ),
    "non-competition": Topic(r"\bnot\b.{0,40}\bcompet(?:e|es|ing)\b", "It says who may not compete."),
    "assignment": Topic(r"\bassign\b", "It says whether the agreement may be passed on."),
    "governing law": Topic(
        r"\bgovern(?:s|ed|ing)\b.{0,80}\blaws?\b|\bGoverning Law governs\b|\blaws?\b.{0,40}\bgoverns?\b",
        "It says which law governs",
        _LAND,
    ),
    "disputes": Topic(r"exclusive jurisdiction|\bCourts\b|arbitrat", "It says where disputes are decided."),
    "notices": Topic(r"\bNotices?\b.{0,60}\b(?:writing|address)", "It says how notices are given."),
    "general": Topic(r"entire agreement|counterparts|amendments?\b.{0,40}in writing", "It has general provisions."),
}
RULES = {
    "one-sided": Rule(
        r"\bonly (?:the )?recipient (?:shall|must|will|has|is)\b|\bthe recipient alone\b",
        "obligations",
        "Secrets of the recipient are not protected.",
        "Each party shall keep the other party's Confidential Information in confidence, with reasonable care.",
        "Both sides give information, so both should keep it.",
    ),
    "any-use": Rule(
        r"\bfor any purpose\b",
        "obligations",
        "Secrets may be used for anything.",
        "Each party shall use the other party's Confidential Information for the purpose of this Agreement only.",
        "Information is given for a purpose, and should serve that.",
    ),
    "absolute-care": Rule(
        r"\bguarantees?\b.{0,30}\b(?:secrecy|confidentiality)\b|\babsolute (?:secrecy|confidentiality)\b",
        "obligations",
        "Secrecy is guaranteed, whatever happens.",
        "Each party shall protect the other party's Confidential Information with reasonable care.",
        "Nobody can guarantee secrecy; reasonable care is the common measure.",
    ),
    "everything-secret": Rule(
        r"\ball information\b.{0,80}\b(?:is|are) (?:deemed )?confidential information\b",
        "definition",
        "Whatever is told counts as confidential.",
        "Confidential Information is information that a party discloses under this Agreement and marks as confidential, "
        "or that a reasonable person would understand to be confidential.",
        "Both sides should be able to tell what is confidential.",
    ),
    "wide-exclusions": Rule(
        r"\bresiduals?\b|\bunaided memory\b",
        "exclusions",
        "What is kept in memory is free to use.",
        "Information that the receiving party develops independently is not Confidential Information.",
        "An exception for what is remembered leaves little protected.",
    ),
    "perpetual": Rule(
        r"\bin perpetuity\b|\bperpetual(?:ly)?\b|\bindefinitely\b|\bforever\b",
        "survival",
        "Secrets are to be kept without an end.",
        "The duty to keep Confidential Information in confidence ends three years after its disclosure.",
        "A fixed time makes the duty one that can be kept.",
    ),
    "auto-renewal": Rule(
        r"\b(?:automatically|tacitly) renew\w*|\brenews? automatically\b",
        "term",
        "The agreement renews itself.",
        "The parties may renew this Agreement in writing.",
        "Whoever renews should decide to.",
    ),
    "takes-ownership": Rule(
        r"\bhereby assigns?\b|\bshall (?:be|become) the (?:sole )?property of\b"
        r"|\b(?:ideas?|inventions?|improvements?|feedback|results|developments?)\b.{0,80}\bbelongs? to\b",
        "no licence",
        "Rights go to the other side.",
        "Each party keeps all rights in its own information, ideas and developments.",
        "Talks under this agreement should not move rights.",
    ),
    "penalty": Rule(
        r"\bliquidated damages\b|\bcontractual penalty\b|\bpenalty of\b",
        "remedies",
        "A breach costs a fixed sum.",
        "A party that breaches this Agreement shall pay damages for the loss that is proven.",
        "Damages should follow the harm.",
    ),
    "no-liability": Rule(
        r"\bshall not be liable\b|\bin no event\b.{0,40}\bliable\b",
        "liability",
        "Liability is excluded.",
        "Each party is liable for a breach of this Agreement as the law provides.",
        "Whoever breaches the agreement should answer for it.",
    ),
    "indemnity": Rule(
        r"\bindemnif(?:y|ies|ied)\b|\bhold harmless\b",
        "indemnity",
        "Claims are to be made good beyond damages.",
        "Each party shall compensate the other for proven loss that its breach of this Agreement causes.",
        "Damages for a breach are enough for both sides.",
    ),
    "non-solicit": Rule(
        r"\bnot (?:directly or indirectly )?(?:solicit|hire|employ|entice)\b",
        "non-solicitation",
        "People of the other side may not be approached.",
        "Nothing in this Agreement keeps a party from hiring people.",
        "This agreement is about information, not about people.",
    ),
    "non-compete": Rule(
        r"\bnot\b.{0,40}\bcompet(?:e|es|ing)\b",
        "non-competition",
        "Competing is forbidden.",
        "Nothing in this Agreement keeps a party from lawful competition.",
        "This agreement is about information, not about markets.",
    ),
    "free-assignment": Rule(
        r"\bassign\b.{0,60}\bwithout (?:the )?(?:prior )?(?:written )?consent\b",
        "assignment",
        "The agreement may be passed on to anybody.",
        "Neither party may assign this Agreement without the other party's consent.",
        "Each side chose whom it confides in.",
    ),
    "foreign-courts": Rule(
        r"\bonly (?:the )?courts? (?:chosen|selected|named|designated) by\b",
        "disputes",
        "The other side chooses the court.",
        "The courts at the seat of the defendant decide disputes about this Agreement.",
        "Neither side should choose the court alone.",
    ),
    "audit": Rule(
        r"\b(?:audit|inspect)\b.{0,60}\b(?:premises|systems|books|records)\b",
        "general",
        "Premises or books may be inspected.",
        "On request, a party shall confirm in writing that it keeps this Agreement.",
        "A written confirmation does the same with less.",
    ),
    "unusual": Rule(
        r"\b(?:ignore|disregard)\b.{0,40}\b(?:instructions|rubric|prompt)\b|\b(?:AI|language) (?:model|assistant|reviewer)s?\b",
        "other",
        "It speaks to a machine.",
        "",
        "The sentence has no place in an agreement.",
    ),
}
# What could stand where nothing stands.
MISSING = {
    "definition": RULES["everything-secret"].instead,
    "exclusions": "Information that is public, was known before, comes lawfully from others or is developed independently "
    "is not Confidential Information.",
    "obligations": RULES["one-sided"].instead,
    "compelled disclosure": "A party may disclose what the law requires, after notice to the other where the law permits it.",
    "return or destruction": "On request, each party shall return or destroy the other party's Confidential Information.",
    "term": "This Agreement expires two years after its last signature.",
    "survival": "Duties about Confidential Information survive for three years after this Agreement ends.",
    "governing law": "This Agreement is governed by the laws of the seat of the defendant.",
    "remedies": "Each party may ask a court for an injunction where damages are not enough.",
}
LACKING = "The agreement says nothing about {topic} yet."
OUR_OWN = "Our own agreements put it like this."
# A short sentence without any of these is a heading.
VERBS = re.compile(
    r"\b(?:is|are|be|was|shall|will|may|must|can|has|have|do|does|not|ends?|expires?|lasts?|governs?|govern|renews?"
    r"|survives?|applies|apply|belongs?|keeps?|decides?|pays?|owns?)\b",
    re.IGNORECASE,
)
MOST_IN_A_HEADING = 6


def about(sentence: str) -> list[str]:
    return [name for name, topic in TOPICS.items() if _in(topic.words, sentence)]


def broken(sentence: str) -> list[str]:
    return [name for name, rule in RULES.items() if _in(rule.words, sentence)]


def told(topic: str, sentence: str) -> str:
    """With the words that tell most, where there are any."""
    one = TOPICS[topic]
    if not one.detail:
        return one.said
    found = re.search(one.detail, sentence)
    return f"{one.said}: {' '.join(found[0].split())}." if found else f"{one.said}."


def _in(words: str, sentence: str) -> bool:
    return re.search(words, sentence, re.IGNORECASE | re.DOTALL) is not None
