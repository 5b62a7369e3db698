"""A form made from a schema, and what was written in it."""

from typing import Any

import pytest
from hypothesis import given as tried
from hypothesis import strategies as st

from starter.web import forms
from starter.web.forms import Kind, asked, told
from starter.words import UsageError
from tests.web.runs import SCHEMA


def of(schema: dict[str, Any], name: str = "x") -> forms.Question:
    questions = asked({"type": "object", "properties": {name: schema}, "required": [name]})
    assert questions is not None
    return questions[0]


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ({"type": "string"}, Kind.TEXT),
        ({"type": "string", "maxLength": 201}, Kind.LONG),
        ({"type": "string", "format": "date"}, Kind.DATE),
        ({"type": "string", "format": "meeting"}, Kind.MEETING),
        ({"type": ["null", "string"]}, Kind.TEXT),
        ({"type": "string", "enum": ["a", "b"]}, Kind.CHOICE),
        ({"enum": [1, None, {"a": 1}]}, Kind.CHOICE),
        ({"type": "integer"}, Kind.WHOLE),
        ({"type": "number"}, Kind.NUMBER),
        ({"type": "boolean"}, Kind.TICK),
        ({"type": "array", "items": {"type": "string"}}, Kind.LINES),
        ({"type": "array", "items": True}, Kind.JSON),
        ({"type": "object"}, Kind.JSON),
        ({"$ref": "#/x"}, Kind.JSON),
        ({"type": 7, "enum": 3, "title": [], "description": {}, "maxLength": "x", "default": {}}, Kind.JSON),
    ],
)
def test_each_kind_has_its_field(schema: dict[str, Any], kind: Kind) -> None:
    assert of(schema).kind is kind


def test_a_form_filled_is_what_the_schema_means() -> None:
    written = {
        "input:tone": "7",
        "input:meeting": "m",
        "input:pages": " 3 ",
        "input:budget": "2.5",
        "input:with_prices": "on",
        "input:by": "2026-12-01",
        "input:note": "a\r\nb",
        "input:topics": "rail\r\n\r\n depots ",
        "input:more": '{"a": [1]}',
        "input:unknown": "x",
    }

    assert told(asked(SCHEMA), written) == {
        "tone": 7,
        "meeting": "m",
        "pages": 3,
        "budget": 2.5,
        "with_prices": True,
        "by": "2026-12-01",
        "note": "a\nb",
        "topics": ["rail", "depots"],
        "more": {"a": [1]},
    }


def test_what_is_left_empty_is_not_said_and_what_is_needed_is_asked_for() -> None:
    assert told(asked(SCHEMA), {"input:tone": '"short"', "input:meeting": "m", "input:note": " "}) == {
        "tone": "short",
        "meeting": "m",
        "with_prices": False,
    }
    with pytest.raises(UsageError, match="“Tone” is missing"):
        told(asked(SCHEMA), {"input:meeting": "m"})


@pytest.mark.parametrize(
    ("schema", "written", "sentence"),
    [
        ({"type": "integer"}, "2.5", "a whole number"),
        ({"type": "integer"}, "9" * 5000, "a whole number"),
        ({"type": "integer"}, "9" * 400, "a whole number"),
        ({"type": "number"}, "9" * 400, "a number, such as"),
        ({"type": "number"}, "nan", "a number, such as"),
        ({"type": "number"}, "1e999", "a number, such as"),
        ({"enum": ["a"]}, '"b"', "one of what is listed"),
        ({"enum": ["a"]}, "a", "one of what is listed"),
        ({"type": "object"}, "{", "must be JSON"),
        ({"type": "object"}, "[" * 5000, "must be JSON"),
        ({"type": "object"}, "NaN", "must be JSON"),
    ],
)
def test_what_cannot_be_meant_is_said(schema: dict[str, Any], written: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        told((of(schema),), {"input:x": written})


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": []},
        {"type": "object", "properties": {str(n): {} for n in range(forms.MOST_QUESTIONS + 1)}},
        {"$ref": "#/$defs/x", "$defs": {}},
        {"type": "object", "minProperties": 1},
        {"required": ["a"]},
        {"properties": {"a": {}}, "required": ["a", "b"]},
    ],
    ids=["no properties", "too many", "elsewhere", "anything", "unnamed", "one unnamed"],
)
def test_a_schema_that_makes_no_form_is_written_as_json(schema: dict[str, Any]) -> None:
    assert asked(schema) is None
    assert told(None, {"inputs": '{"a": 1}'}) == {"a": 1}
    assert told(None, {}) == {}
    with pytest.raises(UsageError, match="JSON object"):
        told(None, {"inputs": "[]"})


@pytest.mark.parametrize("bound", [10**400, -(10**400), float("inf")])
def test_a_bound_beyond_all_numbers_is_none(bound: float) -> None:
    question = of({"type": "number", "minimum": bound, "maximum": bound, "default": bound})
    assert (question.least, question.most) == ("", "")
    assert question.given in ("", str(bound))
    assert question.given != "inf"


@pytest.mark.parametrize("schema", [SCHEMA, {"required": ["a"]}])
def test_what_was_told_is_told_again(schema: dict[str, Any]) -> None:
    inputs = {"tone": 7, "meeting": "m", "pages": 3, "budget": 2.5, "with_prices": True, "by": "2026-12-01"}
    inputs |= {"note": "a\nb", "topics": ["rail", "depots"], "more": {"a": [1]}}
    for said in (inputs, inputs | {"with_prices": False}):
        assert told(asked(schema), forms.again(asked(schema), said)) == said


def test_without_a_schema_nothing_is_asked() -> None:
    assert asked(None) == asked({"type": "object"}) == ()


WORDS = st.sampled_from(["type", "enum", "properties", "required", "items", "default", "title", "maxLength", "minimum"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=12,
)


@tried(st.dictionaries(WORDS, JSON), st.text(max_size=20))
def test_whatever_the_schema_is_a_form_or_a_sentence_comes_of_it(schema: dict[str, Any], written: str) -> None:
    questions = asked({"properties": {"x": schema}} | schema)
    fields = {one.field: written for one in questions or ()} | {forms.WHOLE: written}
    forms.given(questions)
    try:
        said = told(questions, fields)
    except UsageError as error:
        assert error.sentence
    else:
        assert isinstance(said, dict)
