"""A call of two hours and eight speakers, as each service writes it down, read from the file to its findings."""

from collections.abc import Callable

import pytest

from activities.research.quotes import found
from activities.transcripts.files import read
from activities.transcripts.reading import merge, split
from sandbox.calls import CALLS
from schemas.transcripts import FindingKind
from tests.transcripts.heard import listened
from tests.transcripts.material import Cue
from tests.transcripts.test_formats import EVERY, Write, since_first

(LONG,) = (one for one in CALLS if len(one.speakers) == 8)
CUES = tuple(Cue(one.speaker, one.start_ms, one.end_ms, one.text) for one in LONG.sentences)


def told_at(quote: str, speaker: str, at_ms: int, at: Callable[[Cue], int]) -> bool:
    """Whether it begins in a cue of that second: it stands from there on, and from the next time on no more."""
    seconds = sorted({_second(cue, at) for cue in CUES if cue.speaker == speaker})
    later = next((one for one in seconds if one > at_ms // 1000), None)
    here = at_ms // 1000 in seconds and found(quote, _from(speaker, at_ms // 1000, at))
    return here and not found(quote, _from(speaker, later, at))


def _from(speaker: str, second: int | None, at: Callable[[Cue], int]) -> str:
    """What is said in the half minute, or at the time, that follows."""
    if second is None:
        return ""
    return " ".join(cue.text for cue in CUES if cue.speaker == speaker and 0 <= _second(cue, at) - second < 30)


def _second(cue: Cue, at: Callable[[Cue], int]) -> int:
    """Some services tell times since the first, most of them whole seconds."""
    return (cue.start_ms - CUES[0].start_ms if at is since_first else at(cue)) // 1000


@pytest.mark.parametrize(("write", "_kind", "at"), EVERY, ids=[row[0].__name__ for row in EVERY])
def test_every_finding_is_a_sentence_of_the_file_with_its_time(
    write: Write, _kind: str, at: Callable[[Cue], int]
) -> None:
    spoken = read(write(CUES).encode(), "call.txt")
    reading = merge([listened(part) for part in split(spoken)])

    assert len({turn.speaker for turn in spoken.turns}) == 8
    assert spoken.turns[-1].start_ms > 6_000_000
    assert sum(one.kind is FindingKind.NEXT_STEP for one in reading.findings) >= 8
    for one in reading.findings:
        assert told_at(one.quote, one.speaker, one.at_ms, at), one
