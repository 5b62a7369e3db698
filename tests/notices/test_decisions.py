"""What the sandbox cannot say, as its library tells it: what Temporal should do about it."""

import aiosmtplib
import pytest
from temporalio.exceptions import ApplicationError

from activities.providers.smtp import Smtp

THEIRS = "quotes ada@lovelace.example"


@pytest.mark.parametrize(
    ("error", "final", "said"),
    [
        (aiosmtplib.SMTPSenderRefused(451, THEIRS, "g@x.example"), False, "smtp said 451 to the sender"),
        (aiosmtplib.SMTPSenderRefused(550, THEIRS, "g@x.example"), True, "smtp said 550 to the sender"),
        (aiosmtplib.SMTPAuthenticationError(535, THEIRS), True, "smtp said 535 to the sign-in"),
        (aiosmtplib.SMTPAuthenticationError(454, THEIRS), False, "smtp said 454 to the sign-in"),
        (aiosmtplib.SMTPConnectResponseError(421, THEIRS), False, "smtp said 421 to the connection"),
        (aiosmtplib.SMTPException(THEIRS), True, "smtp: the server does not offer the TLS or the sign-in that is set"),
        (aiosmtplib.SMTPConnectTimeoutError(THEIRS), False, "smtp did not answer (SMTPConnectTimeoutError)"),
        (aiosmtplib.SMTPReadTimeoutError(THEIRS), False, "smtp did not answer (SMTPReadTimeoutError)"),
        (aiosmtplib.SMTPServerDisconnected(THEIRS), False, "smtp did not answer (SMTPServerDisconnected)"),
        (aiosmtplib.SMTPResponseException(-1, THEIRS), False, "smtp sent a reply that cannot be read"),
    ],
)
def test_a_failure_is_a_decision_in_our_words(error: Exception, final: bool, said: str) -> None:
    decision = Smtp("smtp://localhost:1", sender="g@x.example")._decision(error)
    assert isinstance(decision, ApplicationError)
    assert (decision.non_retryable, decision.message) == (final, said)
