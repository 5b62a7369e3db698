"""How far a part has come: from what is kept of it, what it came to, or what is to be asked next.

follow ─▶ (no question at all | kept answers, each read | what is to be asked) ─▶ Answered
"""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from temporalio.exceptions import ApplicationError

from activities import errors
from activities.documents.ports import Extract, KeptAnswer
from activities.plain import clean
from activities.ports import ModelAnswer, Prompt

Shape = TypeVar("Shape", bound=BaseModel)

# An answer longer than this is no list of findings.
LONGEST_ANSWER = 300_000

# They will not read it, and asking again will not change that.
UNWILLING = {"blocked", "refusal", "safety", "blocklist", "prohibited_content", "spii"}


@dataclass(frozen=True)
class Task:
    """What is asked about a part, given what was wrong with the last answer; and what an answer comes to, or what is wrong
    with it in words that the model may be told. `read` raises what `errors` makes when nothing else will come of asking."""

    prompt: Callable[[str | None], Prompt]
    read: Callable[[ModelAnswer], Extract | str]


@dataclass(frozen=True)
class Answered:
    """`extract` is what came of a part. While there is none, `prompt` is to be asked, and `problem` says what was wrong
    with the last of the `asked` answers."""

    prompt: Prompt
    asked: int = 0
    extract: Extract | None = None
    problem: str = ""


def follow(task: Task, kept: Mapping[str, KeptAnswer], version: int) -> Answered:
    """What any version of the run bought serves, if it can be used; what cannot counts for that version alone."""
    known = kept.get(task.prompt(None).asked)
    if known is not None and known.version != version:
        with suppress(ApplicationError):
            answered = _walk(task, kept)
            if answered.extract is not None:
                return answered
    return _walk(task, {asked: one for asked, one in kept.items() if one.version == version})


def _walk(task: Task, kept: Mapping[str, KeptAnswer]) -> Answered:
    """From the first ask on, as far as answers are kept: each that could not be used is followed by a repair."""
    answered = Answered(task.prompt(None))
    while (known := kept.get(answered.prompt.asked)) is not None:
        extract, asked = task.read(known.answer), answered.asked + 1
        if not isinstance(extract, str):
            return replace(answered, asked=asked, extract=extract)
        answered = Answered(_again(task, asked, extract), asked, problem=extract)
    return answered


def _again(task: Task, number: int, problem: str) -> Prompt:
    """Another repair is another question, though it tells of the same problem."""
    prompt = task.prompt(problem)
    return replace(prompt, asked=hashlib.sha256(f"{prompt.asked}/{number}".encode()).hexdigest())


def parsed(answer: ModelAnswer, shape: type[Shape]) -> Shape | str:
    """An answer of this shape, or what was wrong with it."""
    if answer.stopped in UNWILLING:
        raise errors.no_valid_answer(f"it would not read this: {answer.stopped}")
    if answer.stopped != "end_turn":
        return f"the answer stopped early ({clean(answer.stopped, 50)}); keep it shorter"
    if len(answer.text) > LONGEST_ANSWER:
        return "the answer was far too long"
    try:
        return shape.model_validate_json(answer.text)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        return f"not valid: {place}: {first['type']}"
