"""How far a script has been written: from the answers that are kept, what they came to, or what is to be asked next."""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from temporalio.exceptions import ApplicationError

from activities.digests import script
from activities.digests.ports import KeptAnswer, Morning
from activities.digests.said import Kept
from activities.ports import Prompt


@dataclass(frozen=True)
class Read:
    """`kept` is what may be said. While there is none, `prompt` is to be asked, and `problem` says what was wrong with
    the last of the `asked` answers."""

    prompt: Prompt
    asked: int = 0
    kept: Kept | None = None
    problem: str = ""


def follow(morning: Morning) -> Read:
    """What any run bought serves, if it can be used; what cannot counts for the run alone that bought it."""
    known = morning.kept.get(_prompt(morning).asked)
    if known is not None and not known.ours:
        with suppress(ApplicationError):
            read = _walk(morning, morning.kept)
            if read.kept is not None:
                return read
    return _walk(morning, {asked: one for asked, one in morning.kept.items() if one.ours})


def _walk(morning: Morning, answers: Mapping[str, KeptAnswer]) -> Read:
    """From the first ask on, as far as answers are kept: each that could not be used is followed by a repair."""
    read = Read(_prompt(morning))
    while (known := answers.get(read.prompt.asked)) is not None:
        kept = script.read(known.answer, morning.items)
        asked = read.asked + 1
        if not isinstance(kept, str):
            return replace(read, asked=asked, kept=kept)
        read = Read(_prompt(morning, asked, kept), asked, problem=kept)
    return read


def _prompt(morning: Morning, number: int = 0, problem: str | None = None) -> Prompt:
    """Another repair is another question, though it tells of the same problem."""
    prompt = script.prompt(morning.items, problem)
    if number < 2:
        return prompt
    return replace(prompt, asked=hashlib.sha256(f"{prompt.asked}/{number}".encode()).hexdigest())
