"""Bytes to text, whatever wrote them. What is no text is refused by what it seems to be."""

import codecs
import re

from charset_normalizer import from_bytes
from charset_normalizer.models import CharsetMatch

from activities.transcripts.formats.utterances import UnreadableError

_EXPORT = "export the transcript as VTT, SRT or text"
# By what a file begins with. An MP4 tells its kind after its first four bytes.
_MAGIC = (
    (b"%PDF", "a PDF"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document"),
    (b"{\\rtf", "an RTF document"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\x1f\x8b", "a compressed archive"),
    (b"7z\xbc\xaf\x27\x1c", "a compressed archive"),
    (b"Rar!", "a compressed archive"),
    (b"RIFF", "a sound or video recording"),
    (b"OggS", "a sound recording"),
    (b"ID3", "a sound recording"),
    (b"\xff\xfb", "a sound recording"),
    (b"fLaC", "a sound recording"),
    (b"\x1aE\xdf\xa3", "a video recording"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
)
_PACKED = ((b"word/", "a Word document"), (b"xl/", "a spreadsheet"), (b"ppt/", "a set of slides"))
# The longer mark first: UTF-32's begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# What office programs of our days may still write. Of more, a guess would be worse.
_SANE = (
    *("cp1252", "cp1250", "cp1254", "cp1251", "cp1253", "mac_roman", "koi8_r"),
    *("cp932", "euc_jp", "gb18030", "big5", "cp949"),
)
_LATIN = {"cp1252", "cp1250", "cp1254", "mac_roman"}
_CENTRAL = {"Polish", "Czech", "Slovak", "Hungarian", "Slovene", "Romanian"}
# Of a file, from its first byte that tells encodings apart.
_SAMPLE = 64 * 1024
# One in so many letters may be broken before a text is none, and a few may always be.
_BROKEN = 20
_MOST_CONTROLS = 8
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1a\x7f]")


def decode(data: bytes) -> str:
    """The text, without a byte order mark. UnreadableError says what it is instead."""
    refuse_binary(data)
    text = _decoded(data)
    controls = len(text) - len(_CONTROLS.sub("", text))
    if controls > _MOST_CONTROLS and controls * _BROKEN > len(text):
        raise UnreadableError(f"This is a binary file; {_EXPORT}.")
    return text


def refuse_binary(data: bytes) -> None:
    """A video of any size is called a video, rather than too large."""
    if kind := _kind(data):
        raise UnreadableError(f"This is {kind}; {_EXPORT}.")


def _kind(data: bytes) -> str | None:
    if data.startswith(b"PK\x03\x04"):
        return next((kind for inside, kind in _PACKED if inside in data), "a ZIP archive")
    if data[4:8] == b"ftyp":
        return "a sound recording" if data[8:11] == b"M4A" else "a video recording"
    if known := next((kind for magic, kind in _MAGIC if data.startswith(magic)), None):
        return known
    marked = any(data.startswith(mark) for mark, _ in _MARKS)
    return "a binary file, or UTF-16 without its mark" if not marked and b"\0" in data else None


def _decoded(data: bytes) -> str:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _by(encoding, data[len(mark) :])
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        return _damaged(data) or _guessed(data, error.start)


def _by(encoding: str, data: bytes) -> str:
    """The file says what it is; where that is not true, it is damaged."""
    text = data.decode(encoding, errors="replace")
    if text.count("\ufffd") * _BROKEN > len(text):
        raise UnreadableError("The file is damaged, or not in the encoding that it begins with; save it as UTF-8.")
    return text


def _damaged(data: bytes) -> str | None:
    """UTF-8 with a few bytes broken or cut off, but not another encoding in which few letters have an accent."""
    text = data.decode(errors="replace")
    broken = text.count("\ufffd")
    accented = len(text) - len(text.encode("ascii", errors="ignore")) - broken
    return text if broken * _BROKEN <= len(text) and accented > 4 * broken else None


def _guessed(data: bytes, first: int) -> str:
    start = data.rfind(b"\n", 0, first) + 1
    sample = data[start : start + _SAMPLE]
    # Lines end between letters in every one of them.
    if len(sample) == _SAMPLE and b"\n" in sample:
        sample = sample[: sample.rindex(b"\n") + 1]
    found = _best(list(from_bytes(sample, cp_isolation=list(_SANE))))
    if found is None:
        raise UnreadableError("The file is in an encoding that we do not know; save it as UTF-8.")
    return data.decode(found, errors="replace")


def _best(matches: list[CharsetMatch]) -> str | None:
    """The Latin ones differ in few letters: of those as good as the best, the one whose language it is, else Western."""
    if not matches or matches[0].encoding not in _LATIN:
        return matches[0].encoding if matches else None
    best = matches[0]
    near = {
        match.encoding: match.language
        for match in matches
        if match.chaos <= best.chaos + 0.05 and match.coherence >= best.coherence - 0.1
    }
    if near.get("cp1254") == "Turkish":
        return "cp1254"
    if best.encoding == "cp1250" and best.language in _CENTRAL:
        return "cp1250"
    return next(one for one in ("cp1252", "cp1250", best.encoding) if one in near)
