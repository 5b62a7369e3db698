"""Names of companies, and where a text bears them: as somebody's employer, as a former one, or not at all."""

import re
from dataclasses import dataclass
from functools import lru_cache

from activities.domains import company_label
from activities.plain import fold
from activities.research.names import Word, plain, plains, read
from schemas.briefs import Company

_LEGAL = plains(
    "gmbh ag kg kgaa ohg ug se ev eg mbh co ltd limited inc incorporated corp corporation company llc llp lp plc pty "
    "ab hb as asa aps oy oyj sa sas sarl srl spa sl slu sc sp zoo z o nv bv cv kft zrt doo ooo oao zao pao ao too kk "
    "spolka zrt sro und and y e et the s a p l r n v b k"
)
# What may follow a company's name and still mean it, or a part of it.
_PARTS = plains(
    "group gruppe grupo groupe gruppo holding konzern koncernen international global europe europa deutschland "
    "germany austria österreich schweiz switzerland suisse france italia italy españa spain iberia portugal uk usa us "
    "america nordic nordics norden sverige sweden norge norway danmark denmark finland polska poland benelux "
    "nederland netherlands belgium asia india china japan brasil brazil mexico canada australia north south east west"
)
# What may stand before a company's name without being part of it.
_BEFORE = plains(
    "at of for from in with by to the bei von für vom beim der die das des dem den mit zu zur zum aus firma chez de du "
    "la le el les los della del di da do na no en con för hos från på i af fra til og and und y et e w z u firmy v iz "
    "company unternehmen société bolaget companie our unser genossenschaft stiftung verein verband kanzlei bank hotel "
    "hersteller brauerei klinik startup tochter marke maker cabinet maison groupe bureau cooperativa empresa azienda "
    "stowarzyszenie hotell företaget firman koncernen компания компании"
)
_GONE = re.compile(
    r"former|ex$|previous|onetime$|once$|then$|left$|leav|quit|spent$|retir|ehemal|einst|damal|fruher|vormal|verlass|"
    r"verlies|ancien|antigu|exdir|dejo|abandon|tidl|tidig|lamna|voormal|byly$|byla$|byl$|dawn|byvsh|bivsh|kolishn|"
    r"gia$|lascia|deixo|anterior|died|deceas|verstorb|verabschied|obituar|nachruf"
)
_ENDED = re.compile(r"retir|ruhestand|pension|retrait|jubil|resign|died|verstorb|deceas")
_MOVED = re.compile(
    r"join|came$|come|mov|arriv|hired|hires|switch|wechsel|gewechsel|kommt$|kam$|stiess|vem$|veio|vien|proven|proced|"
    r"komm|kom$|recruit|poach|bytt|skift|overst|pereshel|pereshl|przesz|appoint"
)
_HERE = re.compile(
    r"join|new$|now$|nu$|heute|jetzt|seit$|since$|appoint|neue|nuov|nouv|nuev|nova$|novo$|ny$|nya$|teraz|today|actual|"
    r"aktuel|current|depuis|sedan$|siden$|teper|found|grund"
)
_TO = plains("to zu zur zum till til à a para al ke do nach hos")
_FROM = plains("from von vom aus de da del dalla från fra van iz z ze od")
_UNTIL = plains("until till til bis jusqu jusque jusqu'en hasta fino ate até tot do to dr")
_AFTER = plains("after nach après tras depois efter dopo após po posle na")
_YEARS = re.compile(r"^(years|jahren?|ans|annees|anos|ar|anni|lat|latach|let|aar|jaar)$")
_OWNED = re.compile(
    r"subsidiar|filial|tochter|dotter|datter|dochter|belong|gehor|spolkazal|owned|acqui|uberno|uberna|rachet|adqui|"
    r"part$|teil$|member$|divisi|sparte|marke$|brand|unit$|controll|konzern|mutter|parent"
)
_NOT_OWNED = re.compile(r"former|ex$|ehemal|sold|verkauf|longer|not$|nicht|kein|split|independ|unabhang|rival|until")

_UNRELATED = re.compile(r"weder$|neither$|unrelat|unaffil|unconnect|verwechs|confus|namensgleich|homonym|verwandt")
_ARTICLES = plains("a an ein eine une un una en et ett een")
_A_COMPANY = re.compile(r"compan|unternehm|societe|bolag|selskab|bedrij|empresa|azienda|firm|tochter")

_NEAR = 8
# A shorter company name would be found in any text.
_SHORTEST = 3


@dataclass(frozen=True)
class Employer:
    """A company by the names it is written with; a `short` one counts only where no further distinctive word stands."""

    full: frozenset[tuple[str, ...]] = frozenset()
    short: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()

    def places(self, text: list[Word], people: frozenset[int] = frozenset()) -> list[tuple[int, int]]:
        """The spans that name the company. The words of `people`'s names are none."""
        said = [word.plain for word in text]
        spans = ((start, end) for start in range(len(said)) for end in self._ends(said, start))
        return [
            (start, end)
            for start, end in spans
            if people.isdisjoint(range(start, end))
            and not (end == start + 1 and said[start] in self.short and _goes_on(text, start, end, people))
        ]

    def _ends(self, said: list[str], start: int) -> set[int]:
        """Where a name of the company that begins at a word ends."""
        ends = {start + len(full) for full in self.full if tuple(said[start : start + len(full)]) == full}
        for label in self.labels:
            end, written = start, ""
            while end < len(said) and written != label and label.startswith(written + said[end]):
                written, end = written + said[end], end + 1
            ends |= {end} if written == label else set()
        return ends | ({start + 1} if said[start] in self.short else set())

    def means(self, name: str) -> bool:
        return bool(self.places(read(name)))

    def resembles(self, name: str) -> bool:
        """It is another company's name, and begins with a short form of ours."""
        said = "".join(distinctive(name))
        ours = any(said.startswith("".join(full)) for full in self.full if len(full) > 1) or said in self.labels
        return not ours and any(said.startswith(one) and said[len(one) :] not in _PARTS | {""} for one in self.short)

    def in_full(self) -> "Employer":
        """Without the short forms, which mean another company too."""
        return Employer(frozenset(full for full in self.full if len(full) > 1), labels=self.labels - self.short)

    def has_site(self, label: str) -> bool:
        return any("".join(full) == label for full in self.full)

    def with_name(self, name: str) -> "Employer":
        said = distinctive(name)
        if len("".join(said)) < _SHORTEST:
            return self
        short = self.short | {said[0]} if len(said) == 1 else self.short
        return Employer(self.full | {said}, short, self.labels)


def _goes_on(text: list[Word], start: int, end: int, people: frozenset[int]) -> bool:
    """A further distinctive word beside it makes it another company's name, or a person's."""

    def part(place: int, harmless: frozenset[str]) -> bool:
        if not 0 <= place < len(text) or place in people or text[place].clause != text[start].clause:
            return False
        return text[place].capital and text[place].plain not in harmless and not text[place].plain.isdigit()

    return part(end, _LEGAL | _PARTS) or part(start - 1, _LEGAL | _BEFORE)


@lru_cache(4096)
def distinctive(name: str) -> tuple[str, ...]:
    """A company's name without its legal form."""
    said = [word.plain for word in read(name.replace("/", ""))]
    return tuple(word for word in said if word not in _LEGAL) or tuple(said)


def employer(domain: str | None, company: Company | None) -> Employer | None:
    """The company of an address, by its domain and by what a look-up called it."""
    if domain is None:
        return None
    label = plain(company_label(domain))
    labels = frozenset({label} if len(label) >= _SHORTEST else ())
    name = distinctive(company.name) if company is not None and company.domain == domain else ()
    if not name:
        return Employer(short=labels, labels=labels)
    return Employer(short=frozenset(_short_forms(name, label)), labels=labels).with_name(" ".join(name))


def _short_forms(name: tuple[str, ...], label: str) -> set[str]:
    """Acme for Acme Freight; an address that is no more than the beginning of the name; the initials of three words."""
    begins = {name[0]} if len(name) == 2 and label.startswith(name[0]) and name[0] not in _BEFORE | _PARTS else set()
    if "".join(name).startswith(label):
        begins.add(label)
    if len(name) >= _SHORTEST:
        begins.add("".join(word[0] for word in name))
    return {one for one in begins if len(one) >= _SHORTEST and (one != "".join(name) or len(name) == 1)}


def begins_alike(domain: str | None, name: str) -> bool:
    """For want of a look-up's name: Lovelace Analytics at lovelace.example, Acme at acme-freight.example."""
    own, other = plain(company_label(domain or "")), "".join(distinctive(name)) or fold(name)
    shorter, longer = sorted((own, other), key=len)
    return len(shorter) >= _SHORTEST and longer.startswith(shorter)


def gone(text: list[Word], start: int, end: int, year: int) -> bool:
    """What is said at words `start` to `end` is over: former, until 2014, came from."""
    return _gone_before(text, start, year) or _gone_after(text, end, year)


def _gone_before(text: list[Word], start: int, year: int) -> bool:
    sentence = [word for word in text[:start] if start < len(text) and word.sentence == text[start].sentence]
    before = [word for word in sentence if word.clause == text[start].clause][-_NEAR:]
    moved = any(_MOVED.match(word.plain) for word in sentence)
    if any(word.plain in _AFTER for word in before) and any(_YEARS.match(word.plain) for word in before):
        return True
    for place in reversed(range(len(before))):
        said, follows = before[place].plain, [word.plain for word in before[place + 1 : place + 2]]
        if said in _UNTIL and follows and _past(follows[0], year):
            return True
        close = place >= len(before) - 2
        if close and moved and said in _TO | _FROM:
            return said in _FROM and said not in _TO
        if _HERE.match(said):
            return False
        if _GONE.match(said):
            return True
    return False


def _gone_after(text: list[Word], end: int, year: int) -> bool:
    after = [word.plain for word in text[end:] if word.sentence == text[end - 1].sentence]
    if any(_ENDED.match(said) for said in after[:_NEAR]):
        return True
    for place, said in enumerate(after[:_NEAR]):
        ahead = after[place + 1 : place + 6]
        if said in _UNTIL and any(_past(word, year) for word in ahead):
            return True
        if _MOVED.match(said) and not _TO.isdisjoint(ahead):
            return True
        if _past(said, year) and ahead and _past(ahead[0], year):
            return True
    return False


def _past(word: str, year: int) -> bool:
    return bool(re.fullmatch(r"(19|20)\d\d", word)) and int(word) < year


def owned(text: list[Word], one: Employer, other: Employer) -> bool:
    """A sentence says that one of two companies is a part of the other."""
    part = one.places(text)
    whole = other.places(text) if part else []
    both = {text[start].sentence for start, _ in part} & {text[start].sentence for start, _ in whole}
    called = {text[start].sentence for start, end in (*part, *whole) if _is_a_company(text, start, end)}
    for sentence in both:
        said = [word.plain for word in text if word.sentence == sentence]
        if (sentence in called or any(map(_OWNED.match, said))) and not any(map(_NOT_OWNED.match, said)):
            return not unrelated(text, sentence)
    return False


def _is_a_company(text: list[Word], start: int, end: int) -> bool:
    """One of its companies: "an Acme company"."""
    if start == 0 or end >= len(text):
        return False
    return text[start - 1].plain in _ARTICLES and bool(_A_COMPANY.match(text[end].plain))


def unrelated(text: list[Word], sentence: int) -> bool:
    """A sentence that names a company only to say that it is another."""
    return any(_UNRELATED.match(word.plain) for word in text if word.sentence == sentence)
