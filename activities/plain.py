"""Text made plain: for comparing, and for letting in what strangers wrote."""

import re
import unicodedata

# Whatever a person would not see, or a terminal would obey: controls, format characters (zero-width, bidirectional,
# tags), private use, and variation selectors, which can carry hidden text.
_INVISIBLE = {"Cc", "Cf", "Co", "Cs", "Cn"}
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")

# How somebody gets into a meeting: addresses of any kind, rooms of the services that host them, the codes and numbers
# that follow a word for one, and telephone numbers that are written as such. In the languages that we have met.
_HOSTS = (
    r"zoom(?:gov)?\.(?:us|com)|meet\.google\.com|teams\.(?:microsoft|live)\.com|webex\.com|whereby\.com|jit\.si"
    r"|goto(?:meeting|webinar)?\.(?:com|me)|bluejeans\.com|chime\.aws|skype\.com|ringcentral\.com|dialpad\.com"
)
_PIN = r"(?:zugangs-?|einwahl-?|konferenz-?|code |código |access |host |attendee |dial-in )?pin(?:[ -]?code)?"
_KEYWORD = (
    r"pass\s?code|pass\s?word|pass\s?wort|kenn(?:wort|code)|security key|meeting password|zugriffscode"
    r"|(?:access|participant|attendee|guest|host|security|meeting|conference|dial-in) (?:code|key)"
    r"|(?:zugangs|teilnehmer|konferenz|sicherheits|meeting|einwahl)-?\s?(?:code|schlüssel)"
    r"|mot de passe|code (?:d['\u2019]accès|secret|confidentiel|de (?:la )?(?:réunion|conférence))|clé de (?:la )?réunion"
    r"|contraseña|clave de (?:acceso|la reunión|reunión)|código de (?:acceso|la reunión|reunión)"
    r"|codice (?:di accesso|riunione)|senha|toegangscode|wachtwoord"
)
_SIGNED = r"clave|código|code|kode|codice|key"
_NUMBER = (
    r"(?:meeting|conference|webinar|event|session|access)[ -](?:id|number|no\.?|nr\.?)"
    r"|(?:meeting|konferenz|besprechungs?|sitzungs?|webinar)-?\s?(?:id|kennung|kennnummer|nummer|nr\.?)"
    r"|(?:id|identifiant|numéro) (?:de (?:la )?|d['\u2019])(?:réunion|conférence|appel)|numéro d['\u2019]accès"
    r"|(?:id|identificador|identificación|número) de (?:la )?(?:reunión|conferencia|llamada)"
    r"|id (?:riunione|da reunião)|vergader-id"
)
_CALL = (
    r"(?:dial|call)[ -]?in(?: number)?|dial|join by phone|one[ -]tap(?: mobile)?|phone|tel(?:ephone|\.)?|mobile"
    r"|einwahl(?:nummer|daten)?|einwählen|telefon(?:nummer)?|tél(?:éphone|\.)?|numéro à composer|composer(?: le)?"
    r"|teléfono|llamar(?: al)?|marcar|marque(?: el)?|número de (?:acceso|teléfono)"
)
_SIGN = r"\s*[:=#]\s*"
_IS = rf"(?:{_SIGN}|\s+(?:(?:is|ist|lautet|est|es)\s+)?)"
_REST = r"\S*[^\s)\]>,;]"
_CODE = r"[^\s,;|)\]>]+"
_YEAR = r"(?:19|20)\d\d\b"
_DATE = r"\d{4}-\d\d-\d\d|\d{1,2}[./]\d{1,2}[./]\d{2,4}\b"
_TONES = r"(?:\s*(?:[,;*#x]|ext\.?)+\s*\d+)*#?"
_ACCESS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b[a-z][a-z0-9+.-]{{1,20}}://{_REST}",
        rf"\bwww\.{_REST}",
        rf"\b(?:tel|sips?|callto|h323|msteams|zoommtg|skype):(?!\s){_REST}",
        rf"(?:\b[\w-]+\.)*\b(?:{_HOSTS})[/?#]{_REST}",
        rf"\b(?:{_PIN}){_IS}#?(?=\d)\d[\d\s]+\d#?(?!\w)",
        # A secret may be any word behind a sign; without one it has a digit, and is no year.
        rf"\b(?:{_KEYWORD}){_SIGN}{_CODE}",
        rf"\b(?:{_KEYWORD}|{_PIN}){_IS}(?!{_YEAR})(?=\S*\d){_CODE}",
        rf"\b(?:{_SIGNED}){_SIGN}#?\d{{4,}}#?(?!\w)",
        rf"\b(?:{_NUMBER}){_IS}\d(?:[\s-]?\d){{4,}}#?(?!\w)",
        rf"\bid{_IS}\d(?:[\s-]?\d){{8,}}#?(?!\w)",
        rf"\b(?:{_CALL}){_IS}(?!{_DATE})\+?\(?\d(?:[\s().\-/]*\d){{6,}}{_TONES}",
        rf"\+\d(?:[\s().\-/]*\d){{7,}}{_TONES}",
        r"\b\d(?:[\s().\-]*\d){6,}\s*,{1,2}\s*\*?#?\d+#?",
    )
)
_EMPTY = re.compile(r"[(\[<{][\s,;:|/\u2013\u2014-]*[)\]>}]")
_SEPARATORS = re.compile(r"([|,;:/•·\u2013\u2014-])(?:\s*[|,;:/•·\u2013\u2014-])+")
_AT_AN_END = " ,;:|/-\u2013\u2014•·#"


def clean(text: str, longest: int) -> str:
    """Text as a person would see it: invisible characters gone, white space single, no longer than `longest`."""
    spaced = re.sub(r"\s+", " ", text)
    seen = "".join(letter for letter in spaced if unicodedata.category(letter) not in _INVISIBLE)
    return " ".join(_SELECTORS.sub("", seen).split())[:longest].rstrip()


def lines(text: str) -> str:
    """Like `clean`, of a text whose lines and their beginnings matter: Markdown stays what it is."""
    tidy = text.replace("\r\n", "\n").replace("\t", "    ").split("\n")
    seen = ("".join(one for one in line if unicodedata.category(one) not in _INVISIBLE) for line in tidy)
    return "\n".join(_SELECTORS.sub("", line).rstrip() for line in seen).strip("\n")


def without_access(text: str) -> str:
    """A title without what lets somebody into its meeting: join links, dial-ins, meeting ids, PINs and passcodes.

    What holds none of these is as it was. In doubt a number goes: a brief can do without it.
    """
    left = text
    for pattern in _ACCESS:
        left = pattern.sub(" ", left)
    if left == text:
        return text
    closed = _SEPARATORS.sub(r"\1", _EMPTY.sub(" ", left))
    return " ".join(closed.split()).strip(_AT_AN_END)


def unmarked(text: str) -> str:
    """Without case and accents."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def fold(text: str) -> str:
    """Letters and digits alone, without case and accents."""
    return re.sub(r"[\W_]+", "", unmarked(text))


def tokens(text: str) -> list[str]:
    """The words and numbers of a text in their order, without case and accents."""
    return re.findall(r"[^\W_]+", unmarked(text))


def words(text: str) -> set[str]:
    """The words of a text, without case and accents; single letters and numbers are none."""
    return {word for word in re.split(r"[\W_\d]+", unmarked(text)) if len(word) > 1}
