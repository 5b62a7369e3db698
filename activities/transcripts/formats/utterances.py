"""What every kind of file is read into, before names and words are cleaned and joined."""

from dataclasses import dataclass

# What a file may hold. A full day of talk has a few thousand turns.
MOST_TURNS = 100_000
MOST_SPEAKERS = 200
# Four lines make a cue: its number, its times, its words, and nothing.
MOST_LINES = 4 * MOST_TURNS


class UnreadableError(Exception):
    """This file is no transcript that we can read. One sentence for whoever sent it, which quotes nothing of it."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """Words as a file tells them. Without a name nobody knows who spoke, and without `start_ms` nobody knows when."""

    text: str
    name: str = ""
    start_ms: int | None = None
    end_ms: int | None = None


def too_many_turns() -> UnreadableError:
    return UnreadableError(f"The file has more than {MOST_TURNS:,} turns; send it in parts.")
