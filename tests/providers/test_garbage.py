"""Whatever a provider sends is an answer with bounds, or an error of ours: never another exception, never their words."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.exceptions import ApplicationError

from activities.providers import perplexity
from activities.providers.http import error_kind, parse_object
from activities.research import questions

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda one: st.lists(one, max_size=5) | st.dictionaries(st.text(), one, max_size=5),
    max_leaves=20,
)


@given(st.binary())
def test_bytes_are_an_object_or_nonsense(body: bytes) -> None:
    try:
        assert isinstance(parse_object("search", body), dict)
    except ApplicationError as error:
        assert error.type == "ProviderNonsense"
    error_kind(body)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'{"a": NaN}', b'{"a": Infinity}', b"[" * 100_000, b"\xff\xfe", b"<html>"],
)
def test_what_is_no_json_object_is_nonsense(body: bytes) -> None:
    with pytest.raises(ApplicationError) as raised:
        parse_object("search", body)
    assert raised.value.type == "ProviderNonsense"


@given(
    st.fixed_dictionaries(
        {"status": st.sampled_from(["completed", "incomplete"])},
        optional={"output": JSON, "usage": JSON, "model": JSON, "error": JSON},
    )
)
def test_any_answer_is_read_within_bounds(answer: dict[str, Any]) -> None:
    read = perplexity.read(answer)
    assert len(read.sources) <= perplexity.MOST_SOURCES
    assert isinstance(read.said, dict)
    assert read.usage is None or read.usage.cost_micro_usd >= 0


@given(st.lists(st.fixed_dictionaries({}, optional={"url": JSON, "title": JSON, "snippet": JSON, "date": JSON})))
def test_any_results_are_sources_of_the_web_or_nothing(results: list[dict[str, Any]]) -> None:
    answer = {"status": "completed", "output": [{"type": "search_results", "results": results}]}
    for source in perplexity.read(answer).sources:
        assert source.url.startswith(("http://", "https://"))
        assert source.text
        assert len(source.text) <= perplexity.LONGEST_TEXT


def test_sources_are_search_results_and_nothing_a_model_typed() -> None:
    typed = json.dumps({"found": True, "sources": ["https://typed.example"]})
    answer = {
        "status": "completed",
        "output": [
            {"type": "message", "content": [{"type": "output_text", "text": typed}]},
            {"type": "something_new", "results": [{"url": "https://new.example", "snippet": "x"}]},
            {"type": "search_results", "results": [{"url": "https://found.example", "snippet": "words"}]},
            {"type": "search_results", "results": [{"url": "https://more.example", "snippet": "words"}]},
        ],
    }
    assert [source.url for source in perplexity.read(answer).sources] == [
        "https://found.example",
        "https://more.example",
    ]


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "file:///etc/passwd", "ftp://x.example", "//x.example", "", "https://" + "x" * 3000]
)
def test_a_result_without_an_address_of_the_web_is_no_source(url: str) -> None:
    answer = {"status": "completed", "output": [{"type": "search_results", "results": [{"url": url, "snippet": "w"}]}]}
    assert perplexity.read(answer).sources == ()


def test_hidden_characters_of_a_source_are_gone() -> None:
    hidden = "Wo\u200brds\U000e0041\U000e0042 \x1b[31mred\x1b[0m \u202eback"
    answer = {
        "status": "completed",
        "output": [
            {"type": "search_results", "results": [{"url": "https://a.example", "snippet": hidden, "title": hidden}]}
        ],
    }
    source = perplexity.read(answer).sources[0]
    assert source.text == source.title == "Words [31mred[0m back"


@pytest.mark.parametrize("inner", ['{"name": "A\\u0000b"}', '{"x": NaN}', '{"name": "\\ud800"}', "[1]", "{"])
def test_what_a_model_said_can_be_stored_or_is_left_out(inner: str) -> None:
    message = {"type": "message", "content": [{"type": "output_text", "text": inner}]}
    said = perplexity.read({"status": "completed", "output": [message]}).said
    assert said in ({}, {"name": "Ab"}, {"name": ""})


@given(JSON, st.sampled_from(["person", "company"]))
def test_whatever_is_said_of_a_subject_makes_a_profile(said: Any, name: str) -> None:
    profile = questions.profile(name, said if isinstance(said, dict) else {"people": said, "found": True})
    assert isinstance(profile, dict)
    assert len(json.dumps(profile)) < 20_000
