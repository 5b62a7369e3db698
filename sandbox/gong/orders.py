"""What may be asked, and nothing else: a field that is not known is a 400 that names it."""

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import parse_qsl

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints, ValidationError

from sandbox.brand import Call, RefusedError

CallId = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,20}$")]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Filter(Strict):
    fromDateTime: AwareDatetime | None = None  # noqa: N815 - theirs
    toDateTime: AwareDatetime | None = None  # noqa: N815
    workspaceId: CallId | None = None  # noqa: N815
    callIds: list[CallId] | None = None  # noqa: N815
    primaryUserIds: list[CallId] | None = None  # noqa: N815

    def fits(self, call_id: str, started: datetime) -> bool:
        if self.callIds is not None and call_id not in self.callIds:
            return False
        return (self.fromDateTime is None or started >= self.fromDateTime) and (
            self.toDateTime is None or started < self.toDateTime
        )


class ExposedFields(Strict):
    parties: bool = False
    content: dict[str, bool] | None = None
    interaction: dict[str, bool] | None = None
    collaboration: dict[str, bool] | None = None
    media: bool = False


class ContentSelector(Strict):
    context: str | None = None
    contextTiming: list[str] | None = None  # noqa: N815
    exposedFields: ExposedFields = ExposedFields()  # noqa: N815


class Asked(Strict):
    cursor: str | None = None
    filter: Filter


class AskedMore(Asked):
    contentSelector: ContentSelector = ContentSelector()  # noqa: N815


def listing(call: Call) -> Asked:
    """GET /v2/calls: everything stands in the query, once."""
    try:
        pairs = parse_qsl(call.query, keep_blank_values=True, strict_parsing=bool(call.query))
    except ValueError:
        raise RefusedError(400, "The query cannot be read.") from None
    said = dict(pairs)
    if len(said) < len(pairs):
        raise RefusedError(400, "A query parameter is given twice.")
    asked = _parsed(Asked, {"cursor": said.pop("cursor", None), "filter": said})
    if asked.filter.callIds is not None or asked.filter.primaryUserIds is not None:
        raise RefusedError(400, "Unknown query parameter.")
    return asked


def parsed(call: Call, kind: type[Asked]) -> Asked:
    if not call.headers.get("content-type", "").startswith("application/json"):
        raise RefusedError(415, "Content-Type must be application/json.")
    return _parsed(kind, call.document())


def _parsed(kind: type[Asked], said: Any) -> Asked:
    try:
        return kind.model_validate(said)
    except ValidationError as error:
        first = error.errors()[0]
        raise RefusedError(400, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
