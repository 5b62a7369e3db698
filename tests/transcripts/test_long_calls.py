"""A call of two hours and eight speakers, as each service writes it down, read from the file to its findings."""

from collections import defaultdict

import pytest

from activities.research.quotes import found
from activities.transcripts.files import read
from activities.transcripts.reading import merge, split
from sandbox.calls import CALLS
from schemas.transcripts import FindingKind
from tests.transcripts.heard import listened
from tests.transcripts.material import Cue
from tests.transcripts.test_formats import EVERY, Write

(LONG,) = (one for one in CALLS if len(one.speakers) == 8)
CUES = tuple(Cue(one.speaker, one.start_ms, one.end_ms, one.text) for one in LONG.sentences)


@pytest.mark.parametrize("write", [row[0] for row in EVERY], ids=lambda write: write.__name__)
def test_every_finding_is_a_sentence_of_the_file_with_its_time(write: Write) -> None:
    spoken = read(write(CUES).encode(), "call.txt")
    reading = merge([listened(part) for part in split(spoken)])
    said = defaultdict[tuple[str, int], list[str]](list)
    for turn in spoken.turns:
        said[turn.speaker, turn.start_ms].append(turn.text)

    assert len({turn.speaker for turn in spoken.turns}) == 8
    assert spoken.turns[-1].start_ms > 6_000_000
    assert sum(one.kind is FindingKind.NEXT_STEP for one in reading.findings) >= 8
    for one in reading.findings:
        assert any(found(one.quote, text) for text in said[one.speaker, one.at_ms]), one
