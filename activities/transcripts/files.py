"""Files that people upload, as transcripts. Nothing is read or kept here but what is in the bytes.

By its content first: cues, a service's text, names and colons, words alone. Only of words alone does the file's name tell
whether they can be a transcript.
"""

from collections.abc import Iterable
from pathlib import PurePath

from activities.transcripts.formats import cues, texts
from activities.transcripts.formats.encodings import decode, refuse_binary
from activities.transcripts.formats.turns import spoken
from activities.transcripts.formats.utterances import MOST_LINES, UnreadableError, Utterance
from schemas.transcripts import Spoken

__all__ = ["LARGEST", "UnreadableError", "read"]

LARGEST = 8 * 1024 * 1024

# What words alone are when their file is called so.
_ENDINGS = {
    ".vtt": "The file ends in .vtt, but holds no cues; export the transcript again.",
    ".srt": "The file ends in .srt, but holds no cues; export the transcript again.",
    ".json": "This is a JSON file; export the transcript as VTT, SRT or text.",
    ".xml": "This is an XML file; export the transcript as VTT, SRT or text.",
    ".html": "This is a web page; export the transcript as VTT, SRT or text.",
    ".htm": "This is a web page; export the transcript as VTT, SRT or text.",
    ".csv": "This is a table; export the transcript as VTT, SRT or text.",
}


def read(data: bytes, name: str) -> Spoken:
    """What was said, by whom and when. UnreadableError says in a sentence for a person why it cannot be told."""
    if not data:
        raise UnreadableError("The file is empty.")
    refuse_binary(data)
    if len(data) > LARGEST:
        raise UnreadableError(
            f"The file is larger than {LARGEST // 1024**2} MiB; send the transcript alone, or in parts."
        )
    kind, utterances = _parsed(_lines_of(decode(data)), name)
    return spoken(kind, utterances)


def _lines_of(text: str) -> str:
    """One kind of line ending, and nothing around the whole."""
    whole = text.replace("\r\n", "\n").replace("\r", "\n").strip("\ufeff \t\n\f\v\xa0")
    if not whole or whole.isspace():
        raise UnreadableError("The file holds nothing but white space.")
    if whole.count("\n") >= MOST_LINES:
        raise UnreadableError(f"The file has more than {MOST_LINES:,} lines; send it in parts.")
    return whole


def _parsed(text: str, name: str) -> tuple[str, Iterable[Utterance]]:
    if cues.holds_cues(text):
        return cues.read(text)
    kind, utterances = texts.read(text)
    if kind == "words":
        if refusal := _ENDINGS.get(PurePath(name).suffix.casefold()):
            raise UnreadableError(refusal)
        return "text", utterances
    return kind, utterances
