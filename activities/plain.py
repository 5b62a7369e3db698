"""Text made plain: for comparing, and for letting in what strangers wrote."""

import re
import unicodedata

# Whatever a person would not see, or a terminal would obey: controls, format characters (zero-width, bidirectional,
# tags), private use, and variation selectors, which can carry hidden text.
_INVISIBLE = {"Cc", "Cf", "Co", "Cs", "Cn"}
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")


def clean(text: str, longest: int) -> str:
    """Text as a person would see it: invisible characters gone, white space single, no longer than `longest`."""
    spaced = re.sub(r"\s+", " ", text)
    seen = "".join(letter for letter in spaced if unicodedata.category(letter) not in _INVISIBLE)
    return " ".join(_SELECTORS.sub("", seen).split())[:longest].rstrip()


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
