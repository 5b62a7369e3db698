"""Names of people and where a text bears them: in any order, script and common spelling, never by likeness alone."""

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from anyascii import anyascii
from nicknames import name_triplets


@lru_cache(4096)
def plain(word: str) -> str:
    """In plain Latin letters, lower case: Göritz, Goeritz and GORITZ are one."""
    written = re.sub(r"[^a-z0-9]", "", anyascii(word).lower())
    return re.sub(r"(?<![aeiouq])([aou])e|(?<=a)a", r"\1", written)


def plains(said: str) -> frozenset[str]:
    """The words of a table, as they are compared."""
    return frozenset(map(plain, said.split()))


# Short forms that the library, which knows English ones, does not.
_SHORT_FORMS = (
    "aleksandr alexander alexandros oleksandr alejandro alessandro sasha sascha aleks alex",
    "aleksandra alexandra oleksandra alessandra sasha sascha",
    "antonio antonia toni tonio",
    "dmitri dmitro dima mitia",
    "elisabeth elizabeth elzbieta elisabetta lisa lisbeth sissi ela betty",
    "ekaterina katerina kateryna katia katja",
    "evgeni evgenii yevhen jenia zhenia",
    "francisco paco pancho",
    "francesco franco checco",
    "friedrich fritz frederik",
    "georg jorg giorgos georgios yorgos",
    "giuseppe beppe peppe",
    "hans johann johannes",
    "ignacio nacho",
    "ivan vania",
    "jan johan johannes jens",
    "jose pepe chepe",
    "josef joseph sepp jupp pepi",
    "joao joaozinho",
    "katharina catharina kathrin katrin kathi katja",
    "lars lasse",
    "ludwig lutz wiggerl",
    "malgorzata gosia",
    "manuel manolo manu",
    "margarethe margareta gretel grete greta",
    "mariia masha",
    "maximilian max",
    "michael michail mihail mikhail misha michi",
    "mohammed muhammad mohamed muhammed mohammad mehmet",
    "nikolai kolia nikolaus klaus nikos nikolaos",
    "olga olia",
    "piotr petr peter piet pit",
    "sergei serguei seriozha",
    "stephan stefan stephen steffen",
    "tatiana tania",
    "vladimir volodimir vova volodia",
    "wilhelm willi helmut",
    "wojciech wojtek",
)
_TITLES = plains("dr prof professor mr mrs ms mag ing dipl herr frau sir dame lic mba phd jr sr ir")
_PARTICLES = plains("von van der den de da di del della dos la le al el bin ibn ter ten zu af av ben mc y e")
_PLACED = plains("at in near around im")
# Words that stand between a name and the one borne before or after it.
_BORN = plains("née né geb geborene born født född nata nascida roz maiden урожденная")
_LATIN = re.compile(r"[\u0000-\u024f\u1e00-\u1eff]*")
_ABJAD = re.compile(r"[\u0590-\u06ff]")
_HAN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_WORD = re.compile(r"[^\W_]+(?:['\u2019\u02bc`][^\W_]+)*")
_ENDS = re.compile(r"[.!?。]+[\s»”\"')]*$")

# One spelling for each sound that languages write Latin letters for in their own ways.
_SOUNDS = tuple(
    (re.compile(said), written)
    for said, written in (
        (r"shch|schtsch|stsch", "sc"),
        (r"tsch|tch|ch|cz", "c"),
        (r"sch|sh|sj|sz", "s"),
        (r"zh", "z"),
        (r"kh", "h"),
        (r"ts|tz", "c"),
        (r"ks", "x"),
        (r"ph", "f"),
        (r"w", "v"),
        (r"ou|oy(?=[^aeiouy])", "u"),
        (r"[iyj]+$", "i"),
        (r"^[yj](?=[aeou])", "i"),
        (r"(?<=[^aeiou])[yj](?=[aou])|[yj](?=[aou])", "i"),
        (r"(?<=[aeou])[yj](?=[^aeiouy])", "i"),
        (r"i+", "i"),
    )
)


@dataclass(frozen=True)
class Word:
    """A word of a text: `plain` is what is compared, `sentence` and `clause` where it stands."""

    plain: str
    raw: str
    sentence: int
    clause: int
    bracket: bool = False

    @property
    def capital(self) -> bool:
        return self.raw[:1].isalpha() and not self.raw[:1].islower()


@dataclass(frozen=True)
class Mention:
    """Words `start` to `end` of a text are the name: `exact`, or a short form, an initial, another spelling."""

    start: int
    end: int
    exact: bool


@lru_cache(4096)
def sound(word: str) -> str:
    """The same for the usual ways to write one foreign name in Latin letters: Yuliia and Julia."""
    for said, written in _SOUNDS:
        word = said.sub(written, word)
    return word


def read(text: str) -> list[Word]:
    """The words of a text in their order, with what separates them counted."""
    found: list[Word] = []
    sentence = clause = last = 0
    for match in _WORD.finditer(text):
        between = text[last : match.start()]
        short = bool(found) and (len(found[-1].raw) == 1 or found[-1].plain in _TITLES | _BORN)
        if found and ("\n" in between or (_ENDS.search(between) and not (between.startswith(".") and short))):
            sentence, clause = sentence + 1, clause + 1
        elif re.search(r"[,;:()\u2013\u2014|]| - ", between):
            clause += 1
        own = re.sub(r"['\u2019]s$", "", match[0])
        opened = between.rstrip().endswith("(") or (bool(found) and found[-1].bracket and ")" not in between)
        found += [Word(plain(part), part, sentence, clause, opened) for part in _parts(own)]
        last = match.end()
    return [word for word in found if word.plain]


def _parts(word: str) -> list[str]:
    """Scripts without spaces give a name in one piece: each sign is a word of its own."""
    return [anyascii(sign).strip() for sign in word] if _HAN.search(word) else [word]


def parts(name: str) -> list[str]:
    """The words of a person's name, the given one first, without titles, particles and what stands in brackets."""
    family, _, given = re.sub(r"\(.*?\)", " ", name).partition(",")
    after = [word.plain for word in read(given)]
    said = ([] if set(after) <= _TITLES else after) + [word.plain for word in read(family)]
    return [word for word in said if word not in _TITLES | _PARTICLES] or said


@cache
def _short_forms() -> dict[str, set[str]]:
    """By a given name: those that its bearer may also use. Two short forms of one name are not one."""
    known: dict[str, set[str]] = {}
    pairs = [(one.name1, one.name2) for one in name_triplets() if one.relationship == "has_nickname"]
    pairs += [(one, other) for line in _SHORT_FORMS for one in line.split() for other in line.split()]
    for one, other in pairs:
        for this, that in ((sound(plain(one)), sound(plain(other))), (sound(plain(other)), sound(plain(one)))):
            known.setdefault(this, set()).add(that)
    return known


@lru_cache(4096)
def given_alike(one: str, other: str) -> bool:
    """Two given names that one person may use."""
    return one == other or _loose(one) == _loose(other) or sound(other) in _short_forms().get(sound(one), ())


def _loose(word: str) -> str:
    return re.sub(r"(.)\1", r"\1", sound(word))


def _same(said: Word, name: str) -> bool:
    """The word is this part of a name; letters of another script by their sound, those without vowels by the rest."""
    if said.plain == name:
        return True
    if _ABJAD.search(said.raw):
        return len(name) > 3 and _bones(said.plain) == _bones(name)
    if _LATIN.fullmatch(said.raw):
        return len(name) > 4 and sound(said.plain) == sound(name)
    return _loose(said.plain) == _loose(name)


def _bones(word: str) -> str:
    return re.sub(r"^a?l(?=..)|[aeiouywv]", "", _loose(word))


def mentions(text: list[Word], name: list[str], borne: list[str] | None = None) -> list[Mention]:
    """Where the text bears the name: the given name or its initial beside a family name, nothing strange between.

    Of several family names one of `borne` must be there, if any are told.
    """
    if len(name) == 1:
        return [Mention(place, place + 1, exact=False) for place in range(len(text)) if _alone(text, place, name[0])]
    families = borne or name[1:]
    found = [_around(text, place, name) for place, word in enumerate(text) if any(_same(word, one) for one in families)]
    return [mention for mention in found if mention is not None]


def _alone(text: list[Word], place: int, name: str) -> bool:
    """A name of one word, and no other name beside it."""
    word, beside = text[place], text[max(place - 1, 0) : place] + text[place + 1 : place + 2]
    return word.plain == name and word.capital and not any(one.capital and one.clause == word.clause for one in beside)


def _around(text: list[Word], family: int, name: list[str]) -> Mention | None:
    if not text[family].capital:
        return None
    for place in [*range(family - 1, max(family - 5, -1), -1), family + 1, family + 2]:
        if not 0 <= place < len(text) or text[place].sentence != text[family].sentence:
            continue
        start, end = min(place, family), max(place, family) + 1
        if any(_strange(word, name) for word in text[start + 1 : end - 1]):
            continue
        how = _given(text[place], name[0])
        if how and text[place].capital and not _is_a_place(text, start) and not _goes_on(text, end, family, name):
            return Mention(start, end, exact=how == "exact")
    return None


def _is_a_place(text: list[Word], start: int) -> bool:
    """Nobody is at or in a person."""
    return start > 0 and text[start - 1].clause == text[start].clause and text[start - 1].plain in _PLACED


def _given(word: Word, given: str) -> str:
    if _same(word, given):
        return "exact"
    if word.plain == given[:1]:
        return "initial"
    return "short" if given_alike(word.plain, given) else ""


def _strange(between: Word, name: list[str]) -> bool:
    """Only what belongs to the name may stand within it; an initial must be of a middle name, if we know one."""
    if len(between.plain) == 1:
        middle = [part[0] for part in name[1:-1]]
        return bool(middle) and between.plain not in middle
    return between.plain not in _PARTICLES and not any(_same(between, part) for part in name)


def _goes_on(text: list[Word], end: int, family: int, name: list[str]) -> bool:
    """A second family name follows, and we know another one."""
    if end >= len(text) or len(name) < 3 or family != end - 1:
        return False
    follows = text[end]
    beside = follows.clause == text[family].clause and follows.capital and len(follows.plain) > 2
    return beside and _same(text[family], name[1]) and not any(_same(follows, part) for part in name)


def born_as(text: list[Word], name: list[str]) -> list[list[str]]:
    """Other names that a text says the bearer of the name has or had: "Eva Lenz (geb. Voss)" for both."""
    found = []
    for place, word in enumerate(text[:-1]):
        if word.plain in _BORN and place >= 2:
            given, family = (other.plain for other in text[place - 2 : place])
            names = {family, text[place + 1].plain}
            if given_alike(given, name[0]) and names & set(name[1:]):
                found += [[name[0], other] for other in names]
    return found


def fits(one: str, other: str) -> bool:
    """Two full names that one person may bear."""
    return bool(mentions(read(one), parts(other)) or mentions(read(other), parts(one)))


def meant(hint: str, name: str) -> bool:
    """An address begins so for somebody of this name: jdoe, doej, jane.doe, doe; the given name alone is too little."""
    said = [plain(part) for part in re.split(r"[\W\d_]+", hint) if part]
    known = parts(name)
    if not said or len(known) < 2:
        return False
    given, families = known[0], known[1:]
    written = {form for family in families for form in (given[0] + family, family + given[0], given + family, family)}
    written |= {family + given for family in families}
    if len(said) == 1:
        return said[0] in written
    return any(one in families for one in said) and any(given_alike(one, given) or one == given[0] for one in said)
