"""What an activity raises that is no decision of ours is told by its type: a history is no place for its text.

The activity's clock is set here too: nothing is nearer to its beginning.
"""

from typing import Any

from temporalio import activity
from temporalio.exceptions import FailureError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities import errors, liveness


class TellingByType(Interceptor):
    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        return _Inbound(next)


class _Inbound(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        liveness.begin()
        try:
            return await super().execute_activity(input)
        except FailureError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not be quoted
            activity.logger.warning("unexpected", exc_info=True)
            raise errors.unexpected(error) from None
