"""How Google says no: one envelope for its APIs, another for OAuth."""

from dataclasses import dataclass
from typing import Any

from sandbox.brand import SERVER_ERROR, Answer

# The reason when only a status is ordered, as the API documents it.
REASONS = {
    400: "badRequest",
    401: "authError",
    403: "forbidden",
    404: "notFound",
    405: "httpMethodNotAllowed",
    409: "duplicate",
    410: "fullSyncRequired",
    412: "conditionNotMet",
    413: "uploadTooLarge",
    429: "rateLimitExceeded",
}
MESSAGES = {
    "authError": "Invalid Credentials",
    "backendError": "Backend Error",
    "badRequest": "Bad Request",
    "calendarUsageLimitsExceeded": "Calendar usage limits exceeded.",
    "channelIdNotUnique": "Channel id not unique",
    "deleted": "Resource has been deleted",
    "forbidden": "Forbidden",
    "fullSyncRequired": "Sync token is no longer valid, a full sync is required.",
    "insufficientPermissions": "Insufficient Permission",
    "notFound": "Not Found",
    "parseError": "Parse Error",
    "quotaExceeded": "Quota exceeded.",
    "rateLimitExceeded": "Rate Limit Exceeded",
    "required": "Login Required.",
    "timeRangeEmpty": "The specified time range is empty.",
    "updatedMinTooLongAgo": "The requested minimum modification time lies too far in the past.",
    "userRateLimitExceeded": "User Rate Limit Exceeded",
}
DOMAINS = {
    "calendarUsageLimitsExceeded": "usageLimits",
    "fullSyncRequired": "calendar",
    "quotaExceeded": "usageLimits",
    "rateLimitExceeded": "usageLimits",
    "timeRangeEmpty": "calendar",
    "updatedMinTooLongAgo": "calendar",
    "userRateLimitExceeded": "usageLimits",
}
OAUTH = {400: "invalid_request", 401: "invalid_client", 403: "access_denied", 429: "rate_limit_exceeded"}
CHALLENGE = 'Bearer realm="https://accounts.google.com/", error="invalid_token"'


@dataclass
class ApiError(Exception):
    """A call of an API is refused. `location` names what was wrong with it, `location_type` where that stands."""

    status: int
    reason: str
    message: str | None = None
    location: str | None = None
    location_type: str = "parameter"

    def answer(self) -> Answer:
        message = self.message or MESSAGES.get(self.reason, self.reason)
        one: dict[str, Any] = {"domain": DOMAINS.get(self.reason, "global"), "reason": self.reason, "message": message}
        if self.location:
            one |= {"locationType": self.location_type, "location": self.location}
        answer = Answer.of({"error": {"errors": [one], "code": self.status, "message": message}}, self.status)
        return answer.having(www_authenticate=CHALLENGE) if self.status == 401 else answer


@dataclass
class OAuthError(Exception):
    """A token is refused."""

    status: int
    error: str
    description: str = "Bad Request"

    def answer(self) -> Answer:
        return Answer.of({"error": self.error, "error_description": self.description}, self.status)


def ordered(path: str, status: int, reason: str | None) -> Answer:
    """What a call of this path gets when somebody ordered it to fail."""
    if path in {"/token", "/revoke"}:
        default = "internal_failure" if status >= SERVER_ERROR else OAUTH.get(status, "invalid_request")
        return OAuthError(status, reason or default).answer()
    default = "backendError" if status >= SERVER_ERROR else REASONS.get(status, "badRequest")
    location = "Authorization" if status == 401 else None
    return ApiError(status, reason or default, location=location, location_type="header").answer()


def invalid(name: str, value: object, location_type: str = "parameter") -> ApiError:
    """A 400 that names what cannot be meant."""
    return ApiError(400, "invalid", f"Invalid value for {name}: {value!r:.60}", name, location_type)
