"""Numbers, months and their like as words, in the languages that evidence is mostly written in. All without capitals."""

from itertools import product

_ENGLISH = (
    "one two three four five six seven eight nine ten "
    "eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
)
_GERMAN = (
    "eins zwei drei vier fünf sechs sieben acht neun zehn "
    "elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn"
)
_FRENCH = "- deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize"


def _tens(words: str) -> dict[str, int]:
    return {word: 10 * n for n, word in enumerate(words.split(), 2)}


_TENS = {
    **_tens("twenty thirty forty fifty sixty seventy eighty ninety"),
    **_tens("vingt trente quarante cinquante soixante"),
}
_GERMAN_TENS = "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig"


def _cardinals() -> dict[str, int]:
    found = dict(_TENS)
    units: dict[str, int] = {}
    for language in (_ENGLISH, _GERMAN, _FRENCH):
        units |= {word: n for n, word in enumerate(language.split(), 1) if word != "-"}
    small = {word: n for word, n in units.items() if n < 10}
    found |= {f"{ten}-{unit}": _TENS[ten] + n for ten, (unit, n) in product(_TENS, small.items())}
    found |= {f"{ten} {unit}": _TENS[ten] + n for ten, (unit, n) in product(_TENS, small.items())}
    for n, ten in enumerate(_GERMAN_TENS.split(), 2):
        found[ten] = 10 * n
        found |= {f"{'ein' if one == 1 else unit}und{ten}": 10 * n + one for unit, one in small.items()}
    return {way: n for word, n in (found | units).items() for way in (word, word.casefold())}


def _ordinals() -> dict[str, int]:
    english = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth"
    french = "- deuxième troisième quatrième cinquième sixième septième huitième neuvième dixième onzième douzième"
    german = "erste zweite dritte vierte fünfte sechste siebte achte neunte zehnte elfte zwölfte"
    found = {"premier": 1, "première": 1, "thirds": 3, "fifths": 5, "quarters": 4, "hundredth": 100}
    for words in (english, french):
        found |= {word: n for n, word in enumerate(words.split(), 1) if word != "-"}
    for n, word in enumerate(german.split(), 1):
        found |= {word + ending: n for ending in ("", "r", "n", "s", "m")}
    return found


CARDINALS = _cardinals()
ORDINALS = _ordinals()

# German counts 10^12 with the word that is 10^9 in English; the plural tells them apart.
SCALES = {
    **dict.fromkeys(("hundred", "hundert"), 100),
    **dict.fromkeys(("thousand", "tausend", "tsd", "mille", "k"), 1_000),
    **dict.fromkeys(("million", "millions", "millionen", "mio", "mln", "mn", "m"), 1_000_000),
    **dict.fromkeys(("billion", "billions", "bn", "b", "milliarde", "milliarden", "milliard", "milliards"), 10**9),
    **dict.fromkeys(("mrd", "md"), 10**9),
    **dict.fromkeys(("trillion", "trillions", "billionen"), 10**12),
    "dozen": 12,
}

PERCENT = ("%", "percent", "per cent", "prozent", "pour cent", "pct")

CURRENCIES = {
    **dict.fromkeys(("$", "us$", "usd", "dollar", "dollars"), "usd"),
    **dict.fromkeys(("€", "eur", "euro", "euros"), "eur"),
    **dict.fromkeys(("£", "gbp", "pounds", "sterling"), "gbp"),
    **dict.fromkeys(("chf", "franken", "francs"), "chf"),
    **dict.fromkeys(("¥", "jpy", "yen"), "jpy"),
}

MONTHS = {
    word: number
    for words in (
        "january february march april may june july august september october november december",
        "jan feb mar apr may jun jul aug sep oct nov dec",
        "januar februar märz april mai juni juli august september oktober november dezember",
        "jän - mrz - mai - - - sept okt - dez",
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "janv févr - avr - - juil - - - - déc",
    )
    for number, word in enumerate(words.split(), 1)
    if word != "-"
}
# Alone, these are as likely names and verbs: they are months only behind a word that says when.
DOUBTFUL_MONTHS = {"march", "april", "may", "june", "august", "mai", "mars", "avril", "juin", "juni", "july"}
# Alone, these are no months.
SHORT_MONTHS = {word for word in MONTHS if len(word) < 4 or word in {"sept", "janv", "févr", "juil"}} - {"may", "mai"}

WEEKDAYS = {
    word: number
    for words in (
        "monday tuesday wednesday thursday friday saturday sunday",
        "montag dienstag mittwoch donnerstag freitag samstag sonntag",
        "lundi mardi mercredi jeudi vendredi samedi dimanche",
    )
    for number, word in enumerate(words.split(), 1)
}

# Written to a number without a space, these leave the number what it is: 30kg is 30 kg.
UNITS = ("km", "kg", "kw", "mw", "gw", "kwh", "mwh", "gwh", "h", "min", "gb", "tb", "mm", "cm", "ha", "x")
