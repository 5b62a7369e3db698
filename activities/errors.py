"""Turn what went wrong into what Temporal should do about it.

ProviderRefused      asking again will not help: a bad request, a bad key, no money
ProviderLimited      asked to wait: 429, with the longer of what they said and what we hold to
ProviderDown         not there, or broken: the policy says when to try again
ProviderNonsense     an answer that cannot be read: as if it were down
CampaignInactive     nothing may be started for it
NotFound             no such row for this tenant
Superseded           a newer run works on this row
DatabaseFailed       Postgres said no, or stayed away
NothingFound         no source about anybody: nothing is written without sources
TooSlow              a window closed
ReauthRequired       the account lets us in no more: its user must connect it again
NoValidAnswer        the model was asked as often as it may be, and no answer could be used

Texts name the provider and what it said by status and type, never with its own words: those may quote a person.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from temporalio.exceptions import ApplicationError

WORTH_ANOTHER_TRY = {408, 409, 425}

# Classes of Postgres's codes that speak of the data or the statement: the same again fails again.
DATA_ITSELF = {"22", "23", "42"}

# A wait longer than this is no politeness any more: the run's deadline is far behind.
LONGEST_WAIT = timedelta(minutes=15)


def answered(provider: str, status: int, kind: object, headers: Mapping[str, str], least_wait: timedelta) -> Exception:
    """The retry decision for an HTTP answer that is not a good one; `kind` is the error's type in its body."""
    said = f"{provider} said {status}" + (f" ({kind})" if is_word(kind) else "")
    if status == 429 and "spend_limit" not in str(kind):
        wait = max(asked_to_wait(headers.get("retry-after", "")), least_wait)
        return ApplicationError(said, type="ProviderLimited", next_retry_delay=wait)
    if status >= 500 or status in WORTH_ANOTHER_TRY:
        return ApplicationError(said, type="ProviderDown")
    return ApplicationError(said, type="ProviderRefused", non_retryable=True)


def unreachable(provider: str, error: BaseException) -> ApplicationError:
    """No answer, or half of one: the connection failed, or took too long."""
    return ApplicationError(f"{provider} did not answer ({type(error).__name__})", type="ProviderDown")


def nonsense(provider: str, what: str) -> ApplicationError:
    """An answer that arrived and cannot be read; `what` is our own words."""
    return ApplicationError(f"{provider} sent {what}", type="ProviderNonsense")


def decided(error: BaseException | None) -> ApplicationError | None:
    """The decision that a library wrapped into an error of its own, if there is one."""
    return error if isinstance(error, ApplicationError) else None


def failed_itself(provider: str, kind: object) -> ApplicationError:
    """HTTP said 200 and the body said that it failed."""
    return ApplicationError(f"{provider} failed" + (f" ({kind})" if is_word(kind) else ""), type="ProviderDown")


def not_found(what: str) -> ApplicationError:
    return ApplicationError(f"no such {what}", type="NotFound", non_retryable=True)


def inactive() -> ApplicationError:
    return ApplicationError("the campaign is not active", type="CampaignInactive", non_retryable=True)


def superseded() -> ApplicationError:
    return ApplicationError("a newer run works on this", type="Superseded", non_retryable=True)


def database_failed(code: str | None) -> ApplicationError:
    """Postgres's five-character code, or the kind of its absence. What it will never take is not tried again."""
    never = (code or "")[:2] in DATA_ITSELF
    return ApplicationError(f"postgres failed ({code})", type="DatabaseFailed", non_retryable=never)


def unexpected(error: BaseException) -> ApplicationError:
    """A bug of ours, or a library's surprise: told by its type, since its text may quote anybody."""
    return ApplicationError(f"unexpected {type(error).__name__}", type=type(error).__name__)


def nothing_found(reasons: str) -> ApplicationError:
    return ApplicationError(f"no source came back ({reasons})", type="NothingFound", non_retryable=True)


def too_slow(window: timedelta) -> ApplicationError:
    return ApplicationError(f"not done within {window.total_seconds():g} s", type="TooSlow", non_retryable=True)


def no_valid_answer(problem: str | None) -> ApplicationError:
    said = f"the model's answers could not be used ({problem})"
    return ApplicationError(said, type="NoValidAnswer", non_retryable=True)


def reauth_required() -> ApplicationError:
    """The connection is marked already: trying again is of no use until its user has connected it again."""
    return ApplicationError("the account lets us in no more", type="ReauthRequired", non_retryable=True)


def run_failed(kind: str, reason: str) -> ApplicationError:
    """How a run ends that has told its status: with the type of what went wrong, and the same reason."""
    return ApplicationError(reason, type=kind, non_retryable=True)


def asked_to_wait(value: str) -> timedelta:
    """A Retry-After header, in seconds or as a date, between nothing and LONGEST_WAIT. Rubbish is nothing."""
    return min(max(_delay(value.strip()), timedelta()), LONGEST_WAIT)


def _delay(value: str) -> timedelta:
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value):
        return timedelta(seconds=float(value))
    try:
        return _aware(parsedate_to_datetime(value)) - datetime.now(UTC)
    except (ValueError, TypeError, OverflowError):
        return LONGEST_WAIT if re.fullmatch(r"\d{10,}", value) else timedelta()


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def is_word(kind: object) -> bool:
    """An error's type is quoted only when it looks like one: a short word of code, no sentence."""
    return isinstance(kind, str) and re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]{0,48}", kind) is not None
