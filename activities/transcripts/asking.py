"""How far a part has been read: from what is kept of it, what it came to, or what is to be asked next."""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from temporalio.exceptions import ApplicationError

from activities.ports import Prompt
from activities.transcripts import reading
from activities.transcripts.checks import Extract
from activities.transcripts.parts import Part
from activities.transcripts.ports import Heard, KeptAnswer


@dataclass(frozen=True)
class Read:
    """`extract` is what came of a part. While there is none, `prompt` is to be asked, and `problem` says what was wrong
    with the last of the `asked` answers."""

    prompt: Prompt
    asked: int = 0
    extract: Extract | None = None
    problem: str = ""
    model: str = ""


def follow(part: Part, heard: Heard) -> Read:
    """What any run bought serves, if it can be used; what cannot counts for the run alone that bought it."""
    known = heard.kept.get(_prompt(part, heard).asked)
    if known is not None and not known.ours:
        with suppress(ApplicationError):
            read = _walk(part, heard, heard.kept)
            if read.extract is not None:
                return read
    return _walk(part, heard, {asked: one for asked, one in heard.kept.items() if one.ours})


def _walk(part: Part, heard: Heard, kept: Mapping[str, KeptAnswer]) -> Read:
    """From the first ask on, as far as answers are kept: each that could not be used is followed by a repair."""
    read = Read(_prompt(part, heard))
    while (known := kept.get(read.prompt.asked)) is not None:
        extract = reading.read(known.answer, part, held_on=heard.held_on)
        asked = read.asked + 1
        if not isinstance(extract, str):
            return replace(read, asked=asked, extract=extract, model=known.answer.model)
        read = Read(_prompt(part, heard, asked, extract), asked, problem=extract)
    return read


def _prompt(part: Part, heard: Heard, number: int = 0, problem: str | None = None) -> Prompt:
    """Another repair is another question, though it tells of the same problem."""
    prompt = reading.prompt(part, held_on=heard.held_on, problem=problem)
    if number < 2:
        return prompt
    return replace(prompt, asked=hashlib.sha256(f"{prompt.asked}/{number}".encode()).hexdigest())
