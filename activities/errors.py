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
Disconnected         the user has taken the account away
Sealed               a key that opens the tokens is missing
OverBudget           a cap does not let it be paid for
BudgetHeld           ... while others have money set aside: some of it will be free again
PriceUnknown         nobody knows what it costs, so it is not bought
NoValidAnswer        the model was asked as often as it may be, and no answer could be used
NotReady             a call's transcript was waited for, and did not come
Unkept               what was paid for could not be put away: it is to be bought again
Unreadable           a file that cannot be read as a document: its sentence is for whoever sent it

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

# What a provider calls it when it was asked too often, and when a longer budget is spent.
TOO_OFTEN = {"rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED"}
SPENT = {"quotaExceeded", "dailyLimitExceeded"}

# A spent budget is not refilled within seconds.
LEAST_WAIT_WHEN_SPENT = timedelta(minutes=5)

# Types of failures that a workflow tells from others.
OVER_BUDGET, BUDGET_HELD = "OverBudget", "BudgetHeld"
# ... and those that pass: whoever can wait for hours does.
PASSING = {"ProviderDown", "ProviderLimited", "DatabaseFailed"}

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


def rationed(provider: str, status: int, reason: object, headers: Mapping[str, str]) -> Exception:
    """Like `answered`, of a provider that says 403 to what is forbidden and to what is too often: `reason` tells which.

    Without a wait of theirs the policy says when to try again.
    """
    known = reason if isinstance(reason, str) else ""
    if status not in (403, 429) or (status == 403 and known not in TOO_OFTEN | SPENT):
        return answered(provider, status, reason, headers, timedelta())
    wait = max(asked_to_wait(headers.get("retry-after", "")), LEAST_WAIT_WHEN_SPENT if known in SPENT else timedelta())
    said = f"{provider} said {status}" + (f" ({known})" if is_word(known) else "")
    return ApplicationError(said, type="ProviderLimited", next_retry_delay=wait or None)


def spent(provider: str, wait: timedelta) -> ApplicationError:
    """We have called as often as we may for now; looking again before our next turn is of no use."""
    said = f"{provider} has been asked as often as it may be for now"
    return ApplicationError(said, type="ProviderLimited", next_retry_delay=min(wait, LONGEST_WAIT))


def unreachable(provider: str, error: BaseException) -> ApplicationError:
    """No answer, or half of one: the connection failed, or took too long."""
    return ApplicationError(f"{provider} did not answer ({type(error).__name__})", type="ProviderDown")


def nonsense(provider: str, what: str) -> ApplicationError:
    """An answer that arrived and cannot be read; `what` is our own words."""
    return ApplicationError(f"{provider} sent {what}", type="ProviderNonsense")


def mail_refused(provider: str, code: int, what: str) -> ApplicationError:
    """A mail server's no to the sender, the recipient, the message or our sign-in: 4xx for now, 5xx for good.

    For how long 4xx is for now they do not say: the policy does.
    """
    said = f"{provider} said {code} to the {what}"
    if 400 <= code < 500:
        return ApplicationError(said, type="ProviderDown")
    if 500 <= code < 600:
        return ApplicationError(said, type="ProviderRefused", non_retryable=True)
    return nonsense(provider, "a reply that cannot be read")


def put_off(error: ApplicationError, pause: timedelta, attempt: int) -> ApplicationError:
    """The same decision with a wait of its own, twice as long after each try. What says its wait itself keeps it."""
    if error.non_retryable or error.next_retry_delay or not pause:
        return error
    return ApplicationError(error.message, type=error.type, next_retry_delay=pause * 2 ** (attempt - 1))


def impossible(provider: str, why: str) -> ApplicationError:
    """What is asked of the provider cannot be done there; `why` is our own words."""
    return ApplicationError(f"{provider}: {why}", type="ProviderRefused", non_retryable=True)


def is_limited(error: ApplicationError, longer_than: timedelta) -> bool:
    """We are to wait, and for longer than that."""
    return error.type == "ProviderLimited" and (error.next_retry_delay or timedelta()) > longer_than


def decided(error: BaseException | None) -> ApplicationError | None:
    """The decision that a library wrapped into an error of its own, if there is one."""
    return error if isinstance(error, ApplicationError) else None


def was_answered(error: BaseException) -> bool:
    """An answer came and cannot be read, or not be kept: it has been paid for all the same."""
    return isinstance(error, ApplicationError) and error.type in {"ProviderNonsense", "Unkept"}


def unkept(error: ApplicationError) -> ApplicationError:
    """What was paid for could not be put away, for the reason that this error tells."""
    return ApplicationError(error.message, type="Unkept", non_retryable=error.non_retryable)


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


def not_begun(window: timedelta) -> ApplicationError:
    said = f"it was not begun within {window.total_seconds() / 60:g} minutes"
    return ApplicationError(said, type="TooSlow", non_retryable=True)


def took_too_long(window: timedelta) -> ApplicationError:
    said = f"it took longer than {window.total_seconds() / 60:g} minutes"
    return ApplicationError(said, type="TooSlow", non_retryable=True)


def no_valid_answer(problem: str | None) -> ApplicationError:
    said = f"the model's answers could not be used ({problem})"
    return ApplicationError(said, type="NoValidAnswer", non_retryable=True)


def never_ready(waited: timedelta) -> ApplicationError:
    said = f"no transcript came within {waited.total_seconds() / 3600:g} h"
    return ApplicationError(said, type="NotReady", non_retryable=True)


def over_budget(bound: str, cap_micro_usd: int, *, held: bool = False) -> ApplicationError:
    """`bound` is what the cap is for: a run, a meeting or a month. What is held is worth another look in a while."""
    said = f"the budget of this {bound} is used up (${cap_micro_usd / 1_000_000:.2f})"
    return ApplicationError(said, type=BUDGET_HELD if held else OVER_BUDGET, non_retryable=True)


def price_unknown(what: str) -> ApplicationError:
    """`what` is a provider and its model. Whoever runs this must mend it."""
    said = f"no price is known for {what}, so it is not called: set GREENROOM_PRICES"
    return ApplicationError(said, type="PriceUnknown", non_retryable=True)


def reauth_required() -> ApplicationError:
    """The connection is marked already: trying again is of no use until its user has connected it again."""
    return ApplicationError("the account lets us in no more", type="ReauthRequired", non_retryable=True)


def disconnected() -> ApplicationError:
    return ApplicationError("the account is disconnected", type="Disconnected", non_retryable=True)


def sealed(why: str) -> ApplicationError:
    """Tokens that cannot be opened; `why` names a key by its id. Whoever runs this must mend it."""
    return ApplicationError(f"the tokens cannot be opened: {why}", type="Sealed", non_retryable=True)


def unreadable(sentence: str) -> ApplicationError:
    """`sentence` says why, and what to do, in our own words: it quotes nothing of the file."""
    return ApplicationError(sentence, type="Unreadable", non_retryable=True)


def unfinished(why: str) -> ApplicationError:
    """It is not done, and may be the next time; `why` is our own words."""
    return ApplicationError(f"not done yet: {why}", type="Unfinished")


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
