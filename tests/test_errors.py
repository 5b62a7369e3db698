"""What a provider's answer makes Temporal do."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.exceptions import ApplicationError

from activities import errors

MINUTE = timedelta(seconds=60)


def decision(status: int, kind: object = None, wait: str | None = None) -> ApplicationError:
    headers = {} if wait is None else {"retry-after": wait}
    error = errors.answered("search", status, kind, headers, MINUTE)
    assert isinstance(error, ApplicationError)
    return error


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 422, 301, 302])
def test_what_asking_again_will_not_help_is_final(status: int) -> None:
    assert decision(status).non_retryable


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504, 529])
def test_what_may_pass_is_tried_again(status: int) -> None:
    assert not decision(status).non_retryable


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 60),
        ("", 60),
        ("0", 60),
        ("3", 60),
        ("61", 61),
        ("90.5", 90.5),
        ("-1", 60),
        ("1000000000", 900),
        ("9" * 400, 900),
        ("NaN", 60),
        ("soon", 60),
        ("Wed, 99 Nov 2026 99:99:99 GMT", 60),
    ],
)
def test_a_limit_waits_for_the_longer_of_theirs_and_ours_and_never_for_ever(header: str | None, seconds: float) -> None:
    assert decision(429, wait=header).next_retry_delay == timedelta(seconds=seconds)


def test_a_date_to_wait_for_is_understood() -> None:
    wait = decision(429, wait=format_datetime(datetime.now(UTC) + timedelta(minutes=5), usegmt=True)).next_retry_delay
    assert wait is not None
    assert timedelta(minutes=4, seconds=50) < wait <= timedelta(minutes=5)


def test_a_spent_limit_is_no_wait() -> None:
    assert decision(429, "monthly_spend_limit_reached").non_retryable


@given(st.text() | st.binary() | st.none() | st.integers() | st.lists(st.text()))
def test_their_own_words_are_never_quoted(kind: object) -> None:
    message = decision(500, kind).message
    assert message == "search said 500" or errors.is_word(kind)


@given(st.text())
def test_any_header_is_a_wait_within_bounds(header: str) -> None:
    assert timedelta() <= errors.asked_to_wait(header) <= errors.LONGEST_WAIT


@given(
    st.sampled_from([400, 403, 404, 409, 429, 500, 503]),
    st.text() | st.none() | st.integers() | st.sampled_from(sorted(errors.TOO_OFTEN | errors.SPENT)),
    st.text(),
)
def test_a_ration_waits_within_bounds_and_quotes_no_words(status: int, reason: object, wait: str) -> None:
    error = errors.rationed("calendar", status, reason, {"retry-after": wait})
    assert isinstance(error, ApplicationError)
    assert error.message == f"calendar said {status}" or errors.is_word(reason)
    assert timedelta() <= (error.next_retry_delay or timedelta()) <= errors.LONGEST_WAIT
    if status in (403, 429) and reason in errors.SPENT:
        assert error.next_retry_delay is not None
        assert error.next_retry_delay >= errors.LEAST_WAIT_WHEN_SPENT


@pytest.mark.parametrize(("status", "tried_again"), [(403, False), (429, True), (500, True), (404, False)])
def test_without_a_reason_a_status_means_what_it_means_elsewhere(status: int, tried_again: bool) -> None:
    error = errors.rationed("calendar", status, None, {})
    assert isinstance(error, ApplicationError)
    assert error.non_retryable != tried_again


@pytest.mark.parametrize(
    ("error", "pause_s", "attempt", "waits_s"),
    [
        (errors.mail_refused("smtp", 450, "recipient"), 60, 1, 60),
        (errors.mail_refused("smtp", 450, "recipient"), 60, 4, 480),
        (errors.mail_refused("smtp", 450, "recipient"), 0, 4, None),
        (errors.mail_refused("smtp", 550, "recipient"), 60, 1, None),
        (decision(429, wait="90"), 60, 1, 90),
    ],
)
def test_a_try_that_failed_is_put_off_for_longer_each_time(
    error: ApplicationError, pause_s: float, attempt: int, waits_s: float | None
) -> None:
    put_off = errors.put_off(error, timedelta(seconds=pause_s), attempt)
    waits = put_off.next_retry_delay.total_seconds() if put_off.next_retry_delay else None
    assert waits == waits_s
    assert (put_off.type, put_off.message, put_off.non_retryable) == (error.type, error.message, error.non_retryable)
