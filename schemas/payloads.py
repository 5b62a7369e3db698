"""What events say: payloads that come in, checked at the door, and those that we tell.

Those of ours name rows by id, people not at all.
"""

from datetime import UTC, datetime
from datetime import date as date_
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic.alias_generators import to_camel

from schemas.base import Email, Inbound
from schemas.bootstraps import LONGEST_SOURCE, MOST_SOURCES
from schemas.digests import LONGEST_TOPIC, MOST_TOPICS
from schemas.documents import Against
from schemas.skills import LONGEST_MESSAGE

MOST_PROSPECTS = 20
MOST_PARTICIPANTS = 200
LONGEST_NAME = 300
LONGEST_TEXT = 400_000
# Far enough from the ends of the calendar that a zone can be added.
YEARS = range(1971, 9000)


def storable(text: str) -> str:
    """Text that a row can hold; ValueError for what is none."""
    if any(letter == "\0" or "\ud800" <= letter <= "\udfff" for letter in text):
        raise ValueError("holds characters that are no text")
    return text


def sensible(moment: datetime) -> datetime:
    """A time with a zone, UTC when it names none; ValueError for the ends of the calendar."""
    if moment.year not in YEARS:
        raise ValueError(f"must be between {YEARS[0]} and {YEARS[-1]}")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


Text = Annotated[str, AfterValidator(storable), StringConstraints(max_length=LONGEST_TEXT)]
Name = Annotated[str, AfterValidator(storable), StringConstraints(max_length=LONGEST_NAME)]
# What its sender calls something.
TheirId = Annotated[str, AfterValidator(storable), StringConstraints(min_length=1, max_length=200)]
OurId = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, to_lower=True, pattern=r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"
    ),
]
Moment = Annotated[datetime, AfterValidator(sensible)]
Address = Annotated[Email, AfterValidator(storable)]


class Payload(Inbound):
    """What an event says, in the seeds' spelling or in ours. Without a tenant it is of whoever sends it."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, validate_by_alias=True)

    tenant_id: OurId | None = None


class ProspectSent(Payload):
    email: Address
    name: Name | None = None
    company_domain: Annotated[str, StringConstraints(max_length=253)] | None = None


class ResearchRequested(Payload):
    """A meeting that we know, or people."""

    type: Literal["calendar", "adhoc"]
    meeting_id: OurId | None = None
    ad_hoc_request_id: TheirId | None = None
    campaign_id: OurId | None = None
    prospects: tuple[ProspectSent, ...] = Field(default=(), max_length=MOST_PROSPECTS)
    requested_at: Moment | None = None

    @model_validator(mode="after")
    def _about_somebody(self) -> Self:
        if self.type == "calendar" and self.meeting_id is None:
            raise ValueError("a calendar request needs meetingId")
        if self.type == "adhoc" and not self.prospects and self.ad_hoc_request_id is None:
            raise ValueError("an adhoc request needs prospects")
        return self


class CalendarChanged(Payload):
    """A calendar by one of its channels, by our id, or by its address."""

    channel_id: TheirId | None = None
    calendar_id: TheirId | None = None
    resource_id: Name | None = None
    resource_state: Name | None = None
    campaign_id: TheirId | None = None
    received_at: Moment | None = None

    @model_validator(mode="after")
    def _of_something(self) -> Self:
        if self.channel_id is None and self.calendar_id is None:
            raise ValueError("channelId or calendarId is needed")
        return self


class RenewalRequested(Payload):
    scheduled_at: Moment | None = None


class ParticipantSent(Payload):
    name: Name = ""
    email: Address | None = None
    role: Name = ""
    ours: bool | None = None


class TranscriptRequested(Payload):
    """A call by what its sender calls it. Its transcript is the text of a file, told apart by `file_name`."""

    call_id: TheirId
    transcript: Text | None = None
    file_name: Name = "transcript.txt"
    title: Name = ""
    started_at: Moment | None = None
    duration_s: int | None = Field(default=None, ge=0, le=7 * 86_400)
    participants: tuple[ParticipantSent, ...] = Field(default=(), max_length=MOST_PARTICIPANTS)
    owner_email: Address | None = None
    opportunity_id: TheirId | None = None


class MessageRequested(Payload):
    """A mail to a user of the tenant. Its words are the first of these that say anything."""

    to: Address
    subject: Annotated[str, AfterValidator(storable), StringConstraints(min_length=1, max_length=200)]
    text: Text = ""
    body: Text = ""
    html: Text = ""


class EntityCreated(Payload):
    """A row for a collection: `data`, or whatever else stands beside it."""

    model_config = ConfigDict(extra="allow")

    collection: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")] = "records"
    # What its sender calls the row: the same id is the same row.
    id: Annotated[str | int, Field(union_mode="left_to_right")] | None = None
    priority: Literal["urgent", "normal"] = "normal"
    data: dict[str, Any] | None = None

    def row(self) -> dict[str, Any]:
        """What is kept of it."""
        return self.data if self.data is not None else dict(self.model_extra or {})


class DigestRequested(Payload):
    """A user's digest, who is named by our id or by their address; about interests of its own when it names some.

    Its day is theirs that it is; another one only so far as zones reach.
    """

    user_id: TheirId
    policy_interests: (
        tuple[
            Annotated[
                str,
                AfterValidator(storable),
                StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_TOPIC),
            ],
            ...,
        ]
        | None
    ) = Field(default=None, min_length=1, max_length=MOST_TOPICS)
    date: date_ | None = None


class SkillRequested(Payload):
    """A run of a skill, for a user who is named by our id or by their address; `options` are the skill's inputs.

    A run that its sender names is the same run whenever it is asked for. `client` is a company that we know, by our id or
    by its domain.
    """

    run_id: TheirId | None = None
    skill_name: TheirId
    user_message: Annotated[str, AfterValidator(storable), StringConstraints(max_length=LONGEST_MESSAGE)] = ""
    user_id: TheirId
    client_id: TheirId | None = None
    options: dict[str, Any] | None = None


class FeedbackRequested(Payload):
    """What was said of an output is looked at: `feedback_id` is ours."""

    feedback_id: TheirId
    skill_name: TheirId


class DocumentUploaded(Payload):
    """A document is to be reviewed: one that is here, by our id, or the text of a file, with the user whose it is."""

    document_id: TheirId | None = None
    text: Text | None = None
    file_name: Name = "document.txt"
    user_id: TheirId | None = None
    priority: Literal["urgent", "normal"] = "normal"

    @model_validator(mode="after")
    def _of_something(self) -> Self:
        if (self.document_id is None) == (self.text is None):
            raise ValueError("documentId or text is needed, and not both")
        if self.text is not None and self.user_id is None:
            raise ValueError("a text needs userId")
        return self


class AnalysisRequested(Payload):
    document_id: TheirId
    analysis_id: TheirId | None = None
    priority: Literal["urgent", "normal"] = "normal"


class AnalysisRetried(Payload):
    """An analysis that failed or was cancelled is done again."""

    document_id: TheirId
    reason: Annotated[str, AfterValidator(storable), StringConstraints(strip_whitespace=True, max_length=500)] = ""


class AnalysisCancelled(Payload):
    """Any run of a document's by its id: an analysis, a comparison, a redline."""

    analysis_id: TheirId


class DocumentDeleted(Payload):
    document_id: TheirId


class ComparisonRequested(Payload):
    """A document against the tenant's playbook, another document, or the references nearest to it."""

    document_id: TheirId
    against: Against = Against.PLAYBOOK
    other_id: TheirId | None = None
    priority: Literal["urgent", "normal"] = "normal"

    @model_validator(mode="after")
    def _with_something(self) -> Self:
        if (self.against is Against.DOCUMENT) != (self.other_id is not None):
            raise ValueError("otherId is needed for a comparison with a document, and for no other")
        return self


class RedlineRequested(Payload):
    document_id: TheirId
    priority: Literal["urgent", "normal"] = "normal"


SourceName = Annotated[
    str, AfterValidator(storable), StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_SOURCE)
]


class IngestRequested(Payload):
    """References are taken in from the library: those that are named, or all that it holds."""

    sources: tuple[SourceName, ...] = Field(default=(), max_length=MOST_SOURCES)
    force_refresh: bool = False


class SourceRequested(Payload):
    """One reference is taken in, as a bootstrap of its own. `progress_id` is its sender's."""

    source: SourceName
    progress_id: TheirId | None = None
    force_refresh: bool = False


class DemoRequested(Payload):
    """A run that shows how work goes here: so many steps, of which each may take a moment."""

    steps: int = Field(default=3, ge=1, le=100)
    # Seconds to wait for demo/run.continued before the last step; 0 does not wait.
    wait_s: float = Field(default=0, ge=0, le=3600)


class DemoContinued(Payload):
    """The run that an event began goes on: `event_id` is what its sender called that."""

    event_id: TheirId
