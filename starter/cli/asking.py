"""Ask on a terminal for what flags do not give; elsewhere say what is missing."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import typer

from starter.cli.options import interactive, progress
from starter.words import UsageError

T = TypeVar("T")


@dataclass(frozen=True)
class Field:
    """One answer: the flag it could come from, what is asked, and what checks it, with a sentence when it is wrong."""

    flag: str
    question: str
    check: Callable[[str], str]
    default: str = ""


class Answers:
    """What flags gave, checked; `ask` gets the rest. Nothing is asked before all that was given is known to be good."""

    def __init__(self, given: dict[str, str | None], fields: tuple[Field, ...]) -> None:
        self._fields = {field.flag: field for field in fields}
        self._known = {
            flag: field.check(value) for flag, field in self._fields.items() if (value := given[flag]) is not None
        }

    def get(self, flag: str) -> str | None:
        return self._known.get(flag)

    def suggest(self, flag: str, value: str) -> None:
        """What Enter means for a field that is still to be asked; off a terminal it is the answer."""
        field = self._fields[flag]
        self._fields[flag] = Field(field.flag, field.question, field.check, value)

    def ask(self, *flags: str) -> None:
        """Get these answers, by asking where somebody is there."""
        missing = [flag for flag in flags if flag not in self._known]
        if not interactive():
            self._default(missing)
            return
        for flag in missing:
            self._known[flag] = _asked(self._fields[flag])

    def _default(self, missing: list[str]) -> None:
        unknown = [flag for flag in missing if not self._fields[flag].default]
        if unknown:
            raise UsageError(f"Nobody is here to be asked, and {_listed(unknown)} missing", "give every one as a flag")
        self._known |= {flag: self._fields[flag].check(self._fields[flag].default) for flag in missing}

    def __getitem__(self, flag: str) -> str:
        return self._known[flag]


def _asked(field: Field) -> str:
    """Until the answer is good."""
    while True:
        answer: str = typer.prompt(field.question, default=field.default or None, err=True)
        try:
            return field.check(answer)
        except UsageError as error:
            progress.print(f"  {error}", markup=False)


def _listed(flags: list[str]) -> str:
    return ", ".join(flags) + (" is" if len(flags) == 1 else " are")
