"""A form made from a JSON Schema, and what was written in it as the values that the schema means.

schema ─▶ asked: a question for each property ─▶ form ─▶ told: {name: value}, or a sentence about what is wrong

Whether the values are what the schema wants is for who knows the schema: here they only get their kinds.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from activities.plain import clean
from starter.inbox import DEEPEST, RefusedError, decode
from starter.words import UsageError

# What a form has besides them is a handful.
MOST_QUESTIONS = 24
MOST_CHOICES = 200
LONGEST_LABEL, LONGEST_HINT = 80, 300
# From that length on, words get an area and not a line.
LONG = 200
PREFIX = "input:"
# The field of a schema that makes no form: all of it as JSON.
WHOLE = "inputs"


class Kind(StrEnum):
    TEXT = "text"
    LONG = "long"
    DATE = "date"
    NUMBER = "number"
    WHOLE = "whole"
    TICK = "tick"
    CHOICE = "choice"
    LINES = "lines"
    MEETING = "meeting"
    JSON = "json"


# What a field does not say by itself.
HOW = {Kind.LINES: "One on a line.", Kind.JSON: "As JSON."}


@dataclass(frozen=True)
class Question:
    """A field of the form. `choices` are what is sent, and its words; `given` is what stands in it at first."""

    name: str
    label: str
    hint: str
    kind: Kind
    required: bool
    choices: tuple[tuple[str, str], ...] = ()
    given: str = ""
    least: str = ""
    most: str = ""
    longest: int | None = None

    @property
    def field(self) -> str:
        return PREFIX + self.name


def asked(schema: Mapping[str, Any] | None) -> tuple[Question, ...] | None:
    """A question for each property. Nothing when the schema makes no form: then all of it is written as JSON."""
    if schema is None:
        return ()
    properties = schema.get("properties", {})
    if not isinstance(properties, dict) or len(properties) > MOST_QUESTIONS or _wants_more(schema, properties):
        return None
    required = schema.get("required")
    needed = set(map(str, required)) if isinstance(required, list) else set()
    return tuple(_question(str(name), said, str(name) in needed) for name, said in properties.items())


def _wants_more(schema: Mapping[str, Any], properties: Mapping[str, Any]) -> bool:
    """It asks for what is no property of its own, so that a form of those could not be sent."""
    required = schema.get("required")
    unnamed = isinstance(required, list) and not set(map(str, required)) <= set(map(str, properties))
    none = not properties and ("$ref" in schema or bool(required) or schema.get("minProperties", 0) not in (0, None))
    return unnamed or none


def _question(name: str, said: object, required: bool) -> Question:
    of = said if isinstance(said, dict) else {}
    kind = _kind(of)
    return Question(
        name=name,
        label=clean(_word(of, "title") or spelled(name), LONGEST_LABEL) or "Without a name",
        hint=" ".join(filter(None, (clean(_word(of, "description"), LONGEST_HINT), HOW.get(kind)))),
        kind=kind,
        # A tick that must be set would be no question.
        required=required and kind is not Kind.TICK,
        choices=_choices(of) if kind is Kind.CHOICE else (),
        given=_given(kind, of.get("default")),
        least=_bound(of, "minimum"),
        most=_bound(of, "maximum"),
        longest=most if isinstance(most := of.get("maxLength"), int) and most > 0 else None,
    )


def _kind(of: Mapping[str, Any]) -> Kind:
    if _choices(of):
        return Kind.CHOICE
    types = of.get("type")
    named = next((one for one in types if one != "null"), None) if isinstance(types, list) else types
    if named == "string":
        return _wording(of)
    if named == "array":
        items = of.get("items")
        return Kind.LINES if isinstance(items, dict) and items.get("type") == "string" else Kind.JSON
    return _PLAIN.get(named, Kind.JSON) if isinstance(named, str) else Kind.JSON


_PLAIN = {"boolean": Kind.TICK, "integer": Kind.WHOLE, "number": Kind.NUMBER}


def _wording(of: Mapping[str, Any]) -> Kind:
    match of.get("format"):
        case "meeting":
            return Kind.MEETING
        case "date":
            return Kind.DATE
        case "multiline" | "markdown":
            return Kind.LONG
    longest = of.get("maxLength")
    return Kind.LONG if isinstance(longest, int) and longest > LONG else Kind.TEXT


def _choices(of: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    values = of.get("enum")
    if not isinstance(values, list) or not 0 < len(values) <= MOST_CHOICES:
        return ()
    return tuple(
        (json.dumps(one), clean(one if isinstance(one, str) else json.dumps(one), LONGEST_LABEL)) for one in values
    )


def _given(kind: Kind, default: object) -> str:
    match kind, default:
        case _, None:
            return ""
        case Kind.TICK, bool():
            return "on" if default else ""
        case Kind.CHOICE | Kind.JSON, _:
            return json.dumps(default, ensure_ascii=kind is Kind.CHOICE)
        case Kind.LINES, list():
            return "\n".join(map(str, default))
        case _, str() | int() | float() if default not in (math.inf, -math.inf):
            return str(default)
    return ""


def _bound(of: Mapping[str, Any], name: str) -> str:
    said = of.get(name)
    if not isinstance(said, int | float) or isinstance(said, bool):
        return ""
    try:
        return str(said) if math.isfinite(said) else ""
    except (OverflowError, ValueError):
        # More than a browser could compare with.
        return ""


def _word(of: Mapping[str, Any], name: str) -> str:
    said = of.get(name)
    return said if isinstance(said, str) else ""


def spelled(name: str) -> str:
    words = " ".join(name.replace("_", " ").replace("-", " ").split())
    return words[:1].upper() + words[1:]


def given(questions: tuple[Question, ...] | None) -> dict[str, str]:
    """The form as it is at first."""
    return {one.field: one.given for one in questions or () if one.given}


def again(questions: tuple[Question, ...] | None, inputs: Mapping[str, Any]) -> dict[str, str]:
    """The form as it was when `told` made these of it."""
    if questions is None:
        return {WHOLE: json.dumps(inputs, ensure_ascii=False, indent=2)} if inputs else {}
    return {one.field: said for one in questions if (said := _given(one.kind, inputs.get(one.name)))}


def told(questions: tuple[Question, ...] | None, fields: Mapping[str, str]) -> dict[str, Any]:
    """What was written. What was left empty was not said."""
    if questions is None:
        whole = _json("What it is told", fields.get(WHOLE, "").strip() or "{}")
        if not isinstance(whole, dict):
            raise UsageError('What it is told must be a JSON object, such as {"tone": "short"}')
        return whole
    said: dict[str, Any] = {}
    for one in questions:
        written = fields.get(one.field, "")
        if one.kind is Kind.TICK:
            said[one.name] = one.field in fields
        elif written.strip():
            said[one.name] = _value(one, written)
        elif one.required:
            raise UsageError(f"“{one.label}” is missing")
    return said


def _value(of: Question, written: str) -> Any:
    match of.kind:
        case Kind.WHOLE | Kind.NUMBER:
            return _number(of, written.strip())
        case Kind.CHOICE:
            if written not in dict(of.choices):
                raise UsageError(f"“{of.label}” must be one of what is listed")
            return json.loads(written)
        case Kind.LINES:
            return [line.strip() for line in written.splitlines() if line.strip()]
        case Kind.JSON:
            return _json(of.label, written)
        case Kind.LONG | Kind.TEXT:
            return written.replace("\r\n", "\n")
        case _:
            return written.strip()


def _number(of: Question, written: str) -> float:
    try:
        number = int(written) if of.kind is Kind.WHOLE else float(written)
        finite = math.isfinite(number)
    except (ValueError, OverflowError):
        finite = False
    if not finite:
        such = "a whole number, such as 3" if of.kind is Kind.WHOLE else "a number, such as 2.5"
        raise UsageError(f"“{of.label}” must be {such}")
    return number


def _json(label: str, written: str) -> Any:
    try:
        return decode(written.encode(errors="replace"))
    except RefusedError:
        raise UsageError(f"“{label}” must be JSON, nested at most {DEEPEST} deep") from None
