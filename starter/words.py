"""What a person is told when something is amiss: one sentence, and the exit code that goes with it."""


class SaidError(Exception):
    """One sentence for a person. `remedy` is what mends it."""

    exit_code = 1

    def __init__(self, sentence: str, remedy: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence.rstrip(".")
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.sentence}; {self.remedy}" if self.remedy else f"{self.sentence}."


class FailedError(SaidError):
    """It was tried, and failed."""

    exit_code = 1


class UsageError(SaidError):
    """What was given cannot be meant: what was wrong, what was expected, an example. Nothing is stored."""

    exit_code = 2


class NotFoundError(SaidError):
    """There is no such thing, for this tenant."""

    exit_code = 3


class NotReadyError(SaidError):
    """A server or key is missing."""

    exit_code = 4
