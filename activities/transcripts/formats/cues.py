"""WebVTT and SRT, as meeting services and caption editors write them. A library reads the cues; what is in one is ours."""

import html
import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

import webvtt.srt
import webvtt.vtt
from webvtt import Caption
from webvtt.errors import MalformedCaptionError, MalformedFileError

from activities.transcripts.formats.labels import candidate, namelike, plain_line, trusted
from activities.transcripts.formats.utterances import MOST_TURNS, UnreadableError, Utterance, too_many_turns

_ARROW = "-->"
_TIMINGS = re.compile(r"^[ \t]*[0-9]{1,4}:[0-9:.,]{3,16}[ \t]*-->", re.MULTILINE)
_COMMA = re.compile(r"([0-9]),([0-9]{1,3})(?![0-9])")
# Lines to a cue, at most.
_SPARSE = 20
# One in so many cues may have a time that nobody can read; beyond that too much of the call would be missing.
_LOST = 10

# Bounded everywhere: a line may be eight million letters of one kind.
_VOICE = re.compile(r"<v(?:\.[\w-]{1,40}){0,4}[ \t]{1,4}([^<>\n]{1,400})>")
# Only what the formats know; any other "<" was said, or is somebody's script, and is text.
_TAG = re.compile(
    r"</?(?:c|i|b|u|v|ruby|rt|lang|font)(?:[. \t][^<>\n]{0,200})?>|<[0-9][0-9:.]{3,20}>|\{\\an?[0-9]{1,2}\}",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&#?[0-9A-Za-z]{1,10};")


def holds_cues(text: str) -> bool:
    """A transcript of another kind may hold an arrow between two times; captions hold one every few lines."""
    if text.startswith("WEBVTT"):
        return True
    return 0 < 1 + text.count("\n") <= _SPARSE * sum(1 for _ in _TIMINGS.finditer(text))


def read(text: str) -> tuple[str, list[Utterance]]:
    """What kind it is, and its utterances. UnreadableError when its times are not to be read."""
    if text.count(_ARROW) > MOST_TURNS:
        raise too_many_turns()
    lines = [line.rstrip() for line in text.split("\n")]
    try:
        kind, captions = _captions(lines)
    except (MalformedFileError, MalformedCaptionError, ValueError) as error:
        raise UnreadableError("The file has the arrows of captions, but its cues cannot be read.") from error
    if any(_VOICE.search(caption.raw_text) for caption in captions):
        return kind, [one for caption in captions for one in _voices(caption)]
    return kind, list(_labelled(captions))


def _captions(lines: list[str]) -> tuple[str, list[Caption]]:
    """SRT begins with a number and has commas in its times. What that does not fit is read as WebVTT."""
    told = _told(lines)
    if webvtt.srt.is_valid_content(lines):
        captions = webvtt.srt.parse(lines)
        if _worded(captions) >= told:
            return "srt", captions
    headed = lines if lines[0].startswith("WEBVTT") else ["WEBVTT", "", *lines]
    captions = webvtt.vtt.parse([_dotted(line) for line in headed]).captions
    read = _worded(captions)
    if read + told // _LOST < told:
        raise UnreadableError(f"The times of {told - read} of the file's {told} cues cannot be read.")
    return "vtt", captions


def _told(lines: list[str]) -> int:
    """Cues with words: their times, and something on the next line."""
    return sum(1 for line, below in pairwise(lines) if _ARROW in line and below)


def _worded(captions: list[Caption]) -> int:
    return sum(1 for caption in captions if caption.lines)


def _dotted(line: str) -> str:
    """Some write SRT's commas into WebVTT."""
    return _COMMA.sub(r"\1.\2", line[:60]) + line[60:] if _ARROW in line else line


def _voices(caption: Caption) -> Iterator[Utterance]:
    """One cue may have several voices. Words before the first are nobody's that we know."""
    pieces = _VOICE.split(caption.raw_text)
    for name, words in zip(["", *pieces[1::2]], pieces[::2], strict=True):
        yield _utterance(caption, name, words)


def _labelled(captions: list[Caption]) -> Iterator[Utterance]:
    """`Name: text`. Captions name a speaker when that changes, so the next ones are theirs as well."""
    lines = [plain_line(line) for caption in captions for line in caption.lines]
    names = trusted((found[0] for line in lines if (found := candidate(line))), len(lines))
    headed = not names and _headed(captions)
    speaker = ""
    for caption in captions:
        if headed:
            yield _utterance(caption, caption.lines[0], " ".join(caption.lines[1:]))
            continue
        for name, words in _by_label(caption.lines, names, speaker):
            yield _utterance(caption, name, words)
            speaker = name


def _headed(captions: list[Caption]) -> bool:
    """Each cue begins with a line that is a name alone, and they are few."""
    heads = [caption.lines[0] for caption in captions if len(caption.lines) > 1]
    return 0 < 2 * len(set(heads)) <= len(heads) == len(captions) and all(map(namelike, set(heads)))


def _by_label(lines: Iterable[str], names: frozenset[str], speaker: str) -> Iterator[tuple[str, str]]:
    words: list[str] = []
    for line in lines:
        found = candidate(plain_line(line))
        if found and found[0] in names:
            yield speaker, " ".join(words)
            speaker, words = found[0], [found[1]]
        else:
            words.append(line)
    yield speaker, " ".join(words)


def _utterance(caption: Caption, name: str, words: str) -> Utterance:
    start, end = caption.start_time.in_milliseconds(), caption.end_time.in_milliseconds()
    return Utterance(_shown(words), _shown(name), start, end)


def _shown(marked: str) -> str:
    return _ENTITY.sub(lambda entity: html.unescape(entity[0]), _TAG.sub("", marked))
